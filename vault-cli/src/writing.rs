//! Writing a note on a terminal: in an editor, or typed; kept as a sealed draft all the while; asked for again until it
//! can be read, or the worker gives up, who then finds it as a draft.
//!
//! ```text
//! start text ─> editor or prompt ─> save ─> done, draft gone
//!                  ↑      │ draft      │ cannot be read: faults as #! lines
//!                  └──────┴────────────┘ given up: draft kept
//! ```

mod faults;

use crate::agent::Vault;
use crate::editor::{self, Edited, Place, Program};
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::marks::{self, Meant};
use crate::places::Places;
use crate::session::SessionError;
use vault_core::note::text::Doubt;

use crate::session::request::{
    DraftDiscardRequest, DraftKeepRequest, DraftListRequest, DraftOf, DraftShowRequest, NoteInput,
};

/// The longest note that is typed, in bytes.
const LONGEST: u64 = 4 << 20;

fn is_locked(error: &CliError) -> bool {
    let CliError::Session(error) = error else { return false };
    matches!(error, SessionError::LockedMeanwhile | SessionError::AgentLost)
}

/// Saves what was written: text with flags, and the draft that it was.
pub type Saving<'s, T> = &'s mut dyn FnMut(&mut Vault, NoteInput, Option<String>) -> Result<T, SessionError>;

/// What is being written.
#[derive(Clone, Debug)]
pub struct Writing {
    /// What it is to become.
    pub of: DraftOf,
    /// What the command line says of it. Its text is what an editor opens with.
    pub input: NoteInput,
    /// What an editor opens with where there is no draft: as it is, it is no note.
    pub blank: String,
    /// Other cases that it is a note of as well.
    pub also: Vec<String>,
    /// The draft that it goes on from.
    pub draft: Option<String>,
    /// How to go on with a draft of it, as a command.
    pub resume: String,
    /// Whether what the editor gives back is saved although nothing was changed in it: the notes of other cases may differ.
    pub even_unchanged: bool,
    /// Whether to type it on the terminal, whatever editor there is.
    pub typed: bool,
    /// Whether it goes on from a draft that was there before; set when the writing begins.
    pub resumed: bool,
    /// What to know before one writes: on top of the text in an editor, which covers what was printed before it.
    pub notices: Vec<String>,
}

