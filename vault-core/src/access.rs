//! Access entries: forward-secure, constant in size, sealed to the data-protection role (`docs/format.md` §9).
//!
//! ```text
//! segment: S0 --age--> role key      entry i: KDF(S_i) seals it, S_i+1 = KDF(S_i), S_i erased with the same commit
//! ```
//!
//! A thief of the device cannot open or rewrite what was logged before the theft; a reviewer pays one public-key
//! operation a segment.

use crate::agency_state::AgencyState;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::aead::Sealer;
use crate::crypto::hash::derive;
use crate::crypto::hash::extract;
use crate::crypto::hash::hash;
use crate::crypto::pad;
use crate::id::AgencyId;
use crate::id::BodyHash;
use crate::id::DeviceId;
use crate::keyring;
use crate::keyring::keyring_hash;
use crate::secret::RatchetState;
use crate::secret::RecipientSeed;
use crate::secret::SealSecret;
use crate::seen::SeenSoFar;
use crate::stream::UnverifiedLink;
use crate::wire;
use crate::wire::v1::FORMAT;
use crate::wire::v1::access::AccessEntry;
use crate::wire::v1::access::AccessOperation;
use crate::wire::v1::access::AccessSegment;
use crate::wire::v1::access::SegmentStart;
use crate::wire::v1::agency::RecipientKey;
use crate::wire::v1::limit;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::stream::StreamId;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes of every sealed body.
pub const BODY_BYTES: usize = 1024;
/// Bytes of its padded plaintext: less the fresh part (32), commitment (32) and tag (16).
pub const PLAINTEXT_BYTES: usize = BODY_BYTES - 80;
/// Most entries of a segment.
pub const SEGMENT_ENTRIES: u32 = 4096;

/// An access stream's writing end: the state that seals the next entry, and can open none before it.
#[derive(Debug)]
pub struct Ratchet {
    agency: AgencyId,
    device: DeviceId,
    dpo_epoch: u32,
    segment: u32,
    index: u32,
    state: RatchetState,
}

/// A sealed access entry.
#[derive(Debug)]
pub struct SealedEntry {
    /// What the link says.
    pub entry: AccessEntry,
    /// The sealed body, 1,024 bytes.
    pub body: Vec<u8>,
    /// The sealed manifest.
    pub manifest: Option<Vec<u8>>,
}

impl Ratchet {
    /// Begins a segment. `s0` is 32 fresh random bytes. Returns the link's content and the age file beside it.
    ///
    /// # Errors
    /// [`Check::AgeLimits`] if the role's recipient is no public key.
    pub fn begin(
        agency: AgencyId,
        device: DeviceId,
        segment: u32,
        (dpo_epoch, dpo): (u32, &RecipientKey),
        s0: [u8; 32],
        random: &mut dyn CryptoRng,
    ) -> Result<(Self, AccessSegment, Vec<u8>), Refused> {
        let start = SegmentStart {
            format: FORMAT,
            agency,
            device,
            segment,
            s0,
        };
        let file = keyring::seal_to(dpo, &Zeroizing::new(wire::encode(&start)?), random)?;
        let begun = AccessSegment {
            segment,
            dpo_epoch,
            start_hash: keyring_hash(&file),
        };
        let state = RatchetState::from_bytes(s0);
        Ok((
            Self {
                agency,
                device,
                dpo_epoch,
                segment,
                index: 0,
                state,
            },
            begun,
            file,
        ))
    }

    /// Whether the next entry needs a new segment: this one is full, or the role key moved on.
    pub fn is_over(&self, dpo_epoch: u32) -> bool {
        self.index >= SEGMENT_ENTRIES || self.dpo_epoch != dpo_epoch
    }

    /// Returns the number of the segment.
    pub fn segment(&self) -> u32 {
        self.segment
    }

