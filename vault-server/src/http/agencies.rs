//! `PUT /v1/agencies/{agency}`: makes an agency known, and tells the log key that the server has for it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use vault_core::id::AgencyId;

use super::App;
use super::ask::{self, From};
use super::problem::Problem;

/// Answers the agency's `Verifier`, the same each time.
pub(super) async fn register(
    State(app): State<Arc<App>>,
    from: From,
    Path(agency): Path<String>,
) -> Result<Response, Problem> {
    ask::nobody(&app, from.as_deref())?;
    let id = AgencyId(ask::hex(&agency)?);
    let agency = match ask::agency(&app, id).await? {
        Some(known) => known,
        None if app.admits(&id) => ask::blocking(&app, move |app| app.service.register(id)).await?,
        None => return Err(Problem::NotAdmitted),
    };
    ask::answer(&agency.verifier())
}
