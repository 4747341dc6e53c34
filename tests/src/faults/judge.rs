//! What must hold after a fault, in one place.
//!
//! | rule | |
//! |---|---|
//! | opens | the vault opens, `verify` and `log verify` find nothing (the reading of the state refuses otherwise) |
//! | whole | what is there is what was before, or what is there after the command: nothing half, nothing twice, nothing lost |
//! | kept | what was acknowledged (exit 0, or a result on standard output) is there |
//! | refused | what was refused is not there |
//! | logged | no entry of the access log is lost; what was shown or given out has its entry |
//! | typed | a refusal is typed, names the fault that it was, is no fault of the program, and says what to do next |
//! | again | run again after it was not done, it is done, and leaves nothing behind |

use super::state::State;
use super::state::difference;
use super::trace::Fault;
use crate::vault::Done;
use serde_json::Value;

/// What a command does where nothing fails.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Before it.
    pub before: State,
    /// After it.
    pub after: State,
    /// Whether it keeps a draft while it goes on, which stays where it does not end.
    pub keeps_draft: bool,
}

impl Reference {
    fn same(&self, a: &State, b: &State) -> bool {
        match self.keeps_draft {
            true => without_drafts(&a.body) == without_drafts(&b.body),
            false => a.body == b.body,
        }
    }

    fn changes(&self) -> bool {
        !self.same(&self.before, &self.after)
    }
}

fn without_drafts(body: &Value) -> Value {
    let mut body = body.clone();
    body["drafts"] = Value::Null;
    body
}

/// What befell it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub done: Done,
    /// The fault.
    pub fault: Fault,
    /// The call that it hit, as `strace` writes it.
    pub hit: String,
}

impl Outcome {
    /// Tells whether it said that it was done.
    pub fn is_acknowledged(&self) -> bool {
        self.done.code == 0 || self.said().is_some()
    }

    /// Tells whether its words failed too, as those of another thread do: each counts its own calls. Nobody heard whether
    /// it was done, as after a kill.
    fn is_mute(&self) -> bool {
        self.done.stderr.is_empty() && self.hit.contains(" write(")
    }

    /// The result on standard output, which on a terminal has errors and hints beside it.
    fn said(&self) -> Option<&str> {
        let result = |line: &&str| line.contains("\"schema\":\"casevault.") && !line.contains("casevault.error/");
        self.done.stdout.lines().find(result)
    }

    fn error(&self) -> Option<Value> {
        let both = self.done.stderr.lines().chain(self.done.stdout.lines());
        let lines = both.filter(|line| line.contains("casevault.error/1"));
        lines
            .filter_map(|line| serde_json::from_str(line.trim()).ok())
            .next_back()
    }
}

/// Where the vault is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// As it was.
    Before,
    /// As the command leaves it.
    After,
}

/// Judges what was found after a fault.
///
/// # Errors
/// The rule that was broken, and how.
pub fn judge(reference: &Reference, found: Result<&State, &String>, outcome: &Outcome) -> Result<Left, String> {
    let found = found.map_err(|why| format!("opens: {why}"))?;
    let left = whole(reference, found)?;
    let changes = reference.changes();
    if changes && outcome.is_acknowledged() && left == Left::Before {
        return Err("kept: acknowledged, and lost".to_owned());
    }
    let refused = outcome.fault != Fault::Kill && outcome.done.code != 0 && !outcome.is_mute();
    if changes && refused && left == Left::After {
        let Done { stdout, stderr, .. } = &outcome.done;
        return Err(format!("refused: refused, and done all the same: {stdout}{stderr}"));
    }
    logged(reference, found, outcome, left)?;
    typed(outcome)?;
    Ok(left)
}

