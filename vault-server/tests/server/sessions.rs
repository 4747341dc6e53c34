//! Sessions: with this server, by a live device, once for each challenge.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use vault_core::id::DeviceId;
use vault_core::wire::v1::agency::Roles;
use vault_core::wire::v1::event::{Event, MemberRoles};

use crate::kit::{Office, Server};

#[test]
pub(crate) fn attack_40_a_session_is_not_begun_twice_with_one_challenge() {
    let server = Server::start(&[]);
    let office = Office::found(&server, 30, 1);
    let challenge = server.ask("POST", "/v1/sessions/challenge", &[], &[]);
    let request = office.session_request(0, office.log, challenge.body.try_into().unwrap());
    let begun = server.ask("POST", "/v1/sessions", &[], &request);
    assert_eq!(begun.status, 200);
    let replayed = server.ask("POST", "/v1/sessions", &[], &request);
    assert_eq!((replayed.status, replayed.problem().as_str()), (401, "session-refused"));
    // A challenge of nobody's.
    let request = office.session_request(0, office.log, [7; 48]);
    let made_up = server.ask("POST", "/v1/sessions", &[], &request);
    assert_eq!((made_up.status, made_up.problem().as_str()), (401, "session-refused"));
    // A refused try uses no challenge up.
    let challenge: [u8; 48] = server
        .ask("POST", "/v1/sessions/challenge", &[], &[])
        .body
        .try_into()
        .unwrap();
    let mut forged = office.session_request(0, office.log, challenge);
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(server.ask("POST", "/v1/sessions", &[], &forged).status, 401);
    let honest = office.session_request(0, office.log, challenge);
    assert_eq!(server.ask("POST", "/v1/sessions", &[], &honest).status, 200);
}

#[test]
pub(crate) fn attack_40_a_session_is_with_this_server_alone() {
    let (server, other) = (Server::start(&[]), Server::start(&[]));
    let office = Office::found(&server, 31, 1);
    let there = Office::found(&other, 31, 1);
    assert_ne!(office.log, there.log);
    let answer = office.try_session(&server, 0, there.log);
    assert_eq!((answer.status, answer.problem().as_str()), (401, "session-refused"));
    assert_eq!(answer.json()["check"], "CHK-140");
    // Nor is a token good elsewhere.
    let token = there.session(&other, 0);
    let answer = server.ask("GET", "/v1/streams", &[("Authorization", &token)], &[]);
    assert_eq!((answer.status, answer.problem().as_str()), (401, "no-session"));
}

#[test]
pub(crate) fn a_token_ends_with_its_device_and_with_nothing_less_than_a_good_one() {
    let server = Server::start(&[]);
    let mut office = Office::found(&server, 32, 2);
    let token = office.session(&server, 1);
    let ask = |value: &str| server.ask("GET", "/v1/streams", &[("Authorization", value)], &[]);
    assert_eq!(ask(&token).status, 200);
    let bytes = BASE64URL_NOPAD
        .decode(token.strip_prefix("Bearer ").unwrap().as_bytes())
        .unwrap();
    for at in [0, 31, 32, 47, 48, 55, 56, 87] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let answer = ask(&format!("Bearer {}", BASE64URL_NOPAD.encode(&changed)));
        assert_eq!((answer.status, answer.problem().as_str()), (401, "no-session"), "{at}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    for value in ["", "Bearer", "Bearer ", "Basic eA==", "bearer x", "Bearer AAAA"] {
        assert_eq!(ask(value).status, 401, "{value}");
    }
    assert_eq!(server.get("/v1/streams").status, 401);
    // The device is retired: the token that was good is not.
    let retiring = office.world.people[1].device;
    office.world.try_event(0, Event::DeviceRetired(retiring)).unwrap();
    let link = office.parcel(office.world.links.last().unwrap());
    office.stored(&server, vec![link]);
    assert_eq!(ask(&token).status, 401);
    let answer = office.try_session(&server, 1, office.log);
    assert_eq!((answer.status, answer.json()["check"].as_str()), (401, Some("CHK-44")));
}

#[test]
pub(crate) fn a_session_lasts_over_a_start_of_the_server_and_is_of_one_agency() {
    let mut server = Server::start(&[]);
    let office = Office::found(&server, 33, 1);
    let other = Office::found(&server, 34, 1);
    let token = office.session(&server, 0);
    server.stop();
    let server = server.again(&[]);
    let headers = [("Authorization", token.as_str())];
    assert_eq!(server.ask("GET", "/v1/streams", &headers, &[]).status, 200);
    let founding = other.parcel(&other.world.links[0]);
    let answer = server.ask("POST", "/v1/append", &headers, &other.request(vec![founding]));
    assert_eq!((answer.status, answer.problem().as_str()), (403, "other-agency"));
    let stream = vault_core::wire::v1::stream::StreamId::agency(&other.world.agency.id());
    let answer = server.ask("GET", &crate::kit::path(stream, 0), &headers, &[]);
    assert_eq!(answer.status, 404);
}

#[test]
pub(crate) fn an_agency_is_registered_once_and_where_it_is_not_admitted_not_at_all() {
    let server = Server::start(&[]);
    let first = Office::register(&server, 35, 1);
    assert_eq!(Office::register(&server, 35, 1).log, first.log);
    assert_ne!(Office::register(&server, 36, 1).log, first.log);
    let listed = Server::start(&["--admit", &first.world.agency.id().text()]);
    Office::register(&listed, 35, 1);
    let path = format!("/v1/agencies/{}", HEXLOWER.encode(&[3; 32]));
    let answer = listed.ask("PUT", &path, &[], &[]);
    assert_eq!((answer.status, answer.problem().as_str()), (403, "not-admitted"));
    for path in [
        "/v1/agencies/00",
        &path
            .to_uppercase()
            .replace("/V1/AGENCIES", "/v1/agencies")
            .replace("03", "AB"),
    ] {
        assert_eq!(server.ask("PUT", path, &[], &[]).status, 404, "{path}");
    }
}

#[test]
pub(crate) fn a_device_that_a_restore_made_has_a_session_by_the_sole_administrators_word_alone() {
    let server = Server::start(&[]);
    let mut office = Office::found(&server, 34, 2);
    let new = DeviceId([0x99; 16]);
    let begun = office.try_restored(&server, 0, new);
    assert_eq!((begun.status, begun.body.len()), (200, 104));
    let token = format!("Bearer {}", BASE64URL_NOPAD.encode(&begun.body));
    let ask = || server.ask("GET", "/v1/streams", &[("Authorization", &token)], &[]);
    assert_eq!(ask().status, 200);
    // Nobody else's word counts, nor does this one for a device that is known: that has a key of its own, or had.
    let (known, other) = (office.world.people[1].device, office.world.people[0].device);
    for (by, device) in [(1, new), (0, known), (0, other)] {
        let answer = office.try_restored(&server, by, device);
        assert_eq!((answer.status, answer.json()["check"].as_str()), (401, Some("CHK-140")));
    }
    // It ends with the administrator, not a quarter of an hour later.
    let member = office.world.people[0].member;
    let roles = Roles::CASEWORKER;
    office
        .world
        .try_event(0, Event::Roles(MemberRoles { member, roles }))
        .unwrap();
    let link = office.parcel(office.world.links.last().unwrap());
    office.stored(&server, vec![link]);
    let answer = ask();
    assert_eq!((answer.status, answer.problem().as_str()), (401, "no-session"));
    assert_eq!(office.try_restored(&server, 0, new).status, 401);
}
