//! What a worker reads before a session: dangers first, then what was planned and is not done, what sets things off, the
//! client's last words, the last contact, and what nobody has recorded.

use std::cmp::Reverse;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::client::{Client, short_names};
use super::danger::Dangers;
use super::extra::RawJson;
use super::model::{Note, Segment, SegmentKind};
use super::overview::{self, Item, Overview};
use super::people;
use super::plan::{self, Step};
use super::when::{self, Moment};

/// How many of the client's last words are shown.
const QUOTES: usize = 5;
/// How many of the newest things that set something off are shown.
const TRIGGERS: usize = 5;
/// Headings under which triggers stand, in lower case.
const TRIGGER_HEADINGS: [&str; 3] = ["triggers", "trigger", "what sets it off"];
/// A case before a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Brief {
    /// What is dangerous or forbidden, out of the profile and the notes.
    pub dangers: Vec<Item>,
    /// How much more the notes hold on safety.
    pub more_dangers: usize,
    /// Every step that nobody has carried out, the most pressing first.
    pub undone: Vec<Step>,
    /// The newest note that plans anything: all its steps, with what came of them.
    pub last_plan: Vec<Step>,
    /// What sets something off.
    pub triggers: Vec<Item>,
    /// The client's last words, the newest first.
    pub quotes: Vec<Item>,
    /// The last contact.
    pub last_contact: Option<Contact>,
    /// When the client was last seen, where a note says so.
    #[serde(default)]
    pub last_seen: Option<Contact>,
    /// When the client was last seen alone, where a note says so.
    #[serde(default)]
    pub last_seen_alone: Option<Contact>,
    /// What matters before one meets somebody, out of the profile: what it is, and what is known.
    #[serde(default)]
    pub person: Vec<(String, String)>,
    /// What nobody has recorded.
    pub not_recorded: Vec<String>,
}

/// A note that was contact with the client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// The note's handle.
    pub note: String,
    /// Its kind.
    pub kind: String,
    /// When.
    pub at: String,
    /// How many days ago.
    pub days: i32,
}

/// A note with its handle and version.
pub type Read<'a> = (&'a Note, &'a str, u32);

