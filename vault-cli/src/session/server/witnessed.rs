//! What witnesses cosigned of the server's log: asked for before the log is followed, held against it afterwards, and the
//! newest time of each kept, with how long the tree was (`docs/format.md` §17).
//!
//! ```text
//! cosigned ─> (followed) ─> the beginning of it? ─> kept ─> fresh, or an alarm with `sync` and `status`
//! ```
//! A witness that is shown a log that stands still cosigns that again and again. So a fresh time counts only over a tree at
//! least as long as what was followed here a day before (ATTACKS 45); how long that was is kept too.
//!
//! An alarm is said and nothing more: writing never stops for it.

use super::asking::Asking;
use super::driving;
use crate::session::Result;
use crate::session::Session;
use crate::session::SessionError;
use crate::session::clock;
use crate::session::refused;
use crate::session::reply::WitnessReply;
use crate::session::reply::WitnessedReply;
use crate::session::reply::WitnessedState;
use crate::store::ReadTx;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use vault_core::check::Check;
use vault_core::growing;
use vault_core::guard;
use vault_core::guard::Guard;
use vault_core::sync::Cosigned;
use vault_core::sync::CosignedTrees;
use vault_core::sync::Sighting;
use vault_core::tlog::checkpoint::Witness;
use vault_core::tlog::follow::Follower;
use vault_core::tlog::witness::FRESH_SECONDS;
use vault_core::tlog::witness::Freshness;
use vault_core::wire::v1::agency::Verifier;

/// Names the local value: that it is there is seen without a key, and says that the agency has a witness.
pub(in crate::session) const NAME: &str = "witnesses";
const SCHEMA: &str = "casevault.witnesses/1";

/// When each witness cosigned last, as far as it was verified here, and what was followed here when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptTimes {
    schema: String,
    /// The newest of each, by the witness's key in hex.
    cosigned: BTreeMap<String, Point>,
    /// At most two, the older first: one that is a day old, and one that will be.
    followed: Vec<Point>,
}

/// How long the log was at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Point {
    /// Seconds since 1970.
    time: u64,
    /// Leaves.
    size: u64,
}

impl KeptTimes {
    fn none() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            cosigned: BTreeMap::new(),
            followed: Vec::new(),
        }
    }

    fn load(tx: &ReadTx<'_>) -> Result<Self> {
        let Some(bytes) = tx.local(NAME)? else {
            return Ok(Self::none());
        };
        let kept: Self = serde_json::from_slice(&bytes).map_err(|_| malformed())?;
        match kept.schema == SCHEMA {
            true => Ok(kept),
            false => Err(malformed()),
        }
    }

    fn of(&self, witness: &Witness) -> Option<Point> {
        self.cosigned.get(&key_of(witness)).copied()
    }

    /// Takes what was verified, of the witnesses that are named. A time only grows, but for one that was ahead of the clock.
    fn take(&mut self, named: &[Witness], found: &[Sighting], now: u64) {
        let keys: Vec<_> = named.iter().map(key_of).collect();
        self.cosigned.retain(|key, _| keys.contains(key));
        for one in found {
            let key = key_of(&one.witness);
            let next = Point {
                time: one.time,
                size: one.size,
            };
            let both: Vec<_> = self.cosigned.get(&key).copied().into_iter().chain([next]).collect();
            let newest = Freshness::newest(both.iter().map(|one| one.time), now);
            // Of two over one time the longer tree: it is what the witness had seen by then.
            let newest = both.into_iter().filter(|one| Some(one.time) == newest).max();
            if let Some(newest) = newest {
                self.cosigned.insert(key, newest);
            }
        }
    }

    /// Takes how long the log is that was followed. One point waits until it is a day old; it takes the place of the one that
    /// was then, and the next begins to wait. What a clock that was wrong had put into the future goes.
    fn follow(&mut self, size: u64, now: u64) {
        self.followed.retain(|one| one.time <= now);
        if self.followed.last().is_none_or(|last| is_settled(last, now)) {
            self.followed.drain(..self.followed.len().saturating_sub(1));
            self.followed.push(Point { time: now, size });
        }
    }

    /// Returns what was followed here a day ago, as far as that is known: what every fresh cosignature must have seen.
    fn settled(&self, now: u64) -> Option<Point> {
        self.followed.iter().rev().find(|one| is_settled(one, now)).copied()
    }
}

fn is_settled(one: &Point, now: u64) -> bool {
    one.time.saturating_add(FRESH_SECONDS) <= now
}

impl Session {
    /// Names the witnesses of the agency's log in a new version of its root, in the place of those that it has.
    ///
    /// # Errors
    /// [`SessionError::Refused`]: what an administrator alone may do, a name or a key that is none.
    pub fn name_witnesses(&mut self, witnesses: Vec<Verifier>) -> Result<()> {
        self.write(|holder, tx| {
            let (member, device) = (holder.member, holder.device);
            let appended = growing::name_witnesses(&mut holder.agency, member, device, &holder.secrets, witnesses)
                .map_err(refused("agency"))?;
            for link in &appended.links {
                tx.put_event(link, &[])?;
            }
            Ok(())
        })
    }

