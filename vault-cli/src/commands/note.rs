//! `casevault note`.

use clap::{Args, Subcommand};
use vault_core::note::display::escape_line;
use vault_core::note::{NoteKind, SegmentKind};

use crate::agent::Vault;
use crate::cli::later::Later;
use crate::cli::value;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::mail;
use crate::mail::MailFile;
use crate::marks::{self, Meant};
use crate::session::reply::{NoteSavedReply, NoteTextReply};
use crate::session::request::{
    CaseBriefRequest, DraftDiscardRequest, DraftShowRequest, MailMark, NoteInput, ReadPurpose,
};
use crate::session::{SessionError, Undoes};
use crate::unlock_prompt;
use crate::writing::{self, Writing};

pub mod add;
pub mod amend;
pub mod aside;
pub mod attach;
pub mod draft;
pub mod expand;
pub mod find;
pub mod history;
pub mod jot;
pub mod list;
pub mod misfiled;
pub mod show;
pub mod withdraw;

/// The longest note, in bytes of text or JSON.
const LONGEST_NOTE: u64 = 4 << 20;

/// What to do with notes.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum NoteCommand {
    Add(Later<add::AddArgs>),
    Jot(Later<jot::JotArgs>),
    Expand(Later<expand::ExpandArgs>),
    Draft(Later<draft::DraftArgs>),
    List(Later<list::ListArgs>),
    Show(Later<show::ShowArgs>),
    Amend(Later<amend::AmendArgs>),
    History(Later<history::HistoryArgs>),
    Find(Later<find::FindArgs>),
    Aside(Later<aside::AsideArgs>),
    Attach(Later<attach::AttachArgs>),
    Misfiled(Later<misfiled::MisfiledArgs>),
    Withdraw(Later<withdraw::WithdrawArgs>),
}

pub(super) fn run(command: NoteCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        NoteCommand::Add(Later(args)) => add::run(args, run),
        NoteCommand::Amend(Later(args)) => amend::run(args, run),
        NoteCommand::Aside(Later(args)) => aside::run(args, run),
        NoteCommand::Attach(Later(args)) => attach::run(args, run),
        NoteCommand::Draft(Later(args)) => draft::run(args, run),
        NoteCommand::Expand(Later(args)) => expand::run(args, run),
        NoteCommand::Find(Later(args)) => find::run(args, run),
        NoteCommand::History(Later(args)) => history::run(args, run),
        NoteCommand::Jot(Later(args)) => jot::run(args, run),
        NoteCommand::List(Later(args)) => list::run(args, run),
        NoteCommand::Misfiled(Later(args)) => misfiled::run(args, run),
        NoteCommand::Show(Later(args)) => show::run(args, run),
        NoteCommand::Withdraw(Later(args)) => withdraw::run(args, run),
    }
}

/// What is said about a note beside its text.
#[derive(Args, Debug, Default)]
pub struct InputArgs {
    /// When it happened: `2026-03-12 14:00`, `today 14:00`, `yesterday`, `-2h` [default: now, or what the text says]
    #[arg(long, value_name = "TIME", value_parser = value::time, allow_hyphen_values = true)]
    pub at: Option<String>,

    /// How long it lasted: `50m`, `1h30m`
    #[arg(long = "for", value_name = "TIME", value_parser = value::minutes)]
    pub lasting: Option<u32>,

    /// The section of what names none: `core`, `health`, `safeguarding`, `housing`, `finance`, `education` [default: core]
    #[arg(long, value_name = "SECTION", value_parser = value::code)]
    pub section: Option<String>,

    /// The template whose headings the text uses [default: the kind's, else the case's]
    #[arg(long, value_name = "TEMPLATE", value_parser = value::template)]
    pub template: Option<String>,

    /// Why it is recorded late, in words, from a file
    #[arg(long, value_name = "FILE|-")]
    pub lag_file: Option<Source>,

    /// The note, as text, as one JSON object or as an e-mail (told apart by content), from a file or from standard input;
    /// at most 4 MiB of text. Without it, on a terminal, in the editor that VISUAL or EDITOR names, else typed
    #[arg(long, value_name = "FILE|-")]
    pub file: Option<Source>,

    /// Takes the file for an e-mail, whatever it looks like
    #[arg(long, requires = "file")]
    pub eml: bool,

