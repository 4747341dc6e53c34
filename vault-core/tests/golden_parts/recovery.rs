//! §7 and §15: devices after a loss, recovery cards, a backup's head, an erasure ledger.

use super::DEVICE;
use super::DEVICE_SEED;
use super::IDENTITY_SEED;
use super::MEMBER;
use super::OTHER_DEVICE;
use super::OTHER_DEVICE_SEED;
use super::RECOVERY_SEED;
use super::RECOVERY_SIGNING_SEED;
use super::agency;
use super::hex;
use super::links;
use super::recipient;
use super::sealed;
use super::signer;
use rand_core::TryCryptoRng;
use rand_core::TryRng;
use serde_json::Value;
use serde_json::json;
use std::convert::Infallible;
use vault_core::agency_state::AgencyState;
use vault_core::backup;
use vault_core::context::Label;
use vault_core::crypto::hash;
use vault_core::keystore;
use vault_core::keystore::RecoverySeeds;
use vault_core::keystore::Secrets;
use vault_core::ledger;
use vault_core::recovery;
use vault_core::recovery::words;
use vault_core::restoring;
use vault_core::secret::RecoverySeed;
use vault_core::secret::SealSecret;
use vault_core::secret::SigningSeed;
use vault_core::secret::StoreKey;
use vault_core::wire;
use vault_core::wire::v1::backup::BackupEntry;
use vault_core::wire::v1::ledger::LedgerEntry;
use vault_core::wire::v1::recovery::RecoveryCard;

const SEED: [u8; 32] = [0x0e; 32];

/// Counts: not random at all, so that a vector can be made again.
pub(crate) struct Counting(u8);

impl From<u8> for Counting {
    fn from(begin: u8) -> Self {
        Self(begin)
    }
}

