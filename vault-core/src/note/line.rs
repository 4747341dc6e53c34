//! The lines of an import file (JSON Lines): worker, case, note. What a line holds comes back on export.

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::extra::{Extra, RawJson};
use super::json::{self, JsonError};
use super::model::{Imported, Note, NoteError};
use super::payload::{self, Form, Key, field, unknown};

/// One line of an import file.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// A case, before its notes.
    Case(CaseLine),
    /// A note; its ids and author are in [`Note::imported`].
    Note(Box<Note>),
    /// A worker, before the cases.
    Worker(WorkerLine),
}

/// A worker that later lines name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WorkerLine {
    /// The worker's id in the other system.
    pub worker: String,
    /// The worker's role.
    pub role: Option<String>,
    /// Fields that this version does not know.
    pub extra: Extra,
}

/// A case with the client's profile.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CaseLine {
    /// The case's id in the other system.
    pub case: String,
    /// Who works on it.
    pub worker: Option<String>,
    /// The day on which it was opened, an ISO date.
    pub opened: Option<String>,
    /// The template of its records.
    pub template: Option<String>,
    /// What is known of the client: a JSON object, kept as it came.
    pub profile: Option<RawJson>,
    /// Fields that this version does not know.
    pub extra: Extra,
}

/// How a case was closed: the member `closed` of its line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Closing {
    /// The day, an ISO date.
    pub on: String,
    /// The code of why.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// How it ended, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outcome: Option<String>,
}

/// How a closed case was opened again: the member `reopened` of its line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopening {
    /// The day, an ISO date.
    pub on: String,
    /// The handle of the note that says why.
    pub note: String,
}

impl CaseLine {
    /// Tells how the case was closed, as its line has it: an object, or the day alone; `None` of an open one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn closing(&self) -> Result<Option<Closing>, String> {
        let Some(value) = self.extra.get("closed").map(RawJson::value) else {
            return Ok(None);
        };
        let closing = match value {
            serde_json::Value::Null => return Ok(None),
            serde_json::Value::String(on) => Closing {
                on,
                ..Closing::default()
            },
            other => serde_json::from_value(other)
                .map_err(|_| "`closed` is a day, or an object with `on`, `reason` and `outcome`".to_owned())?,
        };
        match super::when::iso_date(&closing.on) {
            Some(_) => Ok(Some(closing)),
            None => Err(format!("`{}` is not a day: write it as 2026-03-12", closing.on)),
        }
    }

    /// Closes the case, in the place of what its line said of that.
    ///
    /// # Errors
    /// [`NoteError::Bug`] only.
    pub fn close(&mut self, closing: &Closing) -> Result<(), NoteError> {
        let raw = RawJson::from_value(closing).map_err(|e| NoteError::Bug(e.to_string()))?;
        self.extra.put("closed", raw);
        Ok(())
    }

    /// Tells when the case was last opened again, and which note says why; `None` of one that never was.
    pub fn reopening(&self) -> Option<Reopening> {
        serde_json::from_value(self.extra.get("reopened")?.value()).ok()
    }

    /// Opens the case again: its line says no longer that it is closed, and says when that ended. The versions before hold
    /// how it was closed.
    ///
    /// # Errors
    /// [`NoteError::Bug`] only.
    pub fn reopen(&mut self, reopening: &Reopening) -> Result<(), NoteError> {
        let raw = RawJson::from_value(reopening).map_err(|e| NoteError::Bug(e.to_string()))?;
        self.extra.take("closed");
        self.extra.put("reopened", raw);
        Ok(())
    }
}

/// Finds all that is wrong with a line that [`parse`] refuses; of a note one fault of each segment, and one of the rest.
pub fn faults(line: &str) -> Vec<JsonError> {
    let refused = |line: &str| parse(line).err();
    match kind_of(line) {
        Ok(Kind::Note) => json::faults_by(line, refused),
        _ => refused(line).into_iter().collect(),
    }
}

/// Reads one line.
///
/// # Errors
/// [`JsonError`]: column (in bytes, from 1), field and why.
pub fn parse(line: &str) -> Result<Line, JsonError> {
    let json = line.as_bytes();
    let fault = |e: serde_json::Error| JsonError::new(json, &e);
    match kind_of(line).map_err(fault)? {
        Kind::Note => payload::read(json, Form::Line).and_then(|note| match note.check() {
            Ok(()) => Ok(Line::Note(Box::new(note))),
            Err(e) => Err(JsonError {
                line: 1,
                column: 1,
                field: "segments".to_owned(),
                why: e.to_string(),
            }),
        }),
        Kind::Case => serde_json::from_str(line).map(Line::Case).map_err(fault),
        Kind::Worker => serde_json::from_str(line).map(Line::Worker).map_err(fault),
    }
}

