//! A case in a world: its stream, what the stream says, and the keys of its epochs.

use super::random::Seeded;
use super::twin::LinkTwin;
use super::world::World;
use super::world::keyrings;
use crate::case_state::CaseState;
use crate::check::Check;
use crate::check::Refused;
use crate::crypto::hash::hash;
use crate::epoch;
use crate::epoch::SectionSealer;
use crate::epoch::Wrap;
use crate::id::CaseId;
use crate::id::GrantId;
use crate::id::RecordHash;
use crate::id::RecordId;
use crate::placing::StoredRecord;
use crate::record;
use crate::record::UnverifiedRecord;
use crate::record::VerifiedRecord;
use crate::secret::EpochKey;
use crate::secret::ReleaseHalf;
use crate::stream::Chain;
use crate::stream::UnverifiedLink;
use crate::wire;
use crate::wire::v1::FORMAT;
use crate::wire::v1::event::Event;
use crate::wire::v1::key::KeyContext;
use crate::wire::v1::key::RecipientRef;
use crate::wire::v1::link::Link;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::PlacedEvent;
use crate::wire::v1::link::Placement;
use crate::wire::v1::link::Release;
use crate::wire::v1::membership::EpochKind;
use crate::wire::v1::membership::EpochOpen;
use crate::wire::v1::membership::Grant;
use crate::wire::v1::membership::GrantedSection;
use crate::wire::v1::membership::Membership;
use crate::wire::v1::membership::Rights;
use crate::wire::v1::record::RecordClass;
use crate::wire::v1::record::RecordHeader;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Month;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;

/// The month of everything made here: January 2026.
pub const MONTH: Month = Month(672);

/// A case, its stream, and what the stream says.
#[derive(Clone)]
pub struct CaseFile {
    /// The case.
    pub id: CaseId,
    /// Where its stream has got to.
    pub chain: Chain,
    /// What the stream says.
    pub state: CaseState,
}

/// A record made for a case, with what a link and a store need of it.
#[derive(Clone)]
pub struct Made {
    /// The record.
    pub record: VerifiedRecord,
    /// Its key's wrap.
    pub wrap: Wrap,
    /// Where it is placed.
    pub placement: Placement,
}

impl Made {
    /// Returns what a state judges.
    pub fn stored(&self) -> StoredRecord<'_> {
        StoredRecord {
            header: self.record.header(),
            hash: self.record.hash(),
            wrap_hash: self.wrap.hash(),
        }
    }
}

impl CaseFile {
    /// Returns a case without links.
    pub fn empty(world: &World, seed: u64) -> Self {
        let id = CaseId(Seeded::new(seed * 7919 + 5).bytes());
        Self {
            id,
            chain: Chain::empty(world.agency.id(), StreamId::case(id)),
            state: CaseState::empty(id),
        }
    }

    /// Opens a case of `owner` with index, core and section 2.
    pub fn open(world: &World, seed: u64, owner: usize) -> Self {
        let mut case = Self::empty(world, seed);
        let opening = case.opening(world, owner);
        case.try_event(world, owner, Event::CaseOpened(opening)).unwrap();
        case
    }

    /// Opens a case of person 0 that persons 1 to `people` - 1 hold too, with all rights.
    pub fn shared(world: &World, seed: u64, people: usize) -> Self {
        let mut case = Self::open(world, seed, 0);
        for person in 1..people {
            let grant = case.grant(world, person, Rights::ALL);
            case.try_event(world, 0, Event::Membership(granting(world, &[grant])))
                .unwrap();
        }
        case
    }

    /// Returns the membership by which the case opens.
    pub fn opening(&self, world: &World, owner: usize) -> Membership {
        let readers = world.readers(&[owner]);
        let sections = [Section::INDEX, Section::CORE, Section(2)];
        Membership {
            grants: vec![self.grant(world, owner, Rights::ALL)],
            owner: Some(world.people[owner].member),
            opens: sections
                .map(|section| self.epoch_open(world, section, Epoch::FIRST, &readers))
                .to_vec(),
            keyrings: keyrings(&readers),
            ..Membership::default()
        }
    }

