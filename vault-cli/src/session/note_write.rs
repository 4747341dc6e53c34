//! Writing notes: add, amend, withdraw.

use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::case_keys::CaseKeys;
use super::case_record::CLOSED;
use super::case_record::Label;
use super::clock;
use super::draft;
use super::joined;
use super::logging::Logged;
use super::mails;
use super::random;
use super::reading::ReadNote;
use super::remark;
use super::reply::JoinedNote;
use super::reply::NOTE_ADD;
use super::reply::NOTE_AMEND;
use super::reply::NOTE_BLANK;
use super::reply::NOTE_TEXT;
use super::reply::NOTE_WITHDRAW;
use super::reply::NoteSavedReply;
use super::reply::NoteTextReply;
use super::reply::NoteWithdrawReply;
use super::request::NoteAddRequest;
use super::request::NoteAmendRequest;
use super::request::NoteBlankRequest;
use super::request::NoteTextRequest;
use super::request::NoteWithdrawRequest;
use super::request::ReadPurpose;
use super::server::kept;
use super::settings::Settings;
use super::templates;
use super::undoing;
use super::writing::Version;
use crate::note_input;
use crate::note_input::seen::Seen;
use crate::store::ReadTx;
use crate::store::WriteTx;
use jiff::SignedDuration;
use std::collections::BTreeSet;
use vault_core::check::Check;
use vault_core::id::CaseId;
use vault_core::id::MemberId;
use vault_core::id::RecordId;
use vault_core::note::Note;
use vault_core::note::PartRef;
use vault_core::note::display::escape_line;
use vault_core::note::gap;
use vault_core::note::json;
use vault_core::note::spelling;
use vault_core::note::split;
use vault_core::note::split::PRIVATE;
use vault_core::note::when::Lag;
use vault_core::opening::fresh_id;
use vault_core::placing::PlacedRecord;
use vault_core::wire;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::event::Erasure;
use vault_core::wire::v1::event::ErasureGround;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::stream::Section;

/// For so long after writing it down a note can be taken back, if no sync has published it.
const WITHDRAW_MINUTES: i64 = 10;

/// Later than this after the event, a reason is asked for.
pub(super) const LAG_LIMIT_MINUTES: u32 = 24 * 60;

/// A note that was written.
pub(super) struct Written {
    pub(super) record: RecordId,
    pub(super) version: u32,
    pub(super) sections: Vec<String>,
    pub(super) note: Note,
}

impl Written {
    /// A note that stays as it is.
    fn as_it_is(read: &ReadNote) -> Self {
        let parts = split::split(read.note.clone());
        let section = |part: Note| part.section.unwrap_or_else(|| split::CORE.to_owned());
        Self {
            record: read.record,
            version: read.version,
            sections: parts.into_iter().map(section).collect(),
            note: read.note.clone(),
        }
    }
}

/// What an amendment did to one of the notes that it was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Amended {
    Saved,
    /// It said the same already.
    Same,
    /// It said something else than the note that was amended, and stays as it was.
    Differs,
}

/// Tells whether a note of another case says what a version of this one says.
fn is_twin_of(twin: &Note, ours: &Note) -> bool {
    let mut twin = Note {
        id: ours.id.clone(),
        misfiled: ours.misfiled.clone(),
        refiled: ours.refiled.clone(),
        // A file belongs to the note of its own case.
        detached: ours.detached.clone(),
        ..twin.clone()
    };
    // Who was seen is said of each by itself.
    Seen::of(ours).put(&mut twin);
    says_the_same(&twin, ours)
}

/// Tells whether an amendment leaves all as it was, but for when it was written.
fn says_the_same(after: &Note, before: &Note) -> bool {
    let after = Note {
        authored_at: before.authored_at.clone(),
        first_recorded_at: before.first_recorded_at.clone(),
        parts: before.parts.clone(),
        ..after.clone()
    };
    after == *before
}

/// What a note takes the place of.
pub(super) struct Before<'a> {
    pub(super) read: &'a ReadNote,
    /// The other parts, each with section name, record, version and hash.
    pub(super) parts: Vec<(String, Version)>,
}

/// A note's parts sealed, the primary first, ready to be linked.
pub(super) struct SealedNote {
    pub(super) note: Note,
    pub(super) record: RecordId,
    pub(super) version: u32,
    pub(super) parts: Vec<PlacedRecord>,
    pub(super) sections: Vec<String>,
}

