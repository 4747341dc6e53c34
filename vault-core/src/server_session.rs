//! How a device begins a session with a server: it signs what the server gave it, for this server alone.
//!
//! The statement names the agency and the server's log key for it, so that no other server can pass the signature on
//! (ATTACKS 40); the challenge is the server's own and short-lived, so that neither side's clock matters.

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

/// Signs a statement.
///
/// # Errors
/// None in practice: a statement is of fixed size.
pub fn sign(statement: SessionStatement, device: &SigningKey) -> Result<SessionRequest, Refused> {
    let bytes = wire::encode(&statement)?;
    Ok(SessionRequest {
        statement,
        signature: device.sign(Label::ServerSession, &[&bytes]),
    })
}

/// Checks that a device signed for a session with this server; the challenge is the caller's to compare.
///
/// # Errors
/// [`Check::ServerSession`].
pub fn verify(
    request: &SessionRequest,
    agency: AgencyId,
    log: PublicKey,
    device: &VerifyingKey,
) -> Result<(), Refused> {
    let SessionRequest { statement, signature } = request;
    require(statement.agency == agency && statement.log == log, Check::ServerSession)?;
    let bytes = wire::encode(statement)?;
    device.verify(Label::ServerSession, &[&bytes], signature, Check::ServerSession)
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
        let request = sign(statement, &device).unwrap();
        let of = |key: &SigningKey| VerifyingKey::new(&key.public(), Check::ServerSession).unwrap();
        assert_eq!(verify(&request, agency, log, &of(&device)), Ok(()));
        let refused = Err(Check::ServerSession.into());
        assert_eq!(verify(&request, agency, key(6).public(), &of(&device)), refused);
        assert_eq!(verify(&request, AgencyId([7; 32]), log, &of(&device)), refused);
        assert_eq!(verify(&request, agency, log, &of(&key(8))), refused);
        let mut other = request;
        other.statement.challenge = [9; 48];
        assert_eq!(verify(&other, agency, log, &of(&device)), refused);
        let mut other = request;
        other.statement.device = DeviceId([9; 16]);
        assert_eq!(verify(&other, agency, log, &of(&device)), refused);
    }
}
