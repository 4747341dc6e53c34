//! Witnessing a log: what a witness keeps, which checkpoint it cosigns next, and how fresh a cosignature is.
//!
//! ```text
//! last position ─ signed checkpoint, consistency proof ─> next position ─> kept, durable ─> cosignature
//! ```
//! A witness cosigns trees that continue one another, and nothing else. So it must never forget how far it was: it keeps the
//! next position before its cosignature leaves it (C2SP tlog-witness; ATTACKS 49), and of two runs at once the later one must
//! begin with what the earlier one kept. Both are the caller's: nothing here is kept.

use super::checkpoint::Checkpoint;
use super::checkpoint::Cosignature;
use super::checkpoint::SignedCheckpoint;
use super::follow::checkpoint_of;
use super::tree;
use super::tree::Hash;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::id::AgencyId;
use crate::wire;
use crate::wire::v1::FORMAT;
use crate::wire::v1::follow::WitnessPosition;
use crate::wire::v1::link::Seen;

/// Seconds after which a cosignature is no longer fresh: a day.
pub const FRESH_SECONDS: u64 = 86_400;

/// Seconds by which a witness's clock may be ahead of the one that it is compared with: ten minutes.
pub const AHEAD_SECONDS: u64 = 600;

/// Bytes of an encoded position, which is of fixed size.
const LONGEST: usize = 2 + 32 + 32 + 8 + 32 + 64;

/// The last checkpoint of a log that a witness cosigned, or is about to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    agency: AgencyId,
    seen: Seen,
}

impl Position {
    /// Takes a log's checkpoint as the first that this witness sees of it. Nothing is known to compare it with.
    pub fn first(checkpoint: &SignedCheckpoint) -> Self {
        Self {
            agency: checkpoint.checkpoint().agency,
            seen: checkpoint.seen(),
        }
    }

    /// Goes on to a checkpoint; `proof` shows that its tree continues the last one's (RFC 6962 §2.1.2).
    ///
    /// # Errors
    /// [`Check::CheckpointOrigin`] for another log's; [`Check::LogConsistency`] where the tree is shorter, or another of the
    /// same size, or the proof does not hold.
    pub fn step(&self, to: &SignedCheckpoint, proof: &[Hash]) -> Result<Self, Refused> {
        let (last, next) = (self.checkpoint(), to.checkpoint());
        require(next.agency == last.agency, Check::CheckpointOrigin)?;
        tree::require_consistent(last.size, &last.root, next.size, &next.root, proof)?;
        Ok(Self::first(to))
    }

    /// Returns what to keep, 170 bytes, for [`Self::from_bytes`].
    ///
    /// # Errors
    /// None in practice: it is of fixed size.
    pub fn to_bytes(&self, log: &VerifyingKey) -> Result<Vec<u8>, Refused> {
        wire::encode(&WitnessPosition {
            format: FORMAT,
            agency: self.agency,
            log: log.public(),
            seen: self.seen,
        })
    }

    /// Takes up what was kept of a log.
    ///
    /// # Errors
    /// [`Check::TooLong`], [`Check::NotCanonical`], [`Check::UnknownFormat`]; [`Check::CheckpointOrigin`] for another log's;
    /// [`Check::CheckpointSignature`] for one of another key, or that the log never signed: it was changed.
    pub fn from_bytes(agency: AgencyId, log: &VerifyingKey, bytes: &[u8]) -> Result<Self, Refused> {
        let kept: WitnessPosition = wire::decode(bytes, LONGEST)?;
        require(kept.format == FORMAT, Check::UnknownFormat)?;
        require(kept.agency == agency, Check::CheckpointOrigin)?;
        require(kept.log == log.public(), Check::CheckpointSignature)?;
        let position = Self {
            agency,
            seen: kept.seen,
        };
        position.checkpoint().require_signed(&kept.seen.signature, log)?;
        Ok(position)
    }

    /// Returns the checkpoint.
    pub fn checkpoint(&self) -> Checkpoint {
        checkpoint_of(self.agency, &self.seen)
    }

