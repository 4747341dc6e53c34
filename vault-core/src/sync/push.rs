//! Sending links: each counts as stored once the log is proved to have its entry at the leaf that the server names.

use super::Fault;
use super::LogOf;
use super::Request;
use super::advance::Advance;
use super::advance::Missing;
use super::advance::Tiles;
use crate::check::Check;
use crate::check::require;
use crate::tlog::entry::Entry;
use crate::tlog::follow::Follower;
use crate::tlog::proof;
use crate::tlog::tree;
use std::collections::VecDeque;

/// Proves that what was appended is in the log.
pub struct Push {
    before: u64,
    stored: VecDeque<(u64, Entry)>,
    state: State,
}

#[allow(clippy::large_enum_variant, reason = "there is one of it at a time")]
enum State {
    Advancing(Advance),
    Proving {
        follower: Follower,
        entries: Vec<Entry>,
        tiles: Tiles,
    },
    Broken,
}

impl Push {
    /// Begins with the checkpoint that came with the outcomes, and the leaf of each entry that is said to be stored.
    ///
    /// # Errors
    /// [`Fault::Refused`] for a note that is none of this log's; [`Check::LogInclusion`] for leaves out of the order in which
    /// the links were sent.
    pub fn prove(log: LogOf, follower: Follower, note: &[u8], stored: Vec<(u64, Entry)>) -> Result<Self, Fault> {
        // What is later here must not be earlier there: rights are judged by where a link's leaf is.
        let ascend = stored.is_sorted_by(|(one, _), (next, _)| one < next);
        require(ascend, Check::LogInclusion)?;
        let before = follower.size();
        // Where nobody else wrote, the entries are known, and nothing needs to be fetched.
        let own: Vec<_> = stored.iter().map(|(_, entry)| *entry).collect();
        let are_next = stored.iter().zip(before..).all(|((leaf, _), next)| *leaf == next);
        let advance = match are_next {
            true => Advance::with_entries(log, follower, note, &own)?,
            false => Advance::begin(log, follower, note)?,
        };
        let mut push = Self {
            before,
            stored: stored.into(),
            state: State::Advancing(advance),
        };
        push.go_on()?;
        Ok(push)
    }

    /// Returns what to ask next; nothing once everything is proved.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn ask(&self) -> Result<Option<Request>, Fault> {
        match &self.state {
            State::Advancing(advance) => advance.ask(),
            State::Proving { tiles, .. } => Ok(tiles.wanted.map(Request::Tile)),
            State::Broken => Err(Check::LogInclusion.into()),
        }
    }

    /// Returns what is known to be wrong already, while more is asked only to show it to others.
    pub fn doubt(&self) -> Option<Fault> {
        match &self.state {
            State::Advancing(advance) => advance.doubt(),
            State::Proving { .. } | State::Broken => None,
        }
    }

    /// Takes what came.
    ///
    /// # Errors
    /// [`Fault`]; [`Check::LogInclusion`] where an entry is not at its leaf.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match &mut self.state {
            State::Advancing(advance) => advance.take(bytes)?,
            State::Proving { tiles, .. } => tiles.take(bytes)?,
            State::Broken => return Err(Check::LogInclusion.into()),
        }
        self.go_on()
    }

    /// Returns what is verified of the log, once everything is proved, and the entries that are new in it.
    ///
    /// # Errors
    /// [`Check::LogInclusion`] before that.
    pub fn finish(self) -> Result<(Follower, Vec<Entry>), Fault> {
        match self.state {
            State::Proving { follower, entries, .. } if self.stored.is_empty() => Ok((follower, entries)),
            _ => Err(Check::LogInclusion.into()),
        }
    }

    fn go_on(&mut self) -> Result<(), Fault> {
        let proved = self.prove_on();
        if proved.is_err() {
            self.state = State::Broken;
        }
        proved
    }

    fn prove_on(&mut self) -> Result<(), Fault> {
        if let State::Advancing(advance) = &self.state {
            if advance.ask()?.is_some() {
                return Ok(());
            }
            let State::Advancing(advance) = std::mem::replace(&mut self.state, State::Broken) else {
                return Ok(());
            };
            let (follower, entries) = advance.into_parts();
            let tiles = Tiles::default();
            self.state = State::Proving {
                follower,
                entries,
                tiles,
            };
        }
        let State::Proving {
            follower,
            entries,
            tiles,
        } = &mut self.state
        else {
            return Ok(());
        };
        let (size, root) = (follower.size(), follower.checkpoint().root);
        while let Some((leaf, entry)) = self.stored.front() {
            require(*leaf < size, Check::LogInclusion)?;
            if let Some(at) = leaf.checked_sub(self.before) {
                let there = usize::try_from(at).ok().and_then(|at| entries.get(at));
                require(there == Some(entry), Check::LogInclusion)?;
            } else {
                // It was sent before, and is below what was verified then.
                let path = match proof::inclusion(*leaf, size, &mut |tile| tiles.get(tile)) {
                    Ok(path) => path,
                    Err(Missing::Tile) => return Ok(()),
                    Err(Missing::Refused) => return Err(Check::LogTile.into()),
                };
                tree::require_included(*leaf, size, entry.leaf(), &path, &root)?;
            }
            self.stored.pop_front();
        }
        Ok(())
    }
}
