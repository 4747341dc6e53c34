//! What the agency's stream says: root, members, devices, role keys, and who may change them.
//!
//! Nothing about keys is taken on anybody else's word (`docs/format.md` §5, §7). Links are fed in order; each is
//! refused or changes the state.

mod change;
mod enrolment;

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::hash::hash;
use crate::crypto::sign::PublicKey;
use crate::crypto::sign::VerifyingKey;
use crate::id::AgencyId;
use crate::id::DeviceId;
use crate::id::LinkId;
use crate::id::MemberId;
use crate::id::RecordHash;
use crate::id::RecordId;
use crate::id::RootHash;
use crate::keyring::require_recipient;
use crate::placing::StoredRecord;
use crate::seen::SeenSoFar;
use crate::stream::Chain;
use crate::stream::UnverifiedLink;
use crate::stream::VerifiedLink;
use crate::wire;
use crate::wire::v1::FORMAT;
use crate::wire::v1::agency::Administrator;
use crate::wire::v1::agency::CertifiedDevice;
use crate::wire::v1::agency::MemberRecipient;
use crate::wire::v1::agency::Operation;
use crate::wire::v1::agency::RecipientKey;
use crate::wire::v1::agency::RoleRecipient;
use crate::wire::v1::agency::Roles;
use crate::wire::v1::agency::Root;
use crate::wire::v1::agency::RootSignature;
use crate::wire::v1::event::AgencyEpoch;
use crate::wire::v1::event::DpoEpoch;
use crate::wire::v1::event::Event;
use crate::wire::v1::event::NewMember;
use crate::wire::v1::event::SignedRoot;
use crate::wire::v1::key::KeyringRef;
use crate::wire::v1::key::RecipientKind;
use crate::wire::v1::key::RecipientRef;
use crate::wire::v1::limit;
use crate::wire::v1::link::Link;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::PlacedEvent;
use crate::wire::v1::link::Seen;
use crate::wire::v1::membership::EpochKind;
use crate::wire::v1::membership::EpochOpen;
use crate::wire::v1::record::RecordClass;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

/// A member as the stream shows it.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its identity key.
    pub identity: PublicKey,
    /// Its roles by the sequence number from which they hold, oldest first.
    pub roles: Vec<(u64, Roles)>,
    /// Its recipients by the sequence number from which they hold, oldest first.
    pub recipients: Vec<(u64, MemberRecipient)>,
    /// The sequence number from which it is gone.
    pub retired_at: Option<u64>,
}

impl Member {
    /// Returns the recipient in force.
    pub fn recipient(&self) -> Option<&MemberRecipient> {
        self.recipients.last().map(|(_, r)| r)
    }

    /// Returns the roles that it has now.
    pub fn roles(&self) -> Roles {
        self.roles.last().map_or(Roles::NONE, |(_, roles)| *roles)
    }

    fn roles_at(&self, seq: u64) -> Roles {
        let there = self.roles.iter().rev().find(|(from, _)| *from <= seq);
        there.map_or(Roles::NONE, |(_, roles)| *roles)
    }
}

/// A device as the stream shows it.
#[derive(Clone, Debug)]
pub struct Device {
    /// Whose it is.
    pub member: MemberId,
    /// Its key.
    pub key: VerifyingKey,
    /// The sequence number from which it may sign.
    pub since: u64,
    /// The sequence number from which it is gone.
    pub retired_at: Option<u64>,
}

/// The state of an agency.
#[derive(Clone, Debug)]
pub struct AgencyState {
    id: AgencyId,
    chain: Chain,
    root: Root,
    root_since: u64,
    past_roots: Vec<(u64, Root)>,
    members: BTreeMap<MemberId, Member>,
    devices: BTreeMap<DeviceId, Device>,
    epochs: Vec<EpochOpen>,
    dpo: Vec<(u64, DpoEpoch)>,
    keyrings: Vec<KeyringRef>,
    heads: HashMap<LinkId, u64>,
    settings: HashMap<RecordHash, (RecordId, u32)>,
    seen: SeenSoFar,
}

