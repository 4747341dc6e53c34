//! What routes have in common: sessions out of headers, ids out of paths, bodies within limits, answers in our encoding.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, Uri};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;
use vault_core::id::AgencyId;
use vault_core::wire;

use super::problem::Problem;
use super::{App, address};
use crate::authenticate::Scope;
use crate::authorize::{self, Session};
use crate::limits::Who;
use crate::service::{Agency, ServiceError};

/// From where a request came, if the server was told.
pub(super) type From = Option<axum::Extension<ConnectInfo<SocketAddr>>>;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

const BINARY: (HeaderName, &str) = (CONTENT_TYPE, "application/octet-stream");

/// Returns the session of a request, or the refusal; takes the request off its device's rate.
pub(super) async fn session(app: &Arc<App>, headers: &HeaderMap) -> Result<Session, Problem> {
    by_token(app, headers, Scope::Device).await
}

/// As [`session`], for change events alone.
pub(super) async fn feed(app: &Arc<App>, headers: &HeaderMap) -> Result<Session, Problem> {
    by_token(app, headers, Scope::Feed).await
}

async fn by_token(app: &Arc<App>, headers: &HeaderMap, scope: Scope) -> Result<Session, Problem> {
    let header = headers.get(AUTHORIZATION).ok_or(Problem::NoSession)?;
    let token = header.as_bytes().strip_prefix(b"Bearer ").ok_or(Problem::NoSession)?;
    let claim = app.service.claim(token, scope).ok_or(Problem::NoSession)?;
    rate(app, Who::Device(claim.device))?;
    let agency = agency(app, claim.agency).await?.ok_or(Problem::NoSession)?;
    authorize::session(agency, &claim).ok_or(Problem::NoSession)
}

/// Takes a request without a session off the rate of where it came from.
pub(super) fn nobody(app: &App, from: Option<&ConnectInfo<SocketAddr>>) -> Result<(), Problem> {
    rate(app, Who::Address(address(from)))
}

fn rate(app: &App, who: Who) -> Result<(), Problem> {
    app.limits.take(who, Instant::now()).map_err(Problem::TooMany)
}

/// Finds an agency, without waiting for the disk where it is known already.
pub(super) async fn agency(app: &Arc<App>, id: AgencyId) -> Result<Option<Arc<Agency>>, Problem> {
    match app.service.known(&id) {
        Some(known) => Ok(Some(known)),
        None => blocking(app, move |app| app.service.agency(id)).await,
    }
}

/// Runs what waits for the disk where waiting holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> Result<T, ServiceError> + Send + 'static,
) -> Result<T, Problem> {
    let app = Arc::clone(app);
    let done = spawn_blocking(move || work(&app)).await;
    Ok(done.map_err(|_| Problem::Internal)??)
}

/// Reads a body of a told length, at most `limit` bytes; holds its room as long as the permit is there.
pub(super) async fn body(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<(Bytes, OwnedSemaphorePermit), Problem> {
    let length = headers.get(CONTENT_LENGTH).ok_or(Problem::LengthRequired)?;
    let length: usize = length
        .to_str()
        .ok()
        .and_then(|length| length.parse().ok())
        .ok_or(Problem::LengthRequired)?;
    if length > limit {
        return Err(Problem::TooLong);
    }
    let room = app.limits.body(length).await.ok_or(Problem::Busy)?;
    let read = tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, limit)).await;
    let bytes = read.map_err(|_| Problem::TooSlow)?.map_err(|_| Problem::TooLong)?;
    Ok((bytes, room))
}

/// Reads an id in lower-case hex.
pub(super) fn hex<const N: usize>(text: &str) -> Result<[u8; N], Problem> {
    let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| Problem::NotFound)?;
    bytes.try_into().map_err(|_| Problem::NotFound)
}

/// Reads a query of nothing or `name=NUMBER`.
pub(super) fn number(uri: &Uri, name: &str) -> Result<u64, Problem> {
    let Some(query) = uri.query() else { return Ok(0) };
    let (key, value) = query.split_once('=').ok_or(Problem::UnknownQuery)?;
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match key == name && digits {
        true => value.parse().map_err(|_| Problem::UnknownQuery),
        false => Err(Problem::UnknownQuery),
    }
}

/// Answers with a structure of the format.
pub(super) fn answer(value: &impl WireOut) -> Result<Response, Problem> {
    Ok(([BINARY], value.bytes()?).into_response())
}

/// A structure that is answered.
pub(super) trait WireOut {
    fn bytes(&self) -> Result<Vec<u8>, Problem>;
}

macro_rules! out {
    ($($name:ty),+) => {$(
        impl WireOut for $name {
            fn bytes(&self) -> Result<Vec<u8>, Problem> {
                Ok(wire::encode(self)?)
            }
        }
    )+};
}

out!(
    vault_core::wire::v1::agency::Verifier,
    vault_core::wire::v1::follow::CosignedNotes,
    vault_core::wire::v1::enrolment::InviteState,
    vault_core::wire::v1::enrolment::WaitingDevices,
    vault_core::wire::v1::sync::AppendReply,
    vault_core::wire::v1::sync::StreamList
);

/// Answers with bytes as they are.
pub(super) fn bytes(bytes: Vec<u8>) -> Response {
    ([BINARY], bytes).into_response()
}
