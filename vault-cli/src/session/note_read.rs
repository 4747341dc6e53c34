//! Reading notes: show, list, history, and what a case's notes add up to: chronology and decisions.

use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::attachment;
use super::case_keys::CaseKeys;
use super::case_record::Label;
use super::clock;
use super::logging::Intent;
use super::logging::Logged;
use super::missed;
use super::note_write::LAG_LIMIT_MINUTES;
use super::note_write::require_not_misfiled;
use super::reading::ReadNote;
use super::reply::CHRONOLOGY_SHOW;
use super::reply::ChronologyEntry;
use super::reply::ChronologyReply;
use super::reply::DECISION_LIST;
use super::reply::DecisionListReply;
use super::reply::DecisionRow;
use super::reply::NOTE_HISTORY;
use super::reply::NOTE_LIST;
use super::reply::NoteHead;
use super::reply::NoteHistoryReply;
use super::reply::NoteListReply;
use super::reply::NoteRow;
use super::reply::NoteShowReply;
use super::reply::NoteView;
use super::reply::QuoteRow;
use super::reply::SegmentHead;
use super::reply::UnopenedRow;
use super::reply::Withdrawal;
use super::reply::keep_only;
use super::request::ChronologyRequest;
use super::request::DecisionListRequest;
use super::request::NoteHistoryRequest;
use super::request::NoteListRequest;
use super::request::NoteShowRequest;
use super::request::ReadPurpose;
use super::templates;
use crate::store::ReadTx;
use crate::store::StoredRecord;
use jiff::civil::Date;
use std::collections::HashMap;
use vault_core::check::Check;
use vault_core::id::CaseId;
use vault_core::id::MemberId;
use vault_core::id::RecordId;
use vault_core::note::Note;
use vault_core::note::Segment;
use vault_core::note::SegmentKind;
use vault_core::note::chronology;
use vault_core::note::client::Client;
use vault_core::note::client::short_names;
use vault_core::note::decision;
use vault_core::note::gap;
use vault_core::note::mark::Marks;
use vault_core::note::people;
use vault_core::note::when::Lag;
use vault_core::note::when::Moment;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::event::ErasureGround;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::StreamId;

/// Characters of a note's first words in a list.
const SUMMARY_CHARS: usize = 72;

/// Notes that were opened, and what was not.
type Notes = (Vec<ReadNote>, Vec<UnopenedRow>);

impl Session {
    /// Shows one note.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Withdrawn`], [`SessionError::LogFailed`].
    pub fn note_show(&mut self, request: NoteShowRequest) -> Result<NoteShowReply> {
        let (case, record) = self.store.read(|tx| self.holder.resolve_note(tx, &request.note))?;
        let logged = self.log_records(AccessOperation::Open, case, &[record], None, &request.purpose)?;
        let holder = &self.holder;
        self.store.read(|tx| {
            let keys = holder.case_keys(tx, case)?;
            let read = holder.read_note(tx, &keys, record, request.version, &logged)?;
            holder.require_note_named(&request.note, &read)?;
            if !request.misfiled {
                let newest = match request.version {
                    None => None,
                    Some(_) => Some(holder.read_note(tx, &keys, record, None, &logged)?),
                };
                require_not_misfiled(newest.as_ref().unwrap_or(&read))?;
            }
            let mut before = match read.version {
                1 => None,
                _ if request.clean => None,
                version => {
                    let at = |number| holder.read_note(tx, &keys, record, Some(number), &logged);
                    let mut before = at(version - 1)?;
                    // Of a misfiled note the answer to its question is a version without words too: shown are the last ones.
                    while read.note.misfiled.is_some() && before.note.misfiled.is_some() && before.version > 1 {
                        before = at(before.version - 1)?;
                    }
                    Some(before.note)
                }
            };
            let mut beside = Vec::new();
            for other in holder.read_beside(tx, &keys, &read, &logged)? {
                let mut view = holder.named_view(tx, case, other)?;
                if !request.only.is_empty() {
                    view.keep_only(&request.only);
                }
                beside.push(view);
            }
            let label = holder.case_label(tx, &keys, &logged)?;
            let detached = read.note.detached.clone();
            let asked = templates::gap_of_case(templates::oversight()?, &read.note, label.template.as_deref());
            let mut view = holder.named_view(tx, case, read)?;
            view.head.label = label.label;
            view.head.incomplete.extend(asked.map(|gap| gap.to_string()));
            let left_out_kinds = if request.only.is_empty() {
                Vec::new()
            } else {
                // What was left out must not come back as the old version's words, struck.
                if let Some(before) = &mut before {
                    keep_only(before, &request.only);
                }
                view.keep_only(&request.only)
            };
            let mut attachments = attachment::views(&holder.attached(tx, &keys, record, &logged)?, &detached);
            // The head says that they were taken off.
            attachments.retain(|view| view.removed.is_none());
            let unopened = logged.unopened().into_iter();
            let unopened = unopened.map(|row| format!("{} does not open: {} (CHK-{:02})", row.of, row.why, row.check));
            view.head.incomplete.extend(unopened);
            Ok(NoteShowReply {
                view,
                beside,
                before,
                left_out: left_out_kinds.iter().map(|left| left.segments).sum(),
                left_out_kinds,
                attachments,
            })
        })
    }

