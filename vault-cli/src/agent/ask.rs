//! What an agent can be asked: the session's methods, each whole. One line here makes a method travel.
//!
//! ```text
//! asks! line ─┬─ Ask::note_show(request)          what goes over the socket
//!             ├─ Ask::act(session)                what the agent does with it
//!             └─ Vault::note_show(request)        what a command calls: here in the process, or over the socket
//! ```

use super::client::Connection;
use super::client::Streams;
use super::frame;
use crate::session::Result;
use crate::session::Session;
use crate::session::SessionError;
use crate::session::Task;
use crate::session::carried::CarriedHistory;
use crate::session::carried::CarriedShow;
use crate::session::reply::*;
use crate::session::request::*;
use serde::Deserialize;
use serde::Serialize;
use std::io::BufRead;
use std::io::Write;

/// The vault as a command reaches it: a session in this process, or an agent's.
#[derive(Debug)]
pub enum Vault {
    /// Unlocked here, for this command.
    Here(Box<Session>),
    /// Unlocked in the agent.
    Agent(Connection),
}

impl Vault {
    /// Asks from here on for something that nobody waits for: it keeps no agent from locking when it is idle.
    pub fn in_the_background(&mut self) {
        if let Self::Agent(agent) = self {
            agent.in_the_background();
        }
    }
}

/// What the agent hands an action beside its request.
pub(super) struct With<'a> {
    pub(super) input: &'a mut dyn BufRead,
    pub(super) out: &'a mut dyn Write,
    pub(super) task: Task<'a>,
}

/// What else than frames of progress and a reply goes over the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Answered at once.
    Plain,
    /// Takes long: told how far it is, and stopped on demand.
    Watched,
    /// As watched; writes bytes.
    Writing,
    /// As watched; reads bytes.
    Reading,
}

macro_rules! wire {
    ($reply:ty) => {
        $reply
    };
    ($reply:ty, $wire:ty) => {
        $wire
    };
}

macro_rules! request {
    () => {
        ()
    };
    ($request:ty) => {
        $request
    };
}

macro_rules! shape {
    (plain) => {
        Shape::Plain
    };
    (watched) => {
        Shape::Watched
    };
    (sweeping) => {
        Shape::Watched
    };
    (writing) => {
        Shape::Writing
    };
    (reading) => {
        Shape::Reading
    };
}

macro_rules! act {
    (plain $session:ident.$name:ident, $request:ident, $with:ident) => {{
        let _ = $with;
        $session.$name($request)
    }};
    (watched $session:ident.$name:ident, $request:ident, $with:ident) => {
        $session.$name($request, $with.task)
    };
    (sweeping $session:ident.$name:ident, $request:ident, $with:ident) => {{
        let () = $request;
        $session.$name($with.task)
    }};
    (writing $session:ident.$name:ident, $request:ident, $with:ident) => {
        $session.$name($request, $with.out, $with.task)
    };
    (reading $session:ident.$name:ident, $request:ident, $with:ident) => {
        $session.$name($with.input, $request, $with.task)
    };
}

