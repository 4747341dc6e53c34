//! The people whom the notes of a case name: who they are to it, where they come first and last, and how often.
//!
//! A name is what notes write: the speaker of a quote, who reported something, whom a segment is about, who was there,
//! from whom something is kept. Whom restrictions of contact name is one too; other free text is not looked through for names.
//! Two names are one person where they are the same words, whatever their capitals; and the client is who is
//! called by the client's first name, where nobody else of the case has it. Whom the profile names is also who is called by
//! the first name of theirs that nobody else has, or by what they alone are to the client (`mother`). Nothing is guessed
//! beyond that.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::client::{CLIENT, Client, fold, short_names, spaced};
use super::household;
use super::mark::Marks;
use super::model::{Names, Note, Segment, SegmentKind};
use super::when::Moment;

/// As what somebody is named: but for the last by notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Something is about them.
    About,
    /// They were there.
    Present,
    /// They said something that somebody reported.
    Reported,
    /// Their own words are quoted.
    Quoted,
    /// The client was seen.
    Seen,
    /// They interpreted.
    Interpreter,
    /// Something is kept from them.
    KeptFrom,
    /// The profile's restrictions of contact name them.
    ContactRestriction,
}

impl Part {
    /// Names it in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::About => "about",
            Self::ContactRestriction => "contact restriction",
            Self::Interpreter => "interpreter",
            Self::KeptFrom => "kept from",
            Self::Present => "present",
            Self::Quoted => "quoted",
            Self::Reported => "reported",
            Self::Seen => "seen",
        }
    }
}

/// One name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// As the profile has it, else as it was last written.
    pub name: String,
    /// What the profile says that they are to the client.
    pub relation: Option<String>,
    /// As what they are named.
    pub parts: Vec<Part>,
    /// The day of the first note that names them.
    pub first: Option<String>,
    /// The day of the last note that names them.
    pub last: Option<String>,
    /// The last note's handle.
    pub note: Option<String>,
    /// In how many notes they are named.
    pub notes: u64,
    /// For whom the name is not: all that names them is marked so. Nothing where something else names them too.
    #[serde(flatten)]
    pub marks: Marks,
}

#[derive(Default)]
struct Found {
    name: String,
    parts: BTreeSet<Part>,
    first: Option<Moment>,
    last: Option<Moment>,
    note: String,
    notes: u64,
    /// Whether something names them that is for everybody.
    is_open: bool,
    marks: Marks,
}

/// Lists the people of a case, those who are named in most notes first; `notes` come with their handles, in any order, and
/// `words` are the case's words for the client besides `client`. The client is one person, by whichever of them.
pub fn people(profile: Option<&serde_json::Value>, words: &[&str], notes: &[(&Note, &str)]) -> Vec<Person> {
    let client = profile.and_then(|profile| profile.get("name")?.as_str());
    let whole = client.map(spaced);
    let whole = whole.filter(|client| !client.is_empty());
    let others = named(profile, notes.iter().map(|(note, _)| *note));
    let short = short_names(client, profile, others.iter().map(String::as_str));
    let known = of_profile(profile);
    let is_client = |name: &str| {
        let client = Client {
            words,
            name: client,
            short: &short,
        };
        client.is(name)
    };
    let own = || whole.clone().unwrap_or_else(|| CLIENT.to_owned());
    let who = |name: String| match is_client(&name) {
        true => own(),
        false => match meant(&name, &known, &others, client) {
            Some(known) if is_client(&known.name) => own(),
            Some(known) => known.name.clone(),
            None => name,
        },
    };
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    for (note, handle) in notes {
        let mut named: BTreeMap<String, (String, BTreeSet<Part>)> = BTreeMap::new();
        for (part, name, marks) in marked_names(note).chain(kept_from(note)) {
            let name = who(spaced(name));
            if !name.is_empty() {
                let entry = named
                    .entry(name.to_lowercase())
                    .or_insert_with(|| (name.clone(), BTreeSet::new()));
                entry.1.insert(part);
                let whole = found.entry(name.to_lowercase()).or_default();
                whole.is_open |= marks.is_empty();
                whole.marks.hide_from.extend(marks.hide_from);
                whole.marks.withheld = whole.marks.withheld.take().or(marks.withheld);
            }
        }
        for (key, (name, parts)) in named {
            let entry = found.entry(key).or_default();
            entry.notes += 1;
            entry.parts.extend(parts);
            let instant = |moment: &Option<Moment>| moment.as_ref().map(Moment::instant);
            let at = note.occurred_at.as_ref();
            if at.is_some() && (entry.first.is_none() || instant(&entry.first) > at.map(Moment::instant)) {
                entry.first = at.cloned();
            }
            if entry.note.is_empty() || instant(&entry.last) <= at.map(Moment::instant) {
                entry.last = at.cloned();
                entry.name = name;
                (*handle).clone_into(&mut entry.note);
            }
        }
    }
    let mut relations: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for known in &known {
        let name = &who(known.name.clone());
        let roles = relations.entry(name.to_lowercase()).or_default();
        if let Some(relation) = known.relation.as_ref().filter(|relation| !roles.contains(relation)) {
            roles.push(relation.clone());
        }
        // Whoever only the profile names is of the case too.
        let entry = found.entry(name.to_lowercase()).or_default();
        entry.is_open = true;
        if entry.name.is_empty() {
            entry.name.clone_from(name);
        }
    }
    for name in profile.map(household::forbidden).unwrap_or_default() {
        let name = who(spaced(&name));
        let entry = found.entry(name.to_lowercase()).or_default();
        entry.is_open = true;
        entry.parts.insert(Part::ContactRestriction);
        if entry.name.is_empty() {
            entry.name = name;
        }
    }
    let day = |moment: Option<Moment>| moment.map(|m| m.as_str().get(..10).unwrap_or_default().to_owned());
    let mut people: Vec<Person> = found
        .into_iter()
        .map(|(key, found)| Person {
            relation: {
                let is_own = Some(&key) == whole.as_ref().map(|name| name.to_lowercase()).as_ref();
                let roles = relations.remove(&key).unwrap_or_default().into_iter();
                let roles = roles.filter(|role| !(is_own && role.eq_ignore_ascii_case(CLIENT)));
                let roles: Vec<String> = is_own.then(|| CLIENT.to_owned()).into_iter().chain(roles).collect();
                (!roles.is_empty()).then(|| roles.join(", "))
            },
            name: found.name,
            parts: found.parts.into_iter().collect(),
            first: day(found.first),
            last: day(found.last),
            note: Some(found.note).filter(|note| !note.is_empty()),
            notes: found.notes,
            marks: match found.is_open {
                true => Marks::default(),
                false => Marks {
                    hide_from: once(found.marks.hide_from),
                    ..found.marks
                },
            },
        })
        .collect();
    people.sort_by(|a, b| b.notes.cmp(&a.notes).then_with(|| a.name.cmp(&b.name)));
    people
}