impl TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for byte in out {
            self.0 = self.0.wrapping_mul(5).wrapping_add(7);
            *byte = self.0;
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

fn of_seed() -> RecoverySeeds {
    RecoverySeeds::from_seed(1, RecoverySeed::from_bytes(SEED))
}

/// The recovery key of [`links::first_root`], whose halves were made apart.
fn apart() -> RecoverySeeds {
    RecoverySeeds {
        version: 1,
        recipient: recipient(RECOVERY_SEED),
        signing: SigningSeed::from_bytes(RECOVERY_SIGNING_SEED),
        seed: None,
    }
}

pub(crate) fn cards(key: &RecoverySeeds, threshold: u8, shares: u8) -> Vec<RecoveryCard> {
    recovery::split(agency(), key, threshold, shares, &mut Counting(1))
        .unwrap()
        .1
}

pub(crate) fn first_card() -> RecoveryCard {
    cards(&of_seed(), 2, 3).swap_remove(0)
}

fn told(key: &RecoverySeeds, threshold: u8, shares: u8) -> Value {
    let cards = cards(key, threshold, shares);
    let list: Vec<Value> = cards
        .iter()
        .map(
            |card| json!({ "card": hex(wire::encode(card).unwrap()), "words": words::encode(card).unwrap().join(" ") }),
        )
        .collect();
    json!({
        "seed": key.seed.as_ref().map(|seed| hex(seed.expose())),
        "recipient_seed": hex(key.recipient.expose()),
        "signing_seed": hex(key.signing.expose()),
        "signing": hex(key.public().signing.0),
        "threshold": threshold,
        "shares": shares,
        "set": hex(cards[0].set),
        "cards": list,
    })
}

pub(crate) fn cards_told() -> Value {
    json!({
        "about": "§15: sets of recovery cards, of a seed and of a key whose halves were made apart.",
        "agency": hex(agency().0),
        "sets": [told(&of_seed(), 2, 3), told(&of_seed(), 3, 5), told(&apart(), 2, 2)],
    })
}

pub(crate) fn backup() -> Value {
    let mut unlocked = keystore::unlock(&sealed::keystore_file(), sealed::PASSPHRASE)
        .unwrap()
        .0;
    unlocked = unlocked.duplicate();
    let entry = |name: &str, length: u64| BackupEntry {
        name: name.as_bytes().to_vec(),
        length,
    };
    let entries = vec![entry("secrets", 3), entry("vault.db", 5), entry("attachments/0a", 7)];
    let index = backup::index(entries).unwrap();
    let mut out = Vec::new();
    let begun = backup::begin(
        &unlocked,
        &of_seed().public(),
        index.clone(),
        &mut out,
        &mut Counting(2),
    )
    .unwrap();
    drop(begun);
    let head = &out[..backup::HEAD_BYTES];
    let named = wire::v1::backup::BackupIndex {
        head: hash::hash(Label::BackupHead, &[head]),
        ..index
    };
    json!({
        "about": "§15: the head of a backup under the keystore's passphrase and parameters, and its list of files.",
        "head": hex(head),
        "fresh": hex(&head[head.len() - 112..head.len() - 80]),
        "seed": hex(seed_of(head)),
        "head_hash": hex(named.head),
        "index": hex(wire::encode(&named).unwrap()),
        "entries": [["secrets", 3], ["vault.db", 5], ["attachments/0a", 7]],
    })
}

/// The seed of the backup's own recipient: what is drawn second.
fn seed_of(head: &[u8]) -> [u8; 32] {
    let mut random = Counting(2);
    let mut fresh = [0; 32];
    random.try_fill_bytes(&mut fresh).unwrap();
    assert_eq!(fresh, head[head.len() - 112..head.len() - 80]);
    random.try_fill_bytes(&mut fresh).unwrap();
    fresh
}

pub(crate) fn restoring() -> Value {
    let first = links::founding(links::first_root());
    let mut told = vec![links::told("root, with the founding", &first, DEVICE_SEED)];
    let mut state = AgencyState::found(first.as_unverified()).unwrap();
    let secrets = |device: [u8; 32]| Secrets {
        device: SigningSeed::from_bytes(device),
        seal_secret: SealSecret::from_bytes([0; 32]),
        store_key: StoreKey::from_bytes([0; 32]),
        identity: SigningSeed::from_bytes(IDENTITY_SEED),
        recipients: Vec::new(),
        dpo: Vec::new(),
        recovery: None,
    };
    let third = vault_core::id::DeviceId([0x32; 16]);
    let third_seed = [0x0f; 32];
    let steps = [
        ("restored", OTHER_DEVICE, OTHER_DEVICE_SEED, None),
        ("recovery", third, third_seed, Some(apart())),
    ];
    for (what, device, seed, key) in steps {
        let appended = restoring::enrol(&mut state, MEMBER, device, &secrets(seed), key.as_ref()).unwrap();
        told.push(links::told(what, &appended.links[0], seed));
    }
    json!({
        "about": "§7: the agency's stream from its founding on, with a restore and a recovery run.",
        "devices": [hex(DEVICE.0), hex(OTHER_DEVICE.0), hex(third.0)],
        "links": told,
    })
}

pub(crate) fn ledger_bytes() -> Vec<u8> {
    let case = links::case();
    let erasure = case["links"]
        .as_array()
        .unwrap()
        .iter()
        .find(|link| link["what"].as_str().unwrap().starts_with("erasure"))
        .unwrap();
    let entry = LedgerEntry {
        link: super::unhex(&erasure["link"]),
        signature: vault_core::crypto::sign::Signature(super::unhex(&erasure["signature"]).try_into().unwrap()),
    };
    ledger::write(agency(), DEVICE, &signer(DEVICE_SEED), vec![entry]).unwrap()
}

pub(crate) fn ledger() -> Value {
    json!({
        "about": "§15: an erasure ledger with the erasure of `case_links`.",
        "device": hex(DEVICE.0),
        "signer_seed": hex(DEVICE_SEED),
        "file": hex(ledger_bytes()),
    })
}
