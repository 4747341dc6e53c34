//! Frames on the socket: a kind, a length, bytes. A length over the limit is refused before anything is allocated.
//!
//! ```text
//! kind (1 byte) ‖ length (4 bytes, big endian, at most 1 MiB) ‖ bytes
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::io::Read;
use std::io::Write;

/// Most bytes of one frame.
pub(super) const FRAME_BYTES: usize = 1 << 20;
/// Most bytes of a frame of an input: several wait for every stream.
pub(super) const INPUT_BYTES: usize = 1 << 16;
/// Most bytes of an ask, over all its frames: a note of 4 MiB, each byte of it escaped.
pub(super) const ASK_BYTES: usize = 32 << 20;
/// Most bytes of a reply, over all its frames.
pub(super) const REPLY_BYTES: usize = 1 << 30;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)+) => {
        /// What a frame is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Kind {
            $($(#[$doc])* $name = $number),+
        }

        impl Kind {
            fn of(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

kinds! {
    /// To the agent, first: which protocol and version.
    Hello = 1;
    /// To the agent: what is asked, or its last part.
    Ask = 2;
    /// To the agent: a part of what is asked.
    AskPart = 3;
    /// To the agent: bytes of an input.
    Input = 4;
    /// To the agent: the input has ended.
    InputEnd = 5;
    /// To the agent: stop what was asked.
    Cancel = 6;
    /// To the agent: lock and end. Understood by every version.
    Lock = 7;
    /// To the agent: how long it holds the vault open. Understood by every version.
    Status = 8;
    /// To a new agent, by its pipe and by no socket: the passphrase, and for how long to hold the vault open.
    Unlock = 9;
    /// To the agent, after an ask that says so: the descriptor of a plain file goes with it.
    File = 10;
    /// From the agent: how far it is.
    Progress = 32;
    /// From the agent: bytes of a result.
    Output = 33;
    /// From the agent: a part of a reply.
    ReplyPart = 34;
    /// From the agent: the reply, or its last part.
    Reply = 35;
    /// From the agent: why it refuses.
    Refused = 36;
    /// From the agent: it is of another version; nothing was done.
    OtherVersion = 37;
}

/// Which program speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub(super) struct Hello {
    pub(super) program: String,
    pub(super) protocol: u16,
    pub(super) version: String,
}

impl Hello {
    pub(super) fn own() -> Self {
        Self {
            program: "casevault".to_owned(),
            protocol: super::PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Writes one frame.
pub(super) fn write(out: &mut impl Write, kind: Kind, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= FRAME_BYTES);
    let length = length.ok_or_else(|| io::Error::other("a frame longer than its limit"))?;
    let [a, b, c, d] = length.to_be_bytes();
    let head = [kind as u8, a, b, c, d];
    if bytes.len() <= 4096 {
        // In one call: a reader is woken once.
        let mut whole = Vec::with_capacity(head.len() + bytes.len());
        whole.extend_from_slice(&head);
        whole.extend_from_slice(bytes);
        return out.write_all(&whole);
    }
    out.write_all(&head)?;
    out.write_all(bytes)
}

/// Writes bytes as as many frames as they need: `part` for all but the last, which is `last`.
pub(super) fn write_parts(out: &mut impl Write, part: Kind, last: Kind, bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while let Some((first, more)) = rest.split_at_checked(FRAME_BYTES).filter(|(_, more)| !more.is_empty()) {
        write(out, part, first)?;
        rest = more;
    }
    write(out, last, rest)
}

/// Reads one frame; nothing where the peer ended before one began.
pub(super) fn read(from: &mut impl Read) -> io::Result<Option<(Kind, Vec<u8>)>> {
    let mut first = [0];
    loop {
        match from.read(&mut first) {
            Ok(0) => return Ok(None),
            Ok(_) => break,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let [number] = first;
    let kind = Kind::of(number).ok_or_else(|| invalid("a frame of no known kind"))?;
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    let limit = if kind == Kind::Input { INPUT_BYTES } else { FRAME_BYTES };
    if length > limit {
        return Err(invalid("a frame longer than its limit"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    Ok(Some((kind, bytes)))
}

/// Adds a part to a message, up to `limit` bytes in all.
pub(super) fn join(whole: &mut Vec<u8>, part: &[u8], limit: usize) -> io::Result<()> {
    if whole.len().saturating_add(part.len()) > limit {
        return Err(invalid("a message longer than its limit"));
    }
    whole.extend_from_slice(part);
    Ok(())
}

pub(super) fn to_json<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(io::Error::other)
}

pub(super) fn from_json<T: DeserializeOwned>(json: &[u8]) -> io::Result<T> {
    // What a peer sent is not told on: it may be a note.
    serde_json::from_slice(json).map_err(|e| invalid(&format!("JSON that is not understood at byte {}", e.column())))
}

pub(super) fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_message_comes_in_parts_and_goes_together_again() {
        for length in [0, 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES] {
            let bytes: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let mut sent = Vec::new();
            write_parts(&mut sent, Kind::ReplyPart, Kind::Reply, &bytes).unwrap();
            let (mut from, mut whole) = (sent.as_slice(), Vec::new());
            loop {
                let (kind, part) = read(&mut from).unwrap().unwrap();
                join(&mut whole, &part, REPLY_BYTES).unwrap();
                if kind == Kind::Reply {
                    break;
                }
                assert_eq!(kind, Kind::ReplyPart);
            }
            assert!(whole == bytes, "{length}");
            assert!(read(&mut from).unwrap().is_none());
        }
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_its_bytes_come() {
        let mut claimed = vec![Kind::Ask as u8];
        claimed.extend_from_slice(&u32::MAX.to_be_bytes());
        let refused = read(&mut claimed.as_slice()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
        let mut whole = vec![0; 10];
        assert!(join(&mut whole, &[0; 7], 16).is_err());
        for (length, is_taken) in [(INPUT_BYTES, true), (INPUT_BYTES + 1, false)] {
            let mut sent = Vec::new();
            write(&mut sent, Kind::Input, &vec![0; length]).unwrap();
            assert_eq!(read(&mut sent.as_slice()).is_ok(), is_taken);
        }
        assert!(write(&mut Vec::new(), Kind::Ask, &vec![0; FRAME_BYTES + 1]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_frame_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut from = bytes.as_slice();
            while let Ok(Some((_, part))) = read(&mut from) {
                prop_assert!(part.len() <= bytes.len());
            }
        }
    }
}
