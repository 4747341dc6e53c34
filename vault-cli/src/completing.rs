//! What a shell is offered when its user asks it to complete: commands, flags, files, and live handles.
//!
//! ```text
//! TAB ─ shell, by the script of `casevault completions` ─ CASEVAULT_COMPLETE=bash casevault -- words ─┬─ clap's tree
//!                                                                                                    └─ agent: handles
//! ```
//!
//! Handles come from an agent that runs, and from nowhere else: nobody is asked for a passphrase while typing. Beside a
//! handle nothing is told of what it names, because a shell keeps what it shows: the screen, histories, plug-ins' caches.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;

use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};

use crate::agent::{Connection, Vault};
use crate::cli::Cli;
use crate::exit::Exit;
use crate::places::Places;
use crate::session::PURPOSES;
use crate::session::request::{HandleKind, HandlesRequest};

/// Names the shell that asks.
const VARIABLE: &str = "CASEVAULT_COMPLETE";

/// The folder that the words typed name, if they do.
static HOME: OnceLock<Option<PathBuf>> = OnceLock::new();

/// Writes the script by which a shell asks; `shell` is its name.
///
/// # Errors
/// A shell that is not known, or what `out` refuses.
pub(crate) fn script(shell: &str, out: &mut dyn Write) -> std::io::Result<()> {
    let shells = Shells::builtins();
    let shell = shells
        .completer(shell)
        .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))?;
    shell.write_registration(VARIABLE, "casevault", "casevault", "casevault", out)
}

/// Answers a shell that asks to complete; `None` where this is a command to be run.
pub(crate) fn answer(arguments: &[OsString]) -> Option<Exit> {
    std::env::var_os(VARIABLE)?;
    let _ = HOME.set(home(arguments));
    let here = std::env::current_dir().ok();
    // What goes wrong while somebody types is nothing to be told in the middle of the line.
    let answered = CompleteEnv::with_factory(|| offered(Cli::command()))
        .var(VARIABLE)
        .try_complete(arguments.iter().cloned(), here.as_deref());
    match answered {
        Ok(true) => Some(Exit::Done),
        Ok(false) => None,
        Err(_) => Some(Exit::Failed),
    }
}

/// Finds `--home` among the words.
fn home(arguments: &[OsString]) -> Option<PathBuf> {
    let mut words = arguments.iter().skip_while(|word| *word != "--").skip(1);
    while let Some(word) = words.next() {
        if word == "--home" {
            return words.next().map(PathBuf::from);
        }
        if let Some(home) = word.to_str().and_then(|word| word.strip_prefix("--home=")) {
            return Some(PathBuf::from(home));
        }
    }
    std::env::var_os("CASEVAULT_HOME")
        .filter(|home| !home.is_empty())
        .map(PathBuf::from)
}

/// Says of every value what it can be, by the name under which the manual has it.
fn offered(command: Command) -> Command {
    command.mut_args(value_of).mut_subcommands(offered)
}

fn value_of(arg: Arg) -> Arg {
    let names: Vec<String> = arg
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect();
    let Some(name) = names.first() else { return arg };
    let handles = |kind: HandleKind| ArgValueCompleter::new(move |typed: &OsStr| handles(kind, typed));
    match name.trim_end_matches(",…") {
        "ASIDE" => arg.add(handles(HandleKind::Aside)),
        "CASE" => arg.add(handles(HandleKind::Case)),
        "DEVICE" => arg.add(handles(HandleKind::Device)),
        "DRAFT" => arg.add(handles(HandleKind::Draft)),
        "MEMBER" => arg.add(handles(HandleKind::Member)),
        "ROLE" => arg.add(words(roles)),
        "JOT" => arg.add(handles(HandleKind::Jot)),
        "NOTE" => arg.add(handles(HandleKind::Note)),
        "NOTE[:SEGMENT]" => arg.add(handles(HandleKind::Step)),
        "CODE" if arg.get_id() == "purpose" => arg.add(words(|| PURPOSES.iter().map(ToString::to_string).collect())),
        "KIND" if arg.get_id() == "only" => arg.add(words(segment_kinds)),
        "KIND" => arg.add(words(note_kinds)),
        "SECTION" => arg.add(words(sections)),
        "TEMPLATE" => arg.add(words(templates)),
        "DIR" => arg.value_hint(ValueHint::DirPath),
        "FILE" | "FILE,FILE" | "FILE|-" => arg.value_hint(ValueHint::FilePath),
        _ => arg,
    }
}