impl Session {
    /// Adds a note to a case, and where others are named the same note to each of them, all or none.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Malformed`], [`SessionError::Unknown`], [`SessionError::Closed`];
    /// [`SessionError::Conflict`] for a case that is named twice.
    pub fn note_add(&mut self, request: NoteAddRequest) -> Result<NoteSavedReply> {
        let set = templates::load()?;
        let (case, found) = self.writable_case_labelled(&request.case)?;
        let mut clients = vec![client_of(case, &found)];
        let (label, called) = (found.template, found.label);
        let mut also = Vec::with_capacity(request.also.len());
        let mut also_under = Vec::with_capacity(request.also.len());
        let mut words = templates::client_words(label.as_deref()).to_vec();
        for named in &request.also {
            let (other, found) = self.writable_case_labelled(named)?;
            if other == case || also.contains(&other) {
                let what = format!("case {} is named twice", other.handle());
                return Err(SessionError::conflict(what, "name each case once"));
            }
            also.push(other);
            clients.push(client_of(other, &found));
            words.extend(templates::client_words(found.template.as_deref()));
            also_under.push(found.template);
        }
        let draft = self.draft_named(request.draft.as_deref())?;
        let mut input = request.note;
        if let (None, Some(draft), false) = (&input.at, draft, note_input::says_when(&input.text)) {
            // Written up later: the contact was when the writing began, and not when it was finished.
            input.at = Some(self.store.read(|tx| draft::began_at(tx, draft))?);
        }
        let mut seen = Vec::new();
        if !also.is_empty() && !json::is_json(&input.text) {
            (input.text, seen) = note_input::seen::taken(&input.text, &clients)?;
        }
        let mut note = note_input::new_note(&input, label.as_deref(), set, &clock::here())?;
        if !also.is_empty() {
            note_input::require_clients_named(&note, None, &input.text, &words)?;
        }
        note_input::require_not_paused(&input, &note, set, &clock::here())?;
        // A note added here is written here, whatever ids its JSON had elsewhere.
        note.imported = None;
        let mut seen = seen.into_iter();
        let own = seen.next();
        let of_others = also.iter().map(|other| {
            let mut note = note.clone();
            seen.next().unwrap_or_default().put(&mut note);
            (*other, note)
        });
        let of_others: Vec<_> = of_others.collect();
        if let Some(own) = own {
            own.put(&mut note);
        }
        let unsaid = of_others.iter().zip(&also_under).map(|((case, note), template)| {
            let gap = templates::gap_of_case(templates::oversight()?, note, template.as_deref());
            Ok(gap.map(|gap| (*case, gap)))
        });
        let unsaid = unsaid.collect::<Result<Vec<_>>>()?;
        let written = self.write(|holder, tx| {
            let same_mail = match &input.mail {
                Some(mail) => mails::filed(tx, mail, case)?,
                None => None,
            };
            if let (true, Some(record)) = (request.unless_same, same_mail) {
                return Err(SessionError::SameMail { note: record.handle() });
            }
            if request.unless_same
                && let Some(record) = holder.saved_lately(tx, case, &note)?
            {
                return Err(SessionError::SameNote { note: record.handle() });
            }
            let same = holder.same_note(tx, case, &note)?;
            let written = holder.put_joined(tx, case, of_others, note)?;
            if let Some(mail) = &input.mail {
                let here = [(case, written.0.record)].into_iter();
                let others = also.iter().copied().zip(&written.1);
                let others =
                    others.filter_map(|(case, other)| Some((case, holder.resolve_note(tx, &other.note).ok()?.1)));
                let notes: Vec<_> = here.chain(others).collect();
                mails::keep(tx, mail, &notes)?;
            }
            super::draft::drop_draft(tx, draft)?;
            let ambiguous = holder.ambiguous_speaker(tx, case, &written.0.note)?;
            Ok((written, (same, same_mail), ambiguous, super::draft::any(tx)?))
        });
        let ((written, others), (same, same_mail), ambiguous, drafts) = written?;
        let unsaid = unsaid.into_iter().flatten().map(|(case, gap)| {
            let (case, mut others) = (case.handle(), others.iter());
            let note = others.find(|other| other.case == case).map_or("", |other| &*other.note);
            format!("{note} in case {case}: {gap}")
        });
        let unsaid: Vec<String> = unsaid.collect();
        let doubts = remark::of_new(&input, label.as_deref(), &written.note, ambiguous.as_deref(), set)?;
        let mut reply = saved(NOTE_ADD, case, label.as_deref(), &written)?;
        reply.incomplete.extend(unsaid);
        Ok(NoteSavedReply {
            same_as: same.map(|record| record.handle()),
            same_mail: same_mail.map(|record| record.handle()),
            doubts,
            others,
            drafts,
            label: called,
            ..reply
        })
    }