    /// Returns a grant of index, core and section 2 from the first epoch on. One a person and number of grants.
    pub fn grant(&self, world: &World, to: usize, rights: Rights) -> Grant {
        let member = world.people[to].member;
        let number = (self.state.grants().len() as u64).to_be_bytes();
        let id = hash(crate::context::Label::LinkId, &[&self.id.0, &member.0, &number]);
        let sections = [Section::INDEX, Section::CORE, Section(2)];
        Grant {
            grant: GrantId(id[..16].try_into().unwrap()),
            member,
            rights,
            sections: sections
                .map(|section| GrantedSection {
                    section,
                    from_epoch: Epoch::FIRST,
                })
                .to_vec(),
            until: None,
        }
    }

    /// Returns the key of an epoch; anybody who asks gets it.
    pub fn key(&self, section: Section, epoch: Epoch) -> EpochKey {
        let mut random = Seeded::new(u64::from(section.0) << 32 | u64::from(epoch.0));
        let salt: [u8; 32] = random.bytes();
        EpochKey::from_bytes(hash(crate::context::Label::LinkId, &[&self.id.0, &salt]))
    }

    /// Returns what an epoch's key is bound to.
    pub fn context(&self, world: &World, section: Section, epoch: Epoch) -> KeyContext {
        KeyContext {
            agency: world.agency.id(),
            stream: StreamId::case(self.id),
            section,
            epoch,
        }
    }

    /// Returns an epoch-open with the right commitment, for whatever recipients.
    pub fn epoch_open(&self, world: &World, section: Section, epoch: Epoch, to: &[RecipientRef]) -> EpochOpen {
        let context = self.context(world, section, epoch);
        EpochOpen {
            section,
            epoch,
            kind: if epoch.is_history() {
                EpochKind::History
            } else {
                EpochKind::Head
            },
            of: Epoch::FIRST,
            private_author: None,
            commitment: epoch::commitment(&self.key(section, epoch), &context).unwrap(),
            recipients: to.to_vec(),
        }
    }

    /// Returns the next head epochs of `sections`, for `people` and recovery, with their keyrings.
    pub fn rotation(&self, world: &World, sections: &[Section], people: &[usize]) -> Membership {
        let readers = world.readers(people);
        let opens = sections.iter().map(|section| {
            let next = self.state.sections().get(section).map_or(0, |s| s.heads.len());
            self.epoch_open(world, *section, Epoch(next as u32), &readers)
        });
        Membership {
            opens: wire::sort_set(opens.collect()).unwrap(),
            keyrings: keyrings(&readers),
            ..Membership::default()
        }
    }

    /// Returns the sealer of a section's key in [`MONTH`].
    pub fn sealer(&self, world: &World, section: Section, epoch: Epoch) -> SectionSealer {
        let context = self.context(world, section, epoch);
        SectionSealer::derive(&self.key(section, epoch), &ReleaseHalf::none(), context, &none()).unwrap()
    }

    /// Returns the header of a new record.
    pub fn header(&self, world: &World, author: usize, section: Section, number: u8) -> RecordHeader {
        let person = &world.people[author];
        RecordHeader {
            format: FORMAT,
            agency: world.agency.id(),
            stream: StreamId::case(self.id),
            section,
            record: RecordId([number; 16]),
            version: 1,
            amends: RecordHash::ZERO,
            member: person.member,
            device: person.device,
            class: if section.is_private() {
                RecordClass::Private
            } else {
                RecordClass::Note
            },
            padded_length: 0,
            commitment: [0; 32],
        }
    }

