//! Wrapping to people: whole files in the open age format (<https://c2sp.org/age>).
//!
//! A keyring is one age file for one person. Inside the vault every file is sealed to post-quantum hybrid recipients
//! only ([`seal`], [`open`]); what leaves the vault may use any recipient that a stock age tool has
//! ([`seal_outside`], [`open_outside`]).
//!
//! ```text
//! plaintext ─ seal ──────────> age file, hybrid stanzas only ─ open ──────────> plaintext
//! plaintext ─ seal_outside ──> age file, perhaps in armor ──── open_outside ──> plaintext
//!                                                                 │
//!                                armor off ── header read ── sizes known ── age opens
//! ```
//!
//! age authenticates no sender and binds no context. A caller keeps the context inside the plaintext and a signature
//! outside, and counts a key only when it opens to the commitment that the signed event holds.
//!
//! The `age` crate is one RustCrypto generation older than the rest of the tree and no release of it has the hybrid
//! recipient, so this module is the only one that names it. Three things it leaves open are closed here: it accepts
//! stanzas without their short last line ([`header`](self) reads strictly first), it refuses white space around
//! armor, and it panics on a recipient whose X25519 share is of small order.
//!
//! # Randomness and clocks
//!
//! The one exception to the rule that randomness comes in as an argument: `age` draws the file key, the payload nonce
//! and the grease stanza from the operating system itself and offers no other way, and it times one small scrypt run
//! when a passphrase recipient is made. The encapsulation of our own stanza takes the caller's generator.

mod armor;
mod header;
mod hybrid;
mod outside;
mod stream;
mod text;

use std::cell::RefCell;
use std::io::Read;
use std::io::Write;

use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use header::Header;
use hybrid::Encapsulator;
use hybrid::SmallOrderShare;

use crate::check::Check;

pub use header::MAX_HEADER;
pub use header::MAX_STANZAS;
pub use hybrid::HybridIdentity;
pub use hybrid::HybridRecipient;
pub use outside::Form;
pub use outside::Identity;
pub use outside::MAX_WORK_FACTOR;
pub use outside::Recipient;
pub use outside::open_outside;
pub use outside::seal_outside;
pub use stream::Opened;
pub use stream::Sealing;
pub use stream::Whole;
pub use stream::open_stream;
pub use stream::seal_stream;
pub use stream::sealed_size;

/// The most recipients that one file takes, so that their stanzas and age's grease stanza stay within [`MAX_HEADER`].
pub const MAX_RECIPIENTS: usize = 40;

/// Bytes of plaintext in a full payload chunk.
const CHUNK: usize = 64 * 1024;
/// Bytes of the Poly1305 tag that each payload chunk carries.
const TAG: usize = 16;
/// Bytes of the payload nonce after the header.
const NONCE: usize = 16;

/// Tells why a file was not sealed or not opened.
///
/// Which key did not fit, and where a payload broke, is not told.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WrapError {
    /// The file is neither an age file nor well-formed armor around one.
    #[error("neither an age file nor valid armor around one")]
    Armor,
    /// The header, or a stanza addressed to the identity, breaks the format.
    #[error("the age header is malformed")]
    Header,
    /// The header opened, and its authentication tag does not match.
    #[error("the age header was changed after it was made")]
    Hmac,
    /// An identity's text form cannot be read.
    #[error("not an age identity (expected `AGE-SECRET-KEY-PQ-1…` or `AGE-SECRET-KEY-1…`)")]
    MalformedIdentity,
    /// A recipient's text form or key cannot be used.
    #[error("not an age recipient (expected `age1pq1…` or `age1…`)")]
    MalformedRecipient,
    /// Recipients that a quantum computer breaks were mixed with ones that it does not, or a passphrase with others.
    #[error("recipients of different strength must not share a file")]
    Mixed,
    /// No stanza of the file is for any of the identities.
    #[error("the file is not sealed to this identity")]
    NoMatch,
    /// A file needs somebody to be sealed to.
    #[error("a file needs at least one recipient")]
    NoRecipient,
    /// The payload is truncated, changed or followed by other bytes.
    #[error("the sealed content is truncated or was changed")]
    Payload,
    /// The library could not make the file.
    #[error("the file could not be sealed")]
    Seal,
    /// A stanza's X25519 share is of small order, so that ML-KEM alone would protect the key.
    #[error("the age header has a share of small order")]
    SmallOrderShare,
    /// A count or a size passes a limit; nothing was allocated for it.
    #[error("{what} passes the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit that it passes, in bytes or in pieces.
        limit: usize,
    },
    /// A passphrase file asks for more work than the ceiling, or a seal was asked for with a factor outside its range.
    #[error("the scrypt work factor {asked} is outside 1 to {ceiling}")]
    WorkFactor {
        /// The base-two logarithm that was asked for.
        asked: u8,
        /// The largest that is accepted.
        ceiling: u8,
    },
}