    /// Makes what an editor opens with for a new note.
    ///
    /// # Errors
    /// As [`Session::note_add`], before anything is typed.
    pub fn note_blank(&mut self, request: NoteBlankRequest) -> Result<NoteTextReply> {
        let set = templates::load()?;
        let jot = match &request.jot {
            Some(jot) => {
                self.log_overview("jots", &ReadPurpose::default())?;
                Some(self.store.read(|tx| self.holder.jot(tx, jot))?.1)
            }
            None => None,
        };
        let (case, found) = self.writable_case_labelled(&request.case)?;
        let (label, called) = (found.template, found.label);
        let mut input = request.note;
        if let Some(jot) = &jot {
            input.at.get_or_insert_with(|| jot.occurred_at.clone());
        }
        let mut text = note_input::blank(&input, label.as_deref(), set, &clock::here())?;
        let mut names = vec![(case, called)];
        let mut templates = vec![label];
        for named in &request.also {
            let (other, found) = self.writable_case_labelled(named)?;
            names.push((other, found.label));
            templates.push(found.template);
        }
        let asks = |template: &Option<String>| match &input.kind {
            Some(kind) => templates::asks_seen(kind, template.as_deref()),
            None => Ok(false),
        };
        if templates.iter().map(asks).collect::<Result<Vec<_>>>()?.contains(&true) {
            // In the head, to be filled in; left empty they say nothing.
            let at = text.find("\n\n").map_or(text.len(), |at| at + 1);
            let fields = match request.also.is_empty() {
                true => "seen:\nseen-alone:\n",
                // Of several it is said of each by name.
                false => "seen:\n#! Who of them was seen, by name: Ada alone; Ben with mother; Cas no\n",
            };
            text.insert_str(at, fields);
        }
        if let Some(jot) = jot {
            let at = text.find("\n\n").map_or(text.len(), |at| at + 1);
            text.insert_str(at, &format!("\n{}\n", jot.text));
        }
        Ok(NoteTextReply {
            schema: NOTE_BLANK,
            case: case.handle(),
            note: None,
            version: None,
            text: format!("{}{text}", whose_all(&names)),
        })
    }

    /// Gives a note's text, to be amended.
    ///
    /// # Errors
    /// As [`Session::note_amend`].
    pub fn note_text(&mut self, request: NoteTextRequest) -> Result<NoteTextReply> {
        let set = templates::load()?;
        let (case, record) = self.store.read(|tx| self.holder.resolve_note(tx, &request.note))?;
        let purpose = ReadPurpose::default();
        let logged = self.log_records(AccessOperation::Open, case, &[record], Some("amend"), &purpose)?;
        let holder = &self.holder;
        let (mut read, name, called) = self.store.read(|tx| {
            let keys = holder.case_keys(tx, case)?;
            let read = holder.read_note(tx, &keys, record, None, &logged)?;
            holder.require_note_named(&request.note, &read)?;
            let worker = read.note.worker.as_deref().and_then(|w| w.parse::<MemberId>().ok());
            let name = worker.map(|worker| holder.member_named(tx, worker)).transpose()?;
            let called = holder.case_label(tx, &keys, &logged)?.label;
            Ok::<_, SessionError>((read, name, called))
        })?;
        require_not_misfiled(&read)?;
        // An id says nothing to who reads it, and stays where the text has none.
        let worker = match name {
            Some(name) => {
                read.note.worker = None;
                format!("#! Worker: {}\n", escape_line(&name))
            }
            None => String::new(),
        };
        Ok(NoteTextReply {
            schema: NOTE_TEXT,
            case: case.handle(),
            note: Some(record.handle()),
            version: Some(read.version),
            text: format!(
                "{}{worker}{}",
                whose(case, called.as_deref()),
                note_input::printed(&read.note, set)
            ),
        })
    }

