//! An agency of one person with a case for each connection, and what it sends, signed beforehand.

use super::Result;
use super::wire::Connection;
use super::wire::request;
use data_encoding::BASE64URL_NOPAD;
use data_encoding::HEXLOWER;
use getrandom::SysRng;
use rand_core::UnwrapErr;
use rayon::prelude::*;
use std::net::SocketAddr;
use std::sync::Mutex;
use vault_core::crypto::sign::SigningKey;
use vault_core::epoch::SectionSealer;
use vault_core::founding;
use vault_core::founding::Founded;
use vault_core::id::CaseId;
use vault_core::id::LinkId;
use vault_core::id::PolicyHash;
use vault_core::id::RecordHash;
use vault_core::id::RecordId;
use vault_core::opening;
use vault_core::parcel::carry;
use vault_core::parcel::keyrings;
use vault_core::parcel::pack;
use vault_core::placing;
use vault_core::record;
use vault_core::secret::ReleaseHalf;
use vault_core::server_session;
use vault_core::server_session::By;
use vault_core::stream::Chain;
use vault_core::wire;
use vault_core::wire::v1::FORMAT;
use vault_core::wire::v1::agency::Verifier;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::key::KeyContext;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::link::PlacedEvent;
use vault_core::wire::v1::link::Release;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::record::RecordHeader;
use vault_core::wire::v1::stream::Epoch;
use vault_core::wire::v1::stream::Month;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::sync::AppendReply;
use vault_core::wire::v1::sync::AppendRequest;
use vault_core::wire::v1::sync::Outcome;
use vault_core::wire::v1::sync::Parcel;
use vault_core::wire::v1::sync::SessionStatement;

const MONTH: Month = Month(680);
const RELEASE: Release = Release {
    month: MONTH,
    commitment: None,
};
/// A note's text: the median of what caseworkers write.
const TEXT: usize = 900;

/// What one connection sends: whole requests, or streams that it pulls.
pub(crate) struct Sent {
    requests: Vec<Vec<u8>>,
    streams: Vec<(StreamId, u64)>,
    total: usize,
    token: String,
}

impl Sent {
    /// How many answers there will be at most.
    pub(crate) fn len(&self) -> usize {
        self.total.max(self.requests.len())
    }

    /// Takes out the first tenth.
    pub(crate) fn first_tenth(&mut self) -> Self {
        let tenth = self.requests.len() / 10;
        Self {
            requests: self.requests.drain(..tenth).collect(),
            streams: Vec::new(),
            total: 0,
            token: self.token.clone(),
        }
    }

    /// Returns a request.
    pub(crate) fn request(&self, at: usize) -> &[u8] {
        self.requests.get(at).map_or(&[], Vec::as_slice)
    }

    /// Returns the stream and the number in it of link `at` of all.
    pub(crate) fn place(&self, at: usize) -> (StreamId, u64) {
        let mut before = 0;
        for (stream, links) in &self.streams {
            let from = at as u64 - before;
            if from < *links {
                return (*stream, from);
            }
            before += links;
        }
        unreachable!("asked for what is beyond the last stream")
    }

    /// Returns the place after `taken` links from `at` on; a stream that does not go on ends there.
    pub(crate) fn after(&self, at: usize, taken: u64, more: bool) -> usize {
        let mut end = 0;
        for (_, links) in &self.streams {
            end += links;
            if (at as u64) < end {
                return if more { at + taken as usize } else { end as usize };
            }
        }
        self.len()
    }

    /// Returns the request for a page.
    pub(crate) fn page(&self, stream: StreamId, from: u64) -> Vec<u8> {
        page(stream, from, &self.token)
    }
}

/// The agency.
pub(crate) struct Office {
    founded: Founded,
    token: String,
    cases: Vec<Mutex<Case>>,
}

struct Case {
    stream: StreamId,
    chain: Chain,
    sealer: SectionSealer,
}