macro_rules! method {
    (plain $name:ident, [$request:ty], $reply:ty, $wire:ty) => {
        #[doc = concat!("As [`Session::", stringify!($name), "`].")]
        ///
        /// # Errors
        /// As that.
        pub fn $name(&mut self, request: $request) -> Result<$reply> {
            match self {
                Self::Here(session) => session.$name(request),
                Self::Agent(agent) => agent
                    .ask::<$wire>(&Ask::$name(request), Streams::default())
                    .map(Into::into),
            }
        }
    };
    (watched $name:ident, [$request:ty], $reply:ty, $wire:ty) => {
        #[doc = concat!("As [`Session::", stringify!($name), "`].")]
        ///
        /// # Errors
        /// As that.
        pub fn $name(&mut self, request: $request, task: Task<'_>) -> Result<$reply> {
            match self {
                Self::Here(session) => session.$name(request, task),
                Self::Agent(agent) => agent
                    .ask::<$wire>(&Ask::$name(request), Streams::of(task))
                    .map(Into::into),
            }
        }
    };
    (sweeping $name:ident, [], $reply:ty, $wire:ty) => {
        #[doc = concat!("As [`Session::", stringify!($name), "`].")]
        ///
        /// # Errors
        /// As that.
        pub fn $name(&mut self, task: Task<'_>) -> Result<$reply> {
            match self {
                Self::Here(session) => session.$name(task),
                Self::Agent(agent) => agent
                    .ask::<$wire>(&Ask::$name(()), Streams::of(task))
                    .map(Into::into),
            }
        }
    };
    (writing $name:ident, [$request:ty], $reply:ty, $wire:ty) => {
        #[doc = concat!("As [`Session::", stringify!($name), "`].")]
        ///
        /// # Errors
        /// As that.
        pub fn $name(&mut self, request: $request, out: &mut dyn Write, task: Task<'_>) -> Result<$reply> {
            match self {
                Self::Here(session) => session.$name(request, out, task),
                Self::Agent(agent) => {
                    let streams = Streams {
                        out: Some(out),
                        ..Streams::of(task)
                    };
                    agent.ask::<$wire>(&Ask::$name(request), streams).map(Into::into)
                }
            }
        }
    };
    (reading $name:ident, [$request:ty], $reply:ty, $wire:ty) => {
        #[doc = concat!("As [`Session::", stringify!($name), "`].")]
        ///
        /// # Errors
        /// As that.
        pub fn $name(&mut self, input: &mut dyn BufRead, request: $request, task: Task<'_>) -> Result<$reply> {
            match self {
                Self::Here(session) => session.$name(input, request, task),
                Self::Agent(agent) => {
                    let streams = Streams {
                        input: Some(input),
                        ..Streams::of(task)
                    };
                    agent.ask::<$wire>(&Ask::$name(request), streams).map(Into::into)
                }
            }
        }
    };
}

