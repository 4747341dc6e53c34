//! What cannot be read, said where it stands, and what to know before: as guidance lines in the text, which the next reading drops.

use crate::session::SessionError;
use vault_core::note::text::{Doubt, Meant};

/// Lines of this kind begin so.
const MARK: &str = "#! ^ ";

/// Puts the faults of a refusal into the text, each below the line that it is of; those of a text that is JSON above it.
pub(super) fn with(text: &str, error: &SessionError) -> String {
    put(text, &faults(error))
}

fn put(text: &str, faults: &[(usize, usize, String)]) -> String {
    let text = without(text);
    let is_json = text.trim_start().starts_with('{');
    let mut out = String::with_capacity(text.len() + 128);
    let lines: Vec<&str> = text.split('\n').collect();
    let say = |out: &mut String, (line, column, why): &(usize, usize, String)| {
        let place = match is_json {
            true => format!("line {line}, column {column}"),
            false => format!("column {column}"),
        };
        out.push_str(&format!("{MARK}{place}: {why}\n"));
    };
    if is_json {
        faults.iter().for_each(|fault| say(&mut out, fault));
    }
    for (number, line) in lines.iter().enumerate() {
        out.push_str(line);
        let last = number + 1 == lines.len();
        let of_line = || {
            faults
                .iter()
                .filter(|(of, _, _)| !is_json && (*of == number + 1 || (last && *of > number)))
        };
        if !last || of_line().next().is_some() {
            out.push('\n');
        }
        of_line().for_each(|fault| say(&mut out, fault));
    }
    out
}

/// Puts what is doubtful into the text, each below the line that it is of.
pub(super) fn with_doubts(text: &str, doubts: &[Doubt]) -> String {
    let doubts = doubts.iter().map(|doubt| (doubt.line, 1, doubt.read.to_string()));
    put(text, &doubts.collect::<Vec<_>>())
}

/// Lists the lines of guidance that are not as they were given: what was typed into one is dropped with it.
pub(super) fn dropped(text: &str, given: &[&str]) -> Vec<Doubt> {
    let is_given = |line: &str| {
        given
            .iter()
            .flat_map(|given| given.lines())
            .any(|known| known.trim_end() == line.trim_end())
    };
    let is_number = |line: &str| {
        line.trim_end()
            .strip_prefix("#! [")
            .is_some_and(|n| n.trim_end_matches(']').parse::<u32>().is_ok())
    };
    let changed = (1..).zip(text.lines()).filter(|(_, line)| {
        line.starts_with("#!")
            && line.get(2..).is_some_and(|words| !words.trim().is_empty())
            && !is_given(line)
            && !is_number(line)
    });
    let read = Meant::Dropped;
    changed
        .map(|(line, _)| Doubt {
            line,
            read: read.clone(),
        })
        .collect()
}

/// Puts what is to be known before one writes on top of the text.
pub(super) fn with_notices(text: &str, notices: &[String]) -> String {
    let lines: String = notices.iter().map(|notice| format!("{MARK}{notice}\n")).collect();
    format!("{lines}{text}")
}

/// Takes them out again.
pub(super) fn without(text: &str) -> String {
    text.split_inclusive('\n')
        .filter(|line| !line.starts_with(MARK))
        .collect()
}

/// Reads the faults of a refusal: the first is its own, the others are in its words.
fn faults(error: &SessionError) -> Vec<(usize, usize, String)> {
    let SessionError::Malformed { line, column, why } = error else {
        return Vec::new();
    };
    let mut words = why.lines();
    let mut all = vec![(*line, *column, words.next().unwrap_or_default().to_owned())];
    for other in words {
        let place = other.strip_prefix("line ").and_then(|rest| {
            let (line, rest) = rest.split_once(", column ")?;
            let (column, why) = rest.split_once(": ")?;
            Some((line.parse().ok()?, column.parse().ok()?, why.to_owned()))
        });
        match (place, all.last_mut()) {
            (Some(place), _) => all.push(place),
            (None, Some((_, _, why))) => why.push_str(&format!(" {other}")),
            (None, None) => {}
        }
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn error() -> SessionError {
        SessionError::Malformed {
            line: 1,
            column: 6,
            why: "`ages` is not a length of time\nline 3, column 4: `{x}` is not a flag".into(),
        }
    }

    #[test]
    fn faults_stand_below_their_lines_and_come_out_again() {
        let text = "for: ages\n\nint: {x}";
        let marked = with(text, &error());
        assert_eq!(
            marked,
            "for: ages\n#! ^ column 6: `ages` is not a length of time\n\nint: {x}\n#! ^ column 4: `{x}` is not a flag\n"
        );
        assert_eq!(without(&marked).trim_end(), text);
        assert_eq!(with(&marked, &error()), marked);
    }

    #[test]
    fn guidance_that_words_were_typed_into_is_found() {
        let given = "#! For Elin Farrow\nat: today\n\n## Home\n#! What did you see?\n\n";
        assert_eq!(dropped(given, &[given]), []);
        let typed = "#! For Elin Farrow\nat: today\n\n## Home\n#! What did you see? She was calm.\n#! [2]\n#!\n";
        let found = dropped(typed, &["", given]);
        assert_eq!(found.iter().map(|doubt| doubt.line).collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn faults_of_json_stand_above_it() {
        let marked = with("{\"a\":1}\n", &error());
        assert!(
            marked.starts_with("#! ^ line 1, column 6: ") && marked.ends_with("{\"a\":1}\n"),
            "{marked}"
        );
        assert_eq!(without(&marked), "{\"a\":1}\n");
    }
}
