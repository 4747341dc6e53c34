//! A note back in its text form, to be amended in an editor, and the blank that a new note starts from.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::segment::{Prefix, heading_title};
use super::{Heading, Outline, front};
use crate::note::model::{Names, Note, Segment, SegmentKind};

/// Writes a note so that [`super::parse`] reads the same note. What the text form cannot carry (ids, attributed author,
/// unknown fields) is left out; the numbers that segments cite are those of the text.
pub fn print(note: &Note, outline: &Outline) -> String {
    printed(note, outline, false)
}

/// As [`print()`], with the number of each segment in a line of guidance above it, where there are several.
pub fn print_numbered(note: &Note, outline: &Outline) -> String {
    printed(note, outline, note.segments.len() > 1)
}

fn printed(note: &Note, outline: &Outline, is_numbered: bool) -> String {
    let mut out = String::new();
    print_front(&mut out, note);
    let numbers: HashMap<u32, usize> = note.segments.iter().zip(1..).map(|(s, i)| (s.n, i)).collect();
    let mut heading: Option<&str> = None;
    for segment in &note.segments {
        if !out.is_empty() {
            out.push('\n');
        }
        let own = segment
            .heading
            .as_deref()
            .filter(|h| heading_title(&format!("# {h}")) == Some(h));
        if !segment.placeholder && own.is_some() && own != heading {
            heading = own;
            let _ = writeln!(out, "## {}\n", own.unwrap_or_default());
        }
        if is_numbered {
            let _ = writeln!(out, "#! [{}]", numbers.get(&segment.n).copied().unwrap_or_default());
        }
        print_segment(&mut out, segment, heading.and_then(|h| outline.heading(h)), &numbers);
    }
    out
}

/// Writes what an editor opens with for a new note: names to fill in, the headings with their guidance, the prompts.
pub fn blank(note: &Note, outline: &Outline) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "#! {outline}. Lines that start with #! are dropped.");
    if note.occurred_at.is_some() {
        // The value is exact, for machines; nobody is to think that it must be written so.
        let _ = writeln!(out, "#! at: may be written as you say it: today 14:00, yesterday, -2h");
    }
    print_front(&mut out, note);
    for heading in &outline.headings {
        let _ = writeln!(out, "\n## {}", heading.title);
        for line in &heading.guidance {
            let _ = writeln!(out, "#! {line}");
        }
        out.push('\n');
    }
    if outline.headings.is_empty() {
        out.push('\n');
    }
    for prompt in &outline.prompts {
        let _ = writeln!(out, "#! {prompt}");
    }
    out
}

fn print_front(out: &mut String, note: &Note) {
    let before = out.len();
    let yes = |b: bool| if b { "yes".to_owned() } else { "no".to_owned() };
    for name in front::NAMES {
        let value = match name {
            "at" => note.occurred_at.as_ref().map(|m| m.to_string()),
            "for" => note.duration_minutes.map(|m| format!("{m}m")),
            "kind" => Some(note.kind.as_str().to_owned()),
            "section" => note.section.clone(),
            "labels" => Some(note.labels.join(", ")),
            "worker" => note.worker.clone(),
            "entered-by" => note.entered_by.clone(),
            "on-behalf-of" => note.on_behalf_of.clone(),
            "confirmed-by" => note.confirmed_by.clone(),
            "present" => Some(note.present.join(", ")),
            "seen" => note.seen.map(yes),
            "seen-alone" => note.seen_alone.map(yes),
            "why-not-alone" => note.seen_alone_why_not.clone(),
            "place" => note.place.clone(),
            "language" => note.language.clone(),
            "interpreter" => note.interpreter.clone(),
            "late" => note.lag_reason.clone(),
            _ => None,
        };
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            let _ = writeln!(out, "{name}: {}", one_line(&value));
        }
    }
    debug_assert!(out.len() > before, "the kind is always there");
}

/// Front matter and fields hold one line each.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn print_segment(out: &mut String, segment: &Segment, under: Option<&Heading>, numbers: &HashMap<u32, usize>) {
    if segment.placeholder {
        out.push_str("priv: {kept}\n");
        return;
    }
    let default = under.map_or(SegmentKind::Narrative, |h| h.kind);
    let implied = segment.kind == default && (segment.default_kind || default == SegmentKind::Narrative);
    let begins_unmarked = implied && !segment.text.is_empty();
    let name = name_in_prefix(segment).filter(|_| !begins_unmarked);
    if !begins_unmarked {
        out.push_str(segment.kind.short());
        if let Some(name) = name {
            let _ = write!(out, " {name}");
        }
        out.push(':');
        if !segment.text.is_empty() {
            out.push(' ');
        }
    }
    let flags = flags(segment, implied, under);
    print_text(out, segment, begins_unmarked, &flags);
    if !flags.is_empty() && !out.ends_with(['\n', ' ']) {
        out.push(' ');
    }
    out.push_str(&flags);
    out.push('\n');
    print_fields(out, segment, under, name, numbers);
}

/// The speaker or source that stands in the prefix; one that would not be read back from there is a field.
fn name_in_prefix(segment: &Segment) -> Option<&str> {
    let name = match segment.kind {
        SegmentKind::Quote => segment.speaker.as_deref(),
        SegmentKind::Reported => segment.from.as_deref(),
        _ => None,
    }?;
    Prefix::names(&format!("{} {name}:", segment.kind.short()), name).then_some(name)
}

