//! Cases: open, list, show, close.

use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::case_keys::CaseKeys;
use super::case_record;
use super::case_record::CLOSED;
use super::case_record::Label;
use super::case_record::OPEN;
use super::case_record::PROFILE;
use super::case_record::Profile;
use super::clock;
use super::logging::Intent;
use super::random;
use super::reading::CaseRecords;
use super::reading::ReadNote;
use super::refused;
use super::reply::CASE_CLOSE;
use super::reply::CASE_LIST;
use super::reply::CASE_OPEN;
use super::reply::CASE_REOPEN;
use super::reply::CaseCloseReply;
use super::reply::CaseListReply;
use super::reply::CaseOpenReply;
use super::reply::CaseReopenReply;
use super::reply::CaseRow;
use super::request::CaseCloseRequest;
use super::request::CaseListRequest;
use super::request::CaseOpenRequest;
use super::request::CaseReopenRequest;
use super::request::ReadPurpose;
use super::server;
use super::templates;
use super::writing::Version;
use crate::store::WriteTx;
use jiff::civil::Date;
use vault_core::id::CaseId;
use vault_core::id::RecordId;
use vault_core::note::Note;
use vault_core::note::NoteKind;
use vault_core::note::Segment;
use vault_core::note::SegmentKind;
use vault_core::note::extra::Extra;
use vault_core::note::extra::RawJson;
use vault_core::note::line;
use vault_core::note::line::CaseLine;
use vault_core::note::line::Closing;
use vault_core::note::line::Line;
use vault_core::note::line::Reopening;
use vault_core::note::plan;
use vault_core::note::plan::Step;
use vault_core::note::spelling;
use vault_core::note::split;
use vault_core::opening;
use vault_core::opening::fresh_id;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamId;

impl Session {
    /// Opens a case, and tells which others of the caseload are called so.
    ///
    /// # Errors
    /// [`SessionError::NotFound`] for the template, [`SessionError::Malformed`] for the profile,
    /// [`SessionError::Conflict`] where its external id is here already.
    pub fn case_open(&mut self, request: CaseOpenRequest) -> Result<CaseOpenReply> {
        let set = templates::load()?;
        let template = templates::find(set, &request.template)?;
        let mut line = read_profile(&request.profile)?;
        let unknown = spelling::case(&line).map_err(|slip| SessionError::misspelt(&slip, &request.profile))?;
        line.template = Some(template.id.clone());
        let today = clock::today();
        let named = request.opened.map(|day| day.to_string());
        line.opened = named.or(line.opened).or_else(|| Some(today.to_string()));
        let external_id = Some(line.case.clone()).filter(|id| !id.is_empty());
        let name = Label::of(&line, None).label.unwrap_or_default();
        let same_name = self.namesakes(&[name], &ReadPurpose::default())?;
        let keys = self.write(|holder, tx| holder.put_case(tx, &line, external_id.as_deref(), Some(template.version)));
        let case = keys?.state.case();
        Ok(CaseOpenReply {
            schema: CASE_OPEN,
            case: case.handle(),
            id: case.to_string(),
            external_id,
            template: template.id.clone(),
            template_version: template.version,
            same_name,
            unknown_fields: unknown,
        })
    }

    /// Lists one's own caseload.
    ///
    /// # Errors
    /// [`SessionError::LogFailed`], [`SessionError::Refused`].
    pub fn case_list(&mut self, request: CaseListRequest) -> Result<CaseListReply> {
        let logged = self.log_overview("cases", &request.purpose)?;
        let mut cases = self.store.read(|tx| -> Result<Vec<CaseRow>> {
            let labels = self.holder.labels(tx, &logged)?;
            let of_server = server::kept::Apart::load(tx)?;
            let mut cases = Vec::with_capacity(labels.len());
            for (case, (label, misfiled)) in labels {
                let stream = StreamId::case(case);
                let misfiled = u64::try_from(misfiled).unwrap_or(u64::MAX);
                let notes = tx.count_notes(stream)?.saturating_sub(misfiled);
                let mut row = row_of(case, label, notes);
                of_server.tell(case, &mut row);
                cases.push(row);
            }
            Ok(cases)
        })?;
        if let Some(status) = &request.status {
            cases.retain(|case| case.status == *status);
        }
        Ok(CaseListReply {
            schema: CASE_LIST,
            cases,
            unopened: logged.unopened(),
        })
    }

