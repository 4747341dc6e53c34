//! What a client may ask for at most, and what it is told beyond.

use vault_core::check::Check;
use vault_core::wire::v1::limit;

use crate::kit::{Office, Server};

#[test]
pub(crate) fn bodies_have_a_length_that_is_told_and_a_limit() {
    let server = Server::start(&[]);
    let office = Office::found(&server, 70, 1);
    let token = office.session(&server, 0);
    let bearer = ("Authorization", token.as_str());
    let told = |length: &str| {
        let headers = [bearer, ("Content-Length", length)];
        let mut connection = server.connect();
        connection.send("POST", "/v1/append", &headers, &[]);
        connection.receive().unwrap()
    };
    let long = told(&(limit::APPEND + 1).to_string());
    assert_eq!((long.status, long.problem().as_str()), (413, "too-long"));
    let mut connection = server.connect();
    connection.send_chunked("/v1/append", &[bearer]);
    let chunked = connection.receive().unwrap();
    assert_eq!((chunked.status, chunked.problem().as_str()), (411, "length-required"));
    for body in [&b""[..], b"x", &[0xff; 100]] {
        let answer = server.ask("POST", "/v1/append", &[bearer], body);
        assert_eq!((answer.status, answer.problem().as_str()), (400, "malformed"));
        assert_eq!(answer.json()["check"], Check::NotCanonical.to_string());
    }
    let answer = server.ask("POST", "/v1/sessions", &[], &[0; 193]);
    assert_eq!((answer.status, answer.problem().as_str()), (413, "too-long"));
    // Without a session a long body is not even read.
    let mut connection = server.connect();
    connection.send("POST", "/v1/append", &[("Content-Length", "2000000")], &[]);
    assert_eq!(connection.receive().unwrap().problem(), "no-session");
}

#[test]
pub(crate) fn an_append_has_no_more_parcels_than_may_be() {
    let server = Server::start(&[]);
    let office = Office::found(&server, 71, 1);
    let token = office.session(&server, 0);
    let parcel = office.parcel(&office.world.links[0]);
    let small = vault_core::wire::v1::sync::Parcel {
        link: vec![0],
        blobs: Vec::new(),
        records: Vec::new(),
        ..parcel
    };
    for (number, expected) in [(limit::PARCELS, 200), (limit::PARCELS + 1, 413)] {
        let body = office.request(vec![small.clone(); number]);
        let answer = server.ask("POST", "/v1/append", &[("Authorization", &token)], &body);
        assert_eq!(answer.status, expected);
    }
}

#[test]
pub(crate) fn whoever_asks_too_often_is_told_how_long_to_wait_and_others_are_not() {
    let server = Server::start(&["--rate", "20"]);
    let office = Office::found(&server, 72, 2);
    let (one, other) = (office.session(&server, 0), office.session(&server, 1));
    let mut connection = server.connect();
    let mut ask = |token: &str| connection.ask("GET", "/v1/streams", &[("Authorization", token)], &[]);
    let refused = (0..1000)
        .map(|_| ask(&one))
        .find(|answer| answer.status != 200)
        .unwrap();
    assert_eq!((refused.status, refused.problem().as_str()), (429, "too-many-requests"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(ask(&other).status, 200);
}

#[test]
pub(crate) fn metrics_count_and_name_nobody() {
    let server = Server::start(&[]);
    let mut office = Office::with_case(&server, 73, 1);
    let note = office.note(0);
    office.stored(&server, vec![note.clone()]);
    office.stored(&server, vec![note]);
    let answer = server.get("/metrics");
    assert_eq!(answer.status, 200);
    let text = String::from_utf8(answer.body).unwrap();
    for line in [
        "casevault_agencies 1",
        "casevault_links 3",
        "casevault_streams 2",
        "casevault_parcels_total{outcome=\"stored\"} 4",
        "casevault_requests_total{status=\"5xx\"} 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in {text}");
    }
    assert!(!text.contains(&office.id()[..8]));
}

#[test]
pub(crate) fn a_second_server_on_one_folder_is_refused_and_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::start(&[]);
    Office::with_case(&server, 74, 1);
    let second = Server::command()
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(server.folder())
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("another casevault-server has the folder"), "{said}");
    let mut files = 0;
    for entry in std::fs::read_dir(server.folder()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.path());
        files += 1;
    }
    assert!(files >= 3);
}

#[test]
pub(crate) fn attack_24_the_servers_log_of_requests_has_no_id_no_address_and_no_content() {
    let mut server = Server::start(&["--tell", "requests"]);
    let mut office = Office::with_case(&server, 75, 1);
    let note = office.note(0);
    office.stored(&server, vec![note]);
    server.get("/nowhere/at/all?name=Olena");
    office.page(&server, 0, office.case_stream(), 0);
    let said = server.stop_saying();
    let routes: Vec<_> = said.lines().map(|line| line.split(' ').nth(2).unwrap()).collect();
    for route in ["/v1/append", "/v1/streams/{kind}/{id}", "/v1/agencies/{agency}", "-"] {
        assert!(routes.contains(&route), "{route} in {said}");
    }
    let case = data_encoding::HEXLOWER.encode(&office.case.id.0);
    for secret in [&case[..8], &office.id()[..8], "127.0.0.1", "Olena", "nowhere"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}
