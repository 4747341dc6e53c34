//! Keyrings: epoch keys on their way to a recipient, in one age file each (`docs/format.md` §4).
//!
//! age authenticates no sender and binds no context. So the context is inside the plaintext and compared (CHK-31), a
//! link signs the file's hash, and a key counts only against the commitment of a signed epoch-open (CHK-32).

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::hash::hash;
use crate::id::AgencyId;
use crate::id::KeyringHash;
use crate::secret::EpochKey;
use crate::secret::RecipientSeed;
use crate::wire;
use crate::wire::v1::FORMAT;
use crate::wire::v1::agency::RecipientKey;
use crate::wire::v1::key::Keyring;
use crate::wire::v1::key::KeyringEntry;
use crate::wire::v1::key::RecipientRef;
use crate::wire::v1::limit;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;
use crate::wrap;
use crate::wrap::HybridIdentity;
use crate::wrap::HybridRecipient;
use crate::wrap::WrapError;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Returns the hash that a link names an age file by.
pub fn keyring_hash(file: &[u8]) -> KeyringHash {
    KeyringHash(hash(Label::KeyringHash, &[file]))
}

/// Returns the public key of an X-Wing seed, computed.
pub fn recipient_key(seed: &RecipientSeed) -> RecipientKey {
    RecipientKey(*HybridIdentity::from_seed(seed.duplicate()).recipient().as_bytes())
}

/// Refuses a public key that nothing can be sealed to, or that leaves ML-KEM alone to protect what is: an ML-KEM key whose
/// coefficients are not reduced, an X25519 share of small order (CHK-37).
///
/// # Errors
/// [`Check::RecipientKey`].
pub fn require_recipient(key: &RecipientKey) -> Result<(), Refused> {
    require(HybridRecipient::from_bytes(&key.0).is_ok(), Check::RecipientKey)
}

/// Seals a keyring to one recipient, and returns the age file with its hash.
///
/// # Errors
/// [`Check::AgeLimits`] if `key` is no public key, or too many keys are given.
pub fn seal(
    agency: AgencyId,
    stream: StreamId,
    to: RecipientRef,
    key: &RecipientKey,
    keys: &[(Section, Epoch, &EpochKey)],
    random: &mut dyn CryptoRng,
) -> Result<(Vec<u8>, KeyringHash), Refused> {
    let entries = keys
        .iter()
        .map(|(section, epoch, key)| KeyringEntry {
            section: *section,
            epoch: *epoch,
            key: *key.expose(),
        })
        .collect();
    let keyring = Keyring {
        format: FORMAT,
        agency,
        stream,
        to,
        entries: wire::sort_set(entries)?,
    };
    let file = seal_to(key, &Zeroizing::new(wire::encode(&keyring)?), random)?;
    let hash = keyring_hash(&file);
    Ok((file, hash))
}

/// Opens a keyring that is for `to` in `stream`, and returns its keys; each still has to open to its commitment.
///
/// # Errors
/// [`Check::AgeLimits`] if it is no age file within limits, [`Check::KeyringContext`] if it is somebody else's.
pub fn open(
    agency: AgencyId,
    stream: StreamId,
    to: RecipientRef,
    seed: &RecipientSeed,
    file: &[u8],
) -> Result<Vec<(Section, Epoch, EpochKey)>, Refused> {
    let text = open_with(seed, file, limit::KEYRING)?;
    let keyring: Keyring = wire::decode(&text, limit::KEYRING)?;
    require(keyring.format == FORMAT, Check::UnknownFormat)?;
    let fits = keyring.agency == agency && keyring.stream == stream && keyring.to == to;
    require(fits, Check::KeyringContext)?;
    wire::require_set(&keyring.entries)?;
    Ok(keyring
        .entries
        .iter()
        .map(|e| (e.section, e.epoch, EpochKey::from_bytes(e.key)))
        .collect())
}

/// Seals `text` to one public key of ours.
pub(crate) fn seal_to(key: &RecipientKey, text: &[u8], random: &mut dyn CryptoRng) -> Result<Vec<u8>, Refused> {
    let recipient = HybridRecipient::from_bytes(&key.0).map_err(|e| refused(&e))?;
    wrap::seal(&[&recipient], text, random).map_err(|e| refused(&e))
}

/// Opens an age file with one seed of ours.
pub(crate) fn open_with(seed: &RecipientSeed, file: &[u8], most: usize) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let identity = HybridIdentity::from_seed(seed.duplicate());
    wrap::open(&[&identity], file, most).map_err(|e| refused(&e))
}

fn refused(error: &WrapError) -> Refused {
    Refused::by(error.check().unwrap_or(Check::AgeLimits))
}
