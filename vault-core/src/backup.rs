//! A backup: one file that holds a store and what reads it, sealed to the passphrase and to recovery
//! (`docs/format.md` §16).
//!
//! ```text
//! passphrase ─ Argon2id ─> U ─ opens ─> seed B ──┐
//!                                                ├─> age file ─> index ─> secrets, vault.db, attachments/…
//! cards ─> recovery key ─────────────────────────┘
//! ```
//!
//! There is no device key and no ratchet state in it. Its head is clear and bound from both sides: the seal of B has it
//! as associated data, and the index holds its hash, so that no head of one backup opens the content of another.
//!
//! # Security
//! age authenticates no sender: whoever knows the recovery recipient can make a file that recovery opens. What is in it
//! counts only if its keys are those of the agency's stream ([`crate::keystore::require_own_keys`]), and that stream's
//! agency is the one on the cards.

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::aead::Sealer;
use crate::crypto::hash::hash;
use crate::crypto::passphrase;
use crate::id::DeviceId;
use crate::keystore::RecoverySeeds;
use crate::keystore::Unlocked;
use crate::secret::BackupSeed;
use crate::secret::RecipientSeed;
use crate::secret::SigningSeed;
use crate::secret::StoreKey;
use crate::wire;
use crate::wire::v1::FORMAT;
use crate::wire::v1::agency::RecoveryKeys;
use crate::wire::v1::backup::BackupEntry;
use crate::wire::v1::backup::BackupHead;
use crate::wire::v1::backup::BackupHeader;
use crate::wire::v1::backup::BackupIndex;
use crate::wire::v1::backup::MAGIC;
use crate::wire::v1::limit;
use crate::wrap;
use crate::wrap::HybridIdentity;
use crate::wrap::HybridRecipient;
use crate::wrap::Opened;
use crate::wrap::Sealing;
use crate::wrap::Whole;
use crate::wrap::WrapError;
use data_encoding::HEXLOWER;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;
use std::io;
use std::io::BufRead;
use std::io::Write;
use zeroize::Zeroize;
use zeroize::ZeroizeOnDrop;
use zeroize::Zeroizing;

/// Bytes of a head: all of it is of fixed size.
pub const HEAD_BYTES: usize = 8 + 2 + 32 + 16 + 16 + 4 + 8 + 1 + 12 + 32 + 32 + 32 + 48;

/// Name of the secrets in a backup.
pub const SECRETS: &str = "secrets";
/// Name of the store in a backup.
pub const STORE: &str = "vault.db";
/// What the names of attachments begin with.
pub const ATTACHMENTS: &str = "attachments/";

/// Most bytes of a name.
const LONGEST_NAME: usize = 255;
/// Most parts of a name.
const DEEPEST_NAME: usize = 4;

/// The secrets that a backup holds: what reads the store, and certifies a new device.
#[derive(Debug)]
pub struct BackupSecrets {
    /// When it was made, RFC 3339 in UTC.
    pub made_at: String,
    /// Certifies devices.
    pub identity: SigningSeed,
    /// The member's recipient versions, oldest first.
    pub recipients: Vec<(u32, RecipientSeed)>,
    /// Epochs of the data-protection role key, oldest first.
    pub dpo: Vec<(u32, RecipientSeed)>,
    /// Keys the local state of the store.
    pub store_key: StoreKey,
    /// Whether the recovery key waited in the keystore: it is not in a backup, so a restore makes a new one.
    pub recovery_waits: bool,
}

/// The JSON `casevault.backup/1`.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Stored {
    schema: String,
    made_at: String,
    identity: String,
    recipients: Vec<StoredSeed>,
    dpo: Vec<StoredSeed>,
    store_key: String,
    recovery_waits: bool,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredSeed {
    version: u32,
    seed: String,
}

const SCHEMA: &str = "casevault.backup/1";