impl AgencyState {
    /// Starts from the agency stream's first link, the founding.
    ///
    /// # Errors
    /// CHK-20 to CHK-24 for the document, CHK-40 to CHK-45 for the link.
    pub fn found(link: &UnverifiedLink) -> Result<Self, Refused> {
        let id = link.link().agency;
        let LinkBody::Event(placed) = &link.link().body else {
            return Err(Check::Founding.into());
        };
        let Event::Root(signed) = &placed.event else {
            return Err(Check::Founding.into());
        };
        let founding = signed.founding.as_ref().ok_or(Check::Founding)?;
        require(placed.sealed.is_empty(), Check::Founding)?;
        require(agency_id(&signed.root)? == id, Check::Agency)?;
        require(link.link().agency_head == LinkId::ZERO, Check::AgencyHead)?;
        require(link.link().seen.is_none(), Check::SeenCheckpoint)?;
        require_root(&signed.root)?;
        require(
            signed.root.version == 1 && signed.root.previous == RootHash::ZERO,
            Check::RootChain,
        )?;
        require_signatures(&signed.root, signed)?;

        let device = founding.device.certificate;
        let founder = signed
            .root
            .administrators
            .iter()
            .find(|a| a.member == device.member)
            .ok_or(Check::Founding)?;
        require(founding.roles.any(Roles::ADMINISTRATOR), Check::Founding)?;
        require(founding.roles.0 & !Roles::ALL.0 == 0, Check::UnknownFormat)?;
        require(
            founding.recipient.member == founder.member && founding.recipient.version == 1,
            Check::Founding,
        )?;
        require_recipient(&founding.recipient.key)?;
        let key = require_certificate(id, &founding.device, &founder.identity)?;
        require(link.link().device == device.device, Check::Signer)?;
        let mut chain = Chain::empty(id, StreamId::agency(&id));
        chain.follow(link)?;
        link.verify_signature(&key)?;
        let member = Member {
            identity: founder.identity,
            roles: vec![(0, founding.roles)],
            recipients: vec![(0, founding.recipient.clone())],
            retired_at: None,
        };
        Ok(Self {
            id,
            chain,
            root: signed.root.clone(),
            root_since: 0,
            past_roots: Vec::new(),
            members: BTreeMap::from([(device.member, member)]),
            devices: BTreeMap::from([(
                device.device,
                Device {
                    member: device.member,
                    key,
                    since: 0,
                    retired_at: None,
                },
            )]),
            epochs: Vec::new(),
            dpo: Vec::new(),
            keyrings: Vec::new(),
            heads: HashMap::from([(link.id(), 0)]),
            settings: HashMap::new(),
            seen: SeenSoFar::default(),
        })
    }

