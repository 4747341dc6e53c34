//! `POST /v1/append`: parcels in, outcomes and a checkpoint out.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;
use tokio::task::spawn_blocking;
use vault_core::check::{Check, require};
use vault_core::wire;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::sync::AppendRequest;

use super::App;
use super::ask::{self, From};
use super::problem::Problem;
use crate::authorize;
use crate::service::{Agency, Batch};

/// Bytes of an append without a session: a founding, not somebody's whole vault.
const FOUNDING_BYTES: usize = 1 << 20;

/// Bytes of an append that is opened where it was received; a longer one would keep others waiting.
const SHORT: usize = 32 << 10;

/// Appends in the order of the parcels, each link by itself: those before one that is refused stay stored.
pub(super) async fn append(
    State(app): State<Arc<App>>,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let session = match headers.contains_key(AUTHORIZATION) {
        true => Some(ask::session(&app, &headers).await?),
        false => {
            ask::nobody(&app, from.as_deref())?;
            None
        }
    };
    let limit = session.as_ref().map_or(FOUNDING_BYTES, |_| limit::APPEND);
    let (bytes, _room) = ask::body(&app, &headers, body, limit).await.map_err(|problem| {
        // Without a session it is the session that is missing.
        match (problem, &session) {
            (Problem::TooLong, None) => Problem::NoSession,
            (problem, _) => problem,
        }
    })?;
    let (permit, batch) = match session {
        Some(session) => {
            let permit = session.appending();
            let batch = match bytes.len() <= SHORT {
                true => read(permit.agency(), &bytes)?,
                false => {
                    // Body, parcels, and what they are compared with: three times the length for a moment.
                    let _turn = app.limits.heavy().await;
                    let agency = Arc::clone(permit.agency());
                    let read = spawn_blocking(move || read(&agency, &bytes)).await;
                    read.map_err(|_| Problem::Internal)??
                }
            };
            (permit, batch)
        }
        None => {
            let request = decode(&bytes)?;
            let agency = ask::agency(&app, request.agency).await?.ok_or(Problem::NoSession)?;
            let permit = authorize::founding(agency).ok_or(Problem::NoSession)?;
            let batch = Batch::prepare(permit.agency(), request.parcels);
            (permit, batch)
        }
    };
    let reply = app.service.append(permit, batch).await?;
    ask::answer(&reply)
}

/// Reads an append of a session's agency, and verifies what can be verified before the writer.
fn read(agency: &Agency, bytes: &[u8]) -> Result<Batch, Problem> {
    let request = decode(bytes)?;
    match request.agency == agency.id() {
        true => Ok(Batch::prepare(agency, request.parcels)),
        false => Err(Problem::OtherAgency),
    }
}

fn decode(bytes: &[u8]) -> Result<AppendRequest, Problem> {
    let request: AppendRequest = wire::decode(bytes, limit::APPEND)?;
    require(request.parcels.len() <= limit::PARCELS, Check::TooLong)?;
    Ok(request)
}
