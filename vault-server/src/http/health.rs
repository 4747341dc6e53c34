//! `GET /healthz`: whether the process answers, and which version it is.
//!
//! It needs no authentication, hence it says nothing else: no counts, no agencies, no uptime.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use serde::Serialize;

/// The whole answer.
#[derive(Debug, Serialize)]
pub(super) struct Health {
    status: &'static str,
    version: &'static str,
}

/// Answers 200 with [`Health`], never cached.
pub(super) async fn show() -> ([(HeaderName, &'static str); 1], Json<Health>) {
    (
        [(CACHE_CONTROL, "no-store")],
        Json(Health {
            status: "ok",
            version: env!("CARGO_PKG_VERSION"),
        }),
    )
}
