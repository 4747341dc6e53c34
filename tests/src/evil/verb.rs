//! The verbs: each takes a request and gives another answer than the honest one.

use super::ghost::Ghost;
use super::lie::AppendLie;
use super::lie::LogLie;
use super::lie::PageLie;
use super::means::Asked;
use super::means::Means;
use super::message::Message;
use crate::witness;
use data_encoding::BASE64;
use data_encoding::HEXLOWER;
use std::fmt;
use vault_core::crypto::sign::SigningKey;
use vault_core::id::AgencyId;
use vault_core::parcel::OpenParcel;
use vault_core::secret::SigningSeed;
use vault_core::tlog::entry::Entry;
use vault_core::tlog::tile::Tile;
use vault_core::wire;
use vault_core::wire::v1::agency::Verifier;
use vault_core::wire::v1::follow::CosignedNote;
use vault_core::wire::v1::follow::CosignedNotes;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::sync::AppendReply;
use vault_core::wire::v1::sync::AppendRequest;
use vault_core::wire::v1::sync::StreamPage;

/// An answer as it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers beside those that HTTP needs.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How the body is sent.
    pub pace: Pace,
}

/// How a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At once.
    Whole,
    /// The body, and then the connection is cut before it is said to be over.
    Cut,
    /// In pieces of a byte, with a pause before each.
    Slow {
        /// Milliseconds before each.
        pause: u64,
    },
    /// Nothing, ever.
    Never,
    /// The body, and then zeros.
    Zeros {
        /// How many.
        bytes: u64,
    },
}

impl Answer {
    /// Makes one that goes out at once.
    pub fn of(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
            pace: Pace::Whole,
        }
    }
}

/// Whose key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The agency's log.
    Log,
    /// The attacker.
    Attacker,
}

/// What is done with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// One bit of the answer, counted from its first, modulo its length; -1 is the highest of the last byte.
    Flip(i64),
    /// Another message's answer.
    Swap(Message),
    /// What the server has for another agency.
    Splice,
    /// Another log than there is.
    Log(LogLie),
    /// A leaf for the next link of the client's case, which there is not: `drop(filter)` of its parcel.
    Phantom,
    /// Another outcome of an append.
    Append(AppendLie),
    /// Another page of links.
    Page(PageLie),
    /// A link that the server made itself: its leaf, its stream's length, and the link.
    Ghost(Ghost),
    /// Nothing is handed on and nothing answered.
    Drop,
    /// Handed on twice; the second answer goes out.
    Dup,
    /// Bytes behind the answer.
    Inject(Vec<u8>),
    /// Bytes for the answer.
    Instead(Vec<u8>),
    /// The attacker's key for the log's, as the key that is asked for.
    SubstituteKey,
    /// A checkpoint that is said to be signed by one key, and is signed by the other.
    SubstituteSignature {
        /// Whether the attacker's key is said to have signed, and the log's has; or the reverse.
        named: Whose,
    },
    /// The log key under the name of another agency's.
    SubstituteName,
    /// The clock of the answer's `Date`, so many seconds off.
    LieClock(i64),
    /// The first bytes of the answer.
    Truncate(usize),
    /// A byte at a time.
    Slow {
        /// Milliseconds before each.
        pause: u64,
    },
    /// Handed on, and then no answer.
    KillAfterCommit,
    /// Another status.
    Status(u16),
    /// Sends the client to where another message is answered, with a 307.
    Redirect(Message),
    /// A tree's size in a checkpoint that the log key signs.
    Size(u64),
    /// So many zeros behind the answer.
    Zeros(u64),
    /// A witness's cosignature of so many seconds ago, over a log with these entries.
    Cosigned {
        /// Seconds.
        ago: u64,
        /// The entries.
        over: Vec<Entry>,
    },
    /// The same over the log that there is, changed by a lie.
    CosignedLog {
        /// Seconds.
        ago: u64,
        /// The lie.
        lie: LogLie,
    },
    /// The real cosignature, said to be of another time than was signed.
    CosignedAtAnotherTime,
    /// Not handed on and never answered, with the connection open.
    Never,
}

