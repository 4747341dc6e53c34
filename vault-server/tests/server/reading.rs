//! Who reads what, and that what one may not read looks like what is not there.

use vault_core::forge::Person;
use vault_core::wire::v1::agency::Roles;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::membership::{Membership, Rights};
use vault_core::wire::v1::stream::{Section, StreamId, StreamKind};
use vault_core::wire::v1::sync::Outcome;

use crate::kit::{Office, Server, path};

/// Person 0 has every role, 1 holds the case, 2 holds nothing, 3 reviews.
fn office(server: &Server, seed: u64) -> Office {
    let mut office = Office::with_case(server, seed, 3);
    let before = office.world.links.len();
    office.world.join(Person::new(seed * 1000 + 3, Roles::REVIEWER));
    let joined: Vec<_> = office.world.links[before..].iter().map(|l| office.parcel(l)).collect();
    office.stored(server, joined);
    let grant = office.case.grant(&office.world, 1, Rights::READ);
    let granting = vault_core::forge::case::granting(&office.world, &[grant]);
    let granted = office.event(0, Event::Membership(granting));
    office.stored(server, vec![granted]);
    let segments = vec![office.access(0), office.access(1), office.access(2)];
    office.stored(server, segments);
    office
}

fn status(office: &Office, server: &Server, by: usize, stream: StreamId) -> u16 {
    let answer = office.try_page(server, by, stream, 0);
    if answer.status != 200 {
        assert_eq!((answer.status, answer.problem().as_str()), (404, "not-found"));
        assert_eq!(answer.body, server.get("/nothing").body);
    }
    answer.status
}

#[test]
pub(crate) fn a_stream_is_read_by_holders_its_own_device_and_reviewers_and_is_not_there_for_others() {
    let server = Server::start(&[]);
    let mut office = office(&server, 20);
    let newcomer = Person::new(20 * 1000 + 3, Roles::REVIEWER);
    assert_eq!(office.world.people[3].device, newcomer.device);
    let agency = StreamId::agency(&office.world.agency.id());
    let (case, own) = (office.case_stream(), [0, 1, 2].map(|p| office.access_stream(p)));
    let rights = [
        // agency, case, accesses of 0, 1 and 2
        [200, 200, 200, 200, 200],
        [200, 200, 404, 200, 404],
        [200, 404, 404, 404, 200],
        [200, 404, 200, 200, 200],
    ];
    for (by, expected) in rights.iter().enumerate() {
        let streams = [agency, case, own[0], own[1], own[2]];
        assert_eq!(
            streams.map(|stream| status(&office, &server, by, stream)),
            *expected,
            "{by}"
        );
        let listed = office.streams(&server, by, 0).streams;
        assert!(listed.is_sorted_by_key(|listed| listed.last));
        for (stream, status) in streams.iter().zip(expected) {
            let there = listed.iter().any(|listed| listed.stream == *stream);
            assert_eq!(there, *status == 200, "{by} {stream}");
        }
    }
    for id in [StreamKind::Agency, StreamKind::Case, StreamKind::Access] {
        let nowhere = StreamId { kind: id, id: [9; 16] };
        assert_eq!(status(&office, &server, 0, nowhere), 404);
    }
    // A grant that ends takes reading with it, and the stream out of the list; up to the link that ended it whoever held
    // the case is told.
    let ended = *office
        .case
        .state
        .grants()
        .iter()
        .find(|(_, g)| g.grant.member == office.world.people[1].member)
        .unwrap()
        .0;
    let sections = [Section::INDEX, Section::CORE, Section(2)];
    let rotation = office.case.rotation(&office.world, &sections, &[0]);
    let revoked = Membership {
        revoked: vec![ended],
        ..rotation
    };
    let revoked = office.event(0, Event::Membership(revoked));
    office.stored(&server, vec![revoked.clone()]);
    let later = office.note(0);
    office.stored(&server, vec![later]);
    let page = office.page(&server, 1, case, 0);
    assert_eq!((page.parcels.len(), page.more), (3, 0));
    assert_eq!(page.parcels[2].parcel, revoked);
    let page = office.page(&server, 1, case, 3);
    assert_eq!((page.parcels.len(), page.more), (0, 0));
    assert_eq!(status(&office, &server, 2, case), 404);
    assert!(
        office
            .streams(&server, 1, 0)
            .streams
            .iter()
            .all(|listed| listed.stream != case)
    );
    assert_eq!(office.page(&server, 0, case, 0).parcels.len(), 4);
}

