//! Recovery cards: the recovery key as k of n shares on paper (`docs/format.md` §16).
//!
//! ```text
//! seed ─ Shamir over GF(2^8) ─> shares ─> cards (header, share, check) ─> words ─ paper ─> words ─> cards ─> seed
//! ```
//!
//! Whoever holds fewer cards than the threshold knows nothing of the key, whatever they can compute. The set's
//! fingerprint is a hash over the agency's whole id and over *all* shares, so that the cards that are there show, once
//! they combine, that they are those of the set: a swapped threshold or a forged card does not get that far.

pub mod words;

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::hash::derive;
use crate::crypto::hash::hash;
use crate::crypto::sign::SigningKey;
use crate::id::AgencyId;
use crate::keyring;
use crate::keystore::RecoverySeeds;
use crate::secret::RecipientSeed;
use crate::secret::RecoverySeed;
use crate::secret::SigningSeed;
use crate::wire;
use crate::wire::v1::agency::RecoveryKeys;
use crate::wire::v1::recovery::CARD_FORMAT;
use crate::wire::v1::recovery::RecoveryCard;
use rand_core::CryptoRng;
use std::collections::BTreeSet;
use vsss_rs::Gf256;
use zeroize::Zeroizing;

/// Most cards of a set.
pub const MOST_CARDS: u8 = 16;
/// Fewest cards that give a key: with one, each holder alone would have it.
pub const LEAST_THRESHOLD: u8 = 2;

/// Bytes of a share of a seed.
const SEED_SHARE: usize = 32;
/// Bytes of a share of a key whose halves were made apart.
const PAIR_SHARE: usize = 64;

/// A set of cards that is being made, as the agency will know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardSet {
    /// Version of the recovery key.
    pub version: u32,
    /// How many cards give the key.
    pub threshold: u8,
    /// How many cards there are.
    pub shares: u8,
    /// The fingerprint.
    pub fingerprint: [u8; 8],
}

/// Why cards were not taken, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardFault {
    /// The card, by its place in what was given, from 0; absent where it concerns all.
    pub card: Option<usize>,
    /// Another card that it is compared with.
    pub other: Option<usize>,
    /// The check that failed.
    pub check: Check,
}

impl RecoverySeeds {
    /// Derives both halves of the recovery key from its seed.
    pub fn from_seed(version: u32, seed: RecoverySeed) -> Self {
        Self {
            version,
            recipient: RecipientSeed::from_bytes(*derive(Label::RecoveryRecipient, seed.expose(), &[])),
            signing: SigningSeed::from_bytes(*derive(Label::RecoverySigning, seed.expose(), &[])),
            seed: Some(seed),
        }
    }

    /// Returns the public halves, computed.
    pub fn public(&self) -> RecoveryKeys {
        RecoveryKeys {
            version: self.version,
            recipient: keyring::recipient_key(&self.recipient),
            signing: SigningKey::from_seed(&self.signing).public(),
        }
    }

    /// What is shared out: the seed, or both halves of a key that was made before there were seeds.
    fn secret(&self) -> Zeroizing<Vec<u8>> {
        let mut secret = Zeroizing::new(Vec::with_capacity(PAIR_SHARE));
        match &self.seed {
            Some(seed) => secret.extend_from_slice(seed.expose()),
            None => {
                secret.extend_from_slice(self.recipient.expose());
                secret.extend_from_slice(self.signing.expose());
            }
        }
        secret
    }

    fn from_secret(version: u32, secret: &[u8]) -> Result<Self, Refused> {
        let part = |at: usize| -> Result<[u8; 32], Refused> {
            let bytes = secret.get(at..at + 32).ok_or(Check::CardsCombine)?;
            <[u8; 32]>::try_from(bytes).map_err(|_| Check::CardsCombine.into())
        };
        match secret.len() {
            SEED_SHARE => Ok(Self::from_seed(version, RecoverySeed::from_bytes(part(0)?))),
            PAIR_SHARE => Ok(Self {
                version,
                recipient: RecipientSeed::from_bytes(part(0)?),
                signing: SigningSeed::from_bytes(part(32)?),
                seed: None,
            }),
            _ => Err(Check::CardsCombine.into()),
        }
    }
}

