//! How a member or a device joins: a sheet on paper, and two messages that a server carries without reading them
//! (`docs/format.md` §19).
//!
//! ```text
//! administrator ─ sheet (agency, root, log, one-time secret) ─ paper ─> joining device
//! joining device ─ request: public halves of what it made ─ sealed ─ server ─> administrator
//! administrator ─ events in the agency's stream; answer ─ sealed ─ server ─> joining device
//! ```
//! All keys are derived from the sheet's 128 bits with the whole sheet as salt, so that neither the server nor whoever
//! changes a letter of the sheet learns or alters anything (ATTACKS 36). What a member's further device is handed is sealed
//! to a recipient of that device besides: the paper and the server's copy together do not open it.

mod pending;
mod sheet;

pub use pending::Pending;
pub use sheet::SheetError;
pub use sheet::read as read_sheet;
pub use sheet::rows as sheet_rows;
pub use sheet::scanned as sheet_scanned;

use crate::agency_state;
use crate::agency_state::AgencyState;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::aead;
use crate::crypto::aead::Sealer;
use crate::crypto::hash::derive;
use crate::crypto::hash::extract;
use crate::crypto::hash::hash;
use crate::crypto::pad;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::id::DeviceId;
use crate::id::LinkId;
use crate::id::MemberId;
use crate::id::crockford;
use crate::keyring;
use crate::keystore::Secrets;
use crate::opening::fresh;
use crate::opening::fresh_id;
use crate::secret::RecipientSeed;
use crate::secret::SigningSeed;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::tree::Hash;
use crate::wire;
use crate::wire::v1::FORMAT;
use crate::wire::v1::agency::CertifiedDevice;
use crate::wire::v1::agency::DeviceCertificate;
use crate::wire::v1::agency::RecipientKey;
use crate::wire::v1::enrolment::EnrolmentSheet;
use crate::wire::v1::enrolment::HandedSecrets;
use crate::wire::v1::enrolment::HandedSeed;
use crate::wire::v1::enrolment::InviteId;
use crate::wire::v1::enrolment::InviteKind;
use crate::wire::v1::enrolment::JoinAnswer;
use crate::wire::v1::enrolment::JoinRequest;
use crate::wire::v1::enrolment::Joiner;
use crate::wire::v1::enrolment::NewDevice;
use crate::wire::v1::enrolment::NewPerson;
use crate::wire::v1::enrolment::SHEET_FORMAT;
use crate::wire::v1::limit;
use crate::wire::v1::stream::Day;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes before the sealed part of a message: what is fresh, and the commitment.
const HEAD: usize = 64;
/// Characters of what both sides can compare aloud.
const CODE_CHARS: usize = 8;

/// An invite, as whoever has its sheet knows it.
pub struct Invite {
    sheet: EnrolmentSheet,
    id: InviteId,
    device: DeviceId,
    base: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Invite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Invite({:?})", self.sheet)
    }
}

/// What a sheet names of the agency when it is made.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Who is to join.
    pub kind: InviteKind,
    /// Whose device it will be; of a new member, nothing.
    pub member: Option<MemberId>,
    /// What was verified of the log.
    pub checkpoint: Checkpoint,
    /// Where the server is.
    pub url: &'a str,
    /// The last day.
    pub until: Day,
}

impl Invite {
    /// Makes an invite with a fresh secret.
    ///
    /// # Errors
    /// [`Check::EnrolmentSheet`] for a server's address that is too long, or an agency without a log.
    pub fn make(agency: &AgencyState, terms: Terms<'_>, random: &mut dyn CryptoRng) -> Result<Self, Refused> {
        require(terms.checkpoint.agency == agency.id(), Check::EnrolmentContext)?;
        Self::of(EnrolmentSheet {
            format: SHEET_FORMAT,
            kind: terms.kind,
            agency: agency.id(),
            member: terms.member.unwrap_or_else(|| MemberId(fresh_id(random))),
            root: agency_state::root_hash(agency.root())?,
            size: terms.checkpoint.size,
            tree: terms.checkpoint.root.0,
            until: terms.until,
            url: terms.url.as_bytes().to_vec(),
            secret: fresh_id(random),
        })
    }

