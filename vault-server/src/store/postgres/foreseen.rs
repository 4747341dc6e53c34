//! Names of records that a transaction will ask after, looked up together.
//!
//! Each note that is appended asks which versions of it there are, and nearly always there are none. To and from the
//! database is far away for that, so a group of appends asks once.

use std::collections::HashSet;

/// Streams and names of records; what was looked up, and of that what is there.
#[derive(Default)]
pub(super) struct Foreseen {
    asked: HashSet<(i64, i64)>,
    there: HashSet<(i64, i64)>,
}

impl Foreseen {
    /// Takes what was looked up, and what was found of it.
    pub(super) fn take(
        &mut self,
        asked: impl IntoIterator<Item = (i64, i64)>,
        there: impl IntoIterator<Item = (i64, i64)>,
    ) {
        self.asked.extend(asked);
        self.there.extend(there);
    }

    /// Notes that a record of a name is appended.
    pub(super) fn is_there(&mut self, stream: i64, name: i64) {
        self.there.insert((stream, name));
    }

    /// Tells whether it is known that there is no record of a name.
    pub(super) fn has_none(&self, stream: i64, name: i64) -> bool {
        let named = (stream, name);
        self.asked.contains(&named) && !self.there.contains(&named)
    }
}
