//! Cards of the recovery key: made, proved, and compared.
//!
//! [`renewing`] makes another key in its place.
//!
//! ```text
//! cards: key ─ split ─> words ─ command writes files ─ reads them back ─> confirm: every subset combines to the key
//!                  └─> set is kept as begun: cards that are cut off here are told of by the next who makes some
//!                                                                          └─> key leaves the keystore, set is kept
//! ```

mod renewing;
mod superseded;

use super::Holder;
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
use vault_core::wire::v1::agency::RecoveryKeys;
use vault_core::wire::v1::recovery::RecoveryCard;

/// The local value, and in a file of its own the note for whoever has no passphrase, that says which cards there are.
pub(super) const SET: &str = "recovery-set";
const SCHEMA: &str = "casevault.recovery.set/1";
/// The local value that lists sets of the key that is still here, whose cards may lie somewhere.
pub(super) const BEGUN: &str = "recovery-begun";
/// The local value that says which cards there are of a key that a proposed root names.
pub(super) const NEXT: &str = "recovery-next";

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
    /// The fingerprint, in hex; empty where the key in force was made elsewhere.
    pub(super) set: String,
    /// The set that is good once the root that names its key is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<Box<KeptSet>>,
}

/// A set of cards with the key that they give, by which it is known whether a root names it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct NextSet {
    cards: KeptSet,
    /// The public half that signs, in hex.
    signing: String,
}

impl NextSet {
    fn of(cards: KeptSet, key: &RecoveryKeys) -> Self {
        Self {
            cards,
            signing: HEXLOWER.encode(&key.signing.0),
        }
    }

    fn is_of(&self, key: &RecoveryKeys) -> bool {
        self.cards.version == key.version && self.signing == HEXLOWER.encode(&key.signing.0)
    }

    fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|e| SessionError::Bug(e.to_string()))
    }
}

