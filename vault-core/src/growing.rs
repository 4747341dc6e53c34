//! How a vault of one person grows: a log that the root names, and members who join.
//!
//! Every step is an event of the agency's stream, judged here as any reader will judge it, so that nothing that was signed
//! before is signed again (`docs/format.md` §5, §7).

mod epochs;
mod member;

pub use epochs::Owed;
pub use epochs::open_agency_epoch;
pub use epochs::open_role_epoch;
pub use epochs::owed;
pub use epochs::renew;
pub use member::Acting;
pub use member::change_roles;
pub use member::enrol;
pub use member::join;
pub use member::renew_recipient;
pub use member::reset;
pub use member::retire;
pub use member::retire_device;

use crate::agency_state;
use crate::agency_state::AgencyState;
use crate::check::Refused;
use crate::context::Label;
use crate::crypto::sign::SigningKey;
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
    epochs::append(agency, device, secrets, event, Vec::new())
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
