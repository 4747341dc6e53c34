//! Epoch keys, section keys, and the wraps of record keys under them (`docs/format.md` §3, §4).

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::context::framed;
use crate::crypto::aead;
use crate::crypto::hash::derive;
use crate::crypto::hash::extract;
use crate::crypto::hash::hash;
use crate::id::WrapHash;
use crate::secret::EpochKey;
use crate::secret::RecordKey;
use crate::secret::ReleaseHalf;
use crate::secret::SectionKey;
use crate::wire;
use crate::wire::v1::key::KeyContext;
use crate::wire::v1::key::WrapContext;
use crate::wire::v1::link::Release;
use crate::wire::v1::stream::Month;
use subtle::ConstantTimeEq;

/// Bytes of a wrap: a 32-byte record key and a tag.
pub const WRAP_BYTES: usize = 48;

/// A wrapped record key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrap(pub [u8; WRAP_BYTES]);

impl Wrap {
    /// Returns the hash that a placement names.
    pub fn hash(&self) -> WrapHash {
        WrapHash(hash(Label::WrapHash, &[&self.0]))
    }
}

/// Returns the commitment to an epoch key, 32 bytes, that its epoch-open carries.
///
/// # Errors
/// None in practice: the context is of fixed size.
pub fn commitment(key: &EpochKey, context: &KeyContext) -> Result<[u8; 32], Refused> {
    Ok(*derive::<32>(
        Label::EpochCommitment,
        key.expose(),
        &[&wire::encode(context)?],
    ))
}

/// Refuses an epoch key that does not open to the commitment of its epoch-open.
///
/// # Errors
/// [`Check::EpochCommitment`].
pub fn require_commitment(key: &EpochKey, context: &KeyContext, committed: &[u8; 32]) -> Result<(), Refused> {
    require(
        commitment(key, context)?.ct_eq(committed).into(),
        Check::EpochCommitment,
    )
}

/// A section key with the context that its wraps are bound to.
pub struct SectionSealer {
    context: KeyContext,
    month: Month,
    key: SectionKey,
}

impl SectionSealer {
    /// Derives the section key of a month.
    ///
    /// # Errors
    /// None in practice: the context is of fixed size.
    pub fn derive(key: &EpochKey, half: &ReleaseHalf, context: KeyContext, release: &Release) -> Result<Self, Refused> {
        let version = release.commitment.as_ref().map_or(0, |c| c.version);
        let mixed = extract(half.expose(), &[key.expose()]);
        let parts: [&[u8]; 3] = [
            &wire::encode(&context)?,
            &release.month.0.to_be_bytes(),
            &version.to_be_bytes(),
        ];
        let key = SectionKey::from_bytes(*derive(Label::SectionKey, &mixed, &parts));
        Ok(Self {
            context,
            month: release.month,
            key,
        })
    }

    /// Wraps the key of the record that `record_hash` names.
    ///
    /// # Errors
    /// None in practice: everything is of fixed size.
    pub fn wrap(&self, key: &RecordKey, record_hash: crate::id::RecordHash) -> Result<Wrap, Refused> {
        let (okm, context) = self.wrap_key(record_hash)?;
        let mut text = Vec::with_capacity(WRAP_BYTES);
        text.extend_from_slice(key.expose());
        aead::seal(
            &aead::part(okm.as_slice(), 0),
            &aead::part(okm.as_slice(), 32),
            &context,
            &mut text,
        )?;
        Ok(Wrap(aead::part(&text, 0)))
    }

    /// Unwraps the key of the record that `record_hash` names.
    ///
    /// # Errors
    /// [`Check::Aead`], without detail.
    pub fn unwrap(&self, wrap: &Wrap, record_hash: crate::id::RecordHash) -> Result<RecordKey, Refused> {
        let (okm, context) = self.wrap_key(record_hash)?;
        let key = aead::open(
            &aead::part(okm.as_slice(), 0),
            &aead::part(okm.as_slice(), 32),
            &context,
            &wrap.0,
        )?;
        Ok(RecordKey::from_bytes(aead::part(&key, 0)))
    }