    /// Shows every version of a note.
    ///
    /// # Errors
    /// As [`Session::note_show`].
    pub fn note_history(&mut self, request: NoteHistoryRequest) -> Result<NoteHistoryReply> {
        let (case, record) = self.store.read(|tx| self.holder.resolve_note(tx, &request.note))?;
        let logged = self.log_records(AccessOperation::History, case, &[record], None, &request.purpose)?;
        let holder = &self.holder;
        self.store.read(|tx| {
            let keys = holder.case_keys(tx, case)?;
            if let Some(withdrawn) = holder.withdrawal(tx, &keys, record, &logged)? {
                return Ok(NoteHistoryReply {
                    schema: NOTE_HISTORY,
                    note: record.handle(),
                    case: case.handle(),
                    external_id: None,
                    versions: Vec::new(),
                    withdrawn: Some(withdrawn),
                });
            }
            let count = tx.versions(record)?.len();
            let mut versions = Vec::with_capacity(count);
            for number in 1..=u32::try_from(count).unwrap_or(u32::MAX) {
                let read = holder.read_note(tx, &keys, record, Some(number), &logged)?;
                holder.require_note_named(&request.note, &read)?;
                versions.push(holder.named_view(tx, case, read)?);
            }
            let external_id = versions.first().and_then(|v| v.head.external_id.clone());
            let (note, case) = (record.handle(), case.handle());
            Ok(NoteHistoryReply {
                schema: NOTE_HISTORY,
                note,
                case,
                external_id,
                versions,
                withdrawn: None,
            })
        })
    }

    /// Lists the notes of a case.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Unknown`], [`SessionError::LogFailed`].
    pub fn note_list(&mut self, request: NoteListRequest) -> Result<NoteListReply> {
        if let Some(kind) = &request.kind {
            templates::require_kind(templates::load()?, kind)?;
        }
        let (case, label, mut notes, unopened) = self.read_with_hidden(&request.case, "notes", &request.purpose)?;
        let others = people::named(None, notes.iter().map(|read| &read.note));
        let short = short_names(label.label.as_deref(), None, others.iter().map(String::as_str));
        let client = Client {
            words: templates::client_words(label.template.as_deref()),
            name: label.label.as_deref(),
            short: &short,
        };
        let external_id = label.external_id.clone();
        let misfiled = notes.iter().filter(|read| read.note.misfiled.is_some()).count();
        let withdrawn = self.store.read(|tx| withdrawals(tx, StreamId::case(case)))?;
        notes.retain(|read| request.all || read.note.misfiled.is_some() == request.misfiled);
        notes.sort_by_key(|n| n.note.occurred_at.as_ref().map(Moment::instant));
        let today = clock::today();
        let quoted = notes
            .iter()
            .filter(|n| quotes(&n.note).any(|s| s.speaker.as_deref().is_some_and(|who| client.is(who))))
            .filter_map(|n| day_of(&n.note))
            .max();
        let days_since_quoted = quoted
            .and_then(|day| day.until(today).ok())
            .map(|span| i64::from(span.get_days()));
        let rules = templates::oversight()?;
        let asked = |note: &Note| templates::gap_of_case(rules, note, label.template.as_deref());
        let rows = notes.into_iter().filter(|read| {
            let note = &read.note;
            let day = day_of(note);
            request.kind.as_ref().is_none_or(|kind| note.kind == *kind)
                && request.section.as_ref().is_none_or(|section| touches(note, section))
                && request.since.is_none_or(|since| day.is_some_and(|day| day >= since))
                && request.until.is_none_or(|until| day.is_some_and(|day| day <= until))
                && (!request.quotes || quotes(note).next().is_some())
                && (!request.incomplete || !gap::gaps_by(note, clock::here).is_empty() || asked(note).is_some())
        });
        let rows = rows.map(|read| {
            let gap = asked(&read.note);
            let mut row = self.holder.row(case, read, request.quotes);
            row.head.incomplete.extend(gap.map(|gap| gap.to_string()));
            row
        });
        let notes = rows.collect();
        Ok(NoteListReply {
            schema: NOTE_LIST,
            case: case.handle(),
            external_id,
            notes,
            misfiled: u64::try_from(misfiled).unwrap_or(u64::MAX),
            withdrawn,
            days_since_quoted,
            unopened,
        })
    }

