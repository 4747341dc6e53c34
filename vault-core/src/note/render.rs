//! One note made readable, as text, Markdown or HTML, with fact and opinion told apart by words, not by colour.
//!
//! All three are written from one page of labelled blocks, so that none says more than another. Whatever comes from a
//! record passes through [`display`].

mod apart;
mod html;
mod markdown;
mod text;

use jiff::tz::TimeZone;
use std::borrow::Cow;

pub use apart::set_apart;
pub use html::{fragment, fragment_attachments, heading, heading_facts, page};
pub use markdown::{markdown, markdown_attachments, markdown_heading, markdown_heading_facts};
pub use text::text;

use super::display;
use super::gap;
use super::mark::Marks;
use super::model::{Names, Note, Segment, SegmentKind};
use super::when::{Lag, Moment};

/// A note with what its reader is told beside it.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The note, joined from the parts that the reader holds.
    pub note: &'a Note,
    /// Its handle.
    pub handle: &'a str,
    /// Its version, from 1.
    pub version: u32,
    /// The version before, shown struck where it differs.
    pub previous: Option<&'a Note>,
    /// Who amended it.
    pub amended_by: Option<&'a str>,
    /// Who signed it, where that is somebody else than the worker.
    pub signed_by: Option<&'a str>,
    /// When the server saw it.
    pub witnessed_at: Option<&'a Moment>,
    /// The author's role.
    pub role: Option<&'a str>,
    /// The kinds to show; a kind that the template gave and nobody confirmed is not shown then.
    pub only: Option<&'a [SegmentKind]>,
    /// The zone whose clocks the times are shown by.
    pub zone: &'a TimeZone,
    /// Whether each time says its offset from UTC: for a page that leaves the machine.
    pub offsets: bool,
    /// Whether only that it is there is shown of what is not for everybody: for a page that may be handed on.
    pub without_marked: bool,
}

impl<'a> Shown<'a> {
    /// Shows a first version, all of it, with times by the clocks of a zone.
    pub fn new(note: &'a Note, handle: &'a str, zone: &'a TimeZone) -> Self {
        Self {
            note,
            handle,
            version: 1,
            previous: None,
            amended_by: None,
            signed_by: None,
            witnessed_at: None,
            role: None,
            only: None,
            zone,
            offsets: false,
            without_marked: false,
        }
    }

    fn time(&self, moment: &Moment) -> String {
        match self.offsets {
            true => moment.with_offset(self.zone),
            false => moment.in_zone(self.zone),
        }
    }

    fn page(&self) -> Page {
        let note = self.note;
        let when = note
            .occurred_at
            .as_ref()
            .map_or_else(|| "time not recorded".to_owned(), |at| self.time(at));
        let title = format!("{}  {}  {when}", self.handle, note.kind);
        let (blocks, left_out) = self.blocks();
        Page {
            title: display::escape_line(&title).into_owned(),
            facts: self.facts(),
            blocks,
            left_out,
        }
    }

    /// The head as it reads, and what it said in the version before where that differed.
    fn facts(&self) -> Vec<Fact> {
        let fact = |(label, value)| Fact {
            label,
            value,
            was: None,
        };
        let mut facts: Vec<Fact> = self.head().into_iter().map(fact).collect();
        let Some(previous) = self.previous else { return facts };
        let before = Shown {
            note: previous,
            version: 1,
            previous: None,
            ..*self
        };
        if self.note.kind != previous.kind {
            facts.push(Fact {
                label: "Kind",
                value: self.note.kind.to_string(),
                was: Some(previous.kind.to_string()),
            });
        }
        let before: Vec<_> = before
            .head()
            .into_iter()
            .filter(|(label, _)| AMENDED.contains(label))
            .collect();
        for fact in facts.iter_mut().filter(|fact| AMENDED.contains(&fact.label)) {
            let old = before.iter().find(|(label, _)| *label == fact.label);
            fact.was = match old {
                Some((_, old)) => Some(old.clone()).filter(|old| *old != fact.value),
                None => Some(NOT_SAID.to_owned()),
            };
        }
        for (label, old) in before {
            if facts.iter().all(|fact| fact.label != label) {
                facts.push(Fact {
                    label,
                    value: NOT_SAID.to_owned(),
                    was: Some(old),
                });
            }
        }
        facts
    }