    /// Leaves out the earlier mails that an e-mail quotes below its own text
    #[arg(long, requires = "file")]
    pub trim_quoted: bool,
}

impl InputArgs {
    /// Reads the file that is named, and puts together what the session is given; without one, what it would be given
    /// with an empty text.
    pub(in crate::commands) fn read(self, kind: Option<NoteKind>, run: &Invocation) -> Result<NoteInput, CliError> {
        let (input, _, unfiled) = self.read_with_files(kind, false, run)?;
        tell_of_unfiled(&unfiled, run);
        Ok(input)
    }

    /// As [`Self::read`], with what is attached to an e-mail where that is wanted; else with its names, to be told of once the
    /// mail is filed: one that is on file already may be filed with them.
    pub(in crate::commands) fn read_with_files(
        self,
        kind: Option<NoteKind>,
        wants_files: bool,
        run: &Invocation,
    ) -> Result<(NoteInput, Vec<MailFile>, Vec<String>), CliError> {
        let (text, files, mail, unfiled) = match &self.file {
            Some(source) => self.text(source, wants_files, run)?,
            None => (String::new(), Vec::new(), None, Vec::new()),
        };
        let lag_reason = match &self.lag_file {
            Some(source) => Some(
                run.text(Some(source), "the reason for the lag", 4096)?
                    .trim_end()
                    .to_owned(),
            ),
            None => None,
        };
        let input = NoteInput {
            text,
            kind,
            section: self.section,
            at: self.at,
            duration_minutes: self.lasting,
            template: self.template,
            lag_reason,
            from_version: None,
            begun: false,
            mail,
            pause: false,
            pause_at_plans: false,
        };
        Ok((input, files, unfiled))
    }

    fn text(&self, source: &Source, wants_files: bool, run: &Invocation) -> Result<Read, CliError> {
        let bytes = run.bytes(source, "the note", mail::LONGEST)?;
        if self.eml || mail::is_mail(&bytes) {
            let note = mail::to_note(&bytes, self.trim_quoted)?;
            if note.trimmed > 0 {
                run.ui.note(&format!(
                    "left out {} of quoted mails",
                    crate::render::count(note.trimmed as u64, "line", "lines")
                ));
            }
            let files = if wants_files { mail::files(&bytes)? } else { Vec::new() };
            let unfiled = if wants_files { Vec::new() } else { note.attachments };
            return Ok((note.json, files, Some(mail::mark(&bytes)), unfiled));
        }
        if bytes.len() as u64 > LONGEST_NOTE {
            let (what, limit) = (source.named(), LONGEST_NOTE);
            return Err(SessionError::TooLong { what, limit }.into());
        }
        Ok((source.text_of(bytes)?, Vec::new(), None, Vec::new()))
    }
}

/// A note's text, what is attached to the mail that it was, which mail that was, and the names of what of it is not filed.
type Read = (String, Vec<MailFile>, Option<MailMark>, Vec<String>);

/// Says what of a mail is not filed with the note.
fn tell_of_unfiled(names: &[String], run: &Invocation) {
    if names.is_empty() {
        return;
    }
    let (was, them) = if names.len() == 1 {
        ("was", "it")
    } else {
        ("were", "each")
    };
    let count = crate::render::count(names.len() as u64, "attachment", "attachments");
    let names: Vec<_> = names.iter().map(|name| escape_line(name)).collect();
    run.ui.note(&format!(
        "the mail has {count}, which {was} not filed: {}",
        names.join(", ")
    ));
    run.ui.hint(&format!(
        "`note add … --attachments` files {them} with the note; of a note that is there, save {them} from the mail program, and \
         file {them} with `casevault note attach NOTE FILE`"
    ));
}

/// Which draft to go on from, or to drop.
#[derive(Args, Clone, Debug, Default)]
pub struct DraftFlags {
    /// Goes on from a draft: the newest of this one, or the one named
    #[arg(long, value_name = "DRAFT", num_args = 0..=1, default_missing_value = "", value_parser = value::draft_or_none, conflicts_with = "file")]
    pub draft: Option<String>,

    /// Drops the newest draft of this one, or the one named, and does nothing else
    #[arg(long, value_name = "DRAFT", num_args = 0..=1, default_missing_value = "", value_parser = value::draft_or_none, conflicts_with_all = ["draft", "file"])]
    pub discard_draft: Option<String>,

