//! HTTP/1.1 on a socket, as little as the load needs: the load shall not be what is measured.

use super::Result;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;

/// A kept connection.
pub(crate) struct Connection {
    socket: BufReader<TcpStream>,
    line: String,
}

impl Connection {
    /// Connects.
    pub(crate) fn to(address: SocketAddr) -> Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        let socket = BufReader::new(socket);
        let line = String::new();
        Ok(Self { socket, line })
    }

    /// Sends a whole request and returns the body of its answer, which has to be a good one.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        self.socket.get_mut().write_all(request)?;
        let (mut length, mut good, mut first) = (0, false, true);
        loop {
            self.line.clear();
            self.socket.read_line(&mut self.line)?;
            let line = self.line.trim_end();
            if line.is_empty() {
                break;
            }
            if first {
                good = line.starts_with("HTTP/1.1 200");
                first = false;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse()?;
            }
        }
        let mut body = vec![0; length];
        self.socket.read_exact(&mut body)?;
        match good {
            true => Ok(body),
            false => Err(String::from_utf8_lossy(&body).into_owned().into()),
        }
    }
}

/// A request's bytes.
pub(crate) fn request(method: &str, path: &str, token: Option<&str>, body: &[u8]) -> Vec<u8> {
    let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: load\r\n{token}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
