//! What goes wrong with a server, told so that a worker knows what to do.

use crate::session::Kind;
use serde::Deserialize;
use serde::Serialize;
use vault_core::check::Check;

/// Why a server was of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum ServerFault {
    /// The vault has no server.
    #[error("this vault has no server")]
    None,
    /// It has one.
    #[error("this vault has a server already: {url}")]
    Known {
        /// Where it is.
        url: String,
    },
    /// What was typed is no address.
    #[error("`{text}` is not the address of a server")]
    Url {
        /// What was typed.
        text: String,
    },
    /// The address is of another machine, and without TLS.
    #[error("`{text}` is on another machine and not behind TLS")]
    Insecure {
        /// What was typed.
        text: String,
    },
    /// No answer came.
    #[error("the server at {url} does not answer: {why}")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What the system says.
        why: String,
    },
    /// No answer came from a server that was to be named.
    #[error("the server at {url} does not answer: {why}")]
    NotReached {
        /// Where it should be.
        url: String,
        /// What the system says.
        why: String,
    },
    /// No answer came from a server whose log was to be verified.
    #[error("the server at {url} does not answer: {why}")]
    NotAudited {
        /// Where it should be.
        url: String,
        /// What the system says.
        why: String,
    },
    /// It begins no session with this device.
    #[error("the server does not know this device")]
    UnknownDevice,
    /// It has too much to do.
    #[error("the server has too much to do at the moment")]
    Busy {
        /// After how many seconds it wants to be asked again.
        retry_after: Option<u64>,
    },
    /// It refuses, and says why.
    #[error("the server refuses: {title}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its words, or the status again.
        title: String,
    },
    /// Its answer is none.
    #[error("the server's {what} is not what it should be")]
    Garbled {
        /// What was asked for.
        what: String,
    },
    /// It does not take a link.
    #[error("the server does not take {of}: {}", cause(*check))]
    Link {
        /// The number of the check that it names.
        check: u8,
        /// Which link.
        of: String,
    },
    /// Somebody else wrote meanwhile.
    #[error("somebody wrote in {of} at the same time")]
    Conflict {
        /// Which stream.
        of: String,
    },
    /// It has entries of this device's own log that this device does not have.
    #[error(
        "the server has entries of this device's own access log that are not here: this folder is an older copy of itself"
    )]
    OwnStreamAhead,
    /// It signs with another key than the agency's root names.
    #[error("the server's log key is not the one that the agency's root names")]
    OtherKey,
    /// It has the agency already, and this vault is from before it was sent there: a backup that was restored.
    #[error("the server has this agency already, and this vault is from before it was sent there")]
    BeforeIt,
    /// It names a log key and does not show that it has it.
    #[error("the server does not sign with the log key that it names ({})", cause(*check))]
    Unsigned {
        /// The number of the check that failed.
        check: u8,
    },
    /// Its log contradicts what it said before, or what it answers does not go with its log.
    #[error("{} ({})", what_is_wrong(*check), cause(*check))]
    Log {
        /// The number of the check that failed.
        check: u8,
        /// The file with the evidence; absent where nothing proves it to others.
        evidence: Option<String>,
    },
    /// No witness that the root names has cosigned its log within a day, and this device has nothing else to compare it with.
    #[error("{} ({})", Check::Unwitnessed.cause(), Check::Unwitnessed)]
    Unwitnessed {
        /// When the newest cosignature was made; absent where there is none.
        newest: Option<String>,
        /// Whether it is fresh, and of a shorter log than the sheet has.
        is_short: bool,
    },
    /// A contradiction was found, and this witness cosigns no more of that log.
    #[error("this witness has stopped: it found that the server's key signed two logs")]
    Halted {
        /// The file with the evidence.
        evidence: String,
        /// The file that says that it has stopped.
        mark: String,
    },
    /// A witness does not know how far it was.
    #[error(
        "{}",
        match cosigned {
            None => "nothing is kept here of how far this witness was with this log".to_owned(),
            Some(size) => format!("this witness has cosigned {size} leaves of this log, and knows of fewer"),
        }
    )]
    Forgot {
        /// Leaves that it cosigned, as the server has it; absent where that was not asked.
        cosigned: Option<u64>,
    },
    /// It does not take a witness's cosignature.
    #[error("the server does not take this witness's cosignature")]
    NotTaken,
    /// It says that a record was erased, and no erasure in its stream names it.
    #[error("the server holds back what {of} places: no erasure names it")]
    Absent {
        /// The link.
        of: String,
    },
    /// It says that something is stored and does not prove it, or holds it back.
    #[error("the server holds back {of}")]
    Withheld {
        /// What.
        of: String,
    },
}

/// The problem's type for a device that may begin no session (`docs/format.md` §18).
const SESSION_REFUSED: &str = "urn:casevault:problem:session-refused";