    /// Derives what a sheet gives.
    ///
    /// # Errors
    /// [`Check::UnknownFormat`]; [`Check::EnrolmentSheet`] for one that no administrator prints.
    pub fn of(sheet: EnrolmentSheet) -> Result<Self, Refused> {
        require(sheet.format == SHEET_FORMAT, Check::UnknownFormat)?;
        let url = std::str::from_utf8(&sheet.url).map_err(|_| Check::EnrolmentSheet)?;
        let is_address = (1..=limit::SHEET_URL).contains(&url.len()) && url.bytes().all(|b| b.is_ascii_graphic());
        require(is_address && sheet.size > 0, Check::EnrolmentSheet)?;
        let mut open = sheet.clone();
        open.secret = [0; 16];
        let salt = hash(Label::EnrolmentSheet, &[&wire::encode(&open)?]);
        let base = extract(&salt, &[&sheet.secret]);
        let ids = derive::<32>(Label::EnrolmentIds, &base, &[]);
        Ok(Self {
            id: InviteId(aead::part(ids.as_slice(), 0)),
            device: DeviceId(aead::part(ids.as_slice(), 16)),
            sheet,
            base,
        })
    }

    /// Returns the sheet.
    pub fn sheet(&self) -> &EnrolmentSheet {
        &self.sheet
    }

    /// Returns the invite's name at the server.
    pub fn id(&self) -> InviteId {
        self.id
    }

    /// Returns the id of the device that joins.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// Returns where the server is.
    pub fn url(&self) -> &str {
        std::str::from_utf8(&self.sheet.url).unwrap_or_default()
    }

