//! A note as typed becomes a typed note: text or JSON told apart by content, read under its template.
//!
//! Pure: the templates, the case's own template and the present moment come in as arguments. What the flags say goes
//! before what the text says, and that before the case's defaults.

use casevault_policies::{Set, Template};
use jiff::civil::Date;
use vault_core::note::client::Client;
use vault_core::note::text::{self, Heading, Outline, TextError};
use vault_core::note::when::{self, Now};
use vault_core::note::{Names, Note, NoteKind, Segment, SegmentKind, json, spelling, split};

use crate::session::SessionError;
use crate::session::request::NoteInput;

pub(crate) mod hiding;
pub(crate) mod seen;

/// Reads a new note. Its id is left empty; it is authored now.
///
/// # Errors
/// [`SessionError::Malformed`] with line and column, [`SessionError::NotFound`] for the template,
/// [`SessionError::Unknown`] for a kind that is neither given nor any template's.
pub fn new_note(input: &NoteInput, case_template: Option<&str>, set: &Set, now: &Now) -> Result<Note, SessionError> {
    let said = other_kind(input, case_template, set)?;
    let input = &said.unwrap_or_else(|| input.clone());
    let template = choose(input, case_template, set)?;
    let mut note = parse(&input.text, template, set, now)?;
    if input.kind.is_none() && input.template.is_none() && note.kind != NoteKind::default() {
        // The text names its kind itself: read it under that kind's own template.
        if let Some(own) = set.for_kind(note.kind.as_str()) {
            note = parse(&input.text, Some(own), set, now)?;
        }
    }
    flags(&mut note, input, now)?;
    if note.occurred_at.is_none() {
        note.occurred_at = Some(time("now", now)?);
    }
    note.section.get_or_insert_with(|| split::CORE.to_owned());
    finish(note, set, now)
}

/// Reads what a note is to become. What neither flags nor text say stays as it was, ids and origin too.
///
/// # Errors
/// As [`new_note`].
pub fn amended_note(input: &NoteInput, before: &Note, set: &Set, now: &Now) -> Result<Note, SessionError> {
    let template = match (&input.template, &before.template, before.template_version) {
        (None, Some(id), Some(version)) => set.version(id, version),
        (None, Some(id), None) => set.newest(id),
        _ => choose(input, None, set)?,
    };
    // The kind is the note's own, and was perhaps given beside the text: the template's does not come back.
    let kindless = Outline {
        kind: None,
        others: titles(set),
        ..template.map(outline).unwrap_or_default()
    };
    let mut note = parse_under(&input.text, template, &kindless, now)?;
    if note.kind == NoteKind::default() {
        note.kind = before.kind.clone();
    }
    macro_rules! keep {
        ($($field:ident),+) => {$(
            if note.$field.is_none() {
                note.$field = before.$field.clone();
            }
        )+};
    }
    // Why somebody was not seen alone is no part of a note that now says that they were.
    let is_alone_after_all = note.seen_alone == Some(true) && before.seen_alone != Some(true);
    let why_not_alone = note.seen_alone_why_not.clone();
    keep!(
        template,
        template_version,
        occurred_at,
        duration_minutes,
        lag_reason,
        worker,
        entered_by,
        on_behalf_of,
        confirmed_by,
        seen,
        seen_alone,
        seen_alone_why_not,
        place,
        language,
        interpreter,
        original,
        section
    );
    if is_alone_after_all {
        note.seen_alone_why_not = why_not_alone;
    }
    if note.labels.is_empty() {
        note.labels.clone_from(&before.labels);
    }
    if note.present.is_empty() {
        note.present.clone_from(&before.present);
    }
    note.id.clone_from(&before.id);
    note.imported.clone_from(&before.imported);
    note.joined.clone_from(&before.joined);
    note.jotted_at.clone_from(&before.jotted_at);
    note.refiled.clone_from(&before.refiled);
    note.detached.clone_from(&before.detached);
    if note.extra.is_empty() {
        note.extra.clone_from(&before.extra);
    }
    flags(&mut note, input, now)?;
    finish(note, set, now)
}