macro_rules! asks {
    ($($(#[$doc:meta])* $shape:ident $name:ident($($request:ty)?) -> $reply:ty $(as $wire:ty)?;)+) => {
        /// A whole user action.
        #[derive(Serialize, Deserialize)]
        #[allow(non_camel_case_types, reason = "each variant is named as the method that it asks for")]
        pub(super) enum Ask {
            $($name(request!($($request)?)),)+
        }

        impl Ask {
            /// Returns what goes over the socket beside it.
            pub(super) fn shape(&self) -> Shape {
                match self { $(Self::$name(_) => shape!($shape),)+ }
            }

            /// Tells whether it keeps what it reads until it has read all.
            pub(super) fn keeps_input(&self) -> bool {
                matches!(self, Self::import(request) if request.pass == ImportPass::Whole)
            }

            /// Does it; returns the reply as it travels.
            pub(super) fn act(self, session: &mut Session, with: With<'_>) -> Result<Vec<u8>> {
                match self {
                    $(Self::$name(request) => {
                        let reply: $reply = act!($shape session.$name, request, with)?;
                        travel(&<wire!($reply $(, $wire)?)>::from(reply))
                    })+
                }
            }
        }

        impl Vault {
            $(method!($shape $name, [$($request)?], $reply, wire!($reply $(, $wire)?));)+
        }
    };
}

asks! {
    watched agency_endorse(AgencyEndorseRequest) -> ProposalReply;
    plain agency_proposal(AgencyProposalRequest) -> ProposalReply;
    watched agency_propose(AgencyProposeRequest) -> ProposalReply;
    plain agency_show(AgencyShowRequest) -> AgencyShowReply;
    watched approve_code(ApproveCodeRequest) -> ApproveCodeReply;
    plain breach_answer(BreachAnswerRequest) -> BreachAnswerReply;
    plain breach_list(BreachListRequest) -> BreachListReply;
    plain case_amend(CaseAmendRequest) -> CaseAmendReply;
    plain case_brief(CaseBriefRequest) -> CaseBriefReply;
    plain case_close(CaseCloseRequest) -> CaseCloseReply;
    plain case_history(CaseHistoryRequest) -> CaseHistoryReply;
    plain case_list(CaseListRequest) -> CaseListReply;
    plain case_namesakes(CaseNamesakesRequest) -> CaseNamesakesReply;
    plain case_naming(CaseNamingRequest) -> CaseNamingReply;
    plain case_open(CaseOpenRequest) -> CaseOpenReply;
    plain case_people(CasePeopleRequest) -> CasePeopleReply;
    plain case_reopen(CaseReopenRequest) -> CaseReopenReply;
    plain case_show(CaseShowRequest) -> CaseShowReply;
    watched case_stale(CaseStaleRequest) -> CaseStaleReply;
    watched case_verify(CaseVerifyRequest) -> VerifyReply;
    plain chronology_show(ChronologyRequest) -> ChronologyReply;
    plain decision_list(DecisionListRequest) -> DecisionListReply;
    watched device_add(DeviceAddRequest) -> InviteReply;
    watched device_approve(ApproveRequest) -> ApproveReply;
    plain device_list(DeviceListRequest) -> DeviceListReply;
    watched device_retire(DeviceRetireRequest) -> ChangedReply;
    plain draft_discard(DraftDiscardRequest) -> DraftDiscardReply;
    plain draft_keep(DraftKeepRequest) -> DraftKeepReply;
    plain draft_list(DraftListRequest) -> DraftListReply;
    plain draft_show(DraftShowRequest) -> DraftShowReply;
    writing export(ExportRequest) -> ExportReply;
    plain handles(HandlesRequest) -> HandlesReply;
    reading import(ImportRequest) -> ImportReply;
    plain aside_discard(AsideDiscardRequest) -> AsideDiscardReply;
    plain aside_list(AsideListRequest) -> AsideListReply;
    plain aside_restore(AsideRestoreRequest) -> AsideRestoreReply;
    plain aside_show(AsideShowRequest) -> AsideShowReply;
    plain jot_add(JotAddRequest) -> JotAddReply;
    plain jot_discard(JotDiscardRequest) -> JotDiscardReply;
    plain jot_list(JotListRequest) -> JotListReply;
    plain log_list(LogListRequest) -> LogListReply;
    plain log_show(LogShowRequest) -> LogShowReply;
    watched log_verify(LogVerifyRequest) -> VerifyReply;
    watched member_approve(ApproveRequest) -> ApproveReply;
    watched member_invite(MemberInviteRequest) -> InviteReply;
    plain member_list(MemberListRequest) -> MemberListReply;
    watched member_reset(MemberResetRequest) -> InviteReply;
    watched member_retire(MemberRetireRequest) -> ChangedReply;
    watched member_role(MemberRoleRequest) -> ChangedReply;
    plain note_add(NoteAddRequest) -> NoteSavedReply;
    plain note_amend(NoteAmendRequest) -> NoteSavedReply;
    reading note_attach(NoteAttachRequest) -> NoteAttachReply;
    writing note_attachment(NoteAttachmentRequest) -> NoteAttachmentReply;
    plain note_attachments(NoteAttachmentsRequest) -> NoteAttachmentsReply;
    plain note_blank(NoteBlankRequest) -> NoteTextReply;
    plain note_detach(NoteDetachRequest) -> NoteDetachReply;
    plain note_expand(NoteExpandRequest) -> NoteSavedReply;
    watched note_find(NoteFindRequest) -> NoteFindReply;
    plain note_history(NoteHistoryRequest) -> NoteHistoryReply as CarriedHistory;
    plain note_list(NoteListRequest) -> NoteListReply;
    watched note_misfiled(NoteMisfiledRequest) -> NoteMisfiledReply;
    plain note_show(NoteShowRequest) -> NoteShowReply as CarriedShow;
    plain note_text(NoteTextRequest) -> NoteTextReply;
    plain note_withdraw(NoteWithdrawRequest) -> NoteWithdrawReply;
    plain plan_done(PlanDoneRequest) -> PlanDoneReply;
    watched plan_list(PlanListRequest) -> PlanListReply;
    watched server_add(ServerAddRequest) -> ServerAddReply;
    plain server_remove(ServerRemoveRequest) -> ServerRemoveReply;
    plain server_show(ServerShowRequest) -> ServerShowReply;
    sweeping sync() -> SyncReply;
    plain sync_feed(SyncFeedRequest) -> SyncFeedReply;
    watched today(TodayRequest) -> TodayReply;
    sweeping verify() -> VerifyReply;
}

fn travel<T: Serialize>(reply: &T) -> Result<Vec<u8>> {
    frame::to_json(reply).map_err(|e| SessionError::Bug(e.to_string()))
}
