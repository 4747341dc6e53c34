//! TLS to the database: 1.3, by the server's rustls, to a certificate of an authority that was named and for the name in the URL.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use postgres::Socket;
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, version};
use tokio_rustls::{TlsConnector, client};

/// Whom the database's certificate has to be from.
#[derive(Clone)]
pub(super) struct Secured {
    /// The file with the authorities, by which two of these are compared.
    roots: PathBuf,
    config: Arc<ClientConfig>,
}

impl PartialEq for Secured {
    fn eq(&self, other: &Self) -> bool {
        self.roots == other.roots
    }
}

impl Eq for Secured {}

impl Secured {
    /// Takes authorities out of a file in PEM.
    ///
    /// # Errors
    /// What is wrong with the file; one without a certificate is refused.
    pub(super) fn by(roots: &Path) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(roots)? {
            store.add(certificate?)?;
        }
        if store.is_empty() {
            return Err("there is no certificate in it".into());
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&version::TLS13])?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Self {
            roots: roots.to_owned(),
            config: Arc::new(config),
        })
    }
}

impl MakeTlsConnect<Socket> for Secured {
    type Stream = Stream;
    type TlsConnect = Handshake;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, name: &str) -> Result<Handshake, InvalidDnsNameError> {
        Ok(Handshake {
            name: ServerName::try_from(name.to_owned())?,
            config: Arc::clone(&self.config),
        })
    }
}

/// A handshake that is to be made, for one name.
pub(super) struct Handshake {
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

impl TlsConnect<Socket> for Handshake {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        let handshake = TlsConnector::from(self.config).connect(self.name, socket);
        Box::pin(async { Ok(Stream(handshake.await?)) })
    }
}

/// A connection after its handshake.
pub(super) struct Stream(client::TlsStream<Socket>);

impl TlsStream for Stream {
    // The certificate is verified by an authority; binding the password's proof to it as well is not offered.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, out)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
