//! The server's HTTP surface: one module a route, and one form for everything that goes wrong.
//!
//! Whatever is refused is answered as problem JSON (module `problem`); whatever is internal is logged, never sent.

mod agencies;
mod append;
mod ask;
mod changes;
mod cosign;
mod health;
mod join;
mod log;
mod metrics;
mod openapi;
mod problem;
mod sessions;
mod streams;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use tokio::sync::watch;
use vault_core::id::AgencyId;

use crate::config::Admission;
use crate::limits::Limits;
use crate::report::{self, Told};
use crate::service::Service;
use problem::Problem;

/// What every route has at hand.
pub struct App {
    /// The service.
    pub service: Arc<Service>,
    /// What a client may ask for.
    pub limits: Limits,
    /// Whom the server makes known.
    pub admission: Admission,
    /// What is told on stderr.
    pub told: Told,
    /// True once the server is to stop.
    pub stopping: watch::Receiver<bool>,
}

impl App {
    fn admits(&self, agency: &AgencyId) -> bool {
        self.admission.admits(agency)
    }
}

/// Makes the router of all routes, which answers unknown paths and methods with problem JSON.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(health::show))
        .route("/metrics", get(metrics::show))
        .route("/v1/agencies/{agency}", put(agencies::register))
        .route("/v1/append", post(append::append))
        .route("/v1/changes", get(changes::follow))
        .route("/v1/changes", post(changes::begin))
        .route("/v1/cosign", post(cosign::cosign))
        .route("/v1/join", get(join::waiting))
        .route("/v1/join/{invite}", get(join::show))
        .route("/v1/join/{invite}", post(join::request))
        .route("/v1/join/{invite}", put(join::open))
        .route("/v1/join/{invite}/answer", post(join::answer))
        .route("/v1/log/{agency}/checkpoint", get(log::checkpoint))
        .route("/v1/log/{agency}/cosigned", get(log::cosigned))
        .route("/v1/log/{agency}/tile/{*path}", get(log::tile))
        .route("/v1/openapi.json", get(openapi::show))
        .route("/v1/sessions", post(sessions::begin))
        .route("/v1/sessions/restored", post(sessions::begin_restored))
        .route("/v1/sessions/challenge", post(sessions::challenge))
        .route("/v1/streams", get(streams::list))
        .route("/v1/streams/{kind}/{id}", get(streams::page))
        .fallback(async || Problem::NotFound)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&app), account))
        .with_state(app)
}

/// Lets a request in or not, and counts and tells of it afterwards.
async fn account(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let length: u64 = length.unwrap_or_default();
    let response = match app.limits.enter() {
        Some(_inside) => next.run(request).await,
        None => Problem::Busy.into_response(),
    };
    let status = response.status().as_u16();
    app.service.metrics().request(status, length);
    let answered = report::Answered {
        method: method.as_str(),
        // A path that is none of ours may be anything.
        route: route.as_ref().map_or("-", MatchedPath::as_str),
        status,
        took: began.elapsed(),
        length,
    };
    report::request(app.told, &answered);
    response
}

/// From where a request came; a connection without an address is this machine's.
fn address(info: Option<&ConnectInfo<SocketAddr>>) -> std::net::IpAddr {
    info.map_or(std::net::Ipv4Addr::LOCALHOST.into(), |info| info.0.ip())
}