fn cause(number: u8) -> String {
    let known = Check::ALL.iter().find(|check| check.number() == number);
    known.map_or_else(
        || format!("CHK-{number}"),
        |check| format!("{}, {check}", check.cause()),
    )
}

/// Says whether it is the log that is at fault, or an answer that the log says nothing of.
fn what_is_wrong(number: u8) -> &'static str {
    let of_log = [
        Check::CheckpointOrigin,
        Check::CheckpointSignature,
        Check::EnrolmentRollback,
        Check::LogTile,
        Check::LogInclusion,
        Check::LogConsistency,
    ];
    match of_log.iter().any(|check| check.number() == number) {
        true => "the server's log is not the one it was",
        false => "the server's answer is not what it should be",
    }
}

impl ServerFault {
    pub(super) fn garbled(what: &str) -> Self {
        Self::Garbled { what: what.to_owned() }
    }

    /// Reads a problem's JSON; its words are shown escaped, like anything that comes from elsewhere.
    pub(super) fn refused(status: u16, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Problem {
            title: String,
            r#type: Option<String>,
            check: Option<String>,
        }
        let problem = serde_json::from_slice::<Problem>(body).ok();
        // With a check it is the device; without one it came too late, and a proxy's 401 or 403 is of no type of ours.
        let is_device =
            |problem: &Problem| problem.r#type.as_deref() == Some(SESSION_REFUSED) && problem.check.is_some();
        if problem.as_ref().is_some_and(is_device) {
            return Self::UnknownDevice;
        }
        let title = problem.map(|problem| problem.title).filter(|title| title.len() <= 200);
        Self::Refused {
            status,
            title: title.map_or_else(|| format!("HTTP status {status}"), |t| t.escape_debug().to_string()),
        }
    }