    /// Takes the stream's next link, with the records that it places.
    ///
    /// # Errors
    /// CHK-40 to CHK-50 for the link, and its event's own checks; the state is then unchanged.
    pub fn admit(&mut self, link: UnverifiedLink, stored: &[StoredRecord<'_>]) -> Result<VerifiedLink, Refused> {
        let mut chain = self.chain.clone();
        chain.follow(&link)?;
        require(link.link().agency_head == link.link().previous, Check::AgencyHead)?;
        let seen = self.seen.with(self.now(), link.link())?;
        let (member, key) = self.signer_of(&link)?;
        let link = link.verify(&key)?;
        let LinkBody::Event(placed) = &link.link().body else {
            return Err(Check::KindOfStream.into());
        };
        let mut next = self.clone();
        next.apply(member, link.link().seq, &placed.event)?;
        next.place(link.link(), placed, stored)?;
        next.chain = chain;
        next.seen = seen;
        next.heads.insert(link.id(), link.link().seq);
        *self = next;
        Ok(link)
    }

    /// Who signs a link: a live device, or the very device that a restore or a recovery run enrols.
    fn signer_of(&self, link: &UnverifiedLink) -> Result<(MemberId, VerifyingKey), Refused> {
        let link = link.link();
        let event = match &link.body {
            LinkBody::Event(placed) => Some(&placed.event),
            _ => None,
        };
        let device = match event {
            Some(Event::Restored(restored)) => {
                enrolment::require_restored(self, link.previous, restored)?;
                &restored.device
            }
            Some(Event::RecoveryRun(run)) => {
                enrolment::require_recovery(self, link.previous, run)?;
                &run.device
            }
            _ => {
                let signer = self.now().live_device(link.device)?;
                return Ok((signer.member, signer.key.clone()));
            }
        };
        require(device.certificate.device == link.device, Check::Signer)?;
        let key = VerifyingKey::new(&device.certificate.key, Check::DeviceCertificate)?;
        Ok((device.certificate.member, key))
    }

    fn apply(&mut self, signer: MemberId, seq: u64, event: &Event) -> Result<(), Refused> {
        match event {
            Event::Root(signed) => self.apply_root(signer, seq, signed),
            Event::Member(new) => self.apply_member(signer, seq, new),
            Event::Device(device) => self.apply_device(signer, seq, device),
            Event::MemberRetired(member) => self.retire_member(signer, seq, member),
            Event::DeviceRetired(device) => self.retire_device(signer, seq, device),
            Event::Recipient(recipient) => self.apply_recipient(signer, seq, recipient),
            Event::Settings(_) => self.require_administrator(signer),
            Event::AgencyEpoch(epoch) => self.apply_agency_epoch(signer, epoch),
            Event::DpoEpoch(epoch) => self.apply_dpo_epoch(signer, seq, epoch),
            Event::RecoveryRun(run) => self.enrol(seq, &run.device, &run.retired),
            Event::Restored(restored) => self.enrol(seq, &restored.device, &restored.retired),
            Event::Roles(change) => change::apply_roles(self, signer, seq, change),
            Event::Reset(reset) => change::apply_reset(self, signer, seq, reset),
            Event::CaseOpened(_)
            | Event::Membership(_)
            | Event::Expired(_)
            | Event::Erasure(_)
            | Event::Complaint(_)
            | Event::Relation => Err(Check::KindOfStream.into()),
        }
    }

    /// The sealed parts of a settings event; no other event of this stream has any.
    fn place(&mut self, link: &Link, placed: &PlacedEvent, stored: &[StoredRecord<'_>]) -> Result<(), Refused> {
        require(placed.sealed.len() == stored.len(), Check::Placement)?;
        let allowed = if matches!(placed.event, Event::Settings(_)) {
            limit::SEALED_PARTS
        } else {
            0
        };
        require(stored.len() <= allowed, Check::Placement)?;
        let head = self.epochs.last().map(|e| e.epoch);
        for (placement, record) in placed.sealed.iter().zip(stored) {
            record.require_placed(self, link, placement)?;
            let admin = record.header.class == RecordClass::Admin;
            require(placement.section == Section::INDEX && admin, Check::Placement)?;
            require(Some(placement.epoch) == head, Check::EpochHead)?;
            // The agency's own stream never waits for a release: its keys are every member's.
            require(placement.release.commitment.is_none(), Check::ReleaseNone)?;
            require(!self.settings.contains_key(&record.hash), Check::PlacedTwice)?;
            if record.header.version > 1 {
                let before = self.settings.get(&record.header.amends).ok_or(Check::Amends)?;
                require(
                    *before == (record.header.record, record.header.version - 1),
                    Check::Amends,
                )?;
            }
            self.settings
                .insert(record.hash, (record.header.record, record.header.version));
        }
        Ok(())
    }

    fn apply_root(&mut self, signer: MemberId, seq: u64, signed: &SignedRoot) -> Result<(), Refused> {
        self.require_administrator(signer)?;
        require(signed.founding.is_none(), Check::Founding)?;
        require_root(&signed.root)?;
        require(signed.root.version == self.root().version + 1, Check::RootChain)?;
        require(signed.root.previous == root_hash(self.root())?, Check::RootChain)?;
        require(
            signed.root.minimum_format >= self.root().minimum_format,
            Check::RootDowngrade,
        )?;
        require(self.names_one_key(&signed.root), Check::RootChain)?;
        let known = |member| self.members.get(member).map(|m| m.identity);
        let mut administrators = signed.root.administrators.iter();
        require(
            administrators.all(|a| known(&a.member).is_none_or(|identity| identity == a.identity)),
            Check::RootChain,
        )?;
        self.require_present_identities(signed)?;
        require_signatures(self.root(), signed)?;
        let past = std::mem::replace(&mut self.root, signed.root.clone());
        self.past_roots.push((self.root_since, past));
        self.root_since = seq;
        Ok(())
    }

    /// Refuses a signature by a key that its member has no more: who began anew signs once a root names the new key.
    fn require_present_identities(&self, signed: &SignedRoot) -> Result<(), Refused> {
        let signs = |one: &RootSignature| self.may_sign_root(one.member);
        require(signed.signatures.iter().all(signs), Check::RootChain)
    }

    /// Tells whether a member signs roots: it is live, and the root in force names it by the identity key that it has.
    pub(crate) fn may_sign_root(&self, member: MemberId) -> bool {
        let known = self.live_member(member).map(|known| known.identity);
        let mut named = self.root().administrators.iter().filter(|one| one.member == member);
        known.is_ok_and(|identity| named.any(|one| one.identity == identity))
    }

    /// Whether no number of a recovery, duty or data-protection key stands for two keys, and recovery's does not fall:
    /// epochs name their recipients by number, and would not notice that another key came in.
    fn names_one_key(&self, new: &Root) -> bool {
        let same_role = |a: &RoleRecipient, b: &RoleRecipient| a.epoch != b.epoch || a == b;
        let duty = |past: &Root| match (&past.duty, &new.duty) {
            (Some(a), Some(b)) => same_role(a, b),
            _ => true,
        };
        let listed = |d: &DpoEpoch| d.epoch != new.dpo.epoch || d.recipient == new.dpo.recipient;
        new.recovery.version >= self.root().recovery.version
            && self.dpo.iter().all(|(_, d)| listed(d))
            && self.every_root().all(|past| {
                let recovery = past.recovery.version != new.recovery.version || past.recovery == new.recovery;
                recovery && duty(past) && same_role(&past.dpo, &new.dpo)
            })
    }

    fn apply_member(&mut self, signer: MemberId, seq: u64, new: &NewMember) -> Result<(), Refused> {
        self.require_administrator(signer)?;
        require(!self.members.contains_key(&new.member), Check::IdReused)?;
        // An administrator that the root names before it joins is who the root says, and nobody else.
        let mut named = self.root().administrators.iter().filter(|a| a.member == new.member);
        require(named.all(|a| a.identity == new.identity), Check::IdReused)?;
        require(
            new.recipient.member == new.member && new.recipient.version == 1,
            Check::RecipientChange,
        )?;
        require(new.roles.0 & !Roles::ALL.0 == 0, Check::UnknownFormat)?;
        require_recipient(&new.recipient.key)?;
        let member = Member {
            identity: new.identity,
            roles: vec![(seq, new.roles)],
            recipients: vec![(seq, new.recipient.clone())],
            retired_at: None,
        };
        self.members.insert(new.member, member);
        Ok(())
    }

    /// Takes in a device whose enrolment was checked, and retires those that it stands in for.
    fn enrol(&mut self, seq: u64, device: &CertifiedDevice, retired: &[DeviceId]) -> Result<(), Refused> {
        for gone in retired {
            let known = self.devices.get_mut(gone).ok_or(Check::RestoredDevice)?;
            known.retired_at.get_or_insert(seq);
        }
        self.take_device(seq, device)
    }

    fn apply_device(&mut self, signer: MemberId, seq: u64, device: &CertifiedDevice) -> Result<(), Refused> {
        self.require_administrator(signer)?;
        self.take_device(seq, device)
    }

    fn take_device(&mut self, seq: u64, device: &CertifiedDevice) -> Result<(), Refused> {
        require(!self.devices.contains_key(&device.certificate.device), Check::IdReused)?;
        let member = self
            .live_member(device.certificate.member)
            .map_err(|_| Check::DeviceCertificate)?;
        let key = require_certificate(self.id, device, &member.identity)?;
        let known = Device {
            member: device.certificate.member,
            key,
            since: seq,
            retired_at: None,
        };
        self.devices.insert(device.certificate.device, known);
        Ok(())
    }

    fn retire_member(&mut self, signer: MemberId, seq: u64, member: &MemberId) -> Result<(), Refused> {
        self.require_administrator(signer)?;
        let known = self.members.get_mut(member).ok_or(Check::AdministratorOnly)?;
        known.retired_at.get_or_insert(seq);
        for device in self.devices.values_mut().filter(|d| d.member == *member) {
            device.retired_at.get_or_insert(seq);
        }
        Ok(())
    }

    fn retire_device(&mut self, signer: MemberId, seq: u64, device: &DeviceId) -> Result<(), Refused> {
        self.require_administrator(signer)?;
        let known = self.devices.get_mut(device).ok_or(Check::AdministratorOnly)?;
        known.retired_at.get_or_insert(seq);
        Ok(())
    }

    fn apply_recipient(&mut self, signer: MemberId, seq: u64, new: &MemberRecipient) -> Result<(), Refused> {
        require(
            signer == new.member || self.require_administrator(signer).is_ok(),
            Check::RecipientChange,
        )?;
        let member = self.members.get_mut(&new.member).ok_or(Check::RecipientChange)?;
        let last = member.recipient().map_or(0, |r| r.version);
        require(
            member.retired_at.is_none() && new.version == last + 1,
            Check::RecipientChange,
        )?;
        require_recipient(&new.key)?;
        member.recipients.push((seq, new.clone()));
        Ok(())
    }

    fn apply_agency_epoch(&mut self, signer: MemberId, new: &AgencyEpoch) -> Result<(), Refused> {
        self.require_administrator(signer)?;
        let number = u32::try_from(self.epochs.len()).map_err(|_| Check::EpochNumber)?;
        let open = &new.open;
        require(
            open.section == Section::INDEX && open.epoch == Epoch(number),
            Check::EpochNumber,
        )?;
        require(
            open.kind == EpochKind::Head && open.of == Epoch::FIRST,
            Check::EpochNumber,
        )?;
        require(open.private_author.is_none(), Check::EpochOpener)?;
        wire::require_set(&open.recipients)?;
        let expected: BTreeSet<_> = self.everybody().collect();
        require(
            open.recipients.iter().copied().collect::<BTreeSet<_>>() == expected,
            Check::EpochRecipients,
        )?;
        require_keyrings(&new.keyrings, &expected)?;
        self.epochs.push(open.clone());
        self.keyrings.extend(new.keyrings.iter().copied());
        Ok(())
    }

    fn apply_dpo_epoch(&mut self, signer: MemberId, seq: u64, new: &DpoEpoch) -> Result<(), Refused> {
        require(self.live_member(signer)?.roles().any(Roles::DPO), Check::DpoOnly)?;
        let number = u32::try_from(self.dpo.len()).map_err(|_| Check::EpochNumber)?;
        require(new.epoch == number, Check::EpochNumber)?;
        // Roots name epochs of this key too, and what was sealed under one stays under that key.
        let one = |root: &Root| root.dpo.epoch != new.epoch || root.dpo.recipient == new.recipient;
        require(self.every_root().all(one), Check::EpochNumber)?;
        require(
            number > 0 || self.every_root().any(|root| root.dpo.epoch == 0),
            Check::EpochNumber,
        )?;
        wire::require_set(&new.holders)?;
        let expected: BTreeSet<_> = self.officers().collect();
        require(
            new.holders.iter().copied().collect::<BTreeSet<_>>() == expected,
            Check::EpochRecipients,
        )?;
        require_keyrings(&new.keyrings, &expected)?;
        require_recipient(&new.recipient)?;
        self.dpo.push((seq, new.clone()));
        self.keyrings.extend(new.keyrings.iter().copied());
        Ok(())
    }

    /// Returns every live member and recovery: who holds the agency key.
    pub(crate) fn everybody(&self) -> impl Iterator<Item = RecipientRef> + '_ {
        let live = self
            .members
            .iter()
            .filter(|(_, m)| m.retired_at.is_none())
            .filter_map(|(id, m)| member_ref(*id, m));
        live.chain([self.recovery_ref()])
    }

    /// Returns every live officer and reviewer, and recovery: who holds the data-protection role key.
    pub(crate) fn officers(&self) -> impl Iterator<Item = RecipientRef> + '_ {
        let review = Roles::DPO.with(Roles::REVIEWER);
        let live = self.members.iter().filter(|(_, m)| m.retired_at.is_none());
        let officers = live.filter(move |(_, m)| m.roles().any(review));
        officers
            .filter_map(|(id, m)| member_ref(*id, m))
            .chain([self.recovery_ref()])
    }

