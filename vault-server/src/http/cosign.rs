//! `POST /v1/cosign`: what a witness cosigned. It proves by itself whose it is, so that a witness needs no session.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use vault_core::tlog::{checkpoint, note};

use super::App;
use super::ask::{self, From};
use super::problem::Problem;
use crate::authenticate::now;

/// Takes a note with cosignatures of witnesses that the agency's root names.
pub(super) async fn cosign(
    State(app): State<Arc<App>>,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    ask::nobody(&app, from.as_deref())?;
    let (note, _room) = ask::body(&app, &headers, body, note::LONGEST).await?;
    let agency = ask::agency(&app, checkpoint::agency_of(&note)?)
        .await?
        .ok_or(Problem::NotFound)?;
    ask::blocking(&app, move |app| app.service.cosign(&agency, &note, now())).await??;
    Ok(StatusCode::NO_CONTENT)
}