/// Refuses what could be saved, where its author is asked something first.
///
/// # Errors
/// [`SessionError::Paused`].
pub fn require_not_paused(input: &NoteInput, note: &Note, set: &Set, now: &Now) -> Result<(), SessionError> {
    let plans = match input.pause_at_plans && !json::is_json(&input.text) {
        true => text::implied_plans(
            &input.text,
            &template_of(note, set).map(outline).unwrap_or_default(),
            now,
        ),
        false => Vec::new(),
    };
    match input.pause || !plans.is_empty() {
        true => Err(SessionError::Paused { plans }),
        false => Ok(()),
    }
}

/// Lists what the text of a note was taken for and may not have been meant as; nothing of JSON.
pub fn doubts(text: &str, note: &Note, set: &Set, now: &Now) -> Vec<String> {
    if json::is_json(text) {
        return Vec::new();
    }
    // A heading says of what kind is what stands under it.
    let doubts = text::doubts(text, &template_of(note, set).map(outline).unwrap_or_default(), now);
    doubts.iter().map(ToString::to_string).collect()
}

/// Lists the plans whose day is gone already, but for what was carried out and what stood in the version before.
pub fn past_due(note: &Note, before: Option<&Note>, today: Date) -> Vec<String> {
    let was_so = |step: &Segment| {
        let mut old = before.into_iter().flat_map(|before| &before.segments);
        old.any(|old| old.kind == step.kind && old.due == step.due && old.text.trim() == step.text.trim())
    };
    let plans = note
        .segments
        .iter()
        .filter(|s| s.kind == SegmentKind::Plan && s.done.is_none());
    let gone = plans.filter_map(|step| Some((step, step.due_date().filter(|due| *due < today)?)));
    let gone = gone.filter(|(step, _)| !was_so(step));
    gone.map(|(step, due)| format!("segment {}: the due date {due} is in the past", step.n))
        .collect()
}

/// Lists the plans that say in their words when they are due, and have no day: `Ring the school due tomorrow`.
pub fn due_in_words(note: &Note, now: &Now) -> Vec<String> {
    let open = note
        .segments
        .iter()
        .filter(|s| s.kind == SegmentKind::Plan && s.due.is_none() && s.done.is_none());
    let said = open.filter_map(|step| {
        let (words, day) = due_said(&step.text, now)?;
        Some(format!(
            "segment {}: `{words}` is only text there: `due: {day}` in a line of its own below the plan, with two spaces before it, \
             makes it due",
            step.n
        ))
    });
    said.collect()
}

/// Finds what a text says of when it is due, and which day that is.
fn due_said(text: &str, now: &Now) -> Option<(String, Date)> {
    const DUE: [&str; 3] = ["due", "by", "until"];
    const LONGEST: usize = 4;
    let bare = |word: &str| {
        word.trim_matches(|c: char| matches!(c, '.' | ',' | ';' | ':' | '(' | ')' | '!'))
            .to_owned()
    };
    let words: Vec<String> = text.split_whitespace().map(bare).collect();
    let marks = words
        .iter()
        .enumerate()
        .filter(|(_, word)| DUE.contains(&word.to_lowercase().as_str()));
    for (at, mark) in marks {
        let after = words.get(at + 1..).unwrap_or_default();
        let after = match after.split_first() {
            Some((first, rest)) if ["on", "by", "until"].contains(&first.to_lowercase().as_str()) => rest,
            _ => after,
        };
        for count in (1..=LONGEST.min(after.len())).rev() {
            let said = after.get(..count).unwrap_or_default().join(" ");
            if let Ok(day) = when::day(&said, now) {
                return Some((format!("{mark} {said}"), day));
            }
        }
    }
    None
}

