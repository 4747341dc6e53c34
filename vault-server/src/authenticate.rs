//! Who asks: challenges, the sessions that devices begin with them, and the tokens of those sessions.
//!
//! Challenges and tokens are MACs of the server's own (`docs/format.md` §18), so that nothing is kept of a session; of a
//! challenge only that it was used, for the minute in which it is good. Where one process has the store alone, what was used
//! is forgotten when it ends, so the key of challenges is too; processes that share a store share both.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::BASE64URL_NOPAD;
use vault_core::context::Label;
use vault_core::crypto::hash::{mac, mac_matches};
use vault_core::id::{AgencyId, DeviceId, MemberId};

use crate::store::{Challenge, Shared, StoreError, UseUp};

/// Seconds for which a challenge is good.
pub const CHALLENGE_SECONDS: u64 = 60;

/// Seconds for which a token is good.
pub const TOKEN_SECONDS: u64 = 15 * 60;

/// Seconds for which a token for change events alone is good, and they are told.
pub const FEED_SECONDS: u64 = 5 * 60;

/// Bytes of a token; one of a session by identity names the member too, in 16 more.
pub const TOKEN_BYTES: usize = 88;

/// Bytes of a token of a session by identity.
pub const IDENTITY_TOKEN_BYTES: usize = TOKEN_BYTES + 16;

/// Used challenges that are remembered. Each cost a live device's signature.
const REMEMBERED: usize = 65_536;

/// Seconds by which the clocks of processes that share a store may differ.
const SKEW: u64 = 5;

/// Challenges and tokens of one server.
pub struct Sessions {
    /// Of tokens; the server's, for as long as it has its store.
    tokens: [u8; 32],
    /// Of challenges; this process's, or of all that share the store.
    challenges: [u8; 32],
    /// Seconds by which a challenge may come from what is the future here.
    skew: u64,
    used: Mutex<HashSet<Challenge>>,
}

/// What a token says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Claim {
    /// The agency.
    pub agency: AgencyId,
    /// The device.
    pub device: DeviceId,
    /// The member whose identity key began the session, where the device's own key did not.
    pub identity: Option<MemberId>,
    /// Until when it is good, in seconds since 1970.
    pub until: u64,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Whatever its device may do.
    Device,
    /// The change events, and nothing else.
    Feed,
}

impl Scope {
    /// Bytes of the token's MAC that no other scope's have.
    fn bytes(self, identity: Option<MemberId>) -> &'static [u8] {
        match (self, identity) {
            (Self::Device, None) => &[],
            (Self::Feed, _) => &[1],
            (Self::Device, Some(_)) => &[2],
        }
    }
}

/// Why a challenge was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unusable {
    /// It is not the server's, too old, or was used.
    Stale,
    /// More were used in this minute than are remembered.
    TooMany,
}

impl Sessions {
    /// Takes the server's key of tokens, and a fresh one of challenges.
    pub fn new(tokens: [u8; 32], challenges: [u8; 32]) -> Self {
        Self {
            tokens,
            challenges,
            skew: 0,
            used: Mutex::default(),
        }
    }

    /// Takes the key of tokens of all processes that share a store, which makes their challenges too: what it is used for
    /// is in every MAC.
    pub fn shared(tokens: [u8; 32]) -> Self {
        Self {
            skew: SKEW,
            ..Self::new(tokens, tokens)
        }
    }

    /// Makes a challenge of 8 random bytes at `now`.
    pub fn challenge(&self, random: [u8; 8], now: u64) -> [u8; 48] {
        let mut named = [0; 16];
        fill(&mut named, &[&random, &now.to_be_bytes()]);
        let tag = mac(Label::ServerChallenge, &self.challenges, &[&named]);
        let mut challenge = [0; 48];
        fill(&mut challenge, &[&named, &tag]);
        challenge
    }

