//! A new version of the root where one administrator's signature is not enough: proposed, endorsed, put in force.
//!
//! ```text
//! propose ─ file ─> endorse (another administrator) ─ file ─> … ─> adopt: the `root` event, once enough have signed
//! ```
//! A proposal is a `SignedRoot` as its event will carry it, without founding. It is for the root in force alone, which it
//! names as its previous one: whatever comes between makes it worthless, and it is proposed again.

mod change;

pub use change::RootChange;
pub use change::RootPart;

use super::epochs::append;
use super::member::Acting;
use crate::agency_state;
use crate::agency_state::AgencyState;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::id::MemberId;
use crate::restoring::Appended;
use crate::wire;
use crate::wire::v1::agency::Operation;
use crate::wire::v1::agency::Root;
use crate::wire::v1::agency::RootSignature;
use crate::wire::v1::event::Event;
use crate::wire::v1::event::SignedRoot;
use crate::wire::v1::limit;

/// Bytes of a proposal at most: a root, and a signature of each of its administrators.
const LONGEST: usize = limit::ROOT + (64 << 10);

/// Returns how many administrators sign a new version of the root that is in force.
pub fn signatures_of_root(agency: &AgencyState) -> usize {
    let mut thresholds = agency.root().thresholds.iter();
    let needed = thresholds.find(|one| one.operation == Operation::Root);
    needed.map_or(usize::MAX, |one| usize::from(one.administrators))
}

/// A root that is to follow the one in force, with the signatures that it has so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    signed: SignedRoot,
}

impl Proposal {
    /// Proposes the next version of the root, with one's own signature; `edit` says what is new in it. Administrators who
    /// began anew are named by the keys that they have now, without which no next root is valid (CHK-20).
    ///
    /// # Errors
    /// [`Check::AdministratorOnly`].
    pub fn make(agency: &AgencyState, by: Acting<'_>, edit: impl FnOnce(&mut Root)) -> Result<Self, Refused> {
        require(agency.is_administrator(by.member), Check::AdministratorOnly)?;
        let mut root = agency.root().clone();
        root.previous = agency_state::root_hash(&root)?;
        root.version = root.version.checked_add(1).ok_or(Check::RootChain)?;
        for named in &mut root.administrators {
            if let Some(known) = agency.members().get(&named.member) {
                named.identity = known.identity;
            }
        }
        edit(&mut root);
        root.administrators = wire::sort_set(root.administrators)?;
        root.witnesses = super::witnesses_of_root(root.witnesses)?;
        let proposal = Self {
            signed: SignedRoot {
                root,
                signatures: Vec::new(),
                founding: None,
            },
        };
        proposal.endorse(agency, by)
    }

    /// Reads a proposal for the root in force, and verifies the signatures that it has.
    ///
    /// # Errors
    /// [`Check::TooLong`], [`Check::NotCanonical`]; [`Check::RootChain`] for one that follows another root, or has a signature
    /// that is none of an administrator.
    pub fn read(agency: &AgencyState, bytes: &[u8]) -> Result<Self, Refused> {
        let signed: SignedRoot = wire::decode(bytes, LONGEST)?;
        require(signed.founding.is_none(), Check::Founding)?;
        wire::require_set(&signed.signatures)?;
        let (last, next) = (agency.root(), &signed.root);
        let follows = next.version == last.version.saturating_add(1) && next.previous == agency_state::root_hash(last)?;
        require(follows, Check::RootChain)?;
        let encoded = wire::encode(&signed.root)?;
        for one in &signed.signatures {
            require(agency.may_sign_root(one.member), Check::RootChain)?;
            let by = last.administrators.iter().find(|known| known.member == one.member);
            let key = VerifyingKey::new(&by.ok_or(Check::RootChain)?.identity, Check::RootChain)?;
            key.verify(Label::RootSignature, &[&encoded], &one.signature, Check::RootChain)?;
        }
        Ok(Self { signed })
    }

    /// Writes it, for another administrator to endorse.
    ///
    /// # Errors
    /// [`Check::TooLong`], never in practice.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Refused> {
        wire::encode(&self.signed)
    }

    /// Returns the root that is proposed, for whoever endorses it to look at.
    pub fn root(&self) -> &Root {
        &self.signed.root
    }

    /// Returns what it changes of the root in force.
    pub fn changes(&self, agency: &AgencyState) -> Vec<RootChange> {
        change::between(agency.root(), &self.signed.root)
    }

    /// Returns whose signatures it has.
    pub fn signed_by(&self) -> impl Iterator<Item = MemberId> {
        self.signed.signatures.iter().map(|one| one.member)
    }

    /// Adds one's own signature; a second one changes nothing.
    ///
    /// # Errors
    /// [`Check::AdministratorOnly`].
    pub fn endorse(mut self, agency: &AgencyState, by: Acting<'_>) -> Result<Self, Refused> {
        require(agency.is_administrator(by.member), Check::AdministratorOnly)?;
        // Who began anew signs once the root names the new key.
        require(agency.may_sign_root(by.member), Check::AdministratorOnly)?;
        let identity = SigningKey::from_seed(&by.secrets.identity);
        let signature = identity.sign(Label::RootSignature, &[&wire::encode(&self.signed.root)?]);
        let mut signatures = std::mem::take(&mut self.signed.signatures);
        signatures.retain(|known| known.member != by.member);
        signatures.push(RootSignature {
            member: by.member,
            signature,
        });
        self.signed.signatures = wire::sort_set(signatures)?;
        Ok(self)
    }

    /// Returns how many signatures are still missing.
    pub fn missing(&self, agency: &AgencyState) -> usize {
        signatures_of_root(agency).saturating_sub(self.signed.signatures.len())
    }

    /// Puts it in force, once enough administrators have signed.
    ///
    /// # Errors
    /// [`Check::RootChain`] with too few signatures, or after another root came into force; what else a root is refused for.
    pub fn adopt(self, agency: &mut AgencyState, by: Acting<'_>) -> Result<Appended, Refused> {
        append(agency, by.device, by.secrets, Event::Root(self.signed), Vec::new())
    }
}
