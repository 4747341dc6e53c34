//! The process: its first line, its signals, its folder, its port.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

struct Running {
    child: Child,
    address: SocketAddr,
    _data: tempfile::TempDir,
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_casevault-server"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Running {
    /// Starts the server on a free port and reads the address from its first line.
    fn start(subcommand: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut child = command()
            .args(subcommand)
            .args(["--tell", "failures", "--listen", "127.0.0.1:0", "--data"])
            .arg(data.path().join("server"))
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .trim_end()
            .strip_prefix("listening on http://")
            .expect(&line)
            .parse()
            .unwrap();
        Self {
            child,
            address,
            _data: data,
        }
    }

    /// Sends one request on its own connection; the status, the content type and the body come back.
    fn ask(&self, method: &str, path: &str) -> (u16, String, Value) {
        let mut socket = TcpStream::connect(self.address).unwrap();
        write!(
            socket,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let kind = head
            .lines()
            .find_map(|line| line.strip_prefix("content-type: "))
            .unwrap()
            .to_owned();
        (status, kind, serde_json::from_str(body).unwrap())
    }

    /// Sends the signal and asserts a clean end that said nothing more.
    fn stop(mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{status}");
        let mut stderr = String::new();
        self.child.stderr.as_mut().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(stderr, "");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only after a failed assertion is it still running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn health_is_answered_and_sigterm_ends_cleanly() {
    let server = Running::start(&["serve"]);
    let expected = json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")});
    assert_eq!(
        server.ask("GET", "/healthz"),
        (200, "application/json".to_owned(), expected)
    );
    server.stop(Signal::TERM);
}

#[test]
fn serve_is_the_default_and_sigint_ends_cleanly() {
    let server = Running::start(&[]);
    assert_eq!(server.ask("GET", "/healthz").0, 200);
    server.stop(Signal::INT);
}

#[test]
fn a_signal_at_once_after_the_first_line_ends_cleanly() {
    Running::start(&["serve"]).stop(Signal::TERM);
}

#[test]
fn what_is_not_there_is_problem_json() {
    let server = Running::start(&["serve"]);
    let problem = |status: u16, kind: &str, title: &str| {
        let body = json!({"type": format!("urn:casevault:problem:{kind}"), "title": title, "status": status});
        (status, "application/problem+json".to_owned(), body)
    };
    let not_found = problem(404, "not-found", "there is nothing at this path");
    for path in ["/", "/healthz/", "/v1/appends", "/%00", "/../etc/passwd"] {
        assert_eq!(server.ask("GET", path), not_found, "{path}");
    }
    let not_allowed = problem(405, "method-not-allowed", "this path does not take this method");
    assert_eq!(server.ask("DELETE", "/healthz"), not_allowed);
    server.stop(Signal::TERM);
}

#[test]
fn a_taken_port_is_said_and_exits_1() {
    let server = Running::start(&["serve"]);
    let data = tempfile::tempdir().unwrap();
    let second = command()
        .args(["serve", "--listen", &server.address.to_string(), "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert_eq!(second.stdout, b"");
    let stderr = String::from_utf8(second.stderr).unwrap();
    let expected = format!("casevault-server: cannot listen on `{}`: ", server.address);
    assert!(stderr.starts_with(&expected), "{stderr}");
    server.stop(Signal::TERM);
}

#[test]
fn an_unknown_flag_is_a_usage_error() {
    let refused = command().arg("--no-such-flag").output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
}
