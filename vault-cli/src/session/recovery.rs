//! Cards of the recovery key: made, proved, and compared.
//!
//! ```text
//! cards: key ─ split ─> words ─ command writes files ─ reads them back ─> confirm: every subset combines to the key
//!                  └─> set is kept as begun: cards that are cut off here are told of by the next who makes some
//!                                                                          └─> key leaves the keystore, set is kept
//! ```

use super::Result;
use super::Session;
use super::SessionError;
use super::clock;
use super::logging::Intent;
use super::random;
use super::refused;
use super::reply::CardWords;
use super::reply::CardsReply;
use super::reply::CheckReply;
use super::reply::RECOVERY_CHECK;
use super::reply::RECOVERY_SPLIT;
use super::reply::SplitReply;
use super::reply::UnfinishedCards;
use super::request::CardInput;
use super::request::ReadPurpose;
use super::request::RecoverySplitRequest;
use super::vault::io_error;
use super::vault::replace;
use crate::places::Places;
use crate::store::ReadTx;
use crate::store::WriteTx;
use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde::Serialize;
use std::fs;
use vault_core::check::Check;
use vault_core::id::AgencyId;
use vault_core::keystore;
use vault_core::keystore::RecoverySeeds;
use vault_core::opening::fresh;
use vault_core::recovery;
use vault_core::recovery::CardFault;
use vault_core::recovery::CardSet;
use vault_core::recovery::words;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::recovery::RecoveryCard;

/// The local value, and in a file of its own the note for whoever has no passphrase, that says which cards there are.
pub(super) const SET: &str = "recovery-set";
const SCHEMA: &str = "casevault.recovery.set/1";
/// The local value that lists sets of the key that is still here, whose cards may lie somewhere.
pub(super) const BEGUN: &str = "recovery-begun";

/// The set that cards were made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptSet {
    schema: String,
    /// Version of the recovery key.
    pub(super) version: u32,
    /// How many cards give the key.
    pub(super) threshold: u8,
    /// How many cards there are.
    pub(super) shares: u8,
    /// The fingerprint, in hex.
    pub(super) set: String,
}

impl KeptSet {
    fn of(set: CardSet) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            version: set.version,
            threshold: set.threshold,
            shares: set.shares,
            set: HEXLOWER.encode(&set.fingerprint),
        }
    }

    pub(super) fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|e| SessionError::Bug(e.to_string()))
    }

    pub(super) fn from_json(json: &[u8]) -> Option<Self> {
        let read: Self = serde_json::from_slice(json).ok()?;
        (read.schema == SCHEMA).then_some(read)
    }
}

/// Reads what the vault's folder says of its cards; that nobody vouches for it is the reader's to know.
pub(super) fn read_set(places: &Places) -> Option<KeptSet> {
    KeptSet::from_json(&fs::read(places.recovery_set()).ok()?)
}

impl Session {
    /// Makes cards of the recovery key, which stays where it is until [`Session::recovery_confirm`].
    ///
    /// # Errors
    /// [`SessionError::NoRecoveryKey`] once it was done; [`SessionError::Card`] for impossible numbers.
    pub fn recovery_cards(&mut self, request: RecoverySplitRequest) -> Result<CardsReply> {
        self.require_recovery_key()?;
        let purpose = ReadPurpose::default();
        self.log(&Intent {
            operation: AccessOperation::Export,
            case: None,
            records: &[],
            scope: Some("recovery cards"),
            purpose: &purpose,
        })?;
        let key = self.holder.secrets.recovery.as_ref();
        let key = key.ok_or_else(|| SessionError::Bug("a recovery key that went".to_owned()))?;
        let agency = self.holder.agency.id();
        let (set, cards) = recovery::split(agency, key, request.threshold, request.shares, &mut random::os())
            .map_err(refused("recovery cards"))?;
        let cards = cards.iter().map(|card| {
            let words = words::encode(card).map_err(refused("recovery cards"))?;
            Ok(CardWords {
                number: card.number,
                words: words.to_vec(),
            })
        });
        let kept = KeptSet::of(set);
        let begun = UnfinishedCards {
            set: kept.set.clone(),
            begun_at: clock::moment(clock::now()).as_str().to_owned(),
            folder: request.folder,
        };
        // Before the first card is anywhere: a process that dies among them leaves cards that can be told of.
        self.store.write(|tx| -> Result<()> {
            let mut all = unfinished(tx)?;
            all.push(begun);
            put_unfinished(tx, &all)
        })?;
        Ok(CardsReply {
            agency: agency.text(),
            set: kept.set,
            version: kept.version,
            threshold: kept.threshold,
            shares: kept.shares,
            cards: cards.collect::<Result<_>>()?,
        })
    }

