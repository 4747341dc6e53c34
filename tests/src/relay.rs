//! A relay between a client and its server that keeps all that passes, as somebody on the wire would after TLS.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// A relay that takes connections until the test ends.
pub struct Relay {
    /// Where clients reach the server through it.
    pub url: String,
    passed: Arc<Mutex<Vec<u8>>>,
}

impl Relay {
    /// Begins to relay to a server.
    ///
    /// # Panics
    /// Where no port is free.
    pub fn to(server: &str) -> Self {
        let server: SocketAddr = server.parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let passed = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&passed);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(server) else {
                    continue;
                };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let ends = from.try_clone().and_then(|from| Ok((from, to.try_clone()?)));
                    let (from, to) = ends.expect("a connection is held twice");
                    let kept = Arc::clone(&kept);
                    std::thread::spawn(move || pass(from, to, &kept));
                }
            }
        });
        Self { url, passed }
    }

    /// Returns all that passed so far, both ways.
    pub fn passed(&self) -> Vec<u8> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, kept: &Mutex<Vec<u8>>) {
    let mut piece = [0; 16384];
    // An end that is gone ends the other.
    while let Ok(read @ 1..) = from.read(&mut piece) {
        let piece = &piece[..read];
        kept.lock().unwrap_or_else(PoisonError::into_inner).extend(piece);
        if to.write_all(piece).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
