//! Paragraphs, prefixes and indented fields, line by line, into numbered segments.

use super::flag::{Char, Flags, scan};
use super::front::known_name;
use super::{Fault, Faults, Heading, Line, Outline, comma_list};
use crate::note::model::{Names, Segment, SegmentKind};
use crate::note::when::{self, Now};

/// The longest speaker or source that a prefix can name, in characters.
const LONGEST_NAME: usize = 60;

/// Takes the lines of a body and hands back its segments.
pub(super) struct Reader<'a> {
    outline: &'a Outline,
    now: &'a Now,
    faults: &'a mut Faults,
    heading: Option<Under<'a>>,
    current: Option<Open>,
    done: Vec<Segment>,
    doubts: Vec<Doubt>,
    /// The lines with which plans begin that only their heading makes plans.
    implied_plans: Vec<usize>,
}

/// The heading that lines are under, known to the template or not.
struct Under<'a> {
    title: String,
    known: Option<&'a Heading>,
    used: bool,
    /// What is pointed out once an unmarked paragraph stands under it.
    doubt: Option<Doubt>,
}

/// A segment that lines may still be added to.
struct Open {
    segment: Segment,
    text: Vec<Char>,
    flags: Flags,
    /// The field that an indented line would go on with.
    field: Option<&'static str>,
    /// Whether a paragraph line would belong to it: no blank line came since.
    in_paragraph: bool,
    fields: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(outline: &'a Outline, now: &'a Now, faults: &'a mut Faults) -> Self {
        Self {
            outline,
            now,
            faults,
            heading: None,
            current: None,
            done: Vec::new(),
            doubts: Vec::new(),
            implied_plans: Vec::new(),
        }
    }

    /// Takes the next line.
    pub(super) fn line(&mut self, line: Line<'_>) {
        if line.is_guidance() {
            return;
        }
        if line.text.is_empty() {
            if let Some(open) = &mut self.current {
                open.in_paragraph = false;
            }
            return;
        }
        if let Some(title) = heading_title(line.text) {
            self.close();
            self.close_heading();
            let known = self.outline.heading(title);
            let doubt = known
                .is_none()
                .then(|| doubt_of_heading(line, title, self.outline))
                .flatten();
            self.heading = Some(Under {
                title: known.map_or(title, |h| &h.title).to_owned(),
                known,
                used: false,
                doubt,
            });
            return;
        }
        let indent = line.text.len() - line.text.trim_start().len();
        if line.text.starts_with('\t') || line.text.starts_with("  ") {
            return self.indented(line, indent);
        }
        if let Some(prefix) = Prefix::read(line.text, indent) {
            self.doubt_mark(line, &prefix);
            return self.prefixed(line, prefix);
        }
        if !self.current.as_ref().is_some_and(|open| open.in_paragraph) {
            self.begin(None);
            let begun = self.current.as_ref().map(|open| &open.segment);
            if begun.is_some_and(|segment| segment.default_kind && segment.kind == SegmentKind::Plan) {
                self.implied_plans.push(line.number);
            }
        }
        if let Some(read) = bold_mark(line.text) {
            self.doubts.push(Doubt::of(line, read));
        }
        self.doubt_text(line, indent);
        self.doubt_head(line, indent);
        self.add_text(line, indent);
    }

    /// What was read, and may not have been meant.
    pub(super) fn doubts(&self) -> &[Doubt] {
        &self.doubts
    }

    /// The lines with which plans begin that only their heading makes plans.
    pub(super) fn implied_plans(&self) -> &[usize] {
        &self.implied_plans
    }

    /// Doubts a mark in the middle of running text, as of a letter that was pasted: several lines, and no blank one between.
    fn doubt_mark(&mut self, line: Line<'_>, prefix: &Prefix<'_>) {
        let is_running = |open: &&Open| {
            let breaks = open.text.iter().filter(|c| c.char == '\n').count();
            open.in_paragraph && open.field.is_none() && breaks > 0
        };
        if let Some(open) = self.current.as_ref().filter(is_running) {
            let (mark, of) = (prefix.kind.short(), open.segment.kind);
            self.doubts.push(Doubt::of(line, Meant::Mark { mark, of }));
        }
    }