/// Somebody whom the profile names.
struct Known {
    name: String,
    relation: Option<String>,
}

/// Lists whom the profile names: with what they are to the client, and of its household in words.
fn of_profile(profile: Option<&serde_json::Value>) -> Vec<Known> {
    let related = relations(profile).into_iter().map(|(name, relation)| Known {
        name: spaced(&name),
        relation: Some(relation),
    });
    let mut all: Vec<Known> = related.collect();
    for named in profile.map(household::named).unwrap_or_default() {
        let is_known = all
            .iter()
            .any(|known| household::name_words(&known.name) == named.words);
        if is_known || !named.is_name {
            continue;
        }
        let mut words = named
            .text
            .split_whitespace()
            .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        let name: Vec<&str> = named
            .words
            .iter()
            .filter_map(|own| words.find(|word| word.to_lowercase() == *own))
            .collect();
        if name.len() == named.words.len() {
            all.push(Known {
                name: name.join(" "),
                relation: household::relation_of(&named.text),
            });
        }
    }
    all
}

/// Finds whom of the profile a note means: by the name, by a first name that nobody else has, or by what they alone are to the
/// client.
fn meant<'k>(name: &str, known: &'k [Known], others: &[String], client: Option<&str>) -> Option<&'k Known> {
    let name = name.to_lowercase();
    let name = ["the ", "her ", "his ", "their "]
        .iter()
        .find_map(|the| name.strip_prefix(the))
        .unwrap_or(&name);
    if let Some(one) = known.iter().find(|known| known.name.to_lowercase() == name) {
        return Some(one);
    }
    let is_first = |whole: &str| whole.contains(' ') && whole.split(' ').next() == Some(name);
    let whole = others.iter().map(String::as_str).chain(client).map(fold);
    let whole = whole.chain(known.iter().map(|known| known.name.to_lowercase()));
    let called: BTreeSet<String> = whole.filter(|whole| is_first(whole)).collect();
    if called.len() == 1 {
        return known.iter().find(|known| called.contains(&known.name.to_lowercase()));
    }
    let parent = |relation: &str| match relation.to_lowercase().as_str() {
        "mum" | "mummy" => "mother".to_owned(),
        "dad" | "daddy" => "father".to_owned(),
        other => other.to_owned(),
    };
    let mut related = known
        .iter()
        .filter(|known| known.relation.as_deref().map(parent) == Some(parent(name)));
    match (related.next(), related.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

/// Names, each once, in order.
fn once(names: Vec<String>) -> Vec<String> {
    let names: BTreeSet<String> = names.into_iter().collect();
    names.into_iter().collect()
}

/// Collects whomever the profile or a note names, as often as they do.
pub fn named<'n>(profile: Option<&serde_json::Value>, notes: impl Iterator<Item = &'n Note>) -> Vec<String> {
    let of_profile = relations(profile).into_iter().map(|(name, _)| name);
    let of_notes = notes.flat_map(|note| names(note).map(|(_, name)| name.to_owned()));
    of_profile.chain(of_notes).collect()
}

