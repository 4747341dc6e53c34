//! `POST /v1/sessions/challenge`, `POST /v1/sessions` and `POST /v1/sessions/restored`: how a device begins a session.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use vault_core::server_session::By;
use vault_core::wire;
use vault_core::wire::v1::sync::SessionRequest;

use super::App;
use super::ask::{self, From};
use super::problem::Problem;
use crate::service::SessionRefused;

/// Bytes of a [`SessionRequest`], which is of fixed size.
const REQUEST_BYTES: usize = 32 + 32 + 16 + 48 + 64;

/// Answers 48 bytes to be signed.
pub(super) async fn challenge(State(app): State<Arc<App>>, from: From) -> Result<Response, Problem> {
    ask::nobody(&app, from.as_deref())?;
    Ok(ask::bytes(app.service.challenge()?.to_vec()))
}

/// Answers the token of a session, 88 bytes.
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    begin_by(app, from, headers, body, By::Device).await
}

/// Answers the token of a session by the sole administrator's identity key, 104 bytes.
pub(super) async fn begin_restored(
    State(app): State<Arc<App>>,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    begin_by(app, from, headers, body, By::Identity).await
}

async fn begin_by(app: Arc<App>, from: From, headers: HeaderMap, body: Body, by: By) -> Result<Response, Problem> {
    ask::nobody(&app, from.as_deref())?;
    let (bytes, _room) = ask::body(&app, &headers, body, REQUEST_BYTES).await?;
    let request: SessionRequest = wire::decode(&bytes, REQUEST_BYTES)?;
    let begun = ask::blocking(&app, move |app| app.service.begin_session(&request, by)).await?;
    match begun {
        Ok(token) => Ok(ask::bytes(token)),
        Err(SessionRefused::Check(check)) => Err(Problem::SessionRefused(Some(check))),
        Err(SessionRefused::Challenge(crate::authenticate::Unusable::Stale)) => Err(Problem::SessionRefused(None)),
        Err(SessionRefused::Challenge(crate::authenticate::Unusable::TooMany)) => Err(Problem::Busy),
    }
}