/// Refuses `client`, and the cases' other words for it, where one text goes into several files: it would be another person
/// in each, and what one client said would stand in the other's file as that one's own words.
///
/// So is the head's `seen`, `seen-alone`, `why-not-alone` and `present: client`, where it says something else than in the version before.
///
/// # Errors
/// [`SessionError::Malformed`] where it stands.
pub fn require_clients_named(
    note: &Note,
    before: Option<&Note>,
    text: &str,
    words: &[&str],
) -> Result<(), SessionError> {
    let client = Client {
        words,
        name: None,
        short: &[],
    };
    let of_each = |names: &[String]| names.iter().any(|name| client.is_word(name));
    let heads = [
        (
            "seen",
            note.seen.is_some() && before.is_none_or(|before| before.seen != note.seen),
        ),
        (
            "seen-alone",
            note.seen_alone.is_some() && before.is_none_or(|before| before.seen_alone != note.seen_alone),
        ),
        (
            "why-not-alone",
            note.seen_alone_why_not.is_some()
                && before.is_none_or(|before| before.seen_alone_why_not != note.seen_alone_why_not),
        ),
        (
            "present",
            of_each(&note.present) && before.is_none_or(|before| before.present != note.present),
        ),
    ];
    if let Some((field, _)) = heads.into_iter().find(|(_, stands)| *stands) {
        return Err(of_each_client(field, text));
    }
    let found = note
        .segments
        .iter()
        .find_map(|segment| Some((segment, people_of(segment).find(|name| client.is_word(name))?)));
    let Some((segment, word)) = found else {
        return Ok(());
    };
    let lower = word.trim().to_lowercase();
    let word = lower.strip_prefix("the ").unwrap_or(&lower).trim_start();
    // Where a mark or a field names the client, not where the words of a text do.
    let is_mark = |line: &&(usize, &str)| {
        let line = line.1.trim_start().to_lowercase();
        let begins = ["said ", "rep ", "from:", "about:", "owner:", "by:"]
            .iter()
            .any(|mark| line.starts_with(mark));
        line.contains(word) && (begins || line.contains("{about") || line.contains("{from") || line.contains('\"'))
    };
    let lines: Vec<(usize, &str)> = (1..).zip(text.lines()).collect();
    let (line, at) = lines.iter().find(is_mark).copied().unwrap_or((1, ""));
    Err(SessionError::Malformed {
        line,
        column: at.to_lowercase().find(word).map_or(1, |at| at + 1),
        why: format!(
            "`{word}` in segment {} is another person in each of the cases: write the name, as in `said Elin Farrow:`",
            segment.n
        ),
    })
}

/// Refuses a field of the head that speaks of the client, who is another person in each of the cases.
fn of_each_client(field: &str, text: &str) -> SessionError {
    let names: &[&str] = match field {
        "why-not-alone" => &["why-not-alone", "why-not", "seen-alone-why-not"],
        _ => &[field],
    };
    let is_field = |line: &str| {
        let name = line
            .trim_start()
            .trim_start_matches(['"', '{'])
            .replace('_', "-")
            .to_lowercase();
        let mut rest = names.iter().filter_map(|field| name.strip_prefix(field));
        rest.any(|rest| rest.starts_with([':', '"']))
    };
    let line = (1..).zip(text.lines()).find(|(_, line)| is_field(line));
    let why = match field {
        "present" => "the client in `present` is another person in each of the cases: write the names".to_owned(),
        field => format!(
            "`{field}` speaks of another person in each of the cases: say it of each by name, as `seen: Ada alone; Ben with \
             mother`, or leave it out: of a note that is there it stays in each file as it is"
        ),
    };
    SessionError::Malformed {
        line: line.map_or(1, |(line, _)| line),
        column: 1,
        why,
    }
}

/// Names the people to whom a segment ascribes something.
fn people_of(segment: &Segment) -> impl Iterator<Item = &str> {
    let about = segment.about.iter().flat_map(Names::iter);
    let one = [&segment.speaker, &segment.from, &segment.owner, &segment.decided_by];
    one.into_iter().flatten().map(String::as_str).chain(about)
}

/// Tells whether what was typed says itself when it happened.
pub fn says_when(text: &str) -> bool {
    match json::is_json(text) {
        true => serde_json::from_str::<serde_json::Value>(text).is_ok_and(|note| note.get("occurred_at").is_some()),
        false => text::says_when(text),
    }
}

