//! The messages that a client and a server exchange, by what they are for (`docs/format.md` §18).

use std::fmt;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// `PUT /v1/agencies/{agency}`: the log key.
    LogKey,
    /// `POST /v1/sessions/challenge`.
    Challenge,
    /// `POST /v1/sessions`: the token.
    Session,
    /// `POST /v1/append`: outcomes and a checkpoint.
    Append,
    /// `GET /v1/streams`.
    Streams,
    /// `GET /v1/streams/{kind}/{id}`.
    Page,
    /// `GET /v1/log/{agency}/checkpoint`.
    Checkpoint,
    /// `GET /v1/log/{agency}/tile/entries/…`.
    Entries,
    /// `GET /v1/log/{agency}/tile/{level}/…`.
    Tile,
    /// `GET /v1/log/{agency}/cosigned`.
    Cosigned,
    /// `POST /v1/cosign`, of a witness.
    Cosign,
    /// Anything else.
    Other,
}

impl Message {
    /// Every message of a client, in the order in which it may come to send them.
    pub const ALL: [Self; 10] = [
        Self::LogKey,
        Self::Cosigned,
        Self::Checkpoint,
        Self::Entries,
        Self::Challenge,
        Self::Session,
        Self::Streams,
        Self::Page,
        Self::Append,
        Self::Tile,
    ];

    /// Tells what a request is for.
    pub fn of(method: &str, path: &str) -> Self {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (method, parts.as_slice()) {
            ("PUT", ["v1", "agencies", _]) => Self::LogKey,
            ("POST", ["v1", "sessions", "challenge"]) => Self::Challenge,
            ("POST", ["v1", "sessions"] | ["v1", "sessions", "restored"]) => Self::Session,
            ("POST", ["v1", "append"]) => Self::Append,
            ("GET", ["v1", "streams"]) => Self::Streams,
            ("GET", ["v1", "streams", _, _]) => Self::Page,
            ("GET", ["v1", "log", _, "checkpoint"]) => Self::Checkpoint,
            ("GET", ["v1", "log", _, "cosigned"]) => Self::Cosigned,
            ("POST", ["v1", "cosign"]) => Self::Cosign,
            ("GET", ["v1", "log", _, "tile", "entries", ..]) => Self::Entries,
            ("GET", ["v1", "log", _, "tile", ..]) => Self::Tile,
            _ => Self::Other,
        }
    }

    /// Tells whether anybody who knows the agency's id may ask it.
    pub const fn is_of_log(self) -> bool {
        matches!(self, Self::Checkpoint | Self::Entries | Self::Tile)
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::LogKey => "log key",
            Self::Challenge => "challenge",
            Self::Session => "session",
            Self::Append => "append",
            Self::Streams => "streams",
            Self::Page => "page",
            Self::Checkpoint => "checkpoint",
            Self::Entries => "entries",
            Self::Tile => "tile",
            Self::Cosigned => "cosigned",
            Self::Cosign => "cosign",
            Self::Other => "other",
        })
    }
}