impl BackupSecrets {
    /// Writes the secrets.
    ///
    /// # Errors
    /// [`Check::TooLong`].
    pub fn to_json(&self) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let seeds = |list: &[(u32, RecipientSeed)]| {
            list.iter()
                .map(|(version, seed)| StoredSeed {
                    version: *version,
                    seed: HEXLOWER.encode(seed.expose()),
                })
                .collect()
        };
        let stored = Stored {
            schema: SCHEMA.to_owned(),
            made_at: self.made_at.clone(),
            identity: HEXLOWER.encode(self.identity.expose()),
            recipients: seeds(&self.recipients),
            dpo: seeds(&self.dpo),
            store_key: HEXLOWER.encode(self.store_key.expose()),
            recovery_waits: self.recovery_waits,
        };
        let json = Zeroizing::new(serde_json::to_vec(&stored).map_err(|_| Check::TooLong)?);
        require(json.len() <= limit::BACKUP_SECRETS, Check::TooLong)?;
        Ok(json)
    }

    /// Reads the secrets.
    ///
    /// # Errors
    /// [`Check::BackupContent`].
    pub fn from_json(json: &[u8]) -> Result<Self, Refused> {
        let check = Check::BackupContent;
        let stored: Stored = serde_json::from_slice(json).map_err(|_| check)?;
        require(stored.schema == SCHEMA, check)?;
        let seeds = |list: &[StoredSeed]| {
            list.iter()
                .map(|s| Ok((s.version, RecipientSeed::from_bytes(unhex(&s.seed)?))))
                .collect::<Result<Vec<_>, Refused>>()
        };
        Ok(Self {
            made_at: stored.made_at.clone(),
            identity: SigningSeed::from_bytes(unhex(&stored.identity)?),
            recipients: seeds(&stored.recipients)?,
            dpo: seeds(&stored.dpo)?,
            store_key: StoreKey::from_bytes(unhex(&stored.store_key)?),
            recovery_waits: stored.recovery_waits,
        })
    }
}

fn unhex(text: &str) -> Result<[u8; 32], Refused> {
    let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| Check::BackupContent)?;
    let bytes = Zeroizing::new(bytes);
    <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| Check::BackupContent.into())
}

/// Lists what a backup is to hold.
///
/// # Errors
/// [`Check::BackupContent`] for names that are none, or out of order; [`Check::TooLong`].
pub fn index(entries: Vec<BackupEntry>) -> Result<BackupIndex, Refused> {
    require_entries(&entries)?;
    let index = BackupIndex {
        format: FORMAT,
        head: [0; 32],
        entries,
    };
    require(wire::encode(&index)?.len() <= limit::BACKUP_INDEX, Check::TooLong)?;
    Ok(index)
}

/// The secrets first, then the store, then attachments in the order of their names; no name that leads elsewhere.
fn require_entries(entries: &[BackupEntry]) -> Result<(), Refused> {
    let check = Check::BackupContent;
    let mut names = entries.iter().map(|entry| entry.name.as_slice());
    require(names.next() == Some(SECRETS.as_bytes()), check)?;
    require(names.next() == Some(STORE.as_bytes()), check)?;
    let secrets = entries
        .first()
        .is_some_and(|e| e.length <= limit::BACKUP_SECRETS as u64);
    require(secrets, check)?;
    let mut last: &[u8] = b"";
    for name in names {
        require(last < name && is_attachment(name), check)?;
        last = name;
    }
    Ok(())
}

/// Tells whether a name is a path below `attachments/` of plain parts.
pub fn is_attachment(name: &[u8]) -> bool {
    let Some(path) = name.strip_prefix(ATTACHMENTS.as_bytes()) else {
        return false;
    };
    let mut parts = path.split(|byte| *byte == b'/');
    let plain = |part: &[u8]| {
        let letters = part.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b));
        !part.is_empty() && part.first() != Some(&b'.') && letters
    };
    name.len() <= LONGEST_NAME && parts.clone().count() < DEEPEST_NAME && parts.all(plain)
}