    /// Doubts a line of text that begins like a field of a plan or a decision.
    fn doubt_text(&mut self, line: Line<'_>, indent: usize) {
        let Some(open) = self.current.as_ref().filter(|open| !open.text.is_empty()) else {
            return;
        };
        let name = line.field(indent).and_then(|(name, _, _)| field_name(name));
        // What such a segment lacks is pointed out as missing.
        let lacked: &[&str] = match open.segment.kind {
            SegmentKind::Plan => &["due", "owner"],
            SegmentKind::Decision => &["options", "why"],
            _ => &[],
        };
        let is_one = |name: &&str| of_kind(name).is_some() && *name != "by" && !lacked.contains(name);
        if let Some(name) = name.filter(is_one) {
            self.doubts.push(Doubt::of(line, Meant::Text(name)));
        }
    }

    /// Doubts a line of text that would be a field of the whole note, did it stand in the first lines.
    fn doubt_head(&mut self, line: Line<'_>, indent: usize) {
        let field = line.field(indent).filter(|(_, value, _)| !value.is_empty());
        if let Some(name) = field.and_then(|(name, _, _)| known_name(name)) {
            self.doubts.push(Doubt::of(line, Meant::Head(name)));
        }
    }

    /// Doubts a field of a plan or a decision under another segment: its words are no text there.
    fn doubt_field(&mut self, line: Line<'_>, name: &'static str) {
        let Some(open) = &self.current else { return };
        let kinds = of_kind(name).unwrap_or_default();
        if !kinds.is_empty() && !kinds.contains(&open.segment.kind) {
            let of = open.segment.kind;
            self.doubts.push(Doubt::of(line, Meant::Field { name, of }));
        }
    }

    /// Hands back the segments, numbered from 1.
    pub(super) fn finish(mut self) -> Vec<Segment> {
        self.close();
        self.close_heading();
        self.done
    }

    /// Starts a segment, of the heading's kind where none is given.
    fn begin(&mut self, kind: Option<SegmentKind>) {
        self.close();
        let default = self
            .heading
            .as_ref()
            .and_then(|h| h.known)
            .map_or(SegmentKind::Narrative, |h| h.kind);
        let mut segment = Segment::new(0, kind.unwrap_or(default), "");
        segment.default_kind = kind.is_none() && default != SegmentKind::Narrative;
        if let Some(under) = &mut self.heading {
            under.used = true;
            if kind.is_none() {
                self.doubts.extend(under.doubt.take());
            }
            segment.heading = Some(under.title.clone());
            segment.section = under.known.and_then(|h| h.section.clone());
        }
        self.current = Some(Open {
            segment,
            text: Vec::new(),
            flags: Flags::default(),
            field: None,
            in_paragraph: true,
            fields: Vec::new(),
        });
    }

    fn add_text(&mut self, line: Line<'_>, offset: usize) {
        let Some(open) = &mut self.current else { return };
        open.field = None;
        open.in_paragraph = true;
        let before = open.text.len();
        if before > 0 {
            open.text.push(Char {
                char: '\n',
                literal: false,
            });
        }
        let mut own = Vec::new();
        if scan(line, offset, &mut open.flags, &mut own, self.faults) {
            open.text.append(&mut own);
        } else {
            // The line held flags only.
            open.text.truncate(before);
        }
    }

    fn prefixed(&mut self, line: Line<'_>, prefix: Prefix<'_>) {
        self.begin(Some(prefix.kind));
        let cites = prefix.cites.map(|(list, at)| self.numbers(line, at, list));
        if let Some(open) = &mut self.current {
            let name = Some(prefix.name.to_owned()).filter(|n| !n.is_empty());
            match prefix.kind {
                SegmentKind::Quote => open.segment.speaker = name,
                _ => open.segment.from = name,
            }
            open.segment.through_interpreter = prefix.through_interpreter;
            open.segment.cites = cites.unwrap_or_default();
        }
        if prefix.end < line.text.len() {
            self.add_text(line, prefix.end);
        }
    }

