//! After how long a case wants looking at: days without contact, steps past their date, visits in working days. Each
//! template of a case has its own figures, and those that it does not give are the default's.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

/// The rules that come with the program.
const EMBEDDED: &str = include_str!("../oversight/1.toml");

/// Says what is wrong with the rules.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the oversight rules: {0}")]
pub struct OversightError(String);

/// The rules of every template.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oversight {
    /// The version, from 1.
    pub version: u32,
    /// The kinds of note that are contact with the client.
    pub contact: Vec<String>,
    /// Days on which nobody works, ISO dates; beside Saturdays and Sundays.
    pub days_off: Vec<String>,
    default: Default,
    #[serde(default)]
    template: BTreeMap<String, Own>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Default {
    contact_days: u32,
    plan_days: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    contact_days: Option<u32>,
    plan_days: Option<u32>,
    #[serde(default)]
    visit_kinds: Vec<String>,
    visit_working_days: Option<u32>,
}

/// What holds for the cases of one template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits<'o> {
    /// No contact for longer than so many days.
    pub contact_days: u32,
    /// A step is past its date by more than so many days.
    pub plan_days: u32,
    /// Where visits are due at least every so many working days: how many, and the kinds of note that are a visit.
    pub visit: Option<(u32, &'o [String])>,
}

impl Oversight {
    /// Loads the rules that come with the program.
    ///
    /// # Errors
    /// None in a program whose tests passed.
    pub fn embedded() -> Result<Self, OversightError> {
        Self::parse(EMBEDDED)
    }

    /// Returns the text that comes with the program, which is part of what the policy set's hash is of.
    pub fn source() -> &'static str {
        EMBEDDED
    }

    /// Checks the text of rules and reads it.
    ///
    /// # Errors
    /// [`OversightError`].
    pub fn parse(text: &str) -> Result<Self, OversightError> {
        let rules: Self = toml::from_str(text).map_err(|e| OversightError(e.message().replace('\n', " ")))?;
        for (id, own) in &rules.template {
            if own.visit_working_days.is_some() == own.visit_kinds.is_empty() {
                let both = "needs both `visit_kinds` and `visit_working_days`, or neither";
                return Err(OversightError(format!("`{id}` {both}")));
            }
        }
        Ok(rules)
    }

    /// Returns what holds for the cases of a template.
    pub fn limits(&self, template: Option<&str>) -> Limits<'_> {
        let own = template.and_then(|id| self.template.get(id));
        Limits {
            contact_days: own
                .and_then(|own| own.contact_days)
                .unwrap_or(self.default.contact_days),
            plan_days: own.and_then(|own| own.plan_days).unwrap_or(self.default.plan_days),
            visit: own.and_then(|own| Some((own.visit_working_days?, own.visit_kinds.as_slice()))),
        }
    }

    /// Names the templates that have figures of their own.
    pub fn templates(&self) -> impl Iterator<Item = &str> {
        self.template.keys().map(String::as_str)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::Set;

    #[test]
    fn the_rules_that_come_with_the_program_fit_its_templates() {
        let rules = Oversight::embedded().unwrap();
        let set = Set::embedded().unwrap();
        for id in rules.templates() {
            assert!(set.newest(id).is_some(), "{id}");
            let kinds = rules.limits(Some(id)).visit.map_or(&[][..], |(_, kinds)| kinds);
            assert!(kinds.iter().all(|kind| set.knows_kind(kind)), "{id}: {kinds:?}");
        }
        assert!(rules.contact.iter().all(|kind| set.knows_kind(kind)));
        assert!(rules.days_off.iter().all(|day| day.len() == 10));
    }

    #[test]
    fn what_a_template_does_not_say_is_the_default() {
        let rules = Oversight::embedded().unwrap();
        let child = rules.limits(Some("child-and-family"));
        assert_eq!((child.contact_days, child.plan_days), (28, 0));
        assert_eq!(child.visit.map(|(days, _)| days), Some(10));
        assert_eq!(rules.limits(None), rules.limits(Some("no such template")));
        assert!(rules.limits(None).visit.is_none());
        let half = EMBEDDED.replace("visit_working_days = 10", "");
        assert!(
            Oversight::parse(&half)
                .unwrap_err()
                .to_string()
                .contains("child-and-family")
        );
        assert!(Oversight::parse("version = 1").is_err());
    }
}