/// Begins a backup on `out`: writes head and index; what the index lists follows, in its order, and then
/// [`Sealing::finish`].
///
/// It is sealed under the unlock key at hand, with salt and cost of the keystore that gave it.
///
/// # Errors
/// [`Check::TooLong`]; [`Check::AgeLimits`] where `out` fails.
pub fn begin<W: Write>(
    unlocked: &Unlocked,
    recovery: &RecoveryKeys,
    mut index: BackupIndex,
    mut out: W,
    random: &mut dyn CryptoRng,
) -> Result<Sealing<W>, Refused> {
    let keystore = unlocked.header();
    let index_bytes = wire::encode(&index)?.len();
    let length = index.entries.iter().try_fold(0u64, |sum, e| sum.checked_add(e.length));
    let content = length.and_then(|sum| sum.checked_add(4)?.checked_add(u64::try_from(index_bytes).ok()?));
    let header = BackupHeader {
        magic: MAGIC,
        format: FORMAT,
        agency: keystore.agency,
        member: keystore.member,
        device: keystore.device,
        recovery: recovery.version,
        content: content.ok_or(Check::TooLong)?,
        kdf: keystore.kdf,
        cost: keystore.cost,
        salt: keystore.salt,
        fresh: crate::opening::fresh(random),
    };
    let seed = BackupSeed::from_bytes(crate::opening::fresh(random));
    let header_bytes = wire::encode(&header)?;
    let sealer = Sealer::derive(Label::BackupSeal, unlocked.key().expose(), &[&header_bytes]);
    let mut sealed = Zeroizing::new(Vec::with_capacity(48));
    sealed.extend_from_slice(seed.expose());
    sealer.seal(&header_bytes, &mut sealed)?;
    let head = wire::encode(&BackupHead {
        header,
        commitment: sealer.commitment(),
        sealed: crate::crypto::aead::part(&sealed, 0),
    })?;
    index.head = hash(Label::BackupHead, &[&head]);
    let own = identity(&seed).recipient();
    let recovery = HybridRecipient::from_bytes(&recovery.recipient.0).map_err(|_| Check::AgeLimits)?;
    let written = out.write_all(&head);
    written.map_err(|_| Check::AgeLimits)?;
    let mut sealing = wrap::seal_stream(&[&own, &recovery], out, random).map_err(|_| Check::AgeLimits)?;
    let index = wire::encode(&index)?;
    let length = u32::try_from(index.len()).map_err(|_| Check::TooLong)?;
    let written = sealing
        .write_all(&length.to_be_bytes())
        .and_then(|()| sealing.write_all(&index));
    written.map_err(|_| Check::AgeLimits)?;
    Ok(sealing)
}

/// Reads a backup's head, whose parameters are within their bounds.
///
/// # Errors
/// [`Check::BackupTruncated`] for too few bytes, [`Check::NotCanonical`] for what is no backup,
/// [`Check::UnknownFormat`], [`Check::KdfBounds`].
pub fn read_head(bytes: &[u8]) -> Result<BackupHead, Refused> {
    let magic = bytes.iter().zip(MAGIC).all(|(a, b)| *a == b);
    require(magic, Check::NotCanonical)?;
    require(bytes.len() >= HEAD_BYTES, Check::BackupTruncated)?;
    let head: BackupHead = wire::decode(bytes, limit::BACKUP_HEAD)?;
    require(head.header.format == FORMAT, Check::UnknownFormat)?;
    head.header.cost.require_within_bounds()?;
    Ok(head)
}

/// What opens a backup.
#[derive(Debug)]
pub struct Opener(HybridIdentity);

/// Opens the head with a passphrase.
///
/// # Errors
/// [`Check::BackupHead`] alike for a wrong passphrase and for changed bytes; [`Check::KdfBounds`].
pub fn with_passphrase(head: &BackupHead, phrase: &str) -> Result<Opener, Refused> {
    let header = &head.header;
    let key = passphrase::unlock_key(&passphrase::normalized(phrase), &header.salt, &header.cost)?;
    let header_bytes = wire::encode(header)?;
    let sealer = Sealer::derive(Label::BackupSeal, key.expose(), &[&header_bytes]);
    let seed = sealer
        .require_commitment(&head.commitment)
        .and_then(|()| sealer.open(&header_bytes, &head.sealed))
        .map_err(|_| Check::BackupHead)?;
    let seed = <[u8; 32]>::try_from(seed.as_slice()).map_err(|_| Check::BackupHead)?;
    Ok(Opener(identity(&BackupSeed::from_bytes(seed))))
}

