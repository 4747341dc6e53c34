//! One server from its listening socket to its end.
//!
//! Binding and running are apart, so that whoever starts a server knows its address before the first request, and can
//! be ready for a signal before it tells anybody that address.

use std::fs::DirBuilder;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::config::{Config, Place};
use crate::connections::{self, Patience};
use crate::http::{self, App};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::service::{Service, ServiceError};
use crate::store::postgres::{self, Postgres};
use crate::store::sqlite::{OpenError, Sqlite};
use crate::store::{Store, fresh_session_key};
use crate::tls::{self, TlsError, TlsListener};
use tokio_rustls::TlsAcceptor;

/// How long requests in flight may take to end once the server was asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// A server that listens but does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    patience: Patience,
    tls: Option<TlsAcceptor>,
    app: Arc<App>,
    stopping: watch::Sender<bool>,
}

pub use connections::Ended;

/// Why a server could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The data folder could not be made.
    #[error("cannot make the folder `{}`", path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The address could not be listened on.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// The address as it was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// There is no randomness to be had.
    #[error("the system gives no randomness")]
    Random(#[source] getrandom::Error),
    /// The database could not be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The shared database could not be opened.
    #[error(transparent)]
    Database(#[from] postgres::OpenError),
    /// Certificate or key are no good.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The service could not begin.
    #[error("cannot begin")]
    Service(#[from] ServiceError),
    /// The runtime failed.
    #[error("cannot go on serving")]
    Serve(#[source] io::Error),
}

impl Server {
    /// Opens the database, in a folder that is born 0700 or elsewhere, and listens; nothing is answered before [`Server::run`].
    ///
    /// # Errors
    /// [`ServerError`], with the system's reason as source.
    pub async fn bind(config: &Config) -> Result<Self, ServerError> {
        let tls = config.tls.as_ref().map(|(chain, key)| tls::acceptor(chain, key));
        let tls = tls.transpose()?;
        let key = fresh_session_key().map_err(ServerError::Random)?;
        let place = config.place.clone();
        // Opening waits for the disk, or for a database.
        let store = spawn_blocking(move || open(place, key)).await;
        let store = store.map_err(|ended| ServerError::Serve(ended.into()))??;
        let service = Service::begin(store, Arc::new(Metrics::default()), config.quota)?;
        let (stopping, stopped) = watch::channel(false);
        let app = Arc::new(App {
            service: Arc::new(service),
            limits: Limits::new(config.rate),
            admission: config.admission.clone(),
            told: config.told,
            stopping: stopped,
        });
        let listen = |source| ServerError::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self {
            listener,
            address,
            patience: Patience {
                head: connections::HEAD,
                grace: GRACE,
            },
            tls,
            app,
            stopping,
        })
    }

    /// Returns the address really listened on, with its port even if 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address as clients are given it.
    pub fn url(&self) -> String {
        let scheme = self.tls.as_ref().map_or("http", |_| "https");
        format!("{scheme}://{}", self.address)
    }

    /// Answers requests until `stop` is done, then takes no more and gives those in flight five seconds. Appends that
    /// were taken are durable when this returns, answered or not.
    ///
    /// # Errors
    /// [`ServerError::Serve`] when the listening socket is none.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<Ended, ServerError> {
        let service = Arc::clone(&self.app.service);
        let router = http::router(self.app);
        let stopping = self.stopping;
        let stop = async move {
            stop.await;
            // Streams of events end by it.
            stopping.send_replace(true);
        };
        let ended = match self.tls {
            Some(acceptor) => {
                let listener = TlsListener::over(self.listener, acceptor).map_err(ServerError::Serve)?;
                connections::serve(listener, router, stop, self.patience).await
            }
            None => {
                // An answer does not wait for the acknowledgement of the one before.
                let listener = self.listener.tap_io(|socket| drop(socket.set_nodelay(true)));
                connections::serve(listener, router, stop, self.patience).await
            }
        };
        // Fails only with the runtime.
        let _ = spawn_blocking(move || service.end()).await;
        Ok(ended)
    }
}

fn open(place: Place, key: [u8; 32]) -> Result<Arc<dyn Store>, ServerError> {
    match place {
        Place::Database(database) => Ok(Arc::new(Postgres::open(database, key)?)),
        Place::Folder(folder) => {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
            made.map_err(|source| ServerError::Data {
                path: folder.clone(),
                source,
            })?;
            Ok(Arc::new(Sqlite::open(&folder, key)?))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::Admission;
    use crate::report::Told;

    fn config(folder: &tempfile::TempDir) -> Config {
        Config {
            place: Place::Folder(folder.path().join("a/b")),
            listen: "127.0.0.1:0".parse().unwrap(),
            admission: Admission::Anybody,
            tls: None,
            rate: 0,
            quota: None,
            told: Told::Failures,
            until_input_ends: false,
        }
    }

    #[tokio::test]
    async fn the_data_folder_is_born_private() {
        let folder = tempfile::tempdir().unwrap();
        Server::bind(&config(&folder)).await.unwrap();
        for made in ["a", "a/b"] {
            let mode = folder.path().join(made).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{made}");
        }
    }

    #[tokio::test]
    async fn a_folder_that_is_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), "").unwrap();
        let refused = Server::bind(&config(&folder)).await.map(|_| ()).unwrap_err();
        assert!(matches!(refused, ServerError::Data { .. }), "{refused:?}");
    }

    #[tokio::test]
    async fn a_taken_address_is_refused() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = Server::bind(&config(&folder)).await.unwrap();
        let taken = Config {
            listen: first.address(),
            ..config(&other)
        };
        let refused = Server::bind(&taken).await.map(|_| ()).unwrap_err();
        assert!(
            matches!(refused, ServerError::Listen { address, .. } if address == first.address()),
            "{refused:?}"
        );
    }

    #[tokio::test]
    async fn an_idle_server_drains_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::bind(&config(&folder)).await.unwrap();
        assert_eq!(server.run(async {}).await.unwrap(), Ended::Drained);
    }

    #[tokio::test]
    async fn half_a_request_does_not_hold_the_server_up() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::bind(&config(&folder)).await.unwrap();
        server.patience.grace = Duration::from_millis(1);
        let address = server.address();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let running = tokio::spawn(server.run(async move { stopped.await.unwrap() }));

        let asked = tokio::task::spawn_blocking(move || {
            let mut half = TcpStream::connect(address).unwrap();
            half.write_all(b"GET /healthz HTTP/1.1\r\nHost:").unwrap();
            // Connections are accepted in order: an answer on a later one shows that the first is in.
            let mut whole = TcpStream::connect(address).unwrap();
            whole
                .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                .unwrap();
            let mut answer = String::new();
            whole.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            half
        });
        let _half = asked.await.unwrap();
        stop.send(()).unwrap();
        assert_eq!(running.await.unwrap().unwrap(), Ended::CutOff);
    }

    #[tokio::test]
    async fn attack_31_a_head_that_does_not_come_to_its_end_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::bind(&config(&folder)).await.unwrap();
        server.patience.head = Duration::from_millis(50);
        let address = server.address();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let running = tokio::spawn(server.run(async move { stopped.await.unwrap() }));
        let asked = tokio::task::spawn_blocking(move || {
            for begun in ["", "GET /healthz HTTP/1.1\r\nHost:"] {
                let mut half = TcpStream::connect(address).unwrap();
                half.write_all(begun.as_bytes()).unwrap();
                let mut answer = String::new();
                // It ends, with a refusal or none, without another byte from here.
                half.read_to_string(&mut answer).unwrap();
                assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
            }
            // A head beyond its limit is not kept either.
            let mut long = TcpStream::connect(address).unwrap();
            let head = format!(
                "GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
                "x".repeat(80 << 10)
            );
            let _ = long.write_all(head.as_bytes());
            let mut answer = String::new();
            let _ = long.read_to_string(&mut answer);
            assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
        });
        asked.await.unwrap();
        stop.send(()).unwrap();
        assert_eq!(running.await.unwrap().unwrap(), Ended::Drained);
    }
}