    /// Returns who holds the data-protection role key's epoch in force; nothing before its first.
    pub(crate) fn role_holders(&self) -> Option<&[RecipientRef]> {
        self.dpo.last().map(|(_, epoch)| epoch.holders.as_slice())
    }

    /// Tells whether a member is live, and an administrator by its role and by the root.
    pub fn is_administrator(&self, member: MemberId) -> bool {
        self.require_administrator(member).is_ok()
    }

    /// Returns the root's administrator where it names one alone, live and with that role.
    pub fn sole_administrator(&self) -> Option<&Administrator> {
        let [alone] = self.root().administrators.as_slice() else {
            return None;
        };
        self.is_administrator(alone.member).then_some(alone)
    }

    fn require_administrator(&self, member: MemberId) -> Result<(), Refused> {
        let roles = self.live_member(member).map_err(|_| Check::AdministratorOnly)?.roles();
        let listed = self.root().administrators.iter().any(|a| a.member == member);
        require(listed && roles.any(Roles::ADMINISTRATOR), Check::AdministratorOnly)
    }

    /// Returns the agency's id.
    pub fn id(&self) -> AgencyId {
        self.id
    }

    /// Says which checkpoint of the log the links that are made here say that their author has verified.
    pub fn observe(&mut self, seen: Option<Seen>) {
        self.chain = self.chain.clone().seeing(seen);
    }