/// Shares the recovery key out over `shares` cards, any `threshold` of which give it back.
///
/// # Errors
/// [`Check::CardsMissing`] for a threshold below 2 or above the number of cards, or for more than 16 cards.
pub fn split(
    agency: AgencyId,
    key: &RecoverySeeds,
    threshold: u8,
    shares: u8,
    random: &mut dyn CryptoRng,
) -> Result<(CardSet, Vec<RecoveryCard>), Refused> {
    let bounds = LEAST_THRESHOLD <= threshold && threshold <= shares && shares <= MOST_CARDS;
    require(bounds, Check::CardsMissing)?;
    let version = u16::try_from(key.version).map_err(|_| Check::TooLong)?;
    let made = Gf256::split_bytes(
        usize::from(threshold),
        usize::from(shares),
        key.secret().as_slice(),
        random,
    );
    let made = Zeroizing::new(made.map_err(|_| Check::CardsCombine)?);
    let values: Vec<&[u8]> = made.iter().filter_map(|share| share.get(1..)).collect();
    let set = fingerprint(agency, version, threshold, shares, &values);
    let cards = (1u8..)
        .zip(&values)
        .map(|(number, share)| RecoveryCard {
            format: CARD_FORMAT,
            threshold,
            shares,
            number,
            version,
            agency: prefix(agency),
            set,
            share: share.to_vec(),
        })
        .collect();
    let set = CardSet {
        version: key.version,
        threshold,
        shares,
        fingerprint: set,
    };
    Ok((set, cards))
}

/// Writes a set's fingerprint in hexadecimal as its cards have it, in groups of four; what is none, as it is.
pub fn grouped(set: &str) -> String {
    if !set.chars().all(|c| c.is_ascii_hexdigit()) {
        return set.to_owned();
    }
    let chars: Vec<char> = set.chars().collect();
    let groups: Vec<String> = chars.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

/// Compares cards with each other and with the agency, without combining them; returns their set.
///
/// # Errors
/// [`Check::CardSet`], [`Check::CardRepeated`], with the card.
pub fn compare(cards: &[RecoveryCard], agency: Option<AgencyId>) -> Result<CardSet, CardFault> {
    let fault = |card: usize, other: Option<usize>, check: Check| CardFault {
        card: Some(card),
        other,
        check,
    };
    let Some(first) = cards.first() else {
        return Err(CardFault {
            card: None,
            other: None,
            check: Check::CardsMissing,
        });
    };
    let mut seen: Vec<u8> = Vec::new();
    for (at, card) in cards.iter().enumerate() {
        if agency.is_some_and(|agency| card.agency != prefix(agency)) {
            return Err(fault(at, None, Check::CardSet));
        }
        let same = (card.set, card.version, card.threshold, card.shares, card.agency)
            == (first.set, first.version, first.threshold, first.shares, first.agency)
            && card.share.len() == first.share.len();
        if !same {
            return Err(fault(at, Some(0), Check::CardSet));
        }
        if let Some(other) = seen.iter().position(|number| *number == card.number) {
            return Err(fault(at, Some(other), Check::CardRepeated));
        }
        seen.push(card.number);
    }
    Ok(CardSet {
        version: u32::from(first.version),
        threshold: first.threshold,
        shares: first.shares,
        fingerprint: first.set,
    })
}

/// Gives the recovery key back.
///
/// # Errors
/// As [`compare`]; [`Check::CardsMissing`] for fewer cards than the threshold, [`Check::CardsCombine`] if what they give
/// is not the set's.
///
/// # Security
/// More cards than the threshold are all used, and each has to fit.
pub fn combine(agency: AgencyId, cards: &[RecoveryCard]) -> Result<RecoverySeeds, CardFault> {
    let set = compare(cards, Some(agency))?;
    let all = |check| CardFault {
        card: None,
        other: None,
        check,
    };
    if cards.len() < usize::from(set.threshold) {
        return Err(all(Check::CardsMissing));
    }
    let secret = rebuild(agency, set, cards).map_err(|refused| all(refused.check))?;
    RecoverySeeds::from_secret(set.version, &secret).map_err(|refused| all(refused.check))
}

/// Interpolates the secret and every share, and compares the set's fingerprint over them.
fn rebuild(agency: AgencyId, set: CardSet, cards: &[RecoveryCard]) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let secret = at(0, cards)?;
    let shares = (1..=set.shares)
        .map(|number| match cards.iter().find(|card| card.number == number) {
            Some(card) => Ok(Zeroizing::new(card.share.clone())),
            None => at(number, cards),
        })
        .collect::<Result<Vec<_>, Refused>>()?;
    let values: Vec<&[u8]> = shares.iter().map(|share| share.as_slice()).collect();
    let version = u16::try_from(set.version).map_err(|_| Check::CardsCombine)?;
    let found = fingerprint(agency, version, set.threshold, set.shares, &values);
    require(found == set.fingerprint, Check::CardsCombine)?;
    Ok(secret)
}