    /// Writes a new version of a note.
    ///
    /// # Errors
    /// As [`Session::note_add`]; [`SessionError::Withdrawn`], and [`SessionError::NewerVersion`] where it has a newer
    /// version than the one that the text was made from; [`SessionError::Loses`] where that was asked for.
    pub fn note_amend(&mut self, request: NoteAmendRequest) -> Result<NoteSavedReply> {
        let set = templates::load()?;
        let (case, record) = self.store.read(|tx| self.holder.resolve_note(tx, &request.note))?;
        let purpose = ReadPurpose::default();
        let logged = self.log_records(AccessOperation::Open, case, &[record], Some("amend"), &purpose)?;
        let joined = self.joined_with(case, record, &logged)?;
        // The others are opened to be amended: an entry for each, before they are.
        let mut others_logged = Vec::new();
        if request.others {
            for (other, id) in &joined {
                others_logged.push(self.log_records(AccessOperation::Open, *other, &[*id], Some("amend"), &purpose)?);
            }
        }
        let draft = self.draft_named(request.draft.as_deref())?;
        let written = self.write(|holder, tx| {
            let is_for_several = request.others && !joined.is_empty();
            let mut words = Vec::new();
            let mut clients = Vec::new();
            if is_for_several {
                let all = [(case, &logged)].into_iter();
                for (case, logged) in all.chain(joined.iter().map(|(case, _)| *case).zip(&others_logged)) {
                    let keys = holder.case_keys(tx, case)?;
                    let label = holder.case_label(tx, &keys, logged)?;
                    clients.push(client_of(case, &label));
                    words.extend(templates::client_words(label.template.as_deref()));
                }
            }
            // Said of each by name, as in a new note of several cases.
            let mut input = request.input.clone();
            let mut seen = Vec::new();
            if note_input::seen::names_one(&input.text, &clients) && !json::is_json(&input.text) {
                (input.text, seen) = note_input::seen::taken(&input.text, &clients)?;
            }
            // A twin that said something else than this note ever did is not written over unseen. And what the text takes
            // back is told where it does not say from which version it was made.
            let is_told = request.input.from_version.is_none() && tx.versions(record)?.len() > 1;
            let ours = match is_for_several || is_told {
                true => holder.versions_of_note(tx, case, record, &logged)?,
                false => Vec::new(),
            };
            let amend = |tx: &mut WriteTx<'_>, case: CaseId, record: RecordId, logged: &Logged, place: usize| {
                let is_twin = place > 0;
                let mut keys = holder.case_keys(tx, case)?;
                let before = holder.read_note(tx, &keys, record, None, logged)?;
                require_not_misfiled(&before)?;
                let made = note_input::amended_note(&input, &before.note, set, &clock::here());
                let mut note = match joined.is_empty() || is_for_several {
                    true => made,
                    false => made.map_err(|error| note_input::seen::of_one_file(error, &input.text)),
                }?;
                if is_twin {
                    // Who was seen is another in each; that the text says it as it was is required.
                    Seen::of(&before.note).put(&mut note);
                }
                if is_for_several {
                    note_input::require_clients_named(&note, Some(&before.note), &input.text, &words)?;
                }
                // Of whom the line says nothing, that stays.
                if let Some(said) = seen.get(place).filter(|said| **said != Seen::default()) {
                    said.clone().put(&mut note);
                }
                if says_the_same(&note, &before.note) {
                    let written = Written::as_it_is(&before);
                    return Ok::<_, SessionError>((before, written, Amended::Same));
                }
                if is_twin && !ours.iter().any(|ours| is_twin_of(&before.note, ours)) {
                    let written = Written::as_it_is(&before);
                    return Ok((before, written, Amended::Differs));
                }
                if let Some(from) = request
                    .input
                    .from_version
                    .filter(|from| !is_twin && *from != before.version)
                {
                    if from > before.version {
                        return Err(SessionError::NoVersion {
                            note: record.handle(),
                            version: from,
                            newest: before.version,
                        });
                    }
                    return Err(SessionError::NewerVersion {
                        note: record.handle(),
                        from,
                        newest: before.version,
                    });
                }
                note_input::require_not_paused(&request.input, &note, set, &clock::here())?;
                let parts = holder.parts_of(tx, &keys, &before.note)?;
                let written = holder.put_note(tx, &mut keys, note, Some(Before { read: &before, parts }))?;
                Ok((before, written, Amended::Saved))
            };
            let (before, written, changed) = amend(tx, case, record, &logged, 0)?;
            let mut others_changed = Vec::with_capacity(others_logged.len());
            for (((other, id), logged), place) in joined.iter().zip(&others_logged).zip(1..) {
                others_changed.push(amend(tx, *other, *id, logged, place)?.2);
            }
            holder.require_note_named(&request.note, &before)?;
            super::draft::drop_draft(tx, draft)?;
            let marks = undoing::marks_lost(&before.note, &written.note);
            let struck = undoing::struck(&before.note, &written.note);
            let ambiguous = holder.ambiguous_speaker(tx, case, &written.note)?;
            let undoes = is_told.then(|| undoing::undone(&ours, &written.note)).flatten();
            let mut past = note_input::past_due(&written.note, Some(&before.note), clock::today());
            past.extend(note_input::due_in_words(&written.note, &clock::here()));
            let mut lost = note_input::hiding::uncovered(&before.note, &written.note);
            past.extend(lost.iter().map(|lost| lost.what.clone()));
            lost.extend(undoing::dangers_lost(&struck));
            if request.unless_lost && !lost.is_empty() {
                // Nothing of it stays: its author is asked first.
                return Err(SessionError::Loses { lost });
            }
            let keys = holder.case_keys(tx, case)?;
            let found = holder.case_label(tx, &keys, &logged)?;
            let template = (found.template, found.label);
            let told = (marks, struck, undoes, ambiguous, past, super::draft::any(tx)?, template);
            Ok((written, changed, others_changed, told))
        });
        let (written, changed, others_changed, (marks, struck, undoes, ambiguous, past, drafts, (template, label))) =
            written?;
        let mut doubts = note_input::doubts(&request.input.text, &written.note, set, &clock::here());
        doubts.extend(ambiguous.as_deref().map(remark::of_two));
        doubts.extend(past);
        let others = joined.iter().enumerate().map(|(index, (case, note))| JoinedNote {
            case: case.handle(),
            note: note.handle(),
            saved: others_changed.get(index) == Some(&Amended::Saved),
            same: others_changed.get(index) == Some(&Amended::Same),
            differs: others_changed.get(index) == Some(&Amended::Differs),
        });
        let mut reply = saved(NOTE_AMEND, case, template.as_deref(), &written)?;
        if !json::is_json(&request.input.text) {
            // They are those of the version before, and were told then.
            reply.unknown_fields.clear();
        }
        Ok(NoteSavedReply {
            doubts,
            changed: changed == Amended::Saved,
            others: others.collect(),
            undoes,
            undone: marks.undone,
            struck_done: marks.struck,
            struck,
            drafts,
            label,
            ..reply
        })
    }

    /// Takes back a note: a signed erasure of its bodies.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::WithdrawTooLate`], [`SessionError::Withdrawn`].
    pub fn note_withdraw(&mut self, request: NoteWithdrawRequest) -> Result<NoteWithdrawReply> {
        let (case, record) = self.store.read(|tx| self.holder.resolve_note(tx, &request.note))?;
        let purpose = ReadPurpose::default();
        let logged = self.log_records(AccessOperation::Open, case, &[record], Some("withdraw"), &purpose)?;
        let joined = self.joined_with(case, record, &logged)?;
        let erased = self.write(|holder, tx| {
            let mut keys = holder.case_keys(tx, case)?;
            let read = holder.read_note(tx, &keys, record, None, &logged)?;
            holder.require_note_named(&request.note, &read)?;
            holder.require_withdrawable(tx, &read)?;
            let mut places = Vec::new();
            let mut hashes = Vec::new();
            let parts = read.note.parts.iter().filter_map(|p| p.record.parse::<RecordId>().ok());
            for id in parts.chain([record]) {
                for stored in tx.versions(id)? {
                    if !stored.is_erased() {
                        hashes.push(stored.hash()?);
                        places.push(stored.at);
                    }
                }
            }
            let attached = holder.attached(tx, &keys, record, &logged)?;
            hashes.extend(attached.iter().map(|a| a.hash));
            places.extend(attached.iter().map(|a| a.at));
            let records = wire::sort_set(hashes).map_err(super::refused(record.handle()))?;
            let event = Event::Erasure(Erasure {
                records,
                ground: ErasureGround::Withdrawn,
            });
            holder.append_event(tx, &mut keys, event, &[])?;
            tx.erase(&places)?;
            mails::forget_erased(tx)?;
            draft::drop_of_note(tx, record)?;
            let files: Vec<_> = attached.iter().map(|a| a.context).collect();
            Ok((places.len(), files, holder.case_label(tx, &keys, &logged)?.label))
        });
        let (erased, files, label) = erased?;
        self.remove_erased(&files)?;
        let erased = u64::try_from(erased).unwrap_or(u64::MAX);
        Ok(NoteWithdrawReply {
            schema: NOTE_WITHDRAW,
            note: record.handle(),
            case: case.handle(),
            label,
            erased,
            others: joined::staying(&joined),
        })
    }

    /// Finds a case that takes notes, with its template.
    pub(super) fn writable_case(&mut self, text: &str) -> Result<(CaseId, Option<String>)> {
        let (case, label) = self.writable_case_labelled(text)?;
        Ok((case, label.template))
    }

    /// As [`Self::writable_case`], with all of the label: the answer and the editor say whose case it is.
    pub(super) fn writable_case_labelled(&mut self, text: &str) -> Result<(CaseId, Label)> {
        let case = self.store.read(|tx| self.holder.resolve_case(tx, text))?;
        // Nothing is shown: status and template are read to write, and the link that follows is the entry.
        let logged = super::logging::Logged::by_link();
        let label = self.store.read(|tx| {
            // The stream is rebuilt with the writing.
            let keys = self.holder.case_keys_before_walk(tx, case)?;
            self.holder.case_label(tx, &keys, &logged)
        })?;
        self.holder
            .require_case_named(text, case, label.external_id.as_deref())?;
        if label.status == CLOSED {
            self.log_denial(case, "note in a closed case")?;
            return Err(SessionError::Closed { case: case.handle() });
        }
        Ok((case, label))
    }
}