    /// Takes a challenge as used, where one process has the store alone.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn take(&self, challenge: &[u8; 48], now: u64) -> Result<(), Unusable> {
        let challenge = self.fresh(challenge, now)?;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= REMEMBERED {
            used.retain(|one| now.saturating_sub(one.made) <= CHALLENGE_SECONDS);
        }
        if used.contains(&challenge) {
            return Err(Unusable::Stale);
        }
        if used.len() >= REMEMBERED {
            return Err(Unusable::TooMany);
        }
        used.insert(challenge);
        Ok(())
    }

    /// Takes a challenge as used, for all processes that share a store.
    ///
    /// # Errors
    /// [`StoreError`]; inside, [`Unusable`].
    pub fn take_shared(
        &self,
        shared: &dyn Shared,
        challenge: &[u8; 48],
        now: u64,
    ) -> Result<Result<(), Unusable>, StoreError> {
        let challenge = match self.fresh(challenge, now) {
            Ok(challenge) => challenge,
            Err(unusable) => return Ok(Err(unusable)),
        };
        // Too old by then for whoever's clock is behind, too.
        let forget = now.saturating_sub(CHALLENGE_SECONDS + SKEW);
        Ok(match shared.use_up(&challenge, forget, REMEMBERED)? {
            UseUp::First => Ok(()),
            UseUp::Again => Err(Unusable::Stale),
            UseUp::TooMany => Err(Unusable::TooMany),
        })
    }

    /// Returns what names a challenge, if it is one of ours and not too old.
    fn fresh(&self, challenge: &[u8; 48], now: u64) -> Result<Challenge, Unusable> {
        let (named, tag) = challenge.split_first_chunk::<16>().ok_or(Unusable::Stale)?;
        if !mac_matches(Label::ServerChallenge, &self.challenges, &[named], tag) {
            return Err(Unusable::Stale);
        }
        let random = named.first_chunk().copied().ok_or(Unusable::Stale)?;
        let made = named.last_chunk().copied().map_or(0, u64::from_be_bytes);
        let age = (now + self.skew).checked_sub(made);
        match age.is_some_and(|age| age <= CHALLENGE_SECONDS + self.skew) {
            true => Ok(Challenge { random, made }),
            false => Err(Unusable::Stale),
        }
    }

    /// Makes a token: [`TOKEN_BYTES`], or [`IDENTITY_TOKEN_BYTES`].
    pub fn token(&self, claim: &Claim, scope: Scope) -> Vec<u8> {
        let until = claim.until.to_be_bytes();
        let member = claim.identity.as_ref().map_or(&[][..], |member| &member.0);
        let said = [&claim.agency.0[..], &claim.device.0, &until, member].concat();
        let tag = mac(Label::ServerToken, &self.tokens, &[&said, scope.bytes(claim.identity)]);
        [&said[..], &tag].concat()
    }

    /// Reads what follows `Bearer` in a request; nothing of what is no good token for that.
    pub fn claim(&self, text: &[u8], scope: Scope, now: u64) -> Option<Claim> {
        // Whoever asks sends what they like: nothing longer is decoded.
        if text.len() > IDENTITY_TOKEN_BYTES.div_ceil(3) * 4 {
            return None;
        }
        let token = BASE64URL_NOPAD.decode(text).ok()?;
        let (said, tag) = token.split_last_chunk::<32>()?;
        let (agency, rest) = said.split_first_chunk()?;
        let (device, rest) = rest.split_first_chunk()?;
        let (until, member) = rest.split_first_chunk()?;
        let identity = match member {
            [] => None,
            member => Some(MemberId(member.try_into().ok()?)),
        };
        if !mac_matches(Label::ServerToken, &self.tokens, &[said, scope.bytes(identity)], tag) {
            return None;
        }
        let until = u64::from_be_bytes(*until);
        (now <= until).then_some(Claim {
            agency: AgencyId(*agency),
            device: DeviceId(*device),
            identity,
            until,
        })
    }
}

/// Returns the seconds since 1970, by the server's clock.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