    /// Shows what was significant, in the order in which it happened.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::LogFailed`].
    pub fn chronology_show(&mut self, request: ChronologyRequest) -> Result<ChronologyReply> {
        if let Some(kind) = &request.kind {
            templates::require_kind(templates::load()?, kind)?;
        }
        let (case, external_id, (notes, unopened)) = self.read_whole(&request.case, "chronology", &request.purpose)?;
        let externals = externals(&notes);
        let mut entries = Vec::new();
        for read in &notes {
            let day = day_of(&read.note);
            let after = request.since.is_none_or(|since| day.is_some_and(|day| day >= since));
            let before = request.until.is_none_or(|until| day.is_some_and(|day| day <= until));
            let of_kind = request.kind.as_ref().is_none_or(|kind| read.note.kind == *kind);
            if after && before && of_kind {
                let handle = read.record.handle();
                entries.extend(chronology::entries(
                    &read.note,
                    &handle,
                    read.version,
                    LAG_LIMIT_MINUTES,
                ));
            }
        }
        chronology::sort(&mut entries);
        let holder = &self.holder;
        let signers = self.store.read(|tx| {
            let named = notes
                .iter()
                .map(|read| Ok((read.record.handle(), holder.signer_beside_worker(tx, read)?)));
            named.collect::<Result<HashMap<_, _>>>()
        })?;
        let entries = entries.into_iter().map(|entry| {
            let external_id = externals.get(&entry.note).cloned();
            let signer = signers.get(&entry.note).cloned().flatten();
            ChronologyEntry {
                entry,
                external_id,
                signer,
            }
        });
        let (case, entries) = (case.handle(), entries.collect());
        Ok(ChronologyReply {
            schema: CHRONOLOGY_SHOW,
            case,
            external_id,
            entries,
            unopened,
        })
    }

    /// Lists decisions, the incomplete ones first.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::LogFailed`].
    pub fn decision_list(&mut self, request: DecisionListRequest) -> Result<DecisionListReply> {
        let (case, external_id, (notes, unopened)) = self.read_whole(&request.case, "decisions", &request.purpose)?;
        let externals = externals(&notes);
        let mut decisions: Vec<_> = notes
            .iter()
            .filter(|read| {
                let day = day_of(&read.note);
                request.since.is_none_or(|since| day.is_some_and(|day| day >= since))
                    && request.until.is_none_or(|until| day.is_some_and(|day| day <= until))
            })
            .flat_map(|read| decision::decisions(&read.note, &read.record.handle(), read.version))
            .filter(|decision| !request.incomplete || !decision.incomplete.is_empty())
            .collect();
        decision::sort(&mut decisions);
        let decisions = decisions.into_iter().map(|decision| {
            let external_id = externals.get(&decision.note).cloned();
            DecisionRow { decision, external_id }
        });
        let (case, decisions) = (case.handle(), decisions.collect());
        Ok(DecisionListReply {
            schema: DECISION_LIST,
            case,
            external_id,
            decisions,
            unopened,
        })
    }

    /// Logs a list of a case's notes, and opens all that are not hidden; with the case's external id.
    fn read_whole(
        &mut self,
        case: &str,
        scope: &str,
        purpose: &ReadPurpose,
    ) -> Result<(CaseId, Option<String>, Notes)> {
        let (case, label, notes, unopened) = self.read_case_named(case, scope, purpose)?;
        Ok((case, label.external_id, (notes, unopened)))
    }

    /// As [`Self::read_whole`], with the case's label.
    pub(super) fn read_case_named(
        &mut self,
        case: &str,
        scope: &str,
        purpose: &ReadPurpose,
    ) -> Result<(CaseId, Label, Vec<ReadNote>, Vec<UnopenedRow>)> {
        let (case, label, mut notes, unopened) = self.read_with_hidden(case, scope, purpose)?;
        notes.retain(|read| read.note.misfiled.is_none());
        Ok((case, label, notes, unopened))
    }