    /// Says of a set that nobody can have a card of it: its files are gone, and nobody was asked to print them.
    ///
    /// # Errors
    /// What the store refuses.
    pub fn recovery_taken_back(&mut self, set: &str) -> Result<()> {
        self.store.write(|tx| -> Result<()> {
            let mut all = unfinished(tx)?;
            all.retain(|begun| begun.set != set);
            put_unfinished(tx, &all)
        })
    }

    /// Takes cards as they were read back, proves that each set of as many as are needed gives the key, and only then
    /// lets the key leave the keystore.
    ///
    /// # Errors
    /// [`SessionError::Card`] for a card that is not as it was made; nothing is changed then.
    pub fn recovery_confirm(&mut self, cards: &[CardInput]) -> Result<SplitReply> {
        self.require_recovery_key()?;
        let key = self.holder.secrets.recovery.as_ref();
        let key = key.ok_or_else(|| SessionError::Bug("a recovery key that went".to_owned()))?;
        let agency = self.holder.agency.id();
        let read = read_cards(cards)?;
        let set = recovery::compare(&read, Some(agency)).map_err(|fault| card_error(&fault, cards))?;
        let short = |check| {
            card_error(
                &CardFault {
                    card: None,
                    other: None,
                    check,
                },
                cards,
            )
        };
        if read.len() != usize::from(set.shares) {
            return Err(short(Check::CardsMissing));
        }
        for places in recovery::subsets(read.len(), usize::from(set.threshold)) {
            let chosen: Vec<RecoveryCard> = places.iter().filter_map(|at| read.get(*at).cloned()).collect();
            let back = recovery::combine(agency, &chosen).map_err(|fault| card_error(&fault, cards))?;
            if back.recipient != key.recipient || back.signing != key.signing {
                return Err(short(Check::CardsCombine));
            }
        }
        // Known before the key goes: a process that dies in between has a set that nobody needs yet.
        let kept = KeptSet::of(set);
        let json = kept.to_json()?;
        let others = self.store.write(|tx| -> Result<_> {
            tx.put_local(SET, &json)?;
            let mut others = unfinished(tx)?;
            others.retain(|begun| begun.set != kept.set);
            Ok(others)
        })?;
        let secret = self.holder.secrets.recovery.take();
        let written = keystore::write(&mut self.unlocked, &self.holder.secrets, fresh(&mut random::os()))
            .map_err(refused("keystore"))
            .and_then(|file| replace(&self.places.keystore(), &file).map_err(io_error("could not write the keystore")));
        if written.is_err() {
            self.holder.secrets.recovery = secret;
        }
        written?;
        // The key is gone from here and the cards hold it: a note that cannot be written now refuses nothing, and is
        // written by the next unlocking.
        let _ = put_set(&self.places, &kept);
        Ok(SplitReply {
            schema: RECOVERY_SPLIT,
            set: kept.set,
            version: kept.version,
            threshold: kept.threshold,
            shares: kept.shares,
            files: Vec::new(),
            unfinished: others,
        })
    }

    /// Compares cards with each other and with the set that the vault's folder names; opens nothing.
    ///
    /// # Errors
    /// [`SessionError::Card`].
    pub fn recovery_check(places: &Places, cards: &[CardInput]) -> Result<CheckReply> {
        let read = read_cards(cards)?;
        let set = recovery::compare(&read, agency_of(places)).map_err(|fault| card_error(&fault, cards))?;
        let found = KeptSet::of(set);
        let known = read_set(places);
        if let Some(known) = &known
            && *known != found
        {
            let stale = found.version < known.version;
            let check = if stale { Check::CardStale } else { Check::CardSet };
            return Err(card_error(
                &CardFault {
                    card: Some(0),
                    other: None,
                    check,
                },
                cards,
            ));
        }
        Ok(CheckReply {
            schema: RECOVERY_CHECK,
            set: found.set,
            version: found.version,
            threshold: found.threshold,
            shares: found.shares,
            numbers: read.iter().map(|card| card.number).collect(),
            enough: read.len() >= usize::from(found.threshold),
            current: known.map(|_| true),
        })
    }

    /// Tells whether the keystore, as it lies on the disk, still holds the recovery key; nothing where it cannot be told.
    pub fn recovery_key_is_kept(&self) -> Option<bool> {
        let file = fs::read(self.places.keystore()).ok()?;
        let secrets = keystore::reopen(&file, &self.unlocked).ok()?;
        Some(secrets.recovery.is_some())
    }