    /// Closes a case.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Closed`]; [`SessionError::Unknown`] for a reason that the case's template
    /// does not list.
    pub fn case_close(&mut self, request: CaseCloseRequest) -> Result<CaseCloseReply> {
        let case = self.store.read(|tx| self.holder.resolve_case(tx, &request.case))?;
        let today = clock::today();
        let closed = request.on.unwrap_or(today).to_string();
        let purpose = ReadPurpose::default();
        let (_, _, notes, _) = self.read_case_named(&request.case, "plans", &purpose)?;
        let undone = undone(&notes, today);
        let logged = self.log(&Intent {
            operation: AccessOperation::Open,
            case: Some(case),
            records: &[],
            scope: Some("label"),
            purpose: &purpose,
        })?;
        let written = self.write(|holder, tx| {
            let mut keys = holder.case_keys(tx, case)?;
            let mut records = holder.case_records_to_amend(tx, &keys, &logged)?;
            let external = records.label.external_id.as_deref();
            holder.require_case_named(&request.case, case, external)?;
            if records.label.status == CLOSED {
                return Err(SessionError::Closed { case: case.handle() });
            }
            if let Some(reason) = &request.reason {
                templates::require_closing(templates::load()?, records.label.template.as_deref(), reason)?;
            }
            if let Some(opened) = records
                .label
                .opened
                .as_deref()
                .filter(|opened| *opened > closed.as_str())
            {
                return Err(SessionError::conflict(
                    format!("{closed} is before the case was opened, {opened}"),
                    "name the day with `--on DAY`, or correct the other with `casevault case amend CASE --opened DAY`",
                ));
            }
            holder.rotate(tx, &mut keys)?;
            let note = match &request.outcome {
                Some(outcome) => Some(
                    holder
                        .put_note(tx, &mut keys, label_note("Outcome", outcome)?, None)?
                        .record
                        .handle(),
                ),
                None => None,
            };
            records.label.status = CLOSED.to_owned();
            records.label.closed = Some(closed.clone());
            let closing = Closing {
                on: closed.clone(),
                reason: request.reason.clone(),
                outcome: request.outcome.as_deref().map(|outcome| outcome.trim().to_owned()),
            };
            let bug = |e: vault_core::note::NoteError| SessionError::Bug(e.to_string());
            records.profile.line.close(&closing).map_err(bug)?;
            holder.put_case_version(tx, &keys, records)?;
            Ok(note)
        });
        Ok(CaseCloseReply {
            schema: CASE_CLOSE,
            case: case.handle(),
            status: CLOSED.to_owned(),
            closed,
            note: written?,
            undone,
        })
    }
}

