//! Opening epochs: fresh keys for sections, committed to, and one keyring file for each who may read.
//!
//! ```text
//! state after the change -> recipients -> fresh K a section -> commitments, keyrings -> Membership, files, keys
//! ```

use crate::agency_state::AgencyState;
use crate::check::Check;
use crate::check::Refused;
use crate::epoch;
use crate::id::GrantId;
use crate::id::KeyringHash;
use crate::id::MemberId;
use crate::keyring;
use crate::secret::EpochKey;
use crate::wire;
use crate::wire::v1::key::KeyContext;
use crate::wire::v1::key::KeyringRef;
use crate::wire::v1::key::RecipientRef;
use crate::wire::v1::membership::EpochKind;
use crate::wire::v1::membership::EpochOpen;
use crate::wire::v1::membership::Grant;
use crate::wire::v1::membership::GrantedSection;
use crate::wire::v1::membership::Membership;
use crate::wire::v1::membership::Rights;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;
use rand_core::CryptoRng;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// An epoch to be opened.
pub struct Opening {
    /// The section.
    pub section: Section,
    /// Its next number.
    pub epoch: Epoch,
    /// Whose private section it is.
    pub private_author: Option<MemberId>,
    /// Exactly who may open it.
    pub recipients: BTreeSet<RecipientRef>,
}

/// Epochs opened, with what goes beside their link.
pub struct Opened {
    /// The epoch-opens; a set.
    pub opens: Vec<EpochOpen>,
    /// The keyring files' names; a set.
    pub keyrings: Vec<KeyringRef>,
    /// The files.
    pub files: Vec<(KeyringHash, Vec<u8>)>,
    /// The fresh keys.
    pub keys: Vec<(Section, Epoch, EpochKey)>,
}

/// Returns 32 fresh bytes.
pub fn fresh(random: &mut dyn CryptoRng) -> [u8; 32] {
    let mut bytes = [0; 32];
    random.fill_bytes(&mut bytes);
    bytes
}

/// Returns 16 fresh bytes, an id.
pub fn fresh_id(random: &mut dyn CryptoRng) -> [u8; 16] {
    let mut bytes = [0; 16];
    random.fill_bytes(&mut bytes);
    bytes
}

/// Opens head epochs of `stream`: fresh keys, and one keyring for each recipient with what it may open.
///
/// # Errors
/// [`Check::RecipientVersion`] if the agency knows no key for a recipient; [`Check::AgeLimits`].
pub fn open_epochs(
    agency: &AgencyState,
    stream: StreamId,
    openings: &[Opening],
    random: &mut dyn CryptoRng,
) -> Result<Opened, Refused> {
    let mut opens = Vec::new();
    let mut keys = Vec::new();
    let mut readers: BTreeMap<RecipientRef, Vec<usize>> = BTreeMap::new();
    for (index, opening) in openings.iter().enumerate() {
        let key = EpochKey::from_bytes(fresh(random));
        let context = KeyContext {
            agency: agency.id(),
            stream,
            section: opening.section,
            epoch: opening.epoch,
        };
        opens.push(EpochOpen {
            section: opening.section,
            epoch: opening.epoch,
            kind: EpochKind::Head,
            of: Epoch::FIRST,
            private_author: opening.private_author,
            commitment: epoch::commitment(&key, &context)?,
            recipients: wire::sort_set(opening.recipients.iter().copied().collect())?,
        });
        for recipient in &opening.recipients {
            readers.entry(*recipient).or_default().push(index);
        }
        keys.push((opening.section, opening.epoch, key));
    }
    let mut keyrings = Vec::new();
    let mut files = Vec::new();
    for (to, indices) in readers {
        let public = agency.recipient_key(&to).ok_or(Check::RecipientVersion)?;
        let entries: Vec<_> = indices
            .iter()
            .filter_map(|i| keys.get(*i))
            .map(|(s, e, k)| (*s, *e, k))
            .collect();
        let (file, keyring_hash) = keyring::seal(agency.id(), stream, to, public, &entries, random)?;
        keyrings.push(KeyringRef { to, keyring_hash });
        files.push((keyring_hash, file));
    }
    Ok(Opened {
        opens: wire::sort_set(opens)?,
        keyrings: wire::sort_set(keyrings)?,
        files,
        keys,
    })
}

/// Opens a case for `owner`, alone: epoch 0 of every section of the agency, all rights.
///
/// # Errors
/// As [`open_epochs`].
pub fn open_case(
    agency: &AgencyState,
    stream: StreamId,
    owner: MemberId,
    random: &mut dyn CryptoRng,
) -> Result<(Membership, Opened), Refused> {
    let me = agency.member_ref(owner).ok_or(Check::RecipientVersion)?;
    let sections: Vec<Section> = agency.root().sections.iter().map(|s| s.section).collect();
    let openings: Vec<_> = sections
        .iter()
        .map(|section| Opening {
            section: *section,
            epoch: Epoch::FIRST,
            private_author: None,
            recipients: [me, agency.recovery_ref()]
                .into_iter()
                .chain(agency.duty_ref(*section))
                .collect(),
        })
        .collect();
    let opened = open_epochs(agency, stream, &openings, random)?;
    let granted = sections.iter().map(|section| GrantedSection {
        section: *section,
        from_epoch: Epoch::FIRST,
    });
    let grant = Grant {
        grant: GrantId(fresh_id(random)),
        member: owner,
        rights: Rights::ALL,
        sections: wire::sort_set(granted.collect())?,
        until: None,
    };
    let membership = Membership {
        grants: vec![grant],
        revoked: Vec::new(),
        owner: Some(owner),
        opens: opened.opens.clone(),
        due: Vec::new(),
        keyrings: opened.keyrings.clone(),
    };
    Ok((membership, opened))
}

/// Opens an author's private section in a case that has none yet.
///
/// # Errors
/// As [`open_epochs`].
pub fn open_private(
    agency: &AgencyState,
    stream: StreamId,
    section: Section,
    author: MemberId,
    random: &mut dyn CryptoRng,
) -> Result<(Membership, Opened), Refused> {
    let me = agency.member_ref(author).ok_or(Check::RecipientVersion)?;
    let opening = Opening {
        section,
        epoch: Epoch::FIRST,
        private_author: Some(author),
        recipients: [me, agency.recovery_ref()].into_iter().collect(),
    };
    let opened = open_epochs(agency, stream, &[opening], random)?;
    let membership = Membership {
        opens: opened.opens.clone(),
        keyrings: opened.keyrings.clone(),
        ..Membership::default()
    };
    Ok((membership, opened))
}
