//! Records: made, signed and sealed by their author's device; opened only against a verified header.
//!
//! ```text
//! payload -> padded -> R (fresh) -> commitment, key, nonce -> ciphertext -> hash -> signature -> SealedRecord
//! stored bytes -> UnverifiedRecord -> signature checked -> VerifiedRecord -> R unwrapped -> payload
//! ```
//!
//! A record knows no position and no epoch, so it survives every conflict and rotation (`docs/format.md` §3).

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::aead::Sealer;
use crate::crypto::aead::TAG_BYTES;
use crate::crypto::hash::derive;
use crate::crypto::hash::extract;
use crate::crypto::hash::hash;
use crate::crypto::pad;
use crate::crypto::sign::Signature;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::id::CiphertextHash;
use crate::id::RecordHash;
use crate::secret::RecordKey;
use crate::secret::SealSecret;
use crate::wire;
use crate::wire::v1::FORMAT;
use crate::wire::v1::limit;
use crate::wire::v1::record::RecordHeader;
use std::sync::OnceLock;
use zeroize::Zeroize;
use zeroize::Zeroizing;

/// A record as its author's device made it.
pub struct SealedRecord {
    /// The record, ready to be placed.
    pub record: VerifiedRecord,
    /// Its key, to be wrapped under a section key.
    pub key: RecordKey,
}

/// Seals `payload` and signs it.
///
/// `header`'s `padded_length` and `commitment` are filled in here. `random` is 32 fresh bytes of the operating system.
///
/// # Errors
/// [`Check::TooLong`] for a payload over 16 MiB; [`Check::Amends`] for a version that does not fit `amends`.
///
/// # Security
/// The record key mixes `random` with the device's secret, the padded plaintext's hash and the header, so that a
/// machine cloned with its generator's state never seals two texts under one key.
pub fn seal(
    mut header: RecordHeader,
    payload: &[u8],
    random: &[u8; 32],
    secret: &SealSecret,
    signer: &SigningKey,
) -> Result<SealedRecord, Refused> {
    require(pad::padded_length(payload.len()) <= limit::PADDED, Check::TooLong)?;
    let mut text = pad::pad(payload);
    header.padded_length = u32::try_from(text.len()).map_err(|_| Check::TooLong)?;
    header.commitment = [0; 32];
    let text_hash = hash(Label::PlaintextHash, &[&text]);
    let mixed = extract(random, &[secret.expose(), &text_hash]);
    let key = RecordKey::from_bytes(*derive(Label::RecordKey, &mixed, &[&wire::encode(&header)?]));
    let sealer = Sealer::derive(Label::RecordSeal, key.expose(), &[]);
    header.commitment = sealer.commitment();
    let header_bytes = wire::encode(&header)?;
    sealer.seal(&header_bytes, &mut text)?;
    let ciphertext = Ciphertext::from(std::mem::take(&mut *text));
    let signature = signer.sign(Label::RecordSignature, &[&header_bytes, &ciphertext.hash().0]);
    let unverified = UnverifiedRecord::with_header(header, header_bytes, ciphertext, signature)?;
    Ok(SealedRecord {
        record: VerifiedRecord(unverified),
        key,
    })
}

/// A record out of a store or off the wire, well formed, its signature not yet checked.
#[derive(Clone)]
pub struct UnverifiedRecord {
    header: RecordHeader,
    header_bytes: Vec<u8>,
    ciphertext: Ciphertext,
    signature: Signature,
    hash: RecordHash,
}

/// Ciphertext and tag with their hash, which is only ever computed over them, and once.
#[derive(Clone, Debug)]
pub struct Ciphertext {
    bytes: Vec<u8>,
    hash: OnceLock<CiphertextHash>,
}

impl Ciphertext {
    /// Returns the bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns their hash.
    pub fn hash(&self) -> CiphertextHash {
        *self
            .hash
            .get_or_init(|| CiphertextHash(hash(Label::CiphertextHash, &[&self.bytes])))
    }
}

impl From<Vec<u8>> for Ciphertext {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            hash: OnceLock::new(),
        }
    }
}