    fn head(&self) -> Vec<(&'static str, String)> {
        let note = self.note;
        let mut facts = Vec::new();
        let mut add = |label, value: Option<Cow<'_, str>>| {
            if let Some(value) = value.filter(|v| !v.is_empty()) {
                facts.push((label, display::escape_line(&value).into_owned()));
            }
        };
        let text = |text: &'a Option<String>| text.as_deref().map(Cow::Borrowed);
        if note.imported.is_some() {
            let author = note.author().unwrap_or("an author who is not named");
            add("Origin", Some(format!("imported, not signed by {author}").into()));
        }
        if self.version > 1 {
            let amended = note.authored_at.as_ref();
            let at = amended.map(|at| format!(" {}", self.time(at))).unwrap_or_default();
            let by = self.amended_by.map(|by| format!(" by {by}")).unwrap_or_default();
            let word = if at.is_empty() && by.is_empty() {
                ""
            } else {
                ", amended"
            };
            add("Version", Some(format!("{}{word}{at}{by}", self.version).into()));
        }
        let occurred = note.occurred_at.as_ref().map(|at| self.time(at));
        add(
            "Occurred",
            occurred.map(|at| match note.duration_minutes {
                Some(minutes) => format!("{at}, for {minutes} m").into(),
                None => at.into(),
            }),
        );
        let recorded = note.recorded_at().map(|recorded| match &note.occurred_at {
            Some(occurred) => {
                let lag = Lag::between(occurred, note.duration_minutes, recorded);
                let word = if lag.minutes() < 0 { "" } else { "lag " };
                format!("{} ({word}{lag})", self.time(recorded))
            }
            None => self.time(recorded),
        });
        add("Recorded", recorded.map(Cow::Owned));
        add("Jotted", note.jotted_at.as_ref().map(|at| self.time(at).into()));
        if let Some(refiled) = &note.refiled {
            let text = format!("out of a wrong file, signed there by {}", refiled.signed_by);
            add("Refiled", Some(text.into()));
        }
        if let Some(misfiled) = &note.misfiled {
            let at = Moment::parse(&misfiled.at).map_or_else(|_| misfiled.at.clone(), |at| self.time(&at));
            let text = format!("marked {at} by {}: {}", misfiled.by, misfiled.reason);
            add("Misfiled", Some(text.into()));
            let answer = misfiled.answer.as_ref().map(|answer| answer.words.as_str());
            add("Breach", Some(answer.unwrap_or("not answered yet").to_owned().into()));
        }
        let taken_off = note.detached.iter().map(|one| {
            let at = Moment::parse(&one.at).map_or_else(|_| one.at.clone(), |at| self.time(&at));
            // Why is for the file alone, and not for who gets a page of it.
            match self.without_marked {
                true => format!("an attachment {at} by {}", one.by),
                false => format!("an attachment {at} by {}: {}", one.by, one.reason),
            }
        });
        add("Taken off", Some(taken_off.collect::<Vec<_>>().join("; ").into()));
        add("Server says", self.witnessed_at.map(|at| self.time(at).into()));
        add("Reason for the delay", text(&note.lag_reason));
        add("Worker", self.worker().map(Cow::Owned));
        add("Entered by", text(&note.entered_by));
        add("On behalf of", text(&note.on_behalf_of));
        add("Confirmed by", text(&note.confirmed_by));
        add("Present", Some(note.present.join(", ").into()));
        add("Client seen", note.seen.map(yes_or_no));
        add("Seen alone", note.seen_alone.map(yes_or_no));
        add("Why not alone", text(&note.seen_alone_why_not));
        add("Place", text(&note.place));
        add("Language", text(&note.language));
        add("Interpreter", text(&note.interpreter));
        add("Original", text(&note.original));
        add("Section", text(&note.section));
        add("Labels", Some(note.labels.join(", ").into()));
        add(
            "Template",
            note.template.as_ref().map(|t| match note.template_version {
                Some(version) => format!("{t} {version}").into(),
                None => t.into(),
            }),
        );
        facts
    }

    /// Names who did the work, and beside them who signed for it, where that is somebody else.
    fn worker(&self) -> Option<String> {
        self.note.author()?;
        Some(match self.signed_by {
            Some(signer) => format!("{}, written and signed by {signer}", self.author()),
            None => self.author(),
        })
    }

    /// Names the author with the role: `w003, caseworker`.
    fn author(&self) -> String {
        let author = self.note.author().unwrap_or("author not named");
        self.role
            .map_or_else(|| author.to_owned(), |role| format!("{author}, {role}"))
    }

    fn wants(&self, segment: &Segment) -> bool {
        self.only
            .is_none_or(|kinds| kinds.contains(&segment.kind) && !segment.default_kind)
    }

    fn blocks(&self) -> (Vec<Block>, usize) {
        let mut blocks: Vec<Block> = Vec::new();
        let mut left_out = 0;
        for (change, owner, segment) in changes(self.previous, self.note) {
            if !self.wants(segment) {
                left_out += usize::from(change != Change::Struck);
                continue;
            }
            if !self.without_marked || self.marks(change, segment).is_empty() {
                blocks.push(self.block(change, owner, segment));
                continue;
            }
            match blocks.last_mut() {
                Some(last) if last.is_left_out && last.change == change => last.n.push_str(&format!(", {}", segment.n)),
                last => {
                    // Its own heading is not told; and that of before goes on behind it.
                    let heading = last.and_then(|last| last.heading.clone());
                    blocks.push(Block::left_out(change, segment.n, heading));
                }
            }
        }
        (blocks, left_out)
    }

    /// Returns the marks of a segment. What was struck has those of what stands in its place: words that were marked only when
    /// they were amended are the same words, and are kept from the same people.
    fn marks(&self, change: Change, segment: &Segment) -> Marks {
        let own = Marks::of(segment);
        if change != Change::Struck || !own.is_empty() {
            return own;
        }
        let is_same =
            |now: &&Segment| now.n == segment.n || now.text.split_whitespace().eq(segment.text.split_whitespace());
        let after = self.note.segments.iter().filter(is_same).map(Marks::of);
        after.into_iter().find(|marks| !marks.is_empty()).unwrap_or_default()
    }

    fn block(&self, change: Change, owner: &Note, segment: &Segment) -> Block {
        let mut details = Vec::new();
        let mut add = |label, value: Option<Cow<'_, str>>| {
            debug_assert!(apart::FIELDS.contains(&label), "{label} could be forged in a text");
            if let Some(value) = value.filter(|v| !v.is_empty()) {
                details.push((label, display::escape_line(&value).into_owned()));
            }
        };
        let text = |text: &Option<String>| text.clone().map(Cow::Owned);
        let names = |names: &Option<Names>| names.as_ref().map(|n| Cow::Owned(n.to_string()));
        let cites: Vec<String> = segment.cites.iter().map(u32::to_string).collect();
        add("rests on", Some(cites.join(", ").into()));
        add(
            "speaker",
            text(&segment.speaker).filter(|_| segment.kind != SegmentKind::Quote),
        );
        add(
            "from",
            text(&segment.from).filter(|_| segment.kind != SegmentKind::Reported),
        );
        add("why", text(&segment.why));
        add(
            "options",
            segment
                .options
                .as_ref()
                .map(|o| o.iter().collect::<Vec<_>>().join("; ").into()),
        );
        add("decided by", text(&segment.decided_by));
        add("authority", text(&segment.authority));
        add("owner", text(&segment.owner));
        add("due", text(&segment.due));
        add("done", text(&segment.done));
        add("done by", text(&segment.done_by));
        add("outcome", text(&segment.outcome));
        add("about", names(&segment.about));
        add("labels", Some(segment.labels.join(", ").into()));
        add(
            "section",
            text(&segment.section).filter(|s| owner.section.as_deref() != Some(s)),
        );
        add("significant", segment.significant.then_some("yes".into()));
        add("third party", segment.third_party.then_some("yes".into()));
        add("withheld", text(&segment.withheld));
        add("hidden from", names(&segment.hide_from));
        let open = match change {
            Change::Struck => Vec::new(),
            // What a part lacks, another part may hold.
            _ => gap::lacks(owner, segment)
                .into_iter()
                .filter(|lack| !matches!(lack, gap::Lack::CitedSegment(_)))
                .map(|lack| lack.to_string())
                .collect(),
        };
        Block {
            n: segment.n.to_string(),
            change,
            heading: segment.heading.as_deref().map(|h| display::escape_line(h).into_owned()),
            label: display::escape_line(&format!("{}{}", self.marks(change, segment), self.label(segment)))
                .into_owned(),
            body: set_apart(&display::escape(&segment.text)),
            quoted: segment.kind == SegmentKind::Quote,
            details,
            open,
            is_left_out: false,
        }
    }

    /// Says in words what a segment is.
    fn label(&self, segment: &Segment) -> String {
        let label = match segment.kind {
            SegmentKind::Decision => "Decision".to_owned(),
            SegmentKind::Interpretation => format!("Opinion ({})", self.author()),
            SegmentKind::Intervention => "Action".to_owned(),
            SegmentKind::Narrative => "Not classified by the author".to_owned(),
            SegmentKind::Observation => "Observation".to_owned(),
            SegmentKind::Plan => "Plan".to_owned(),
            SegmentKind::Quote => format!("Said by {}", segment.speaker.as_deref().unwrap_or("someone not named")),
            SegmentKind::Reflection if segment.placeholder => "Reflection, kept by its author".to_owned(),
            SegmentKind::Reflection => "Reflection".to_owned(),
            SegmentKind::Reported => format!("Reported by {}", segment.from.as_deref().unwrap_or("someone not named")),
        };
        let through = if segment.through_interpreter {
            " through an interpreter"
        } else {
            ""
        };
        let unconfirmed = if segment.default_kind {
            " (template's kind, not confirmed)"
        } else {
            ""
        };
        format!("{label}{through}{unconfirmed}")
    }
}

