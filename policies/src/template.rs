//! Templates of records: versioned TOML, `templates/<id>/<version>.toml`.
//!
//! A template gives headings with the kind and section of what is written under them, questions that the editor shows,
//! the fields of a person's profile, and why a case may be closed. A version that was once used stays loadable for ever,
//! because a note is shown under the version that it was written under.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;

/// The kinds of note that need no template.
const GIVEN_KINDS: [&str; 9] = [
    "interview",
    "home-visit",
    "phone",
    "meeting",
    "office",
    "supervision",
    "court",
    "correspondence",
    "other",
];

/// Sections that no heading and no field may name: one is for display labels, the other for reflections.
const RESERVED_SECTIONS: [&str; 2] = ["index", "private"];

/// The templates that come with the program.
const EMBEDDED: [&str; 15] = [
    include_str!("../templates/adult-social-care/1.toml"),
    include_str!("../templates/adult-social-care/2.toml"),
    include_str!("../templates/adult-social-care/3.toml"),
    include_str!("../templates/child-and-family/1.toml"),
    include_str!("../templates/child-and-family/2.toml"),
    include_str!("../templates/child-and-family/3.toml"),
    include_str!("../templates/correspondence/1.toml"),
    include_str!("../templates/court/1.toml"),
    include_str!("../templates/home-visit/1.toml"),
    include_str!("../templates/interview/1.toml"),
    include_str!("../templates/meeting/1.toml"),
    include_str!("../templates/office/1.toml"),
    include_str!("../templates/other/1.toml"),
    include_str!("../templates/phone/1.toml"),
    include_str!("../templates/supervision/1.toml"),
];

/// Says what is wrong with a template, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {fault}")]
pub struct TemplateError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub fault: Fault,
}

/// What can be wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// The same id and version were loaded with another text.
    #[error("version {version} of `{id}` is there already, with another text: give it a new version")]
    Changed {
        /// The template's id.
        id: String,
        /// Its version.
        version: u32,
    },
    /// Guidance and prompts are one line each.
    #[error("guidance and prompts are one line each")]
    Lines,
    /// An id, kind, section or field has other characters than it may.
    #[error("`{0}` may hold lower-case letters, digits and hyphens only, and fields underscores")]
    Name(String),
    /// A section that templates may not write to.
    #[error("`{0}` is a section that templates may not use")]
    Reserved(String),
    /// A section that the template does not list.
    #[error("`{0}` is not among the template's sections")]
    Section(String),
    /// It is not TOML, or lacks or has too many keys.
    #[error("{0}")]
    Syntax(String),
    /// A title is empty.
    #[error("a title is needed")]
    Title,
    /// A heading, field, kind or section is there twice.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// Versions count from 1.
    #[error("versions count from 1")]
    Version,
}

/// One version of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The id, lower case with hyphens.
    pub id: String,
    /// The version, from 1.
    pub version: u32,
    /// The title.
    pub title: String,
    /// The kinds of note that it is for, given ones or its own; none means any given kind.
    pub kinds: Vec<String>,
    /// The sections that its headings and fields may lie in.
    pub sections: Vec<String>,
    /// The headings, in order.
    pub headings: Vec<Heading>,
    /// Questions that the editor shows and that are dropped.
    pub prompts: Vec<String>,
    /// The fields of a person's profile; none of them is ever forced.
    pub profile: Vec<Field>,
    /// Why a case of this template may be closed; none where it says nothing of that.
    pub closing: Vec<Reason>,
}

/// One heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// The title.
    pub title: String,
    /// The kind of an unmarked paragraph under it.
    pub kind: SegmentKind,
    /// The section of what is under it, if not the note's own.
    pub section: Option<String>,
    /// Guidance that the editor shows and that is dropped.
    pub guidance: Vec<String>,
}

/// One field of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in the profile's JSON.
    pub name: String,
    /// What the worker is asked.
    pub title: String,
    /// The section that it belongs to, if not `core`.
    pub section: Option<String>,
    /// Whether it is asked for when a case is opened on a terminal.
    pub asked: bool,
}