    /// Returns where the agency stream has got to.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Returns the id of the agency stream's last link.
    pub fn head(&self) -> LinkId {
        self.chain.head().map_or(LinkId::ZERO, |(_, id)| id)
    }

    /// Returns the place of a link in the agency stream.
    pub fn seq_of(&self, head: &LinkId) -> Option<u64> {
        self.heads.get(head).copied()
    }

    /// Returns the root in force.
    pub fn root(&self) -> &Root {
        &self.root
    }

    pub(crate) fn every_root(&self) -> impl Iterator<Item = &Root> {
        std::iter::once(&self.root).chain(self.past_roots.iter().map(|(_, root)| root))
    }

    /// Tells whether a root is in force, or was.
    pub fn has_had(&self, root: &Root) -> bool {
        self.every_root().any(|known| known == root)
    }

    /// Returns the members.
    pub fn members(&self) -> &BTreeMap<MemberId, Member> {
        &self.members
    }

    /// Returns the devices.
    pub fn devices(&self) -> &BTreeMap<DeviceId, Device> {
        &self.devices
    }

    /// Returns the epochs of the agency key, oldest first.
    pub fn epochs(&self) -> &[EpochOpen] {
        &self.epochs
    }

    /// Returns the keyring files that agency events name.
    pub fn keyrings(&self) -> &[KeyringRef] {
        &self.keyrings
    }