/// Writes one line, without a line break at its end.
///
/// # Errors
/// [`NoteError::Bug`] only.
pub fn print(line: &Line) -> Result<String, NoteError> {
    match line {
        Line::Case(case) => serde_json::to_string(case).map_err(|e| NoteError::Bug(e.to_string())),
        Line::Note(note) => print_note(note, note.imported.as_ref().unwrap_or(&Imported::default())),
        Line::Worker(worker) => serde_json::to_string(worker).map_err(|e| NoteError::Bug(e.to_string())),
    }
}

/// Writes a note as a line under the ids and author of an origin, for a note that was written here.
///
/// # Errors
/// [`NoteError::Bug`] only.
pub fn print_note(note: &Note, origin: &Imported) -> Result<String, NoteError> {
    payload::write_line(note, origin)
}

#[derive(Clone, Copy)]
enum Kind {
    Case,
    Note,
    Worker,
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        payload::parse_str(deserializer, |name| match name {
            "case" => Ok(Self::Case),
            "note" => Ok(Self::Note),
            "worker" => Ok(Self::Worker),
            other => Err(format!("`{other}` is not a type of line: worker, case or note")),
        })
    }
}

/// Finds the type of a line: at its start in every file seen, but anywhere is allowed.
fn kind_of(line: &str) -> Result<Kind, serde_json::Error> {
    #[derive(Deserialize)]
    #[serde(expecting = "an object")]
    struct Typed {
        #[serde(rename = "type")]
        kind: Kind,
    }
    if line.starts_with("{\"type\": \"note\",") || line.starts_with("{\"type\":\"note\",") {
        return Ok(Kind::Note);
    }
    serde_json::from_str::<Typed>(line).map(|typed| typed.kind)
}