impl Holder {
    /// Reads every version of a note that is there.
    fn versions_of_note(&self, tx: &ReadTx<'_>, case: CaseId, record: RecordId, logged: &Logged) -> Result<Vec<Note>> {
        let keys = self.case_keys(tx, case)?;
        let newest = self.read_note(tx, &keys, record, None, logged)?;
        let mut all = Vec::new();
        for version in 1..newest.version {
            all.push(self.read_note(tx, &keys, record, Some(version), logged)?.note);
        }
        all.push(newest.note);
        Ok(all)
    }

    fn require_withdrawable(&self, tx: &ReadTx<'_>, read: &ReadNote) -> Result<()> {
        require_not_misfiled(read)?;
        let too_late = |why: &str| SessionError::WithdrawTooLate {
            note: read.record.handle(),
            why: why.to_owned(),
        };
        if read.signed_by != self.member {
            return Err(too_late("it is not yours"));
        }
        let authored = read
            .note
            .authored_at
            .as_ref()
            .ok_or_else(|| too_late("it says no time of writing"))?;
        let age = clock::now().duration_since(authored.instant());
        if read.version > 1 {
            return Err(too_late("it was amended, and its history stays"));
        }
        // The copy in the right case is new, what it says is not, and its history is in the other case.
        if read.note.refiled.is_some() {
            return Err(too_late("it was filed in another case before"));
        }
        if age > SignedDuration::from_mins(WITHDRAW_MINUTES) {
            return Err(too_late("it is older than ten minutes"));
        }
        for version in tx.versions(read.record)? {
            if kept::was_offered(tx, version.at.pos)? {
                return Err(too_late("it was sent to the server"));
            }
        }
        Ok(())
    }

