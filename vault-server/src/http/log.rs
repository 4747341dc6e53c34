//! `GET /v1/log/{agency}/…`: the log as C2SP tlog-tiles serves one, to whoever knows the agency's id.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use vault_core::id::AgencyId;
use vault_core::tlog::tile::Tile;

use super::App;
use super::ask::{self, From};
use super::problem::Problem;
use crate::service::{Agency, cosigning};

const NOTE: (HeaderName, &str) = (CONTENT_TYPE, "text/plain; charset=utf-8");
const BINARY: (HeaderName, &str) = (CONTENT_TYPE, "application/octet-stream");
const FRESH: (HeaderName, &str) = (CACHE_CONTROL, "no-cache");
// A tile never changes; one that is not full is only superseded.
const FOR_EVER: (HeaderName, &str) = (CACHE_CONTROL, "max-age=31536000, immutable");

/// Returns the agency of a path, for whoever asks.
async fn known(app: &Arc<App>, from: &From, agency: &str) -> Result<Arc<Agency>, Problem> {
    ask::nobody(app, from.as_deref())?;
    let agency = ask::agency(app, AgencyId(ask::hex(agency)?)).await?;
    agency.ok_or(Problem::NotFound)
}

/// Answers the newest checkpoint as a note.
pub(super) async fn checkpoint(
    State(app): State<Arc<App>>,
    from: From,
    Path(agency): Path<String>,
) -> Result<Response, Problem> {
    let agency = known(&app, &from, &agency).await?;
    let published = agency.published();
    let note = match cosigning::is_witnessed(&published) {
        // Cosignatures come without the log growing.
        true => ask::blocking(&app, move |app| Ok(app.service.checkpoint(&agency)))
            .await?
            .into_bytes(),
        false => published.checkpoint.as_bytes().to_vec(),
    };
    Ok(([NOTE, FRESH], note).into_response())
}

/// Answers what witnesses cosigned, the newest of each.
pub(super) async fn cosigned(
    State(app): State<Arc<App>>,
    from: From,
    Path(agency): Path<String>,
) -> Result<Response, Problem> {
    let agency = known(&app, &from, &agency).await?;
    let notes = ask::blocking(&app, move |app| app.service.cosigned(&agency)).await?;
    Ok(([FRESH], ask::answer(&notes)?).into_response())
}

/// Answers a tile of hashes, or the entries under one of level 0.
pub(super) async fn tile(
    State(app): State<Arc<App>>,
    from: From,
    Path((agency, path)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let agency = known(&app, &from, &agency).await?;
    let (path, entries) = match path.strip_prefix("entries/") {
        Some(number) => (format!("tile/0/{number}"), true),
        None => (format!("tile/{path}"), false),
    };
    let tile: Tile = path.parse().map_err(|_| Problem::NotFound)?;
    let bytes = ask::blocking(&app, move |app| app.service.tile(&agency, tile, entries)).await?;
    let bytes = bytes.ok_or(Problem::NotFound)?;
    Ok(([BINARY, FOR_EVER], bytes).into_response())
}
