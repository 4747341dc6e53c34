//! `GET /metrics`: counts and sizes in the text format of Prometheus, and no id.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};

use super::App;
use super::ask::{self, From};
use super::problem::Problem;

/// Answers all metrics.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    from: From,
) -> Result<([(HeaderName, &'static str); 2], String), Problem> {
    ask::nobody(&app, from.as_deref())?;
    let totals = ask::blocking(&app, |app| app.service.totals()).await?;
    let headers = [(CONTENT_TYPE, "text/plain; version=0.0.4"), (CACHE_CONTROL, "no-store")];
    Ok((headers, app.service.metrics().text(&totals)))
}