/// The polynomials' values at `x`, out of the cards: shifted, so that `x` comes to lie where the crate looks for the
/// secret. In GF(2^8) a shift is an exclusive or.
fn at(x: u8, cards: &[RecoveryCard]) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let shifted: Vec<Vec<u8>> = cards
        .iter()
        .map(|card| {
            let mut share = vec![card.number ^ x];
            share.extend_from_slice(&card.share);
            share
        })
        .collect();
    let shifted = Zeroizing::new(shifted);
    let value = Gf256::combine_bytes(&*shifted).map_err(|_| Check::CardsCombine)?;
    Ok(Zeroizing::new(value))
}

fn fingerprint(agency: AgencyId, version: u16, threshold: u8, shares: u8, values: &[&[u8]]) -> [u8; 8] {
    let (version, numbers) = (version.to_be_bytes(), [threshold, shares]);
    let mut parts: Vec<&[u8]> = vec![&agency.0, &version, &numbers];
    parts.extend_from_slice(values);
    crate::crypto::aead::part(&hash(Label::RecoverySet, &parts), 0)
}

fn prefix(agency: AgencyId) -> [u8; 4] {
    crate::crypto::aead::part(&agency.0, 0)
}

/// Decodes a card's bytes, whose check was compared.
pub(crate) fn decode(bytes: &[u8]) -> Result<RecoveryCard, Refused> {
    let card: RecoveryCard = wire::decode(bytes, wire::v1::limit::RECOVERY_CARD)?;
    require(card.format == CARD_FORMAT, Check::UnknownFormat)?;
    let numbers = LEAST_THRESHOLD <= card.threshold
        && card.threshold <= card.shares
        && card.shares <= MOST_CARDS
        && (1..=card.shares).contains(&card.number);
    let length = [SEED_SHARE, PAIR_SHARE].contains(&card.share.len());
    require(numbers && length && card.version > 0, Check::CardWords)?;
    Ok(card)
}

/// Returns every way to choose `threshold` of the cards, by their places.
pub fn subsets(cards: usize, threshold: usize) -> BTreeSet<Vec<usize>> {
    let mut all = BTreeSet::from([Vec::new()]);
    for _ in 0..threshold {
        all = all
            .into_iter()
            .flat_map(|chosen: Vec<usize>| {
                let from = chosen.last().map_or(0, |last| last + 1);
                (from..cards).map(move |next| {
                    let mut longer = chosen.clone();
                    longer.push(next);
                    longer
                })
            })
            .collect();
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests;