    fn wrap_key(&self, record_hash: crate::id::RecordHash) -> Result<(zeroize::Zeroizing<[u8; 56]>, Vec<u8>), Refused> {
        let KeyContext {
            agency,
            stream,
            section,
            epoch,
        } = self.context;
        let context = WrapContext {
            agency,
            stream,
            section,
            epoch,
            month: self.month,
            record_hash,
        };
        let okm = derive::<56>(Label::WrapSeal, self.key.expose(), &[&record_hash.0]);
        Ok((okm, wire::encode(&context)?))
    }
}

/// Returns the bytes that the log key signs for a release half.
///
/// # Errors
/// None in practice: everything is of fixed size.
pub fn release_commitment_bytes(context: &KeyContext, release: &Release) -> Result<Vec<u8>, Refused> {
    let (version, commitment) = release
        .commitment
        .as_ref()
        .map_or((0, [0; 32]), |c| (c.version, c.commitment));
    let parts: [&[u8]; 4] = [
        &wire::encode(context)?,
        &release.month.0.to_be_bytes(),
        &version.to_be_bytes(),
        &commitment,
    ];
    Ok(framed(Label::ReleaseCommitment, &parts))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::id::AgencyId;
    use crate::id::CaseId;
    use crate::id::RecordHash;
    use crate::wire::v1::stream::Epoch;
    use crate::wire::v1::stream::Section;
    use crate::wire::v1::stream::StreamId;

    fn context() -> KeyContext {
        KeyContext {
            agency: AgencyId([1; 32]),
            stream: StreamId::case(CaseId([2; 16])),
            section: Section::CORE,
            epoch: Epoch::FIRST,
        }
    }

    fn sealer(context: KeyContext, month: u16) -> SectionSealer {
        let release = Release {
            month: Month(month),
            commitment: None,
        };
        SectionSealer::derive(&EpochKey::from_bytes([3; 32]), &ReleaseHalf::none(), context, &release).unwrap()
    }

    #[test]
    fn attack_14_a_wrap_opens_in_its_own_place_only() {
        let record = RecordHash([5; 32]);
        let key = RecordKey::from_bytes([4; 32]);
        let wrap = sealer(context(), 600).wrap(&key, record).unwrap();
        assert!(sealer(context(), 600).unwrap(&wrap, record).unwrap() == key);
        let elsewhere = [
            KeyContext {
                agency: AgencyId([9; 32]),
                ..context()
            },
            KeyContext {
                stream: StreamId::case(CaseId([9; 16])),
                ..context()
            },
            KeyContext {
                section: Section::INDEX,
                ..context()
            },
            KeyContext {
                epoch: Epoch(1),
                ..context()
            },
        ];
        for other in elsewhere {
            assert_eq!(sealer(other, 600).unwrap(&wrap, record).unwrap_err().check, Check::Aead);
        }
        assert_eq!(
            sealer(context(), 601).unwrap(&wrap, record).unwrap_err().check,
            Check::Aead
        );
        assert_eq!(
            sealer(context(), 600)
                .unwrap(&wrap, RecordHash([6; 32]))
                .unwrap_err()
                .check,
            Check::Aead
        );
    }

    #[test]
    fn chk_32_an_epoch_key_counts_only_if_it_opens_to_its_commitment() {
        let key = EpochKey::from_bytes([3; 32]);
        let committed = commitment(&key, &context()).unwrap();
        assert!(require_commitment(&key, &context(), &committed).is_ok());
        let other = EpochKey::from_bytes([4; 32]);
        let refused = require_commitment(&other, &context(), &committed).unwrap_err();
        assert_eq!(refused.check, Check::EpochCommitment);
        let elsewhere = KeyContext {
            epoch: Epoch(1),
            ..context()
        };
        assert!(require_commitment(&key, &elsewhere, &committed).is_err());
    }
}
