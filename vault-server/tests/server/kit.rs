//! A server process, and an agency of forged people whose links go to it.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use rustix::process::{Pid, Signal, kill_process};
use vault_core::access::Ratchet;
use vault_core::check::Check;
use vault_core::crypto::sign::{PublicKey, VerifyingKey};
use vault_core::forge::case::{Made, none};
use vault_core::forge::twin::LinkTwin;
use vault_core::forge::{CaseFile, Seeded, World};
use vault_core::id::DeviceId;
use vault_core::parcel::{OpenParcel, carry, keyrings, pack};
use vault_core::placing::{self, StoredRecord};
use vault_core::record;
use vault_core::server_session::{self, By};
use vault_core::stream::{Chain, UnverifiedLink};
use vault_core::tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use vault_core::wire;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::agency::Verifier;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::link::{Link, LinkBody, PlacedEvent};
use vault_core::wire::v1::stream::{Epoch, Section, StreamId};
use vault_core::wire::v1::sync::{
    AppendReply, AppendRequest, Outcome, Parcel, SessionStatement, StreamList, StreamPage,
};

use crate::cluster::Cluster;
use crate::http::{Answer, Connection};

/// A running server, and where it keeps what it keeps, which outlives it.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    place: Place,
}

/// Where a server keeps what it keeps.
#[derive(Clone)]
pub(crate) enum Place {
    Folder(Rc<tempfile::TempDir>, &'static str),
    Database { url: String, _cluster: Arc<Cluster> },
}

thread_local! {
    /// Where servers of this test keep what they keep, if not in a folder.
    static CLUSTER: RefCell<Option<Arc<Cluster>>> = const { RefCell::new(None) };
}

/// Runs a test whose servers each have a database of a cluster.
pub(crate) fn over(cluster: Arc<Cluster>, test: impl FnOnce()) {
    CLUSTER.set(Some(cluster));
    test();
    CLUSTER.take();
}

impl Place {
    fn new() -> Self {
        CLUSTER.with_borrow(|cluster| match cluster {
            Some(cluster) => Self::Database {
                url: cluster.database(),
                _cluster: Arc::clone(cluster),
            },
            None => Self::Folder(Rc::new(tempfile::tempdir().unwrap()), "server"),
        })
    }

    fn arguments(&self) -> [String; 2] {
        match self {
            Self::Folder(around, name) => {
                let folder = around.path().join(name);
                ["--data".to_owned(), folder.to_str().unwrap().to_owned()]
            }
            Self::Database { url, .. } => ["--database".to_owned(), url.clone()],
        }
    }
}

impl Server {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::on(Place::new(), args)
    }

    /// Starts one over a folder that is there.
    pub(crate) fn in_folder(around: tempfile::TempDir, name: &'static str, args: &[&str]) -> Self {
        Self::on(Place::Folder(Rc::new(around), name), args)
    }

    /// Starts one over a database.
    pub(crate) fn over(cluster: &Arc<Cluster>, url: &str, args: &[&str]) -> Self {
        let (url, _cluster) = (url.to_owned(), Arc::clone(cluster));
        Self::on(Place::Database { url, _cluster }, args)
    }