/// `flags` come after the last line, and are read together with it.
fn print_text(out: &mut String, segment: &Segment, begins_unmarked: bool, flags: &str) {
    let brackets = matches!(segment.kind, SegmentKind::Decision | SegmentKind::Interpretation);
    let (open, close) = quotation_marks(segment);
    out.push_str(open);
    let last = segment.text.matches('\n').count();
    for (i, line) in segment.text.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let at_line_start = i > 0 || begins_unmarked;
        let mut chars = line.chars().peekable();
        let start_means_something = match line.chars().next() {
            // The mark that closes a quotation is on the last line, and must not be taken for an escaped one.
            None => i > 0 && (i < last || close.is_empty()),
            Some(c) if c.is_whitespace() => i > 0 || open.is_empty(),
            Some('"' | '“') => segment.kind == SegmentKind::Quote && open.is_empty(),
            _ if i == last => at_line_start && line_start_means_something(&format!("{line} {flags}")),
            _ => at_line_start && line_start_means_something(line),
        };
        if start_means_something && !line.starts_with(['\\', '{', '}']) {
            out.push('\\');
            out.extend(chars.next());
        }
        for c in chars {
            if matches!(c, '\\' | '{' | '}') || (brackets && matches!(c, '[' | ']')) {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out.push_str(close);
}

/// Chooses marks that parsing takes off again.
fn quotation_marks(segment: &Segment) -> (&'static str, &'static str) {
    if segment.kind != SegmentKind::Quote || segment.text.is_empty() {
        ("", "")
    } else if !segment.text.contains('"') {
        ("\"", "\"")
    } else if !segment.text.contains(['“', '”']) {
        ("“", "”")
    } else {
        ("", "")
    }
}

fn line_start_means_something(line: &str) -> bool {
    let front = line
        .split_once(':')
        .is_some_and(|(name, _)| front::known_name(name).is_some());
    line.starts_with('#') || line.trim_end() == "---" || front || Prefix::read(line, 0).is_some()
}

/// What a segment is told by a word and its value, which stand in braces or, where a brace would end them too early, in a
/// field of the same name.
fn told(segment: &Segment, under: Option<&Heading>) -> Vec<(&'static str, String)> {
    let labels = Names::from_list(segment.labels.clone());
    let section = segment.section.clone();
    let section = section.filter(|s| under.and_then(|h| h.section.as_ref()) != Some(s));
    let told = [
        ("about", segment.about.as_ref().map(Names::to_string)),
        ("hide-from", segment.hide_from.as_ref().map(Names::to_string)),
        ("labels", labels.as_ref().map(Names::to_string)),
        ("withheld", segment.withheld.clone()),
        ("section", section),
    ];
    let told = told.into_iter();
    told.filter_map(|(name, value)| Some((name, one_line(&value?))))
        .collect()
}

/// What stands in braces, without a space around it.
fn flags(segment: &Segment, implied: bool, under: Option<&Heading>) -> String {
    let told = told(segment, under)
        .into_iter()
        .filter(|(_, value)| !value.contains('}'));
    let mut flags: Vec<String> = told.map(|(name, value)| format!("{{{name} {value}}}")).collect();
    for (name, set) in [
        ("significant", segment.significant),
        ("third-party", segment.third_party),
        ("interpreter", segment.through_interpreter),
        ("unconfirmed", segment.default_kind && !implied),
    ] {
        if set {
            flags.push(format!("{{{name}}}"));
        }
    }
    flags.join(" ")
}

fn print_fields(
    out: &mut String,
    segment: &Segment,
    under: Option<&Heading>,
    named: Option<&str>,
    numbers: &HashMap<u32, usize>,
) {
    let cites: Vec<String> = segment
        .cites
        .iter()
        .map(|n| numbers.get(n).map_or(n.to_string(), |i| i.to_string()))
        .collect();
    let options: Vec<&str> = segment.options.iter().flat_map(Names::iter).collect();
    let speaker = segment.speaker.clone();
    let speaker = speaker.filter(|_| segment.kind != SegmentKind::Quote || named.is_none());
    let from = segment.from.clone();
    let from = from.filter(|_| segment.kind != SegmentKind::Reported || named.is_none());
    let fields = [
        ("speaker", speaker),
        ("from", from),
        ("cites", Some(cites.join(" "))),
        ("why", segment.why.clone()),
        ("options", Some(options.join("; "))),
        ("by", segment.decided_by.clone()),
        ("authority", segment.authority.clone()),
        ("owner", segment.owner.clone()),
        ("due", segment.due.clone()),
        ("done", segment.done.clone()),
        ("done-by", segment.done_by.clone()),
        ("outcome", segment.outcome.clone()),
    ];
    let told = told(segment, under)
        .into_iter()
        .filter(|(_, value)| value.contains('}'));
    let told = told.map(|(name, value)| (name, Some(value)));
    for (name, value) in told.chain(fields) {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            let _ = writeln!(out, "  {name}: {}", one_line(&value));
        }
    }
}
