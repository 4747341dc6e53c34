//! Invites: opened by who may, asked for once by whoever knows the id, answered once, and forgotten.

use data_encoding::HEXLOWER;
use vault_core::forge::{Person, Seeded};
use vault_core::id::AgencyId;
use vault_core::wire;
use vault_core::wire::v1::agency::{CertifiedDevice, Roles};
use vault_core::wire::v1::enrolment::{AnswerInvite, InviteKind, InviteState, OpenInvite, WaitingDevices};
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::stream::Day;

use crate::http::Answer;
use crate::kit::{Office, Server};

const ID: [u8; 16] = [0x5a; 16];

fn today() -> u32 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    (since.unwrap().as_secs() / 86_400) as u32
}

fn path(id: [u8; 16]) -> String {
    format!("/v1/join/{}", HEXLOWER.encode(&id))
}

fn told(answer: &Answer) -> (u16, String) {
    let kind = if answer.status == 204 {
        String::new()
    } else {
        answer.problem()
    };
    (answer.status, kind)
}

fn problem(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

fn done() -> (u16, String) {
    (204, String::new())
}

/// Two members: an administrator, and a caseworker.
struct Inviting {
    server: Server,
    office: Office,
}

impl Inviting {
    fn new(seed: u64) -> Self {
        let server = Server::start(&["--rate", "0"]);
        let office = Office::found(&server, seed, 2);
        Self { server, office }
    }

    fn open(&self, by: usize, id: [u8; 16], kind: InviteKind, until: u32) -> (u16, String) {
        let open = OpenInvite {
            agency: self.office.world.agency.id(),
            kind,
            until: Day(until),
        };
        let token = self.office.session(&self.server, by);
        let body = wire::encode(&open).unwrap();
        told(&self.server.ask("PUT", &path(id), &[("Authorization", &token)], &body))
    }

    fn ask(&self, id: [u8; 16], request: &[u8]) -> (u16, String) {
        told(&self.server.ask("POST", &path(id), &[], request))
    }

    fn answer(&self, by: usize, id: [u8; 16], answer: &[u8], enrolment: Option<CertifiedDevice>) -> (u16, String) {
        let token = self.office.session(&self.server, by);
        let answer = AnswerInvite {
            answer: answer.to_vec(),
            enrolment,
        };
        let body = wire::encode(&answer).unwrap();
        let path = format!("{}/answer", path(id));
        told(&self.server.ask("POST", &path, &[("Authorization", &token)], &body))
    }

    fn state(&self, id: [u8; 16]) -> Option<(Vec<u8>, Vec<u8>)> {
        let answer = self.server.get(&path(id));
        if answer.status == 404 {
            return None;
        }
        let state: InviteState = wire::decode(&answer.body, 1 << 20).unwrap();
        Some((state.request, state.answer))
    }

    fn waiting(&self, by: usize) -> Result<WaitingDevices, (u16, String)> {
        let token = self.office.session(&self.server, by);
        let answer = self.server.ask("GET", "/v1/join", &[("Authorization", &token)], &[]);
        match answer.status {
            200 => Ok(wire::decode(&answer.body, 1 << 20).unwrap()),
            _ => Err(told(&answer)),
        }
    }
}

#[test]
pub(crate) fn each_part_of_an_invite_is_written_once_and_the_same_again_is_the_same() {
    let here = Inviting::new(101);
    let until = today() + 14;
    assert_eq!(here.state(ID), None);
    assert_eq!(here.ask(ID, b"a request"), problem(404, "not-found"));
    for _ in 0..2 {
        assert_eq!(here.open(0, ID, InviteKind::Member, until), done());
    }
    assert_eq!(here.open(0, ID, InviteKind::Reset, until), problem(409, "taken"));
    assert_eq!(here.state(ID), Some((Vec::new(), Vec::new())));
    assert_eq!(here.answer(0, ID, b"an answer", None), problem(404, "not-found"));
    for _ in 0..2 {
        assert_eq!(here.ask(ID, b"a request"), done());
    }
    assert_eq!(here.ask(ID, b"another request"), problem(409, "taken"));
    assert_eq!(here.ask(ID, &[]), problem(404, "not-found"));
    assert_eq!(here.ask(ID, &[0; 4097]), problem(413, "too-long"));
    for _ in 0..2 {
        assert_eq!(here.answer(0, ID, b"an answer", None), done());
    }
    assert_eq!(here.answer(0, ID, b"another answer", None), problem(409, "taken"));
    let both = Some((b"a request".to_vec(), b"an answer".to_vec()));
    assert_eq!(here.state(ID), both);
    // Another process over the same place knows what it was told.
    let Inviting { mut server, office } = here;
    server.stop();
    let here = Inviting {
        server: server.again(&["--rate", "0"]),
        office,
    };
    assert_eq!(here.state(ID), both);
}

#[test]
pub(crate) fn who_may_open_and_answer_is_a_live_administrator_or_the_devices_own_member() {
    let mut here = Inviting::new(102);
    let until = today() + 14;
    for kind in [InviteKind::Member, InviteKind::Reset] {
        assert_eq!(here.open(1, ID, kind, until), problem(403, "not-allowed"));
    }
    let open = OpenInvite {
        agency: AgencyId([9; 32]),
        kind: InviteKind::Device,
        until: Day(until),
    };
    let (token, body) = (here.office.session(&here.server, 0), wire::encode(&open).unwrap());
    let other = here.server.ask("PUT", &path(ID), &[("Authorization", &token)], &body);
    assert_eq!(told(&other), problem(403, "other-agency"));
    let nobody = here.server.ask("PUT", &path(ID), &[], &body);
    assert_eq!(told(&nobody), problem(401, "no-session"));
    assert_eq!(here.open(1, ID, InviteKind::Device, until), done());
    assert_eq!(here.ask(ID, b"a request"), done());
    // What an administrator opened a caseworker does not answer; what a caseworker opened an administrator may.
    let its = [0x5b; 16];
    assert_eq!(here.open(0, its, InviteKind::Member, until), done());
    assert_eq!(here.ask(its, b"a request"), done());
    assert_eq!(here.answer(1, its, b"an answer", None), problem(403, "not-allowed"));

    let mut person = Person::new(102_001, Roles::CASEWORKER);
    person.device = vault_core::id::DeviceId([7; 16]);
    let device = person.certificate(here.office.world.agency.id(), &person.identity);
    assert_eq!(here.waiting(1), Err(problem(403, "not-allowed")));
    assert_eq!(here.waiting(0).unwrap().devices, []);
    assert_eq!(here.answer(1, ID, b"an answer", Some(device)), done());
    assert_eq!(here.waiting(0).unwrap().devices, [device]);
    // Once it is enrolled it waits no more.
    let event = Event::Device(device);
    here.office.world.try_event(0, event).unwrap();
    let link = here.office.world.links.last().unwrap().clone();
    let parcel = here.office.parcel(&link);
    here.office.stored(&here.server, vec![parcel]);
    assert_eq!(here.waiting(0).unwrap().devices, []);
}

#[test]
pub(crate) fn an_invite_ends_with_its_day_and_an_agency_has_no_more_than_may_be() {
    let here = Inviting::new(103);
    let today = today();
    assert_eq!(
        here.open(0, ID, InviteKind::Member, today - 1),
        problem(404, "not-found")
    );
    let id = |number: u32| {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        id
    };
    for number in 0..256 {
        assert_eq!(here.open(0, id(number), InviteKind::Member, u32::MAX), done());
    }
    assert_eq!(
        here.open(0, id(256), InviteKind::Member, today),
        problem(409, "too-many-invites")
    );
    assert_eq!(here.open(0, id(3), InviteKind::Member, today), done());
}

/// ATTACKS 36: an invite's id and its secret are 128 bits; whoever guesses is told nothing, and slowed.
#[test]
pub(crate) fn attack_36_a_million_guesses_of_an_invite_are_refused() {
    use std::sync::Arc;
    use vault_server::limits::{Limits, Who};
    use vault_server::metrics::Metrics;
    use vault_server::service::Service;
    use vault_server::store::sqlite::Sqlite;
    use vault_server::store::{InviteRow, Store, writing};

    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(folder.path(), [5; 32]).unwrap());
    let mut random = Seeded::new(36);
    let now = u64::from(today()) * 86_400;
    writing(store.as_ref(), |writes| {
        let seed = vault_core::secret::SigningSeed::from_bytes([3; 32]);
        let agency = writes.register(&AgencyId([1; 32]), &seed)?.no;
        writes.put_invite(&InviteRow {
            id: vault_core::wire::v1::enrolment::InviteId(ID),
            agency,
            opener: vault_core::id::MemberId([2; 16]),
            kind: InviteKind::Device,
            until: Day(today()),
            request: Some(b"a request".to_vec()),
            answer: None,
            enrolment: None,
        })
    })
    .unwrap();
    let service = Service::begin(store, Arc::new(Metrics::default()), None).unwrap();
    let (limits, start) = (Limits::new(50), std::time::Instant::now());
    let from = Who::Address(std::net::Ipv4Addr::LOCALHOST.into());
    let mut heard = 0;
    for _ in 0..1_000_000 {
        let guess = vault_core::wire::v1::enrolment::InviteId(random.bytes());
        assert!(service.invite(guess, now).unwrap().is_none());
        heard += u32::from(limits.take(from, start).is_ok());
    }
    // In the moment of all of these, a single place is heard 250 times.
    assert_eq!(heard, 250);
    let known = vault_core::wire::v1::enrolment::InviteId(ID);
    assert_eq!(service.invite(known, now).unwrap().unwrap().request, b"a request");
    assert!(service.invite(known, now + 86_400).unwrap().is_none());
    service.end();
}