    /// Returns the data-protection role's recipient in force, with its epoch.
    pub fn dpo(&self) -> (u32, &RecipientKey) {
        let root = &self.root().dpo;
        self.dpo
            .last()
            .map_or((root.epoch, &root.recipient), |(_, d)| (d.epoch, &d.recipient))
    }

    /// Returns a role epoch's recipient.
    pub fn dpo_epoch(&self, epoch: u32) -> Option<&RecipientKey> {
        let root = &self.root().dpo;
        let mut epochs = self.dpo.iter().map(|(_, d)| d);
        let listed = epochs.find(|d| d.epoch == epoch).map(|d| &d.recipient);
        listed.or((root.epoch == epoch).then_some(&root.recipient))
    }

    /// Returns the agency as of its last link.
    pub fn now(&self) -> AgencyView<'_> {
        AgencyView {
            state: self,
            seq: self.chain.next_seq().saturating_sub(1),
        }
    }

    /// Returns the agency as of its link `seq`.
    pub fn at(&self, seq: u64) -> AgencyView<'_> {
        AgencyView { state: self, seq }
    }

    /// Returns a device that may sign now.
    ///
    /// # Errors
    /// [`Check::Signer`].
    pub fn live_device(&self, device: DeviceId) -> Result<&Device, Refused> {
        self.now().live_device(device)
    }

    /// Returns a member that has not left.
    ///
    /// # Errors
    /// [`Check::Signer`].
    pub fn live_member(&self, member: MemberId) -> Result<&Member, Refused> {
        self.now().live_member(member)
    }

    /// Returns how a member's recipient in force is named.
    pub fn member_ref(&self, member: MemberId) -> Option<RecipientRef> {
        self.now().member_ref(member)
    }

    /// Returns how the recovery key in force is named.
    pub fn recovery_ref(&self) -> RecipientRef {
        self.now().recovery_ref()
    }

    /// Returns how the duty role in force is named, if it stands in `section`.
    pub fn duty_ref(&self, section: Section) -> Option<RecipientRef> {
        self.now().duty_ref(section)
    }

    /// Returns the public key that a reference names, of whatever version.
    pub fn recipient_key(&self, to: &RecipientRef) -> Option<&RecipientKey> {
        match to.kind {
            RecipientKind::Member => {
                let recipients = &self.members.get(&to.id)?.recipients;
                recipients
                    .iter()
                    .find(|(_, r)| r.version == to.version)
                    .map(|(_, r)| &r.key)
            }
            RecipientKind::Recovery => {
                let mut keys = self.every_root().map(|root| &root.recovery);
                keys.find(|keys| keys.version == to.version).map(|keys| &keys.recipient)
            }
            RecipientKind::Duty => {
                let mut roles = self.every_root().filter_map(|root| root.duty.as_ref());
                roles.find(|role| role.epoch == to.version).map(|role| &role.recipient)
            }
            RecipientKind::Dpo => self.dpo_epoch(to.version),
        }
    }
}