    /// Takes an indented line: a field, or more of what came before.
    fn indented(&mut self, line: Line<'_>, indent: usize) {
        if let Some((name, value, offset)) = line.field(indent)
            && let Some(name) = field_name(name)
        {
            if self.current.is_none() {
                return self
                    .faults
                    .add(line, indent, Fault::FieldWithoutSegment(name.to_owned()));
            }
            self.doubt_field(line, name);
            return self.field(line, indent, name, value, offset);
        }
        if let Some(Open {
            field: Some(name),
            in_paragraph: true,
            segment,
            ..
        }) = &mut self.current
            && let Some(text) = text_field(segment, name)
        {
            text.push(' ');
            text.push_str(line.text.trim());
            return;
        }
        self.doubt_head(line, indent);
        let only_flags = line.text.trim().starts_with('{') && line.text.ends_with('}');
        if !self
            .current
            .as_ref()
            .is_some_and(|open| open.in_paragraph || only_flags)
        {
            self.begin(None);
        }
        self.add_text(line, indent);
    }

    fn field(&mut self, line: Line<'_>, indent: usize, name: &'static str, value: &str, offset: usize) {
        let numbers = if name == "cites" {
            self.numbers(line, offset, value)
        } else {
            Vec::new()
        };
        let day = (matches!(name, "due" | "done") && !value.is_empty())
            .then(|| self.faults.take(line, offset, when::day(value, self.now)))
            .flatten();
        let Some(open) = &mut self.current else { return };
        open.field = Some(name);
        open.in_paragraph = true;
        let segment = &mut open.segment;
        let names = || comma_list(value);
        match name {
            "about" => open.flags.about.extend(names()),
            "cites" => segment.cites.extend(numbers),
            "hide-from" => open.flags.hide_from.extend(names()),
            "labels" => open.flags.labels.extend(names()),
            "options" => {
                let mut all: Vec<String> = segment
                    .options
                    .iter()
                    .flat_map(Names::iter)
                    .map(str::to_owned)
                    .collect();
                all.extend(
                    value
                        .split(';')
                        .map(str::trim)
                        .filter(|o| !o.is_empty())
                        .map(str::to_owned),
                );
                segment.options = Names::from_list(all);
            }
            _ => {
                if open.fields.contains(&name) {
                    return self.faults.add(line, indent, Fault::Twice(name.to_owned()));
                }
                open.fields.push(name);
                if value.is_empty() {
                    return;
                }
                let text = Some(value.to_owned());
                match name {
                    "authority" => segment.authority = text,
                    "by" => segment.decided_by = text,
                    "done" => segment.done = day.map(|d| d.to_string()),
                    "done-by" => segment.done_by = text,
                    "due" => segment.due = day.map(|d| d.to_string()),
                    "from" => segment.from = text,
                    "outcome" => segment.outcome = text,
                    "owner" => segment.owner = text,
                    "section" => segment.section = text,
                    "speaker" => segment.speaker = text,
                    "why" => segment.why = text,
                    "withheld" => open.flags.withheld = text,
                    _ => {}
                }
            }
        }
    }

    /// Reads numbers of segments, by commas or spaces.
    fn numbers(&mut self, line: Line<'_>, offset: usize, list: &str) -> Vec<u32> {
        let mut numbers = Vec::new();
        for word in list
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|w| !w.is_empty())
        {
            match word.parse() {
                Ok(n) if n > 0 => numbers.push(n),
                _ => self.faults.add(line, offset, Fault::Number(word.to_owned())),
            }
        }
        numbers
    }

    /// Ends the segment that lines were added to.
    fn close(&mut self) {
        let Some(Open {
            mut segment,
            mut text,
            flags,
            ..
        }) = self.current.take()
        else {
            return;
        };
        let n = u32::try_from(self.done.len() + 1).unwrap_or(u32::MAX);
        if flags.kept && segment.kind == SegmentKind::Reflection {
            self.done.push(Segment::placeholder(n));
            return;
        }
        if matches!(segment.kind, SegmentKind::Decision | SegmentKind::Interpretation) {
            segment.cites.extend(cites_at_end(&mut text));
        }
        if segment.kind == SegmentKind::Quote {
            strip_quotation_marks(&mut text);
        }
        segment.text = text.iter().map(|c| c.char).collect();
        // A field without a value says nothing, and is not printed.
        let said = [
            &segment.authority,
            &segment.decided_by,
            &segment.done,
            &segment.done_by,
            &segment.due,
            &segment.from,
            &segment.outcome,
            &segment.owner,
            &segment.section,
            &segment.speaker,
            &segment.why,
        ];
        let unsaid = said.into_iter().all(Option::is_none);
        let bare = unsaid && segment.text.is_empty() && flags.is_empty();
        if bare && segment.cites.is_empty() && segment.options.is_none() {
            // A prefix that nobody wrote after.
            return;
        }
        segment.n = n;
        flags.apply(&mut segment);
        self.done.push(segment);
    }

    /// Keeps the title of a heading that no template knows and that nothing was written under: those are words.
    fn close_heading(&mut self) {
        if let Some(Under {
            title,
            known: None,
            used: false,
            ..
        }) = self.heading.take()
        {
            let lower = title.to_lowercase();
            if self.outline.others.iter().any(|other| other.to_lowercase() == lower) {
                return;
            }
            let n = u32::try_from(self.done.len() + 1).unwrap_or(u32::MAX);
            self.done.push(Segment::new(n, SegmentKind::Narrative, title));
        }
    }
}