/// Returns what is known of a note that was begun as of one kind, and whose text says another by now; none where it does not.
fn other_kind(input: &NoteInput, case_template: Option<&str>, set: &Set) -> Result<Option<NoteInput>, SessionError> {
    if !input.begun || json::is_json(&input.text) {
        return Ok(None);
    }
    let Some(said) = text::said_kind(&input.text).and_then(NoteKind::new) else {
        return Ok(None);
    };
    let of_template = choose(input, case_template, set)?.and_then(|template| outline(template).kind);
    let begun = input.kind.clone().or(of_template).unwrap_or_default();
    Ok((said != begun).then(|| NoteInput {
        kind: Some(said),
        ..input.clone()
    }))
}

/// Says of a note that was begun as of one kind, and became one of another, which headings of that one's template it has not.
pub fn other_headings(
    input: &NoteInput,
    case_template: Option<&str>,
    note: &Note,
    set: &Set,
) -> Result<Option<String>, SessionError> {
    if other_kind(input, case_template, set)?.is_none() {
        return Ok(None);
    }
    let wanted = template_of(note, set).map(outline).unwrap_or_default().headings;
    let is_missing = |heading: &&Heading| !note.segments.iter().any(|s| s.heading.as_ref() == Some(&heading.title));
    let missing: Vec<&str> = wanted
        .iter()
        .filter(is_missing)
        .map(|heading| heading.title.as_str())
        .collect();
    Ok((!missing.is_empty()).then(|| {
        format!(
            "it was begun with other headings; a note of the kind `{}` has these too: {}",
            note.kind,
            missing.join(", ")
        )
    }))
}

/// The titles of the headings of all templates.
fn titles(set: &Set) -> Vec<String> {
    let all = set.iter().flat_map(|template| &template.headings);
    all.map(|heading| heading.title.clone()).collect()
}

/// Writes what an editor opens with for a new note: what is known already, the template's headings and guidance.
///
/// # Errors
/// As [`new_note`].
pub fn blank(input: &NoteInput, case_template: Option<&str>, set: &Set, now: &Now) -> Result<String, SessionError> {
    let template = choose(input, case_template, set)?;
    let outline = template.map(outline).unwrap_or_default();
    let mut note = Note::new(outline.kind.clone().unwrap_or_default());
    flags(&mut note, input, now)?;
    note.occurred_at.get_or_insert(time("now", now)?);
    Ok(text::blank(&note, &outline))
}

/// Writes a note as an editor opens it, to be amended under its own template.
pub fn printed(note: &Note, set: &Set) -> String {
    text::print_numbered(note, &template_of(note, set).map(outline).unwrap_or_default())
}

/// Finds the template that a note was written under.
fn template_of<'a>(note: &Note, set: &'a Set) -> Option<&'a Template> {
    match (&note.template, note.template_version) {
        (Some(id), Some(version)) => set.version(id, version),
        (Some(id), None) => set.newest(id),
        _ => None,
    }
}

/// Chooses the template: the one named, else the kind's own, else the case's.
fn choose<'a>(
    input: &NoteInput,
    case_template: Option<&str>,
    set: &'a Set,
) -> Result<Option<&'a Template>, SessionError> {
    if let Some(id) = &input.template {
        let found = set.begins(id).ok_or_else(|| SessionError::NotFound {
            what: "template",
            text: id.clone(),
        });
        return found.map(Some);
    }
    let own = input.kind.as_ref().and_then(|kind| set.for_kind(kind.as_str()));
    Ok(own.or_else(|| case_template.and_then(|id| set.newest(id))))
}

fn parse(text: &str, template: Option<&Template>, set: &Set, now: &Now) -> Result<Note, SessionError> {
    let outline = Outline {
        others: titles(set),
        ..template.map(outline).unwrap_or_default()
    };
    parse_under(text, template, &outline, now)
}