impl Session {
    /// Opens a closed case again: its label and a version of its profile say so, and a note holds why.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Conflict`] for a case that is not closed or a day before its closing,
    /// [`SessionError::Malformed`] without a reason.
    pub fn case_reopen(&mut self, request: CaseReopenRequest) -> Result<CaseReopenReply> {
        let reason = request.reason.trim();
        if reason.is_empty() {
            return Err(SessionError::Malformed {
                line: 1,
                column: 1,
                why: "the reason is empty".to_owned(),
            });
        }
        let case = self.store.read(|tx| self.holder.resolve_case(tx, &request.case))?;
        let day = request.on.unwrap_or_else(clock::today);
        let purpose = ReadPurpose::default();
        let logged = self.log(&Intent {
            operation: AccessOperation::Open,
            case: Some(case),
            records: &[],
            scope: Some("label"),
            purpose: &purpose,
        })?;
        let (note, closed) = self.write(|holder, tx| {
            let mut keys = holder.case_keys(tx, case)?;
            let mut records = holder.case_records_to_amend(tx, &keys, &logged)?;
            let external = records.label.external_id.as_deref();
            holder.require_case_named(&request.case, case, external)?;
            if records.label.status != CLOSED {
                let what = format!("case {} is not closed", case.handle());
                return Err(SessionError::conflict(
                    what,
                    "it takes notes as it is: `casevault note add`",
                ));
            }
            let closed = records.label.closed.take();
            if closed.as_ref().is_some_and(|closed| *closed > day.to_string()) {
                let closed = closed.unwrap_or_default();
                return Err(SessionError::conflict(
                    format!("{day} is before the case was closed, {closed}"),
                    "name the day with `--on DAY`",
                ));
            }
            holder.rotate(tx, &mut keys)?;
            let words = match &closed {
                Some(closed) => format!("Opened again; it was closed on {closed}. {reason}"),
                None => format!("Opened again. {reason}"),
            };
            let note = holder.put_note(tx, &mut keys, label_note("Reopening", &words)?, None)?;
            records.label.status = OPEN.to_owned();
            let reopening = Reopening {
                on: day.to_string(),
                note: note.record.handle(),
            };
            let bug = |e: vault_core::note::NoteError| SessionError::Bug(e.to_string());
            records.profile.line.reopen(&reopening).map_err(bug)?;
            holder.put_case_version(tx, &keys, records)?;
            Ok((note.record, closed))
        })?;
        Ok(CaseReopenReply {
            schema: CASE_REOPEN,
            case: case.handle(),
            status: OPEN.to_owned(),
            reopened: day.to_string(),
            closed,
            note: note.handle(),
        })
    }
}

impl Holder {
    /// Appends a new case: its opening, its label, its profile.
    pub(super) fn put_case(
        &self,
        tx: &mut WriteTx<'_>,
        line: &CaseLine,
        external_id: Option<&str>,
        template_version: Option<u32>,
    ) -> Result<CaseKeys> {
        if let Some(external) = external_id
            && tx.lookup("case", external)?.is_some()
        {
            return Err(SessionError::conflict(
                format!("there is a case `{external}` already"),
                format!("`casevault case show {external}` shows it; a new one takes another id"),
            ));
        }
        let case = CaseId(fresh_id(&mut random::os()));
        let stream = StreamId::case(case);
        let mut keys = CaseKeys::new(self.agency.id(), case, self.own_refs());
        let (change, opened) =
            opening::open_case(&self.agency, stream, self.member, &mut random::os()).map_err(refused(stream))?;
        self.append_membership(tx, &mut keys, Event::CaseOpened, change, opened, &[])?;
        let label = case_record::to_json(&Label::of(line, external_id))?;
        let version = Version::first(RecordId(fresh_id(&mut random::os())));
        let placed = self.seal(&keys, RecordClass::Admin, Section::INDEX, version, &label)?;
        self.append_record(tx, &placed, false)?;
        let profile = Profile {
            schema: PROFILE.to_owned(),
            external_id: external_id.map(str::to_owned),
            template_version,
            at: Some(clock::moment(clock::now()).as_str().to_owned()),
            line: line.clone(),
        };
        let version = Version::first(RecordId(fresh_id(&mut random::os())));
        let placed = self.seal(
            &keys,
            RecordClass::Admin,
            Section::CORE,
            version,
            &case_record::to_json(&profile)?,
        )?;
        let pos = self.append_record(tx, &placed, false)?;
        if let Some(external) = external_id {
            tx.index("case", external, case_content(line)?.as_bytes(), pos)?;
        }
        Ok(keys)
    }
}