fn whole(reference: &Reference, found: &State) -> Result<Left, String> {
    let Reference { before, after, .. } = reference;
    let drafts = |state: &State| state.body["drafts"].as_array().map_or(0, Vec::len);
    if drafts(found) > drafts(before) + 1 {
        return Err(format!("whole: {} drafts of one writing", drafts(found)));
    }
    if reference.changes() && reference.same(found, after) {
        return Ok(Left::After);
    }
    if reference.same(found, before) {
        return Ok(Left::Before);
    }
    Err(format!(
        "whole: neither as before ({}) nor as after ({})",
        difference(&before.body, &found.body),
        difference(&after.body, &found.body)
    ))
}

fn logged(reference: &Reference, found: &State, outcome: &Outcome, left: Left) -> Result<(), String> {
    let before = &reference.before.entries;
    // A restored vault is another device's, with a log of its own.
    if !found.entries.starts_with(before) {
        return Err("logged: entries of before are lost".to_owned());
    }
    let given_out = |state: &State| state.body["out"] != reference.before.body["out"];
    if outcome.said().is_none() && !given_out(found) && left == Left::Before {
        return Ok(());
    }
    let mut new = found.entries.get(before.len()..).unwrap_or_default().to_vec();
    for owed in reference.after.entries.get(before.len()..).unwrap_or_default() {
        // Drafts are listed to tell of them on a terminal, after the work is done.
        if owed == "overview drafts" && !outcome.done.stderr.contains("there is a draft") {
            continue;
        }
        let Some(at) = new.iter().position(|entry| entry == owed) else {
            return Err(format!("logged: shown without its entry `{owed}`"));
        };
        new.remove(at);
    }
    Ok(())
}

fn typed(outcome: &Outcome) -> Result<(), String> {
    let Some(errno) = outcome.fault.error() else {
        return Ok(());
    };
    let Done { code, stderr, .. } = &outcome.done;
    match code {
        0 => return Ok(()),
        1 => {}
        other => return Err(format!("typed: exit {other}: {stderr}")),
    }
    if outcome.is_mute() {
        return Ok(());
    }
    let error = outcome
        .error()
        .ok_or_else(|| format!("typed: no error as JSON: {stderr}"))?;
    let text = |name: &str| error[name].as_str().unwrap_or_default();
    let named = match (errno, text("error")) {
        (_, "log-failed") | ("ENOSPC", "disk-full") | ("EIO", "io") => true,
        // SQLite tells by one code that its shared memory could not grow, and by another that a file could not be made.
        ("EIO", "disk-full") => outcome.hit.contains("-shm"),
        ("ENOSPC", "io") => ["openat(", "ftruncate(", "fsync("]
            .iter()
            .any(|call| outcome.hit.contains(call)),
        _ => false,
    };
    if !named {
        return Err(format!("typed: {errno} is told as {error}"));
    }
    if text("hint").is_empty() {
        return Err(format!("typed: no hint: {error}"));
    }
    Ok(())
}