    /// Returns what sort of refusal it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Url { .. } | Self::Insecure { .. } => Kind::Usage,
            Self::Unreachable { .. } | Self::NotReached { .. } | Self::NotAudited { .. } | Self::Busy { .. } => {
                Kind::Unreachable
            }
            Self::Conflict { .. } => Kind::Conflict,
            Self::Garbled { .. }
            | Self::OtherKey
            | Self::OwnStreamAhead
            | Self::Unsigned { .. }
            | Self::Log { .. }
            | Self::Unwitnessed { .. }
            | Self::Halted { .. }
            | Self::Forgot { .. }
            | Self::Absent { .. }
            | Self::Withheld { .. } => Kind::Verification,
            Self::None
            | Self::Known { .. }
            | Self::NotTaken
            | Self::UnknownDevice
            | Self::BeforeIt
            | Self::Refused { .. }
            | Self::Link { .. } => Kind::Failed,
        }
    }

    /// Returns the code by which scripts know it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::None => "no-server",
            Self::Known { .. } => "server-known",
            Self::Url { .. } => "server-url",
            Self::Insecure { .. } => "server-insecure",
            Self::Unreachable { .. } | Self::NotReached { .. } | Self::NotAudited { .. } => "server-unreachable",
            Self::UnknownDevice => "device-unknown",
            Self::BeforeIt => "before-server",
            Self::Busy { .. } => "server-busy",
            Self::Refused { .. } => "server-refused",
            Self::Garbled { .. } => "server-garbled",
            Self::Link { .. } => "link-refused",
            Self::Conflict { .. } => "server-conflict",
            Self::OtherKey | Self::Unsigned { .. } => "server-key",
            Self::OwnStreamAhead => "older-copy",
            Self::Log { .. } => "server-log",
            Self::Unwitnessed { .. } => "server-unwitnessed",
            Self::Halted { .. } => "witness-halted",
            Self::Forgot { .. } => "witness-forgot",
            Self::NotTaken => "cosignature-refused",
            Self::Absent { .. } | Self::Withheld { .. } => "server-withholds",
        }
    }

    /// Returns the check that failed, if one did.
    pub fn check(&self) -> Option<Check> {
        if let Self::Unwitnessed { .. } = self {
            return Some(Check::Unwitnessed);
        }
        let (Self::Log { check, .. } | Self::Link { check, .. } | Self::Unsigned { check }) = self else {
            return None;
        };
        Check::ALL.iter().copied().find(|known| known.number() == *check)
    }

    /// Says what to do next.
    pub fn hint(&self) -> String {
        let text = match self {
            Self::None => "`casevault server add URL` names one; a vault works without",
            Self::Known { .. } => "`casevault sync` talks to it",
            Self::Url { .. } => "type it as `https://vault.example` or, on this machine, `http://127.0.0.1:8443`",
            Self::Insecure { .. } => "use its `https://` address: without TLS everybody on the way sees who works when",
            Self::Unreachable { .. } => "everything written stays here and goes out with the next `casevault sync`",
            Self::NotReached { .. } => "nothing was named or sent: run it again when the server answers",
            Self::NotAudited { .. } => "`casevault log verify --offline` verifies what is here without the server",
            Self::UnknownDevice => {
                "it was retired, or a restore made it in an agency with other administrators (docs/recovery.md): everything \
                 stays here; an administrator's `casevault device list --all` tells, and `casevault device add` adds another"
            }
            Self::Busy { retry_after } => {
                let wait = retry_after.map_or("in a moment".to_owned(), |s| format!("in {s} seconds"));
                return format!("run `casevault sync` again {wait}; nothing is lost");
            }
            Self::Refused { .. } => "ask whoever runs the server; everything written stays here",
            Self::Garbled { .. } => "nothing of it was taken; if it stays so, tell whoever runs the server",
            Self::Link { .. } => {
                "nothing after it was sent; `casevault verify` tells whether it is right here, and then the server is at fault"
            }
            Self::Conflict { .. } => {
                "run `casevault sync` again: it takes in what the other wrote and sends yours after it"
            }
            Self::BeforeIt => {
                "nothing was named or sent, and everything stays here; restore a backup that was made after `casevault \
                 server add`: it fetches what was sent since (docs/recovery.md)"
            }
            Self::OtherKey => "do not go on: it is another server, or somebody stands between; tell the administrator",
            Self::OwnStreamAhead => {
                "do not write here: go on in the newer folder if it is there, or enrol this machine as a new device"
            }
            Self::Unsigned { .. } => "nothing was named or sent; tell whoever runs the server",
            Self::Log {
                evidence: Some(path), ..
            } => {
                return format!(
                    "nothing of it was taken. Give `{path}` to the data-protection officer: it proves to anybody that the server showed two histories"
                );
            }
            Self::Halted { evidence, mark } => {
                return format!(
                    "nothing was cosigned. Give `{evidence}` to the data-protection officer. Remove `{mark}` only when it is \
                     known which of the two logs is the agency's, and that it is the one that this witness cosigned; \
                     otherwise make a new witness"
                );
            }
            Self::Forgot { cosigned: None } => {
                "nothing was cosigned. If this witness has never cosigned this log, run it once with `--first`; otherwise its \
                 folder lost something: make a new witness with `casevault log witness init`, and have the root name that"
            }
            Self::Forgot { .. } => {
                "nothing was cosigned. Its folder lost something, or is an older copy: make a new witness with \
                 `casevault log witness init`, and have the root name that"
            }
            Self::NotTaken => {
                "an administrator names it in the agency's root, by the line that `casevault log witness init` printed; and this \
                 machine's clock must be right"
            }
            Self::Unwitnessed { newest, is_short } => {
                let last = match newest {
                    Some(at) if *is_short => format!(
                        "the newest cosignature, of {}, is over a log that has not yet what is on the sheet",
                        crate::render::time(at)
                    ),
                    Some(at) => format!("the newest cosignature is of {}", crate::render::time(at)),
                    None => "there is no cosignature".to_owned(),
                };
                return format!(
                    "{last}: this may be an older copy of the agency. Nothing was made here. Ask whoever keeps a witness to run \
                     it (`casevault log witness run`), look at this machine's clock, and run the same command again"
                );
            }
            Self::Absent { .. } => {
                "that case stays as it was here, and everything else was taken in; it is asked for again with the next \
                 `casevault sync`. If it stays so, tell the data-protection officer"
            }
            Self::Log { .. } | Self::Withheld { .. } => {
                "nothing of it was taken, and everything here stays; tell the data-protection officer"
            }
        };
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_session_that_is_refused_to_the_device_is_called_so() {
        let refused = |status, body: &str| ServerFault::refused(status, body.as_bytes());
        let device = r#"{"type":"urn:casevault:problem:session-refused","title":"t","status":401,"check":"CHK-140"}"#;
        assert_eq!(refused(401, device), ServerFault::UnknownDevice);
        for (status, body, title) in [
            (
                403,
                r#"{"type":"urn:casevault:problem:not-admitted","title":"this server does not take this agency","status":403}"#,
                "this server does not take this agency",
            ),
            (
                401,
                r#"{"type":"urn:casevault:problem:session-refused","title":"the challenge is too old","status":401}"#,
                "the challenge is too old",
            ),
            (401, r#"{"title":"log in to the proxy"}"#, "log in to the proxy"),
            (403, "<html>Forbidden</html>", "HTTP status 403"),
        ] {
            let expected = ServerFault::Refused {
                status,
                title: title.to_owned(),
            };
            assert_eq!(refused(status, body), expected, "{body}");
        }
    }
}
