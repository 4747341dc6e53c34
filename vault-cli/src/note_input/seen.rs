//! Who of several clients was seen, of a note that goes into the cases of all of them: `seen: Mia alone; Noah with mother`.
//!
//! The head's `seen` is of one client. In a note of several cases each is named with what is to be said, and each case's
//! note says it of its own client alone.

use vault_core::note::Note;
use vault_core::note::text;

use crate::session::SessionError;

/// One of the clients of whom a note is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// The name, where the case has one.
    pub(crate) name: Option<String>,
    /// The handle of the case.
    pub(crate) case: String,
}

/// What is said of one client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    seen: Option<bool>,
    alone: Option<bool>,
    why_not: Option<String>,
}

impl Seen {
    /// What a note says of its case's client.
    pub(crate) fn of(note: &Note) -> Self {
        Self {
            seen: note.seen,
            alone: note.seen_alone,
            why_not: note.seen_alone_why_not.clone(),
        }
    }

    /// Puts it into the note of the client's case.
    pub(crate) fn put(self, note: &mut Note) {
        note.seen = self.seen;
        note.seen_alone = self.alone;
        note.seen_alone_why_not = self.why_not;
    }

    fn yes(alone: Option<bool>) -> Self {
        Self {
            seen: Some(true),
            alone,
            why_not: None,
        }
    }
}

/// Words that stand for all of them.
const ALL: [&str; 4] = ["all", "both", "each", "everybody"];

/// How it is written, for who wrote it otherwise.
const FORM: &str = "say it of each by name: `seen: Ada alone; Ben with mother; Cas no`, or `seen: all`";

/// Takes what a typed text says of who was seen out of it; returns the text with that line empty, so that its lines keep their
/// numbers, and what it says of each of the clients, in their order. Whom it does not name it says nothing of.
///
/// # Errors
/// [`SessionError::Malformed`], with the line.
pub(crate) fn taken(text: &str, clients: &[Named]) -> Result<(String, Vec<Seen>), SessionError> {
    let Some((line, value)) = text::said_seen(text) else {
        return Ok((text.to_owned(), vec![Seen::default(); clients.len()]));
    };
    let all = of_each(value, clients).map_err(|why| SessionError::Malformed { line, column: 1, why })?;
    let lines = text.split('\n').zip(1..);
    let kept = lines.map(|(words, number)| if number == line { "seen:" } else { words });
    Ok((kept.collect::<Vec<_>>().join("\n"), all))
}

/// Tells whether a text says of one of the clients by name, or of all, who was seen; not where it says it as the note of one
/// case does (`seen: yes`).
pub(crate) fn names_one(text: &str, clients: &[Named]) -> bool {
    let said = text::said_seen(text).filter(|_| !clients.is_empty());
    // Whose name several of them have is named too: what is read of it is refused as that.
    said.is_some_and(|(_, value)| !matches!(named(value.trim_start(), clients), Ok(None)))
}

/// Says of what was refused in the line of who was seen, where a note that stands in several files is amended in one of
/// them, what can be done.
pub(crate) fn of_one_file(error: SessionError, text: &str) -> SessionError {
    match (error, text::said_seen(text)) {
        (SessionError::Malformed { line, column, why }, Some((at, _))) if at == line => SessionError::Malformed {
            line,
            column,
            why: format!(
                "{why}; this note stands in several files: `--others` takes who was seen of each by name, as in a new note; or leave \
                 the line out, and it stays as it is"
            ),
        },
        (error, _) => error,
    }
}