fn roles() -> Vec<String> {
    crate::session::ROLES.map(str::to_owned).to_vec()
}

fn words(all: fn() -> Vec<String>) -> ArgValueCandidates {
    ArgValueCandidates::new(move || all().into_iter().map(CompletionCandidate::new).collect::<Vec<_>>())
}

fn segment_kinds() -> Vec<String> {
    vault_core::note::SegmentKind::ALL
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn set() -> Option<casevault_policies::Set> {
    casevault_policies::Set::embedded().ok()
}

fn note_kinds() -> Vec<String> {
    let given = vault_core::note::NoteKind::GIVEN.into_iter().map(str::to_owned);
    let own = set().into_iter().flat_map(|set| {
        let kinds: Vec<String> = set.iter().flat_map(|template| template.kinds.iter().cloned()).collect();
        kinds
    });
    given
        .chain(own)
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect()
}

fn templates() -> Vec<String> {
    let ids = set().into_iter().flat_map(|set| {
        let ids: Vec<String> = set.iter().map(|template| template.id.clone()).collect();
        ids
    });
    ids.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

fn sections() -> Vec<String> {
    vault_core::founding::SECTIONS
        .iter()
        .skip(1)
        .map(ToString::to_string)
        .collect()
}

/// Asks the agent, if one runs that speaks this version.
fn handles(kind: HandleKind, typed: &OsStr) -> Vec<CompletionCandidate> {
    let ask = || -> Option<Vec<String>> {
        let home = HOME.get().cloned().flatten();
        let places = Places::find(home.as_deref()).ok()?;
        let agent = Connection::find(&places).ok()??;
        if !agent.is_same_version() {
            return None;
        }
        // Of `c-1,c-2` the last is being typed.
        let (before, typed) = match typed.to_str()?.rsplit_once(',') {
            Some((before, typed)) => (format!("{before},"), typed),
            None => (String::new(), typed.to_str()?),
        };
        let request = HandlesRequest {
            kind,
            typed: typed.to_owned(),
        };
        let handles = Vault::Agent(agent).handles(request).ok()?.handles;
        Some(handles.into_iter().map(|handle| format!("{before}{handle}")).collect())
    };
    ask()
        .unwrap_or_default()
        .into_iter()
        .map(CompletionCandidate::new)
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_taken_from_the_words() {
        let words = |line: &str| home(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(words("casevault -- casevault --home /a case show"), Some("/a".into()));
        assert_eq!(words("casevault -- casevault case show --home=/b"), Some("/b".into()));
    }

    #[test]
    fn every_value_that_is_a_handle_a_file_or_a_word_of_the_agency_is_completed() {
        fn walk(command: &Command, loose: &mut Vec<String>) {
            for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values()) {
                let completes = arg.get::<ArgValueCompleter>().is_some()
                    || arg.get::<ArgValueCandidates>().is_some()
                    || !arg.get_possible_values().is_empty()
                    || arg.get_value_hint() != ValueHint::Unknown;
                if !completes {
                    loose.extend(
                        arg.get_value_names()
                            .unwrap_or_default()
                            .iter()
                            .map(ToString::to_string),
                    );
                }
            }
            command.get_subcommands().for_each(|command| walk(command, loose));
        }
        let mut loose = Vec::new();
        walk(&offered(Cli::command()), &mut loose);
        loose.retain(|name| {
            !matches!(
                name.as_str(),
                "CODE" | "DAY" | "ENTRY" | "K" | "N" | "NAME" | "SIZE" | "STATUS" | "TIME" | "VERSION" | "COMMAND"
            )
        });
        assert!(loose.is_empty(), "{loose:?}");
    }

    #[test]
    fn each_shell_has_its_script() {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            let mut out = Vec::new();
            script(shell, &mut out).unwrap();
            assert!(String::from_utf8(out).unwrap().contains(VARIABLE), "{shell}");
        }
        assert!(script("tcsh", &mut Vec::new()).is_err());
    }
}