    /// Seals the next entry and moves on; what sealed it is gone. `random` is 32 fresh bytes of the operating system.
    ///
    /// # Errors
    /// [`Check::TooLong`] if `json` is over 943 bytes, or the segment is full.
    ///
    /// # Security
    /// Two machines cloned with this state seal different entries under different keys: the fresh part mixes
    /// `random`, the device's secret and what is sealed, as a record key does.
    pub fn seal(
        &mut self,
        operation: AccessOperation,
        subject: Option<StreamId>,
        json: &[u8],
        manifest: Option<&[u8]>,
        random: &[u8; 32],
        secret: &SealSecret,
    ) -> Result<SealedEntry, Refused> {
        require(self.index < SEGMENT_ENTRIES, Check::TooLong)?;
        let place = context(self.agency, self.device, self.segment, self.index);
        let text = pad::pad_to(json, PLAINTEXT_BYTES)?;
        let listed = manifest.map(pad::pad);
        let text_hash = hash(Label::PlaintextHash, &[&text]);
        let listed_hash = listed.as_ref().map(|listed| hash(Label::PlaintextHash, &[listed]));
        let mixed = extract(
            random,
            &[
                secret.expose(),
                &text_hash,
                listed_hash.as_ref().map_or(&[], |h| h.as_slice()),
            ],
        );
        let fresh = derive::<32>(Label::AccessFresh, &mixed, &[&place]);
        let context = sealing_context(&place, fresh.as_slice());
        let mut body = fresh.to_vec();
        body.extend_from_slice(&seal_part(Label::AccessEntry, &self.state, &context, text)?);
        let manifest = match listed {
            Some(listed) => Some(seal_part(Label::AccessManifest, &self.state, &context, listed)?),
            None => None,
        };
        let entry = AccessEntry {
            segment: self.segment,
            index: self.index,
            operation,
            subject,
            release_hash: BodyHash::ZERO,
            body_hash: body_hash(&body),
            manifest_hash: manifest.as_deref().map_or(BodyHash::ZERO, manifest_hash),
        };
        self.state = next(&self.state, &place);
        self.index += 1;
        Ok(SealedEntry { entry, body, manifest })
    }

    /// Returns the state for a local sealed value, 44 bytes.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(44));
        out.extend_from_slice(&self.dpo_epoch.to_be_bytes());
        out.extend_from_slice(&self.segment.to_be_bytes());
        out.extend_from_slice(&self.index.to_be_bytes());
        out.extend_from_slice(self.state.expose());
        out
    }

    /// Reads a state back.
    ///
    /// # Errors
    /// [`Check::LocalValue`] if it is none.
    pub fn from_bytes(agency: AgencyId, device: DeviceId, bytes: &[u8]) -> Result<Self, Refused> {
        let number = |at: usize| -> Option<u32> { Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?)) };
        let read = || -> Option<Self> {
            let state: [u8; 32] = bytes.get(12..44)?.try_into().ok()?;
            let (dpo_epoch, segment, index) = (number(0)?, number(4)?, number(8)?);
            let state = RatchetState::from_bytes(state);
            (bytes.len() == 44).then_some(Self {
                agency,
                device,
                dpo_epoch,
                segment,
                index,
                state,
            })
        };
        read().ok_or(Check::LocalValue.into())
    }
}

/// A reviewer's reading end: opens a segment's entries in their order.
pub struct SegmentReader {
    agency: AgencyId,
    device: DeviceId,
    segment: u32,
    index: u32,
    state: RatchetState,
}

/// An opened entry.
#[derive(Debug)]
pub struct OpenedEntry {
    /// The JSON `casevault.access/1`.
    pub json: Zeroizing<Vec<u8>>,
    /// The manifest's JSON.
    pub manifest: Option<Zeroizing<Vec<u8>>>,
}

impl SegmentReader {
    /// Opens a segment's start with the role key of its epoch.
    ///
    /// # Errors
    /// [`Check::AccessContext`] if the file is not the link's, or for another device; [`Check::AgeLimits`].
    pub fn open(
        agency: AgencyId,
        device: DeviceId,
        begun: &AccessSegment,
        file: &[u8],
        role: &RecipientSeed,
    ) -> Result<Self, Refused> {
        require(keyring_hash(file) == begun.start_hash, Check::AccessContext)?;
        let text = keyring::open_with(role, file, limit::SEGMENT_START)?;
        let start: SegmentStart = wire::decode(&text, limit::SEGMENT_START)?;
        let fits = start.agency == agency && start.device == device && start.segment == begun.segment;
        require(fits && start.format == FORMAT, Check::AccessContext)?;
        let state = RatchetState::from_bytes(start.s0);
        Ok(Self {
            agency,
            device,
            segment: begun.segment,
            index: 0,
            state,
        })
    }

    /// Opens the next entry.
    ///
    /// # Errors
    /// [`Check::AccessSequence`] if it is not the next; [`Check::AccessBody`] if it does not open. The reader has
    /// moved on either way, so that one bad entry hides no other.
    pub fn next(&mut self, entry: &AccessEntry, body: &[u8], manifest: Option<&[u8]>) -> Result<OpenedEntry, Refused> {
        require(
            entry.segment == self.segment && entry.index == self.index,
            Check::AccessSequence,
        )?;
        let context = context(self.agency, self.device, self.segment, self.index);
        let opened = self.open_entry(entry, body, manifest, &context);
        self.state = next(&self.state, &context);
        self.index += 1;
        opened
    }

