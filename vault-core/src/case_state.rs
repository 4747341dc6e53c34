//! What a case's stream says: grants, sections, epochs, releases, records, and who may change them.
//!
//! The rules are fixed in the format and read clear fields only, so that every client reaches the same verdict for
//! ever (`docs/format.md` §6, §7). They speak of the state of the agency at the link's own position; nothing here
//! reads a clock or checks a signature: the caller does that, before or beside.

mod membership;

use crate::agency_state::AgencyState;
use crate::agency_state::AgencyView;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::crypto::sign::Signature;
use crate::crypto::sign::VerifyingKey;
use crate::epoch::release_commitment_bytes;
use crate::id::CaseId;
use crate::id::GrantId;
use crate::id::MemberId;
use crate::id::RecordHash;
use crate::id::RecordId;
use crate::placing::StoredRecord;
use crate::seen::SeenSoFar;
use crate::stream::UnverifiedLink;
use crate::wire;
use crate::wire::v1::event::Erasure;
use crate::wire::v1::event::ErasureGround;
use crate::wire::v1::event::Event;
use crate::wire::v1::key::KeyContext;
use crate::wire::v1::key::KeyringRef;
use crate::wire::v1::key::RecipientRef;
use crate::wire::v1::limit;
use crate::wire::v1::link::Link;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::Placement;
use crate::wire::v1::link::Release;
use crate::wire::v1::link::ReleaseCommitment;
use crate::wire::v1::link::Rewrap;
use crate::wire::v1::link::Seen;
use crate::wire::v1::membership::EpochKind;
use crate::wire::v1::membership::EpochOpen;
use crate::wire::v1::membership::Grant;
use crate::wire::v1::membership::Rights;
use crate::wire::v1::record::RecordClass;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Month;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;

/// A grant and whether it is in force.
#[derive(Clone, Debug)]
pub struct GrantState {
    /// The grant.
    pub grant: Grant,
    /// Whether it is in force.
    pub live: bool,
}

/// A section of the case.
#[derive(Clone, Debug, Default)]
pub struct SectionState {
    /// Head epochs, by number.
    pub heads: Vec<EpochOpen>,
    /// History epochs, by number without bit 31.
    pub histories: Vec<EpochOpen>,
    /// Whether the next epoch has to be opened before anything is written.
    pub due: bool,
    /// Who may open the last head epoch: whom its epoch-open names, and whom a grant let in since, held or not.
    pub readers: BTreeSet<RecipientRef>,
}

impl SectionState {
    /// Returns an epoch of either kind.
    pub fn epoch(&self, epoch: Epoch) -> Option<&EpochOpen> {
        let list = if epoch.is_history() {
            &self.histories
        } else {
            &self.heads
        };
        list.iter().find(|open| open.epoch == epoch)
    }
}

/// What later checks need to know of a record that was placed.
#[derive(Clone, Copy, Debug)]
pub struct PlacedRecord {
    /// Its id.
    pub record: RecordId,
    /// Its version.
    pub version: u32,
    /// Its section.
    pub section: Section,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its author.
    pub author: MemberId,
    /// Whether its bytes were erased.
    pub erased: bool,
}

/// The state of a case.
#[derive(Clone, Debug)]
pub struct CaseState {
    case: CaseId,
    opened: bool,
    owner: Option<MemberId>,
    grants: BTreeMap<GrantId, GrantState>,
    sections: BTreeMap<Section, SectionState>,
    keyrings: Vec<KeyringRef>,
    releases: HashMap<(Section, Epoch, Month), Option<ReleaseCommitment>>,
    records: Option<HashMap<RecordHash, PlacedRecord>>,
    erased: HashSet<RecordHash>,
    ids: HashSet<RecordId>,
    cited: u64,
    seen: SeenSoFar,
}

