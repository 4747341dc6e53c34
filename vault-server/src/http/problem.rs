//! Refusals as problem JSON (RFC 9457): a stable kind, a title, a status, and nothing about the inside.
//!
//! The request's path is not echoed: it may hold what a client should not have sent, and logs and proxies keep answers.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What the server refuses, by whose fault it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Problem {
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// No such path.
    NotFound,
}

/// The members of RFC 9457 section 3.1 that the server sends.
#[derive(Serialize)]
struct Body {
    r#type: &'static str,
    title: &'static str,
    status: u16,
}

impl Problem {
    fn status(self) -> StatusCode {
        match self {
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotFound => StatusCode::NOT_FOUND,
        }
    }

    /// Names the kind as a URI that means something on any host.
    fn kind(self) -> &'static str {
        match self {
            Self::MethodNotAllowed => "urn:casevault:problem:method-not-allowed",
            Self::NotFound => "urn:casevault:problem:not-found",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::MethodNotAllowed => "this path does not take this method",
            Self::NotFound => "there is nothing at this path",
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = Body {
            r#type: self.kind(),
            title: self.title(),
            status: status.as_u16(),
        };
        (status, [(CONTENT_TYPE, "application/problem+json")], Json(body)).into_response()
    }
}
