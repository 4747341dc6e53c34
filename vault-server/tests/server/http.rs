//! HTTP/1.1 on a socket, as little of it as the tests need, so that nothing between hides what the server says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The last word of the problem's type.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let json = self.json();
        assert_eq!(json["status"], self.status);
        assert!(!json["title"].as_str().unwrap().is_empty());
        let kind = json["type"].as_str().unwrap();
        kind.strip_prefix("urn:casevault:problem:").expect(kind).to_owned()
    }
}

/// A connection that is kept.
pub(crate) struct Connection {
    socket: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self::try_to(address).expect("the server is not there")
    }

    /// Connects; `None` where the server went away.
    pub(crate) fn try_to(address: SocketAddr) -> Option<Self> {
        let socket = TcpStream::connect(address).ok()?;
        socket.set_nodelay(true).unwrap();
        // What never comes is a failure, not a test that never ends.
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Some(Self {
            socket: BufReader::new(socket),
        })
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        self.try_send(method, path, headers, body)
            .expect("the server went away");
    }

    /// Sends a request; `None` where the server went away.
    pub(crate) fn try_send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<()> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n");
        let told = headers.iter().any(|(name, _)| *name == "Content-Length");
        if !told {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let whole = [head.as_bytes(), body].concat();
        self.socket.get_mut().write_all(&whole).ok()
    }

    /// Sends a body in chunks, whose length is not told.
    pub(crate) fn send_chunked(&mut self, path: &str, headers: &[(&str, &str)]) {
        let mut head = format!("POST {path} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n1\r\nx\r\n0\r\n\r\n");
        self.socket.get_mut().write_all(head.as_bytes()).unwrap();
    }

    /// Reads an answer; `None` where the server went away.
    pub(crate) fn receive(&mut self) -> Option<Answer> {
        let (status, headers) = self.head()?;
        let length = headers.iter().find(|(key, _)| key == "content-length");
        let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
        let mut body = vec![0; length];
        self.socket.read_exact(&mut body).ok()?;
        Some(Answer { status, headers, body })
    }

    pub(crate) fn head(&mut self) -> Option<(u16, Vec<(String, String)>)> {
        let mut line = self.line()?;
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            line = self.line()?;
            if line.is_empty() {
                return Some((status, headers));
            }
            let (key, value) = line.split_once(": ").unwrap();
            headers.push((key.to_ascii_lowercase(), value.to_owned()));
        }
    }

    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.socket.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim_end().to_owned()),
        }
    }

    pub(crate) fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.send(method, path, headers, body);
        self.receive().expect("the server went away")
    }
}
