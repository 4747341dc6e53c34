//! `GET /v1/streams` and `GET /v1/streams/{kind}/{id}`: which streams there are, and their parcels.
//!
//! A stream that is not there and one that whoever asks may not read are answered alike.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use vault_core::wire;
use vault_core::wire::v1::stream::{StreamId, StreamKind};

use super::App;
use super::ask;
use super::problem::Problem;
use crate::store::StoreError;

/// Answers the streams that the device may read with a link at leaf `after` or later.
pub(super) async fn list(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri) -> Result<Response, Problem> {
    let session = ask::session(&app, &headers).await?;
    let after = ask::number(&uri, "after")?;
    let list = ask::blocking(&app, move |app| app.service.streams(&session, after)).await?;
    ask::answer(&list)
}

/// Answers parcels from sequence number `from` on.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path((kind, id)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, Problem> {
    let session = ask::session(&app, &headers).await?;
    let kind = match kind.as_str() {
        "1" => StreamKind::Agency,
        "2" => StreamKind::Case,
        "3" => StreamKind::Access,
        _ => return Err(Problem::NotFound),
    };
    let stream = StreamId {
        kind,
        id: ask::hex(&id)?,
    };
    let from = ask::number(&uri, "from")?;
    let page = ask::blocking(&app, move |app| {
        let page = app.service.page(&session, stream, from)?;
        // Encoded here, so that it is in memory twice for no longer than that.
        page.map(|page| Ok(wire::encode(&page).map_err(StoreError::from)?))
            .transpose()
    });
    Ok(ask::bytes(page.await?.ok_or(Problem::NotFound)?))
}
