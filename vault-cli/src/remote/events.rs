//! A server's change events, as they come: `GET /v1/changes`, a stream of server-sent events (WHATWG HTML, section 9.2).

use std::io::{self, BufRead, BufReader, Read};
use std::time::Duration;

use ureq::http::StatusCode;

use super::{REACH, Result, ServerFault, ServerUrl};

/// Bytes of the longest line that is taken; the server's are shorter than forty.
const LINE: u64 = 1 << 10;

/// After so long a connection is given up, if the server has not ended it with the session: one that hangs hangs no longer.
const LONGEST: Duration = Duration::from_secs(20 * 60);

/// What a server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The agency's log has so many leaves.
    Size(u64),
    /// It is there, and there is nothing new.
    Quiet,
}

/// The events of one connection.
pub struct Events {
    lines: Box<dyn BufRead + Send>,
}

impl Events {
    /// Begins to follow, with a token for it.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn follow(url: &ServerUrl, token: &str) -> Result<Self> {
        // Events come for as long as the session lasts. Whoever follows minds the silence.
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(REACH))
            .timeout_recv_response(Some(REACH))
            .timeout_recv_body(Some(LONGEST))
            .user_agent("casevault")
            .build();
        let agent: ureq::Agent = config.into();
        let get = agent
            .get(format!("{}/v1/changes", url.as_str()))
            .header("Authorization", token)
            .header("Accept", "text/event-stream");
        let answer = get.call().map_err(|error| ServerFault::Unreachable {
            url: url.as_str().to_owned(),
            why: error.to_string(),
        })?;
        match answer.status() {
            StatusCode::OK => Ok(Self::of(BufReader::new(answer.into_body().into_reader()))),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Err(ServerFault::Busy { retry_after: None })
            }
            status => Err(ServerFault::refused(status.as_u16(), &[])),
        }
    }

    fn of(lines: impl BufRead + Send + 'static) -> Self {
        Self { lines: Box::new(lines) }
    }

    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        let read = (&mut self.lines).take(LINE).read_line(&mut line)?;
        match line.ends_with('\n') {
            true => Ok(Some(line)),
            false if read as u64 == LINE => Err(io::Error::other("a line that is too long")),
            // Cut off: what was begun is no event.
            false => Ok(None),
        }
    }
}

impl Iterator for Events {
    type Item = io::Result<Event>;

    /// Waits for the next event; none once the server has ended them.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = match self.line() {
                Ok(Some(line)) => line,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            };
            let line = line.trim_end_matches(['\n', '\r']);
            if line.starts_with(':') {
                return Some(Ok(Event::Quiet));
            }
            // What else there may be, kinds of events of later servers among it, is passed over.
            if let Some(size) = line.strip_prefix("data:").and_then(|text| text.trim().parse().ok()) {
                return Some(Ok(Event::Size(size)));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<std::result::Result<Event, String>> {
        let events = Events::of(io::Cursor::new(text.to_owned()));
        events.map(|event| event.map_err(|error| error.to_string())).collect()
    }

    #[test]
    fn sizes_and_signs_of_life_are_told_and_all_else_is_passed_over() {
        let text =
            "event: size\ndata: 12\n\n:\n\nevent: other\nid: 4\ndata: soon\n\nevent: size\r\ndata:13\r\n\r\ndata: 1";
        assert_eq!(read(text), [Ok(Event::Size(12)), Ok(Event::Quiet), Ok(Event::Size(13))]);
    }

    #[test]
    fn a_line_without_an_end_is_not_read_on_for_ever() {
        let told = read(&"x".repeat(5000));
        assert_eq!(told.first(), Some(&Err("a line that is too long".to_owned())));
    }
}