impl Holder {
    /// Appends label and profile of a case as they are now, each as a new version.
    pub(super) fn put_case_version(&self, tx: &mut WriteTx<'_>, keys: &CaseKeys, records: CaseRecords) -> Result<()> {
        let CaseRecords {
            label,
            label_at: (record, number, hash),
            mut profile,
            profile_at,
        } = records;
        let payload = case_record::to_json(&label)?;
        let version = Version::after(record, number, hash);
        let placed = self.seal(keys, RecordClass::Admin, Section::INDEX, version, &payload)?;
        self.append_record(tx, &placed, false)?;
        profile.at = Some(clock::moment(clock::now()).as_str().to_owned());
        let payload = case_record::to_json(&profile)?;
        let (record, number, hash) = profile_at;
        let version = Version::after(record, number, hash);
        let placed = self.seal(keys, RecordClass::Admin, Section::CORE, version, &payload)?;
        let pos = self.append_record(tx, &placed, false)?;
        if let Some(external) = &profile.external_id {
            tx.index("case", external, case_content(&profile.line)?.as_bytes(), pos)?;
        }
        Ok(())
    }
}

/// Returns what makes two lines of a case the same: its canonical line.
pub(super) fn case_content(line: &CaseLine) -> Result<String> {
    line::print(&Line::Case(line.clone())).map_err(|e| SessionError::Bug(e.to_string()))
}

/// Returns the steps that nobody has carried out, the most pressing first.
pub(super) fn undone(notes: &[ReadNote], today: Date) -> Vec<Step> {
    let steps = notes
        .iter()
        .flat_map(|read| plan::steps(&read.note, &read.record.handle(), read.version, today));
    let mut undone: Vec<Step> = steps.filter(|step| step.done.is_none()).collect();
    undone.sort_by(plan::order);
    undone
}

/// Reads a profile: the case as an import line has it, or the bare fields of the client.
fn read_profile(text: &str) -> Result<CaseLine> {
    let malformed = |e: serde_json::Error| SessionError::Malformed {
        line: e.line(),
        column: e.column(),
        why: format!("the profile: {e}"),
    };
    let value: serde_json::Value = serde_json::from_str(text).map_err(malformed)?;
    let Some(fields) = value.as_object() else {
        return Err(SessionError::Malformed {
            line: 1,
            column: 1,
            why: "the profile is not a JSON object".to_owned(),
        });
    };
    let is_line = fields.get("profile").is_some_and(serde_json::Value::is_object);
    if is_line {
        let mut fields = fields.clone();
        fields.entry("type").or_insert_with(|| "case".into());
        fields.entry("case").or_insert_with(|| "".into());
        let text = serde_json::to_string(&fields).map_err(malformed)?;
        return match line::parse(&text) {
            Ok(Line::Case(line)) => Ok(line),
            Ok(_) => Err(SessionError::Malformed {
                line: 1,
                column: 1,
                why: "this is not a case".to_owned(),
            }),
            Err(e) => Err(SessionError::Malformed {
                line: e.line,
                column: e.column,
                why: format!("{}: {}", e.field, e.why),
            }),
        };
    }
    // Field by field as it was typed, so that numbers keep their digits.
    let fields: Extra = serde_json::from_str(text).map_err(malformed)?;
    let profile = RawJson::from_value(&fields).map_err(malformed)?;
    Ok(CaseLine {
        profile: Some(profile),
        ..CaseLine::default()
    })
}

pub(super) fn row_of(case: CaseId, label: Label, notes: u64) -> CaseRow {
    CaseRow {
        case: case.handle(),
        external_id: label.external_id,
        status: label.status,
        notes,
        label: label.label,
        name: label.name,
        flags: label.flags,
        opened: label.opened,
        template: label.template,
        worker: label.worker,
        left: false,
        behind: false,
    }
}

/// The note that holds why a case ended, or goes on.
fn label_note(heading: &str, words: &str) -> Result<Note> {
    let kind = NoteKind::new(NoteKind::OTHER).ok_or_else(|| SessionError::Bug("kind of note".to_owned()))?;
    let mut note = Note::new(kind);
    let mut segment = Segment::new(1, SegmentKind::Narrative, words.trim());
    segment.heading = Some(heading.to_owned());
    segment.significant = true;
    note.segments.push(segment);
    note.occurred_at = Some(clock::moment(clock::now()));
    note.template = Some(templates::DEFAULT.to_owned());
    note.section = Some(split::CORE.to_owned());
    Ok(note)
}
