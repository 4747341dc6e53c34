//! Passwords by file, as libpq reads them (`PGPASSFILE`, `~/.pgpass`): a line each, `HOST:PORT:DATABASE:USER:PASSWORD`, where
//! `*` stands for anything and a backslash before a colon or a backslash keeps it.

/// What a password is looked for.
pub(super) struct Wanted<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// Returns the password of the first line that fits.
pub(super) fn find(text: &str, wanted: &Wanted<'_>) -> Option<String> {
    let port = wanted.port.to_string();
    let asked = [wanted.host, &port, wanted.database, wanted.user];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut rest = line;
        for value in asked {
            let (field, after) = field(rest)?;
            rest = after;
            if field != "*" && unescaped(field) != value {
                return None;
            }
        }
        // The password goes on to the end of the line, or to a colon that is not kept.
        let end = field(rest).map_or(rest, |(password, _)| password);
        Some(unescaped(end))
    })
}

/// Splits a field from what comes after its colon.
fn field(text: &str) -> Option<(&str, &str)> {
    let mut kept = false;
    for (at, one) in text.char_indices() {
        match one {
            ':' if !kept => return Some((text.get(..at)?, text.get(at + 1..)?)),
            '\\' if !kept => kept = true,
            _ => kept = false,
        }
    }
    None
}

fn unescaped(field: &str) -> String {
    let mut out = String::with_capacity(field.len());
    let mut kept = false;
    for one in field.chars() {
        match one {
            '\\' if !kept => kept = true,
            one => {
                kept = false;
                out.push(one);
            }
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ASKED: Wanted<'_> = Wanted {
        host: "db.example",
        port: 5432,
        database: "vault",
        user: "server",
    };

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        for (text, found) in [
            ("db.example:5432:vault:server:one", Some("one")),
            (
                "other:5432:vault:server:no\n*:*:*:server:two\n*:*:*:*:three",
                Some("two"),
            ),
            ("# db.example:5432:vault:server:no\n*:*:*:*:a\\:b\\\\c", Some("a:b\\c")),
            ("db.example:5433:vault:server:no", None),
            ("db.example:5432:vault:other:no", None),
            ("db.example:5432:vault", None),
            ("db\\.example:5432:vault:server:kept", Some("kept")),
            ("*:*:*:*:", Some("")),
            ("", None),
        ] {
            assert_eq!(find(text, &ASKED).as_deref(), found, "{text}");
        }
    }
}