impl CaseState {
    /// A case without links, to be fed every link of its stream.
    pub fn empty(case: CaseId) -> Self {
        Self {
            case,
            opened: false,
            owner: None,
            grants: BTreeMap::new(),
            sections: BTreeMap::new(),
            keyrings: Vec::new(),
            releases: HashMap::new(),
            records: Some(HashMap::new()),
            erased: HashSet::new(),
            ids: HashSet::new(),
            cited: 0,
            seen: SeenSoFar::default(),
        }
    }

    /// A case without links, to be fed its events alone.
    ///
    /// For rows that were judged in full when they entered a store; what asks for earlier records is then not judged
    /// again (CHK-16, CHK-48, CHK-78, CHK-80, CHK-81).
    pub fn of_events(case: CaseId) -> Self {
        Self {
            records: None,
            ..Self::empty(case)
        }
    }

    /// Judges the stream's next link as of the agency's last link, and takes it into the state.
    ///
    /// `stored` are the records that the link places, in its order. The caller follows the chain and checks the
    /// signatures.
    ///
    /// # Errors
    /// CHK-16, CHK-42 to CHK-51 and CHK-60 to CHK-81; the state is then unchanged.
    pub fn judge(
        &mut self,
        agency: &AgencyState,
        link: &UnverifiedLink,
        stored: &[StoredRecord<'_>],
    ) -> Result<(), Refused> {
        self.judge_at(agency.now(), link, stored)
    }

    /// Judges the stream's next link as of a link of the agency's stream: the last below its own leaf in the log.
    ///
    /// # Errors
    /// As [`Self::judge`].
    pub fn judge_at(
        &mut self,
        agency: AgencyView<'_>,
        link: &UnverifiedLink,
        stored: &[StoredRecord<'_>],
    ) -> Result<(), Refused> {
        let cited = agency.state().seq_of(&link.link().agency_head);
        let cited = cited.ok_or(Check::AgencyHead)?;
        // What is above its own leaf, nobody can have cited.
        require(cited <= agency.seq(), Check::AgencyHead)?;
        if cited != agency.seq() {
            // What the agency said in between may have taken away a right or changed a recipient set that the link
            // relies on: it counts only if it is right in both places.
            self.clone().judge_as_of(agency.state().at(cited), link, stored)?;
        }
        self.judge_as_of(agency, link, stored)
    }

    /// Judges as [`Self::judge_at`], in a state that was fed events alone, by what a store knows of earlier records.
    ///
    /// `known` are the records that the link, or a header that it places, names by hash, and every version of a record
    /// whose id it places; they are forgotten again. So a server keeps a case in little memory and judges it in full.
    ///
    /// # Errors
    /// As [`Self::judge`].
    pub fn judge_knowing(
        &mut self,
        agency: AgencyView<'_>,
        link: &UnverifiedLink,
        stored: &[StoredRecord<'_>],
        known: &[(RecordHash, PlacedRecord)],
    ) -> Result<(), Refused> {
        if self.records.is_some() {
            return self.judge_at(agency, link, stored);
        }
        self.ids = known.iter().map(|(_, placed)| placed.record).collect();
        self.records = Some(known.iter().copied().collect());
        let judged = self.judge_at(agency, link, stored);
        self.records = None;
        self.ids = HashSet::new();
        judged
    }

    /// Judges a link that was judged before, when it entered a store, as of the agency link that it cites.
    ///
    /// # Errors
    /// As [`Self::judge`].
    pub fn judge_again(
        &mut self,
        agency: &AgencyState,
        link: &UnverifiedLink,
        stored: &[StoredRecord<'_>],
    ) -> Result<(), Refused> {
        let cited = agency.seq_of(&link.link().agency_head).ok_or(Check::AgencyHead)?;
        // Held against the link before it when it entered; here that one may be left out.
        self.seen = SeenSoFar::after(link.link());
        self.judge_as_of(agency.at(cited), link, stored)
    }

    /// Says what the stream's last link cites and carries, which the next one is held against: of a state that was fed events
    /// alone it may be another one than the last event.
    pub fn goes_on_from(&mut self, cited: u64, seen: Option<Seen>) {
        self.cited = self.cited.max(cited);
        self.seen = SeenSoFar::of(seen);
    }

    fn judge_as_of(
        &mut self,
        agency: AgencyView<'_>,
        link: &UnverifiedLink,
        stored: &[StoredRecord<'_>],
    ) -> Result<(), Refused> {
        let link = link.link();
        require(
            link.stream == StreamId::case(self.case) && link.agency == agency.state().id(),
            Check::Agency,
        )?;
        let cited = agency.state().seq_of(&link.agency_head).ok_or(Check::AgencyHead)?;
        require(cited >= self.cited, Check::AgencyHead)?;
        let seen = self.seen.with(agency, link)?;
        let signer = agency.live_device(link.device)?.member;
        let event = matches!(&link.body, LinkBody::Event(e) if matches!(e.event, Event::CaseOpened(_)));
        require(event != self.opened && (link.seq == 0) == event, Check::CaseOpened)?;
        match &link.body {
            // Records are the many: they change little, and are judged without copying the state.
            LinkBody::Record(placement) => {
                let [one] = stored else {
                    return Err(Check::Placement.into());
                };
                self.place(agency, signer, link, placement, one)?;
            }
            LinkBody::Event(placed) => {
                require(placed.sealed.len() <= limit::SEALED_PARTS, Check::TooLong)?;
                require(placed.sealed.len() == stored.len(), Check::Placement)?;
                let mut next = self.clone();
                next.apply(agency, signer, cited, &placed.event)?;
                for (placement, one) in placed.sealed.iter().zip(stored) {
                    require(one.header.class == RecordClass::Admin, Check::Placement)?;
                    next.place(agency, signer, link, placement, one)?;
                }
                *self = next;
            }
            LinkBody::Rewrap(rewrap) => {
                require(stored.is_empty(), Check::Placement)?;
                self.rewrap(agency, signer, rewrap)?;
            }
            LinkBody::Access(_) | LinkBody::Segment(_) => return Err(Check::KindOfStream.into()),
        }
        self.cited = cited;
        self.seen = seen;
        Ok(())
    }

    fn apply(&mut self, agency: AgencyView<'_>, signer: MemberId, cited: u64, event: &Event) -> Result<(), Refused> {
        match event {
            Event::CaseOpened(change) => {
                self.opened = true;
                membership::open(self, agency, signer, cited, change)
            }
            Event::Membership(change) => membership::change(self, agency, signer, cited, change, &[]),
            Event::Expired(expired) => {
                wire::require_set(&expired.grants)?;
                require(
                    !expired.grants.is_empty() && self.writes_anything(signer),
                    Check::Revocation,
                )?;
                for grant in &expired.grants {
                    let known = self.grants.get(grant).filter(|g| g.live).ok_or(Check::Revocation)?;
                    require(known.grant.until.is_some(), Check::Revocation)?;
                }
                membership::change(self, agency, signer, cited, &expired.membership, &expired.grants)
            }
            Event::Erasure(erasure) => self.erase(signer, erasure),
            Event::Complaint(complaint) => {
                let known = self
                    .sections
                    .get(&complaint.section)
                    .and_then(|s| s.epoch(complaint.epoch));
                require(known.is_some() && self.holds_anything(signer), Check::EpochOpener)
            }
            Event::Relation => require(self.may_write(signer, Section::INDEX), Check::WriteRight),
            Event::Root(_)
            | Event::Member(_)
            | Event::Device(_)
            | Event::MemberRetired(_)
            | Event::DeviceRetired(_)
            | Event::Recipient(_)
            | Event::Settings(_)
            | Event::AgencyEpoch(_)
            | Event::DpoEpoch(_)
            | Event::RecoveryRun(_)
            | Event::Restored(_)
            | Event::Roles(_)
            | Event::Reset(_) => Err(Check::KindOfStream.into()),
        }
    }

    fn place(
        &mut self,
        agency: AgencyView<'_>,
        signer: MemberId,
        link: &Link,
        placement: &Placement,
        stored: &StoredRecord<'_>,
    ) -> Result<(), Refused> {
        let header = stored.header;
        stored.require_placed(agency.state(), link, placement)?;
        self.require_writable(agency, signer, placement.section, placement.epoch)?;
        let private = placement.section.is_private();
        require(private == (header.class == RecordClass::Private), Check::PrivateSection)?;
        require(!private || header.member == signer, Check::PrivateSection)?;
        let release = self.release(agency, placement.section, placement.epoch, &placement.release)?;
        if let Some(records) = &self.records {
            require(!records.contains_key(&stored.hash), Check::PlacedTwice)?;
            // A second first version would make two records of one id, and their versions one list.
            require(
                header.version > 1 || !self.ids.contains(&header.record),
                Check::PlacedTwice,
            )?;
            if header.version > 1 {
                let before = records.get(&header.amends).ok_or(Check::Amends)?;
                let same = before.record == header.record && before.section == header.section;
                require(same && before.version + 1 == header.version, Check::Amends)?;
            }
        }
        self.releases.insert(release.0, release.1);
        if let Some(records) = &mut self.records {
            let placed = PlacedRecord {
                record: header.record,
                version: header.version,
                section: header.section,
                epoch: placement.epoch,
                author: header.member,
                erased: false,
            };
            self.ids.insert(header.record);
            records.insert(stored.hash, placed);
        }
        Ok(())
    }

    /// Returns the epoch under which `member` may now place a record in `section`.
    ///
    /// # Errors
    /// CHK-73 to CHK-77, as another reader would judge the link.
    pub fn writable_epoch(&self, agency: &AgencyState, member: MemberId, section: Section) -> Result<Epoch, Refused> {
        let head = self
            .sections
            .get(&section)
            .and_then(|s| s.heads.last())
            .ok_or(Check::EpochHead)?;
        self.require_writable(agency.now(), member, section, head.epoch)?;
        Ok(head.epoch)
    }

    /// Refuses a write under (section, epoch) that the state does not allow.
    fn require_writable(
        &self,
        agency: AgencyView<'_>,
        signer: MemberId,
        section: Section,
        epoch: Epoch,
    ) -> Result<(), Refused> {
        let state = self.sections.get(&section).ok_or(Check::EpochHead)?;
        require(!state.due, Check::SectionDue)?;
        let head = state
            .heads
            .last()
            .filter(|h| h.epoch == epoch)
            .ok_or(Check::EpochHead)?;
        if section.is_private() {
            require(head.private_author == Some(signer), Check::PrivateSection)?;
            return require(self.writes_anything(signer), Check::WriteRight);
        }
        require(self.may_write(signer, section), Check::WriteRight)?;
        self.require_within(agency, section, &state.readers)
    }

    /// Refuses readers who no longer hold the section, or whose key has been replaced since.
    fn require_within(
        &self,
        agency: AgencyView<'_>,
        section: Section,
        readers: &BTreeSet<RecipientRef>,
    ) -> Result<(), Refused> {
        let holders = self.live_holders(agency, section);
        let mut within: BTreeSet<_> = self.standing(agency, section).into_iter().collect();
        within.extend(holders.into_iter().filter_map(|m| agency.member_ref(m)));
        require(readers.is_subset(&within), Check::RecipientsWithin)
    }

    /// Members whose live grants cover an epoch, and who have not left the agency.
    fn covering(&self, agency: AgencyView<'_>, section: Section, epoch: Epoch) -> BTreeSet<MemberId> {
        let covers = |g: &Grant| g.sections.iter().any(|s| s.section == section && s.from_epoch <= epoch);
        let live = self.grants.values().filter(|g| g.live && covers(&g.grant));
        live.map(|g| g.grant.member)
            .filter(|m| agency.live_member(*m).is_ok())
            .collect()
    }

    #[allow(clippy::type_complexity, reason = "the key and value of one map entry")]
    fn release(
        &self,
        agency: AgencyView<'_>,
        section: Section,
        epoch: Epoch,
        release: &Release,
    ) -> Result<((Section, Epoch, Month), Option<ReleaseCommitment>), Refused> {
        let version = release.commitment.as_ref().map_or(0, |c| c.version);
        require(
            (version == 0) == (agency.root().release_version == 0),
            Check::ReleaseNone,
        )?;
        require(release.commitment.is_none() || version != 0, Check::ReleaseNone)?;
        if let Some(committed) = &release.commitment {
            let log = agency.root().log.as_ref().ok_or(Check::ReleaseNone)?;
            let context = KeyContext {
                agency: agency.state().id(),
                stream: StreamId::case(self.case),
                section,
                epoch,
            };
            let message = release_commitment_bytes(&context, release)?;
            VerifyingKey::new(&log.key, Check::ReleaseChanged)?.verify_framed(
                &message,
                &Signature(committed.signature),
                Check::ReleaseChanged,
            )?;
        }
        let key = (section, epoch, release.month);
        let first = self.releases.get(&key);
        require(first.is_none_or(|f| *f == release.commitment), Check::ReleaseChanged)?;
        Ok((key, release.commitment))
    }

    fn rewrap(&mut self, agency: AgencyView<'_>, signer: MemberId, rewrap: &Rewrap) -> Result<(), Refused> {
        // A set by record hash: two wraps for one record would leave open which of them counts.
        let ascending = rewrap.items.is_sorted_by(|a, b| a.record_hash < b.record_hash);
        require(ascending, Check::NotCanonical)?;
        require(
            rewrap.epoch.is_history() && !rewrap.items.is_empty(),
            Check::HistoryEpoch,
        )?;
        let open = self
            .sections
            .get(&rewrap.section)
            .and_then(|s| s.epoch(rewrap.epoch))
            .ok_or(Check::HistoryEpoch)?;
        if rewrap.section.is_private() {
            require(open.private_author == Some(signer), Check::PrivateSection)?;
        } else {
            require(self.may_write(signer, rewrap.section), Check::WriteRight)?;
            // Whoever lost the section after the history epoch was opened would gain the past that it is to lose.
            self.require_within(agency, rewrap.section, &open.recipients.iter().copied().collect())?;
        }
        if let Some(records) = &self.records {
            for item in &rewrap.items {
                let placed = records.get(&item.record_hash).ok_or(Check::HistoryEpoch)?;
                let fits = placed.section == rewrap.section && placed.epoch == open.of && !placed.erased;
                require(fits, Check::HistoryEpoch)?;
            }
        }
        let (key, value) = self.release(agency, rewrap.section, rewrap.epoch, &rewrap.release)?;
        self.releases.insert(key, value);
        Ok(())
    }

    fn erase(&mut self, signer: MemberId, erasure: &Erasure) -> Result<(), Refused> {
        wire::require_set(&erasure.records)?;
        require(!erasure.records.is_empty(), Check::ErasureTarget)?;
        let Some(records) = &self.records else {
            self.erased.extend(erasure.records.iter().copied());
            return Ok(());
        };
        let mut next = records.clone();
        for hash in &erasure.records {
            let placed = next.get_mut(hash).filter(|p| !p.erased).ok_or(Check::ErasureTarget)?;
            let right = if placed.section.is_private() {
                placed.author == signer
            } else {
                self.may_write(signer, placed.section)
            };
            let own = erasure.ground != ErasureGround::Withdrawn || placed.author == signer;
            require(right && own, Check::ErasureRight)?;
            placed.erased = true;
        }
        self.records = Some(next);
        self.erased.extend(erasure.records.iter().copied());
        Ok(())
    }

    /// Returns the case.
    pub fn case(&self) -> CaseId {
        self.case
    }

    /// Returns the owner.
    pub fn owner(&self) -> Option<MemberId> {
        self.owner
    }

    /// Returns all grants, ended ones too.
    pub fn grants(&self) -> &BTreeMap<GrantId, GrantState> {
        &self.grants
    }

    /// Returns the sections.
    pub fn sections(&self) -> &BTreeMap<Section, SectionState> {
        &self.sections
    }

    /// Returns the keyring files that the stream names, oldest first.
    pub fn keyrings(&self) -> &[KeyringRef] {
        &self.keyrings
    }

    /// Returns what is known of a record; `None` if the state was fed events alone.
    pub fn record(&self, hash: &RecordHash) -> Option<&PlacedRecord> {
        self.records.as_ref()?.get(hash)
    }

    /// Returns the records whose bytes an erasure took.
    pub fn erased(&self) -> impl Iterator<Item = RecordHash> + '_ {
        self.erased.iter().copied()
    }

    /// Whether an erasure took a record's bytes.
    pub fn is_erased(&self, record: &RecordHash) -> bool {
        self.erased.contains(record)
    }

    /// Returns the private section of an author, if it was opened.
    pub fn private_section(&self, author: MemberId) -> Option<Section> {
        let mut sections = self.sections.iter().filter(|(s, _)| s.is_private());
        sections
            .find(|(_, s)| s.heads.last().is_some_and(|h| h.private_author == Some(author)))
            .map(|(s, _)| *s)
    }

    /// Returns the members whose live grants name `section`.
    pub fn holders(&self, section: Section) -> BTreeSet<MemberId> {
        let live = self.grants.values().filter(|g| g.live);
        live.filter(|g| g.grant.sections.iter().any(|s| s.section == section))
            .map(|g| g.grant.member)
            .collect()
    }

    /// Returns those holders of `section` who have not left the agency.
    pub fn live_holders(&self, agency: AgencyView<'_>, section: Section) -> BTreeSet<MemberId> {
        let mut holders = self.holders(section);
        holders.retain(|m| agency.live_member(*m).is_ok());
        holders
    }

    /// Returns the roles that stand in `section`.
    pub fn standing(&self, agency: AgencyView<'_>, section: Section) -> Vec<RecipientRef> {
        let duty = if section.is_private() {
            None
        } else {
            agency.duty_ref(section)
        };
        std::iter::once(agency.recovery_ref()).chain(duty).collect()
    }

    /// Whether `member` may write in `section`, which is not a private one.
    pub fn may_write(&self, member: MemberId, section: Section) -> bool {
        self.live_grants(member)
            .any(|g| g.rights.contains(Rights::WRITE) && g.sections.iter().any(|s| s.section == section))
    }

    fn writes_anything(&self, member: MemberId) -> bool {
        self.live_grants(member).any(|g| g.rights.contains(Rights::WRITE))
    }

    fn owns(&self, member: MemberId) -> bool {
        self.live_grants(member).any(|g| g.rights.contains(Rights::OWN))
    }

    /// Whether a member has a grant that is in force.
    pub fn holds_anything(&self, member: MemberId) -> bool {
        self.live_grants(member).next().is_some()
    }

    fn live_grants(&self, member: MemberId) -> impl Iterator<Item = &Grant> {
        self.grants
            .values()
            .filter(move |g| g.live && g.grant.member == member)
            .map(|g| &g.grant)
    }

    /// Returns exactly who an epoch-open of `section` must name, as of the agency link `cited`.
    ///
    /// # Errors
    /// [`Check::RecipientVersion`] if a holder has no recipient there.
    pub fn recipients_of(
        &self,
        agency: AgencyView<'_>,
        section: Section,
        kind: EpochKind,
        of: Epoch,
        author: Option<MemberId>,
        cited: u64,
    ) -> Result<BTreeSet<RecipientRef>, Refused> {
        let members: BTreeSet<MemberId> = match (author, kind) {
            (Some(author), _) => BTreeSet::from([author]),
            (None, EpochKind::Head) => self.live_holders(agency, section),
            (None, EpochKind::History) => self.covering(agency, section, of),
        };
        let mut all: BTreeSet<_> = self.standing(agency, section).into_iter().collect();
        for member in members {
            all.insert(
                agency
                    .state()
                    .at(cited)
                    .member_ref(member)
                    .ok_or(Check::RecipientVersion)?,
            );
        }
        Ok(all)
    }
}
