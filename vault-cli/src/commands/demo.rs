//! `casevault demo`: the main job from end to end on the shipped sample caseload, in a throw-away home.
//!
//! ```text
//! sample ─> import ─> show, add, amend, find ─> log, verify, export ─> the folder is stolen, and one bit flipped
//! ```
//! Or, with `--agency`, two members and a server that lies (`agency`).
//!
//! Every step runs the session that the command of the same name runs, and ends the demo if what it says of itself does
//! not hold.

mod agency;
mod sample;
mod serving;
mod stage;
mod thief;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::places::Places;
use crate::render;
use crate::session::reply::{CaseRow, NoteSavedReply};
use crate::session::request::{
    CaseListRequest, CaseShowRequest, ChronologyRequest, DecisionListRequest, ExportFormat, ExportRequest,
    ImportRequest, InitRequest, LogListRequest, NoteAddRequest, NoteAmendRequest, NoteFindRequest, NoteInput,
    NoteShowRequest, ReadPurpose,
};
use crate::session::{Kind, Passphrase, Session, SessionError, Silent, Task};
use stage::{Stage, claim};
use vault_core::crypto::passphrase::Cost;
use vault_core::note::NoteKind;

/// Shows the main job from end to end on a sample caseload, in a throw-away folder
///
/// Says what it does and what each step proves, the last of them against a thief. Nothing of yours is touched, and the
/// people are invented. With `--agency` two members share a server, on this machine, that in the end lies to them.
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Shows an agency instead: two members, a server, and a lie that is caught; needs `casevault-server` beside this program
    #[arg(long)]
    pub agency: bool,

    /// Keeps the folder at the end, to look around in it
    #[arg(long)]
    pub keep: bool,
}

pub(super) fn run(args: &DemoArgs, run: &Invocation) -> Result<(), CliError> {
    let folder = tempfile::Builder::new()
        .prefix("casevault-demo-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .map_err(|e| CliError::io("could not make a folder for the demo", e))?;
    let watch = run.watch()?;
    // Its steps take too little time for bars.
    let task = Task {
        progress: &Silent,
        cancel: watch.task().cancel,
    };
    if args.agency {
        let stage = agency::Agency::new(Stage::new(&run.ui), folder.path().to_owned(), task).run()?;
        return leave(stage, folder, args, "robin");
    }
    let mut demo = Demo {
        stage: Stage::new(&run.ui),
        places: find(&folder.path().join("vault"))?,
        stolen: find(&folder.path().join("stolen"))?,
        passphrase: Passphrase::new(sample::PASSPHRASE.to_owned()),
        task,
    };
    demo.stage.say(
        "This is the main job of casevault, step by step, with invented people and in a folder of its own.\n\
         After each number: the command that does the same, what it prints, and what that proves.",
    )?;
    let mut session = demo.make()?;
    let case = demo.take_in(&mut session)?;
    let note = demo.record(&mut session, &case)?;
    demo.read(&mut session, &case)?;
    let exported = demo.account(&mut session)?;
    drop(session);
    demo.steal(&exported)?;
    demo.flip(&note)?;
    leave(demo.stage, folder, args, "vault")
}

/// Removes the folder, or keeps it and says how to look around in its vault `name`.
fn leave(stage: Stage<'_>, folder: tempfile::TempDir, args: &DemoArgs, name: &str) -> Result<(), CliError> {
    if args.keep {
        let home = folder.keep().join(name).display().to_string();
        let last = format!(
            "Look around with `casevault --home {home} case list`; the passphrase is `{}`.",
            sample::PASSPHRASE
        );
        return stage.end(Some(home), &last);
    }
    let path = folder.path().display().to_string();
    folder
        .close()
        .map_err(|e| CliError::io(format!("could not remove `{path}`"), e))?;
    let which = if args.agency { " --agency" } else { "" };
    let last = format!("The folder is gone; `casevault demo{which} --keep` leaves it to look around in.");
    stage.end(None, &last)
}

/// What a try of the demo's passphrase costs: the least that is allowed.
const COST: Cost = Cost {
    memory_kib: 64 * 1024,
    passes: 3,
    lanes: 4,
};

/// One run of the demo.
struct Demo<'a> {
    stage: Stage<'a>,
    places: Places,
    stolen: Places,
    passphrase: Passphrase,
    task: Task<'a>,
}