/// An agency as of one of its links: what the checks on a link that cites it read.
#[derive(Clone, Copy, Debug)]
pub struct AgencyView<'a> {
    state: &'a AgencyState,
    seq: u64,
}

impl<'a> AgencyView<'a> {
    /// Returns the whole state.
    pub fn state(&self) -> &'a AgencyState {
        self.state
    }

    /// Returns the place in the agency stream.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Returns the root in force there.
    pub fn root(&self) -> &'a Root {
        let past = self.state.past_roots.iter().rev().find(|(since, _)| *since <= self.seq);
        match past {
            Some((_, root)) if self.seq < self.state.root_since => root,
            _ => &self.state.root,
        }
    }

    /// Returns the epoch of the data-protection role key that is in force there.
    pub fn dpo_epoch(&self) -> u32 {
        let mut epochs = self.state.dpo.iter().rev();
        let there = epochs.find(|(since, _)| *since <= self.seq);
        there.map_or(self.root().dpo.epoch, |(_, d)| d.epoch)
    }

    /// Returns a device that may sign there.
    ///
    /// # Errors
    /// [`Check::Signer`].
    pub fn live_device(&self, device: DeviceId) -> Result<&'a Device, Refused> {
        let known = self
            .state
            .devices
            .get(&device)
            .filter(|d| d.since <= self.seq && self.is_live(d.retired_at))
            .ok_or(Check::Signer)?;
        self.live_member(known.member)?;
        Ok(known)
    }

    /// Returns a member that had not left there.
    ///
    /// # Errors
    /// [`Check::Signer`].
    pub fn live_member(&self, member: MemberId) -> Result<&'a Member, Refused> {
        self.state
            .members
            .get(&member)
            .filter(|m| self.is_live(m.retired_at) && m.roles.first().is_some_and(|(since, _)| *since <= self.seq))
            .ok_or(Check::Signer.into())
    }

    /// Returns the roles that a member which had not left has there.
    ///
    /// # Errors
    /// [`Check::Signer`].
    pub fn live_roles(&self, member: MemberId) -> Result<Roles, Refused> {
        Ok(self.live_member(member)?.roles_at(self.seq))
    }

    /// Returns how a member's recipient is named there.
    pub fn member_ref(&self, member: MemberId) -> Option<RecipientRef> {
        let recipients = &self.state.members.get(&member)?.recipients;
        let (_, recipient) = recipients.iter().rev().find(|(from, _)| *from <= self.seq)?;
        Some(RecipientRef {
            kind: RecipientKind::Member,
            id: member,
            version: recipient.version,
        })
    }

    /// Returns how the recovery key is named there.
    pub fn recovery_ref(&self) -> RecipientRef {
        let version = self.root().recovery.version;
        RecipientRef {
            kind: RecipientKind::Recovery,
            id: MemberId([0; 16]),
            version,
        }
    }

    /// Returns how the duty role is named there, if it stands in `section`.
    pub fn duty_ref(&self, section: Section) -> Option<RecipientRef> {
        let stands = self.root().sections.iter().any(|s| s.section == section && s.duty == 1);
        let duty = self.root().duty.as_ref().filter(|_| stands)?;
        Some(RecipientRef {
            kind: RecipientKind::Duty,
            id: MemberId([0; 16]),
            version: duty.epoch,
        })
    }

    fn is_live(&self, retired_at: Option<u64>) -> bool {
        retired_at.is_none_or(|at| self.seq < at)
    }
}

/// Returns the agency id that a first root document gives.
///
/// # Errors
/// [`Check::TooLong`].
pub fn agency_id(root: &Root) -> Result<AgencyId, Refused> {
    Ok(AgencyId(hash(Label::AgencyId, &[&wire::encode(root)?])))
}