impl Writing {
    /// Writes it, and has `save` save it with what was written and the draft's handle.
    ///
    /// # Errors
    /// [`CliError::EditorUnfit`] before anything is kept; [`CliError::Kept`] with the draft; [`CliError::Nothing`]; what editor and terminal refuse.
    pub fn write<T>(mut self, run: &Invocation, session: &mut Vault, save: Saving<'_, T>) -> Result<T, CliError> {
        let program = Program::chosen().filter(|_| !self.typed);
        if let Some(program) = program.as_ref().filter(|program| !program.is_known()) {
            run.ui.hint(&format!(
                "it is not known how `{}` is kept from copying the note to the disk: see to its swap, backup and history \
                 files yourself; vim, nano, emacs, micro and VS Code are known",
                program.name()
            ));
        }
        if let Some(program) = &program {
            program.fit()?;
        }
        let start = self.input.text.clone();
        let resumed = self.draft.is_some();
        self.resumed = resumed;
        let mut shown = match &program {
            Some(_) => faults::with_notices(&start, &self.notices),
            None => start.clone(),
        };
        let first = shown.clone();
        loop {
            let (written, touched) = match &program {
                Some(program) => self.in_editor(run, session, program, &shown)?,
                None => (self.on_terminal(run, session)?, true),
            };
            let text = faults::without(&written);
            let is_same = text.trim() == faults::without(&start).trim() && program.is_some();
            let unchanged = is_same && !self.even_unchanged;
            let empty = text.trim().is_empty();
            // A draft as it was is taken where it was saved so in the editor, and left a draft where it was not.
            let as_it_was = resumed && shown == first && is_same;
            if as_it_was && !touched {
                let what = "the draft was left as it was: saved unchanged in the editor, it would be filed";
                return Err(self.kept(CliError::Nothing { what }));
            }
            let blank = text.trim() == faults::without(&self.blank).trim() && program.is_some();
            // A jot may say all that there is to say.
            let is_whole = unchanged && !empty && !as_it_was && matches!(self.of, DraftOf::Expand { .. });
            if is_whole && self.files_as_it_is(run).map_err(|error| self.kept(error))? {
                // It is taken as it was typed.
            } else if (unchanged || empty) && (!as_it_was || blank) {
                self.drop_draft(session);
                let what = match self.of {
                    DraftOf::Amend(_) => "nothing was changed",
                    DraftOf::Expand { .. } => {
                        "nothing was changed in the text, so nothing was filed, and the jot still waits"
                    }
                    _ => "nothing was written",
                };
                return Err(CliError::Nothing { what });
            }
            let mut text = text;
            self.input.text.clone_from(&text);
            // What came out of an editor was kept there, unless nothing was changed in it.
            if program.is_none() || written == shown {
                self.keep_at_last(run, session, &text)?;
            }
            // Of an amendment, what is in the note already was asked about when it came in.
            let before = match self.of {
                DraftOf::Amend(_) => start.as_str(),
                _ => "",
            };
            let mut doubts = marks::doubts(&text, before);
            if program.is_some() && crate::unlock_prompt::can_ask() {
                doubts.extend(faults::dropped(&text, &[&first, &self.blank]));
                doubts.sort_by_key(|doubt| doubt.line);
            }
            // What cannot be read is told before anything is asked of it.
            let input = NoteInput {
                pause: !doubts.is_empty(),
                pause_at_plans: crate::unlock_prompt::can_ask(),
                ..self.input.clone()
            };
            let error = match save(session, input, self.draft.clone()) {
                Ok(saved) => return Ok(saved),
                Err(SessionError::Paused { plans }) => {
                    let plans = marks::implied_plans(&text, before, &plans);
                    match Self::meant(run, &text, &doubts, &plans).map_err(|error| self.kept(error))? {
                        Meant::AsWritten => {}
                        Meant::Marks(marked) => {
                            self.input.text.clone_from(&marked);
                            text = marked;
                        }
                        Meant::Mended => {
                            doubts.extend(plans);
                            doubts.sort_by_key(|doubt| doubt.line);
                            let again = faults::with_doubts(&text, &doubts);
                            if program.is_none() || again == shown {
                                let what = "what is doubtful is to be mended first";
                                return Err(self.kept(CliError::Nothing { what }));
                            }
                            shown = again;
                            continue;
                        }
                    }
                    match save(session, self.input.clone(), self.draft.clone()) {
                        Ok(saved) => return Ok(saved),
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            let again = match &error {
                SessionError::Malformed { .. } if program.is_some() => faults::with(&text, &error),
                _ => return Err(self.kept(error.into())),
            };
            if again == shown {
                // Nothing was mended since the faults were shown: the worker has given up for now.
                return Err(self.kept(error.into()));
            }
            shown = again;
        }
    }

    /// Asks what was meant by all that is doubtful, and by what only a heading makes plans.
    fn meant(run: &Invocation, text: &str, doubts: &[Doubt], plans: &[Doubt]) -> Result<Meant, CliError> {
        let marked = match marks::ask(run, text, doubts)? {
            Meant::Mended => return Ok(Meant::Mended),
            Meant::Marks(marked) => Some(marked),
            Meant::AsWritten => None,
        };
        let with_plans = marks::ask_of_plans(run, marked.as_deref().unwrap_or(text), plans)?;
        Ok(match (with_plans, marked) {
            (Meant::AsWritten, Some(marked)) => Meant::Marks(marked),
            (meant, _) => meant,
        })
    }

    /// Asks whether a jot that nothing was changed in is a note.
    fn files_as_it_is(&self, run: &Invocation) -> Result<bool, CliError> {
        let question = "Nothing was changed in the text. File the jot as it is? [y/N] ";
        run.confirm(question, "whether to file it as it is", "`--file FILE`")
    }

    fn in_editor(
        &mut self,
        run: &Invocation,
        session: &mut Vault,
        program: &Program,
        text: &str,
    ) -> Result<(String, bool), CliError> {
        // There before the editor is, so that what it leaves behind has where to go.
        let id = self.keep(session, text)?;
        let places = run.places()?;
        let mut place = match Place::make(&id, places.home()) {
            Ok(place) => place,
            Err(error) => {
                self.drop_unwritten(session, text);
                return Err(error);
            }
        };
        let edited = {
            let mut keep = |text: &str| self.keep(session, text).map(|_| ());
            editor::edit(program, &place, text, &mut keep)
        };
        let touched = matches!(edited, Ok(Edited::Done { touched: true, .. }));
        let (written, how) = match edited {
            Ok(Edited::Done {
                saved, unsaved: None, ..
            }) => (saved, None),
            Ok(Edited::Done {
                saved,
                unsaved: Some(newest),
                ..
            }) => match saved == text {
                // Left without saving: thrown away perhaps, perhaps not, so it stays where it can be found.
                true => (newest, Some("the editor was left without saving".to_owned())),
                false => (saved, None),
            },
            Ok(Edited::Broken { newest, how }) => {
                if newest == text && self.drop_unwritten(session, text) {
                    let how = format!("{how}; nothing had been saved in it, so there is nothing to keep");
                    return Err(CliError::Editor { how });
                }
                (newest, Some(how))
            }
            Err(error) => {
                // An editor that never started has written nothing.
                if self.drop_unwritten(session, text) {
                    return Err(error);
                }
                return Err(self.kept(error));
            }
        };
        // While the place is there: what cannot be kept now stays in it, for the next command to take.
        let kept = match how {
            None => faults::without(&written),
            Some(_) => written.clone(),
        };
        if written != text
            && let Err(error) = self.keep_at_last(run, session, &kept)
        {
            place.keep();
            return Err(CliError::Kept {
                source: Box::new(error),
                resume:
                    "nothing was saved; what you wrote is still in this machine's memory, and lost when it is switched \
                         off: `casevault unlock` puts it into a draft, which `casevault note draft` lists"
                        .to_owned(),
            });
        }
        match how {
            None => Ok((written, touched)),
            Some(how) => Err(self.kept(CliError::Editor { how })),
        }
    }

    fn on_terminal(&mut self, run: &Invocation, session: &mut Vault) -> Result<String, CliError> {
        let before = match &self.draft {
            Some(_) => self.input.text.clone(),
            None => String::new(),
        };
        if !before.is_empty() {
            let draft = self.draft.clone().unwrap_or_default();
            run.ui.prompt(&format!(
                "{}\nGo on from here. What is there stays as it is, because no editor is chosen; to change it, Ctrl-C keeps the \
                 draft, and `EDITOR=nano {} --draft {draft}` opens it in an editor (any that VISUAL or EDITOR names).",
                before.trim_end(),
                self.resume
            ));
        }
        if let (DraftOf::Amend(note), true) = (&self.of, before.is_empty()) {
            run.ui.prompt(&format!(
                "{}\nThis is the note as it stands. No editor is chosen, so what you type now REPLACES the whole of it, and what you \
                 do not type again is struck. Ctrl-C leaves it as it is; `EDITOR=nano casevault note amend {note}` opens it in \
                 an editor (any that VISUAL or EDITOR names).",
                faults::without(&self.input.text).trim_end()
            ));
        }
        // Each line as it ends: a terminal that is closed takes no more than the one that is being typed. What cannot be
        // kept now is at the end.
        let typed = run.typed("the note", LONGEST, &mut |so_far| {
            let _ = self.keep(session, &joined(&before, so_far));
        });
        match typed {
            Ok(typed) => Ok(joined(&before, &typed)),
            Err(error) if self.draft.is_some() => Err(self.kept(error)),
            Err(error) => Err(error),
        }
    }

    /// Keeps the draft at the end of the writing. A vault that was locked meanwhile is unlocked once more.
    fn keep_at_last(&mut self, run: &Invocation, session: &mut Vault, text: &str) -> Result<(), CliError> {
        loop {
            match self.keep(session, text) {
                Ok(_) => return Ok(()),
                Err(error) if is_locked(&error) => {}
                Err(error) => return Err(error),
            }
            run.ui
                .note("the vault was locked while you wrote: with the passphrase, what you wrote is kept");
            *session = run.unlock()?;
        }
    }

    /// Keeps the draft; returns its whole id.
    fn keep(&mut self, session: &mut Vault, text: &str) -> Result<String, CliError> {
        let input = NoteInput {
            text: text.to_owned(),
            ..self.input.clone()
        };
        let reply = session.draft_keep(DraftKeepRequest {
            draft: self.draft.clone(),
            of: self.of.clone(),
            input,
            also: self.also.clone(),
            only_if_there: false,
        })?;
        let (Some(handle), Some(id)) = (reply.draft, reply.id) else {
            return Err(SessionError::Bug("a draft without an id".to_owned()).into());
        };
        self.draft = Some(handle);
        Ok(id)
    }

    /// Drops a draft that holds nothing but what the editor was to open with; tells whether it was one.
    fn drop_unwritten(&mut self, session: &mut Vault, text: &str) -> bool {
        let unwritten = !self.resumed && faults::without(&self.input.text) == faults::without(text);
        if unwritten {
            self.drop_draft(session);
        }
        unwritten
    }

    fn drop_draft(&mut self, session: &mut Vault) {
        if let Some(draft) = self.draft.take() {
            // One that stays is listed by `status`, which harms nobody.
            let _ = session.draft_discard(DraftDiscardRequest { draft });
        }
    }

    fn kept(&self, source: CliError) -> CliError {
        let draft = self.draft.clone().unwrap_or_default();
        let another = match source {
            CliError::Editor { .. } => {
                "; VISUAL or EDITOR names another editor, as `EDITOR=nano` before the command does"
            }
            _ => "",
        };
        CliError::Kept {
            source: Box::new(source),
            resume: format!(
                "nothing was saved; what you wrote is kept, sealed, as draft {draft}: go on with `{} --draft {draft}`, drop \
                 it with `casevault note draft --discard {draft}`{another}",
                self.resume
            ),
        }
    }
}

/// Finds the draft that `--draft` means: the one named, or the newest of this case, note or jot.
///
/// # Errors
/// [`SessionError::NotFound`].
pub fn draft_of(session: &mut Vault, of: &str, named: &str) -> Result<(String, NoteInput, Vec<String>), CliError> {
    let draft = match named {
        "" => {
            let of = Some(of.to_owned());
            let newest = session.draft_list(DraftListRequest { of })?.drafts.into_iter().next();
            let missing = || SessionError::NotFound {
                what: "draft",
                text: of_text(named),
            };
            newest.ok_or_else(missing)?.draft
        }
        named => named.to_owned(),
    };
    if editor::is_open(&draft) {
        let what = format!("draft {draft} is open in an editor");
        return Err(SessionError::conflict(what, "end that editor first").into());
    }
    let kept = session.draft_show(DraftShowRequest { draft })?;
    let input = NoteInput {
        text: kept.text,
        kind: kept.draft.kind,
        section: kept.section,
        at: kept.at,
        duration_minutes: kept.duration_minutes,
        template: kept.template,
        lag_reason: kept.lag_reason,
        from_version: kept.from_version,
        begun: true,
        mail: None,
        pause: false,
        pause_at_plans: false,
    };
    Ok((kept.draft.draft, input, kept.also))
}

fn of_text(named: &str) -> String {
    match named {
        "" => "of this".to_owned(),
        named => named.to_owned(),
    }
}

/// Says that there are drafts of this case, note or jot that nobody has open, and returns what it said.
///
/// # Errors
/// As [`Vault::draft_list`].
pub fn tell_of_drafts(run: &Invocation, session: &mut Vault, of: &str, resume: &str) -> Result<Vec<String>, CliError> {
    let of = Some(of.to_owned());
    let mut told = Vec::new();
    for draft in session.draft_list(DraftListRequest { of })?.drafts {
        if !editor::is_open(&draft.draft) {
            let notice = format!(
                "there is a draft {} of {}: go on with `{resume} --draft {}`, drop it with `casevault note draft --discard {}`",
                draft.draft,
                crate::render::time(&draft.saved_at),
                draft.draft,
                draft.draft
            );
            run.ui.hint(&notice);
            told.push(notice);
        }
    }
    Ok(told)
}

/// Takes what a killed process left in memory into its draft, and wipes it there.
pub fn take_leftovers(run: &Invocation, places: &Places, session: &mut Vault) {
    for mut left in editor::leftovers(places.home()) {
        let Some(text) = left.text.take() else { continue };
        let shown = session.draft_show(DraftShowRequest {
            draft: left.draft.clone(),
        });
        let kept = match shown {
            Ok(kept) => kept,
            // Saved or dropped meanwhile: then its text is no more than a leftover.
            Err(SessionError::NotFound { .. }) => continue,
            Err(_) => {
                left.keep();
                continue;
            }
        };
        if kept.text == text {
            continue;
        }
        let of = match (kept.draft.of, &kept.draft.case, &kept.draft.note, &kept.draft.jot) {
            ("amend", _, Some(note), _) => DraftOf::Amend(note.clone()),
            ("expand", Some(case), _, Some(jot)) => DraftOf::Expand {
                jot: jot.clone(),
                case: case.clone(),
            },
            (_, Some(case), _, _) => DraftOf::Add(case.clone()),
            _ => continue,
        };
        let input = NoteInput {
            text,
            kind: kept.draft.kind,
            section: kept.section,
            at: kept.at,
            duration_minutes: kept.duration_minutes,
            template: kept.template,
            lag_reason: kept.lag_reason,
            from_version: kept.from_version,
            begun: true,
            mail: None,
            pause: false,
            pause_at_plans: false,
        };
        let done = session.draft_keep(DraftKeepRequest {
            draft: Some(kept.draft.draft.clone()),
            of,
            input,
            also: kept.also,
            only_if_there: true,
        });
        match done {
            Ok(_) => run.ui.note(&format!(
                "an editor was cut off: what was in it is in draft {} now",
                kept.draft.draft
            )),
            Err(_) => left.keep(),
        }
    }
}

fn joined(before: &str, typed: &str) -> String {
    match before.trim_end() {
        "" => typed.to_owned(),
        before => format!("{before}\n{typed}"),
    }
}
