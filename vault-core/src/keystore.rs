//! The keystore: a device's and its member's secrets under a passphrase (`docs/format.md` §10).
//!
//! Nothing that a passphrase alone opens is ever on a server, and no parameter of it comes from one.

use crate::agency_state::AgencyState;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::aead::Sealer;
use crate::crypto::pad;
use crate::crypto::passphrase;
use crate::crypto::passphrase::Cost;
use crate::crypto::sign::SigningKey;
use crate::id::AgencyId;
use crate::id::DeviceId;
use crate::id::MemberId;
use crate::keyring;
use crate::secret::RecipientSeed;
use crate::secret::RecoverySeed;
use crate::secret::SealSecret;
use crate::secret::SigningSeed;
use crate::secret::StoreKey;
use crate::secret::UnlockKey;
use crate::wire;
use crate::wire::v1::FORMAT;
use crate::wire::v1::key::RecipientKind;
use crate::wire::v1::key::RecipientRef;
use crate::wire::v1::keystore::KdfAlgorithm;
use crate::wire::v1::keystore::KeystoreFile;
use crate::wire::v1::keystore::KeystoreHeader;
use crate::wire::v1::limit;
use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde::Serialize;
use zeroize::Zeroize;
use zeroize::ZeroizeOnDrop;
use zeroize::Zeroizing;

/// What a keystore holds.
#[derive(Debug)]
pub struct Secrets {
    /// Signs records and links.
    pub device: SigningSeed,
    /// The device's share in every record key.
    pub seal_secret: SealSecret,
    /// Keys all local state.
    pub store_key: StoreKey,
    /// Certifies devices.
    pub identity: SigningSeed,
    /// The member's recipient versions, oldest first.
    pub recipients: Vec<(u32, RecipientSeed)>,
    /// Epochs of the data-protection role key, oldest first; empty for who is no officer.
    pub dpo: Vec<(u32, RecipientSeed)>,
    /// The recovery key, until cards are made of it.
    pub recovery: Option<RecoverySeeds>,
}

/// Both private halves of the recovery key.
#[derive(Debug)]
pub struct RecoverySeeds {
    /// Its version.
    pub version: u32,
    /// Opens what is wrapped to recovery.
    pub recipient: RecipientSeed,
    /// Signs recovery events.
    pub signing: SigningSeed,
    /// What both were derived from; absent where they were made apart.
    pub seed: Option<RecoverySeed>,
}

/// An unlock key with the parameters that gave it; writes the keystore again without asking for the passphrase.
#[derive(Debug)]
pub struct Unlocked {
    /// The key.
    key: UnlockKey,
    /// The header that it belongs to.
    header: KeystoreHeader,
}

impl Unlocked {
    /// Returns the header.
    pub fn header(&self) -> &KeystoreHeader {
        &self.header
    }

    /// Returns the key, for what else is sealed under the same passphrase.
    pub(crate) fn key(&self) -> &UnlockKey {
        &self.key
    }

    /// Returns a second owner of the same key and parameters.
    pub fn duplicate(&self) -> Self {
        Self {
            key: self.key.duplicate(),
            header: self.header,
        }
    }

    /// Goes on counting from `generation`, for a keystore that takes the place of another.
    ///
    /// # Errors
    /// [`Check::Keystore`] after 2^64 writings.
    pub fn after(mut self, generation: u64) -> Result<Self, Refused> {
        require(generation < u64::MAX, Check::Keystore)?;
        self.header.generation = generation;
        Ok(self)
    }
}

/// Makes a new keystore's unlock key. `salt` is 32 fresh random bytes.
///
/// # Errors
/// [`Check::KdfBounds`].
pub fn create(
    agency: AgencyId,
    member: MemberId,
    device: DeviceId,
    phrase: &str,
    cost: Cost,
    salt: [u8; 32],
) -> Result<Unlocked, Refused> {
    let key = passphrase::unlock_key(&passphrase::normalized(phrase), &salt, &cost)?;
    let header = KeystoreHeader {
        format: FORMAT,
        agency,
        member,
        device,
        kdf: KdfAlgorithm::Argon2id,
        cost,
        salt,
        generation: 0,
        fresh: [0; 32],
    };
    Ok(Unlocked { key, header })
}

/// Reads a keystore's clear part, which names agency, member and device.
///
/// # Errors
/// [`Check::TooLong`], [`Check::NotCanonical`], [`Check::UnknownFormat`], [`Check::KdfBounds`].
pub fn peek(file: &[u8]) -> Result<KeystoreHeader, Refused> {
    Ok(read(file)?.header)
}