/// Returns the hash that names a record: header and ciphertext hash.
pub fn record_hash(header_bytes: &[u8], ciphertext: &CiphertextHash) -> RecordHash {
    RecordHash(hash(Label::RecordHash, &[header_bytes, &ciphertext.0]))
}

/// Checks the author's signature over a record of which only header and ciphertext hash were kept.
///
/// # Errors
/// [`Check::RecordSignature`].
pub fn verify_erased(
    header: &RecordHeader,
    ciphertext: &CiphertextHash,
    signature: &Signature,
    author: &VerifyingKey,
) -> Result<(), Refused> {
    let header_bytes = wire::encode(header)?;
    author.verify(
        Label::RecordSignature,
        &[&header_bytes, &ciphertext.0],
        signature,
        Check::RecordSignature,
    )
}

impl UnverifiedRecord {
    /// Takes the parts of a record.
    ///
    /// # Errors
    /// [`Check::UnknownFormat`], [`Check::TooLong`], [`Check::CiphertextLength`], [`Check::Amends`].
    pub fn new(header: RecordHeader, ciphertext: impl Into<Ciphertext>, signature: Signature) -> Result<Self, Refused> {
        let header_bytes = wire::encode(&header)?;
        Self::with_header(header, header_bytes, ciphertext.into(), signature)
    }

    /// Takes the parts of a record whose hash was computed over them a moment ago.
    ///
    /// # Errors
    /// As [`Self::new`].
    ///
    /// # Security
    /// Only for a hash computed over these very parts: it names the record, and is what its wrap is bound to.
    pub fn hashed(
        header: RecordHeader,
        ciphertext: Ciphertext,
        signature: Signature,
        hash: RecordHash,
    ) -> Result<Self, Refused> {
        let header_bytes = wire::encode(&header)?;
        Self::well_formed(header, header_bytes, ciphertext, signature, |_, _| hash)
    }

    fn with_header(
        header: RecordHeader,
        header_bytes: Vec<u8>,
        ciphertext: Ciphertext,
        signature: Signature,
    ) -> Result<Self, Refused> {
        Self::well_formed(header, header_bytes, ciphertext, signature, record_hash)
    }

    fn well_formed(
        header: RecordHeader,
        header_bytes: Vec<u8>,
        ciphertext: Ciphertext,
        signature: Signature,
        hash: impl FnOnce(&[u8], &CiphertextHash) -> RecordHash,
    ) -> Result<Self, Refused> {
        require(header.format == FORMAT, Check::UnknownFormat)?;
        let padded = usize::try_from(header.padded_length).map_err(|_| Check::TooLong)?;
        require(padded <= limit::PADDED, Check::TooLong)?;
        require(
            padded >= pad::FLOOR && ciphertext.bytes.len() == padded + TAG_BYTES,
            Check::CiphertextLength,
        )?;
        require(header.version > 0, Check::Amends)?;
        require(
            (header.version == 1) == (header.amends == RecordHash::ZERO),
            Check::Amends,
        )?;
        let hash = hash(&header_bytes, &ciphertext.hash());
        Ok(Self {
            header,
            header_bytes,
            ciphertext,
            signature,
            hash,
        })
    }

    /// Takes any parts, well formed or not.
    #[cfg(any(test, feature = "forge"))]
    pub(crate) fn forged(header: RecordHeader, ciphertext: Vec<u8>, signature: Signature) -> Self {
        let header_bytes = wire::encode(&header).unwrap_or_default();
        let ciphertext = Ciphertext::from(ciphertext);
        let hash = record_hash(&header_bytes, &ciphertext.hash());
        Self {
            header,
            header_bytes,
            ciphertext,
            signature,
            hash,
        }
    }

    /// Returns what the header claims.
    pub fn header(&self) -> &RecordHeader {
        &self.header
    }

    /// Returns the record's hash, computed over the bytes at hand.
    pub fn hash(&self) -> RecordHash {
        self.hash
    }

