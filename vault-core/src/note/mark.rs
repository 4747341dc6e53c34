//! What its worker marked as not for everybody: `{hide-from WHO}` and `{withheld GROUND}`.
//!
//! The marks go wherever the segment's words go. A page that may be handed on has neither ([`super::render::Shown`]);
//! whatever the worker alone reads has the mark before the words, so that nobody reads them out by mistake.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::model::{Names, Segment};

/// From whom a segment is kept, and on what ground.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// The ground on which it is withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
    /// From whom it is kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hide_from: Vec<String>,
}

impl Marks {
    /// Takes the marks of a segment.
    pub fn of(segment: &Segment) -> Self {
        let names = segment.hide_from.iter().flat_map(Names::iter);
        Self {
            withheld: segment.withheld.clone(),
            hide_from: names.map(str::to_owned).collect(),
        }
    }

    /// Tells whether it is for everybody.
    pub fn is_empty(&self) -> bool {
        self.withheld.is_none() && self.hide_from.is_empty()
    }

    /// Says it in a list, in small letters: `not for father, withheld: the source would be at risk`.
    pub fn said(&self) -> String {
        let hidden = (!self.hide_from.is_empty()).then(|| format!("not for {}", self.hide_from.join(", ")));
        let withheld = self.withheld.as_ref().map(|ground| match ground.trim() {
            "" => "withheld".to_owned(),
            ground => format!("withheld: {ground}"),
        });
        hidden.into_iter().chain(withheld).collect::<Vec<_>>().join(", ")
    }
}

/// What stands before the words: `NOT FOR father: `; nothing where they are for everybody.
impl fmt::Display for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.hide_from.is_empty() {
            write!(f, "NOT FOR {}: ", self.hide_from.join(", "))?;
        }
        match self.withheld.as_deref().map(str::trim) {
            None => Ok(()),
            Some("") => f.write_str("WITHHELD: "),
            Some(ground) => write!(f, "WITHHELD ({ground}): "),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::note::SegmentKind;

    #[test]
    fn marks_are_said_before_the_words_and_nothing_where_there_are_none() {
        let mut segment = Segment::new(1, SegmentKind::Observation, "x");
        assert!(Marks::of(&segment).is_empty());
        assert_eq!(Marks::of(&segment).to_string(), "");
        segment.hide_from = Names::from_list(vec!["father".into(), "uncle".into()]);
        segment.withheld = Some("a source".into());
        let marks = Marks::of(&segment);
        assert!(!marks.is_empty());
        assert_eq!(marks.to_string(), "NOT FOR father, uncle: WITHHELD (a source): ");
        assert_eq!(marks.said(), "not for father, uncle, withheld: a source");
        segment.withheld = Some(" ".into());
        assert_eq!(Marks::of(&segment).to_string(), "NOT FOR father, uncle: WITHHELD: ");
        assert!(
            Marks {
                withheld: Some(String::new()),
                hide_from: Vec::new()
            }
            .said()
                == "withheld"
        );
    }
}