/// One reason for which a case is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The code that is kept, the same in every version.
    pub code: String,
    /// What it means.
    pub title: String,
}

/// The kinds of segment, as the note's payload names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "named as in the payload, explained there")]
pub enum SegmentKind {
    Decision,
    Interpretation,
    Intervention,
    Narrative,
    Observation,
    Plan,
    Quote,
    Reflection,
    Reported,
}

impl SegmentKind {
    /// Names the kind as the payload does.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Interpretation => "interpretation",
            Self::Intervention => "intervention",
            Self::Narrative => "narrative",
            Self::Observation => "observation",
            Self::Plan => "plan",
            Self::Quote => "quote",
            Self::Reflection => "reflection",
            Self::Reported => "reported",
        }
    }
}

impl fmt::Display for SegmentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Template {
    /// Checks the text of a template and reads it.
    ///
    /// # Errors
    /// The first [`TemplateError`], with its place.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let file: File = toml::from_str(text).map_err(|e| {
            let at = e.span().map_or(0, |span| span.start);
            let why = e
                .message()
                .replace('\n', " ")
                .replace("unknown variant", "unknown value");
            fault(
                text,
                at,
                Fault::Syntax(why.replace("expected u32", "expected a whole number")),
            )
        })?;
        file.check(text)?;
        Ok(file.into())
    }

    /// Finds a heading by its title, whatever its case.
    pub fn heading(&self, title: &str) -> Option<&Heading> {
        let title = title.to_lowercase();
        self.headings.iter().find(|h| h.title.to_lowercase() == title)
    }

    /// Tells whether notes of a kind may be written under it.
    pub fn is_for(&self, kind: &str) -> bool {
        if self.kinds.is_empty() {
            GIVEN_KINDS.contains(&kind)
        } else {
            self.kinds.iter().any(|k| k == kind)
        }
    }
}

/// Templates by id and version.
#[derive(Debug, Clone, Default)]
pub struct Set {
    all: BTreeMap<String, BTreeMap<u32, Template>>,
}

impl Set {
    /// Loads the templates that come with the program.
    ///
    /// # Errors
    /// None in a program whose tests passed.
    pub fn embedded() -> Result<Self, TemplateError> {
        let mut set = Self::default();
        for text in EMBEDDED {
            set.add(text)?;
        }
        Ok(set)
    }

    /// Returns the text of every template that comes with the program, in a fixed order: what the policy set's hash is of.
    pub fn sources() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().copied()
    }

    /// Adds one version of a template; the same text twice is the same template.
    ///
    /// # Errors
    /// [`TemplateError`], [`Fault::Changed`] among them.
    pub fn add(&mut self, text: &str) -> Result<&Template, TemplateError> {
        let template = Template::parse(text)?;
        let (id, version) = (template.id.clone(), template.version);
        let versions = self.all.entry(id.clone()).or_default();
        let kept = versions.entry(version).or_insert_with(|| template.clone());
        if *kept == template {
            Ok(kept)
        } else {
            Err(fault(text, 0, Fault::Changed { id, version }))
        }
    }

    /// Finds the newest version of a template.
    pub fn newest(&self, id: &str) -> Option<&Template> {
        self.all.get(id)?.values().next_back()
    }

    /// Finds the newest version of the template of this name, or of the only one whose name begins so, whatever its capitals.
    pub fn begins(&self, id: &str) -> Option<&Template> {
        let lower = id.to_lowercase();
        if let Some(whole) = self.newest(&lower) {
            return Some(whole);
        }
        let mut found = self
            .all
            .keys()
            .filter(|known| !lower.is_empty() && known.starts_with(&lower));
        let (first, second) = (found.next()?, found.next());
        self.newest(first).filter(|_| second.is_none())
    }

    /// Finds a version of a template.
    pub fn version(&self, id: &str, version: u32) -> Option<&Template> {
        self.all.get(id)?.get(&version)
    }

    /// Goes through the newest version of every template, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Template> {
        self.all.values().filter_map(|versions| versions.values().next_back())
    }

    /// Goes through every version of a template, the oldest first.
    pub fn versions(&self, id: &str) -> impl Iterator<Item = &Template> {
        self.all.get(id).into_iter().flat_map(BTreeMap::values)
    }

    /// Finds the template made for one kind of note.
    pub fn for_kind(&self, kind: &str) -> Option<&Template> {
        self.iter().find(|t| !t.kinds.is_empty() && t.is_for(kind))
    }

    /// Tells whether a kind of note is given or some template defines it.
    pub fn knows_kind(&self, kind: &str) -> bool {
        GIVEN_KINDS.contains(&kind) || self.iter().any(|t| t.kinds.iter().any(|k| k == kind))
    }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a template")]