    /// Returns what the log was when the sheet was made.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            agency: self.sheet.agency,
            size: self.sheet.size,
            root: Hash(self.sheet.tree),
        }
    }

    /// Asks for a new member, or for one that begins anew, with the keys in `secrets`.
    ///
    /// # Errors
    /// [`Check::OwnKeys`] for secrets without a recipient.
    pub fn person(&self, secrets: &Secrets) -> Result<Joiner, Refused> {
        let (_, seed) = secrets.recipients.last().ok_or(Check::OwnKeys)?;
        let identity = SigningKey::from_seed(&secrets.identity);
        let certificate = self.certificate(&SigningKey::from_seed(&secrets.device));
        let person = NewPerson {
            identity: identity.public(),
            recipient: keyring::recipient_key(seed),
            device: certify(certificate, &identity)?,
        };
        match self.sheet.kind {
            InviteKind::Member => Ok(Joiner::Member(person)),
            InviteKind::Reset => Ok(Joiner::Reset(person)),
            InviteKind::Device => Err(Check::EnrolmentContext.into()),
        }
    }

    /// Asks for a further device; `once` opens the answer.
    pub fn further_device(&self, device: &SigningSeed, once: &RecipientSeed) -> Joiner {
        Joiner::Device(NewDevice {
            certificate: self.certificate(&SigningKey::from_seed(device)),
            once: keyring::recipient_key(once),
        })
    }

    fn certificate(&self, device: &SigningKey) -> DeviceCertificate {
        DeviceCertificate {
            agency: self.sheet.agency,
            member: self.sheet.member,
            device: self.device,
            key: device.public(),
        }
    }

    /// Seals a request.
    ///
    /// # Errors
    /// [`Check::TooLong`], never in practice.
    pub fn seal_request(&self, joiner: Joiner, random: &mut dyn CryptoRng) -> Result<Vec<u8>, Refused> {
        let request = JoinRequest {
            format: FORMAT,
            agency: self.sheet.agency,
            invite: self.id,
            joiner,
        };
        self.seal(Label::EnrolmentRequest, &[], &wire::encode(&request)?, random)
    }

    /// Opens a request, and refuses one that is not what the sheet is for.
    ///
    /// # Errors
    /// [`Check::EnrolmentSeal`]; [`Check::EnrolmentContext`] for another member, device or kind than the sheet's,
    /// [`Check::DeviceCertificate`] for a device that the new identity key does not certify, [`Check::RecipientKey`] for a
    /// recipient that nothing can be sealed to.
    pub fn open_request(&self, sealed: &[u8]) -> Result<Joiner, Refused> {
        let text = self.open(Label::EnrolmentRequest, &[], sealed, limit::JOIN_REQUEST)?;
        let request: JoinRequest = wire::decode(&text, limit::JOIN_REQUEST)?;
        require(request.format == FORMAT, Check::UnknownFormat)?;
        let (kind, certificate) = match &request.joiner {
            Joiner::Member(person) => (InviteKind::Member, person.device.certificate),
            Joiner::Device(device) => (InviteKind::Device, device.certificate),
            Joiner::Reset(person) => (InviteKind::Reset, person.device.certificate),
        };
        let fits = request.agency == self.sheet.agency
            && request.invite == self.id
            && kind == self.sheet.kind
            && certificate.agency == self.sheet.agency
            && certificate.member == self.sheet.member
            && certificate.device == self.device;
        require(fits, Check::EnrolmentContext)?;
        if let Joiner::Member(person) | Joiner::Reset(person) = &request.joiner {
            let key = VerifyingKey::new(&person.identity, Check::DeviceCertificate)?;
            let bytes = wire::encode(&certificate)?;
            let signature = &person.device.signature;
            key.verify(Label::DeviceCertificate, &[&bytes], signature, Check::DeviceCertificate)?;
        }
        keyring::require_recipient(match &request.joiner {
            Joiner::Member(person) | Joiner::Reset(person) => &person.recipient,
            Joiner::Device(device) => &device.once,
        })?;
        Ok(request.joiner)
    }

    /// Seals the answer to a sealed request. `link` is in the agency's stream, and so is what the device looks for.
    ///
    /// # Errors
    /// [`Check::TooLong`], never in practice.
    pub fn seal_answer(
        &self,
        request: &[u8],
        link: LinkId,
        secrets: Option<Vec<u8>>,
        random: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, Refused> {
        let request = request_hash(request);
        let answer = JoinAnswer {
            format: FORMAT,
            agency: self.sheet.agency,
            invite: self.id,
            request,
            link,
            secrets,
        };
        self.seal(Label::EnrolmentAnswer, &request, &wire::encode(&answer)?, random)
    }

    /// Opens the answer to a sealed request.
    ///
    /// # Errors
    /// [`Check::EnrolmentSeal`]; [`Check::EnrolmentContext`] for the answer to another.
    pub fn open_answer(&self, request: &[u8], sealed: &[u8]) -> Result<JoinAnswer, Refused> {
        let request = request_hash(request);
        let text = self.open(Label::EnrolmentAnswer, &request, sealed, limit::JOIN_ANSWER)?;
        let answer: JoinAnswer = wire::decode(&text, limit::JOIN_ANSWER)?;
        require(answer.format == FORMAT, Check::UnknownFormat)?;
        let fits = answer.agency == self.sheet.agency && answer.invite == self.id && answer.request == request;
        require(fits, Check::EnrolmentContext)?;
        let has = answer.secrets.is_some();
        require(has == (self.sheet.kind == InviteKind::Device), Check::EnrolmentContext)?;
        Ok(answer)
    }

    /// Refuses an agency that is not the sheet's, or whose stream has not the root that was in force when it was made:
    /// a device without a memory is shown nothing older than its paper (ATTACKS 43).
    ///
    /// # Errors
    /// [`Check::EnrolmentRollback`].
    pub fn require_continued(&self, agency: &AgencyState) -> Result<(), Refused> {
        let check = Check::EnrolmentRollback;
        let mut there = agency.id() == self.sheet.agency;
        if there {
            let hashes: Result<Vec<_>, _> = agency.every_root().map(agency_state::root_hash).collect();
            there = hashes?.contains(&self.sheet.root);
        }
        require(there, check)
    }

    fn seal(&self, label: Label, of: &[u8], plaintext: &[u8], random: &mut dyn CryptoRng) -> Result<Vec<u8>, Refused> {
        let fresh = fresh(random);
        let sealer = Sealer::derive(label, &self.base, &[&fresh, of]);
        let mut text = pad::pad(plaintext);
        sealer.seal(&self.id.0, &mut text)?;
        Ok([fresh.as_slice(), &sealer.commitment(), &text].concat())
    }

    /// Opens a message; whatever is wrong with it is told alike.
    fn open(&self, label: Label, of: &[u8], sealed: &[u8], most: usize) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let check = Check::EnrolmentSeal;
        require(sealed.len() <= most, Check::TooLong)?;
        let (head, text) = sealed.split_at_checked(HEAD).ok_or(check)?;
        let fresh: [u8; 32] = aead::part(head, 0);
        let sealer = Sealer::derive(label, &self.base, &[&fresh, of]);
        let opened = sealer
            .require_commitment(&aead::part::<32>(head, 32))
            .and_then(|()| sealer.open(&self.id.0, text))
            .map_err(|_| check)?;
        Ok(Zeroizing::new(pad::unpad(&opened).map_err(|_| check)?.to_vec()))
    }
}