fn yes_or_no(yes: bool) -> Cow<'static, str> {
    Cow::Borrowed(if yes { "yes" } else { "no" })
}

/// A note as labelled blocks; everything in it is safe to show.
struct Page {
    title: String,
    facts: Vec<Fact>,
    blocks: Vec<Block>,
    /// How many segments were not asked for.
    left_out: usize,
}

impl Page {
    /// Says what is not shown.
    fn left_out(&self) -> Option<String> {
        match self.left_out {
            0 => None,
            1 => {
                Some("1 segment not shown: of another kind, or of a kind that its author has not confirmed".to_owned())
            }
            n => Some(format!(
                "{n} segments not shown: of other kinds, or of kinds that their author has not confirmed"
            )),
        }
    }
}

/// What an amendment may change of a note's head. The rest of it says whose version it is, and when it was written.
const AMENDED: [&str; 16] = [
    "Occurred",
    "Reason for the delay",
    "Worker",
    "Entered by",
    "On behalf of",
    "Confirmed by",
    "Present",
    "Client seen",
    "Seen alone",
    "Why not alone",
    "Place",
    "Language",
    "Interpreter",
    "Original",
    "Section",
    "Labels",
];

/// Stands where a version says nothing that the other says.
const NOT_SAID: &str = "not said";