    /// Tells whether the root names witnesses.
    pub(super) fn is_witnessed(&self) -> bool {
        !Witness::named(self.holder.agency.root()).is_empty()
    }

    /// Asks what witnesses cosigned; nothing where the root names none. It is to be asked for before the log is followed.
    pub(super) fn ask_cosigned(&self, asking: &Asking) -> Result<Option<CosignedTrees>> {
        let named = Witness::named(self.holder.agency.root());
        match named.is_empty() {
            true => Ok(None),
            false => open(asking, &named).map(Some),
        }
    }

    /// Holds what was cosigned against what was followed since, and keeps when each witness was last there.
    pub(super) fn hold_cosigned(
        &mut self,
        asking: &Asking,
        follower: &Follower,
        cosigned: Option<CosignedTrees>,
    ) -> Result<()> {
        let found = match cosigned {
            Some(cosigned) => hold(asking, follower, cosigned)?,
            None => Vec::new(),
        };
        let named = Witness::named(self.holder.agency.root());
        let kept = self.store.read(KeptTimes::load)?;
        let is_there = self.store.read(|tx| Ok::<_, SessionError>(tx.local(NAME)?.is_some()))?;
        let mut next = kept.clone();
        next.take(&named, &found, now());
        next.follow(follower.size(), now());
        if named.is_empty() {
            return match is_there {
                true => self.write(|_, tx| Ok(tx.remove_local(NAME).map(drop)?)),
                false => Ok(()),
            };
        }
        if next == kept && is_there {
            return Ok(());
        }
        let bytes = serde_json::to_vec(&next).map_err(|error| SessionError::Bug(error.to_string()))?;
        self.write(|_, tx| Ok(tx.put_local(NAME, &bytes)?))
    }

    /// Tells when witnesses were last there; nothing where the root names none.
    pub(super) fn witnessed(&self) -> Result<Option<WitnessedReply>> {
        let named = Witness::named(self.holder.agency.root());
        if named.is_empty() {
            return Ok(None);
        }
        let kept = self.store.read(KeptTimes::load)?;
        Ok(Some(told(&kept, &named, now())))
    }
}

fn told(kept: &KeptTimes, named: &[Witness], now: u64) -> WitnessedReply {
    let all: Vec<_> = named.iter().filter_map(|one| kept.of(one)).collect();
    let settled = kept.settled(now);
    let reaches = |one: &&Point| settled.is_none_or(|settled| one.size >= settled.size);
    let newest = Freshness::newest(all.iter().map(|one| one.time), now);
    let reaching = Freshness::newest(all.iter().filter(reaches).map(|one| one.time), now);
    let is_fresh = guard::holds(
        Freshness::of(reaching, now) == Freshness::Fresh,
        Guard::FreshCosignature,
    );
    let by_time = Freshness::of(newest, now);
    let state = match by_time {
        _ if is_fresh => WitnessedState::Fresh,
        Freshness::Never => WitnessedState::Never,
        Freshness::Ahead => WitnessedState::Ahead,
        Freshness::Stale | Freshness::Fresh => WitnessedState::Stale,
    };
    // A time that is fresh, over a tree that is not.
    let unseen = settled.filter(|_| !is_fresh && by_time == Freshness::Fresh);
    WitnessedReply {
        state,
        newest: newest.map(text),
        unseen_since: unseen.map(|settled| text(settled.time)),
        witnesses: named
            .iter()
            .map(|one| WitnessReply {
                name: one.name().to_owned(),
                cosigned: kept.of(one).map(|one| text(one.time)),
            })
            .collect(),
    }
}

/// Asks what witnesses cosigned, and reads it.
pub(in crate::session) fn open(asking: &Asking, named: &[Witness]) -> Result<CosignedTrees> {
    let answer = asking.remote.cosigned()?;
    CosignedTrees::open(asking.log.clone(), named, &answer).map_err(|fault| asking.fault(fault))
}

/// Holds what was cosigned against what was followed since.
pub(super) fn hold(asking: &Asking, follower: &Follower, cosigned: CosignedTrees) -> Result<Vec<Sighting>> {
    let told = |fault| asking.fault(fault);
    let Some(followed) = follower.seen() else {
        return Ok(Vec::new());
    };
    let mut cosigned = Cosigned::begin(cosigned, followed).map_err(told)?;
    driving::hold(cosigned.trees(), |request| asking.ask(request), told)?;
    cosigned.finish().map_err(told)
}

/// The clock, in seconds since 1970.
pub(in crate::session) fn now() -> u64 {
    u64::try_from(clock::now().as_second()).unwrap_or_default()
}

/// Writes seconds since 1970 as replies have times; a time that no calendar has is none.
pub(in crate::session) fn text(time: u64) -> String {
    let at = i64::try_from(time)
        .ok()
        .and_then(|time| Timestamp::from_second(time).ok());
    at.unwrap_or(Timestamp::MAX).to_string()
}

fn key_of(witness: &Witness) -> String {
    HEXLOWER.encode(&witness.verifier().key.0)
}

