//! Change events: the size of the log now, and whenever it has grown.

use data_encoding::BASE64URL_NOPAD;

use crate::http::Connection;
use crate::kit::{Office, Server};

/// The next event's size; a comment is passed over, and where there are several, nothing came for a minute.
pub(crate) fn size(connection: &mut Connection) -> Option<u64> {
    let mut quiet = 0;
    loop {
        let line = connection.line()?;
        if let Some(size) = line.strip_prefix("data: ") {
            return Some(size.parse().unwrap());
        }
        quiet += u32::from(line.starts_with(':'));
        assert!(quiet < 3, "nothing is told");
    }
}

#[test]
pub(crate) fn whoever_follows_is_told_that_the_log_grew_and_when_the_server_stops() {
    let mut server = Server::start(&[]);
    let mut office = Office::with_case(&server, 60, 2);
    let token = feed(&server, &office.session(&server, 1));
    let mut following = server.connect();
    following.send("GET", "/v1/changes", &[("Authorization", &token)], &[]);
    let (status, headers) = following.head().unwrap();
    assert_eq!(status, 200);
    assert!(headers.contains(&("content-type".to_owned(), "text/event-stream".to_owned())));
    assert_eq!(size(&mut following), Some(4));
    for expected in 5..8 {
        let note = office.note(0);
        office.stored(&server, vec![note]);
        assert_eq!(size(&mut following), Some(expected));
    }
    server.stop();
    assert_eq!(size(&mut following), None);
}

/// A token for change events, as a header has it.
pub(crate) fn feed(server: &Server, session: &str) -> String {
    let answer = server.ask("POST", "/v1/changes", &[("Authorization", session)], &[]);
    assert_eq!((answer.status, answer.body.len()), (200, 88), "{answer:?}");
    format!("Bearer {}", BASE64URL_NOPAD.encode(&answer.body))
}

#[test]
pub(crate) fn nobody_follows_without_a_session() {
    let server = Server::start(&[]);
    assert_eq!(server.get("/v1/changes").problem(), "no-session");
    let begun = server.ask("POST", "/v1/changes", &[], &[]);
    assert_eq!(begun.problem(), "no-session");
}

#[test]
pub(crate) fn a_token_for_change_events_is_good_for_nothing_else() {
    let server = Server::start(&[]);
    let office = Office::with_case(&server, 61, 2);
    let session = office.session(&server, 1);
    let feed = feed(&server, &session);
    for (method, path) in [
        ("GET", "/v1/streams?after=0"),
        ("POST", "/v1/changes"),
        ("POST", "/v1/append"),
    ] {
        let answer = server.ask(method, path, &[("Authorization", &feed)], &[]);
        assert_eq!(answer.problem(), "no-session", "{method} {path}");
    }
    // Nor does whoever follows show what lets it do more.
    let answer = server.ask("GET", "/v1/changes", &[("Authorization", &session)], &[]);
    assert_eq!(answer.problem(), "no-session");
}