    fn open_entry(
        &self,
        entry: &AccessEntry,
        body: &[u8],
        manifest: Option<&[u8]>,
        context: &[u8],
    ) -> Result<OpenedEntry, Refused> {
        require_parts(entry, body, manifest)?;
        let (fresh, sealed) = body.split_at_checked(32).ok_or(Check::AccessBody)?;
        let context = &sealing_context(context, fresh);
        let mut json = open_part(Label::AccessEntry, &self.state, context, sealed)?;
        let length = pad::unpad_any(&json).map_err(|_| Check::AccessBody)?.len();
        json.truncate(length);
        let manifest = match manifest {
            None => None,
            Some(sealed) => {
                let mut text = open_part(Label::AccessManifest, &self.state, context, sealed)?;
                let length = pad::unpad(&text).map_err(|_| Check::AccessBody)?.len();
                text.truncate(length);
                Some(text)
            }
        };
        Ok(OpenedEntry { json, manifest })
    }
}

/// Refuses a stored body or manifest that is not the one the link names.
///
/// # Errors
/// [`Check::AccessBody`].
pub fn require_parts(entry: &AccessEntry, body: &[u8], manifest: Option<&[u8]>) -> Result<(), Refused> {
    require_body(entry, body)?;
    let listed = manifest.map_or(BodyHash::ZERO, manifest_hash) == entry.manifest_hash;
    require(listed, Check::AccessBody)
}

/// Refuses a stored body that is not the one the link names.
///
/// # Errors
/// [`Check::AccessBody`].
pub fn require_body(entry: &AccessEntry, body: &[u8]) -> Result<(), Refused> {
    require(
        body.len() == BODY_BYTES && body_hash(body) == entry.body_hash,
        Check::AccessBody,
    )
}

/// What an access stream's clear fields have to say, link by link.
#[derive(Clone, Debug)]
pub struct AccessState {
    device: DeviceId,
    next_segment: u32,
    next_index: Option<u32>,
    dpo_epoch: u32,
    cited: u64,
    seen: SeenSoFar,
}

impl AccessState {
    /// A stream without links.
    pub fn empty(device: DeviceId) -> Self {
        Self {
            device,
            next_segment: 0,
            next_index: None,
            dpo_epoch: 0,
            cited: 0,
            seen: SeenSoFar::default(),
        }
    }

    /// The state of a stream whose last link is known and was judged: it follows from that link alone.
    ///
    /// # Errors
    /// [`Check::AgencyHead`] for an unknown agency link; [`Check::KindOfStream`]; [`Check::AccessSequence`].
    pub fn after(device: DeviceId, agency: &AgencyState, last: &UnverifiedLink) -> Result<Self, Refused> {
        let cited = agency
            .seq_of(&last.link().agency_head)
            .ok_or(Refused::by(Check::AgencyHead))?;
        let (segment, index) = match &last.link().body {
            LinkBody::Segment(begun) => (begun.segment, Some(0)),
            LinkBody::Access(entry) => (entry.segment, entry.index.checked_add(1)),
            LinkBody::Record(_) | LinkBody::Event(_) | LinkBody::Rewrap(_) => return Err(Check::KindOfStream.into()),
        };
        Ok(Self {
            device,
            next_segment: segment.checked_add(1).ok_or(Check::AccessSequence)?,
            next_index: Some(index.ok_or(Check::AccessSequence)?),
            // A segment begins, and goes on, in the epoch in force at the agency link that its links cite.
            dpo_epoch: agency.at(cited).dpo_epoch(),
            cited,
            seen: SeenSoFar::after(last.link()),
        })
    }

    /// Returns the number that the next segment takes.
    pub fn next_segment(&self) -> u32 {
        self.next_segment
    }