#[test]
pub(crate) fn a_list_tells_what_has_grown_since_a_leaf() {
    let server = Server::start(&[]);
    let mut office = office(&server, 21);
    let all = office.streams(&server, 0, 0).streams;
    assert_eq!(all.len(), 5);
    let size = all.last().unwrap().last + 1;
    assert!(office.streams(&server, 0, size).streams.is_empty());
    assert!(office.streams(&server, 0, u64::MAX).streams.is_empty());
    let note = office.note(0);
    assert_eq!(office.stored(&server, vec![note]), [size]);
    let grown = office.streams(&server, 0, size).streams;
    let [only] = grown.as_slice() else { panic!("{grown:?}") };
    assert_eq!((only.stream, only.links, only.last), (office.case_stream(), 3, size));
}

#[test]
pub(crate) fn a_long_stream_comes_in_pages_and_none_is_longer_than_it_may_be() {
    let server = Server::start(&["--rate", "0"]);
    let mut office = Office::with_case(&server, 22, 1);
    // Two notes of half a megabyte fit in a page.
    let sent: Vec<_> = (0..11).map(|_| office.long_note(500_000).0).collect();
    let reply = office.append(&server, sent.clone());
    assert!(reply.outcomes.iter().all(|o| matches!(o, Outcome::Stored(_))));
    let (mut from, mut back, mut pages) = (1, Vec::new(), 0);
    loop {
        let page = office.page(&server, 0, office.case_stream(), from);
        let length = vault_core::wire::encode(&page).unwrap().len();
        assert!(length <= 1 << 20 && !page.parcels.is_empty());
        from += page.parcels.len() as u64;
        back.extend(page.parcels.into_iter().map(|placed| placed.parcel));
        pages += 1;
        if page.more == 0 {
            break;
        }
        assert_eq!(page.more, 1);
    }
    assert_eq!(pages, 6);
    assert!(back == sent);
    for beyond in [12, 13, u64::MAX] {
        let page = office.page(&server, 0, office.case_stream(), beyond);
        assert!(page.parcels.is_empty() && page.more == 0);
    }
}

#[test]
pub(crate) fn paths_and_queries_have_one_form() {
    let server = Server::start(&[]);
    let office = Office::with_case(&server, 23, 1);
    let token = office.session(&server, 0);
    let ask = |path: &str| server.ask("GET", path, &[("Authorization", &token)], &[]);
    let good = path(office.case_stream(), 0);
    assert_eq!(ask(&good).status, 200);
    assert_eq!(ask(good.strip_suffix("?from=0").unwrap()).status, 200);
    for query in [
        "?",
        "?from",
        "?from=",
        "?from=-1",
        "?from=+1",
        "?from=1&from=2",
        "?after=0",
        "?from=99999999999999999999",
    ] {
        let answer = ask(&good.replace("?from=0", query));
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "unknown-query"),
            "{query}"
        );
    }
    let id = good.split(['/', '?']).nth(4).unwrap();
    for path in [
        format!("/v1/streams/0/{id}"),
        format!("/v1/streams/4/{id}"),
        format!("/v1/streams/02/{id}"),
        format!("/v1/streams/2/{}", id.to_uppercase()),
        format!("/v1/streams/2/{}", &id[2..]),
        format!("/v1/streams/2/{id}/"),
    ] {
        assert_eq!(ask(&path).status, 404, "{path}");
    }
}