impl Verb {
    /// Answers.
    ///
    /// # Panics
    /// Where the verb does not apply to the message.
    pub fn answer(&self, means: &Means, message: Message, asked: &Asked) -> Answer {
        // Honest beside another lie, which may show another log.
        let honest = || from_shown(means, message, asked);
        match self {
            Self::Flip(bit) => {
                let mut answer = honest();
                let bits = answer.body.len() as i64 * 8;
                let bit = bit.checked_rem_euclid(bits).expect("an answer that has bits");
                *answer.body.get_mut((bit / 8) as usize).expect("a bit of it") ^= 1 << (bit % 8);
                answer
            }
            Self::Swap(with) => means.forward(&instead(means, asked, *with)),
            Self::Splice => {
                let (victim, _) = means.victim();
                means.forward(&Asked {
                    path: asked.path.replace(&hex(victim), &hex(means.another())),
                    ..asked.clone()
                })
            }
            Self::Log(lie) => {
                let log = means.log_of(lie.applied(&means.honest()));
                means.show(Some(log));
                from_shown(means, message, asked)
            }
            Self::Phantom => {
                let mut entries = means.honest();
                entries.push(means.next_of_case());
                means.show(Some(means.log_of(entries)));
                from_shown(means, message, asked)
            }
            Self::Append(lie) => append(means, *lie, asked),
            Self::Page(lie) => {
                let page: StreamPage = wire::decode(&honest().body, limit::APPEND).expect("a page");
                let page = wire::encode(&lie.applied(page));
                Answer::of(200, page.expect("a page is encoded"))
            }
            Self::Ghost(ghost) => ghost.answer(means, message, asked),
            Self::Drop => cut(Vec::new()),
            Self::Dup => {
                honest();
                honest()
            }
            Self::Inject(bytes) => {
                let mut answer = honest();
                answer.body.extend_from_slice(bytes);
                answer
            }
            Self::Instead(bytes) => Answer::of(200, bytes.clone()),
            Self::SubstituteKey => {
                let mut verifier = honest_key(means, asked);
                verifier.key = attackers_key().public();
                Answer::of(200, wire::encode(&verifier).expect("a key is encoded"))
            }
            Self::SubstituteSignature { named } => {
                let (log, key) = (means.log_of(means.honest()), means.victim().1);
                let note = match named {
                    Whose::Log => log.checkpoint_by(&attackers_key(), &key.public()),
                    Whose::Attacker => log.checkpoint_by(&key, &attackers_key().public()),
                };
                Answer::of(200, note)
            }
            Self::SubstituteName => {
                let mut verifier = honest_key(means, asked);
                verifier.name = format!("casevault/{}", "0".repeat(64)).into_bytes();
                Answer::of(200, wire::encode(&verifier).expect("a key is encoded"))
            }
            Self::LieClock(off) => {
                let mut answer = honest();
                let now = jiff::Timestamp::now();
                let wrong = now.checked_add(jiff::SignedDuration::from_secs(*off));
                let date = wrong.expect("a time").strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
                answer.headers.push(("date".to_owned(), date));
                answer
            }
            Self::Truncate(most) => {
                let mut answer = honest();
                assert!(*most < answer.body.len(), "nothing is cut off");
                answer.body.truncate(*most);
                answer
            }
            Self::Slow { pause } => Answer {
                pace: Pace::Slow { pause: *pause },
                ..honest()
            },
            Self::KillAfterCommit => {
                honest();
                cut(Vec::new())
            }
            Self::Status(status) => Answer {
                headers: vec![("retry-after".to_owned(), "31536000".to_owned())],
                ..Answer::of(*status, Vec::new())
            },
            Self::Redirect(to) => Answer {
                headers: vec![("location".to_owned(), instead(means, asked, *to).path)],
                ..Answer::of(307, Vec::new())
            },
            Self::Size(size) => {
                let log = means.log_of(means.honest());
                let root = vault_core::tlog::tree::Hash([0x51; 32]);
                Answer::of(200, log.signed(*size, root))
            }
            Self::Zeros(bytes) => Answer {
                pace: Pace::Zeros { bytes: *bytes },
                ..honest()
            },
            Self::Cosigned { ago, over } => cosigned(means, *ago, over.clone()),
            Self::CosignedLog { ago, lie } => cosigned(means, *ago, lie.applied(&means.honest())),
            Self::CosignedAtAnotherTime => {
                let answer = cosigned(means, 60, means.honest());
                let mut notes: CosignedNotes = wire::decode(&answer.body, limit::COSIGNED).expect("notes");
                for one in &mut notes.notes {
                    one.note = at_another_time(&one.note);
                }
                Answer::of(200, wire::encode(&notes).expect("notes are encoded"))
            }
            Self::Never => Answer {
                pace: Pace::Never,
                ..Answer::of(200, Vec::new())
            },
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flip(bit) => write!(f, "flip(bit {bit})"),
            Self::Swap(with) => write!(f, "swap(with {with})"),
            Self::Splice => f.write_str("splice(another agency)"),
            Self::Log(lie) => lie.fmt(f),
            Self::Phantom => f.write_str("drop(the link of a leaf)"),
            Self::Append(lie) => lie.fmt(f),
            Self::Page(lie) => lie.fmt(f),
            Self::Ghost(ghost) => ghost.fmt(f),
            Self::Drop => f.write_str("drop"),
            Self::Dup => f.write_str("dup"),
            Self::Inject(bytes) => write!(f, "inject({} bytes behind)", bytes.len()),
            Self::Instead(bytes) => write!(f, "inject({} bytes instead)", bytes.len()),
            Self::SubstituteKey => f.write_str("substitute_key(the attacker's)"),
            Self::SubstituteSignature { named: Whose::Log } => f.write_str("substitute_key(the attacker signs)"),
            Self::SubstituteSignature { named: Whose::Attacker } => f.write_str("substitute_key(nobody signs)"),
            Self::SubstituteName => f.write_str("substitute_key(of another name)"),
            Self::LieClock(off) => write!(f, "lie_clock({off} s)"),
            Self::Truncate(most) => write!(f, "truncate({most} bytes)"),
            Self::Slow { pause } => write!(f, "slow({pause} ms a byte)"),
            Self::KillAfterCommit => f.write_str("kill_after_commit"),
            Self::Status(status) => write!(f, "set_param(status, {status})"),
            Self::Redirect(to) => write!(f, "set_param(location, {to})"),
            Self::Size(size) => write!(f, "set_param(size, {size})"),
            Self::Zeros(bytes) => write!(f, "set_param(length, {bytes})"),
            Self::Cosigned { ago, over } => write!(f, "replay(a cosignature of {ago} s ago, {} leaves)", over.len()),
            Self::CosignedLog { ago, lie } => write!(f, "replay(a cosignature of {ago} s ago over {lie})"),
            Self::CosignedAtAnotherTime => f.write_str("set_param(time of a cosignature)"),
            Self::Never => f.write_str("hold(for ever)"),
        }
    }
}

