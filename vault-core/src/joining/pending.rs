//! What a device keeps between its request and its enrolment: a file sealed under its future passphrase
//! (`docs/format.md` §19).

use super::Invite;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::keystore;
use crate::keystore::Secrets;
use crate::keystore::Unlocked;
use crate::keystore::hex;
use crate::keystore::unhex;
use crate::opening::fresh;
use crate::secret::RecipientSeed;
use crate::secret::SealSecret;
use crate::secret::SigningSeed;
use crate::secret::StoreKey;
use crate::wire;
use crate::wire::v1::enrolment::InviteKind;
use crate::wire::v1::enrolment::JoinAnswer;
use crate::wire::v1::limit;
use data_encoding::HEXLOWER;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;
use zeroize::Zeroize;
use zeroize::ZeroizeOnDrop;
use zeroize::Zeroizing;

const SCHEMA: &str = "casevault.joining/1";

/// A device that asked to join, with everything that it made.
#[derive(Debug)]
pub struct Pending {
    invite: Invite,
    request: Vec<u8>,
    device: SigningSeed,
    seal_secret: SealSecret,
    store_key: StoreKey,
    own: Own,
}

/// What is the person's own, or what the answer opens with.
#[derive(Debug)]
enum Own {
    Person {
        identity: SigningSeed,
        recipient: RecipientSeed,
    },
    Device {
        once: RecipientSeed,
    },
}

impl Pending {
    /// Makes all that a joining device makes, and the request for it.
    ///
    /// # Errors
    /// None in practice.
    pub fn begin(invite: Invite, random: &mut dyn CryptoRng) -> Result<Self, Refused> {
        let device = SigningSeed::from_bytes(fresh(random));
        let (seal_secret, store_key) = (
            SealSecret::from_bytes(fresh(random)),
            StoreKey::from_bytes(fresh(random)),
        );
        let mut pending = Self {
            own: match invite.sheet().kind {
                InviteKind::Device => Own::Device {
                    once: RecipientSeed::from_bytes(fresh(random)),
                },
                InviteKind::Member | InviteKind::Reset => Own::Person {
                    identity: SigningSeed::from_bytes(fresh(random)),
                    recipient: RecipientSeed::from_bytes(fresh(random)),
                },
            },
            invite,
            request: Vec::new(),
            device,
            seal_secret,
            store_key,
        };
        let joiner = match &pending.own {
            Own::Device { once } => pending.invite.further_device(&pending.device, once),
            Own::Person { .. } => pending.invite.person(&pending.persons_secrets(1)?)?,
        };
        pending.request = pending.invite.seal_request(joiner, random)?;
        Ok(pending)
    }

    /// Returns the invite.
    pub fn invite(&self) -> &Invite {
        &self.invite
    }

    /// Returns the sealed request, the same each time.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Returns the seed of the device's key.
    pub fn device(&self) -> &SigningSeed {
        &self.device
    }

    /// Returns the device's secrets, with those that the answer hands over. `version` is that of a person's recipient, as
    /// the agency's stream has it.
    ///
    /// # Errors
    /// As [`super::take_over`]; [`Check::EnrolmentContext`] for an answer without secrets where they are needed.
    pub fn secrets(&self, answer: &JoinAnswer, version: u32) -> Result<Secrets, Refused> {
        match &self.own {
            Own::Person { .. } => self.persons_secrets(version),
            Own::Device { once } => {
                let file = answer.secrets.as_ref().ok_or(Check::EnrolmentContext)?;
                let taken = super::take_over(&self.invite, once, file)?;
                Ok(Secrets {
                    device: self.device.duplicate(),
                    seal_secret: self.seal_secret.duplicate(),
                    store_key: self.store_key.duplicate(),
                    identity: taken.identity,
                    recipients: taken.recipients,
                    dpo: taken.dpo,
                    recovery: None,
                })
            }
        }
    }