    /// Drops it without asking
    #[arg(long, requires = "discard_draft")]
    pub yes: bool,
}

/// Drops a draft for good: asks on a terminal, and wants `--yes` elsewhere.
fn discard(run: &Invocation, session: &mut Vault, draft: String, yes: bool) -> Result<(), CliError> {
    if !yes {
        let words = session
            .draft_show(DraftShowRequest { draft: draft.clone() })?
            .draft
            .words;
        if unlock_prompt::can_ask() {
            run.ui.prompt(&format!("{draft}: {}", escape_line(&words)));
        }
        let question = "Drop it? It cannot be brought back. [y/N] ";
        if !run.confirm(question, "whether to drop the draft", "`--yes`")? {
            return Err(CliError::Nothing {
                what: "the draft stays",
            });
        }
    }
    let reply = session.draft_discard(DraftDiscardRequest { draft })?;
    run.ui.reply(&reply, |reply| format!("dropped draft {}", reply.draft))
}

/// What is written on the terminal, when no file is named.
struct OnTerminal {
    writing: Writing,
    drafts: DraftFlags,
    /// The case, note or jot whose drafts they are.
    of: String,
    /// The case whose dangers are told before.
    case: Option<String>,
}

/// Shows what is dangerous in the case and in its household, before anybody writes of it or says when they will come; returns
/// what it showed.
pub(in crate::commands) fn warn(run: &Invocation, session: &mut Vault, case: &str) -> Result<Vec<String>, CliError> {
    let (case, purpose) = (case.to_owned(), ReadPurpose::default());
    let brief = session.case_brief(CaseBriefRequest { case, purpose })?;
    run.ui.unopened(&brief.unopened);
    let dangers = crate::render::overview::dangers(&brief);
    if dangers.is_empty() {
        return Ok(Vec::new());
    }
    run.ui.note(&format!("Dangers\n{dangers}"));
    let lines = ["Dangers"].into_iter().chain(dangers.lines()).map(str::to_owned);
    Ok(lines.collect())
}

/// Saves what was written: text with flags, the other cases, and the draft that it was.
type Saving<'s, T> = &'s mut dyn FnMut(&mut Vault, NoteInput, Vec<String>, Option<String>) -> Result<T, SessionError>;

impl OnTerminal {
    /// Writes it, `start` giving what an editor opens with; `None` where a draft was to be dropped instead.
    fn write<T>(
        self,
        run: &Invocation,
        session: &mut Vault,
        start: impl FnOnce(&mut Vault, &NoteInput) -> Result<NoteTextReply, CliError>,
        save: Saving<'_, T>,
    ) -> Result<Option<T>, CliError> {
        let Self {
            mut writing,
            drafts,
            of,
            case,
        } = self;
        if let Some(named) = &drafts.discard_draft {
            let (draft, _, _) = writing::draft_of(session, &of, named)?;
            discard(run, session, draft, drafts.yes)?;
            return Ok(None);
        }
        if !Invocation::can_type() {
            let (what, flag) = ("the note", "`--file FILE`, or `--file -` for standard input");
            return Err(CliError::NeedsFlag { what, flag });
        }
        // Also where a draft is taken up: what cannot be saved is refused before anybody types.
        let NoteTextReply {
            text: blank,
            version: newest,
            ..
        } = start(session, &writing.input)?;
        writing.blank.clone_from(&blank);
        writing.input.begun = true;
        if let Some(case) = &case {
            writing.notices = warn(run, session, case)?;
        }
        match &drafts.draft {
            Some(named) => {
                let (draft, input, also) = writing::draft_of(session, &of, named)?;
                writing.draft = Some(draft);
                writing.also = also;
                writing.input = input;
                let is_behind = |newest: u32| match writing.input.from_version {
                    Some(from) => from != newest,
                    // Of a program that did not keep it yet.
                    None => newest > 1,
                };
                if let Some(newest) = newest.filter(|newest| is_behind(*newest)) {
                    let from = match writing.input.from_version {
                        Some(from) => format!("was begun from version {from}"),
                        None => "does not say from which version it was begun".to_owned(),
                    };
                    let notice = format!(
                        "this draft {from}, and the note has version {newest} by now: take into it what came since, `casevault \
                         note show {of}` shows it; saved, it takes that version's place"
                    );
                    run.ui.note(&notice);
                    writing.notices.push(notice);
                    writing.notices.push(format!("version {newest}:"));
                    writing.notices.extend(blank.lines().map(str::to_owned));
                    // Who writes on has it before them from here on.
                    writing.input.from_version = Some(newest);
                }
            }
            None => {
                let told = writing::tell_of_drafts(run, session, &of, &writing.resume)?;
                writing.notices.extend(told);
                writing.input.text = blank;
                writing.input.from_version = newest;
            }
        }
        let also = writing.also.clone();
        writing
            .write(run, session, &mut |session, input, draft| {
                save(session, input, also.clone(), draft)
            })
            .map(Some)
    }
}