/// Answers a request about the log out of the one that is shown, or out of the real one.
pub(super) fn from_shown(means: &Means, message: Message, asked: &Asked) -> Answer {
    let tile = |path: &str| {
        let at = path.find("/tile/")?;
        let path = path.get(at + 1..)?.replace("tile/entries/", "tile/0/");
        path.parse::<Tile>().ok()
    };
    let found = means.shown(|log| match message {
        Message::Checkpoint => Some(log.checkpoint()),
        Message::Entries => log.bundle(tile(&asked.path)?),
        Message::Tile => log.tile(tile(&asked.path)?),
        _ => None,
    });
    match found {
        Some(Some(bytes)) => Answer::of(200, bytes),
        Some(None) if message.is_of_log() => Answer::of(404, Vec::new()),
        Some(None) | None => means.forward(asked),
    }
}

/// What the test's witness cosigned so long ago.
fn cosigned(means: &Means, ago: u64, entries: Vec<Entry>) -> Answer {
    let (_, log) = means.victim();
    let note = means.log_of(entries).checkpoint();
    let note = witness::cosigned(&note, &log.public(), witness::now().saturating_sub(ago)).into_bytes();
    let notes = vec![CosignedNote { note }];
    Answer::of(200, wire::encode(&CosignedNotes { notes }).expect("notes are encoded"))
}