    /// Names the other parts of a note as they are now, to amend them.
    pub(super) fn parts_of(&self, tx: &WriteTx<'_>, keys: &CaseKeys, note: &Note) -> Result<Vec<(String, Version)>> {
        let settings = self.settings(tx)?.settings;
        let mut found = Vec::new();
        for part in &note.parts {
            let fault = || SessionError::refused(Check::Payload, keys.stream());
            let id: RecordId = part.record.parse().map_err(|_| fault())?;
            let stored = tx.versions(id)?.into_iter().next_back().ok_or_else(fault)?;
            let section = section_name(&settings, stored.header.section);
            found.push((section, Version::after(id, stored.header.version, stored.hash()?)));
        }
        Ok(found)
    }

    /// Seals a note's parts and appends them.
    pub(super) fn put_note(
        &self,
        tx: &mut WriteTx<'_>,
        keys: &mut CaseKeys,
        mut note: Note,
        before: Option<Before<'_>>,
    ) -> Result<Written> {
        self.rotate(tx, keys)?;
        let settings = self.settings(tx)?.settings;
        note.authored_at = Some(clock::moment(clock::now()));
        note.first_recorded_at = before.as_ref().and_then(|b| b.read.note.recorded_at().cloned());
        if note.worker.is_none() && note.imported.is_none() {
            note.worker = Some(self.member.to_string());
        }
        // A part that the note had stays, empty if need be; so its section is needed even if nothing is left in it.
        let had_private = before
            .as_ref()
            .is_some_and(|b| b.parts.iter().any(|(name, _)| name == PRIVATE));
        let private = match had_private || note.segments.iter().any(|s| split::section_of(&note, s) == PRIVATE) {
            true => Some(self.private_section(tx, keys)?),
            false => None,
        };
        let sealed = self.seal_note(keys, &settings, note, before.as_ref(), private)?;
        for (index, part) in sealed.parts.iter().enumerate() {
            self.append_record(tx, part, index == 0)?;
        }
        let SealedNote {
            note,
            record,
            version,
            sections,
            ..
        } = sealed;
        Ok(Written {
            record,
            version,
            sections,
            note,
        })
    }