/// Goes through the names of a note; what is withheld from readers is still the worker's own. Reflections name nobody: a
/// list of people is shown to who must not read them.
pub fn names(note: &Note) -> impl Iterator<Item = (Part, &str)> {
    marked_names(note).map(|(part, name, _)| (part, name))
}

/// The same, each with the marks of what names it.
fn marked_names(note: &Note) -> impl Iterator<Item = (Part, &str, Marks)> {
    let seen = (note.seen == Some(true) || note.seen_alone == Some(true)).then_some((Part::Seen, CLIENT));
    let present = note.present.iter().map(|name| (Part::Present, name.as_str()));
    let interpreter = note.interpreter.as_deref().map(|name| (Part::Interpreter, name));
    let is_shared = |segment: &&Segment| !segment.placeholder && segment.kind != SegmentKind::Reflection;
    let segments = note.segments.iter().filter(is_shared);
    let segments = segments.flat_map(|segment| {
        let about = segment
            .about
            .iter()
            .flat_map(Names::iter)
            .map(|name| (Part::About, name));
        let speaker = segment.speaker.as_deref().map(|name| (Part::Quoted, name));
        let from = segment.from.as_deref().map(|name| (Part::Reported, name));
        let all = about.chain(speaker).chain(from);
        all.map(|(part, name)| (part, name, Marks::of(segment)))
    });
    let of_head = seen.into_iter().chain(present).chain(interpreter);
    let of_head = of_head.map(|(part, name)| (part, name, Marks::default()));
    of_head.chain(segments)
}

/// Goes through those from whom segments are kept, with the marks that say so.
fn kept_from(note: &Note) -> impl Iterator<Item = (Part, &str, Marks)> {
    let is_shared = |segment: &&Segment| !segment.placeholder && segment.kind != SegmentKind::Reflection;
    let segments = note.segments.iter().filter(is_shared);
    segments.flat_map(|segment| {
        let names = segment.hide_from.iter().flat_map(Names::iter);
        names.map(|name| (Part::KeptFrom, name, Marks::of(segment)))
    })
}