impl Demo<'_> {
    fn make(&mut self) -> Result<Session, CliError> {
        let request = InitRequest {
            agency: sample::AGENCY.to_owned(),
            name: sample::PERSON.to_owned(),
            cost: COST,
        };
        let reply = Session::init(&self.places, request, &self.passphrase)?;
        self.stage.step(
            "A vault of one's own",
            format!(
                "$ casevault init --agency \"{}\" --name \"{}\" --kdf-memory 64MiB",
                sample::AGENCY,
                sample::PERSON
            ),
            &format!(
                "made vault {}  you are {} on device {}",
                reply.agency, reply.member, reply.device
            ),
            "There is no account and no server: the keys are made here and sealed under a passphrase, each try\n\
             of which costs a thief 64 MiB of memory (256 MiB unless asked otherwise).",
        )?;
        Ok(Session::unlock(&self.places, &self.passphrase)?)
    }

    fn take_in(&mut self, session: &mut Session) -> Result<CaseRow, CliError> {
        let mut import = || session.import(&mut sample::CASELOAD.as_bytes(), ImportRequest::default(), self.task);
        let (first, again) = (import()?, import()?);
        claim(first.malformed.is_empty() && first.imported > 0, "every line is taken")?;
        claim(
            again.imported == 0 && again.skipped == first.imported,
            "nothing is taken twice",
        )?;
        let printed = [&first, &again].map(render::import::import).concat();
        self.stage.step(
            "Three cases from another system, twice",
            "$ casevault import caseload.jsonl\n$ casevault import caseload.jsonl",
            &printed,
            "An import that is run again changes nothing. Each line is signed by whoever took it in; the\n\
             worker whom the other system names stays an attribution, and is shown as one.",
        )?;
        let list = session.case_list(CaseListRequest::default())?;
        let case = list
            .cases
            .iter()
            .find(|case| case.external_id.as_deref() == Some(sample::CASE))
            .cloned();
        let case = case.ok_or_else(|| SessionError::Bug("the sample's case is missing".to_owned()))?;
        let show = session.case_show(CaseShowRequest {
            case: case.case.clone(),
            ..CaseShowRequest::default()
        })?;
        let printed = format!("{}\n{}", render::case::list(&list), render::case::show(&show));
        self.stage.step(
            "One case at a glance",
            format!("$ casevault case list\n$ casevault case show {}", case.case),
            &printed,
            "What is known falls out of the notes, each line with its note; what nobody wrote down says so.",
        )?;
        Ok(case)
    }

    fn record(&mut self, session: &mut Session, case: &CaseRow) -> Result<NoteSavedReply, CliError> {
        let input = |text: String| NoteInput {
            text,
            kind: NoteKind::new("home-visit"),
            ..NoteInput::default()
        };
        let saved = session.note_add(NoteAddRequest {
            case: case.case.clone(),
            note: input(sample::NOTE.to_owned()),
            ..NoteAddRequest::default()
        })?;
        claim(saved.incomplete.len() == 1, "the decision without its reason is named")?;
        self.stage.step(
            "A note as one types it",
            format!(
                "$ cat visit.txt\n$ casevault note add {} --kind home-visit --file visit.txt",
                case.case
            ),
            &format!(
                "{}\nsaved {}\nincomplete: {}",
                sample::NOTE,
                saved.note,
                saved.incomplete.join(", ")
            ),
            "A paragraph under a heading is typed and filed by the template; a word before a colon says\n\
             otherwise. Saving always works, and what is missing is named.",
        )?;
        let amended = session.note_amend(NoteAmendRequest {
            note: saved.note.clone(),
            input: input(format!("{}{}", sample::NOTE, sample::REASON)),
            ..NoteAmendRequest::default()
        })?;
        claim(
            amended.version == 2 && amended.incomplete.is_empty(),
            "the new version is complete",
        )?;
        let show = session.note_show(NoteShowRequest {
            note: saved.note.clone(),
            ..NoteShowRequest::default()
        })?;
        self.stage.step(
            "Amended, never overwritten",
            format!(
                "$ casevault note amend {0} --file visit.txt\n$ casevault note show {0}",
                saved.note
            ),
            &render::note::show(&show),
            "Fact, words and opinion stay apart. The old version stays, and is shown struck beside the new.",
        )?;
        Ok(amended)
    }

    fn read(&mut self, session: &mut Session, case: &CaseRow) -> Result<(), CliError> {
        let find = session.note_find(
            NoteFindRequest {
                term: sample::TERM.to_owned(),
                ..NoteFindRequest::default()
            },
            self.task,
        )?;
        claim(
            find.notes > 1,
            "the word is found in an imported note and in the new one",
        )?;
        self.stage.step(
            "Finding a word",
            format!("$ echo {} | casevault note find --file -", sample::TERM),
            &render::note::find(&find),
            "Searched on this machine, in memory: no index of words is ever written, and no search term stands\n\
             in a command line where other programs could read it.",
        )?;
        let chronology = session.chronology_show(ChronologyRequest {
            case: case.case.clone(),
            ..ChronologyRequest::default()
        })?;
        self.stage.step(
            "What was significant, in order",
            format!("$ casevault chronology show {}", case.case),
            &render::case::chronology(&chronology),
            "By when it happened, with its note, its author, and whether it was fact or opinion.",
        )?;
        let decisions = session.decision_list(DecisionListRequest {
            case: case.case.clone(),
            ..DecisionListRequest::default()
        })?;
        let first = decisions.decisions.first();
        claim(
            first.is_some_and(|row| !row.decision.incomplete.is_empty()),
            "the incomplete decision comes first",
        )?;
        self.stage.step(
            "Decisions, and the one without a reason first",
            format!("$ casevault decision list {}", case.case),
            &render::case::decisions(&decisions),
            "Why, what else was considered, who decided with what authority, or that nobody said.",
        )
    }

    /// Who looked, whether all is whole, and a copy to leave with; returns the copy.
    fn account(&mut self, session: &mut Session) -> Result<Vec<u8>, CliError> {
        let log = session.log_list(LogListRequest::default())?;
        claim(
            log.entries.iter().any(|entry| entry.operation == "search"),
            "the search is in the log",
        )?;
        self.stage.step(
            "Who looked",
            "$ casevault log list",
            &render::log::list(&log),
            "Every reading was logged before anything was shown, this one too. The entries are sealed, signed\n\
             and chained: one that is changed, or taken out of the middle, fails `casevault log verify`.",
        )?;
        let verified = session.verify(self.task)?;
        claim(verified.failures.is_empty(), "an untouched vault verifies")?;
        self.stage.step(
            "Is it all there, and as it was written?",
            "$ casevault verify",
            &render::verify::verify(&verified),
            "Every signature, every link of every chain and every seal, checked from the stored bytes up.",
        )?;
        let mut exported = Vec::new();
        let request = ExportRequest {
            case: None,
            format: ExportFormat::Jsonl,
            with_marked: false,
            purpose: ReadPurpose::default(),
        };
        let reply = session.export(request, &mut exported, self.task)?;
        let json = |text: &str| sample::lines(text).map_err(|e| SessionError::Bug(e.to_string()));
        let (sent, back) = (json(sample::CASELOAD)?, json(&String::from_utf8_lossy(&exported))?);
        claim(sent.iter().all(|line| back.contains(line)), "every line comes back")?;
        let written_here = back.len() - sent.len();
        self.stage.step(
            "Leaving is possible",
            "$ casevault export --format jsonl",
            &render::import::export(&reply),
            format!(
                "All {} lines that came in came back, field by field the same, and {written_here} that was written here:\n\
                 nothing is locked in.",
                sent.len()
            ),
        )?;
        Ok(exported)
    }

    fn steal(&mut self, exported: &[u8]) -> Result<(), CliError> {
        let failed = |e| CliError::io("could not copy the vault", e);
        self.stolen.create().map_err(failed)?;
        thief::copy(self.places.home(), self.stolen.home()).map_err(failed)?;
        let bytes = thief::bytes(self.stolen.home()).map_err(failed)?;
        let lines = sample::lines(&String::from_utf8_lossy(exported)).map_err(|e| SessionError::Bug(e.to_string()))?;
        let secrets = sample::secrets(&lines);
        let json = String::from_utf8_lossy(exported).replace("\\\"", "\"");
        let (stolen, control) = (thief::found(&secrets, &bytes), thief::found(&secrets, json.as_bytes()));
        claim(stolen == 0, "no name and no word of a note is in the stolen folder")?;
        claim(control + 2 >= secrets.len(), "the same search finds them in the export")?;
        self.stage.step(
            "The laptop is stolen: the thief reads the disk",
            "$ cp -r vault stolen\n(and looks for every name and text of the export in every byte of it)",
            &format!(
                "{} bytes searched for {} names and texts: {stolen} found\nin the export just made: {control} found",
                render::number(bytes.len() as u64),
                secrets.len()
            ),
            "The folder alone holds no name, no address and no word of any note. What it does show is how\n\
             many records there are, their padded sizes and random ids.",
        )?;
        let refused = Session::unlock(&self.stolen, &Passphrase::new("three invented peoples".to_owned()));
        let refused = match refused {
            Err(error) if error.kind() == Kind::Locked => CliError::from(error),
            Err(error) => return Err(error.into()),
            Ok(_) => return claim(false, "a wrong passphrase is refused"),
        };
        self.stage.step(
            "The thief guesses",
            "$ casevault unlock --home stolen",
            &format!("error: {refused}\nexit code {}", refused.exit().code()),
            "No hint how near it was, and 64 MiB for each try.",
        )
    }

    fn flip(&mut self, note: &NoteSavedReply) -> Result<(), CliError> {
        thief::flip(&self.stolen.store(), &note.note)
            .map_err(|e| CliError::io("could not change the stolen copy", e))?;
        let mut session = Session::unlock(&self.stolen, &self.passphrase)?;
        let reply = session.verify(self.task)?;
        let first = reply.failures.first();
        claim(
            first.is_some_and(|failure| failure.handle == note.note),
            "the changed note is named",
        )?;
        let failures = reply.failures.len();
        let refusal = CliError::VerifyFailed { failures };
        claim(refusal.exit().code() == 4, "a failed verification ends with 4")?;
        self.stage.step(
            "The thief changes one bit, and puts the folder back",
            "(flips one bit of that note's newest version in stolen/vault.db)\n$ casevault verify --home stolen",
            &format!(
                "{}error: {refusal}\nexit code {}",
                render::verify::verify(&reply),
                refusal.exit().code()
            ),
            "The changed entry is named, with the check that failed.",
        )?;
        let shown = session.note_show(NoteShowRequest {
            note: note.note.clone(),
            ..NoteShowRequest::default()
        });
        let refused = match shown {
            Err(error) if error.kind() == Kind::Verification => CliError::from(error),
            Err(error) => return Err(error.into()),
            Ok(_) => return claim(false, "the changed note is not shown"),
        };
        let mut session = Session::unlock(&self.places, &self.passphrase)?;
        let whole = session.verify(self.task)?;
        claim(whole.failures.is_empty(), "the vault itself is whole")?;
        self.stage.step(
            "A changed note is never shown",
            format!("$ casevault note show {} --home stolen\n$ casevault verify", note.note),
            &format!(
                "error: {refused}\nexit code {}\n{}",
                refused.exit().code(),
                render::verify::verify(&whole)
            ),
            "One flipped bit is refused, not guessed at; the vault that nobody touched is whole.",
        )
    }
}

fn find(folder: &std::path::Path) -> Result<Places, CliError> {
    Places::find(Some(folder)).map_err(|e| CliError::io("could not make a folder for the demo", e))
}
