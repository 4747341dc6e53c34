//! Change events: the size of the log now, and whenever it has grown.

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
    let token = office.session(&server, 1);
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

#[test]
pub(crate) fn nobody_follows_without_a_session() {
    let server = Server::start(&[]);
    assert_eq!(server.get("/v1/changes").problem(), "no-session");
}