impl WrapError {
    /// Gives the check of the format document that refused a file; `None` where no file was read.
    pub fn check(&self) -> Option<Check> {
        match self {
            Self::Armor
            | Self::Header
            | Self::Hmac
            | Self::Mixed
            | Self::Payload
            | Self::TooLarge { .. }
            | Self::WorkFactor { .. } => Some(Check::AgeLimits),
            Self::NoMatch => Some(Check::KeyringContext),
            Self::SmallOrderShare => Some(Check::SmallOrderShare),
            Self::MalformedIdentity | Self::MalformedRecipient | Self::NoRecipient | Self::Seal => None,
        }
    }
}

/// Seals `plaintext` as one binary age file that any of `recipients` opens.
///
/// # Errors
///
/// [`WrapError::NoRecipient`] for an empty slice, [`WrapError::TooLarge`] above [`MAX_RECIPIENTS`],
/// [`WrapError::Seal`] when the library fails.
pub fn seal<R>(recipients: &[&HybridRecipient], plaintext: &[u8], rng: &mut R) -> Result<Vec<u8>, WrapError>
where
    R: CryptoRng + ?Sized,
{
    let rng = RefCell::new(rng);
    let encapsulators: Vec<_> = recipients
        .iter()
        .map(|recipient| Encapsulator::new(recipient, &rng))
        .collect();
    let recipients: Vec<&dyn age::Recipient> = encapsulators.iter().map(|one| one as _).collect();
    seal_to(&recipients, plaintext)
}

/// Opens a file that [`seal`] made, with whichever of `identities` fits.
///
/// Stricter than the format where the vault's own rule is: armor is refused, and so is a file that also has a stanza
/// of a native type which a quantum computer breaks.
///
/// `limit` is the most plaintext bytes that the caller will take.
///
/// # Errors
///
/// [`WrapError::Header`], [`WrapError::Hmac`], [`WrapError::Mixed`], [`WrapError::NoMatch`], [`WrapError::Payload`],
/// [`WrapError::SmallOrderShare`] or [`WrapError::TooLarge`].
pub fn open(identities: &[&HybridIdentity], file: &[u8], limit: usize) -> Result<Zeroizing<Vec<u8>>, WrapError> {
    let header = Header::read(file)?;
    if header.has_classical_stanza() {
        return Err(WrapError::Mixed);
    }
    let identities: Vec<&dyn age::Identity> = identities.iter().map(|one| *one as _).collect();
    open_with(&identities, &header, file, limit)
}