    /// Seals, signs and places a record by `author` under the head epoch of its section.
    pub fn make(&self, world: &World, author: usize, header: RecordHeader) -> Made {
        let person = &world.people[author];
        let section = header.section;
        let text = b"{\"schema\":\"casevault.note/1\"}";
        let sealed = record::seal(header, text, &[7; 32], &person.seal_secret, &person.signer).unwrap();
        let heads = self.state.sections().get(&section).map_or(0, |s| s.heads.len());
        let epoch = Epoch(heads.saturating_sub(1) as u32);
        let wrap = self
            .sealer(world, section, epoch)
            .wrap(&sealed.key, sealed.record.hash())
            .unwrap();
        let placement = Placement {
            record_hash: sealed.record.hash(),
            section,
            epoch,
            release: none(),
            wrap_hash: wrap.hash(),
        };
        Made {
            record: sealed.record,
            wrap,
            placement,
        }
    }

    /// Makes a note by `author` in `section`.
    pub fn note(&self, world: &World, author: usize, section: Section, number: u8) -> Made {
        self.make(world, author, self.header(world, author, section, number))
    }

    /// Returns the stream's next link, unsigned.
    pub fn link(&self, world: &World, by: usize, body: LinkBody) -> Link {
        self.chain.next_link(world.agency.head(), world.people[by].device, body)
    }

    /// Judges an event, and takes it in.
    pub fn try_event(&mut self, world: &World, by: usize, event: Event) -> Result<(), Refused> {
        let body = LinkBody::Event(PlacedEvent {
            event,
            sealed: Vec::new(),
        });
        self.try_body(world, by, body, &[])
    }

    /// Judges a record's placing, and takes it in.
    pub fn try_record(&mut self, world: &World, by: usize, made: &Made) -> Result<(), Refused> {
        self.try_body(world, by, LinkBody::Record(made.placement), &[made.stored()])
    }

    /// Judges a link of whatever body, and takes it in.
    pub fn try_body(
        &mut self,
        world: &World,
        by: usize,
        body: LinkBody,
        stored: &[StoredRecord<'_>],
    ) -> Result<(), Refused> {
        let twin = LinkTwin::signed(self.link(world, by, body), &world.people[by].signer);
        self.try_link(world, &twin.received()?, stored)
    }

    /// Judges a link as whoever receives it: chain, signature, meaning.
    pub fn try_link(
        &mut self,
        world: &World,
        link: &UnverifiedLink,
        stored: &[StoredRecord<'_>],
    ) -> Result<(), Refused> {
        let mut chain = self.chain.clone();
        chain.follow(link)?;
        let device = world.agency.devices().get(&link.link().device).ok_or(Check::Signer)?;
        link.verify_signature(&device.key)?;
        self.state.judge(&world.agency, link, stored)?;
        self.chain = chain;
        Ok(())
    }

    /// Judges an event, and leaves the case as it was.
    pub fn judged(&self, world: &World, by: usize, event: Event) -> Result<(), Refused> {
        self.clone().try_event(world, by, event)
    }

    /// Judges a record's placing, and leaves the case as it was.
    pub fn judged_record(&self, world: &World, by: usize, made: &Made) -> Result<(), Refused> {
        self.clone().try_record(world, by, made)
    }

    /// Opens a record as a reader of the case does: wrap, commitment, seal.
    pub fn opened(&self, world: &World, made: &Made, record: UnverifiedRecord) -> Result<Vec<u8>, Refused> {
        let author = &world.agency.devices()[&made.record.header().device];
        let record = record.verify(&author.key)?;
        let placement = &made.placement;
        let key = self
            .sealer(world, placement.section, placement.epoch)
            .unwrap(&made.wrap, record.hash())?;
        Ok(record.open(&key)?.bytes().to_vec())
    }
}

/// Returns a membership that only grants, to people who read what there is.
pub fn granting(world: &World, grants: &[Grant]) -> Membership {
    let to = grants.iter().map(|g| world.agency.member_ref(g.member).unwrap());
    Membership {
        keyrings: keyrings(&wire::sort_set(to.collect()).unwrap()),
        grants: wire::sort_set(grants.to_vec()).unwrap(),
        ..Membership::default()
    }
}

/// Returns the release of [`MONTH`] where the root names none.
pub fn none() -> Release {
    Release {
        month: MONTH,
        commitment: None,
    }
}