    pub(crate) fn command() -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_casevault-server"));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts it as a shell does that has the signal of files which grow too long ignored.
    pub(crate) fn start_ignoring_file_size_signals() -> Self {
        let mut command = Command::new("sh");
        command
            .args([
                "-c",
                "trap '' XFSZ; exec \"$0\" \"$@\"",
                env!("CARGO_BIN_EXE_casevault-server"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self::with(command, Place::new(), &[])
    }

    fn on(place: Place, args: &[&str]) -> Self {
        Self::with(Self::command(), place, args)
    }

    fn with(mut command: Command, place: Place, args: &[&str]) -> Self {
        let mut child = command
            .args(args)
            .args(["--listen", "127.0.0.1:0"])
            .args(place.arguments())
            .args(
                (!args.contains(&"--tell"))
                    .then_some(["--tell", "failures"])
                    .into_iter()
                    .flatten(),
            )
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.trim_end().strip_prefix("listening on http");
        let address = address.and_then(|rest| rest.strip_prefix("s").unwrap_or(rest).strip_prefix("://"));
        let Some(address) = address else {
            let mut said = String::new();
            child.stderr.as_mut().unwrap().read_to_string(&mut said).unwrap();
            panic!("{line}{said}");
        };
        Self {
            address: address.parse().unwrap(),
            child,
            place,
        }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        match &self.place {
            Place::Folder(around, name) => around.path().join(name),
            Place::Database { .. } => panic!("it has none"),
        }
    }

    /// Its database.
    pub(crate) fn database(&self) -> &str {
        match &self.place {
            Place::Folder(..) => panic!("it has none"),
            Place::Database { url, .. } => url,
        }
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::to(self.address)
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.connect().ask(method, path, headers, body)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], &[])
    }

    /// Ends it with SIGTERM and asserts a clean end that told of no failure.
    pub(crate) fn stop(&mut self) {
        assert_eq!(self.stop_saying(), "");
    }

    /// Ends it with SIGTERM and returns what it said on stderr.
    pub(crate) fn stop_saying(&mut self) -> String {
        kill_process(self.pid(), Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{status}");
        let mut said = String::new();
        self.child.stderr.as_mut().unwrap().read_to_string(&mut said).unwrap();
        said
    }

    /// Waits for its end, which was asked for.
    pub(crate) fn wait(&mut self) {
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{status}");
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Ends it with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts another over the same folder, or the same database.
    pub(crate) fn again(&self, args: &[&str]) -> Self {
        Self::on(self.place.clone(), args)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An agency with a case and an access stream, and what a client knows of them.
pub(crate) struct Office {
    pub(crate) world: World,
    pub(crate) case: CaseFile,
    pub(crate) access: Vec<Accesses>,
    pub(crate) log: PublicKey,
    notes: u64,
}

/// A device's access stream.
pub(crate) struct Accesses {
    pub(crate) chain: Chain,
    ratchet: Option<Ratchet>,
}

impl Office {
    /// Founds an agency of `people` and registers it; nothing is appended.
    pub(crate) fn register(server: &Server, seed: u64, people: usize) -> Self {
        let world = World::new(seed, people);
        let agency = world.agency.id();
        let answer = server.ask("PUT", &format!("/v1/agencies/{}", HEXLOWER.encode(&agency.0)), &[], &[]);
        assert_eq!(answer.status, 200, "{answer:?}");
        let verifier: Verifier = wire::decode(&answer.body, 1000).unwrap();
        let access = (0..people).map(|person| {
            let stream = StreamId::access(world.people[person].device);
            let chain = Chain::empty(agency, stream);
            let ratchet = None;
            Accesses { chain, ratchet }
        });
        Self {
            case: CaseFile::empty(&world, seed),
            access: access.collect(),
            log: verifier.key,
            notes: 0,
            world,
        }
    }

    /// Registers and founds: the agency's stream is appended.
    pub(crate) fn found(server: &Server, seed: u64, people: usize) -> Self {
        let office = Self::register(server, seed, people);
        let parcels: Vec<_> = office.world.links.iter().map(|link| office.parcel(link)).collect();
        let (first, rest) = parcels.split_at(1);
        let founding = office.append_as(server, None, first.to_vec());
        assert_eq!(founding.outcomes, [Outcome::Stored(0)]);
        if !rest.is_empty() {
            let reply = office.append(server, rest.to_vec());
            assert!(
                reply.outcomes.iter().all(|o| matches!(o, Outcome::Stored(_))),
                "{reply:?}"
            );
        }
        office
    }

    /// As [`Self::found`], with a case of person 0 that is stored.
    pub(crate) fn with_case(server: &Server, seed: u64, people: usize) -> Self {
        let mut office = Self::found(server, seed, people);
        let opening = office.open_case();
        office.stored(server, vec![opening]);
        office
    }

    pub(crate) fn id(&self) -> String {
        HEXLOWER.encode(&self.world.agency.id().0)
    }

    /// The parcel of an event's link, whose keyring files are what the forging kit names them by.
    pub(crate) fn parcel(&self, link: &UnverifiedLink) -> Parcel {
        let blobs = match &link.link().body {
            LinkBody::Event(placed) => keyrings(&placed.event)
                .iter()
                .map(|keyring| wire::encode(&keyring.to).unwrap())
                .collect(),
            _ => Vec::new(),
        };
        pack(link, Vec::new(), blobs).unwrap()
    }

    /// Signs a link as person `by`.
    pub(crate) fn sign(&self, by: usize, link: Link) -> UnverifiedLink {
        LinkTwin::signed(link, &self.world.people[by].signer)
            .received()
            .unwrap()
    }

    /// Signs, judges and takes in the case's next link; the honest client's way.
    pub(crate) fn next(&mut self, by: usize, body: LinkBody, stored: &[StoredRecord<'_>]) -> UnverifiedLink {
        let link = self.sign(by, self.case.link(&self.world, by, body));
        self.case.try_link(&self.world, &link, stored).unwrap();
        link
    }

    pub(crate) fn event(&mut self, by: usize, event: Event) -> Parcel {
        let sealed = Vec::new();
        let link = self.next(by, LinkBody::Event(PlacedEvent { event, sealed }), &[]);
        self.parcel(&link)
    }

    pub(crate) fn open_case(&mut self) -> Parcel {
        let opening = self.case.opening(&self.world, 0);
        self.event(0, Event::CaseOpened(opening))
    }

    /// A note of person `by` in the core section, placed by the same.
    pub(crate) fn note(&mut self, by: usize) -> Parcel {
        self.note_made(by).0
    }

    pub(crate) fn note_made(&mut self, by: usize) -> (Parcel, Made) {
        self.notes += 1;
        let mut header = self.case.header(&self.world, by, Section::CORE, 0);
        header.record.0[..8].copy_from_slice(&self.notes.to_be_bytes());
        let made = self.case.make(&self.world, by, header);
        let parcel = self.place(by, &made);
        (parcel, made)
    }

    /// A note of so many bytes by person 0, placed by the same.
    pub(crate) fn long_note(&mut self, bytes: usize) -> (Parcel, Made) {
        self.notes += 1;
        let mut header = self.case.header(&self.world, 0, Section::CORE, 0);
        header.record.0[..8].copy_from_slice(&self.notes.to_be_bytes());
        let person = &self.world.people[0];
        let text = vec![b' '; bytes];
        let sealed = record::seal(header, &text, &[7; 32], &person.seal_secret, &person.signer).unwrap();
        let sealer = self.case.sealer(&self.world, Section::CORE, Epoch(0));
        let placed = placing::place(sealed, &sealer, Epoch(0), none()).unwrap();
        let made = Made {
            record: placed.record,
            wrap: placed.wrap,
            placement: placed.placement,
        };
        (self.place(0, &made), made)
    }

    /// Places a record as the case's next link.
    pub(crate) fn place(&mut self, by: usize, made: &Made) -> Parcel {
        let link = self.next(by, LinkBody::Record(made.placement), &[made.stored()]);
        pack(&link, vec![carry(made.record.as_unverified(), &made.wrap)], Vec::new()).unwrap()
    }

    /// The next link of a device's access stream: a segment's start, then entries.
    pub(crate) fn access(&mut self, by: usize) -> Parcel {
        let agency = self.world.agency.id();
        let person = &self.world.people[by];
        let own = &mut self.access[by];
        let head = self.world.agency.head();
        let (body, blobs) = match &mut own.ratchet {
            None => {
                let (ratchet, segment, file) = Ratchet::begin(
                    agency,
                    person.device,
                    0,
                    self.world.agency.dpo(),
                    [9; 32],
                    &mut Seeded::new(5),
                )
                .unwrap();
                own.ratchet = Some(ratchet);
                (LinkBody::Segment(segment), vec![file])
            }
            Some(ratchet) => {
                let sealed = ratchet
                    .seal(AccessOperation::Open, None, b"{}", None, &[3; 32], &person.seal_secret)
                    .unwrap();
                (LinkBody::Access(sealed.entry), vec![sealed.body])
            }
        };
        let link = own
            .chain
            .append(head, person.device, body)
            .unwrap()
            .sign(&person.signer);
        pack(link.as_unverified(), Vec::new(), blobs).unwrap()
    }

    /// Begins a session as person `by`; returns the header's value.
    pub(crate) fn session(&self, server: &Server, by: usize) -> String {
        let answer = self.try_session(server, by, self.log);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body.len(), 88);
        format!("Bearer {}", BASE64URL_NOPAD.encode(&answer.body))
    }

    pub(crate) fn try_session(&self, server: &Server, by: usize, log: PublicKey) -> Answer {
        let challenge = server.ask("POST", "/v1/sessions/challenge", &[], &[]);
        assert_eq!(challenge.status, 200);
        let request = self.session_request(by, log, challenge.body.try_into().unwrap());
        server.ask("POST", "/v1/sessions", &[], &request)
    }

    pub(crate) fn session_request(&self, by: usize, log: PublicKey, challenge: [u8; 48]) -> Vec<u8> {
        let person = &self.world.people[by];
        let statement = SessionStatement {
            agency: self.world.agency.id(),
            log,
            device: person.device,
            challenge,
        };
        wire::encode(&server_session::sign(statement, By::Device, &person.signer).unwrap()).unwrap()
    }

    /// Asks for a session of a device that nobody knows, by a person's identity key.
    pub(crate) fn try_restored(&self, server: &Server, by: usize, device: DeviceId) -> Answer {
        let challenge = server.ask("POST", "/v1/sessions/challenge", &[], &[]);
        let statement = SessionStatement {
            agency: self.world.agency.id(),
            log: self.log,
            device,
            challenge: challenge.body.try_into().unwrap(),
        };
        let signed = server_session::sign(statement, By::Identity, &self.world.people[by].identity);
        let request = wire::encode(&signed.unwrap()).unwrap();
        server.ask("POST", "/v1/sessions/restored", &[], &request)
    }

    pub(crate) fn request(&self, parcels: Vec<Parcel>) -> Vec<u8> {
        let agency = self.world.agency.id();
        wire::encode(&AppendRequest { agency, parcels }).unwrap()
    }

    /// Appends in a session of person 0.
    pub(crate) fn append(&self, server: &Server, parcels: Vec<Parcel>) -> AppendReply {
        let token = self.session(server, 0);
        self.append_as(server, Some(&token), parcels)
    }

    pub(crate) fn append_as(&self, server: &Server, token: Option<&str>, parcels: Vec<Parcel>) -> AppendReply {
        let headers: Vec<_> = token.map(|token| ("Authorization", token)).into_iter().collect();
        let answer = server.ask("POST", "/v1/append", &headers, &self.request(parcels));
        self.reply(&answer)
    }

    /// Reads a reply and holds it to what it says: the checkpoint is over every leaf that is named.
    pub(crate) fn reply(&self, answer: &Answer) -> AppendReply {
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let reply: AppendReply = wire::decode(&answer.body, limit::APPEND).unwrap();
        let checkpoint = self.checkpoint(&reply.checkpoint);
        for outcome in &reply.outcomes {
            if let Outcome::Stored(leaf) = outcome {
                assert!(*leaf < checkpoint.size);
            }
        }
        reply
    }

    /// Appends one at a time and asserts that each is stored.
    pub(crate) fn stored(&self, server: &Server, parcels: Vec<Parcel>) -> Vec<u64> {
        let number = parcels.len();
        let reply = self.append(server, parcels);
        assert_eq!(reply.outcomes.len(), number);
        let leaf = |outcome: &Outcome| match outcome {
            Outcome::Stored(leaf) => *leaf,
            other => panic!("{other:?}"),
        };
        reply.outcomes.iter().map(leaf).collect()
    }

    /// What becomes of one parcel, in a session of person 0.
    pub(crate) fn outcome(&self, server: &Server, parcel: Parcel) -> Outcome {
        let reply = self.append(server, vec![parcel]);
        let [outcome] = reply.outcomes.as_slice() else {
            panic!("{reply:?}")
        };
        *outcome
    }

    pub(crate) fn checkpoint(&self, note: &[u8]) -> Checkpoint {
        let key = VerifyingKey::new(&self.log, Check::CheckpointSignature).unwrap();
        let opened = SignedCheckpoint::open(note, self.world.agency.id(), &key, &[]).unwrap();
        *opened.checkpoint()
    }

    pub(crate) fn streams(&self, server: &Server, by: usize, after: u64) -> StreamList {
        let token = self.session(server, by);
        let path = format!("/v1/streams?after={after}");
        let answer = server.ask("GET", &path, &[("Authorization", &token)], &[]);
        assert_eq!(answer.status, 200, "{answer:?}");
        wire::decode(&answer.body, limit::APPEND).unwrap()
    }

    pub(crate) fn try_page(&self, server: &Server, by: usize, stream: StreamId, from: u64) -> Answer {
        let token = self.session(server, by);
        server.ask("GET", &path(stream, from), &[("Authorization", &token)], &[])
    }

    pub(crate) fn page(&self, server: &Server, by: usize, stream: StreamId, from: u64) -> StreamPage {
        let answer = self.try_page(server, by, stream, from);
        assert_eq!(answer.status, 200, "{answer:?}");
        wire::decode(&answer.body, limit::APPEND).unwrap()
    }

    pub(crate) fn case_stream(&self) -> StreamId {
        StreamId::case(self.case.id)
    }

    pub(crate) fn access_stream(&self, by: usize) -> StreamId {
        StreamId::access(DeviceId(self.world.people[by].device.0))
    }
}

pub(crate) fn path(stream: StreamId, from: u64) -> String {
    let id = HEXLOWER.encode(&stream.id);
    format!("/v1/streams/{}/{id}?from={from}", stream.kind as u8)
}

/// The link's id of a parcel, as whoever reads it computes it.
pub(crate) fn link_id(parcel: &Parcel) -> vault_core::id::LinkId {
    OpenParcel::open(parcel.clone()).unwrap().link().id()
}