/// Returns the hash of a sealed request, which its answer names.
pub fn request_hash(sealed: &[u8]) -> [u8; 32] {
    hash(Label::JoinRequestHash, &[sealed])
}

/// Returns the first characters of a sealed request's hash, for both sides to compare aloud: whoever copied the paper and
/// was first would be noticed so.
pub fn code(sealed: &[u8]) -> String {
    let mut text = crockford(&request_hash(sealed));
    text.truncate(CODE_CHARS);
    text.insert(CODE_CHARS / 2, '-');
    text
}

/// Certifies a device by its member's identity key.
///
/// # Errors
/// None in practice: a certificate is of fixed size.
pub fn certify(certificate: DeviceCertificate, identity: &SigningKey) -> Result<CertifiedDevice, Refused> {
    Ok(CertifiedDevice {
        certificate,
        signature: identity.sign(Label::DeviceCertificate, &[&wire::encode(&certificate)?]),
    })
}

/// Seals a member's secrets to the recipient of its further device.
///
/// # Errors
/// [`Check::AgeLimits`] if `once` is no public key.
pub fn hand_over(
    certificate: &DeviceCertificate,
    once: &RecipientKey,
    secrets: &Secrets,
    random: &mut dyn CryptoRng,
) -> Result<Vec<u8>, Refused> {
    let seeds = |list: &[(u32, RecipientSeed)]| {
        let seeds = list.iter().map(|(version, seed)| HandedSeed {
            version: *version,
            seed: *seed.expose(),
        });
        wire::sort_set(seeds.collect())
    };
    let handed = HandedSecrets {
        format: FORMAT,
        agency: certificate.agency,
        member: certificate.member,
        device: certificate.device,
        identity: *secrets.identity.expose(),
        recipients: seeds(&secrets.recipients)?,
        dpo: seeds(&secrets.dpo)?,
    };
    keyring::seal_to(once, &Zeroizing::new(wire::encode(&handed)?), random)
}

/// A member's secrets, as its further device takes them.
#[derive(Debug)]
pub struct TakenSecrets {
    /// Certifies devices.
    pub identity: SigningSeed,
    /// Recipient versions, oldest first.
    pub recipients: Vec<(u32, RecipientSeed)>,
    /// Epochs of the data-protection role key, oldest first.
    pub dpo: Vec<(u32, RecipientSeed)>,
}

/// Opens what [`hand_over`] made for this very device.
///
/// # Errors
/// [`Check::AgeLimits`], [`Check::KeyringContext`] for another recipient's; [`Check::EnrolmentContext`] for another
/// member's or device's.
pub fn take_over(invite: &Invite, once: &RecipientSeed, file: &[u8]) -> Result<TakenSecrets, Refused> {
    let text = keyring::open_with(once, file, limit::JOIN_ANSWER)?;
    let handed: HandedSecrets = wire::decode(&text, limit::JOIN_ANSWER)?;
    require(handed.format == FORMAT, Check::UnknownFormat)?;
    let sheet = invite.sheet();
    let fits = handed.agency == sheet.agency && handed.member == sheet.member && handed.device == invite.device();
    require(fits, Check::EnrolmentContext)?;
    wire::require_set(&handed.recipients)?;
    wire::require_set(&handed.dpo)?;
    let seeds = |list: &[HandedSeed]| {
        let seeds = list
            .iter()
            .map(|one| (one.version, RecipientSeed::from_bytes(one.seed)));
        seeds.collect::<Vec<_>>()
    };
    Ok(TakenSecrets {
        identity: SigningSeed::from_bytes(handed.identity),
        recipients: seeds(&handed.recipients),
        dpo: seeds(&handed.dpo),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests;