impl KeptSet {
    /// Says of a key that it was made elsewhere: nothing is known of its cards but what they are not.
    fn elsewhere(version: u32) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            version,
            threshold: 0,
            shares: 0,
            set: String::new(),
            next: None,
        }
    }

    /// Tells how cards stand to what is known: those of now, or those of a root that is proposed; nothing where that is not
    /// known.
    fn judge(&self, found: &Self) -> std::result::Result<Option<bool>, Check> {
        let same = |known: &Self| known.version == found.version && known.set == found.set;
        if same(self) {
            return Ok(Some(true));
        }
        if self.next.as_deref().is_some_and(same) {
            return Ok(Some(false));
        }
        match found.version < self.version {
            true => Err(Check::CardStale),
            false if self.set.is_empty() => Ok(None),
            false => Err(Check::CardSet),
        }
    }

    /// Tells of cards of it that were made.
    fn into_reply(self) -> SplitReply {
        SplitReply {
            schema: RECOVERY_SPLIT,
            set: self.set,
            version: self.version,
            threshold: self.threshold,
            shares: self.shares,
            files: Vec::new(),
            unfinished: Vec::new(),
            proposal: None,
        }
    }

    fn of(set: CardSet) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            version: set.version,
            threshold: set.threshold,
            shares: set.shares,
            set: HEXLOWER.encode(&set.fingerprint),
            next: None,
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
        self.log_cards()?;
        let key = self.holder.secrets.recovery.as_ref();
        let key = key.ok_or_else(|| SessionError::Bug("a recovery key that went".to_owned()))?;
        let (cards, kept) = self.cards_of(key, request.threshold, request.shares)?;
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
        Ok(cards)
    }

    fn log_cards(&mut self) -> Result<()> {
        let purpose = ReadPurpose::default();
        self.log(&Intent {
            operation: AccessOperation::Export,
            case: None,
            records: &[],
            scope: Some("recovery cards"),
            purpose: &purpose,
        })?;
        Ok(())
    }

    /// Shares a key out.
    fn cards_of(&self, key: &RecoverySeeds, threshold: u8, shares: u8) -> Result<(CardsReply, KeptSet)> {
        let agency = self.holder.agency.id();
        let (set, cards) =
            recovery::split(agency, key, threshold, shares, &mut random::os()).map_err(refused("recovery cards"))?;
        let cards = cards.iter().map(|card| {
            let words = words::encode(card).map_err(refused("recovery cards"))?;
            Ok(CardWords {
                number: card.number,
                words: words.to_vec(),
            })
        });
        let kept = KeptSet::of(set);
        let reply = CardsReply {
            agency: agency.text(),
            set: kept.set.clone(),
            version: kept.version,
            threshold: kept.threshold,
            shares: kept.shares,
            cards: cards.collect::<Result<_>>()?,
        };
        Ok((reply, kept))
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
        let (set, _) = self.proved(cards, Some(key))?;
        // Known before the key goes: a process that dies in between has a set that nobody needs yet.
        let kept = KeptSet::of(set);
        let json = kept.to_json()?;
        let others = self.store.write(|tx| -> Result<_> {
            tx.put_local(SET, &json)?;
            let mut others = unfinished(tx)?;
            others.retain(|begun| begun.set != kept.set);
            Ok(others)
        })?;
        self.let_recovery_key_go()?;
        // The key is gone from here and the cards hold it: a note that cannot be written now refuses nothing, and is
        // written by the next unlocking.
        let _ = put_set(&self.places, &kept);
        Ok(SplitReply {
            unfinished: others,
            ..kept.into_reply()
        })
    }

    /// Writes the keystore without the recovery key; where that fails the key is in it as before.
    fn let_recovery_key_go(&mut self) -> Result<()> {
        let secret = self.holder.secrets.recovery.take();
        let written = keystore::write(&mut self.unlocked, &self.holder.secrets, fresh(&mut random::os()))
            .map_err(refused("keystore"))
            .and_then(|file| replace(&self.places.keystore(), &file).map_err(io_error("could not write the keystore")));
        if written.is_err() {
            self.holder.secrets.recovery = secret;
        }
        written
    }

    /// Compares cards with each other and with the set that the vault's folder names; opens nothing.
    ///
    /// # Errors
    /// [`SessionError::Card`].
    pub fn recovery_check(places: &Places, cards: &[CardInput]) -> Result<CheckReply> {
        let read = read_cards(cards)?;
        let set = recovery::compare(&read, agency_of(places)).map_err(|fault| card_error(&fault, cards))?;
        let found = KeptSet::of(set);
        let current = match read_set(places) {
            None => None,
            Some(known) => known.judge(&found).map_err(|check| {
                let fault = CardFault {
                    card: Some(0),
                    other: None,
                    check,
                };
                card_error(&fault, cards)
            })?,
        };
        Ok(CheckReply {
            schema: RECOVERY_CHECK,
            set: found.set,
            version: found.version,
            threshold: found.threshold,
            shares: found.shares,
            numbers: read.iter().map(|card| card.number).collect(),
            enough: read.len() >= usize::from(found.threshold),
            current,
        })
    }

    /// Tells whether the keystore, as it lies on the disk, still holds the recovery key; nothing where it cannot be told.
    pub fn recovery_key_is_kept(&self) -> Option<bool> {
        let file = fs::read(self.places.keystore()).ok()?;
        let secrets = keystore::reopen(&file, &self.unlocked).ok()?;
        Some(secrets.recovery.is_some())
    }

    /// Says in the folder which cards there are, should that have been cut off, or another key have come into force.
    pub(super) fn mend_set(&self) {
        if let Ok(Some(kept)) = self.kept_set()
            && read_set(&self.places).as_ref() != Some(&kept)
        {
            // A disk that takes nothing does not keep anybody from opening the vault.
            let _ = put_set(&self.places, &kept);
        }
    }

    /// Returns the set of the key that is in force, and beside it one that is proposed; nothing where that key waits here, or no
    /// cards of it are known.
    pub(super) fn kept_set(&self) -> Result<Option<KeptSet>> {
        if self.holder.holds_recovery_key() {
            return Ok(None);
        }
        let kept = self.store.read(|tx| Ok::<_, SessionError>(tx.local(SET)?))?;
        let kept = kept.and_then(|json| KeptSet::from_json(&json));
        let next = self.next_set()?;
        let key = &self.holder.agency.root().recovery;
        if let Some(next) = next.as_ref().filter(|next| next.is_of(key)) {
            return Ok(Some(next.cards.clone()));
        }
        let next = next.filter(|next| next.cards.version > key.version);
        let kept = match kept {
            Some(kept) if kept.version < key.version => Some(KeptSet::elsewhere(key.version)),
            // Also where an older key still waits here: no cards are to be made of it any more.
            None if next.is_some() || self.holder.secrets.recovery.is_some() => Some(KeptSet::elsewhere(key.version)),
            kept => kept,
        };
        Ok(kept.map(|kept| KeptSet {
            next: next.map(|next| Box::new(next.cards)),
            ..kept
        }))
    }

    /// Returns the set that was made last of a key that a root was to name.
    fn next_set(&self) -> Result<Option<NextSet>> {
        let next = self.store.read(|tx| Ok::<_, SessionError>(tx.local(NEXT)?))?;
        Ok(next.and_then(|json| serde_json::from_slice(&json).ok()))
    }

    /// Refuses where cards were made.
    fn require_recovery_key(&self) -> Result<()> {
        if self.holder.holds_recovery_key() {
            return Ok(());
        }
        let joined = self
            .store
            .read(|tx| Ok::<_, SessionError>(tx.local(super::join::JOINED)?))?;
        self.mend_set();
        let kept = self.kept_set()?;
        let made_elsewhere = kept.is_some() || joined.is_some() || self.holder.secrets.recovery.is_some();
        match kept.filter(|kept| !kept.set.is_empty()) {
            Some(kept) => Err(SessionError::NoRecoveryKey { set: kept.set }),
            // Of a key before the one in force no cards are made: they would open nothing that is written now.
            None if made_elsewhere => Err(SessionError::Denied {
                why: "the agency's recovery key is with whoever made it, or on its cards".to_owned(),
                hint:
                    "an agency has one recovery key: nothing is to be done here, but where too many cards are lost an \
                       administrator makes a new one with `casevault recovery split --new-key`"
                        .to_owned(),
            }),
            None => Err(SessionError::NoRecoveryKey {
                set: "unknown".to_owned(),
            }),
        }
    }
}

impl Holder {
    /// Tells whether the recovery key that is in force waits in this keystore.
    pub(super) fn holds_recovery_key(&self) -> bool {
        let kept = self.secrets.recovery.as_ref();
        kept.is_some_and(|kept| kept.version == self.agency.root().recovery.version)
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