    /// Judges the stream's next link. The caller follows the chain and checks signature and bodies.
    ///
    /// # Errors
    /// [`Check::Agency`], [`Check::AgencyHead`], [`Check::Signer`], [`Check::KindOfStream`],
    /// [`Check::AccessSequence`], [`Check::AccessContext`] for an unknown role epoch.
    pub fn judge(&mut self, agency: &AgencyState, link: &UnverifiedLink) -> Result<(), Refused> {
        let link = link.link();
        require(
            link.agency == agency.id() && link.stream == StreamId::access(self.device),
            Check::Agency,
        )?;
        let cited = agency.seq_of(&link.agency_head).ok_or(Check::AgencyHead)?;
        require(cited >= self.cited, Check::AgencyHead)?;
        require(link.device == self.device, Check::Signer)?;
        let seen = self.seen.with(agency.at(cited), link)?;
        agency.at(cited).live_device(link.device)?;
        match &link.body {
            LinkBody::Segment(begun) => {
                require(begun.segment == self.next_segment, Check::AccessSequence)?;
                // Sealed to an epoch that is over, the entries could be read by officers who have left.
                let in_force = agency.at(cited).dpo_epoch();
                require(begun.dpo_epoch == in_force, Check::AccessContext)?;
                self.next_segment = begun.segment.checked_add(1).ok_or(Check::AccessSequence)?;
                self.next_index = Some(0);
                self.dpo_epoch = in_force;
            }
            LinkBody::Access(entry) => {
                let index = self.next_index.ok_or(Check::AccessSequence)?;
                let here = entry.segment.checked_add(1) == Some(self.next_segment) && entry.index == index;
                require(here && index < SEGMENT_ENTRIES, Check::AccessSequence)?;
                let over = agency.at(cited).dpo_epoch() != self.dpo_epoch;
                require(!over, Check::AccessContext)?;
                self.next_index = Some(index + 1);
            }
            LinkBody::Record(_) | LinkBody::Event(_) | LinkBody::Rewrap(_) => {
                return Err(Check::KindOfStream.into());
            }
        }
        self.cited = cited;
        self.seen = seen;
        Ok(())
    }
}

fn context(agency: AgencyId, device: DeviceId, segment: u32, index: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(56);
    out.extend_from_slice(&agency.0);
    out.extend_from_slice(&device.0);
    out.extend_from_slice(&segment.to_be_bytes());
    out.extend_from_slice(&index.to_be_bytes());
    out
}

/// An entry's place with its fresh part: what key and nonce are derived for.
fn sealing_context(place: &[u8], fresh: &[u8]) -> Vec<u8> {
    [place, fresh].concat()
}

fn next(state: &RatchetState, context: &[u8]) -> RatchetState {
    RatchetState::from_bytes(*derive(Label::AccessNext, state.expose(), &[context]))
}

fn seal_part(
    label: Label,
    state: &RatchetState,
    context: &[u8],
    mut text: Zeroizing<Vec<u8>>,
) -> Result<Vec<u8>, Refused> {
    let sealer = Sealer::derive(label, state.expose(), &[context]);
    sealer.seal(context, &mut text)?;
    let mut out = sealer.commitment().to_vec();
    out.extend_from_slice(&text);
    Ok(out)
}

fn open_part(label: Label, state: &RatchetState, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let (commitment, ciphertext) = sealed.split_at_checked(32).ok_or(Check::AccessBody)?;
    let sealer = Sealer::derive(label, state.expose(), &[context]);
    sealer
        .require_commitment(commitment)
        .and_then(|()| sealer.open(context, ciphertext))
        .map_err(|_| Refused::by(Check::AccessBody))
}

fn body_hash(body: &[u8]) -> BodyHash {
    BodyHash(hash(Label::AccessBodyHash, &[body]))
}