/// Reads `## Title`; a `#` without a space is text.
pub(super) fn heading_title(text: &str) -> Option<&str> {
    let marks = text.len() - text.trim_start_matches('#').len();
    let title = text.get(marks..)?;
    ((1..=6).contains(&marks) && title.starts_with(' '))
        .then(|| title.trim())
        .filter(|t| !t.is_empty())
}

/// The words before a colon that say what a segment is.
pub(super) struct Prefix<'a> {
    kind: SegmentKind,
    /// The speaker or source.
    name: &'a str,
    through_interpreter: bool,
    /// Numbers in brackets, with their byte offset.
    cites: Option<(&'a str, usize)>,
    /// Where the text begins.
    end: usize,
}

impl<'a> Prefix<'a> {
    /// Tells whether `text` is a prefix with exactly this name in it, and nothing more.
    pub(super) fn names(text: &'a str, name: &str) -> bool {
        Self::read(text, 0).is_some_and(|prefix| prefix.name == name && !prefix.through_interpreter)
    }

    pub(super) fn read(text: &'a str, indent: usize) -> Option<Self> {
        let body = text.get(indent..)?;
        let word_end = body.find(|c: char| !c.is_ascii_alphabetic())?;
        let (word, rest) = body.split_at(word_end);
        let word = word.to_ascii_lowercase();
        let kind = SegmentKind::ALL.into_iter().find(|k| k.short() == word)?;
        let takes_name = matches!(kind, SegmentKind::Quote | SegmentKind::Reported);
        let colon = rest.match_indices(':').map(|(i, _)| i).find(|i| {
            let after = rest.get(i + 1..).and_then(|r| r.chars().next());
            after.is_none_or(|c| c.is_whitespace() || matches!(c, '"' | '“' | '{'))
        })?;
        let between = rest.get(..colon)?;
        let after = rest.get(colon + 1..)?;
        let end = text.len() - after.trim_start().len();
        let plain = Self {
            kind,
            name: "",
            through_interpreter: false,
            cites: None,
            end,
        };
        if between.is_empty() {
            return Some(plain);
        }
        if takes_name {
            let name = between.trim();
            let fits = between.starts_with(' ')
                && name.chars().count() <= LONGEST_NAME
                && !name.contains(['"', '“', '{', '!', '?', '\\'])
                && !name.contains(". ");
            let through = [" via interpreter", " through interpreter"]
                .into_iter()
                .find_map(|s| name.strip_suffix(s));
            let named = Self {
                name: through.unwrap_or(name).trim(),
                through_interpreter: through.is_some(),
                ..plain
            };
            return fits.then_some(named);
        }
        let list = between.trim().strip_prefix('[')?.strip_suffix(']')?;
        let at = indent + word_end + between.find('[')? + 1;
        Some(Self {
            cites: Some((list, at)),
            ..plain
        })
    }
}

/// Finds the field that an indented line carries.
fn field_name(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "about" => "about",
        "authority" => "authority",
        "by" | "decided-by" => "by",
        "cites" => "cites",
        "done" => "done",
        "done-by" => "done-by",
        "due" => "due",
        "from" => "from",
        "hide-from" => "hide-from",
        "label" | "labels" => "labels",
        "options" | "option" => "options",
        "outcome" => "outcome",
        "owner" => "owner",
        "section" => "section",
        "speaker" => "speaker",
        "why" => "why",
        "withheld" => "withheld",
        _ => return None,
    })
}

/// The kinds of segment whose field it is, of a field that says nothing of others.
fn of_kind(name: &str) -> Option<&'static [SegmentKind]> {
    match name {
        "done" | "done-by" | "due" | "outcome" | "owner" => Some(&[SegmentKind::Plan]),
        "authority" | "by" | "options" | "why" => Some(&[SegmentKind::Decision]),
        _ => None,
    }
}