    /// Splits a note by section and seals each part.
    pub(super) fn seal_note(
        &self,
        keys: &CaseKeys,
        settings: &Settings,
        mut note: Note,
        before: Option<&Before<'_>>,
        private: Option<Section>,
    ) -> Result<SealedNote> {
        let primary = match before {
            Some(before) => Version::after(before.read.record, before.read.version, before.read.hash),
            None => Version::first(RecordId(fresh_id(&mut random::os()))),
        };
        note.id = primary.record.to_string();
        note.parts.clear();
        let bug = |e: vault_core::note::NoteError| SessionError::Bug(e.to_string());
        if let Some(before) = before {
            let own = |n: &Note| n.section.clone().unwrap_or_else(|| split::CORE.to_owned());
            let (was, is) = (own(&before.read.note), own(&note));
            if was != is {
                return Err(SessionError::conflict(
                    format!("a note stays in its section: this one is in `{was}`, not `{is}`"),
                    format!("segments may move: `{{section {is}}}` behind one puts it there"),
                ));
            }
        }
        let whole = note.clone();
        let mut parts = split::split(note).into_iter();
        let mut main = parts
            .next()
            .ok_or_else(|| SessionError::Bug("a note without a part".to_owned()))?;
        let mut others: Vec<Note> = parts.collect();
        let mut known: Vec<(String, Version)> = before.map(|b| b.parts.clone()).unwrap_or_default();
        // What an amendment left empty is amended too, so that the old words are not shown as current.
        let written: BTreeSet<String> = others.iter().filter_map(|p| p.section.clone()).collect();
        for (section, _) in known.iter().filter(|(section, _)| !written.contains(section)) {
            let mut empty = others.first().cloned().unwrap_or_else(|| main.clone());
            empty.section = Some(section.clone());
            empty.main_section = Some(main.section.clone().unwrap_or_else(|| split::CORE.to_owned()));
            empty.segments.clear();
            empty.extra = Default::default();
            others.push(empty);
        }
        let mut sealed = Vec::with_capacity(1 + others.len());
        let mut sections = vec![main.section.clone().unwrap_or_else(|| split::CORE.to_owned())];
        for part in &others {
            let name = part.section.clone().unwrap_or_else(|| split::CORE.to_owned());
            let found = known.iter().position(|(section, _)| *section == name);
            let version = match found {
                Some(at) => known.swap_remove(at).1,
                None => Version::first(RecordId(fresh_id(&mut random::os()))),
            };
            let (class, section) = place_of(settings, &name, private)?;
            main.parts.push(PartRef {
                record: version.record.to_string(),
                version: version.number,
            });
            sealed.push(self.seal(keys, class, section, version, &part.to_json().map_err(bug)?)?);
            sections.push(name);
        }
        let name = main.section.clone().unwrap_or_else(|| split::CORE.to_owned());
        let (class, section) = place_of(settings, &name, private)?;
        let first = self.seal(keys, class, section, primary, &main.to_json().map_err(bug)?)?;
        sealed.insert(0, first);
        Ok(SealedNote {
            note: whole,
            record: primary.record,
            version: primary.number,
            parts: sealed,
            sections,
        })
    }
}

