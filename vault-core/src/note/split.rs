//! A note that touches several sections becomes one part a section, and reads as one note to whoever holds all.
//!
//! ```text
//! note ─split─> main part (the note's own section, placeholders for reflections)
//!               one part for each other section, in the order of first mention
//!               private part (reflections)                      ─join─> note, segments in order of number
//! ```

use super::extra::Extra;
use super::model::{Note, Segment, SegmentKind};

/// The section of reflections; its records have a class of their own.
pub const PRIVATE: &str = "private";

/// The section of a note that names none.
pub const CORE: &str = "core";

/// Tells where a segment of a note is kept.
pub fn section_of<'a>(note: &'a Note, segment: &'a Segment) -> &'a str {
    if segment.kind == SegmentKind::Reflection && !segment.placeholder {
        return PRIVATE;
    }
    let own = if segment.placeholder {
        None
    } else {
        segment.section.as_deref()
    };
    own.or(note.section.as_deref()).unwrap_or(CORE)
}

/// Cuts a whole note into its parts, the main one first. Each part names its section, all but the main one the main
/// section too.
///
/// Unknown fields of the note stay in the main part, because nobody can tell whom they concern.
pub fn split(note: Note) -> Vec<Note> {
    let mut note = note;
    let main = note.section.clone().unwrap_or_else(|| CORE.to_owned());
    if note.segments.iter().all(|s| section_of(&note, s) == main) {
        return vec![note];
    }
    let segments = std::mem::take(&mut note.segments);
    let mut others: Vec<Note> = Vec::new();
    for segment in segments {
        let section = section_of(&note, &segment).to_owned();
        if section == main {
            note.segments.push(segment);
            continue;
        }
        if section == PRIVATE {
            note.segments.push(Segment::placeholder(segment.n));
        }
        match others
            .iter_mut()
            .find(|part| part.section.as_deref() == Some(section.as_str()))
        {
            Some(part) => part.segments.push(segment),
            None => others.push(Note {
                section: Some(section),
                main_section: Some(main.clone()),
                segments: vec![segment],
                extra: Extra::default(),
                ..note_head(&note)
            }),
        }
    }
    others.insert(0, note);
    others
}

/// Copies all but the segments.
fn note_head(note: &Note) -> Note {
    let Note {
        id,
        kind,
        template,
        template_version,
        occurred_at,
        duration_minutes,
        authored_at,
        jotted_at,
        first_recorded_at,
        lag_reason,
        labels,
        worker,
        entered_by,
        on_behalf_of,
        confirmed_by,
        present,
        seen,
        seen_alone,
        seen_alone_why_not,
        place,
        language,
        interpreter,
        original,
        section,
        main_section,
        parts: _,
        segments: _,
        imported,
        joined,
        misfiled,
        refiled,
        detached: _,
        extra,
    } = note;
    Note {
        id: id.clone(),
        kind: kind.clone(),
        template: template.clone(),
        template_version: *template_version,
        occurred_at: occurred_at.clone(),
        duration_minutes: *duration_minutes,
        authored_at: authored_at.clone(),
        jotted_at: jotted_at.clone(),
        first_recorded_at: first_recorded_at.clone(),
        lag_reason: lag_reason.clone(),
        labels: labels.clone(),
        worker: worker.clone(),
        entered_by: entered_by.clone(),
        on_behalf_of: on_behalf_of.clone(),
        confirmed_by: confirmed_by.clone(),
        present: present.clone(),
        seen: *seen,
        seen_alone: *seen_alone,
        seen_alone_why_not: seen_alone_why_not.clone(),
        place: place.clone(),
        language: language.clone(),
        interpreter: interpreter.clone(),
        original: original.clone(),
        section: section.clone(),
        main_section: main_section.clone(),
        parts: Vec::new(),
        segments: Vec::new(),
        imported: imported.clone(),
        joined: joined.clone(),
        misfiled: misfiled.clone(),
        refiled: refiled.clone(),
        detached: Vec::new(),
        extra: extra.clone(),
    }
}

/// Puts together the parts that a reader holds, in any order; `None` if there is none.
///
/// The head is the main part's, or, without it, that of the first part, which then still names its main section.
/// A placeholder gives way to the reflection it stands for.
pub fn join(parts: Vec<Note>) -> Option<Note> {
    let mut parts = parts;
    let main = parts.iter().position(|p| p.main_section.is_none()).unwrap_or(0);
    if parts.is_empty() {
        return None;
    }
    let mut note = parts.swap_remove(main);
    for part in parts {
        note.segments.extend(part.segments);
    }
    note.segments.sort_by_key(|s| (s.n, s.placeholder));
    note.segments.dedup_by_key(|s| s.n);
    Some(note)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn segments() -> impl Strategy<Value = Vec<Segment>> {
        let section = prop_oneof![
            Just(None),
            prop::sample::select(vec!["core", "health", "housing", "private"]).prop_map(|s| Some(s.to_owned()))
        ];
        let one = (
            1..4_u32,
            prop::sample::select(SegmentKind::ALL.to_vec()),
            "[a-z]{0,6}",
            section,
        );
        prop::collection::vec(one, 0..8).prop_map(|list| {
            let mut n = 0;
            list.into_iter()
                .map(|(step, kind, text, section)| {
                    n += step;
                    Segment {
                        section,
                        ..Segment::new(n, kind, text)
                    }
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn parts_join_to_the_note(segments in segments(), own in prop::option::of("core|health|private"), turn in 0..5_usize) {
            let note = Note { section: own, segments, id: "n-1".into(), place: Some("home".into()), ..Note::default() };
            let mut parts = split(note.clone());
            for part in &parts {
                part.check().unwrap();
                prop_assert_eq!(&Note::from_json(&part.to_json().unwrap()).unwrap(), part);
                let section = part.section.as_deref().unwrap_or(CORE);
                let reflects = |s: &Segment| s.kind == SegmentKind::Reflection && !s.placeholder;
                prop_assert!(section == PRIVATE || !part.segments.iter().any(reflects));
                prop_assert!(part.segments.iter().all(|s| section_of(part, s) == section));
            }
            prop_assert_eq!(parts[0].section.as_deref(), note.section.as_deref());
            let len = parts.len();
            parts.rotate_left(turn % len);
            prop_assert_eq!(join(parts).unwrap(), note);
        }
    }

    #[test]
    fn a_reflection_leaves_a_placeholder() {
        let note = Note {
            segments: vec![
                Segment::new(1, SegmentKind::Observation, "seen"),
                Segment::new(2, SegmentKind::Reflection, "I was afraid"),
                Segment {
                    section: Some("health".into()),
                    ..Segment::new(3, SegmentKind::Observation, "cough")
                },
            ],
            ..Note::default()
        };
        let parts = split(note);
        assert_eq!(parts.len(), 3);
        let json = String::from_utf8(parts[0].to_json().unwrap()).unwrap();
        assert!(
            json.contains(r#"{"n":2,"kind":"reflection","placeholder":true}"#),
            "{json}"
        );
        assert!(!json.contains("afraid") && !json.contains("cough"));
        assert_eq!(parts[1].section.as_deref(), Some(PRIVATE));
        assert_eq!(
            (parts[2].section.as_deref(), parts[2].main_section.as_deref()),
            (Some("health"), Some("core"))
        );
        let without_private = join(vec![parts[2].clone(), parts[0].clone()]).unwrap();
        assert!(without_private.segments[1].placeholder);
        assert_eq!(join(Vec::new()), None);
    }
}