struct File {
    id: Spanned<String>,
    version: Spanned<u32>,
    title: Spanned<String>,
    #[serde(default)]
    kinds: Vec<Spanned<String>>,
    sections: Vec<Spanned<String>>,
    #[serde(default)]
    prompts: Vec<Spanned<String>>,
    #[serde(default, rename = "heading")]
    headings: Vec<FileHeading>,
    #[serde(default)]
    profile: Vec<FileField>,
    #[serde(default)]
    closing: Vec<FileReason>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a heading")]
struct FileHeading {
    title: Spanned<String>,
    kind: SegmentKind,
    section: Option<Spanned<String>>,
    #[serde(default)]
    guidance: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a field of the profile")]
struct FileField {
    name: Spanned<String>,
    title: Spanned<String>,
    section: Option<Spanned<String>>,
    #[serde(default)]
    asked: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a reason for closing")]
struct FileReason {
    code: Spanned<String>,
    title: Spanned<String>,
}

impl File {
    fn check(&self, text: &str) -> Result<(), TemplateError> {
        let at = |span: std::ops::Range<usize>, why: Fault| fault(text, span.start, why);
        name(text, &self.id, false)?;
        if *self.version.get_ref() == 0 {
            return Err(at(self.version.span(), Fault::Version));
        }
        let headings = self.headings.iter().map(|h| &h.title);
        for title in std::iter::once(&self.title)
            .chain(headings.clone())
            .chain(self.profile.iter().map(|f| &f.title))
            .chain(self.closing.iter().map(|reason| &reason.title))
        {
            let shown = title.get_ref();
            if shown.trim().is_empty() || shown.trim() != shown || shown.contains(char::is_control) {
                return Err(at(title.span(), Fault::Title));
            }
        }
        for kind in &self.kinds {
            name(text, kind, false)?;
        }
        for section in &self.sections {
            name(text, section, false)?;
            if RESERVED_SECTIONS.contains(&section.get_ref().as_str()) {
                return Err(at(section.span(), Fault::Reserved(section.get_ref().clone())));
            }
        }
        for field in &self.profile {
            name(text, &field.name, true)?;
        }
        for reason in &self.closing {
            name(text, &reason.code, false)?;
        }
        once(text, self.kinds.iter())?;
        once(text, self.closing.iter().map(|reason| &reason.code))?;
        once(text, self.sections.iter())?;
        once(text, headings)?;
        once(text, self.profile.iter().map(|f| &f.name))?;
        let of_headings = self.headings.iter().filter_map(|h| h.section.as_ref());
        for section in of_headings.chain(self.profile.iter().filter_map(|f| f.section.as_ref())) {
            if !self.sections.iter().any(|s| s.get_ref() == section.get_ref()) {
                return Err(at(section.span(), Fault::Section(section.get_ref().clone())));
            }
        }
        let lines = self
            .prompts
            .iter()
            .chain(self.headings.iter().flat_map(|h| &h.guidance));
        match lines.into_iter().find(|line| line.get_ref().contains(char::is_control)) {
            Some(line) => Err(at(line.span(), Fault::Lines)),
            None => Ok(()),
        }
    }
}

impl From<File> for Template {
    fn from(file: File) -> Self {
        let plain = |list: Vec<Spanned<String>>| list.into_iter().map(Spanned::into_inner).collect::<Vec<_>>();
        let heading = |h: FileHeading| Heading {
            title: h.title.into_inner(),
            kind: h.kind,
            section: h.section.map(Spanned::into_inner),
            guidance: plain(h.guidance),
        };
        let field = |f: FileField| Field {
            name: f.name.into_inner(),
            title: f.title.into_inner(),
            section: f.section.map(Spanned::into_inner),
            asked: f.asked,
        };
        let reason = |r: FileReason| Reason {
            code: r.code.into_inner(),
            title: r.title.into_inner(),
        };
        Self {
            id: file.id.into_inner(),
            version: file.version.into_inner(),
            title: file.title.into_inner(),
            kinds: plain(file.kinds),
            sections: plain(file.sections),
            headings: file.headings.into_iter().map(heading).collect(),
            prompts: plain(file.prompts),
            profile: file.profile.into_iter().map(field).collect(),
            closing: file.closing.into_iter().map(reason).collect(),
        }
    }
}

/// Checks that a name has no other characters than it may.
fn name(text: &str, name: &Spanned<String>, underscores: bool) -> Result<(), TemplateError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || if underscores { c == '_' } else { c == '-' };
    let shown = name.get_ref();
    if !shown.is_empty() && shown.len() <= 64 && shown.chars().all(fits) {
        return Ok(());
    }
    Err(fault(text, name.span().start, Fault::Name(shown.clone())))
}

/// Checks that no name is there twice, whatever its case.
fn once<'a>(text: &str, names: impl Iterator<Item = &'a Spanned<String>>) -> Result<(), TemplateError> {
    let mut seen = Vec::new();
    for name in names {
        let lower = name.get_ref().to_lowercase();
        if seen.contains(&lower) {
            return Err(fault(text, name.span().start, Fault::Twice(name.get_ref().clone())));
        }
        seen.push(lower);
    }
    Ok(())
}

/// Finds line and column of a byte offset.
fn fault(text: &str, offset: usize, fault: Fault) -> TemplateError {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    TemplateError { line, column, fault }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_templates_load() {
        let set = Set::embedded().unwrap();
        let all: usize = set.iter().map(|template| set.versions(&template.id).count()).sum();
        assert_eq!(all, EMBEDDED.len());
        let adult = set.newest("adult-social-care").unwrap();
        assert_eq!(adult.heading("health").unwrap().section.as_deref(), Some("health"));
        assert!(adult.profile.iter().any(|f| f.name == "date_of_birth"));
        for kind in GIVEN_KINDS {
            assert_eq!(set.for_kind(kind).unwrap().id, kind);
            assert!(adult.is_for(kind));
        }
        assert!(
            set.newest("phone").unwrap().prompts.is_empty(),
            "a call note has no prompt"
        );
        assert!(!set.knows_kind("seance"));
    }

    #[test]
    fn a_childs_case_is_asked_for_what_a_childs_case_needs() {
        let set = Set::embedded().unwrap();
        let asked = |id: &str| -> Vec<String> {
            let profile = &set.newest(id).unwrap().profile;
            profile.iter().filter(|f| f.asked).map(|f| f.name.clone()).collect()
        };
        for field in [
            "name",
            "parental_responsibility",
            "household",
            "school",
            "contact_restrictions",
            "danger_to_workers",
        ] {
            assert!(asked("child-and-family").iter().any(|asked| asked == field), "{field}");
        }
        assert!(
            asked("adult-social-care")
                .iter()
                .any(|asked| asked == "danger_to_workers")
        );
        assert!(
            set.version("child-and-family", 2)
                .unwrap()
                .profile
                .iter()
                .all(|f| !f.asked)
        );
    }

    #[test]
    fn every_template_file_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
        let mut count = 0;
        for template in std::fs::read_dir(folder).unwrap() {
            let template = template.unwrap();
            for version in std::fs::read_dir(template.path()).unwrap() {
                let path = version.unwrap().path();
                let text = std::fs::read_to_string(&path).unwrap();
                let parsed = Template::parse(&text).unwrap();
                assert_eq!(parsed.id, template.file_name().to_str().unwrap());
                assert_eq!(parsed.version.to_string(), path.file_stem().unwrap().to_str().unwrap());
                assert!(EMBEDDED.contains(&text.as_str()), "{path:?}");
                count += 1;
            }
        }
        assert_eq!(count, EMBEDDED.len());
    }

