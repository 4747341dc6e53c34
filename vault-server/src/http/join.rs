//! `/v1/join/…`: how who joins and who lets in find each other; what they say is sealed, and passed on as it is.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use vault_core::wire;
use vault_core::wire::v1::enrolment::{AnswerInvite, InviteId, OpenInvite};
use vault_core::wire::v1::limit;

use super::App;
use super::ask::{self, From};
use super::problem::Problem;
use crate::authenticate::now;
use crate::service::InviteRefused;

/// Bytes of an [`OpenInvite`], which is of fixed size.
const OPEN_BYTES: usize = 32 + 1 + 4;

/// Bytes of an [`AnswerInvite`]: an answer, its length, and a device that its member certified.
const ANSWER_BYTES: usize = limit::JOIN_ANSWER + 4 + 1 + 160;

/// Opens an invite, for a session of a member that may.
pub(super) async fn open(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(invite): Path<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let session = ask::session(&app, &headers).await?;
    let id = InviteId(ask::hex(&invite)?);
    let (bytes, _room) = ask::body(&app, &headers, body, OPEN_BYTES).await?;
    let open: OpenInvite = wire::decode(&bytes, OPEN_BYTES)?;
    if open.agency != session.agency().id() {
        return Err(Problem::OtherAgency);
    }
    let permit = session.inviting(open.kind).ok_or(Problem::NotAllowed)?;
    done(ask::blocking(&app, move |app| app.service.open_invite(&permit, id, &open, now())).await?)
}

/// Takes a request from whoever knows the invite's id.
pub(super) async fn request(
    State(app): State<Arc<App>>,
    from: From,
    headers: HeaderMap,
    Path(invite): Path<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    ask::nobody(&app, from.as_deref())?;
    let id = InviteId(ask::hex(&invite)?);
    let (bytes, _room) = ask::body(&app, &headers, body, limit::JOIN_REQUEST).await?;
    if bytes.is_empty() {
        return Err(Problem::NotFound);
    }
    done(ask::blocking(&app, move |app| app.service.ask_to_join(id, &bytes, now())).await?)
}

/// Answers how far an invite has got, to whoever knows its id.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    from: From,
    Path(invite): Path<String>,
) -> Result<Response, Problem> {
    ask::nobody(&app, from.as_deref())?;
    let id = InviteId(ask::hex(&invite)?);
    let state = ask::blocking(&app, move |app| app.service.invite(id, now())).await?;
    ask::answer(&state.ok_or(Problem::NotFound)?)
}

/// Takes the answer, for a session of who opened the invite or of an administrator.
pub(super) async fn answer(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(invite): Path<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let session = ask::session(&app, &headers).await?;
    let id = InviteId(ask::hex(&invite)?);
    let (bytes, _room) = ask::body(&app, &headers, body, ANSWER_BYTES).await?;
    let answer: AnswerInvite = wire::decode(&bytes, ANSWER_BYTES)?;
    done(ask::blocking(&app, move |app| app.service.answer_invite(&session, id, &answer, now())).await?)
}

/// Answers which devices of the agency wait for an administrator.
pub(super) async fn waiting(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let session = ask::session(&app, &headers).await?;
    let permit = session.administering().ok_or(Problem::NotAllowed)?;
    let waiting = ask::blocking(&app, move |app| app.service.waiting_devices(&permit, now())).await?;
    ask::answer(&waiting)
}

fn done(done: Result<(), InviteRefused>) -> Result<StatusCode, Problem> {
    match done {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(InviteRefused::NotThere) => Err(Problem::NotFound),
        Err(InviteRefused::NotAllowed) => Err(Problem::NotAllowed),
        Err(InviteRefused::Taken) => Err(Problem::Taken),
        Err(InviteRefused::TooMany) => Err(Problem::TooManyInvites),
    }
}
