//! The post-quantum recipient of age, `mlkem768x25519`: HPKE over X-Wing (ML-KEM-768 with X25519).
//!
//! Source: <https://c2sp.org/age>, "The MLKEM768-X25519 hybrid post-quantum recipient type"; RFC 9180 section 6.1 for
//! HPKE base mode; draft-ietf-hpke-pq-03 for the KEM.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::secrecy::ExposeSecret;
use data_encoding::BASE64_NOPAD;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::{WrapError, text};

/// First argument of the stanza.
pub(super) const STANZA_TAG: &str = "mlkem768x25519";
/// HPKE `info` of the stanza.
const HPKE_INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
/// Label by which age refuses to mix this recipient with one that a quantum computer breaks.
const LABEL: &str = "postquantum";

const RECIPIENT_HRP: &str = "age1pq";
const IDENTITY_HRP: &str = "age-secret-key-pq-";

/// Bytes of the encapsulated key: an ML-KEM-768 ciphertext (1,088) and an X25519 share (32).
const ENCAPSULATED: usize = 1120;
/// Bytes of an X25519 share.
const SHARE: usize = 32;
/// Bytes of a sealed file key: 16, and the tag of ChaCha20-Poly1305.
const SEALED_FILE_KEY: usize = FILE_KEY_BYTES + 16;

/// Holds the public half of a hybrid identity: 1,216 bytes, an ML-KEM-768 encapsulation key and an X25519 share.
///
/// Printed and read as `age1pq1…` (1,959 characters). Equality, order and hash are those of the bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HybridRecipient(Box<[u8; Self::SIZE]>);

impl HybridRecipient {
    /// Bytes of the public key.
    pub const SIZE: usize = 1216;

    /// Takes a public key from its bytes.
    ///
    /// # Errors
    ///
    /// [`WrapError::MalformedRecipient`] for another length, for an ML-KEM key whose coefficients are not reduced, and
    /// for an X25519 share of low order, which would leave ML-KEM alone to protect the file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WrapError> {
        let bytes: [u8; Self::SIZE] = bytes.try_into().map_err(|_| WrapError::MalformedRecipient)?;
        let recipient = Self(Box::new(bytes));
        if is_low_order(last_share(recipient.0.as_slice())) {
            return Err(WrapError::MalformedRecipient);
        }
        recipient.public_key()?;
        Ok(recipient)
    }

    /// Gives the bytes of the public key.
    pub fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }

    fn public_key(&self) -> Result<<XWing as Kem>::PublicKey, WrapError> {
        <XWing as Kem>::PublicKey::from_bytes(self.0.as_slice()).map_err(|_| WrapError::MalformedRecipient)
    }
}

impl fmt::Display for HybridRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&text::encode_lower(RECIPIENT_HRP, self.0.as_slice()).ok_or(fmt::Error)?)
    }
}

impl fmt::Debug for HybridRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HybridRecipient({self:.24}…)")
    }
}

impl FromStr for HybridRecipient {
    type Err = WrapError;

    fn from_str(text: &str) -> Result<Self, WrapError> {
        let bytes = text::decode::<{ Self::SIZE }>(RECIPIENT_HRP, text).ok_or(WrapError::MalformedRecipient)?;
        Self::from_bytes(bytes.as_slice())
    }
}

/// Holds the secret of a hybrid identity: a seed of 32 bytes, wiped when dropped.
///
/// Both key pairs and the recipient are derived from the seed at each use; nothing public is ever read back.
#[derive(Clone)]
pub struct HybridIdentity(Box<Zeroizing<[u8; Self::SIZE]>>);

impl HybridIdentity {
    /// Bytes of the seed.
    pub const SIZE: usize = 32;