    #[test]
    fn old_versions_stay() {
        let mut set = Set::embedded().unwrap();
        let old = set.newest("phone").unwrap().clone();
        let second = "id = 'phone'\nversion = 2\ntitle = 'Call'\nkinds = ['phone', 'seance']\nsections = ['core']\n";
        set.add(second).unwrap();
        set.add(second).unwrap();
        assert_eq!(set.newest("phone").unwrap().version, 2);
        assert_eq!(set.version("phone", 1), Some(&old));
        assert_eq!(set.versions("phone").count(), 2);
        assert!(set.knows_kind("seance"));
        let changed = second.replace("Call", "Phone");
        let err = set.add(&changed).unwrap_err();
        assert_eq!(
            err.fault,
            Fault::Changed {
                id: "phone".into(),
                version: 2
            }
        );
        assert_eq!(set.newest("phone").unwrap().title, "Call");
    }

    /// A closed case holds a code and no version: what it meant once it means in every version, and none is taken away.
    #[test]
    fn a_code_for_closing_keeps_its_meaning() {
        let set = Set::embedded().unwrap();
        for template in set.iter() {
            let mut meant: Vec<Reason> = Vec::new();
            for version in set.versions(&template.id) {
                assert!(
                    meant.iter().all(|reason| version.closing.contains(reason)),
                    "{} version {}",
                    version.id,
                    version.version
                );
                meant.clone_from(&version.closing);
            }
        }
        for id in ["adult-social-care", "child-and-family"] {
            assert_eq!(set.version(id, 1).unwrap().closing, []);
            assert!(
                set.newest(id)
                    .unwrap()
                    .closing
                    .iter()
                    .any(|reason| reason.code == "moved-away")
            );
        }
    }