/// Returns a root document's hash.
///
/// # Errors
/// [`Check::TooLong`].
pub fn root_hash(root: &Root) -> Result<RootHash, Refused> {
    Ok(RootHash(hash(Label::RootHash, &[&wire::encode(root)?])))
}

fn member_ref(id: MemberId, member: &Member) -> Option<RecipientRef> {
    let version = member.recipient()?.version;
    Some(RecipientRef {
        kind: RecipientKind::Member,
        id,
        version,
    })
}

fn require_root(root: &Root) -> Result<(), Refused> {
    require(root.format == FORMAT, Check::UnknownFormat)?;
    require(root.minimum_format == FORMAT, Check::UnknownFormat)?;
    require(wire::encode(root)?.len() <= limit::ROOT, Check::TooLong)?;
    wire::require_set(&root.administrators)?;
    wire::require_set(&root.thresholds)?;
    wire::require_set(&root.sections)?;
    wire::require_set(&root.witnesses)?;
    require(root.witnesses.len() <= limit::WITNESSES, Check::TooLong)?;
    for one in &root.witnesses {
        require(one.name.len() <= limit::WITNESS_NAME, Check::TooLong)?;
    }
    let operations: Vec<_> = root.thresholds.iter().map(|t| t.operation).collect();
    let all = [
        Operation::Root,
        Operation::Member,
        Operation::Policy,
        Operation::Recovery,
    ];
    let members: BTreeSet<_> = root.administrators.iter().map(|a| a.member).collect();
    let possible = root
        .thresholds
        .iter()
        .all(|t| (1..=members.len()).contains(&usize::from(t.administrators)));
    // Only a root document carries more signatures than one. A threshold that nothing enforces would be a promise.
    let kept = root
        .thresholds
        .iter()
        .all(|t| t.operation == Operation::Root || t.administrators == 1);
    require(
        operations == all && possible && kept && members.len() == root.administrators.len(),
        Check::RootThreshold,
    )?;
    let named = [&root.recovery.recipient, &root.dpo.recipient].into_iter();
    let named = named.chain(root.duty.as_ref().map(|duty| &duty.recipient));
    for key in named {
        require_recipient(key)?;
    }
    let has = |section| root.sections.iter().any(|s| s.section == section);
    require(has(Section::INDEX) && has(Section::CORE), Check::NotCanonical)?;
    let numbers: BTreeSet<_> = root.sections.iter().map(|s| s.section).collect();
    let plain = root.sections.iter().all(|s| s.duty <= 1 && !s.section.is_private());
    require(plain && numbers.len() == root.sections.len(), Check::NotCanonical)
}

/// Checks that enough administrators of `last` signed `new`.
fn require_signatures(last: &Root, new: &SignedRoot) -> Result<(), Refused> {
    wire::require_set(&new.signatures)?;
    let bytes = wire::encode(&new.root)?;
    let mut signed = BTreeSet::new();
    for signature in &new.signatures {
        let by = last
            .administrators
            .iter()
            .find(|a| a.member == signature.member)
            .ok_or(Check::RootChain)?;
        let key = VerifyingKey::new(&by.identity, Check::RootChain)?;
        key.verify(Label::RootSignature, &[&bytes], &signature.signature, Check::RootChain)?;
        signed.insert(signature.member);
    }
    let needed = last
        .thresholds
        .iter()
        .find(|t| t.operation == Operation::Root)
        .ok_or(Check::RootThreshold)?;
    require(signed.len() >= usize::from(needed.administrators), Check::RootChain)
}

fn require_certificate(
    agency: AgencyId,
    device: &CertifiedDevice,
    identity: &PublicKey,
) -> Result<VerifyingKey, Refused> {
    let check = Check::DeviceCertificate;
    require(device.certificate.agency == agency, check)?;
    let bytes = wire::encode(&device.certificate)?;
    VerifyingKey::new(identity, check)?.verify(Label::DeviceCertificate, &[&bytes], &device.signature, check)?;
    VerifyingKey::new(&device.certificate.key, check)
}

/// Checks that `keyrings` has exactly one file for each of `expected`.
pub(crate) fn require_keyrings(keyrings: &[KeyringRef], expected: &BTreeSet<RecipientRef>) -> Result<(), Refused> {
    wire::require_set(keyrings)?;
    let named: BTreeSet<_> = keyrings.iter().map(|k| k.to).collect();
    require(
        named == *expected && named.len() == keyrings.len(),
        Check::KeyringsComplete,
    )
}