    /// Logs a list of a case's notes, and opens them all; with what of them does not open.
    fn read_with_hidden(
        &mut self,
        case: &str,
        scope: &str,
        purpose: &ReadPurpose,
    ) -> Result<(CaseId, Label, Vec<ReadNote>, Vec<UnopenedRow>)> {
        let named = case;
        let case = self.store.read(|tx| self.holder.resolve_case(tx, named))?;
        let logged = self.log_records(AccessOperation::List, case, &[], Some(scope), purpose)?;
        let holder = &self.holder;
        self.store.read(|tx| {
            let keys = holder.case_keys_before_walk(tx, case)?;
            let label = match holder.case_label(tx, &keys, &logged) {
                Err(error) if missed::bad(&error).is_some() => Label::unknown(),
                label => label?,
            };
            if label.external_id.is_some() || logged.unopened().is_empty() {
                holder.require_case_named(named, case, label.external_id.as_deref())?;
            }
            let notes = holder.read_case_with_hidden(tx, &keys, &logged)?;
            Ok((case, label, notes, logged.unopened()))
        })
    }

    pub(super) fn log_records(
        &mut self,
        operation: AccessOperation,
        case: CaseId,
        records: &[RecordId],
        scope: Option<&str>,
        purpose: &ReadPurpose,
    ) -> Result<Logged> {
        self.log(&Intent {
            operation,
            case: Some(case),
            records,
            scope,
            purpose,
        })
    }
}

impl Holder {
    /// Tells how a note was taken back, if it was: by the erasure that names it, and when by the log of who did.
    fn withdrawal(
        &self,
        tx: &ReadTx<'_>,
        keys: &CaseKeys,
        record: RecordId,
        logged: &Logged,
    ) -> Result<Option<Withdrawal>> {
        let versions = tx.versions(record)?;
        let gone = versions
            .first()
            .filter(|_| versions.iter().all(StoredRecord::is_erased));
        let Some(first) = gone else { return Ok(None) };
        keys.require_not_lost(first)?;
        let hash = first.hash()?;
        let mut found = None;
        for row in tx.events(keys.stream())? {
            let LinkBody::Event(placed) = &row.link.link().body else {
                continue;
            };
            if let Event::Erasure(erasure) = &placed.event
                && erasure.records.contains(&hash)
            {
                found = Some((row.link.link().device, erasure.records.len()));
            }
        }
        let (device, records) = found.ok_or_else(|| SessionError::refused(Check::BodyMissing, record.handle()))?;
        let by = self.agency.devices().get(&device).map(|known| known.member.handle());
        // The link bears no time, as no link does; the entry that was made before it does.
        let entries = self.log_of_all(tx, |_| false, logged)?.entries;
        let handle = record.handle();
        let entry = entries
            .into_iter()
            .rev()
            .map(|(_, entry)| entry)
            .find(|e| e.scope.as_deref() == Some("withdraw") && e.records.contains(&handle));
        Ok(Some(Withdrawal {
            at: entry.and_then(|entry| entry.at),
            by: by.unwrap_or_else(|| device.handle()),
            records: u64::try_from(records).unwrap_or(u64::MAX),
        }))
    }

    /// As [`Self::view`], with the worker and the signer by name, to be shown.
    fn named_view(&self, tx: &ReadTx<'_>, case: CaseId, read: ReadNote) -> Result<NoteView> {
        let signed_by = read.signed_by;
        let mut view = self.view(tx, case, read)?;
        let worker = view.content.worker.as_deref();
        let worker = worker.and_then(|worker| worker.parse::<MemberId>().ok());
        let settings = self.settings(tx)?.settings;
        let named = |member| settings.named(member, self.founder());
        view.head.worker_named = worker.map(named);
        view.head.signed_by_named = Some(named(signed_by));
        Ok(view)
    }

    /// Puts a note's head before what it says.
    pub(super) fn view(&self, tx: &ReadTx<'_>, case: CaseId, read: ReadNote) -> Result<NoteView> {
        Ok(NoteView {
            head: NoteHead {
                signer: self.signer_beside_worker(tx, &read)?,
                ..self.head(case, &read)
            },
            content: read.note,
        })
    }

    /// Names who signed a note that was written for somebody else: `NAME (m-…)`. What was imported says so itself.
    pub(super) fn signer_beside_worker(&self, tx: &ReadTx<'_>, read: &ReadNote) -> Result<Option<String>> {
        let signs = signs_for_another(read);
        signs.then(|| self.member_named(tx, read.signed_by)).transpose()
    }