/// Something that was read as the grammar has it, and may not have been meant so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The line, from 1.
    pub line: usize,
    /// What it was read as.
    pub read: Meant,
}

/// What a line was read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meant {
    /// Text, although it begins like a mark that is set in bold.
    Bold {
        /// The word, as it was written.
        word: String,
        /// The mark that is meant.
        mark: &'static str,
    },
    /// A heading that the template does not have, and nearly has or that sounds like a mark.
    Heading {
        /// The heading, as it was written.
        title: String,
        /// The template's own that is near it.
        near: Option<String>,
        /// The mark that is meant.
        mark: &'static str,
    },
    /// Nothing: a line of guidance that is not as it was given, so that what was typed into it is dropped with it.
    Dropped,
    /// A field of a plan or a decision, under another segment.
    Field {
        /// The field.
        name: &'static str,
        /// The segment's kind.
        of: SegmentKind,
    },
    /// Text, with the marker of guidance in it.
    Guidance,
    /// Text, although it would be a field of the note in the first lines.
    Head(&'static str),
    /// Text, although it looks like a mark.
    Lookalike {
        /// What was written.
        written: String,
        /// The mark that it looks like, braces off.
        mark: String,
    },
    /// A plan, because it stands under a heading for plans without a mark.
    ImpliedPlan,
    /// A mark, right below lines of another segment.
    Mark {
        /// The mark.
        mark: &'static str,
        /// The kind of the segment that it ends.
        of: SegmentKind,
    },
    /// Text, although it begins like a field.
    Text(&'static str),
}

impl Doubt {
    pub(super) fn of(line: Line<'_>, read: Meant) -> Self {
        let line = line.number;
        Self { line, read }
    }
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.read)
    }
}

impl std::fmt::Display for Meant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bold { word, mark } => write!(
                f,
                "`{word}` is only text there; `{mark}:` at the beginning of the line says what it is"
            ),
            Self::Heading { title, near, mark } => {
                write!(f, "`## {title}` is no heading of the template")?;
                if let Some(near) = near {
                    write!(f, " (`## {near}` is)")?;
                }
                write!(
                    f,
                    ", so that what stands under it is of no kind: begin it with `{mark}:`"
                )
            }
            Self::Dropped => f.write_str(
                "the line begins with `#!`, and all of it is dropped, with what was typed into it: words go into a line of their \
                 own",
            ),
            Self::Guidance => f.write_str(
                "`#!` stands in the middle of the line, so that it drops nothing, and is filed with the words: it belongs to the \
                 beginning of a line of its own; `\\#!` says that it is meant",
            ),
            Self::Field { name, of } => write!(
                f,
                "`{name}:` was taken for a field, and is none of a segment of kind {}; `\\{name}:` keeps it as text",
                of.as_str()
            ),
            Self::Head(name) => write!(
                f,
                "`{name}:` is a field of the first lines, and was taken for text here: move it above everything else, without an \
                 empty line between; `\\{name}:` says that text is meant"
            ),
            Self::ImpliedPlan => f.write_str(
                "without a mark, under a heading for plans, it is a step that somebody has to carry out: `plan:` before it says so, \
                 `nar:` that it is only words",
            ),
            Self::Lookalike { written, mark } => {
                let what = match mark.starts_with("hide-from") || mark.starts_with("withheld") {
                    true => "hides nothing",
                    false => "marks nothing",
                };
                write!(
                    f,
                    "`{written}` looks like a mark, and {what} as it is written: write `{{{mark}}}`"
                )
            }
            Self::Mark { mark, of } => write!(
                f,
                "`{mark}` ended the text above it, of kind {}, and began another segment; `\\{mark}` keeps it as text, an empty \
                 line before it says that it is meant",
                of.as_str()
            ),
            Self::Text(name) => write!(
                f,
                "`{name}:` is only text there; two spaces before it, below a plan or a decision, make it a field"
            ),
        }
    }
}

/// Words that say what somebody means to write, each with the mark for it.
const SPOKEN: [(&str, &str); 9] = [
    ("action", "act"),
    ("assessment", "int"),
    ("decision", "dec"),
    ("interpretation", "int"),
    ("intervention", "act"),
    ("next step", "plan"),
    ("observation", "obs"),
    ("opinion", "int"),
    ("plan", "plan"),
];