/// Seals to recipients that are already known to go together.
fn seal_to(recipients: &[&dyn age::Recipient], plaintext: &[u8]) -> Result<Vec<u8>, WrapError> {
    if recipients.len() > MAX_RECIPIENTS {
        return Err(WrapError::TooLarge {
            what: "the number of recipients",
            limit: MAX_RECIPIENTS,
        });
    }
    let encryptor = age::Encryptor::with_recipients(recipients.iter().copied()).map_err(|error| match error {
        age::EncryptError::IncompatibleRecipients { .. } | age::EncryptError::MixedRecipientAndPassphrase => {
            WrapError::Mixed
        }
        age::EncryptError::MissingRecipients => WrapError::NoRecipient,
        _ => WrapError::Seal,
    })?;
    let mut file = Vec::with_capacity(plaintext.len() + plaintext.len() / CHUNK * TAG + 4096);
    let mut writer = encryptor.wrap_output(&mut file).map_err(|_| WrapError::Seal)?;
    writer.write_all(plaintext).map_err(|_| WrapError::Seal)?;
    writer.finish().map_err(|_| WrapError::Seal)?;
    Ok(file)
}

/// Opens a binary file whose header was read strictly.
fn open_with(
    identities: &[&dyn age::Identity],
    header: &Header,
    file: &[u8],
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, WrapError> {
    let payload = file
        .len()
        .saturating_sub(header.length())
        .checked_sub(NONCE)
        .ok_or(WrapError::Header)?;
    let size = plaintext_size(payload);
    if size > limit {
        return Err(WrapError::TooLarge {
            what: "the sealed content",
            limit,
        });
    }
    let decryptor = age::Decryptor::new_buffered(file).map_err(refusal)?;
    let mut reader = decryptor.decrypt(identities.iter().copied()).map_err(refusal)?;
    // Sized exactly, so that no growing leaves a copy of the plaintext behind.
    let mut plaintext = Zeroizing::new(Vec::with_capacity(size));
    reader.read_to_end(&mut plaintext).map_err(|_| WrapError::Payload)?;
    Ok(plaintext)
}

/// Computes the plaintext bytes in a payload of `sealed` bytes; a payload of an impossible size is refused later.
fn plaintext_size(sealed: usize) -> usize {
    sealed.saturating_sub(sealed.div_ceil(CHUNK + TAG).max(1) * TAG)
}

/// Names the library's refusals in our terms. A wrong passphrase is no match, as a wrong key is.
fn refusal(error: age::DecryptError) -> WrapError {
    match error {
        age::DecryptError::DecryptionFailed
        | age::DecryptError::KeyDecryptionFailed
        | age::DecryptError::NoMatchingKeys => WrapError::NoMatch,
        age::DecryptError::ExcessiveWork { required, .. } => WrapError::WorkFactor {
            asked: required,
            ceiling: MAX_WORK_FACTOR,
        },
        age::DecryptError::InvalidMac => WrapError::Hmac,
        // The one cause of ours that travels through the library.
        age::DecryptError::Io(error) if error.get_ref().is_some_and(|cause| cause.is::<SmallOrderShare>()) => {
            WrapError::SmallOrderShare
        }
        _ => WrapError::Header,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::RecipientSeed;

    fn rng() -> impl CryptoRng {
        rand_core::UnwrapErr(getrandom::SysRng)
    }

    const LIMIT: usize = 1 << 20;

    #[test]
    fn what_was_sealed_opens_at_every_chunk_edge() {
        let identity = HybridIdentity::generate(&mut rng());
        for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7] {
            let plaintext: Vec<u8> = (0..size).map(|i| i as u8).collect();
            let file = seal(&[&identity.recipient()], &plaintext, &mut rng()).unwrap();
            assert_eq!(*open(&[&identity], &file, size).unwrap(), plaintext);
            if size > 0 {
                assert_eq!(
                    open(&[&identity], &file, size - 1).unwrap_err(),
                    WrapError::TooLarge {
                        what: "the sealed content",
                        limit: size - 1
                    }
                );
            }
        }
    }

    #[test]
    fn each_of_several_recipients_opens_and_nobody_else() {
        let [a, b, c] = [0; 3].map(|_| HybridIdentity::generate(&mut rng()));
        let file = seal(&[&a.recipient(), &b.recipient()], b"keys", &mut rng()).unwrap();
        assert_eq!(**open(&[&a], &file, LIMIT).unwrap(), *b"keys");
        assert_eq!(**open(&[&c, &b], &file, LIMIT).unwrap(), *b"keys");
        assert_eq!(open(&[&c], &file, LIMIT).unwrap_err(), WrapError::NoMatch);
        assert_eq!(open(&[], &file, LIMIT).unwrap_err(), WrapError::NoMatch);
    }

    #[test]
    fn a_file_needs_a_recipient_and_takes_only_so_many() {
        let one = HybridIdentity::generate(&mut rng()).recipient();
        assert_eq!(seal(&[], b"", &mut rng()).unwrap_err(), WrapError::NoRecipient);
        let identity = HybridIdentity::generate(&mut rng());
        let last = identity.recipient();
        let mut full = vec![&one; MAX_RECIPIENTS - 1];
        full.push(&last);
        let file = seal(&full, b"all", &mut rng()).unwrap();
        assert_eq!(**open(&[&identity], &file, LIMIT).unwrap(), *b"all");
        full.push(&last);
        assert_eq!(
            seal(&full, b"", &mut rng()).unwrap_err(),
            WrapError::TooLarge {
                what: "the number of recipients",
                limit: MAX_RECIPIENTS
            }
        );
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let identity = HybridIdentity::generate(&mut rng());
        let file = seal(&[&identity.recipient()], b"a key that matters", &mut rng()).unwrap();
        let header = Header::read(&file).unwrap().length();
        for position in 0..file.len() {
            // Every bit of the payload and of the short lines; one bit a byte in the long encapsulated key.
            let bits = if (40..header - 60).contains(&position) { 1 } else { 8 };
            for bit in 0..bits {
                let mut forged = file.clone();
                forged[position] ^= 1 << bit;
                let refused = open(&[&identity], &forged, LIMIT).unwrap_err();
                if position >= header + NONCE {
                    assert_eq!(refused, WrapError::Payload, "byte {position} bit {bit}");
                } else if position >= header {
                    assert_eq!(refused, WrapError::Payload, "nonce byte {position} bit {bit}");
                } else {
                    assert!(
                        matches!(
                            refused,
                            WrapError::Header | WrapError::Hmac | WrapError::Mixed | WrapError::NoMatch
                        ),
                        "byte {position} bit {bit}: {refused:?}"
                    );
                }
            }
        }
        assert_eq!(**open(&[&identity], &file, LIMIT).unwrap(), *b"a key that matters");
    }

    #[test]
    fn every_truncation_is_refused() {
        let identity = HybridIdentity::generate(&mut rng());
        let file = seal(&[&identity.recipient()], b"a key that matters", &mut rng()).unwrap();
        let header = Header::read(&file).unwrap().length();
        for length in 0..file.len() {
            let expected = if length < header + NONCE {
                WrapError::Header
            } else {
                WrapError::Payload
            };
            assert_eq!(
                open(&[&identity], &file[..length], LIMIT).unwrap_err(),
                expected,
                "{length} bytes"
            );
        }
        let mut longer = file.clone();
        longer.push(0);
        assert_eq!(open(&[&identity], &longer, LIMIT).unwrap_err(), WrapError::Payload);
    }

    #[test]
    fn sizes_of_payloads_follow_the_chunks() {
        for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK] {
            let chunks = size.div_ceil(CHUNK).max(1);
            assert_eq!(plaintext_size(size + chunks * TAG), size);
        }
        assert_eq!(plaintext_size(0), 0);
        assert_eq!(plaintext_size(TAG - 1), 0);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_open(file in proptest::collection::vec(any::<u8>(), 0..512)) {
            let identity = HybridIdentity::from_seed(RecipientSeed::from_bytes([7; 32]));
            prop_assert_eq!(open(&[&identity], &file, LIMIT).unwrap_err(), WrapError::Header);
        }
    }
}