    /// Returns ciphertext and tag.
    pub fn ciphertext(&self) -> &[u8] {
        &self.ciphertext.bytes
    }

    /// Returns the signature, as it came.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Checks the author's signature.
    ///
    /// # Errors
    /// [`Check::RecordSignature`].
    pub fn verify(self, author: &VerifyingKey) -> Result<VerifiedRecord, Refused> {
        self.verify_signature(author)?;
        Ok(VerifiedRecord(self))
    }

    /// Checks the author's signature, in place.
    ///
    /// # Errors
    /// [`Check::RecordSignature`].
    pub fn verify_signature(&self, author: &VerifyingKey) -> Result<(), Refused> {
        let parts: [&[u8]; 2] = [&self.header_bytes, &self.ciphertext.hash().0];
        author.verify(Label::RecordSignature, &parts, &self.signature, Check::RecordSignature)
    }

    /// Takes as verified a record that was verified when it entered this store.
    ///
    /// # Security
    /// Only for rows of a store under an authenticated head: its wrap, bound to [`Self::hash`] under a section key,
    /// still has to open, which nobody without that key can bring about.
    pub fn verified_at_entry(self) -> VerifiedRecord {
        VerifiedRecord(self)
    }
}

/// A record whose author's signature was checked.
#[derive(Clone)]
pub struct VerifiedRecord(UnverifiedRecord);

impl VerifiedRecord {
    /// Returns the header.
    pub fn header(&self) -> &RecordHeader {
        &self.0.header
    }

    /// Returns the record's hash.
    pub fn hash(&self) -> RecordHash {
        self.0.hash
    }

    /// Returns ciphertext and tag.
    pub fn ciphertext(&self) -> &[u8] {
        self.0.ciphertext.bytes()
    }

    /// Returns the author's signature.
    pub fn signature(&self) -> &Signature {
        &self.0.signature
    }

    /// Returns it as something still to be checked, as whoever receives it has it.
    pub fn as_unverified(&self) -> &UnverifiedRecord {
        &self.0
    }

    /// Opens the record.
    ///
    /// # Errors
    /// [`Check::KeyCommitment`] before anything is opened, [`Check::Aead`], [`Check::Padding`].
    pub fn open(&self, key: &RecordKey) -> Result<Payload, Refused> {
        let record = &self.0;
        open(
            key,
            &record.header,
            &record.header_bytes,
            record.ciphertext.bytes().to_vec(),
        )
    }

    /// Opens the record where its ciphertext stands: for who needs no more of it than the payload.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn into_payload(self, key: &RecordKey) -> Result<Payload, Refused> {
        let record = self.0;
        open(key, &record.header, &record.header_bytes, record.ciphertext.bytes)
    }
}

fn open(key: &RecordKey, header: &RecordHeader, header_bytes: &[u8], sealed: Vec<u8>) -> Result<Payload, Refused> {
    let sealer = Sealer::derive(Label::RecordSeal, key.expose(), &[]);
    sealer.require_commitment(&header.commitment)?;
    let mut text = Payload(sealed);
    sealer.open_in_place(header_bytes, &mut text.0)?;
    let length = pad::unpad(&text.0)?.len();
    text.0.truncate(length);
    Ok(text)
}

/// Opened plaintext: JSON of the schema that its first member names, wiped when dropped.
pub struct Payload(Vec<u8>);

impl Payload {
    /// Returns the bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the bytes to their new owner, still wiped when dropped.
    pub fn into_bytes(mut self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(std::mem::take(&mut self.0))
    }

