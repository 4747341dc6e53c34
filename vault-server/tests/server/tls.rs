//! TLS in the process: 1.3 alone, by the certificate that was given.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::kit::Server;

const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/tls/cert.pem");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/tls/key.pem");

fn ask(server: &Server, name: &'static str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(CERTIFICATE).unwrap()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap()).unwrap();
    let mut socket = StreamOwned::new(connection, TcpStream::connect(server.address)?);
    socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn it_is_asked_over_tls_and_stops_as_ever() {
    let mut server = Server::start(&["--tls-cert", CERTIFICATE, "--tls-key", KEY]);
    let answer = ask(&server, "localhost").unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("\"ok\""),
        "{answer}"
    );
    assert!(ask(&server, "another.example").is_err());
    // Whoever says nothing, or no TLS, keeps nobody waiting.
    let silent = TcpStream::connect(server.address).unwrap();
    let mut plain = TcpStream::connect(server.address).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").unwrap();
    assert!(ask(&server, "localhost").is_ok());
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"));
    drop(silent);
    server.stop();
}

#[test]
fn files_that_are_no_certificate_or_key_are_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let start = |args: &[&str]| {
        let run = Server::command()
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .args(args)
            .output()
            .unwrap();
        (run.status.code(), String::from_utf8(run.stderr).unwrap())
    };
    let (code, said) = start(&["--tls-cert", CERTIFICATE, "--tls-key", CERTIFICATE]);
    assert!(
        code == Some(1) && said.contains("cannot read a private key from"),
        "{said}"
    );
    let (code, said) = start(&["--tls-cert", "/nowhere", "--tls-key", KEY]);
    assert!(
        code == Some(1) && said.contains("cannot read a certificate from"),
        "{said}"
    );
    assert_eq!(start(&["--tls-cert", CERTIFICATE]).0, Some(2));
}