impl<'de> Deserialize<'de> for WorkerLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = WorkerLine;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object that is a worker")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WorkerLine, A::Error> {
                let (mut line, mut worker) = (WorkerLine::default(), None);
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    let name = key.as_str();
                    match name {
                        "type" => drop(map.next_value::<Kind>()?),
                        "worker" => field(&mut map, name, &mut worker, &mut line.extra)?,
                        "role" => field(&mut map, name, &mut line.role, &mut line.extra)?,
                        _ => unknown(&mut map, name, &mut line.extra)?,
                    }
                }
                line.worker = worker.ok_or_else(|| serde::de::Error::custom("`worker` is missing"))?;
                Ok(line)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl<'de> Deserialize<'de> for CaseLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = CaseLine;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object that is a case")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<CaseLine, A::Error> {
                let (mut line, mut case) = (CaseLine::default(), None);
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    let name = key.as_str();
                    match name {
                        "type" => drop(map.next_value::<Kind>()?),
                        "case" => field(&mut map, name, &mut case, &mut line.extra)?,
                        "worker" => field(&mut map, name, &mut line.worker, &mut line.extra)?,
                        "opened" => field(&mut map, name, &mut line.opened, &mut line.extra)?,
                        "template" => field(&mut map, name, &mut line.template, &mut line.extra)?,
                        "profile" => {
                            field(&mut map, name, &mut line.profile, &mut line.extra)?;
                            if line.profile.as_ref().is_some_and(|p| !p.as_str().starts_with('{')) {
                                return Err(serde::de::Error::custom("`profile` must be an object"));
                            }
                        }
                        _ => unknown(&mut map, name, &mut line.extra)?,
                    }
                }
                line.case = case.ok_or_else(|| serde::de::Error::custom("`case` is missing"))?;
                Ok(line)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl Serialize for WorkerLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "worker")?;
        map.serialize_entry("worker", &self.worker)?;
        if let Some(role) = &self.role {
            map.serialize_entry("role", role)?;
        }
        let written = |name: &str| name == "worker" || (name == "role" && self.role.is_some());
        for (name, value) in self.extra.iter().filter(|(name, _)| !written(name)) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for CaseLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "case")?;
        map.serialize_entry("case", &self.case)?;
        let texts = [
            ("worker", &self.worker),
            ("opened", &self.opened),
            ("template", &self.template),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        if let Some(profile) = &self.profile {
            map.serialize_entry("profile", profile)?;
        }
        let written = |name: &str| {
            name == "case"
                || (name == "profile" && self.profile.is_some())
                || texts.iter().any(|(n, value)| *n == name && value.is_some())
        };
        for (name, value) in self.extra.iter().filter(|(name, _)| !written(name)) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn comes_back(line: &str) {
        let parsed = parse(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let printed = print(&parsed).unwrap();
        assert!(!printed.contains('\n'));
        let (before, after): (Value, Value) = (
            serde_json::from_str(line).unwrap(),
            serde_json::from_str(&printed).unwrap(),
        );
        assert_eq!(before, after);
        if let Line::Note(note) = parsed {
            let sealed = note.to_json().unwrap();
            let opened = Note::from_json(&sealed).unwrap();
            assert_eq!(opened, *note);
            let printed = print(&Line::Note(Box::new(opened))).unwrap();
            assert_eq!(before, serde_json::from_str::<Value>(&printed).unwrap());
        }
    }

    #[test]
    fn generated_caseloads_come_back_line_by_line() {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/make_caseload.py");
        let sizes: [(&[&str], usize); 3] = [
            (&["--size", "s"], 1),
            (&["--size", "x"], 3),
            (&["--size", "m", "--cases", "24", "--canaries", "9"], 11),
        ];
        for (args, sample) in sizes {
            let run = std::process::Command::new("python3").arg(script).args(args).output();
            let Some(run) = run.ok().filter(|_| std::path::Path::new(script).exists()) else {
                #[allow(clippy::print_stderr)]
                {
                    eprintln!("left out: ../shared/data/make_caseload.py or python3 is missing");
                }
                return;
            };
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
            let out = run.stdout;
            let text = String::from_utf8(out).unwrap();
            assert!(text.lines().count() > 1000);
            text.lines()
                .enumerate()
                .filter(|(i, _)| i % sample == 0)
                .for_each(|(_, line)| comes_back(line));
        }
    }

    #[test]
    fn unknown_empty_and_odd_fields_come_back() {
        for line in [
            r#"{"type":"worker","worker":"w001","role":null,"team":{"id":7,"é":[]}}"#,
            r#"{"worker":"w001","type":"worker"}"#,
            r#"{"type":"case","case":"c","worker":null,"profile":{"weight":1.50,"z":1,"a":2},"legacy":[1,{"b":null}]}"#,
            concat!(
                r#"{"type":"note","zeta":1,"case":"c","note":"1","author":"w","kind":"phone","labels":[],"seen":false,"#,
                r#""occurred_at":"2023-03-02T14:00:00.250+01:00","recorded_at":null,"place":null,"alpha":"\u00e9","#,
                r#""segments":[{"kind":"observation","text":"","about":["m","s"],"cites":[],"significant":false,"#,
                r#""hide_from":["x"],"options":[],"extra":{"n":1},"weight":2.50}],"extra":5,"schema":"old","imported":true}"#
            ),
            concat!(
                r#"{"case":"c","note":"1","author":"w","kind":"own kind","occurred_at":"2023-03-02","segments":[],"#,
                r#""type":"note"}"#
            ),
            concat!(
                r#"{"type":"note","case":"c","note":"1","author":"w","kind":"phone","occurred_at":"2023-03-02","#,
                r#""segments":[{"n":1,"kind":"plan","text":"a"},{"n":2,"kind":"reflection","placeholder":true}]}"#
            ),
            concat!(
                r#"{"type":"note","case":"c","note":"1","author":"w","kind":"phone","occurred_at":"2023-03-02","#,
                r#""segments":[{"n":2,"kind":"plan","text":"a"},{"n":7,"kind":"plan","text":"b"}]}"#
            ),
        ] {
            comes_back(line);
        }
    }

    #[test]
    fn a_closing_is_read_kept_and_replaced() {
        let case = |closed: &str| {
            let text = format!(r#"{{"type":"case","case":"c","closed":{closed},"legacy":1}}"#);
            comes_back(&text);
            match parse(&text).unwrap() {
                Line::Case(line) => line,
                other => panic!("{other:?}"),
            }
        };
        let closing = |on: &str| Closing {
            on: on.into(),
            ..Closing::default()
        };
        assert_eq!(case("null").closing(), Ok(None));
        assert_eq!(case(r#""2024-05-02""#).closing(), Ok(Some(closing("2024-05-02"))));
        for wrong in [
            "7",
            "{}",
            r#""soon""#,
            r#"{"on":"2024-02-31"}"#,
            r#"{"on":"2024-02-01","outcome":7}"#,
        ] {
            assert!(case(wrong).closing().is_err(), "{wrong}");
        }
        let mut line = case(r#"{"on":"2024-05-02","reason":"moved","outcome":"Left town.","by":7}"#);
        let read = line.closing().unwrap().unwrap();
        assert_eq!(
            (read.reason.as_deref(), read.outcome.as_deref()),
            (Some("moved"), Some("Left town."))
        );
        line.close(&closing("2024-06-01")).unwrap();
        let printed = print(&Line::Case(line)).unwrap();
        assert!(
            printed.ends_with(r#""closed":{"on":"2024-06-01"},"legacy":1}"#),
            "{printed}"
        );
        let Ok(Line::Case(mut line)) = parse(&printed) else {
            panic!("{printed}")
        };
        let reopening = Reopening {
            on: "2024-07-01".into(),
            note: "n-19qd3m0x".into(),
        };
        line.reopen(&reopening).unwrap();
        assert_eq!(line.closing(), Ok(None));
        let printed = print(&Line::Case(line)).unwrap();
        assert!(
            printed.ends_with(r#""legacy":1,"reopened":{"on":"2024-07-01","note":"n-19qd3m0x"}}"#),
            "{printed}"
        );
    }

    #[test]
    fn numbers_keep_their_digits() {
        let line = concat!(
            r#"{"type":"note","case":"c","note":"1","author":"w","kind":"phone","occurred_at":"2023-03-02","#,
            r#""segments":[],"serial":123456789012345678901234567890}"#
        );
        assert!(
            print(&parse(line).unwrap())
                .unwrap()
                .contains(":123456789012345678901234567890}")
        );
    }

    #[test]
    fn malformed_lines_say_field_and_why() {
        let note =
            |rest: &str| format!(r#"{{"type":"note","case":"c","note":"1","author":"w","kind":"phone",{rest}}}"#);
        let at = r#""occurred_at":"2023-03-02""#;
        for (line, field, why) in [
            (String::new(), "", "the text ends while parsing a value"),
            ("[]".into(), "", "invalid length 0, expected an object"),
            (r#"{"worker":"w"}"#.into(), "", "missing field `type`"),
            (
                r#"{"type":"person"}"#.into(),
                "type",
                "`person` is not a type of line: worker, case or note",
            ),
            (r#"{"type":"case","worker":"w"}"#.into(), "", "`case` is missing"),
            (
                r#"{"type":"case","case":5}"#.into(),
                "case",
                "invalid type: integer `5`, expected a string",
            ),
            (
                r#"{"type":"case","case":"c","profile":[]}"#.into(),
                "",
                "`profile` must be an object",
            ),
            (note(r#""segments":[]"#), "", "`occurred_at` is missing"),
            (note(at), "", "`segments` is missing"),
            (
                note(r#""occurred_at":"soon","segments":[]"#),
                "occurred_at",
                "`soon` is not a time",
            ),
            (
                note(&format!(
                    r#"{at},"segments":[{{"kind":"plan","text":"a"}},{{"kind":"plan"}}]"#
                )),
                "segments[1]",
                "`text` is missing",
            ),
            (
                note(&format!(r#"{at},"segments":[{{"kind":"opinion","text":"a"}}]"#)),
                "segments[0].kind",
                "`opinion` is not",
            ),
            (
                note(&format!(
                    r#"{at},"segments":[{{"kind":"plan","text":"a","cites":[-1]}}]"#
                )),
                "segments[0].cites[0]",
                "invalid value",
            ),
            (
                note(&format!(
                    r#"{at},"segments":[{{"n":2,"kind":"plan","text":"a"}},{{"n":2,"kind":"plan","text":"a"}}]"#
                )),
                "segments",
                "segment numbers must rise",
            ),
            (
                note(&format!(r#"{at},"segments":[],"kind":"phone""#)),
                "",
                "`kind` is there twice",
            ),
            (
                note(&format!(r#"{at},"segments":[],"x":1,"x":2"#)),
                "",
                "`x` is there twice",
            ),
            (note(&format!(r#"{at},"segments":[]}},{{"#)), "", "trailing characters"),
        ] {
            let err = parse(&line).unwrap_err();
            assert!(err.why.starts_with(why), "{line}: {err:?}");
            assert!(err.field.starts_with(field), "{line}: {err:?}");
            assert!(err.column >= 1 && err.column <= line.len().max(1), "{line}: {err:?}");
        }
    }
}