/// Another time in the last line of a note, which is a cosignature.
fn at_another_time(note: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(note.to_vec()).expect("a note is text");
    let (before, line) = text.trim_end().rsplit_once(' ').expect("a line of signature");
    let mut bytes = BASE64.decode(line.as_bytes()).expect("a signature");
    // Behind the four bytes of the key's id.
    *bytes.get_mut(11).expect("a time") ^= 1;
    format!("{before} {}\n", BASE64.encode(&bytes)).into_bytes()
}

fn hex(agency: AgencyId) -> String {
    HEXLOWER.encode(&agency.0)
}

fn cut(body: Vec<u8>) -> Answer {
    Answer {
        pace: Pace::Cut,
        ..Answer::of(200, body)
    }
}

/// The key that the attacker has no right to.
pub(super) fn attackers_key() -> SigningKey {
    SigningKey::from_seed(&SigningSeed::from_bytes([0xa7; 32]))
}

/// What the server has for the agency.
fn honest_key(means: &Means, asked: &Asked) -> Verifier {
    wire::decode(&means.forward(asked).body, 4 << 10).expect("the real server's key")
}

/// The request for another message, as near as may be to the one that came.
fn instead(means: &Means, asked: &Asked, with: Message) -> Asked {
    let named = asked.path.split('/').find(|part| part.len() == 64);
    let agency = named.map_or_else(|| hex(means.victim().0), str::to_owned);
    let (method, path) = match with {
        Message::LogKey => ("PUT", format!("/v1/agencies/{agency}")),
        Message::Challenge => ("POST", "/v1/sessions/challenge".to_owned()),
        Message::Checkpoint => ("GET", format!("/v1/log/{agency}/checkpoint")),
        Message::Entries => ("GET", asked.path.replace("/tile/0/", "/tile/entries/")),
        Message::Tile => ("GET", asked.path.replace("/tile/entries/", "/tile/0/")),
        Message::Streams => ("GET", "/v1/streams".to_owned()),
        Message::Cosigned => ("GET", format!("/v1/log/{agency}/cosigned")),
        Message::Session | Message::Append | Message::Page | Message::Cosign | Message::Other => {
            unreachable!("its answer depends on what is sent")
        }
    };
    Asked {
        method: method.to_owned(),
        path,
        body: Vec::new(),
        authorization: asked.authorization.clone(),
    }
}

/// Answers an append that is not handed on.
fn append(means: &Means, lie: AppendLie, asked: &Asked) -> Answer {
    let request: AppendRequest = wire::decode(&asked.body, limit::APPEND).expect("a client's append");
    let own: Vec<Entry> = request.parcels.into_iter().map(entry_of).collect();
    let (outcomes, entries) = lie.answered(&means.honest(), &own);
    let log = means.log_of(entries);
    let reply = AppendReply {
        outcomes,
        checkpoint: log.checkpoint(),
    };
    means.show(Some(log));
    Answer::of(200, wire::encode(&reply).expect("an answer is encoded"))
}

fn entry_of(parcel: vault_core::wire::v1::sync::Parcel) -> Entry {
    let opened = OpenParcel::open(parcel).expect("a client's parcel");
    let link = opened.link();
    Entry::of(link.link().stream, link.link().seq, link.id())
}