    /// Returns the checkpoint as a link carries it, with the log's signature.
    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// Cosigns it at `time`, in seconds since 1970. What this is of has to be kept by now, and durable.
    ///
    /// # Errors
    /// As [`Checkpoint::cosign`].
    pub fn cosign(&self, name: &str, key: &SigningKey, time: u64) -> Result<Cosignature, Refused> {
        self.checkpoint().cosign(name, key, time)
    }
}

/// How fresh the newest cosignature of a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// There is none at all.
    Never,
    /// It is of the last day.
    Fresh,
    /// It is older than [`FRESH_SECONDS`].
    Stale,
    /// It is more than [`AHEAD_SECONDS`] ahead: the witness's clock is wrong, or this one.
    Ahead,
}

impl Freshness {
    /// Compares the time of a newest cosignature with the clock, both in seconds since 1970.
    pub fn of(newest: Option<u64>, now: u64) -> Self {
        match newest {
            None => Self::Never,
            Some(time) if time > now.saturating_add(AHEAD_SECONDS) => Self::Ahead,
            Some(time) if now.saturating_sub(time) > FRESH_SECONDS => Self::Stale,
            Some(_) => Self::Fresh,
        }
    }

    /// Returns the newest of several times, one that is ahead only where there is no other: a witness whose clock is wrong
    /// once must not stand for all witnesses for ever.
    pub fn newest(times: impl IntoIterator<Item = u64>, now: u64) -> Option<u64> {
        let is_ahead = |time: &u64| *time > now.saturating_add(AHEAD_SECONDS);
        let (ahead, known): (Vec<u64>, Vec<u64>) = times.into_iter().partition(is_ahead);
        known.into_iter().max().or(ahead.into_iter().min())
    }
}