/// Finds the mark for words that begin with what it stands for: `Decisions made`, `Plan`.
fn spoken_mark(words: &str) -> Option<&'static str> {
    let words = words.to_lowercase();
    let found = SPOKEN.iter().find(|(word, _)| {
        let rest = words.strip_prefix(word);
        rest.is_some_and(|rest| rest.is_empty() || rest == "s" || rest.starts_with("s ") || rest.starts_with(' '))
    });
    found.map(|(_, mark)| *mark)
}

/// Doubts a heading that the template does not know: one of its own but for an ending or a word more, or one that sounds
/// like a decision or a plan.
fn doubt_of_heading(line: Line<'_>, title: &str, outline: &Outline) -> Option<Doubt> {
    let stem = |title: &str| title.to_lowercase().trim_end_matches('s').to_owned();
    let written = stem(title);
    let is_near = |heading: &&Heading| {
        let own = stem(&heading.title);
        let longer = |long: &str, short: &str| {
            long.strip_prefix(short)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' ') || rest.starts_with("s "))
        };
        longer(&written, &own) || longer(&own, &written)
    };
    let near = outline.headings.iter().find(is_near);
    let of_near = near
        .map(|heading| heading.kind)
        .filter(|kind| *kind != SegmentKind::Narrative);
    let mark = of_near.map(SegmentKind::short).or_else(|| spoken_mark(title))?;
    let read = Meant::Heading {
        title: title.to_owned(),
        near: near.map(|heading| heading.title.clone()),
        mark,
    };
    Some(Doubt::of(line, read))
}

/// Reads a mark that was set in bold, as in a letter: `**Decision:** we stop`.
fn bold_mark(text: &str) -> Option<Meant> {
    let text = text.trim_start();
    let stars = text.get(..2).filter(|two| matches!(*two, "**" | "__"))?;
    let (word, rest) = text.get(2..)?.split_once(stars)?;
    let is_label = word.ends_with(':') || rest.trim_start().starts_with(':');
    let mark = spoken_mark(word.trim_end_matches(':').trim()).filter(|_| is_label)?;
    let colon = if word.ends_with(':') { "" } else { ":" };
    let word = format!("{stars}{word}{stars}{colon}");
    Some(Meant::Bold { word, mark })
}

/// Finds the text that an indented line without a name goes on with.
fn text_field<'s>(segment: &'s mut Segment, name: &str) -> Option<&'s mut String> {
    match name {
        "authority" => segment.authority.as_mut(),
        "outcome" => segment.outcome.as_mut(),
        "why" => segment.why.as_mut(),
        _ => None,
    }
}

/// Takes numbers in brackets off the end of the text.
fn cites_at_end(text: &mut Vec<Char>) -> Vec<u32> {
    let is = |c: Option<&Char>, wanted: char| c.is_some_and(|c| c.char == wanted && !c.literal);
    let Some(open) = text.iter().rposition(|c| is(Some(c), '[')) else {
        return Vec::new();
    };
    if !is(text.last(), ']') {
        return Vec::new();
    }
    let inside: String = text
        .get(open + 1..text.len() - 1)
        .unwrap_or_default()
        .iter()
        .map(|c| c.char)
        .collect();
    let numbers: Option<Vec<u32>> = inside
        .split([',', ' '])
        .filter(|w| !w.is_empty())
        .map(|w| w.parse().ok().filter(|n| *n > 0))
        .collect();
    match numbers {
        Some(numbers) if !numbers.is_empty() => {
            text.truncate(open);
            while text.last().is_some_and(|c| c.char.is_whitespace() && !c.literal) {
                text.pop();
            }
            numbers
        }
        _ => Vec::new(),
    }
}

/// Takes off one pair of quotation marks that encloses all, if there is none of them inside.
fn strip_quotation_marks(text: &mut Vec<Char>) {
    for (open, close) in [('"', '"'), ('“', '”')] {
        let (Some(first), Some(last)) = (text.first(), text.last()) else {
            return;
        };
        let pair = first.char == open && last.char == close && !first.literal && !last.literal && text.len() >= 2;
        let inside = text.get(1..text.len() - 1).unwrap_or_default();
        if pair && !inside.iter().any(|c| c.char == open || c.char == close) {
            text.pop();
            text.remove(0);
            return;
        }
    }
}