/// Opens with the recovery key, which has to be the version that the backup is sealed to.
///
/// # Errors
/// [`Check::CardStale`] for another version.
pub fn with_recovery(head: &BackupHead, key: &RecoverySeeds) -> Result<Opener, Refused> {
    require(key.version == head.header.recovery, Check::CardStale)?;
    Ok(Opener(HybridIdentity::from_seed(key.recipient.duplicate())))
}

/// The content of a backup while it is read.
pub struct Content<R: BufRead> {
    from: Opened<Whole<R>>,
    left: u64,
    whole: u64,
}

impl<R: BufRead> io::Read for Content<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(out)?;
        self.left = self.left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

impl<R: BufRead> Content<R> {
    /// Returns the bytes of content that are still to come.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Returns the bytes that the whole backup has.
    pub fn whole(&self) -> u64 {
        self.whole
    }

    /// Checks that nothing is left, which also reads the last chunk's mark.
    ///
    /// # Errors
    /// [`Check::BackupContent`].
    pub fn finish(mut self) -> Result<(), Refused> {
        let mut more = [0; 1];
        let end = io::Read::read(&mut self.from, &mut more);
        require(end.is_ok_and(|read| read == 0) && self.left == 0, Check::BackupContent)
    }
}

/// Opens what follows the head; returns the list of what comes, and the reader of it.
///
/// # Errors
/// [`Check::BackupHead`] where the key does not fit, [`Check::BackupContent`] where the bytes were changed or belong to
/// another head. A source that ended too early is the caller's to tell: it knows how many bytes there were.
pub fn open<R: BufRead>(head: &BackupHead, opener: &Opener, from: R) -> Result<(BackupIndex, Content<R>), Refused> {
    let (mut opened, header) = wrap::open_stream(&[&opener.0], from).map_err(|error| match error {
        WrapError::NoMatch => Check::BackupHead,
        _ => Check::BackupContent,
    })?;
    let check = |_| Check::BackupContent;
    let mut length = [0; 4];
    io::Read::read_exact(&mut opened, &mut length).map_err(check)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| Check::TooLong)?;
    require(length <= limit::BACKUP_INDEX, Check::TooLong)?;
    // Grown as it is read, so that a length which lies allocates nothing.
    let mut bytes = Vec::new();
    let most = u64::try_from(length).map_err(|_| Check::TooLong)?;
    io::Read::read_to_end(&mut io::Read::take(&mut opened, most), &mut bytes).map_err(check)?;
    let index: BackupIndex = wire::decode(&bytes, limit::BACKUP_INDEX).map_err(|_| Check::BackupContent)?;
    require(index.format == FORMAT, Check::UnknownFormat)?;
    let own = index.head == hash(Label::BackupHead, &[&wire::encode(head)?]);
    require(own, Check::BackupContent)?;
    require_entries(&index.entries)?;
    let listed = index.entries.iter().try_fold(0u64, |sum, e| sum.checked_add(e.length));
    let left = listed.ok_or(Check::BackupContent)?;
    let before = u64::try_from(bytes.len())
        .map_err(|_| Check::TooLong)?
        .saturating_add(4);
    require(
        left.checked_add(before) == Some(head.header.content),
        Check::BackupContent,
    )?;
    let whole = least_bytes(head).saturating_add(header);
    let from = opened;
    Ok((index, Content { from, left, whole }))
}

/// Computes the bytes of a backup without its age header: one with fewer is cut short, whatever else.
pub fn least_bytes(head: &BackupHead) -> u64 {
    u64::try_from(HEAD_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(wrap::sealed_size(head.header.content))
}

/// Returns the device whose keys are not in the backup.
pub fn made_by(head: &BackupHead) -> DeviceId {
    head.header.device
}

fn identity(seed: &BackupSeed) -> HybridIdentity {
    HybridIdentity::from_seed(RecipientSeed::from_bytes(*seed.expose()))
}
