//! The parts of the golden vectors. All inputs are fixed here.

pub(crate) mod attachment;
pub(crate) mod enrolment;
pub(crate) mod links;
pub(crate) mod log;
pub(crate) mod malformed;
pub(crate) mod primitives;
pub(crate) mod recovery;
pub(crate) mod sealed;
pub(crate) mod server;

use data_encoding::HEXLOWER;
use vault_core::crypto::sign::SigningKey;
use vault_core::id::AgencyId;
use vault_core::id::CaseId;
use vault_core::id::DeviceId;
use vault_core::id::MemberId;
use vault_core::secret::RecipientSeed;
use vault_core::secret::SigningSeed;

pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(bytes.as_ref())
}

pub(crate) fn unhex(text: &serde_json::Value) -> Vec<u8> {
    HEXLOWER.decode(text.as_str().unwrap().as_bytes()).unwrap()
}

pub(crate) const MEMBER: MemberId = MemberId([0x20; 16]);
pub(crate) const OTHER: MemberId = MemberId([0x21; 16]);
pub(crate) const DEVICE: DeviceId = DeviceId([0x30; 16]);
pub(crate) const OTHER_DEVICE: DeviceId = DeviceId([0x31; 16]);
pub(crate) const CASE: CaseId = CaseId([0x40; 16]);

pub(crate) const IDENTITY_SEED: [u8; 32] = [0x01; 32];
pub(crate) const DEVICE_SEED: [u8; 32] = [0x02; 32];
pub(crate) const OTHER_IDENTITY_SEED: [u8; 32] = [0x03; 32];
pub(crate) const OTHER_DEVICE_SEED: [u8; 32] = [0x04; 32];
pub(crate) const LOG_SEED: [u8; 32] = [0x05; 32];
pub(crate) const RECIPIENT_SEED: [u8; 32] = [0x06; 32];
pub(crate) const OTHER_RECIPIENT_SEED: [u8; 32] = [0x07; 32];
pub(crate) const RECOVERY_SEED: [u8; 32] = [0x08; 32];
pub(crate) const RECOVERY_SIGNING_SEED: [u8; 32] = [0x09; 32];
pub(crate) const DPO_SEED: [u8; 32] = [0x0a; 32];
pub(crate) const SEAL_SECRET: [u8; 32] = [0x0b; 32];
pub(crate) const STORE_KEY: [u8; 32] = [0x0c; 32];
pub(crate) const EPOCH_KEY: [u8; 32] = [0x0d; 32];

pub(crate) fn signer(seed: [u8; 32]) -> SigningKey {
    SigningKey::from_seed(&SigningSeed::from_bytes(seed))
}

pub(crate) fn recipient(seed: [u8; 32]) -> RecipientSeed {
    RecipientSeed::from_bytes(seed)
}

/// The agency of all vectors: the hash of [`links::first_root`].
pub(crate) fn agency() -> AgencyId {
    vault_core::agency_state::agency_id(&links::first_root()).unwrap()
}