    /// Makes a new identity.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut seed = Box::new(Zeroizing::new([0; Self::SIZE]));
        rng.fill_bytes(seed.as_mut_slice());
        Self(seed)
    }

    /// Takes an identity from its seed, every value of which is valid.
    pub fn from_seed(seed: &[u8; Self::SIZE]) -> Self {
        Self(Box::new(Zeroizing::new(*seed)))
    }

    /// Reads an identity from `AGE-SECRET-KEY-PQ-1…`.
    ///
    /// # Errors
    ///
    /// [`WrapError::MalformedIdentity`], which tells nothing of the text.
    pub fn from_text(text: &str) -> Result<Self, WrapError> {
        let seed = text::decode::<{ Self::SIZE }>(IDENTITY_HRP, text).ok_or(WrapError::MalformedIdentity)?;
        Ok(Self::from_seed(&seed))
    }

    /// Writes the identity as `AGE-SECRET-KEY-PQ-1…`.
    ///
    /// # Security
    ///
    /// The text is the secret itself: it belongs on paper or in a sealed file.
    pub fn to_text(&self) -> Zeroizing<String> {
        // The prefix is fixed and valid and 32 bytes are within the code's length, so there is always a text.
        text::encode_upper(IDENTITY_HRP, self.0.as_slice()).unwrap_or_default()
    }

    /// Gives the seed, to be sealed in a keystore.
    pub fn seed(&self) -> &[u8; Self::SIZE] {
        &self.0
    }

    /// Computes the public half.
    pub fn recipient(&self) -> HybridRecipient {
        let mut public = Box::new([0; HybridRecipient::SIZE]);
        if let Ok(private) = self.private_key() {
            XWing::sk_to_pk(&private).write_exact(public.as_mut_slice());
        }
        HybridRecipient(public)
    }

    fn private_key(&self) -> Result<<XWing as Kem>::PrivateKey, hpke::HpkeError> {
        <XWing as Kem>::PrivateKey::from_bytes(self.0.as_slice())
    }

    /// Opens the file key in a stanza of our type; `None` when it is not for this identity.
    fn open_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, Malformed>> {
        let [encapsulated] = stanza.args.as_slice() else {
            return Some(Err(Malformed));
        };
        // Canonical only: `data-encoding` refuses trailing bits. The size of the body is checked before anything
        // is opened, against partitioning oracles.
        let encapsulated = match BASE64_NOPAD.decode(encapsulated.as_bytes()) {
            Ok(bytes) if bytes.len() == ENCAPSULATED && stanza.body.len() == SEALED_FILE_KEY => bytes,
            _ => return Some(Err(Malformed)),
        };
        // X-Wing itself does not refuse a share that makes the X25519 secret zero; age does.
        if is_low_order(last_share(&encapsulated)) {
            return Some(Err(Malformed));
        }
        let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(&encapsulated).ok()?;
        let file_key = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            &self.private_key().ok()?,
            &encapsulated,
            HPKE_INFO,
            &stanza.body,
            b"",
        );
        let file_key = Zeroizing::new(file_key.ok()?);
        let file_key = file_key
            .as_slice()
            .try_into()
            .map(Zeroizing::new)
            .map_err(|_| Malformed);
        Some(file_key.map(|bytes: Zeroizing<[u8; FILE_KEY_BYTES]>| {
            FileKey::init_with_mut(|key| key.copy_from_slice(bytes.as_slice()))
        }))
    }
}

/// Marks a stanza of our type that breaks the format.
struct Malformed;

impl ConstantTimeEq for HybridIdentity {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(other.0.as_slice())
    }
}

impl fmt::Debug for HybridIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HybridIdentity(..)")
    }
}

impl age::Identity for HybridIdentity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        if stanza.tag != STANZA_TAG {
            return None;
        }
        self.open_stanza(stanza)
            .map(|opened| opened.map_err(|Malformed| age::DecryptError::InvalidHeader))
    }
}

/// A recipient together with the generator that its encapsulation draws from.
///
/// age's trait gives no generator, so it travels beside the key for the length of one seal.
pub(super) struct Encapsulator<'a, 'r, R: ?Sized> {
    recipient: &'a HybridRecipient,
    rng: &'a RefCell<&'r mut R>,
}

impl<'a, 'r, R: CryptoRng + ?Sized> Encapsulator<'a, 'r, R> {
    pub(super) fn new(recipient: &'a HybridRecipient, rng: &'a RefCell<&'r mut R>) -> Self {
        Self { recipient, rng }
    }

    fn seal(&self, file_key: &FileKey) -> Option<Stanza> {
        let mut rng = self.rng.try_borrow_mut().ok()?;
        let (encapsulated, body) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeS::Base,
            &self.recipient.public_key().ok()?,
            HPKE_INFO,
            file_key.expose_secret(),
            b"",
            &mut *rng,
        )
        .ok()?;
        let encapsulated = BASE64_NOPAD.encode(&encapsulated.to_bytes());
        Some(Stanza {
            tag: STANZA_TAG.to_owned(),
            args: vec![encapsulated],
            body,
        })
    }
}