fn manifest_hash(manifest: &[u8]) -> BodyHash {
    BodyHash(hash(Label::ManifestHash, &[manifest]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    struct Os;

    impl rand_core::TryRng for Os {
        type Error = std::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            let mut bytes = [0; 4];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u32::from_ne_bytes(bytes))
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            let mut bytes = [0; 8];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u64::from_ne_bytes(bytes))
        }

        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
            getrandom::fill(out).unwrap();
            Ok(())
        }
    }

    impl rand_core::TryCryptoRng for Os {}

    fn seal(
        ratchet: &mut Ratchet,
        operation: AccessOperation,
        subject: Option<StreamId>,
        json: &[u8],
        manifest: Option<&[u8]>,
    ) -> Result<SealedEntry, Refused> {
        ratchet.seal(
            operation,
            subject,
            json,
            manifest,
            &[3; 32],
            &SealSecret::from_bytes([4; 32]),
        )
    }

    #[test]
    fn attack_27_a_cloned_ratchet_seals_another_entry_under_another_key() {
        let (ratchet, _, _, _) = begun();
        let clone = || Ratchet::from_bytes(AgencyId([1; 32]), DeviceId([2; 16]), &ratchet.to_bytes()).unwrap();
        let one = seal(&mut clone(), AccessOperation::Open, None, b"{\"a\":1}", None).unwrap();
        let two = seal(&mut clone(), AccessOperation::Open, None, b"{\"a\":2}", None).unwrap();
        let three = seal(&mut clone(), AccessOperation::Open, None, b"{\"a\":1}", Some(b"[]")).unwrap();
        // Fresh part and commitment differ, and with the commitment the key.
        assert_ne!(one.body[..32], two.body[..32]);
        assert_ne!(one.body[32..64], two.body[32..64]);
        assert_ne!(one.body[32..64], three.body[32..64]);
    }

    fn begun() -> (Ratchet, AccessSegment, Vec<u8>, RecipientSeed) {
        let seed = RecipientSeed::from_bytes([7; 32]);
        let key = keyring::recipient_key(&seed);
        let (ratchet, segment, file) =
            Ratchet::begin(AgencyId([1; 32]), DeviceId([2; 16]), 0, (0, &key), [9; 32], &mut Os).unwrap();
        (ratchet, segment, file, seed)
    }

    #[test]
    fn entries_are_of_constant_size_and_open_in_order() {
        let (mut ratchet, segment, file, seed) = begun();
        let one = seal(&mut ratchet, AccessOperation::Open, None, b"{}", None).unwrap();
        let long = vec![b'x'; PLAINTEXT_BYTES - 1];
        let two = seal(&mut ratchet, AccessOperation::Hits, None, &long, Some(b"[1,2]")).unwrap();
        assert_eq!([one.body.len(), two.body.len()], [BODY_BYTES, BODY_BYTES]);
        let mut reader = SegmentReader::open(AgencyId([1; 32]), DeviceId([2; 16]), &segment, &file, &seed).unwrap();
        assert_eq!(reader.next(&one.entry, &one.body, None).unwrap().json.as_slice(), b"{}");
        let opened = reader.next(&two.entry, &two.body, two.manifest.as_deref()).unwrap();
        assert_eq!(
            (opened.json.len(), opened.manifest.unwrap().as_slice()),
            (PLAINTEXT_BYTES - 1, b"[1,2]".as_slice())
        );
        let too_long = vec![b'x'; PLAINTEXT_BYTES];
        let refused = seal(&mut ratchet, AccessOperation::Open, None, &too_long, None).unwrap_err();
        assert_eq!(refused.check, Check::TooLong);
    }

    #[test]
    fn the_state_kept_after_an_entry_opens_none_before_it() {
        let (mut ratchet, _, _, _) = begun();
        let one = seal(&mut ratchet, AccessOperation::Open, None, b"{}", None).unwrap();
        let kept = Ratchet::from_bytes(AgencyId([1; 32]), DeviceId([2; 16]), &ratchet.to_bytes()).unwrap();
        let mut thief = SegmentReader {
            agency: kept.agency,
            device: kept.device,
            segment: 0,
            index: 0,
            state: kept.state.duplicate(),
        };
        assert_eq!(
            thief.next(&one.entry, &one.body, None).unwrap_err().check,
            Check::AccessBody
        );
    }

    #[test]
    fn chk_91_a_segment_for_another_device_is_refused() {
        let (_, segment, file, seed) = begun();
        let other = SegmentReader::open(AgencyId([1; 32]), DeviceId([3; 16]), &segment, &file, &seed);
        assert_eq!(other.err().unwrap().check, Check::AccessContext);
    }

    #[test]
    fn chk_92_a_flipped_body_or_a_missing_manifest_is_refused_and_hides_no_other_entry() {
        let (mut ratchet, segment, file, seed) = begun();
        let one = seal(&mut ratchet, AccessOperation::Open, None, b"{}", Some(b"[]")).unwrap();
        let two = seal(&mut ratchet, AccessOperation::Open, None, b"{}", None).unwrap();
        let mut reader = SegmentReader::open(AgencyId([1; 32]), DeviceId([2; 16]), &segment, &file, &seed).unwrap();
        assert_eq!(
            reader.next(&one.entry, &one.body, None).unwrap_err().check,
            Check::AccessBody
        );
        let mut flipped = two.body.clone();
        flipped[500] ^= 1;
        assert_eq!(
            require_parts(&two.entry, &flipped, None).unwrap_err().check,
            Check::AccessBody
        );
        assert!(reader.next(&two.entry, &two.body, None).is_ok());
    }
}
