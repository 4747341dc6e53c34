//! Refusals as problem JSON (RFC 9457): a stable kind, a title, a status, and nothing about the inside.
//!
//! The request's path is not echoed: it may hold what a client should not have sent, and logs and proxies keep answers.

use std::time::Duration;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use vault_core::check::{Check, Refused};

use crate::report;
use crate::service::ServiceError;
use crate::store::StoreError;

/// What the server refuses, by whose fault it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Problem {
    /// As much as may be is being done already.
    Busy,
    /// Something failed inside; the log has it.
    Internal,
    /// The length of the body is not told.
    LengthRequired,
    /// The body is not what it should be, by this check.
    Malformed(Check),
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// A session is needed, and there is none that is good.
    NoSession,
    /// The server does not admit this agency.
    NotAdmitted,
    /// Somebody else may do this, and not this member.
    NotAllowed,
    /// No such path, or nothing there for whoever asks.
    NotFound,
    /// The request is about another agency than its session.
    OtherAgency,
    /// The device may not begin a session, or not in this way.
    SessionRefused(Option<Check>),
    /// The agency keeps as much here as it may.
    QuotaFull,
    /// The disk is full.
    StorageFull,
    /// Something else is there already, and stays.
    Taken,
    /// The body is too long.
    TooLong,
    /// The body did not arrive in time.
    TooSlow,
    /// Too many requests, for so long.
    TooMany(Duration),
    /// The agency has as many invites open as it may.
    TooManyInvites,
    /// The query is not one that this path takes.
    UnknownQuery,
}

/// The members of RFC 9457 section 3.1 that the server sends, and the check that refused.
#[derive(Serialize)]
struct Body {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<String>,
}

impl Problem {
    fn status(self) -> StatusCode {
        match self {
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::LengthRequired => StatusCode::LENGTH_REQUIRED,
            Self::Malformed(_) | Self::UnknownQuery => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoSession | Self::SessionRefused(_) => StatusCode::UNAUTHORIZED,
            Self::NotAdmitted | Self::NotAllowed | Self::OtherAgency => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::QuotaFull | Self::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
            Self::Taken | Self::TooManyInvites => StatusCode::CONFLICT,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// Names the kind as a URI that means something on any host.
    fn kind(self) -> &'static str {
        match self {
            Self::Busy => "urn:casevault:problem:busy",
            Self::Internal => "urn:casevault:problem:internal",
            Self::LengthRequired => "urn:casevault:problem:length-required",
            Self::Malformed(_) => "urn:casevault:problem:malformed",
            Self::MethodNotAllowed => "urn:casevault:problem:method-not-allowed",
            Self::NoSession => "urn:casevault:problem:no-session",
            Self::NotAdmitted => "urn:casevault:problem:not-admitted",
            Self::NotAllowed => "urn:casevault:problem:not-allowed",
            Self::NotFound => "urn:casevault:problem:not-found",
            Self::OtherAgency => "urn:casevault:problem:other-agency",
            Self::SessionRefused(_) => "urn:casevault:problem:session-refused",
            Self::QuotaFull => "urn:casevault:problem:quota-full",
            Self::StorageFull => "urn:casevault:problem:storage-full",
            Self::Taken => "urn:casevault:problem:taken",
            Self::TooLong => "urn:casevault:problem:too-long",
            Self::TooSlow => "urn:casevault:problem:too-slow",
            Self::TooMany(_) => "urn:casevault:problem:too-many-requests",
            Self::TooManyInvites => "urn:casevault:problem:too-many-invites",
            Self::UnknownQuery => "urn:casevault:problem:unknown-query",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Busy => "the server has too much to do; ask again",
            Self::Internal => "the server failed; whoever keeps it finds why in its log",
            Self::LengthRequired => "the length of the body must be told before it",
            Self::Malformed(_) => "the body is not of its format",
            Self::MethodNotAllowed => "this path does not take this method",
            Self::NoSession => "this needs a session of a live device",
            Self::NotAdmitted => "this server does not take this agency; its keeper admits it",
            Self::NotAllowed => "another member may do this: who opened it, or an administrator",
            Self::NotFound => "there is nothing at this path",
            Self::OtherAgency => "the session is one with another agency",
            Self::SessionRefused(_) => "no session begins with this",
            Self::QuotaFull => "the server keeps as much of this agency as its keeper allows; nothing of it was stored",
            Self::StorageFull => "the server's disk is full; nothing of it was stored",
            Self::Taken => "something else is there already, and stays",
            Self::TooLong => "the body is too long",
            Self::TooSlow => "the body took too long to arrive",
            Self::TooMany(_) => "too many requests; ask again later",
            Self::TooManyInvites => "as many invites are open as may be; the oldest end with their day",
            Self::UnknownQuery => "this path takes no such query",
        }
    }

    fn check(self) -> Option<String> {
        match self {
            Self::Malformed(check) => Some(check.to_string()),
            Self::SessionRefused(check) => check.map(|check| check.to_string()),
            _ => None,
        }
    }

    fn header(self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Busy => Some((RETRY_AFTER, HeaderValue::from_static("1"))),
            Self::TooMany(wait) => Some((RETRY_AFTER, wait.as_secs().max(1).into())),
            Self::NoSession => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            _ => None,
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
            check: self.check(),
        };
        let kind = (CONTENT_TYPE, "application/problem+json");
        let mut response = (status, [kind], Json(body)).into_response();
        response.headers_mut().extend(self.header());
        response
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Away | ServiceError::Busy | ServiceError::Ended => Self::Busy,
            ServiceError::Store(StoreError::Away(_)) => {
                report::failure(&error);
                Self::Busy
            }
            ServiceError::OverQuota => Self::QuotaFull,
            ServiceError::Full | ServiceError::Store(StoreError::Full(_)) => Self::StorageFull,
            // The writer told of it.
            ServiceError::Unwritten => Self::Internal,
            ServiceError::Store(_) | ServiceError::Random(_) => {
                report::failure(&error);
                Self::Internal
            }
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused.check {
            Check::TooLong => Self::TooLong,
            check => Self::Malformed(check),
        }
    }
}