impl<R: CryptoRng + ?Sized> age::Recipient for Encapsulator<'_, '_, R> {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        let stanza = self
            .seal(file_key)
            .ok_or_else(|| std::io::Error::other("encapsulation failed"))?;
        Ok((vec![stanza], HashSet::from([LABEL.to_owned()])))
    }
}

/// Gives the X25519 share at the end of a hybrid key or encapsulation.
fn last_share(bytes: &[u8]) -> [u8; SHARE] {
    bytes.last_chunk().copied().unwrap_or_default()
}

/// Tells whether an X25519 share is of low order, so that every shared secret with it is zero (RFC 7748 section 6.1).
///
/// A clamped scalar is a multiple of the cofactor: any will do, and no secret is needed.
pub(super) fn is_low_order(share: [u8; SHARE]) -> bool {
    x25519_dalek::x25519([0; SHARE], share) == [0; SHARE]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    /// The identity and the recipient that the specification prints are two halves of different pairs, so only the
    /// form is compared.
    const SPEC_IDENTITY: &str = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR";

    #[test]
    fn identity_text_round_trips() {
        let identity = HybridIdentity::from_text(SPEC_IDENTITY).unwrap();
        assert_eq!(identity.to_text().as_str(), SPEC_IDENTITY);
        let lower = HybridIdentity::from_text(&SPEC_IDENTITY.to_ascii_lowercase()).unwrap();
        assert!(bool::from(identity.ct_eq(&lower)));
        assert_eq!(format!("{identity:?}"), "HybridIdentity(..)");
    }

    #[test]
    fn recipient_text_and_bytes_round_trip() {
        let recipient = HybridIdentity::from_seed(&[9; 32]).recipient();
        let text = recipient.to_string();
        assert!(text.starts_with("age1pq1"));
        assert_eq!(text.parse::<HybridRecipient>().unwrap(), recipient);
        assert_eq!(HybridRecipient::from_bytes(recipient.as_bytes()).unwrap(), recipient);
        assert!(format!("{recipient:?}").len() < 60);
    }

    #[test]
    fn texts_of_another_kind_are_refused() {
        let recipient = HybridIdentity::from_seed(&[9; 32]).recipient().to_string();
        let mut damaged = recipient.clone();
        damaged.replace_range(900..901, if &recipient[900..901] == "q" { "p" } else { "q" });
        for text in [
            "",
            "age1pq1",
            SPEC_IDENTITY,
            &damaged,
            &recipient[..1900],
            &format!("{recipient}\n"),
        ] {
            assert_eq!(
                text.parse::<HybridRecipient>().unwrap_err(),
                WrapError::MalformedRecipient,
                "{text}"
            );
        }
        for text in [
            "",
            "AGE-SECRET-KEY-PQ-1",
            &recipient,
            &SPEC_IDENTITY.replacen("AGE", "age", 1),
        ] {
            assert_eq!(
                HybridIdentity::from_text(text).unwrap_err(),
                WrapError::MalformedIdentity,
                "{text}"
            );
        }
    }

    #[test]
    fn recipients_with_a_broken_half_are_refused() {
        let good = *HybridIdentity::from_seed(&[9; 32]).recipient().as_bytes();
        let mut unreduced = good;
        unreduced[..3].fill(0xff);
        let mut low_order = good;
        low_order[HybridRecipient::SIZE - SHARE..].fill(0);
        for bytes in [&unreduced[..], &low_order[..], &good[1..]] {
            assert_eq!(
                HybridRecipient::from_bytes(bytes).unwrap_err(),
                WrapError::MalformedRecipient
            );
        }
    }

    #[test]
    fn shares_of_low_order_are_found() {
        // The points of small order and their other encodings, as https://cr.yp.to/ecdh.html lists them.
        let p = |last: u8| {
            let mut point = [0xff; 32];
            point[0] = last;
            point[31] = 0x7f;
            point
        };
        let one = {
            let mut point = [0; 32];
            point[0] = 1;
            point
        };
        for share in [[0; 32], one, p(0xec), p(0xed), p(0xee)] {
            assert!(is_low_order(share), "{share:?}");
            let mut high_bit = share;
            high_bit[31] |= 0x80;
            assert!(is_low_order(high_bit), "{high_bit:?}");
        }
        let mut base = [0; 32];
        base[0] = 9;
        assert!(!is_low_order(base));
    }
}