fn fill(out: &mut [u8], parts: &[&[u8]]) {
    let bytes = parts.iter().flat_map(|part| part.iter());
    out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_good_once_and_for_a_minute() {
        let sessions = Sessions::new([7; 32], [9; 32]);
        let challenge = sessions.challenge([1; 8], 1000);
        assert_eq!(sessions.take(&challenge, 999), Err(Unusable::Stale));
        assert_eq!(sessions.take(&challenge, 1061), Err(Unusable::Stale));
        assert_eq!(sessions.take(&challenge, 1060), Ok(()));
        assert_eq!(sessions.take(&challenge, 1060), Err(Unusable::Stale));
        let foreign = Sessions::new([7; 32], [8; 32]).challenge([1; 8], 1000);
        assert_eq!(sessions.take(&foreign, 1000), Err(Unusable::Stale));
        for at in 0..48 {
            let mut changed = sessions.challenge([2; 8], 1000);
            changed[at] ^= 1;
            assert_eq!(sessions.take(&changed, 1000), Err(Unusable::Stale), "{at}");
        }
    }

    #[test]
    fn clocks_that_differ_a_little_take_each_others_challenges() {
        let sessions = Sessions::shared([7; 32]);
        let challenge = sessions.challenge([1; 8], 1000);
        for (now, good) in [(994, false), (995, true), (1060, true), (1061, false)] {
            let taken = Sessions::shared([7; 32]).take(&challenge, now);
            assert_eq!(taken.is_ok(), good, "{now}");
        }
    }

    #[test]
    fn used_challenges_are_bounded_and_forgotten_when_they_are_stale() {
        let sessions = Sessions::new([7; 32], [9; 32]);
        for number in 0..REMEMBERED as u64 {
            let challenge = sessions.challenge(number.to_be_bytes(), 1000);
            assert_eq!(sessions.take(&challenge, 1000), Ok(()));
        }
        let more = sessions.challenge([0xff; 8], 1000);
        assert_eq!(sessions.take(&more, 1000), Err(Unusable::TooMany));
        let later = sessions.challenge([0xff; 8], 1061);
        assert_eq!(sessions.take(&later, 1061), Ok(()));
        assert_eq!(sessions.used.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_token_says_what_it_was_made_for_until_it_is_over() {
        let sessions = Sessions::new([7; 32], [9; 32]);
        let claim = Claim {
            agency: AgencyId([1; 32]),
            device: DeviceId([2; 16]),
            identity: None,
            until: 5000,
        };
        let token = sessions.token(&claim, Scope::Device);
        let text = BASE64URL_NOPAD.encode(&token);
        assert_eq!(sessions.claim(text.as_bytes(), Scope::Device, 5000), Some(claim));
        assert_eq!(sessions.claim(text.as_bytes(), Scope::Device, 5001), None);
        // One for the change events is good for nothing else, and the other way round.
        assert_eq!(sessions.claim(text.as_bytes(), Scope::Feed, 5000), None);
        let feed = BASE64URL_NOPAD.encode(&sessions.token(&claim, Scope::Feed));
        assert_eq!(sessions.claim(feed.as_bytes(), Scope::Device, 5000), None);
        assert_eq!(sessions.claim(feed.as_bytes(), Scope::Feed, 5000), Some(claim));
        assert_eq!(
            Sessions::new([8; 32], [9; 32]).claim(text.as_bytes(), Scope::Device, 5000),
            None
        );
        assert_eq!((token.len(), feed.len()), (TOKEN_BYTES, 118));
        // One by identity names the member, and is told from the others by its MAC.
        let by_identity = Claim {
            identity: Some(MemberId([3; 16])),
            ..claim
        };
        let named = sessions.token(&by_identity, Scope::Device);
        assert_eq!(named.len(), IDENTITY_TOKEN_BYTES);
        let text = BASE64URL_NOPAD.encode(&named);
        assert_eq!(sessions.claim(text.as_bytes(), Scope::Device, 5000), Some(by_identity));
        assert_eq!(sessions.claim(text.as_bytes(), Scope::Feed, 5000), None);
        for cut in [
            [&named[..56], &named[72..]].concat(),
            [&token[..56], &[3; 16], &token[56..]].concat(),
        ] {
            let text = BASE64URL_NOPAD.encode(&cut);
            assert_eq!(sessions.claim(text.as_bytes(), Scope::Device, 1), None);
        }
        for at in 0..IDENTITY_TOKEN_BYTES {
            let mut changed = named.clone();
            changed[at] ^= 1;
            let text = BASE64URL_NOPAD.encode(&changed);
            assert_eq!(sessions.claim(text.as_bytes(), Scope::Device, 1), None, "{at}");
        }
        for at in 0..TOKEN_BYTES {
            let mut changed = token.clone();
            changed[at] ^= 1;
            let text = BASE64URL_NOPAD.encode(&changed);
            assert_eq!(sessions.claim(text.as_bytes(), Scope::Device, 1), None, "{at}");
        }
        for text in ["", "AAAA", "!", &format!("{text}=")] {
            assert_eq!(sessions.claim(text.as_bytes(), Scope::Device, 1), None);
        }
    }
}