impl Office {
    /// Registers and founds an agency, and opens `cases` cases.
    pub(crate) fn found(server: SocketAddr, cases: usize) -> Result<Self> {
        let founded = founding::found(b"{}", PolicyHash([7; 32]), MONTH, &mut UnwrapErr(SysRng))?;
        let agency = founded.agency.id();
        let mut connection = Connection::to(server)?;
        let path = format!("/v1/agencies/{}", HEXLOWER.encode(&agency.0));
        let verifier: Verifier = wire::decode(&connection.ask(&request("PUT", &path, None, &[]))?, 4096)?;
        let mut parcels = Vec::new();
        for (link, placed) in &founded.links {
            let LinkBody::Event(event) = &link.link().body else {
                return Err("a founding of something else than events".into());
            };
            let files: Vec<_> = keyrings(&event.event)
                .iter()
                .filter_map(|named| founded.files.iter().find(|(hash, _)| *hash == named.keyring_hash))
                .map(|(_, file)| file.clone())
                .collect();
            let records = placed.iter().map(|one| carry(one.record.as_unverified(), &one.wrap));
            parcels.push(pack(link.as_unverified(), records.collect(), files)?);
        }
        let rest = parcels.split_off(1);
        let mut office = Self {
            founded,
            token: String::new(),
            cases: Vec::new(),
        };
        office.send(&mut connection, None, parcels)?;
        let challenge = connection.ask(&request("POST", "/v1/sessions/challenge", None, &[]))?;
        let statement = SessionStatement {
            agency,
            log: verifier.key,
            device: office.founded.device,
            challenge: challenge.try_into().map_err(|_| "no challenge")?,
        };
        let signed = wire::encode(&server_session::sign(statement, By::Device, &office.signer())?)?;
        let token = connection.ask(&request("POST", "/v1/sessions", None, &signed))?;
        office.token = BASE64URL_NOPAD.encode(&token);
        office.send(&mut connection, Some(&office.token), rest)?;
        for _ in 0..cases {
            let (case, parcel) = office.open_case()?;
            office.send(&mut connection, Some(&office.token), vec![parcel])?;
            office.cases.push(Mutex::new(case));
        }
        Ok(office)
    }

    fn signer(&self) -> SigningKey {
        SigningKey::from_seed(&self.founded.secrets.device)
    }

    fn head(&self) -> LinkId {
        self.founded.agency.head()
    }

    fn send(&self, connection: &mut Connection, token: Option<&str>, parcels: Vec<Parcel>) -> Result<()> {
        let body = self.body(parcels)?;
        let body = connection.ask(&request("POST", "/v1/append", token, &body))?;
        let reply: AppendReply = wire::decode(&body, limit::APPEND)?;
        match reply.outcomes.iter().all(|o| matches!(o, Outcome::Stored(_))) {
            true => Ok(()),
            false => Err(format!("not stored: {:?}", reply.outcomes).into()),
        }
    }

    fn body(&self, parcels: Vec<Parcel>) -> Result<Vec<u8>> {
        let agency = self.founded.agency.id();
        Ok(wire::encode(&AppendRequest { agency, parcels })?)
    }

    fn open_case(&self) -> Result<(Case, Parcel)> {
        let random = &mut UnwrapErr(SysRng);
        let agency = &self.founded.agency;
        let stream = StreamId::case(CaseId(opening::fresh_id(random)));
        let (membership, opened) = opening::open_case(agency, stream, self.founded.member, random)?;
        let event = Event::CaseOpened(membership);
        let named: Vec<_> = keyrings(&event).iter().map(|named| named.keyring_hash).collect();
        let mut chain = Chain::empty(agency.id(), stream);
        let sealed = Vec::new();
        let body = LinkBody::Event(PlacedEvent { event, sealed });
        let link = chain
            .append(self.head(), self.founded.device, body)?
            .sign(&self.signer());
        let files = named
            .iter()
            .filter_map(|hash| opened.files.iter().find(|(named, _)| named == hash));
        let files = files.map(|(_, file)| file.clone()).collect();
        let parcel = pack(link.as_unverified(), Vec::new(), files)?;
        let core = opened.keys.iter().find(|(section, _, _)| *section == Section::CORE);
        let (section, epoch, key) = core.ok_or("a case without its core")?;
        let context = KeyContext {
            agency: agency.id(),
            stream,
            section: *section,
            epoch: *epoch,
        };
        let sealer = SectionSealer::derive(key, &ReleaseHalf::none(), context, &RELEASE)?;
        Ok((Case { stream, chain, sealer }, parcel))
    }

