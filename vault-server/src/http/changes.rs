//! `POST /v1/changes`: a token for the change events and nothing else, so that who waits for them needs no more.
//!
//! `GET /v1/changes`: server-sent events, one with the size of the agency's log now and whenever it has grown.
//!
//! An event says that there is something, never what: `event: size`, `data: 1234`. Sizes in between may be left out.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::App;
use super::ask;
use super::problem::Problem;
use crate::authenticate::now;
use crate::authorize::Session;

/// A comment goes out when nothing was said for so long, which tells either side that the other is there.
const QUIET: Duration = Duration::from_secs(20);

struct Following {
    session: Session,
    sizes: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    first: bool,
    _place: OwnedSemaphorePermit,
}

/// Answers a token, 88 bytes.
pub(super) async fn begin(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let session = ask::session(&app, &headers).await?;
    Ok(ask::bytes(app.service.begin_feed(&session).to_vec()))
}

/// Answers a stream of events that ends with the token, the device, or the server.
pub(super) async fn follow(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let session = ask::feed(&app, &headers).await?;
    let following = Following {
        sizes: session.agency().grown(),
        session,
        stopping: app.stopping.clone(),
        first: true,
        _place: app.limits.follow().ok_or(Problem::Busy)?,
    };
    let events = stream::unfold(following, |mut following| async move {
        let event = following.next().await?;
        Some((Ok::<_, Infallible>(event), following))
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(events)).into_response())
}

impl Following {
    async fn next(&mut self) -> Option<String> {
        if !self.first {
            let woken = tokio::select! {
                grown = self.sizes.changed() => grown.is_ok().then_some(true),
                stopping = self.stopping.wait_for(|stopping| *stopping) => stopping.ok().and(None),
                () = tokio::time::sleep(QUIET) => Some(false),
            };
            if !woken? {
                return self.is_good().then(|| ":\n\n".to_owned());
            }
        }
        self.first = false;
        let size = *self.sizes.borrow_and_update();
        self.is_good().then(|| format!("event: size\ndata: {size}\n\n"))
    }

    fn is_good(&self) -> bool {
        let state = self.session.agency().published().state;
        state.is_some_and(|state| self.session.is_good(&state, now()))
    }
}