fn parse_under(text: &str, template: Option<&Template>, outline: &Outline, now: &Now) -> Result<Note, SessionError> {
    if json::is_json(text) {
        let json = text.trim_start_matches('\u{feff}');
        let mut note = json::parse(json).map_err(|_| {
            let faults = json::faults(json).into_iter();
            let faults = faults.map(|fault| {
                let why = match fault.field.is_empty() {
                    true => fault.why,
                    false => format!("field `{}`: {}", fault.field, fault.why),
                };
                (fault.line, fault.column, why)
            });
            malformed(&faults.collect::<Vec<_>>())
        })?;
        spelling::note(&note).map_err(|slip| SessionError::misspelt(&slip, text))?;
        if note.template.is_none() {
            note.template = template.map(|t| t.id.clone());
            note.template_version = template.map(|t| t.version);
        }
        return Ok(note);
    }
    let note = text::parse(text, outline, now).map_err(|errors| {
        let faults = errors
            .iter()
            .map(|e: &TextError| (e.line, e.column, e.fault.to_string()));
        malformed(&faults.collect::<Vec<_>>())
    })?;
    hiding::require(text, &note)?;
    Ok(note)
}

/// Names the first fault with its place, and the others in its words.
fn malformed(faults: &[(usize, usize, String)]) -> SessionError {
    let Some(((line, column, first), others)) = faults.split_first() else {
        return SessionError::Bug("a note was refused without a fault".to_owned());
    };
    let mut why = first.clone();
    for (line, column, other) in others.iter().take(9) {
        why.push_str(&format!("\nline {line}, column {column}: {other}"));
    }
    if others.len() > 9 {
        why.push_str(&format!("\nand {} more", others.len() - 9));
    }
    SessionError::Malformed {
        line: *line,
        column: *column,
        why,
    }
}

/// Sets what the command line says.
fn flags(note: &mut Note, input: &NoteInput, now: &Now) -> Result<(), SessionError> {
    if let Some(kind) = &input.kind {
        note.kind = kind.clone();
    }
    // What an editor opened with says it in the text, where it can be corrected.
    let is_open = |is_said: bool| !(input.begun && is_said);
    if let Some(at) = input.at.as_ref().filter(|_| is_open(note.occurred_at.is_some())) {
        note.occurred_at = Some(time(at, now)?);
    }
    if is_open(note.section.is_some()) {
        note.section = input.section.clone().or(note.section.take());
    }
    if is_open(note.duration_minutes.is_some()) {
        note.duration_minutes = input.duration_minutes.or(note.duration_minutes);
    }
    note.lag_reason = input.lag_reason.clone().or(note.lag_reason.take());
    Ok(())
}

fn finish(mut note: Note, set: &Set, now: &Now) -> Result<Note, SessionError> {
    if !set.knows_kind(note.kind.as_str()) {
        return Err(SessionError::Unknown {
            what: "kind of note",
            text: note.kind.to_string(),
            known: crate::session::kinds(set),
        });
    }
    note.authored_at = Some(time("now", now)?);
    Ok(note)
}

fn time(text: &str, now: &Now) -> Result<when::Moment, SessionError> {
    when::parse(text, now).map_err(|e| SessionError::Malformed {
        line: 1,
        column: 1,
        why: e.to_string(),
    })
}