fn of_each(value: &str, clients: &[Named]) -> Result<Vec<Seen>, String> {
    let mut said: Vec<Option<Seen>> = vec![None; clients.len()];
    for piece in value.split(';').map(str::trim).filter(|piece| !piece.is_empty()) {
        let mut rest = piece;
        // Those named together of whom nothing was said yet.
        let mut open: Vec<usize> = Vec::new();
        while !rest.is_empty() {
            let (who, after) = named(rest, clients)?.ok_or_else(|| {
                let names = clients
                    .iter()
                    .map(|client| client.name.as_deref().unwrap_or(&client.case));
                let names = names.collect::<Vec<_>>().join(", ");
                format!("`{rest}` does not begin with one of {names}: {FORM}")
            })?;
            let (words, next) = until_next(after, clients)?;
            let words =
                words.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | '-' | '(' | ')' | '.'));
            if !words.is_empty() && !open.is_empty() {
                return Err(format!("it is not clear of whom `{words}` is: {FORM}"));
            }
            let seen = state(words)?;
            for client in who {
                let place = said.get_mut(client).filter(|place| place.is_none());
                *place.ok_or_else(|| format!("`{piece}` says it a second time of the same: {FORM}"))? =
                    Some(seen.clone());
                if words.is_empty() {
                    open.push(client);
                }
            }
            rest = next;
        }
    }
    Ok(said.into_iter().map(Option::unwrap_or_default).collect())
}

/// Reads whom a text begins with; nothing where it is none of them.
fn named<'t>(text: &'t str, clients: &[Named]) -> Result<Option<(Vec<usize>, &'t str)>, String> {
    let begins = |name: &str| {
        let rest = text.get(name.len()..)?;
        let is_it = text.get(..name.len())?.to_lowercase() == name.to_lowercase();
        (is_it && !name.is_empty() && !rest.starts_with(char::is_alphanumeric)).then_some(rest)
    };
    for (index, client) in clients.iter().enumerate() {
        let whole = client.name.iter().chain([&client.case]);
        if let Some(rest) = whole.filter_map(|name| begins(name)).next() {
            return Ok(Some((vec![index], rest)));
        }
    }
    let first = |client: &Named| {
        client
            .name
            .as_deref()
            .and_then(|name| name.split_whitespace().next().map(str::to_owned))
    };
    let called: Vec<(usize, &str)> = clients
        .iter()
        .enumerate()
        .filter_map(|(index, client)| Some((index, begins(&first(client)?)?)))
        .collect();
    match called.as_slice() {
        [] => {}
        [(index, rest)] => return Ok(Some((vec![*index], rest))),
        [_, ..] => {
            return Err(format!(
                "several of them are called so at `{text}`: write the whole names, or the cases' handles"
            ));
        }
    }
    let all = ALL.iter().find_map(|word| begins(word));
    Ok(all.map(|rest| ((0..clients.len()).collect(), rest)))
}

/// Cuts a text before the next that is named: behind a comma, `and` or `&`.
fn until_next<'t>(text: &'t str, clients: &[Named]) -> Result<(&'t str, &'t str), String> {
    for (at, _) in text.char_indices() {
        let (words, rest) = text.split_at(at);
        let next = [",", "& ", "and "].iter().find_map(|mark| rest.strip_prefix(mark));
        let Some(next) = next.filter(|_| rest.starts_with(',') || words.ends_with(char::is_whitespace)) else {
            continue;
        };
        let next = next.trim_start();
        let next = next.strip_prefix("and ").unwrap_or(next).trim_start();
        if named(next, clients)?.is_some() {
            return Ok((words, next));
        }
    }
    Ok((text, ""))
}