    /// Signs `each` notes of each case, `batch` to a request.
    pub(crate) fn notes(&self, each: usize, batch: usize) -> Result<Vec<Sent>> {
        self.cases
            .par_iter()
            .map(|case| {
                let mut case = case.lock().map_err(|_| "a case is lost")?;
                let mut requests = Vec::new();
                for first in (0..each).step_by(batch) {
                    let parcels = (first..each.min(first + batch)).map(|_| self.note(&mut case));
                    let body = self.body(parcels.collect::<Result<_>>()?)?;
                    requests.push(request("POST", "/v1/append", Some(&self.token), &body));
                }
                Ok(Sent {
                    requests,
                    streams: Vec::new(),
                    total: 0,
                    token: self.token.clone(),
                })
            })
            .collect()
    }

    fn note(&self, case: &mut Case) -> Result<Parcel> {
        let random = &mut UnwrapErr(SysRng);
        let (agency, signer) = (&self.founded.agency, self.signer());
        let header = RecordHeader {
            format: FORMAT,
            agency: agency.id(),
            stream: case.stream,
            section: Section::CORE,
            record: RecordId(opening::fresh_id(random)),
            version: 1,
            amends: RecordHash::ZERO,
            member: self.founded.member,
            device: self.founded.device,
            class: RecordClass::Note,
            padded_length: 0,
            commitment: [0; 32],
        };
        let text = [b' '; TEXT];
        let secret = &self.founded.secrets.seal_secret;
        let sealed = record::seal(header, &text, &opening::fresh(random), secret, &signer)?;
        let placed = placing::place(sealed, &case.sealer, Epoch::FIRST, RELEASE)?;
        let body = LinkBody::Record(placed.placement);
        let link = case.chain.append(self.head(), self.founded.device, body)?.sign(&signer);
        let carried = carry(placed.record.as_unverified(), &placed.wrap);
        Ok(pack(link.as_unverified(), vec![carried], Vec::new())?)
    }

    /// Requests of one note each: the last of every case, each connection beginning with another.
    pub(crate) fn reads(&self, each: usize) -> Vec<Sent> {
        let ends = self.ends();
        let reading = |connection: usize| {
            let requests = (0..each).filter_map(|number| {
                let (stream, links) = ends.get((connection + number) % ends.len())?;
                Some(page(*stream, links - 1, &self.token))
            });
            Sent {
                requests: requests.collect(),
                streams: Vec::new(),
                total: 0,
                token: self.token.clone(),
            }
        };
        (0..self.cases.len()).map(reading).collect()
    }

    /// Whole pulls of all cases.
    pub(crate) fn pulls(&self, number: usize) -> Vec<Sent> {
        let streams = self.ends();
        let total: u64 = streams.iter().map(|(_, links)| links).sum();
        let pull = || Sent {
            requests: Vec::new(),
            streams: streams.clone(),
            total: total as usize,
            token: self.token.clone(),
        };
        std::iter::repeat_with(pull).take(number).collect()
    }

    fn ends(&self) -> Vec<(StreamId, u64)> {
        let cases = self.cases.iter().filter_map(|case| case.lock().ok());
        cases.map(|case| (case.stream, case.chain.next_seq())).collect()
    }
}

fn page(stream: StreamId, from: u64, token: &str) -> Vec<u8> {
    let id = HEXLOWER.encode(&stream.id);
    let path = format!("/v1/streams/{}/{id}?from={from}", stream.kind as u8);
    request("GET", &path, Some(token), &[])
}