/// A line of a note's head.
struct Fact {
    label: &'static str,
    value: String,
    /// What the version before said instead.
    was: Option<String>,
}

struct Block {
    /// The segment's number; of several that are left out, each, by commas.
    n: String,
    change: Change,
    heading: Option<String>,
    label: String,
    body: String,
    quoted: bool,
    details: Vec<(&'static str, String)>,
    open: Vec<String>,
    is_left_out: bool,
}

impl Block {
    /// Says that there is a segment which is not for everybody; its number stays, because others rest on it. It stands under
    /// the heading of what is before it.
    fn left_out(change: Change, n: u32, heading: Option<String>) -> Self {
        Self {
            n: n.to_string(),
            change,
            heading,
            label: "Left out by the worker".to_owned(),
            body: String::new(),
            quoted: false,
            details: Vec::new(),
            open: Vec::new(),
            is_left_out: true,
        }
    }
}

/// How a segment stands to the version before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Added,
    Same,
    Struck,
}

impl Change {
    /// The word that tells it apart where nothing can be struck through.
    fn word(self) -> &'static str {
        match self {
            Self::Added => "now: ",
            Self::Same => "",
            Self::Struck => "struck: ",
        }
    }
}

/// Lines two versions up: what both hold once, the rest as struck and added, in order.
fn changes<'a>(previous: Option<&'a Note>, note: &'a Note) -> Vec<(Change, &'a Note, &'a Segment)> {
    let Some(previous) = previous else {
        return note.segments.iter().map(|s| (Change::Same, note, s)).collect();
    };
    // To say that a plan was carried out changes none of its words; to take that back is shown.
    let carried_out = |a: &Segment, b: &Segment| a.done.is_none() && b.done.is_some();
    let alike = |a: &Segment, b: &Segment| {
        let mut a = Segment { n: b.n, ..a.clone() };
        if carried_out(&a, b) {
            a.done.clone_from(&b.done);
            a.done_by.clone_from(&b.done_by);
            a.outcome.clone_from(&b.outcome);
        }
        a == *b
    };
    let (old, new) = (&previous.segments, &note.segments);
    // Longest common subsequence; row i holds the lengths for old[i..].
    let mut rows = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    let at = |rows: &[Vec<usize>], i: usize, j: usize| rows.get(i).and_then(|r| r.get(j)).copied().unwrap_or(0);
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            let length = if alike(a, b) {
                at(&rows, i + 1, j + 1) + 1
            } else {
                at(&rows, i + 1, j).max(at(&rows, i, j + 1))
            };
            if let Some(cell) = rows.get_mut(i).and_then(|r| r.get_mut(j)) {
                *cell = length;
            }
        }
    }
    let (mut i, mut j, mut all) = (0, 0, Vec::new());
    loop {
        match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) if alike(a, b) => {
                all.push((Change::Same, note, b));
                (i, j) = (i + 1, j + 1);
            }
            (Some(a), b) if b.is_none() || at(&rows, i + 1, j) >= at(&rows, i, j + 1) => {
                all.push((Change::Struck, previous, a));
                i += 1;
            }
            (_, Some(b)) => {
                all.push((Change::Added, note, b));
                j += 1;
            }
            (_, None) => return all,
        }
    }
}

#[cfg(test)]
#[path = "render/tests.rs"]
mod tests;