impl Brief {
    /// Makes the brief of a case from its profile and its notes, in any order; `contact` names the kinds of note that are
    /// contact with the client, and `words` the case's words for the client besides `client`.
    pub fn new(
        profile: Option<&RawJson>,
        notes: &[Read<'_>],
        contact: &[String],
        words: &[&str],
        now: Timestamp,
        today: Date,
    ) -> Self {
        let mut newest: Vec<&Read<'_>> = notes.iter().collect();
        newest.sort_by_key(|(note, _, _)| Reverse(note.occurred_at.as_ref().map(Moment::instant)));
        let plain: Vec<(&Note, &str)> = notes.iter().map(|(note, handle, _)| (*note, *handle)).collect();
        let blocks = Overview::new(profile, &plain, overview::NEWEST).blocks;
        let dangers = Dangers::new(profile, &plain);
        let all_steps = |(note, handle, version): &Read<'_>| plan::steps(note, handle, *version, today);
        let mut undone: Vec<Step> = notes
            .iter()
            .flat_map(all_steps)
            .filter(|step| step.done.is_none())
            .collect();
        undone.sort_by(plan::order);
        let last_plan = newest
            .iter()
            .map(|read| all_steps(read))
            .find(|steps| !steps.is_empty());
        let pick = |takes: &dyn Fn(&Segment) -> bool, most: usize| -> Vec<Item> {
            let segments = newest.iter().flat_map(|(note, handle, _)| {
                let segments = note.segments.iter().filter(|segment| takes(segment));
                segments.map(|segment| Item::of(note, handle, segment))
            });
            segments.take(most).collect()
        };
        let is_trigger = |segment: &Segment| {
            let heading = segment.heading.as_deref().map(str::to_lowercase);
            !segment.placeholder
                && segment.kind != SegmentKind::Reflection
                && (segment.labels.iter().any(|label| label == "trigger")
                    || heading.is_some_and(|heading| TRIGGER_HEADINGS.contains(&heading.as_str())))
        };
        let name = profile.and_then(|profile| Some(profile.value().get("name")?.as_str()?.to_owned()));
        let others = people::named(
            profile.map(RawJson::value).as_ref(),
            notes.iter().map(|(note, _, _)| *note),
        );
        let short = short_names(
            name.as_deref(),
            profile.map(RawJson::value).as_ref(),
            others.iter().map(String::as_str),
        );
        // In a note of several cases the client has a name.
        let client = Client {
            words,
            name: name.as_deref(),
            short: &short,
        };
        let is_clients = |segment: &Segment| {
            let speaker = segment.speaker.as_deref();
            segment.kind == SegmentKind::Quote && speaker.is_some_and(|speaker| client.is(speaker))
        };
        let mut triggers = overview::out_of_profile(profile, &["triggers"]);
        triggers.extend(pick(&is_trigger, TRIGGERS));
        let last_contact = newest
            .iter()
            .find(|(note, _, _)| is_contact(note, contact, now))
            .and_then(|read| Contact::of(read, today));
        let last = |says: &dyn Fn(&Note) -> bool| {
            let is_past = |note: &Note| note.occurred_at.as_ref().is_some_and(|at| at.instant() <= now);
            let found = newest.iter().find(|(note, _, _)| is_past(note) && says(note));
            found.and_then(|read| Contact::of(read, today))
        };
        let mut not_recorded: Vec<String> = blocks
            .iter()
            .filter(|block| block.items.is_empty() && !overview::NOT_OF_EVERY_CASE.contains(&block.title))
            .map(|block| block.title.to_lowercase())
            .collect();
        let value = profile.map(RawJson::value).unwrap_or_default();
        let mut person = Vec::new();
        for (field, words) in overview::PERSON {
            let known = overview::out_of_profile(profile, &[field]);
            match known.is_empty() {
                // Nobody is asked about an interpreter who needs none, nor a grown person about a school.
                true if overview::NOT_MISSED.contains(&field) => {}
                true if value.get(field).is_none_or(serde_json::Value::is_null) => not_recorded.push(words.to_owned()),
                _ => person.extend(known.into_iter().map(|item| (words.to_owned(), item.text))),
            }
        }
        for (is_missing, words) in [
            (triggers.is_empty(), "triggers"),
            (last_contact.is_none(), "any contact"),
        ] {
            if is_missing {
                not_recorded.push(words.to_owned());
            }
        }
        Self {
            dangers: dangers.items,
            more_dangers: dangers.more,
            undone,
            last_plan: last_plan.unwrap_or_default(),
            triggers,
            quotes: pick(&is_clients, QUOTES),
            last_contact,
            last_seen: last(&|note| note.seen == Some(true) || note.seen_alone == Some(true)),
            last_seen_alone: last(&|note| note.seen_alone == Some(true) && note.seen != Some(false)),
            person,
            not_recorded,
        }
    }
}

/// Tells whether a note is contact with the client that has taken place.
fn is_contact(note: &Note, kinds: &[String], now: Timestamp) -> bool {
    let is_past = note.occurred_at.as_ref().is_some_and(|at| at.instant() <= now);
    is_past && note.seen != Some(false) && kinds.iter().any(|kind| kind == note.kind.as_str())
}

impl Contact {
    fn of((note, handle, _): &Read<'_>, today: Date) -> Option<Self> {
        let at = note.occurred_at.as_ref()?.as_str().to_owned();
        let day = when::iso_date(at.get(..10)?)?;
        Some(Self {
            note: (*handle).to_owned(),
            kind: note.kind.as_str().to_owned(),
            days: (today - day).get_days(),
            at,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::note::model::NoteKind;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn note(kind: &str, at: &str, segments: Vec<Segment>) -> Note {
        let mut note = Note::new(NoteKind::new(kind).unwrap());
        note.occurred_at = Moment::parse(at).ok();
        note.segments = segments;
        note
    }

    fn brief(notes: &[(Note, &str)], profile: &str) -> Brief {
        let profile = serde_json::from_str(profile).ok();
        let notes: Vec<Read<'_>> = notes.iter().map(|(note, handle)| (note, *handle, 1)).collect();
        let contact = ["home-visit".to_owned(), "phone".to_owned()];
        let now = "2026-03-12T16:00:00Z".parse().unwrap();
        Brief::new(profile.as_ref(), &notes, &contact, &["child"], now, date(2026, 3, 12))
    }

    #[test]
    fn contact_is_what_has_taken_place_and_was_no_closed_door() {
        let mut unseen = note("home-visit", "2026-03-11T10:00:00Z", Vec::new());
        unseen.seen = Some(false);
        let notes = [
            (note("phone", "2026-03-02T10:00:00Z", Vec::new()), "n-call"),
            (unseen, "n-door"),
            (note("home-visit", "2026-03-20T10:00:00Z", Vec::new()), "n-ahead"),
            (note("correspondence", "2026-03-10", Vec::new()), "n-letter"),
        ];
        let last = brief(&notes, "{}").last_contact.unwrap();
        assert_eq!((last.note.as_str(), last.days), ("n-call", 10));
        assert!(
            brief(&notes[1..], "{}")
                .not_recorded
                .contains(&"any contact".to_owned())
        );
    }

    #[test]
    fn dangers_triggers_and_the_clients_own_words_are_picked_out() {
        let danger = Segment {
            section: Some("safeguarding".into()),
            ..Segment::new(1, SegmentKind::Observation, "A dog at the gate.")
        };
        let trigger = Segment {
            labels: vec!["trigger".into()],
            ..Segment::new(2, SegmentKind::Observation, "Letters from the landlord.")
        };
        let quote = |n, who: &str| Segment {
            speaker: Some(who.into()),
            ..Segment::new(n, SegmentKind::Quote, format!("by {who}"))
        };
        let notes = [(
            note(
                "phone",
                "2026-03-02",
                vec![danger, trigger, quote(3, "Client"), quote(4, "son"), quote(5, "child")],
            ),
            "n-1",
        )];
        let brief = brief(
            &notes,
            r#"{"danger_to_workers":"Never go alone.","triggers":["crowds"],"language":"Welsh"}"#,
        );
        let texts = |items: &[Item]| items.iter().map(|item| item.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&brief.dangers), ["Never go alone.", "A dog at the gate."]);
        assert_eq!(texts(&brief.triggers), ["crowds", "Letters from the landlord."]);
        assert_eq!(texts(&brief.quotes), ["by Client", "by child"]);
        assert!(brief.not_recorded.contains(&"date of birth".to_owned()));
        assert!(!brief.not_recorded.contains(&"language".to_owned()));
    }

    proptest! {
        #[test]
        fn every_undone_step_is_in_the_brief(steps in prop::collection::vec((any::<bool>(), prop::option::of(1..29_u8), 0..9_u8), 0..60)) {
            // Notes of up to a few steps each, some of them done, due or not.
            let mut notes: Vec<(Note, String)> = Vec::new();
            let mut expected = Vec::new();
            for (is_done, due, place) in steps {
                let handle = format!("n-{place}");
                let at = match notes.iter().position(|(_, known)| *known == handle) {
                    Some(at) => at,
                    None => {
                        notes.push((note("phone", &format!("2026-02-0{}", place + 1), Vec::new()), handle.clone()));
                        notes.len() - 1
                    }
                };
                let segments = &mut notes[at].0.segments;
                let n = u32::try_from(segments.len() + 1).unwrap();
                segments.push(Segment {
                    due: due.map(|day| format!("2026-02-{day:02}")),
                    done: is_done.then(|| "2026-03-01".to_owned()),
                    ..Segment::new(n, SegmentKind::Plan, "Ring.")
                });
                if !is_done {
                    expected.push((handle, n));
                }
            }
            let notes: Vec<(Note, &str)> = notes.iter().map(|(note, handle)| (note.clone(), handle.as_str())).collect();
            let mut shown: Vec<_> = brief(&notes, "{}").undone.into_iter().map(|s| (s.note, s.segment)).collect();
            shown.sort();
            expected.sort();
            prop_assert_eq!(shown, expected);
        }
    }
}