/// Refuses a log that no witness has cosigned within the last day, for whoever has nothing of it to compare with yet but a
/// checkpoint of `least` leaves (ATTACKS 43). `cosigned` are times and leaves; a tree that does not reach that checkpoint
/// counts for nothing, because a witness that is shown a log that stands still cosigns that again and again.
///
/// # Errors
/// [`Check::Unwitnessed`].
pub fn require_fresh(cosigned: impl IntoIterator<Item = (u64, u64)>, least: u64, now: u64) -> Result<(), Refused> {
    let reaching = cosigned.into_iter().filter(|(_, size)| *size >= least);
    let newest = Freshness::newest(reaching.map(|(time, _)| time), now);
    require(Freshness::of(newest, now) == Freshness::Fresh, Check::Unwitnessed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::super::checkpoint;
    use super::*;
    use crate::forge::guard;
    use crate::secret::SigningSeed;

    const AGENCY: AgencyId = AgencyId([0xa1; 32]);

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&SigningSeed::from_bytes([seed; 32]))
    }

    fn log() -> VerifyingKey {
        VerifyingKey::new(&key(1).public(), Check::CheckpointSignature).unwrap()
    }

    fn leaves(size: u64, branch: u8) -> Vec<Hash> {
        let leaf = |n: u64| tree::leaf(&[&n.to_be_bytes()[..], &[if n < 2 { 0 } else { branch }]].concat());
        (0..size).map(leaf).collect()
    }

    fn signed(size: u64, branch: u8) -> SignedCheckpoint {
        let one = Checkpoint {
            agency: AGENCY,
            size,
            root: tree::root(&leaves(size, branch)),
        };
        let note = checkpoint::write(&one, &one.sign(&key(1)), &key(1).public(), &[]).unwrap();
        SignedCheckpoint::open(note.as_bytes(), AGENCY, &log(), &[]).unwrap()
    }

    /// The proof that a tree of 4 leaves continues the one of 2.
    fn proof(branch: u8) -> Vec<Hash> {
        vec![tree::root(&leaves(4, branch)[2..])]
    }

    #[test]
    fn a_witness_goes_from_tree_to_tree_and_cosigns_where_it_is() {
        let first = Position::first(&signed(2, 0));
        assert_eq!(first.step(&signed(2, 0), &[]).unwrap(), first);
        let next = first.step(&signed(4, 0), &proof(0)).unwrap();
        assert_eq!(next.checkpoint(), *signed(4, 0).checkpoint());
        let cosigned = next.cosign("witness.example", &key(2), 7).unwrap();
        cosigned.verify(signed(4, 0).checkpoint()).unwrap();
        assert!(cosigned.verify(signed(2, 0).checkpoint()).is_err());
    }

    #[test]
    fn attack_49_a_tree_that_does_not_continue_the_last_one_is_not_cosigned() {
        let (at, refused) = (Position::first(&signed(2, 0)), Err(Check::LogConsistency.into()));
        let later = at.step(&signed(4, 0), &proof(0)).unwrap();
        // Shorter; another of its size; longer, with another beginning; with no proof, or another's.
        assert_eq!(later.step(&signed(2, 0), &[]), refused);
        assert_eq!(later.step(&signed(4, 1), &[]), refused);
        assert_eq!(later.step(&signed(5, 1), &[]), refused);
        assert_eq!(at.step(&signed(4, 0), &[]), refused);
        assert_eq!(at.step(&signed(4, 0), &proof(1)), refused);
        guard::without(Check::LogConsistency, || {
            later.step(&signed(4, 1), &[]).unwrap();
        });
    }

    #[test]
    fn what_is_kept_is_taken_up_and_nothing_else() {
        let at = Position::first(&signed(4, 0));
        let bytes = at.to_bytes(&log()).unwrap();
        assert_eq!(bytes.len(), LONGEST);
        assert_eq!(Position::from_bytes(AGENCY, &log(), &bytes).unwrap(), at);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Position::from_bytes(AGENCY, &log(), &changed).is_err(), "{at}");
            assert!(Position::from_bytes(AGENCY, &log(), &bytes[..at]).is_err(), "{at}");
        }
        let read = |agency, key: &SigningKey| {
            let key = VerifyingKey::new(&key.public(), Check::CheckpointSignature).unwrap();
            Position::from_bytes(agency, &key, &bytes).map_err(|refused| refused.check)
        };
        assert_eq!(read(AgencyId([0xa2; 32]), &key(1)), Err(Check::CheckpointOrigin));
        assert_eq!(read(AGENCY, &key(9)), Err(Check::CheckpointSignature));
    }

    #[test]
    fn a_cosignature_is_fresh_for_a_day() {
        let now = 1_800_000_000;
        for (newest, expected) in [
            (None, Freshness::Never),
            (Some(now), Freshness::Fresh),
            (Some(now - FRESH_SECONDS), Freshness::Fresh),
            (Some(now - FRESH_SECONDS - 1), Freshness::Stale),
            (Some(now + AHEAD_SECONDS), Freshness::Fresh),
            (Some(now + AHEAD_SECONDS + 1), Freshness::Ahead),
            (Some(u64::MAX), Freshness::Ahead),
        ] {
            assert_eq!(Freshness::of(newest, now), expected, "{newest:?}");
        }
        let later = now + AHEAD_SECONDS + 1;
        assert_eq!(Freshness::newest([now - 5, later, now - 7], now), Some(now - 5));
        assert_eq!(Freshness::newest([later + 1, later], now), Some(later));
        assert_eq!(Freshness::newest([], now), None);
    }

    #[test]
    fn chk_142_whoever_begins_needs_a_cosignature_of_the_last_day() {
        let now = 1_800_000_000;
        require_fresh([(now - 90_000, 9), (now - 86_400, 5)], 5, now).unwrap();
        for cosigned in [
            &[][..],
            &[(now - 86_401, 5)],
            &[(now + 601, 5)],
            &[(0, 5), (u64::MAX, 5)],
            // Fresh, over a tree that does not reach what is known.
            &[(now, 4), (now - 86_401, 5)],
        ] {
            let fresh = || require_fresh(cosigned.iter().copied(), 5, now);
            assert_eq!(fresh(), Err(Check::Unwitnessed.into()), "{cosigned:?}");
            guard::without(Check::Unwitnessed, fresh).unwrap();
        }
    }
}