/// Reads what is said of one of them.
fn state(words: &str) -> Result<Seen, String> {
    let lower = words.to_ascii_lowercase();
    let is_seen = ["yes", "was seen", "seen"]
        .iter()
        .find_map(|word| lower.strip_prefix(word));
    let rest = is_seen.unwrap_or(&lower).trim_start_matches([' ', ',', ':']);
    let why = |cut: usize| {
        words
            .get(words.len().saturating_sub(cut)..)
            .unwrap_or_default()
            .to_owned()
    };
    if rest.is_empty() {
        return Ok(Seen::yes(None));
    }
    if rest == "alone" {
        return Ok(Seen::yes(Some(true)));
    }
    if let Some(after) = rest.strip_prefix("not alone") {
        let after = after.trim_start_matches([' ', ',', ':', '-', '(']);
        let why_not = (!after.is_empty()).then(|| why(after.len()));
        return Ok(Seen {
            why_not,
            ..Seen::yes(Some(false))
        });
    }
    if ["with ", "together with "].iter().any(|with| rest.starts_with(with)) {
        let why_not = Some(why(rest.len()));
        return Ok(Seen {
            why_not,
            ..Seen::yes(Some(false))
        });
    }
    if is_seen.is_none() && ["no", "not", "not seen", "was not seen", "not there"].contains(&rest) {
        return Ok(Seen {
            seen: Some(false),
            ..Seen::default()
        });
    }
    Err(format!(
        "`{words}` says neither `alone`, `with WHO`, `not alone, WHY` nor `no`: write one of them behind the name; what else \
         there is to say is an observation"
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn clients() -> Vec<Named> {
        let all = [("Mia Pike", "c-1a"), ("Noah Pike", "c-2b"), ("Anna-Lena Pike", "c-3c")];
        let all = all.map(|(name, case)| Named {
            name: Some(name.to_owned()),
            case: case.to_owned(),
        });
        all.to_vec()
    }

    fn said(value: &str) -> Result<Vec<String>, String> {
        let words = |seen: Seen| match (seen.seen, seen.alone, seen.why_not) {
            (None, None, None) => String::new(),
            (Some(false), None, None) => "no".to_owned(),
            (Some(true), None, None) => "yes".to_owned(),
            (Some(true), Some(true), None) => "alone".to_owned(),
            (Some(true), Some(false), why) => format!("not alone {}", why.unwrap_or_default()),
            other => panic!("{other:?}"),
        };
        Ok(of_each(value, &clients())?.into_iter().map(words).collect())
    }

    #[test]
    fn who_was_seen_is_read_as_people_write_it() {
        for (value, of) in [
            ("Mia alone; Noah with mother", ["alone", "not alone with mother", ""]),
            (
                "Mia alone, Noah with Mother and Anna-Lena no",
                ["alone", "not alone with Mother", "no"],
            ),
            (
                "mia: alone; c-2b: no; Anna-Lena Pike (not alone, her aunt stayed)",
                ["alone", "no", "not alone her aunt stayed"],
            ),
            ("Mia, Noah", ["yes", "yes", ""]),
            ("Mia and Noah", ["yes", "yes", ""]),
            ("Noah with Mia", ["", "not alone with Mia", ""]),
            ("all", ["yes", "yes", "yes"]),
            ("all alone", ["alone", "alone", "alone"]),
            ("Mia seen alone; Noah yes; Anna-Lena not seen", ["alone", "yes", "no"]),
            ("Mia not alone", ["not alone ", "", ""]),
        ] {
            assert_eq!(said(value).unwrap(), of, "{value}");
        }
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        for (value, why) in [
            ("yes", "does not begin with one of Mia Pike, Noah Pike, Anna-Lena Pike"),
            ("Zoe alone", "does not begin with"),
            ("Mia and Noah alone", "it is not clear of whom `alone` is"),
            ("Mia alone; Mia no", "a second time"),
            ("Mia asleep", "`asleep` says neither"),
            ("Miaow alone", "does not begin with"),
        ] {
            let refused = said(value).unwrap_err();
            assert!(refused.contains(why), "{value}: {refused}");
        }
        let twins = ["c-1", "c-2"].map(|case| Named {
            name: Some("Ada Low".to_owned()),
            case: case.to_owned(),
        });
        assert!(of_each("Ada no", &twins).unwrap_err().contains("several of them"));
    }

    #[test]
    fn its_line_is_emptied_and_the_others_keep_their_numbers() {
        let typed = "at: today\nseen: Mia alone\n\nobs: Calm.\nseen: Noah alone\n";
        let (text, all) = taken(typed, &clients()).unwrap();
        assert_eq!(text, "at: today\nseen:\n\nobs: Calm.\nseen: Noah alone\n");
        assert_eq!(all[0], Seen::yes(Some(true)));
        let typed = "seen:\n\nobs: Calm.\n";
        assert_eq!(taken(typed, &clients()).unwrap().0, typed);
        assert!(matches!(
            taken("\nseen: maybe\n\nobs: Calm.\n", &clients()),
            Err(SessionError::Malformed { line: 2, .. })
        ));
    }
}
