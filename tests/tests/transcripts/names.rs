//! Handles and ids: random in every run, and fixed in a page.

use std::collections::HashMap;

const KINDS: &str = "acdgjmn";
const ALPHABET: &str = "0123456789abcdefghjkmnpqrstvwxyz";
const HANDLE: usize = 2 + 8;
const ID: usize = 2 + 26;

/// The page's names of what the run made.
#[derive(Default)]
pub(crate) struct Names {
    /// The page's whole id by the run's handle; only its first part may ever have been shown.
    shown: HashMap<String, String>,
    /// The run's handle by the page's.
    typed: HashMap<String, String>,
}

impl Names {
    /// Puts the run's handles in place of the page's, whole or cut short, in what is typed.
    pub(crate) fn typed(&self, text: &str) -> String {
        replaced(text, 1, |name| {
            let mut whole = self.typed.iter().filter(|(page, _)| page.starts_with(name));
            match (whole.next(), whole.next()) {
                (Some((_, run)), None) => Some(run.clone()),
                _ => None,
            }
        })
    }

    /// Puts the page's names in place of the run's. A name not seen before takes that of the page's first name of its
    /// kind that stands for nothing yet, else one that is made for it.
    pub(crate) fn shown(&mut self, output: &str, expected: &str) -> String {
        let mut free: Vec<String> = Vec::new();
        replaced(expected, HANDLE, |name| {
            if name.len() == HANDLE || name.len() == ID {
                free.push(name.to_owned());
            }
            None
        });
        free.retain(|name| !self.typed.contains_key(&name[..HANDLE]));
        replaced(output, HANDLE, |name| {
            if name.len() != HANDLE && name.len() != ID {
                return None;
            }
            let run = &name[..HANDLE];
            if !self.shown.contains_key(run) {
                let found = free.iter().position(|page| page[..2] == run[..2]);
                let page = found.map_or_else(|| self.made(&run[..2]), |at| free[at].clone());
                free.retain(|other| other[..HANDLE] != page[..HANDLE]);
                self.typed.insert(page[..HANDLE].to_owned(), run.to_owned());
                let tail: String = ALPHABET.chars().cycle().skip(page.len()).take(ID).collect();
                self.shown.insert(run.to_owned(), (page + &tail)[..ID].to_owned());
            }
            Some(self.shown[run][..name.len()].to_owned())
        })
    }

    /// Makes a name for a page: any will do, as long as it is always the same.
    fn made(&self, kind: &str) -> String {
        let mut state = 2_166_136_261_u32;
        for byte in kind.bytes().chain(self.shown.len().to_string().bytes()) {
            state = (state ^ u32::from(byte)).wrapping_mul(16_777_619);
        }
        let mut name = kind.to_owned();
        while name.len() < HANDLE {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            name.push(char::from(ALPHABET.as_bytes()[(state >> 27) as usize]));
        }
        name
    }
}

/// Replaces what looks like a handle or id of at least `least` characters.
fn replaced(text: &str, least: usize, mut by: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let end = 2 + rest
            .get(2..)
            .map_or(0, |tail| tail.find(|c| !ALPHABET.contains(c)).unwrap_or(tail.len()));
        let follows = rest.get(end..).and_then(|tail| tail.chars().next());
        let name = rest.get(..end).filter(|name| {
            name.len() >= least.max(3)
                && KINDS.contains(first)
                && name[1..].starts_with('-')
                && !before.is_ascii_alphanumeric()
                && before != '-'
                && !follows.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-')
        });
        let (taken, put) = match name {
            Some(name) => (name, by(name).unwrap_or_else(|| name.to_owned())),
            None => (&rest[..first.len_utf8()], first.to_string()),
        };
        before = taken.chars().next_back().unwrap_or(' ');
        out.push_str(&put);
        rest = &rest[taken.len()..];
    }
    out
}

#[test]
fn a_page_keeps_its_names_whatever_a_run_calls_them() {
    let mut names = Names::default();
    let shown = names.shown(
        "made c-aaaaaaaa by m-bbbbbbbb in ext-00001",
        "made c-7fk2m9qd by m-0kf3z8xy in ext-00001",
    );
    assert_eq!(shown, "made c-7fk2m9qd by m-0kf3z8xy in ext-00001");
    assert_eq!(
        names.typed("case show c-7fk2; note show n-7fk2"),
        "case show c-aaaaaaaa; note show n-7fk2"
    );
    assert_eq!(names.shown("(c-aaaaaaaa)", ""), "(c-7fk2m9qd)");
    let made = names.shown("c-cccccccc c-ccccccccdddddddddddddddddd", "");
    assert_eq!(made.len(), 10 + 1 + 28);
    assert_eq!(made[..10], made[11..21]);
}
