//! `GET /v1/openapi.json`: the routes as an OpenAPI 3.1 document, for whoever reads or tests them with tools.
//!
//! The document is written by hand beside the routes; a test compares it with the router and with what is answered.

use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;

const DOCUMENT: &str = include_str!("openapi.json");

/// Answers the document.
pub(super) async fn show() -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}