    fn persons_secrets(&self, version: u32) -> Result<Secrets, Refused> {
        let Own::Person { identity, recipient } = &self.own else {
            return Err(Check::EnrolmentContext.into());
        };
        Ok(Secrets {
            device: self.device.duplicate(),
            seal_secret: self.seal_secret.duplicate(),
            store_key: self.store_key.duplicate(),
            identity: identity.duplicate(),
            recipients: vec![(version, recipient.duplicate())],
            dpo: Vec::new(),
            recovery: None,
        })
    }

    /// Seals it; `unlocked` is what the keystore will be sealed with. `fresh` is 32 fresh random bytes.
    ///
    /// # Errors
    /// [`Check::TooLong`], never in practice.
    pub fn write(&self, unlocked: &mut Unlocked, fresh: [u8; 32]) -> Result<Vec<u8>, Refused> {
        let (mut identity, mut recipient, mut once) = (None, None, None);
        match &self.own {
            Own::Person {
                identity: own,
                recipient: to,
            } => (identity, recipient) = (Some(hex(own.expose())), Some(hex(to.expose()))),
            Own::Device { once: to } => once = Some(hex(to.expose())),
        }
        let sheet = Zeroizing::new(wire::encode(self.invite.sheet())?);
        let stored = Stored {
            schema: SCHEMA.to_owned(),
            sheet: HEXLOWER.encode(&sheet),
            request: HEXLOWER.encode(&self.request),
            device: hex(self.device.expose()),
            seal_secret: hex(self.seal_secret.expose()),
            store_key: hex(self.store_key.expose()),
            identity,
            recipient,
            once,
        };
        let json = Zeroizing::new(serde_json::to_vec(&stored).map_err(|_| Check::TooLong)?);
        keystore::write_other(Label::JoiningSeal, unlocked, &json, fresh)
    }

    /// Opens what [`Self::write`] made.
    ///
    /// # Errors
    /// As [`keystore::unlock`].
    pub fn open(file: &[u8], phrase: &str) -> Result<(Unlocked, Self), Refused> {
        let (unlocked, json) = keystore::unlock_other(Label::JoiningSeal, file, phrase)?;
        let stored: Stored = serde_json::from_slice(&json).map_err(|_| Check::Keystore)?;
        let pending = stored.pending().ok_or(Check::Keystore)?;
        let (header, sheet) = (unlocked.header(), pending.invite.sheet());
        let named = (sheet.agency, sheet.member, pending.invite.device());
        require((header.agency, header.member, header.device) == named, Check::Keystore)?;
        Ok((unlocked, pending))
    }
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Stored {
    schema: String,
    sheet: String,
    request: String,
    device: String,
    seal_secret: String,
    store_key: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    recipient: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    once: Option<String>,
}

impl Stored {
    fn pending(&self) -> Option<Pending> {
        let sheet = Zeroizing::new(HEXLOWER.decode(self.sheet.as_bytes()).ok()?);
        let invite = Invite::of(wire::decode(&sheet, limit::SHEET).ok()?).ok()?;
        let own = match (&self.identity, &self.recipient, &self.once) {
            (Some(identity), Some(recipient), None) => Own::Person {
                identity: SigningSeed::from_bytes(unhex(identity)?),
                recipient: RecipientSeed::from_bytes(unhex(recipient)?),
            },
            (None, None, Some(once)) => Own::Device {
                once: RecipientSeed::from_bytes(unhex(once)?),
            },
            _ => return None,
        };
        (self.schema == SCHEMA).then_some(Pending {
            invite,
            request: HEXLOWER.decode(self.request.as_bytes()).ok()?,
            device: SigningSeed::from_bytes(unhex(&self.device)?),
            seal_secret: SealSecret::from_bytes(unhex(&self.seal_secret)?),
            store_key: StoreKey::from_bytes(unhex(&self.store_key)?),
            own,
        })
    }
}
