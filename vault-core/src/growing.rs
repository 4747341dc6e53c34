//! How a vault of one person grows: a log that the root names, and members who join.
//!
//! Every step is an event of the agency's stream, judged here as any reader will judge it, so that nothing that was signed
//! before is signed again (`docs/format.md` §5, §7).

use crate::agency_state;
use crate::agency_state::AgencyState;
use crate::check::Refused;
use crate::context::Label;
use crate::crypto::sign::SigningKey;
use crate::founding;
use crate::id::DeviceId;
use crate::id::MemberId;
use crate::keystore::Secrets;
use crate::restoring::Appended;
use crate::wire;
use crate::wire::v1::agency::Root;
use crate::wire::v1::agency::RootSignature;
use crate::wire::v1::agency::Verifier;
use crate::wire::v1::event::Event;
use crate::wire::v1::event::SignedRoot;

/// Puts the next version of the root in force, signed by one administrator alone: `edit` says what is new in it.
///
/// # Errors
/// [`crate::check::Check::AdministratorOnly`], [`crate::check::Check::RootChain`] where this member may not do it alone.
pub fn next_root(
    agency: &mut AgencyState,
    member: MemberId,
    device: DeviceId,
    secrets: &Secrets,
    edit: impl FnOnce(&mut Root),
) -> Result<Appended, Refused> {
    let identity = SigningKey::from_seed(&secrets.identity);
    let mut root = agency.root().clone();
    root.previous = agency_state::root_hash(&root)?;
    root.version = root.version.saturating_add(1);
    edit(&mut root);
    let signature = identity.sign(Label::RootSignature, &[&wire::encode(&root)?]);
    let event = Event::Root(SignedRoot {
        root,
        signatures: vec![RootSignature { member, signature }],
        founding: None,
    });
    let mut links = Vec::new();
    let signer = SigningKey::from_seed(&secrets.device);
    founding::push(agency, &mut links, &signer, device, event, Vec::new())?;
    Ok(Appended {
        links: links.into_iter().map(|(link, _)| link).collect(),
        files: Vec::new(),
    })
}

/// Names the log that a server keeps for the agency.
///
/// # Errors
/// As [`next_root`].
pub fn name_log(
    agency: &mut AgencyState,
    member: MemberId,
    device: DeviceId,
    secrets: &Secrets,
    log: Verifier,
) -> Result<Appended, Refused> {
    next_root(agency, member, device, secrets, |root| root.log = Some(log))
}