    pub(super) fn head(&self, case: CaseId, read: &ReadNote) -> NoteHead {
        let note = &read.note;
        let lag = match (&note.occurred_at, note.recorded_at()) {
            (Some(occurred), Some(recorded)) => Some(Lag::between(occurred, note.duration_minutes, recorded)),
            _ => None,
        };
        let imported = note.imported.as_ref();
        let text = |moment: &Moment| moment.as_str().to_owned();
        NoteHead {
            note: read.record.handle(),
            case: case.handle(),
            external_id: imported.and_then(|i| i.note.clone()),
            external_case: imported.and_then(|i| i.case.clone()),
            version: read.version,
            versions: read.versions,
            beside: read.beside,
            occurred_at: note.occurred_at.as_ref().map(text),
            recorded_at: note.recorded_at().map(text),
            lag: lag.map(|lag| lag.to_string()),
            lag_minutes: lag.map(Lag::minutes),
            author: note.author().map(str::to_owned),
            role: None,
            signed_by: read.signed_by.handle(),
            signer: None,
            worker_named: None,
            label: None,
            signed_by_named: None,
            attribution: imported.map(|i| match &i.author {
                Some(author) => format!("imported, not signed by {author}"),
                None => "imported, not signed by its author".to_owned(),
            }),
            incomplete: gap::gaps_by(note, clock::here)
                .iter()
                .map(ToString::to_string)
                .collect(),
        }
    }

    fn row(&self, case: CaseId, read: ReadNote, with_quotes: bool) -> NoteRow {
        let head = self.head(case, &read);
        let note = read.note;
        let quotes = with_quotes.then(|| {
            let rows = quotes(&note);
            rows.map(|s| QuoteRow {
                n: s.n,
                speaker: s.speaker.clone(),
                text: s.text.clone(),
                marks: Marks::of(s),
            })
            .collect()
        });
        NoteRow {
            head,
            summary_of: beginning(&note).map(SegmentHead::of),
            summary: summary(&note),
            segments: note.segments.len(),
            kind: note.kind,
            section: note.section,
            misfiled: note.misfiled.is_some(),
            quotes,
        }
    }
}

/// Counts the notes of a stream that were taken back: each in an erasure of its own.
fn withdrawals(tx: &ReadTx<'_>, stream: StreamId) -> Result<u64> {
    let mut count = 0;
    for row in tx.events(stream)? {
        if let LinkBody::Event(placed) = &row.link.link().body
            && let Event::Erasure(erasure) = &placed.event
            && erasure.ground == ErasureGround::Withdrawn
        {
            count += 1;
        }
    }
    Ok(count)
}

fn quotes(note: &Note) -> impl Iterator<Item = &Segment> {
    note.segments.iter().filter(|s| s.kind == SegmentKind::Quote)
}

fn touches(note: &Note, section: &str) -> bool {
    let own = note.section.as_deref().unwrap_or(vault_core::note::split::CORE);
    own == section || note.segments.iter().any(|s| s.section.as_deref() == Some(section))
}

/// The day on which it happened, as it is shown: by the asker's clock.
pub(super) fn day_of(note: &Note) -> Option<Date> {
    note.occurred_at.as_ref().map(|at| at.day(&clock::zone()))
}

fn externals(notes: &[ReadNote]) -> HashMap<String, String> {
    let named = notes
        .iter()
        .filter_map(|n| Some((n.record.handle(), n.note.imported.as_ref()?.note.clone()?)));
    named.collect()
}

/// The segment that a note begins with, in a list.
pub(super) fn beginning(note: &Note) -> Option<&Segment> {
    note.segments.iter().find(|s| !s.text.trim().is_empty())
}

/// The first words of a note, on one line.
pub(super) fn summary(note: &Note) -> String {
    let first = beginning(note).map(|s| s.text.as_str()).unwrap_or_default();
    let words = first.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(SUMMARY_CHARS) {
        Some((cut, _)) => format!("{}…", words.get(..cut).unwrap_or_default().trim_end()),
        None => words,
    }
}

/// Tells whether a note was signed by somebody else than the worker whom it names.
pub(super) fn signs_for_another(read: &ReadNote) -> bool {
    let worker = read.note.worker.as_deref().filter(|_| read.note.imported.is_none());
    let signer = read.signed_by;
    worker.is_some_and(|worker| worker != signer.to_string() && worker != signer.handle())
}