/// Judges the same command run once more, after it was not done.
///
/// # Errors
/// The rule that was broken, and how.
pub fn judge_again(reference: &Reference, found: Result<&State, &String>, again: &Done) -> Result<(), String> {
    if again.code != 0 {
        return Err(format!("again: exit {}: {}{}", again.code, again.stdout, again.stderr));
    }
    let found = found.map_err(|why| format!("again: opens: {why}"))?;
    if !reference.same(found, &reference.after) {
        let how = difference(&reference.after.body, &found.body);
        return Err(format!("again: not as after ({how})"));
    }
    if !found.left.is_empty() {
        return Err(format!("again: left behind: {:?}", found.left));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use serde_json::json;

    fn state(notes: &[&str], entries: &[&str]) -> State {
        State {
            body: json!({ "cases": notes, "drafts": [], "out": {} }),
            entries: entries.iter().map(|e| (*e).to_owned()).collect(),
            left: Vec::new(),
        }
    }

    fn reference() -> Reference {
        Reference {
            before: state(&["first"], &["unlock vault"]),
            after: state(&["first", "second"], &["unlock vault", "write -"]),
            keeps_draft: false,
        }
    }

    fn outcome(code: i32, fault: Fault) -> Outcome {
        let said = "{\"schema\":\"casevault.note.add/1\"}\n";
        let error = "{\"schema\":\"casevault.error/1\",\"error\":\"disk-full\",\"hint\":\"free some space\"}\n";
        Outcome {
            done: Done {
                code,
                stdout: if code == 0 { said } else { "" }.to_owned(),
                stderr: if code == 0 { "" } else { error }.to_owned(),
            },
            fault,
            hit: "7 pwrite64(4</v/home/vault.db-wal>".to_owned(),
        }
    }

    const FULL: Fault = Fault::Once("ENOSPC");

    fn broken(found: &State, outcome: &Outcome) -> String {
        let judged = judge(&reference(), Ok(found), outcome);
        let rule = judged.expect_err("it is broken");
        rule.split(':').next().unwrap().to_owned()
    }

    #[test]
    fn what_holds_is_let_pass() {
        let reference = reference();
        let refused = judge(&reference, Ok(&reference.before), &outcome(1, FULL));
        assert_eq!(refused, Ok(Left::Before));
        assert_eq!(
            judge(&reference, Ok(&reference.after), &outcome(0, FULL)),
            Ok(Left::After)
        );
        for found in [&reference.before, &reference.after] {
            assert!(judge(&reference, Ok(found), &outcome(-1, Fault::Kill)).is_ok());
        }
        let again = outcome(0, FULL).done;
        assert_eq!(judge_again(&reference, Ok(&reference.after), &again), Ok(()));
    }

    #[test]
    fn each_rule_is_seen_to_break() {
        let Reference { before, after, .. } = reference();
        let closed = "verify fails".to_owned();
        let judged = judge(&reference(), Err(&closed), &outcome(-1, Fault::Kill));
        assert!(judged.unwrap_err().starts_with("opens"));
        let half = state(&["first", "sec"], &["unlock vault", "write -"]);
        let twice = state(&["first", "second", "second"], &["unlock vault", "write -"]);
        let lost = state(&["second"], &["unlock vault", "write -"]);
        for found in [&half, &twice, &lost] {
            assert_eq!(broken(found, &outcome(-1, Fault::Kill)), "whole");
            assert_eq!(broken(found, &outcome(0, FULL)), "whole");
        }
        assert_eq!(broken(&before, &outcome(0, FULL)), "kept");
        let mut said = outcome(-1, Fault::Kill);
        said.done.stdout = "{\"schema\":\"casevault.note.add/1\"}\n".to_owned();
        assert_eq!(broken(&before, &said), "kept");
        assert_eq!(broken(&after, &outcome(1, FULL)), "refused");
        let silent = State {
            entries: before.entries.clone(),
            ..after.clone()
        };
        assert_eq!(broken(&silent, &outcome(0, FULL)), "logged");
        let forgotten = State {
            entries: Vec::new(),
            ..after
        };
        assert_eq!(broken(&forgotten, &outcome(0, FULL)), "logged");
    }

    #[test]
    fn each_refusal_that_is_not_typed_is_seen() {
        let Reference { before, .. } = reference();
        let with = |code: i32, error: &str| {
            let mut refused = outcome(1, FULL);
            refused.done.code = code;
            refused.done.stderr = error.to_owned();
            refused
        };
        let bug = "{\"schema\":\"casevault.error/1\",\"error\":\"bug\",\"hint\":\"report\"}";
        let silent = "{\"schema\":\"casevault.error/1\",\"error\":\"disk-full\",\"hint\":\"\"}";
        for refused in [with(1, ""), with(1, bug), with(1, silent), with(4, bug), with(101, "")] {
            assert_eq!(broken(&before, &refused), "typed");
        }
    }

    #[test]
    fn a_second_run_that_is_not_done_is_seen() {
        let reference = reference();
        let done = outcome(0, FULL).done;
        let stray = State {
            left: vec!["keystore.new".to_owned()],
            ..reference.after.clone()
        };
        for (found, again) in [
            (&reference.before, &done),
            (&stray, &done),
            (&reference.after, &outcome(1, FULL).done),
        ] {
            assert!(judge_again(&reference, Ok(found), again).is_err());
        }
    }
}