    #[test]
    fn faults_have_a_place() {
        let good = "id = 'a'\nversion = 1\ntitle = 'A'\nsections = ['core']\n";
        let heading = |rest: &str| format!("{good}[[heading]]\ntitle = 'H'\n{rest}\n");
        Template::parse(good).unwrap();
        for (text, line, column, wanted) in [
            (good.replace("'a'", "'A b'"), 1, 6, Fault::Name("A b".into())),
            (good.replace('1', "0"), 2, 11, Fault::Version),
            (good.replace("'A'", "' '"), 3, 9, Fault::Title),
            (
                good.replace("'core'", "'core', 'private'"),
                4,
                21,
                Fault::Reserved("private".into()),
            ),
            (
                good.replace("'core'", "'core', 'core'"),
                4,
                21,
                Fault::Twice("core".into()),
            ),
            (
                heading("kind = 'plan'\nsection = 'łódź'"),
                8,
                11,
                Fault::Section("łódź".into()),
            ),
            (heading("kind = 'plan'\nguidance = [\"a\\nb\"]"), 8, 13, Fault::Lines),
            (
                heading("kind = 'plan'\n[[heading]]\ntitle = 'h'\nkind = 'plan'"),
                9,
                9,
                Fault::Twice("h".into()),
            ),
            (
                format!("{good}[[closing]]\ncode = 'x'\ntitle = 'X'\n[[closing]]\ncode = 'x'\ntitle = 'Y'\n"),
                9,
                8,
                Fault::Twice("x".into()),
            ),
            (
                format!("{good}[[closing]]\ncode = 'X y'\ntitle = 'X'\n"),
                6,
                8,
                Fault::Name("X y".into()),
            ),
        ] {
            assert_eq!(
                Template::parse(&text),
                Err(TemplateError {
                    line,
                    column,
                    fault: wanted
                }),
                "{text}"
            );
        }
        for (text, line, column) in [
            (heading("kind = 'plam'"), 7, 8),
            (heading("kind = 'plan'\ncolour = 'red'"), 8, 1),
            (good.replace("version = 1", "version = "), 2, 11),
            (good.replace("version = 1", "version = -1"), 2, 11),
        ] {
            let err = Template::parse(&text).unwrap_err();
            assert!(matches!(err.fault, Fault::Syntax(_)));
            assert_eq!((err.line, err.column), (line, column), "{err}");
        }
    }
}