fn malformed() -> SessionError {
    SessionError::refused(Check::LocalValue, NAME)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use vault_core::crypto::sign::SigningKey;
    use vault_core::secret::SigningSeed;

    const NOW: u64 = 1_800_000_000;
    const DAY: u64 = 86_400;

    fn witness(seed: u8) -> Witness {
        let key = SigningKey::from_seed(&SigningSeed::from_bytes([seed; 32]));
        Witness::new(&format!("w{seed}.example"), &key.public()).unwrap()
    }

    fn cosigned(seed: u8, time: u64, size: u64) -> Sighting {
        let witness = witness(seed);
        Sighting { witness, time, size }
    }

    fn kept(all: &[(u8, u64)]) -> KeptTimes {
        let mut kept = KeptTimes::none();
        for (seed, time) in all {
            kept.take(&named(), &[cosigned(*seed, *time, 1)], NOW);
        }
        kept
    }

    fn named() -> Vec<Witness> {
        vec![witness(1), witness(2)]
    }

    #[test]
    fn the_newest_of_those_who_are_named_counts() {
        let state = |all: &[(u8, u64)]| told(&kept(all), &named(), NOW).state;
        assert_eq!(state(&[]), WitnessedState::Never);
        assert_eq!(state(&[(1, NOW - DAY)]), WitnessedState::Fresh);
        assert_eq!(state(&[(1, NOW - DAY - 1)]), WitnessedState::Stale);
        assert_eq!(state(&[(1, NOW - DAY - 1), (2, NOW)]), WitnessedState::Fresh);
        assert_eq!(state(&[(1, NOW + 601)]), WitnessedState::Ahead);
        assert_eq!(state(&[(1, NOW + 601), (2, NOW - DAY - 1)]), WitnessedState::Stale);
        let reply = told(&kept(&[(2, NOW - 5)]), &named(), NOW);
        assert_eq!(reply.newest.as_deref(), Some("2027-01-15T07:59:55Z"));
        assert_eq!(reply.witnesses[0].cosigned, None);
        assert_eq!(reply.witnesses[1].cosigned, reply.newest);
        assert_eq!(reply.unseen_since, None);
    }

    #[test]
    fn a_time_does_not_go_back_but_for_one_that_was_ahead() {
        assert_eq!(kept(&[(1, NOW - 5), (1, NOW - 9)]), kept(&[(1, NOW - 5)]));
        assert_eq!(kept(&[(1, NOW + 9_999), (1, NOW - 9)]), kept(&[(1, NOW - 9)]));
        // Of one that is named no more nothing is kept.
        let mut all = kept(&[(1, NOW), (2, NOW)]);
        all.take(&named()[..1], &[], NOW);
        assert_eq!(all, kept(&[(1, NOW)]));
        assert_eq!(text(u64::MAX), Timestamp::MAX.to_string());
    }

    #[test]
    fn attack_45_a_fresh_cosignature_over_a_log_that_stands_still_is_an_alarm() {
        let mut kept = KeptTimes::none();
        kept.follow(8, NOW - DAY);
        let mut at = |all: &[(u8, u64, u64)]| {
            for (seed, time, size) in all {
                kept.take(&named(), &[cosigned(*seed, *time, *size)], NOW);
            }
            let reply = told(&kept, &named(), NOW);
            (reply.state, reply.unseen_since)
        };
        let since = Some("2027-01-14T08:00:00Z".to_owned());
        // Old and short is old; fresh and short has not seen what was here a day ago.
        assert_eq!(at(&[(1, NOW - DAY - 1, 8)]), (WitnessedState::Stale, None));
        assert_eq!(at(&[(1, NOW - 9, 7)]), (WitnessedState::Stale, since.clone()));
        assert_eq!(at(&[(2, NOW - DAY - 1, 9)]), (WitnessedState::Stale, since));
        // One that has is enough.
        assert_eq!(at(&[(2, NOW - 9, 8)]), (WitnessedState::Fresh, None));
    }

    #[test]
    fn what_was_followed_a_day_ago_is_known_by_two_points() {
        let mut kept = KeptTimes::none();
        let settled = |kept: &KeptTimes, now| kept.settled(now).map(|one| one.size);
        kept.follow(1, NOW);
        kept.follow(2, NOW + DAY - 1);
        assert_eq!(settled(&kept, NOW + DAY - 1), None);
        assert_eq!(settled(&kept, NOW + DAY), Some(1));
        kept.follow(3, NOW + DAY);
        kept.follow(4, NOW + DAY + 5);
        assert_eq!(settled(&kept, NOW + 2 * DAY - 1), Some(1));
        assert_eq!(settled(&kept, NOW + 2 * DAY), Some(3));
        for day in 2..9 {
            kept.follow(day + 10, NOW + day * DAY);
            assert_eq!(kept.followed.len(), 2);
        }
        assert_eq!(settled(&kept, NOW + 8 * DAY), Some(17));
        // A clock that was ahead is forgotten.
        kept.follow(30, NOW);
        let point = Point { time: NOW, size: 30 };
        assert_eq!(kept.followed, [point]);
    }
}