/// Opens a keystore.
///
/// # Errors
/// As [`peek`], and [`Check::Keystore`] alike for a wrong passphrase and for changed bytes.
pub fn unlock(file: &[u8], phrase: &str) -> Result<(Unlocked, Secrets), Refused> {
    let store = read(file)?;
    let unlocked = unlocked_by(&store, phrase)?;
    let secrets = open(&store, &unlocked.key)?;
    Ok((unlocked, secrets))
}

fn unlocked_by(store: &KeystoreFile, phrase: &str) -> Result<Unlocked, Refused> {
    let header = store.header;
    let key = passphrase::unlock_key(&passphrase::normalized(phrase), &header.salt, &header.cost)?;
    Ok(Unlocked { key, header })
}

/// Opens a file that is sealed as a keystore is, under a label of its own; returns the JSON in it.
pub(crate) fn unlock_other(label: Label, file: &[u8], phrase: &str) -> Result<(Unlocked, Zeroizing<Vec<u8>>), Refused> {
    let store = read(file)?;
    let unlocked = unlocked_by(&store, phrase)?;
    let json = open_json(label, &store, &unlocked.key)?;
    Ok((unlocked, json))
}

/// Opens a keystore's bytes with the key that opened them before, without a passphrase.
///
/// # Errors
/// As [`unlock`]; [`Check::Keystore`] also if the passphrase was changed since.
pub fn reopen(file: &[u8], unlocked: &Unlocked) -> Result<Secrets, Refused> {
    open(&read(file)?, &unlocked.key)
}

fn open(store: &KeystoreFile, key: &UnlockKey) -> Result<Secrets, Refused> {
    let json = open_json(Label::KeystoreSeal, store, key)?;
    let stored: Stored = serde_json::from_slice(&json).map_err(|_| Check::Keystore)?;
    stored.secrets().ok_or(Check::Keystore.into())
}

fn open_json(label: Label, store: &KeystoreFile, key: &UnlockKey) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let header_bytes = wire::encode(&store.header)?;
    let sealer = Sealer::derive(label, key.expose(), &[&header_bytes]);
    let text = sealer
        .require_commitment(&store.commitment)
        .and_then(|()| sealer.open(&header_bytes, &store.sealed))
        .map_err(|_| Check::Keystore)?;
    let json = pad::unpad(&text).map_err(|_| Check::Keystore)?;
    Ok(Zeroizing::new(json.to_vec()))
}

/// Refuses secrets whose public halves, computed, are not those that the agency's stream shows for their owner.
///
/// # Errors
/// [`Check::OwnKeys`].
///
/// # Security
/// Signing or reading on with a key that others do not know as ours would be lost work at best; a keystore of another
/// agency, or one put together from two, ends here.
pub fn require_own_keys(agency: &AgencyState, header: &KeystoreHeader, secrets: &Secrets) -> Result<(), Refused> {
    let check = Check::OwnKeys;
    require(header.agency == agency.id(), check)?;
    let device = agency.devices().get(&header.device).ok_or(check)?;
    let member = agency.members().get(&header.member).ok_or(check)?;
    let signs = device.key.public() == SigningKey::from_seed(&secrets.device).public();
    require(device.member == header.member && signs, check)?;
    require(
        member.identity == SigningKey::from_seed(&secrets.identity).public(),
        check,
    )?;
    let is = |to: RecipientKind, version: &u32, seed: &RecipientSeed| {
        let id = if to == RecipientKind::Member {
            header.member
        } else {
            MemberId([0; 16])
        };
        let named = RecipientRef {
            kind: to,
            id,
            version: *version,
        };
        agency.recipient_key(&named) == Some(&keyring::recipient_key(seed))
    };
    let opens = secrets.recipients.iter().all(|(v, s)| is(RecipientKind::Member, v, s));
    let newest = secrets.recipients.iter().map(|(v, _)| *v).max() == member.recipient().map(|r| r.version);
    require(opens && newest, check)?;
    require(secrets.dpo.iter().all(|(v, s)| is(RecipientKind::Dpo, v, s)), check)?;
    let Some(recovery) = &secrets.recovery else {
        return Ok(());
    };
    let signing = SigningKey::from_seed(&recovery.signing).public();
    let known = agency
        .every_root()
        .any(|r| r.recovery.version == recovery.version && r.recovery.signing == signing);
    require(
        known && is(RecipientKind::Recovery, &recovery.version, &recovery.recipient),
        check,
    )
}

/// Writes a keystore's bytes under the same passphrase, as its next generation. `fresh` is 32 fresh random bytes.
///
/// # Errors
/// [`Check::TooLong`].
pub fn write(unlocked: &mut Unlocked, secrets: &Secrets, fresh: [u8; 32]) -> Result<Vec<u8>, Refused> {
    let json = Zeroizing::new(serde_json::to_vec(&Stored::of(secrets)).map_err(|_| Check::TooLong)?);
    write_other(Label::KeystoreSeal, unlocked, &json, fresh)
}

