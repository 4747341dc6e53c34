//! Connections: accepted up to a number, each read within limits, and drained when the server is to stop.
//!
//! A client that sends the head of a request byte by byte, or nothing at all, has its connection closed; so does one that is
//! idle between two requests for as long. What is answered for longer, such as a stream of events, is not cut.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::serve::Listener;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::sync::Semaphore;

/// Connections at once. Streams of events have their own limit, below it.
const AT_ONCE: usize = 8_192;

/// Bytes of a request's head.
const HEAD_BYTES: usize = 16 << 10;

/// Bytes that are read ahead of a body.
const BUFFER: usize = 64 << 10;

/// How long the head of a request may take to arrive, after the connection was made or the last request was answered.
pub(crate) const HEAD: Duration = Duration::from_secs(30);

/// How a server that was asked to stop came to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// Every request in flight was answered.
    Drained,
    /// Some connection was still open after the time of grace and was cut off.
    CutOff,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// The head of a request.
    pub(crate) head: Duration,
    /// Requests in flight, once the server is to stop.
    pub(crate) grace: Duration,
}

/// Answers on `listener` until `stop` is done, then takes no more connections and gives requests in flight their grace.
pub(crate) async fn serve<L: Listener<Addr = SocketAddr>>(
    mut listener: L,
    router: Router,
    stop: impl Future<Output = ()>,
    patience: Patience,
) -> Ended {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_header_size(HEAD_BYTES)
        .max_buf_size(BUFFER);
    let (room, draining) = (Arc::new(Semaphore::new(AT_ONCE)), GracefulShutdown::new());
    let mut stop = pin!(stop);
    loop {
        let accepted = async {
            // Never closed.
            let place = Arc::clone(&room).acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        let ((io, from), place) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let router = router.clone().layer(Extension(ConnectInfo(from)));
        let connection = http.serve_connection(TokioIo::new(io), TowerToHyperService::new(router));
        let connection = draining.watch(connection);
        tokio::spawn(async move {
            // Whatever a client did to its connection is nobody else's.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    match tokio::time::timeout(patience.grace, draining.shutdown()).await {
        Ok(()) => Ended::Drained,
        Err(_) => Ended::CutOff,
    }
}