/// Reads who is who out of a profile: `people` or `household`, a list of objects with `name` and `relation`, or an
/// object of names and relations.
fn relations(profile: Option<&serde_json::Value>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for field in ["people", "household", "family"] {
        let Some(value) = profile.and_then(|profile| profile.get(field)) else {
            continue;
        };
        let text = |value: &serde_json::Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
        match value {
            serde_json::Value::Array(list) => found.extend(list.iter().filter_map(|one| {
                let relation = text(one, "relation").or_else(|| text(one, "role"))?;
                Some((text(one, "name")?, relation))
            })),
            serde_json::Value::Object(fields) => found.extend(
                fields
                    .iter()
                    .filter_map(|(name, relation)| Some((name.clone(), relation.as_str()?.to_owned()))),
            ),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_person_however_it_is_written_and_counts_once_a_note() {
        let note = |at: &str, segments: Vec<Segment>| Note {
            occurred_at: Moment::parse(at).ok(),
            segments,
            ..Note::default()
        };
        let quote = |n, who: &str| Segment {
            speaker: Some(who.into()),
            ..Segment::new(n, SegmentKind::Quote, "x")
        };
        let about = Segment {
            about: Names::from_list(vec!["MUM".into(), "son".into()]),
            from: Some("GP".into()),
            ..Segment::new(3, SegmentKind::Reported, "x")
        };
        let early = note("2026-01-05T10:00:00Z", vec![quote(1, "mum"), quote(2, "Mum ")]);
        let mut late = note("2026-02-05", vec![quote(1, "client"), about]);
        late.present = vec!["Mum".into()];
        let profile = serde_json::json!({"people": [{"name": "Mum", "relation": "mother"}, {"name": "Dad", "relation": "father"}]});
        // The later note first: order does not matter.
        let all = people(Some(&profile), &[], &[(&late, "n-late"), (&early, "n-early")]);
        let names: Vec<_> = all.iter().map(|p| (p.name.as_str(), p.notes)).collect();
        assert_eq!(names, [("Mum", 2), ("GP", 1), ("client", 1), ("son", 1), ("Dad", 0)]);
        let mum = &all[0];
        assert_eq!(mum.relation.as_deref(), Some("mother"));
        assert_eq!(
            (mum.first.as_deref(), mum.last.as_deref()),
            (Some("2026-01-05"), Some("2026-02-05"))
        );
        assert_eq!(mum.note.as_deref(), Some("n-late"));
        assert_eq!(mum.parts, [Part::About, Part::Present, Part::Quoted]);
        assert_eq!(all[4].parts, []);
    }

    #[test]
    fn whom_only_a_restriction_or_a_mark_names_is_listed_with_where() {
        let kept = Segment {
            hide_from: Names::from_list(vec!["Jim Low".into(), "father".into()]),
            ..Segment::new(1, SegmentKind::Observation, "Ida Bell was there.")
        };
        let note = Note {
            segments: vec![kept],
            ..Note::default()
        };
        let profile = serde_json::json!({
            "name": "Mia Pike", "people": [{"name": "Tom Reed", "relation": "father"}],
            "contact_restrictions": "No contact with Tom Reed. By order of the court: Ann Low neither. Supervised visits only."
        });
        let all = people(Some(&profile), &[], &[(&note, "n-1")]);
        let found: Vec<_> = all
            .iter()
            .map(|p| (p.name.as_str(), p.parts.clone(), p.marks.hide_from.len()))
            .collect();
        assert_eq!(
            found,
            [
                ("Jim Low", vec![Part::KeptFrom], 2),
                ("Tom Reed", vec![Part::KeptFrom, Part::ContactRestriction], 0),
                ("Ann Low", vec![Part::ContactRestriction], 0),
            ]
        );
    }

    #[test]
    fn the_client_by_the_first_name_is_one_person_unless_another_has_it() {
        let note = |who: &str| Note {
            segments: vec![Segment {
                speaker: Some(who.into()),
                ..Segment::new(1, SegmentKind::Quote, "x")
            }],
            ..Note::default()
        };
        let profile = serde_json::json!({"name": "Callum Doran"});
        let (short, whole, other) = (note("callum"), note("Callum Doran"), note("Callum Price"));
        let listed = |notes: &[(&Note, &str)]| {
            let all = people(Some(&profile), &[], notes);
            all.into_iter().map(|p| (p.name, p.notes)).collect::<Vec<_>>()
        };
        let client = "Callum Doran".to_owned();
        assert_eq!(listed(&[(&short, "n-1"), (&whole, "n-2")]), [(client.clone(), 2)]);
        assert_eq!(listed(&[(&short, "n-1"), (&whole, "n-2"), (&other, "n-3")]).len(), 3);
    }

    #[test]
    fn who_is_named_in_several_ways_is_one_person_with_all_roles() {
        let quote = |n, who: &str| Segment {
            speaker: Some(who.into()),
            ..Segment::new(n, SegmentKind::Quote, "x")
        };
        let note = Note {
            segments: [
                "Mia",
                "Mia Pike",
                "client",
                "Kerry",
                "the mother",
                "Kerry Pike",
                "Tom",
                "aunt",
            ]
            .iter()
            .zip(1..)
            .map(|(who, n)| quote(n, who))
            .collect(),
            ..Note::default()
        };
        let listed = |profile: serde_json::Value| {
            let all = people(Some(&profile), &["child"], &[(&note, "n-1")]);
            all.into_iter()
                .map(|p| (p.name, p.relation.unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        let own = |all: &[(&str, &str)]| {
            all.iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
                .collect::<Vec<_>>()
        };
        let one = own(&[
            ("Kerry Pike", "mother"),
            ("Mia Pike", "client, daughter"),
            ("Tom", "brother"),
            ("aunt", ""),
        ]);
        let household = serde_json::json!([
            {"name": "Mia", "relation": "daughter"}, {"name": "Kerry Pike", "relation": "mother"},
            {"name": "Tom", "relation": "brother"}
        ]);
        assert_eq!(
            listed(serde_json::json!({"name": "Mia Pike", "household": household})),
            one
        );
        let words = "Kerry Pike (mother), Mia (daughter), Tom (brother, 4)";
        assert_eq!(listed(serde_json::json!({"name": "Mia Pike", "household": words})), one);
        // Of two aunts neither is meant, and of two of one first name neither.
        let two = listed(serde_json::json!({
            "name": "Mia Pike", "household": "Ida Low (aunt), Ann Low (aunt), Kerry Pike (mother), Kerry Low"
        }));
        assert!(
            two.contains(&("aunt".to_owned(), String::new())) && two.contains(&("Kerry".to_owned(), String::new())),
            "{two:?}"
        );
    }

    #[test]
    fn a_reflection_names_nobody() {
        let note = Note {
            segments: vec![Segment {
                about: Names::from_list(vec!["his uncle".into()]),
                ..Segment::new(1, SegmentKind::Reflection, "x")
            }],
            ..Note::default()
        };
        assert!(people(None, &[], &[(&note, "n")]).is_empty());
    }
}