    /// As a slice: a `Vec` is wiped a byte at a time.
    fn wipe(&mut self) {
        self.0.as_mut_slice().zeroize();
        self.0.spare_capacity_mut().zeroize();
        self.0.clear();
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::id::AgencyId;
    use crate::id::CaseId;
    use crate::id::DeviceId;
    use crate::id::MemberId;
    use crate::id::RecordId;
    use crate::secret::SigningSeed;
    use crate::wire::v1::record::HEADER_BYTES;
    use crate::wire::v1::record::RecordClass;
    use crate::wire::v1::stream::Section;
    use crate::wire::v1::stream::StreamId;

    fn header() -> RecordHeader {
        RecordHeader {
            format: 1,
            agency: AgencyId([1; 32]),
            stream: StreamId::case(CaseId([2; 16])),
            section: Section::CORE,
            record: RecordId([3; 16]),
            version: 1,
            amends: RecordHash::ZERO,
            member: MemberId([4; 16]),
            device: DeviceId([5; 16]),
            class: RecordClass::Note,
            padded_length: 0,
            commitment: [0; 32],
        }
    }

    fn signer() -> SigningKey {
        SigningKey::from_seed(&SigningSeed::from_bytes([6; 32]))
    }

    fn sealed(text: &[u8], random: [u8; 32]) -> SealedRecord {
        seal(header(), text, &random, &SealSecret::from_bytes([7; 32]), &signer()).unwrap()
    }

    #[test]
    fn a_header_has_174_bytes_and_a_record_round_trips() {
        let made = sealed(b"{\"schema\":\"x\"}", [9; 32]);
        assert_eq!(wire::encode(made.record.header()).unwrap().len(), HEADER_BYTES);
        let stored = UnverifiedRecord::new(
            made.record.header().clone(),
            made.record.ciphertext().to_vec(),
            *made.record.signature(),
        )
        .unwrap();
        let key = VerifyingKey::new(&signer().public(), Check::AuthorDevice).unwrap();
        assert_eq!(
            stored.verify(&key).unwrap().open(&made.key).unwrap().bytes(),
            b"{\"schema\":\"x\"}"
        );
    }

    #[test]
    fn attack_27_a_cloned_generator_gives_another_key_for_another_text_or_record() {
        let one = sealed(b"one", [9; 32]);
        let two = sealed(b"two", [9; 32]);
        assert!(one.key != two.key);
        let mut other = header();
        other.record = RecordId([8; 16]);
        let third = seal(other, b"one", &[9; 32], &SealSecret::from_bytes([7; 32]), &signer()).unwrap();
        assert!(one.key != third.key);
    }

    #[test]
    fn attack_28_another_key_is_refused_by_its_commitment_before_the_cipher_runs() {
        let one = sealed(b"one", [9; 32]);
        let two = sealed(b"two", [9; 32]);
        assert_eq!(one.record.open(&two.key).unwrap_err().check, Check::KeyCommitment);
    }

    #[test]
    fn attack_19_every_bit_of_header_ciphertext_and_signature_is_covered() {
        let made = sealed(b"one", [9; 32]);
        let key = VerifyingKey::new(&signer().public(), Check::AuthorDevice).unwrap();
        let header_bytes = wire::encode(made.record.header()).unwrap();
        for bit in 0..header_bytes.len() * 8 {
            let mut bytes = header_bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(header) = wire::decode::<RecordHeader>(&bytes, HEADER_BYTES) else {
                continue;
            };
            let parts = UnverifiedRecord::new(header, made.record.ciphertext().to_vec(), *made.record.signature());
            let Ok(record) = parts else { continue };
            assert_eq!(record.verify(&key).err().unwrap().check, Check::RecordSignature);
        }
        for bit in 0..made.record.ciphertext().len() * 8 {
            let mut bytes = made.record.ciphertext().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let record = UnverifiedRecord::new(made.record.header().clone(), bytes, *made.record.signature()).unwrap();
            assert_eq!(
                record.clone().verified_at_entry().open(&made.key).unwrap_err().check,
                Check::Aead
            );
            assert_eq!(record.verify(&key).err().unwrap().check, Check::RecordSignature);
        }
        for bit in 0..512 {
            let mut signature = *made.record.signature();
            signature.0[bit / 8] ^= 1 << (bit % 8);
            let record = UnverifiedRecord::new(
                made.record.header().clone(),
                made.record.ciphertext().to_vec(),
                signature,
            )
            .unwrap();
            assert_eq!(record.verify(&key).err().unwrap().check, Check::RecordSignature);
        }
    }
}