/// Writes JSON sealed as a keystore is, under a label of its own.
pub(crate) fn write_other(
    label: Label,
    unlocked: &mut Unlocked,
    json: &[u8],
    fresh: [u8; 32],
) -> Result<Vec<u8>, Refused> {
    unlocked.header.generation += 1;
    unlocked.header.fresh = fresh;
    let header_bytes = wire::encode(&unlocked.header)?;
    let sealer = Sealer::derive(label, unlocked.key.expose(), &[&header_bytes]);
    let mut text = pad::pad(json);
    sealer.seal(&header_bytes, &mut text)?;
    let sealed = std::mem::take(&mut *text);
    wire::encode(&KeystoreFile {
        header: unlocked.header,
        commitment: sealer.commitment(),
        sealed,
    })
}

fn read(file: &[u8]) -> Result<KeystoreFile, Refused> {
    let store: KeystoreFile = wire::decode(file, limit::KEYSTORE)?;
    require(store.header.format == FORMAT, Check::UnknownFormat)?;
    store.header.cost.require_within_bounds()?;
    Ok(store)
}

/// The JSON inside the seal: hex, so that it can be read with a text editor in 2100.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Stored {
    schema: String,
    device: String,
    seal_secret: String,
    store_key: String,
    identity: String,
    recipients: Vec<StoredSeed>,
    dpo: Vec<StoredSeed>,
    recovery: Option<StoredRecovery>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredSeed {
    version: u32,
    seed: String,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredRecovery {
    version: u32,
    recipient: String,
    signing: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    seed: Option<String>,
}

const SCHEMA: &str = "casevault.keystore/1";

impl StoredRecovery {
    fn seeds(&self) -> Option<RecoverySeeds> {
        let apart = RecoverySeeds {
            version: self.version,
            recipient: RecipientSeed::from_bytes(unhex(&self.recipient)?),
            signing: SigningSeed::from_bytes(unhex(&self.signing)?),
            seed: None,
        };
        let Some(seed) = &self.seed else {
            return Some(apart);
        };
        let derived = RecoverySeeds::from_seed(self.version, RecoverySeed::from_bytes(unhex(seed)?));
        // A seed beside other halves than its own would make cards that open nothing.
        let own = derived.recipient == apart.recipient && derived.signing == apart.signing;
        own.then_some(derived)
    }
}

impl Stored {
    fn of(secrets: &Secrets) -> Self {
        let seeds = |list: &[(u32, RecipientSeed)]| {
            list.iter()
                .map(|(v, s)| StoredSeed {
                    version: *v,
                    seed: hex(s.expose()),
                })
                .collect()
        };
        Self {
            schema: SCHEMA.to_owned(),
            device: hex(secrets.device.expose()),
            seal_secret: hex(secrets.seal_secret.expose()),
            store_key: hex(secrets.store_key.expose()),
            identity: hex(secrets.identity.expose()),
            recipients: seeds(&secrets.recipients),
            dpo: seeds(&secrets.dpo),
            recovery: secrets.recovery.as_ref().map(|r| StoredRecovery {
                version: r.version,
                recipient: hex(r.recipient.expose()),
                signing: hex(r.signing.expose()),
                seed: r.seed.as_ref().map(|seed| hex(seed.expose())),
            }),
        }
    }

    fn secrets(&self) -> Option<Secrets> {
        let seeds = |list: &[StoredSeed]| {
            list.iter()
                .map(|s| Some((s.version, RecipientSeed::from_bytes(unhex(&s.seed)?))))
                .collect::<Option<Vec<_>>>()
        };
        if self.schema != SCHEMA {
            return None;
        }
        let recovery = match &self.recovery {
            None => None,
            Some(stored) => Some(stored.seeds()?),
        };
        Some(Secrets {
            device: SigningSeed::from_bytes(unhex(&self.device)?),
            seal_secret: SealSecret::from_bytes(unhex(&self.seal_secret)?),
            store_key: StoreKey::from_bytes(unhex(&self.store_key)?),
            identity: SigningSeed::from_bytes(unhex(&self.identity)?),
            recipients: seeds(&self.recipients)?,
            dpo: seeds(&self.dpo)?,
            recovery,
        })
    }
}

pub(crate) fn hex(bytes: &[u8; 32]) -> String {
    HEXLOWER.encode(bytes)
}

pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    let bytes = Zeroizing::new(HEXLOWER.decode(text.as_bytes()).ok()?);
    <[u8; 32]>::try_from(bytes.as_slice()).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 4,
    };

    fn secrets() -> Secrets {
        Secrets {
            device: SigningSeed::from_bytes([1; 32]),
            seal_secret: SealSecret::from_bytes([2; 32]),
            store_key: StoreKey::from_bytes([3; 32]),
            identity: SigningSeed::from_bytes([4; 32]),
            recipients: vec![(1, RecipientSeed::from_bytes([5; 32]))],
            dpo: vec![(0, RecipientSeed::from_bytes([6; 32]))],
            recovery: Some(RecoverySeeds {
                version: 1,
                recipient: RecipientSeed::from_bytes([7; 32]),
                signing: SigningSeed::from_bytes([8; 32]),
                seed: None,
            }),
        }
    }

    fn written() -> Vec<u8> {
        let mut unlocked = create(
            AgencyId([1; 32]),
            MemberId([2; 16]),
            DeviceId([3; 16]),
            "pass",
            CHEAP,
            [4; 32],
        )
        .unwrap();
        write(&mut unlocked, &secrets(), [5; 32]).unwrap()
    }

    #[test]
    fn a_keystore_round_trips_and_counts_its_writings() {
        let (mut unlocked, back) = unlock(&written(), "pass").unwrap();
        assert_eq!(unlocked.header().generation, 1);
        assert!(
            back.device == secrets().device
                && back.recovery.as_ref().unwrap().signing == secrets().recovery.unwrap().signing
        );
        let again = write(&mut unlocked, &back, [6; 32]).unwrap();
        assert_eq!(unlock(&again, "pass").unwrap().0.header().generation, 2);
    }

    #[test]
    fn chk_96_a_wrong_passphrase_and_a_changed_byte_give_one_error() {
        let file = written();
        assert_eq!(unlock(&file, "Pass").unwrap_err().check, Check::Keystore);
        let mut changed = file.clone();
        let last = changed.len() - 1;
        changed[last] ^= 1;
        assert_eq!(unlock(&changed, "pass").unwrap_err().check, Check::Keystore);
    }

    #[test]
    fn attack_39_every_flipped_byte_of_the_sealed_part_fails_as_a_wrong_passphrase_does() {
        let file = written();
        let wrong = unlock(&file, "Pass").unwrap_err().to_string();
        let (unlocked, _) = unlock(&file, "pass").unwrap();
        let store: KeystoreFile = wire::decode(&file, limit::KEYSTORE).unwrap();
        let mut told = std::collections::BTreeSet::from([wrong]);
        for at in 0..store.sealed.len() {
            let mut flipped = store.clone();
            flipped.sealed[at] ^= 1;
            told.insert(open(&flipped, &unlocked.key).unwrap_err().to_string());
        }
        for at in 0..32 {
            let mut flipped = store.clone();
            flipped.commitment[at] ^= 1;
            told.insert(open(&flipped, &unlocked.key).unwrap_err().to_string());
        }
        for length in [0, 1, 16, store.sealed.len() - 1] {
            let mut cut = store.clone();
            cut.sealed.truncate(length);
            told.insert(open(&cut, &unlocked.key).unwrap_err().to_string());
        }
        // The clear part is under the same seal: whose it is, and how old.
        let edits: [fn(&mut KeystoreHeader); 5] = [
            |h| h.agency.0[0] ^= 1,
            |h| h.member.0[0] ^= 1,
            |h| h.device.0[0] ^= 1,
            |h| h.generation += 1,
            |h| h.fresh[0] ^= 1,
        ];
        for edit in edits {
            let mut edited = store.clone();
            edit(&mut edited.header);
            told.insert(open(&edited, &unlocked.key).unwrap_err().to_string());
        }
        assert_eq!(
            told.into_iter().collect::<Vec<_>>(),
            ["keystore does not open (CHK-96)"]
        );
        assert!(open(&store, &unlocked.key).is_ok());
    }

    #[test]
    fn attack_16_no_public_half_is_in_a_keystore_to_be_tampered_with() {
        let json = serde_json::to_string(&Stored::of(&secrets())).unwrap();
        let seeds = secrets();
        let public = [
            SigningKey::from_seed(&seeds.device).public().0,
            SigningKey::from_seed(&seeds.identity).public().0,
        ];
        for key in public {
            assert!(!json.contains(&hex(&key)));
        }
        let recipient = keyring::recipient_key(&seeds.recipients[0].1);
        assert!(!json.contains(&HEXLOWER.encode(&recipient.0[..32])));
    }

    #[test]
    fn attack_33_a_cost_outside_the_bounds_is_refused_before_it_is_paid() {
        let mut file: KeystoreFile = wire::decode(&written(), limit::KEYSTORE).unwrap();
        file.header.cost.memory_kib = u32::MAX;
        assert_eq!(
            unlock(&wire::encode(&file).unwrap(), "pass").unwrap_err().check,
            Check::KdfBounds
        );
        file.header.cost.memory_kib = 8;
        assert_eq!(peek(&wire::encode(&file).unwrap()).unwrap_err().check, Check::KdfBounds);
    }
}