    /// Says in the folder which cards there are, should that have been cut off.
    pub(super) fn mend_set(&self) {
        if self.holder.secrets.recovery.is_some() || self.places.recovery_set().exists() {
            return;
        }
        if let Ok(Some(kept)) = self.kept_set() {
            // A disk that takes nothing does not keep anybody from opening the vault.
            let _ = put_set(&self.places, &kept);
        }
    }

    fn kept_set(&self) -> Result<Option<KeptSet>> {
        let kept = self.store.read(|tx| Ok::<_, SessionError>(tx.local(SET)?))?;
        Ok(kept.and_then(|json| KeptSet::from_json(&json)))
    }

    /// Refuses where cards were made.
    fn require_recovery_key(&self) -> Result<()> {
        if self.holder.secrets.recovery.is_some() {
            return Ok(());
        }
        let joined = self
            .store
            .read(|tx| Ok::<_, SessionError>(tx.local(super::join::JOINED)?))?;
        if joined.is_some() {
            return Err(SessionError::Denied {
                why: "the agency's recovery key is with whoever founded it, or on its cards".to_owned(),
                hint: "an agency has one recovery key: nothing is to be done here".to_owned(),
            });
        }
        self.mend_set();
        let kept = self.kept_set()?;
        Err(SessionError::NoRecoveryKey {
            set: kept.map_or_else(|| "unknown".to_owned(), |kept| kept.set),
        })
    }
}

/// Lists the sets whose cards were begun, the oldest first.
fn unfinished(tx: &ReadTx<'_>) -> Result<Vec<UnfinishedCards>> {
    let Some(json) = tx.local(BEGUN)? else {
        return Ok(Vec::new());
    };
    serde_json::from_slice(&json).map_err(|_| SessionError::refused(Check::LocalValue, BEGUN))
}

fn put_unfinished(tx: &mut WriteTx<'_>, sets: &[UnfinishedCards]) -> Result<()> {
    match sets {
        [] => {
            tx.remove_local(BEGUN)?;
            Ok(())
        }
        sets => {
            let json = serde_json::to_vec(sets).map_err(|e| SessionError::Bug(e.to_string()))?;
            Ok(tx.put_local(BEGUN, &json)?)
        }
    }
}

/// Says in the vault's folder which cards there are.
pub(super) fn put_set(places: &Places, kept: &KeptSet) -> Result<()> {
    replace(&places.recovery_set(), &kept.to_json()?).map_err(io_error("could not write down the set of cards"))
}

fn agency_of(places: &Places) -> Option<AgencyId> {
    let file = fs::read(places.keystore()).ok()?;
    keystore::peek(&file).ok().map(|header| header.agency)
}

/// Reads cards from their words.
///
/// # Errors
/// [`SessionError::Card`], with the word where one is wrong.
pub(super) fn read_cards(cards: &[CardInput]) -> Result<Vec<RecoveryCard>> {
    cards
        .iter()
        .map(|card| {
            words::decode(&card.words).map_err(|error| SessionError::Card {
                card: card.name.clone(),
                why: error.to_string(),
                check: error.check(),
            })
        })
        .collect()
}

/// Rebuilds the recovery key.
///
/// # Errors
/// [`SessionError::Card`].
pub(super) fn combine(agency: AgencyId, cards: &[CardInput]) -> Result<RecoverySeeds> {
    let read = read_cards(cards)?;
    recovery::combine(agency, &read).map_err(|fault| {
        let set = recovery::compare(&read, None);
        let missing = fault.check == Check::CardsMissing;
        match set {
            Ok(set) if missing => SessionError::Card {
                card: "the cards".to_owned(),
                why: format!("{} of the {} that are needed are here", read.len(), set.threshold),
                check: fault.check,
            },
            _ => card_error(&fault, cards),
        }
    })
}

/// Names the card, or the two.
pub(super) fn card_error(fault: &CardFault, cards: &[CardInput]) -> SessionError {
    let name = |at: Option<usize>| at.and_then(|at| cards.get(at)).map(|card| card.name.clone());
    let why = match name(fault.other) {
        Some(other) if fault.check == Check::CardRepeated => format!("it is the same card as {other}"),
        Some(other) if fault.check == Check::CardSet => format!("it is not of the same set as {other}"),
        _ => fault.check.cause().to_owned(),
    };
    SessionError::Card {
        card: name(fault.card).unwrap_or_else(|| "the cards".to_owned()),
        why,
        check: fault.check,
    }
}