/// Asks of a note that came by a file what in it looks like a mark; returns it as it is to be taken. `save` would save it, and
/// says before what cannot be read.
///
/// # Errors
/// [`CliError::Nothing`] where it is to be mended first.
pub(in crate::commands) fn with_marks<T>(
    run: &Invocation,
    mut note: NoteInput,
    save: impl FnOnce(NoteInput) -> Result<T, SessionError>,
) -> Result<NoteInput, CliError> {
    let doubts = marks::doubts(&note.text, "");
    if doubts.is_empty() {
        return Ok(note);
    }
    // What cannot be read is told before anything is asked of it.
    let paused = NoteInput {
        pause: true,
        ..note.clone()
    };
    match save(paused) {
        Err(SessionError::Paused { .. }) => {}
        Err(error) => return Err(error.into()),
        // It says what is said already: there is nothing to be asked, and nothing to be saved.
        Ok(_) => return Ok(note),
    }
    match marks::ask(run, &note.text, &doubts)? {
        Meant::AsWritten => {}
        Meant::Marks(text) => note.text = text,
        Meant::Mended => {
            let what = "what is doubtful is to be mended first, and nothing was filed";
            return Err(CliError::Nothing { what });
        }
    }
    Ok(note)
}

/// Prints that a note was saved, and says on standard error what is missing.
pub(super) fn saved(reply: &NoteSavedReply, run: &Invocation) -> Result<(), CliError> {
    let mut rest = Vec::new();
    // Whoever wrote into the wrong file sees it here; a script has the handle.
    if run.ui.is_terminal() {
        let whose = reply.label.as_ref().map(|label| escape_line(label).into_owned());
        rest.push(format!(
            "for {} ({})",
            whose.unwrap_or_else(|| "no name".to_owned()),
            reply.case
        ));
    }
    let elsewhere = reply.others.iter().any(|other| other.saved);
    let word = match (reply.changed, elsewhere) {
        (true, _) => "saved",
        (false, true) => "saved in other cases, nothing to change in",
        (false, false) => "nothing changed in",
    };
    if reply.version > 1 {
        rest.push(format!("version {}", reply.version));
    }
    if let Some(occurred) = &reply.occurred_at {
        rest.push(format!("occurred {}", crate::render::time(occurred)));
    }
    let lag = match &reply.lag {
        // What is still to come has none, and what was recorded before it happened is said in words.
        Some(_) if reply.is_ahead => String::new(),
        Some(lag) if reply.lag_minutes.is_some_and(|minutes| minutes < 0) => format!(" ({lag})"),
        Some(lag) => format!(" (lag {lag})"),
        None => String::new(),
    };
    rest.push(format!("recorded {}{lag}", crate::render::time(&reply.recorded_at)));
    let saved_too = reply.others.iter().filter(|other| other.saved);
    for other in saved_too {
        rest.push(format!("and {} in case {}", other.note, other.case));
    }
    run.ui.made(reply, word, &reply.note, &rest.join(", "))?;
    if run.ui.is_json() {
        return Ok(());
    }
    if reply.is_ahead {
        run.ui.note(
            "the time of the contact is in the future: until then it stands among the visits ahead in `casevault today`",
        );
        run.ui.hint(&format!(
            "`casevault note amend {}` corrects a time that was meant otherwise (`at:`), and says afterwards what happened",
            reply.note
        ));
    }
    let left: Vec<String> = reply
        .others
        .iter()
        .filter(|other| !other.saved && !other.same && !other.differs)
        .map(|o| o.note.clone())
        .collect();
    if !left.is_empty() {
        run.ui.hint(&format!(
            "this note is also in other cases of yours, where it stays as it was: {}; the same text goes to them all with \
             `casevault note amend {} --others`",
            left.join(", "),
            reply.note
        ));
    }
    for other in reply.others.iter().filter(|other| other.differs) {
        run.ui.note(&format!(
            "{} in case {} stays as it was, because it said something else than this note did",
            other.note, other.case
        ));
        run.ui.hint(&format!(
            "look at it with `casevault note show {0}`, and amend it by itself with `casevault note amend {0}`",
            other.note
        ));
    }
    for step in &reply.undone {
        let step = crate::render::overview::cut(step);
        run.ui
            .note(&format!("the step `{}` is not done any more", escape_line(&step)));
    }
    for step in &reply.struck_done {
        let step = crate::render::overview::cut(step);
        run.ui.note(&format!(
            "the step `{}`, which was done, is not in the note any more",
            escape_line(&step)
        ));
    }
    for gone in &reply.struck {
        let what = match gone.kind {
            _ if gone.danger => "danger",
            SegmentKind::Plan => "step",
            SegmentKind::Decision => "decision",
            _ => "quote",
        };
        let now = match gone.unmarked {
            true => "is in the note still, but not as a danger, and is not told before a visit any more",
            false => "is not in the note any more",
        };
        let words = crate::render::overview::cut(&gone.text);
        run.ui.note(&format!(
            "the {what} `{}{}` {now}",
            escape_line(&gone.marks.to_string()),
            escape_line(&words)
        ));
    }
    if !reply.struck.is_empty() && reply.undoes.is_none() {
        run.ui.hint(&format!(
            "an amendment takes the place of the whole note: if that was not meant, `casevault note history {0}` shows what was \
             there, and `casevault note amend {0}` puts it back",
            reply.note
        ));
    }
    if let Some(undoes) = &reply.undoes {
        run.ui.note(&taken_back(undoes));
        run.ui.hint(&format!(
            "if the text was made from an older version, `casevault note history {0}` shows what came since: amend it once \
             more with both; `--of VERSION` refuses such a text",
            reply.note
        ));
    }
    if !reply.unknown_fields.is_empty() {
        let fields: Vec<_> = reply.unknown_fields.iter().map(|field| escape_line(field)).collect();
        run.ui
            .note(&format!("not known here, kept for export alone: {}", fields.join(", ")));
    }
    if let Some(same) = &reply.same_mail {
        run.ui
            .note(&format!("the same mail is on this file already, as {same}"));
        run.ui.hint(&format!(
            "if it was not to be filed twice, `casevault note withdraw {}` takes this one back",
            reply.note
        ));
    } else if let Some(same) = &reply.same_as {
        run.ui
            .note(&format!("{same} is of the same time and kind, in the same words"));
        run.ui.hint(&format!(
            "if it was saved twice, `casevault note withdraw {}` takes this one back",
            reply.note
        ));
    }
    for doubt in &reply.doubts {
        run.ui.note(&format!("look again: {doubt}"));
    }
    for gap in &reply.incomplete {
        run.ui.note(&format!("incomplete: {gap}"));
    }
    if reply.lag_reason_asked {
        run.ui.hint(&format!(
            "it is recorded late: say why with `late: REASON` at the top of the text and `casevault note amend {} --file NOTE`",
            reply.note
        ));
    }
    Ok(())
}

/// Says what an amendment takes back of those before it: `this takes back what version 2 did: 1 segment of it is gone`.
fn taken_back(undoes: &Undoes) -> String {
    let count = |n: usize, one, several| crate::render::count(u64::try_from(n).unwrap_or(u64::MAX), one, several);
    let versions: Vec<String> = undoes.versions.iter().map(u32::to_string).collect();
    let word = if versions.len() == 1 { "version" } else { "versions" };
    let mut what = Vec::new();
    if undoes.gone > 0 {
        what.push(format!(
            "{} gone",
            count(
                undoes.gone,
                "segment that came with it is",
                "segments that came with it are"
            )
        ));
    }
    if undoes.back > 0 {
        what.push(format!(
            "{} back",
            count(
                undoes.back,
                "segment that was struck is",
                "segments that were struck are"
            )
        ));
    }
    if !undoes.fields.is_empty() {
        what.push(format!("`{}` is what it was before", undoes.fields.join("`, `")));
    }
    format!(
        "this takes back what {word} {} did: {}",
        versions.join(", "),
        what.join("; ")
    )
}
