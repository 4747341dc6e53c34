//! What an agency may keep at the server, and what is taken whatever it keeps.

use vault_core::wire::v1::event::{Erasure, ErasureGround, Event};
use vault_core::wire::v1::sync::Parcel;

use crate::http::Answer;
use crate::kit::{Office, Server};

fn append(office: &Office, server: &Server, parcels: Vec<Parcel>) -> Answer {
    let token = office.session(server, 0);
    let headers = [("Authorization", token.as_str())];
    server.ask("POST", "/v1/append", &headers, &office.request(parcels))
}

/// Writes notes until no more is taken; returns those that were.
fn fill(office: &mut Office, server: &Server) -> Vec<Parcel> {
    let mut sent = Vec::new();
    loop {
        let before = office.case.clone();
        let note = office.note(0);
        let answer = append(office, server, vec![note.clone()]);
        if answer.status == 200 {
            office.reply(&answer);
            sent.push(note);
            continue;
        }
        assert_eq!((answer.status, answer.problem().as_str()), (507, "quota-full"));
        office.case = before;
        return sent;
    }
}

#[test]
pub(crate) fn an_agency_keeps_no_more_than_its_quota_and_rights_and_erasures_wait_for_no_room() {
    let server = Server::start(&["--quota", "6KiB"]);
    let mut office = Office::with_case(&server, 40, 2);
    let (first, made) = office.note_made(0);
    office.stored(&server, vec![first.clone()]);
    let sent = fill(&mut office, &server);
    assert!((2..20).contains(&sent.len()), "{}", sent.len());
    let links = |office: &Office| office.page(&server, 0, office.case_stream(), 0).parcels.len();
    let stored = links(&office);
    assert_eq!(stored, 2 + sent.len());
    // What is there is told to be there, however often it is sent; one that is not keeps the whole request out.
    office.reply(&append(&office, &server, vec![first.clone(), sent[0].clone()]));
    let before = office.case.clone();
    let (one, other) = (office.note(0), office.note(0));
    assert_eq!(append(&office, &server, vec![one, other]).status, 507);
    office.case = before;
    assert_eq!(links(&office), stored);
    // Another agency has its own.
    let mut neighbour = Office::with_case(&server, 41, 1);
    let note = neighbour.note(0);
    neighbour.stored(&server, vec![note]);
    // What takes bytes away is taken, and then there is room again; who read what is taken too, and counts.
    let erasure = Erasure {
        records: vec![made.record.hash()],
        ground: ErasureGround::Decided,
    };
    let erased = office.event(0, Event::Erasure(erasure));
    office.stored(&server, vec![erased]);
    assert_eq!(fill(&mut office, &server).len(), 1);
    let entry = office.access(0);
    office.stored(&server, vec![entry]);
    assert!(fill(&mut office, &server).is_empty());
}

#[test]
pub(crate) fn what_was_kept_is_counted_again_by_a_server_that_starts() {
    let server = Server::start(&[]);
    let mut office = Office::with_case(&server, 42, 1);
    for _ in 0..20 {
        let note = office.note(0);
        office.stored(&server, vec![note]);
    }
    let mut server = server;
    server.stop();
    let small = server.again(&["--quota", "6KiB"]);
    assert!(fill(&mut office, &small).is_empty());
    let mut small = small;
    assert!(small.stop_saying().contains(" 507 "));
    // Without a quota there is none.
    let whole = small.again(&[]);
    let note = office.note(0);
    office.stored(&whole, vec![note]);
}