/// Takes from a template what the text form needs.
pub fn outline(template: &Template) -> Outline {
    let kind = match template.kinds.as_slice() {
        [one] => NoteKind::new(one),
        _ => None,
    };
    let headings = template.headings.iter().map(|heading| Heading {
        title: heading.title.clone(),
        // The two lists of kinds are one list, kept in two crates that may not know each other.
        kind: SegmentKind::from_name(heading.kind.as_str()).unwrap_or(SegmentKind::Narrative),
        section: heading.section.clone(),
        guidance: heading.guidance.clone(),
    });
    Outline {
        template: Some(template.id.clone()),
        version: Some(template.version),
        kind,
        headings: headings.collect(),
        prompts: template.prompts.clone(),
        others: Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn now() -> Now {
        Now::new("2026-03-12T16:05:00Z".parse().unwrap(), TimeZone::UTC)
    }

    fn input(text: &str) -> NoteInput {
        NoteInput {
            text: text.into(),
            ..NoteInput::default()
        }
    }

    fn set() -> Set {
        Set::embedded().unwrap()
    }

    #[test]
    fn text_and_json_become_the_same_note() {
        let flags = |text: &str| NoteInput {
            kind: NoteKind::new("phone"),
            at: Some("today 14:00".into()),
            duration_minutes: Some(50),
            ..input(text)
        };
        let text = new_note(&flags("obs: The heating is off.\n"), None, &set(), &now()).unwrap();
        let json = r#"{"segments":[{"kind":"observation","text":"The heating is off."}]}"#;
        let json = new_note(&flags(json), None, &set(), &now()).unwrap();
        assert_eq!(text, json);
        assert_eq!(text.occurred_at.unwrap().as_str(), "2026-03-12T14:00:00Z");
        assert_eq!(text.authored_at.unwrap().as_str(), "2026-03-12T16:05:00Z");
        assert_eq!(text.section.as_deref(), Some("core"));
        assert_eq!(text.template.as_deref(), Some("phone"));
    }

    #[test]
    fn headings_are_the_kinds_templates_and_flags_go_before_the_text() {
        let text = "kind: home-visit\nat: 2026-03-11\n\n## Home conditions\nDamp in the hall.\n";
        let note = new_note(&input(text), Some("adult-social-care"), &set(), &now()).unwrap();
        assert_eq!(note.kind.as_str(), "home-visit");
        assert_eq!(note.template.as_deref(), Some("home-visit"));
        assert_eq!(note.segments[0].section.as_deref(), Some("housing"));
        assert!(note.segments[0].default_kind);
        assert_eq!(note.occurred_at.unwrap().as_str(), "2026-03-11");
        let flagged = NoteInput {
            at: Some("2026-03-10".into()),
            ..input(text)
        };
        let note = new_note(&flagged, None, &set(), &now()).unwrap();
        assert_eq!(note.occurred_at.unwrap().as_str(), "2026-03-10");
    }

    #[test]
    fn faults_have_their_places_and_unknown_names_their_alternatives() {
        let refused = |input: &NoteInput| new_note(input, None, &set(), &now()).unwrap_err();
        let error = refused(&input("obs: one\n\nplan: two {signficant}\n\nint: {label}\n"));
        let SessionError::Malformed { line, column, why } = error else {
            panic!("{error:?}");
        };
        assert_eq!((line, column), (3, 11));
        assert!(why.contains("\nline 5, column"), "{why}");
        let error = refused(&input("{\"segments\":[{\"kind\":\"plam\"}]}"));
        assert!(matches!(error, SessionError::Malformed { line: 1, .. }), "{error:?}");
        assert!(error.to_string().contains("segments[0].kind"), "{error}");
        let unknown = NoteInput {
            kind: NoteKind::new("seance"),
            ..input("obs: x")
        };
        assert!(
            matches!(refused(&unknown), SessionError::Unknown { what: "kind of note", known, .. } if known.contains(&"phone".to_owned()))
        );
        let missing = NoteInput {
            template: Some("nowhere".into()),
            ..input("obs: x")
        };
        assert!(matches!(
            refused(&missing),
            SessionError::NotFound { what: "template", .. }
        ));
        assert!(matches!(refused(&input(" \n")), SessionError::Malformed { .. }));
    }

    #[test]
    fn an_amendment_keeps_what_it_does_not_name() {
        let first = NoteInput {
            kind: NoteKind::new("phone"),
            section: Some("health".into()),
            at: Some("2026-03-01 09:00".into()),
            ..input("obs: Rang at nine.\n")
        };
        let mut before = new_note(&first, None, &set(), &now()).unwrap();
        before.id = "n-0123".into();
        // Given beside a text whose template is another kind's.
        before.kind = NoteKind::new("meeting").unwrap();
        let after = amended_note(&input("obs: Rang at ten.\n"), &before, &set(), &now()).unwrap();
        let expected = Note {
            segments: after.segments.clone(),
            ..before.clone()
        };
        assert_eq!(after, expected);
        assert_eq!(after.segments[0].text, "Rang at ten.");
    }
}