/// Returns the class and number of the section that a part names.
fn place_of(settings: &Settings, name: &str, private: Option<Section>) -> Result<(RecordClass, Section)> {
    if name == PRIVATE {
        let section = private.ok_or_else(|| SessionError::Bug("a reflection without its section".to_owned()))?;
        return Ok((RecordClass::Private, section));
    }
    Ok((RecordClass::Note, require_section(settings, name)?))
}

/// Finds a section of the agency that takes notes, by name.
pub(super) fn require_section(settings: &Settings, name: &str) -> Result<Section> {
    let number = settings.sections.iter().position(|s| s == name).filter(|n| *n > 0);
    let number = number.and_then(|n| u16::try_from(n).ok());
    number.map(Section).ok_or_else(|| SessionError::Unknown {
        what: "section",
        text: name.to_owned(),
        known: settings.sections.iter().skip(1).cloned().collect(),
    })
}

fn section_name(settings: &Settings, section: Section) -> String {
    if section.is_private() {
        return PRIVATE.to_owned();
    }
    settings
        .sections
        .get(usize::from(section.0))
        .cloned()
        .unwrap_or_else(|| split::CORE.to_owned())
}

/// Refuses what is hidden: it stands in the wrong file.
pub(super) fn require_not_misfiled(read: &ReadNote) -> Result<()> {
    match read.note.misfiled {
        Some(_) => Err(SessionError::Misfiled {
            note: read.record.handle(),
        }),
        None => Ok(()),
    }
}

/// Says on top of an editor's text whose file it is for, by what lists call the case. Dropped when it is read.
fn whose(case: CaseId, label: Option<&str>) -> String {
    whose_all(&[(case, label.map(str::to_owned))])
}

/// Names the client of a case, as a note of several cases calls them.
fn client_of(case: CaseId, label: &Label) -> note_input::seen::Named {
    note_input::seen::Named {
        name: label.name.clone().or_else(|| label.label.clone()),
        case: case.handle(),
    }
}

fn whose_all(cases: &[(CaseId, Option<String>)]) -> String {
    let names = cases.iter().map(|(case, label)| match label {
        Some(label) => format!("{} ({})", escape_line(label), case.handle()),
        None => case.handle(),
    });
    format!("#! For {}\n", names.collect::<Vec<_>>().join(", and "))
}

pub(super) fn saved(
    schema: super::reply::Schema,
    case: CaseId,
    template: Option<&str>,
    written: &Written,
) -> Result<NoteSavedReply> {
    let note = &written.note;
    let recorded = note
        .recorded_at()
        .cloned()
        .unwrap_or_else(|| clock::moment(clock::now()));
    let lag = note
        .occurred_at
        .as_ref()
        .map(|at| Lag::between(at, note.duration_minutes, &recorded));
    let now = clock::here();
    let gaps = gap::gaps_by(note, || now.clone()).into_iter();
    let gaps = gaps.chain(templates::gap_of_case(templates::oversight()?, note, template));
    Ok(NoteSavedReply {
        is_ahead: note.occurred_at.as_ref().is_some_and(|at| at.is_ahead(&now)),
        undone: Vec::new(),
        struck_done: Vec::new(),
        struck: Vec::new(),
        undoes: None,
        schema,
        note: written.record.handle(),
        id: written.record.to_string(),
        case: case.handle(),
        label: None,
        version: written.version,
        changed: true,
        occurred_at: note.occurred_at.as_ref().map(|m| m.as_str().to_owned()),
        recorded_at: recorded.as_str().to_owned(),
        lag: lag.map(|lag| lag.to_string()),
        lag_minutes: lag.map(|lag| lag.minutes()),
        lag_reason_asked: lag.is_some_and(|lag| lag.exceeds(LAG_LIMIT_MINUTES)) && note.lag_reason.is_none(),
        sections: written.sections.clone(),
        incomplete: gaps.map(|gap| gap.to_string()).collect(),
        others: Vec::new(),
        unknown_fields: spelling::note(note).unwrap_or_default(),
        same_as: None,
        same_mail: None,
        doubts: Vec::new(),
        drafts: false,
    })
}
