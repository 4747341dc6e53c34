//! How a device begins a session with a server: it signs what the server gave it, for this server alone.
//!
//! The statement names the agency and the server's log key for it, so that no other server can pass the signature on
//! (ATTACKS 40); the challenge is the server's own and short-lived, so that neither side's clock matters.
//!
//! A device that a restore made is in the vault's agency stream and not in the server's yet. Where the agency has one
//! administrator alone, that member's identity key signs in the device's place: the same key that the enrolment counts by.

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::sign::PublicKey;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::id::AgencyId;
use crate::wire;
use crate::wire::v1::sync::SessionRequest;
use crate::wire::v1::sync::SessionStatement;

/// By whose word a session begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum By {
    /// The device's own key.
    Device,
    /// The identity key of the agency's sole administrator, for a device that a restore made.
    Identity,
}

impl By {
    fn label(self) -> Label {
        match self {
            Self::Device => Label::ServerSession,
            Self::Identity => Label::RestoredSession,
        }
    }
}

/// Signs a statement.
///
/// # Errors
/// None in practice: a statement is of fixed size.
pub fn sign(statement: SessionStatement, by: By, key: &SigningKey) -> Result<SessionRequest, Refused> {
    let bytes = wire::encode(&statement)?;
    Ok(SessionRequest {
        statement,
        signature: key.sign(by.label(), &[&bytes]),
    })
}

/// Checks that a key signed for a session with this server; the challenge is the caller's to compare, and whose key it is.
///
/// # Errors
/// [`Check::ServerSession`].
pub fn verify(
    request: &SessionRequest,
    agency: AgencyId,
    log: PublicKey,
    by: By,
    key: &VerifyingKey,
) -> Result<(), Refused> {
    let SessionRequest { statement, signature } = request;
    require(statement.agency == agency && statement.log == log, Check::ServerSession)?;
    let bytes = wire::encode(statement)?;
    key.verify(by.label(), &[&bytes], signature, Check::ServerSession)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::id::DeviceId;
    use crate::secret::SigningSeed;

    #[test]
    fn chk_140_a_session_is_with_one_server_by_one_device() {
        let key = |seed| SigningKey::from_seed(&SigningSeed::from_bytes([seed; 32]));
        let (device, log) = (key(1), key(2).public());
        let agency = AgencyId([3; 32]);
        let statement = SessionStatement {
            agency,
            log,
            device: DeviceId([4; 16]),
            challenge: [5; 48],
        };
        let request = sign(statement, By::Device, &device).unwrap();
        let of = |key: &SigningKey| VerifyingKey::new(&key.public(), Check::ServerSession).unwrap();
        assert_eq!(verify(&request, agency, log, By::Device, &of(&device)), Ok(()));
        let refused = Err(Check::ServerSession.into());
        assert_eq!(
            verify(&request, agency, key(6).public(), By::Device, &of(&device)),
            refused
        );
        assert_eq!(
            verify(&request, AgencyId([7; 32]), log, By::Device, &of(&device)),
            refused
        );
        assert_eq!(verify(&request, agency, log, By::Device, &of(&key(8))), refused);
        let mut other = request;
        other.statement.challenge = [9; 48];
        assert_eq!(verify(&other, agency, log, By::Device, &of(&device)), refused);
        let mut other = request;
        other.statement.device = DeviceId([9; 16]);
        assert_eq!(verify(&other, agency, log, By::Device, &of(&device)), refused);
        // One way's signature is none of the other's, whoever has the key.
        assert_eq!(verify(&request, agency, log, By::Identity, &of(&device)), refused);
        let restored = sign(statement, By::Identity, &device).unwrap();
        assert_eq!(verify(&restored, agency, log, By::Identity, &of(&device)), Ok(()));
        assert_eq!(verify(&restored, agency, log, By::Device, &of(&device)), refused);
    }
}
