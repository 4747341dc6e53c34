//! Ids: 16 random bytes with a prefixed text form, and the hashes that name things.
//!
//! An id in text is its prefix, `-`, and 26 characters of Crockford base 32; a *handle* is cut to 8 of them
//! (`docs/format.md` §1).

use data_encoding::Encoding;
use data_encoding::Specification;
use std::fmt;
use std::sync::LazyLock;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// Characters of an id in a handle.
pub const HANDLE_CHARS: usize = 8;
/// Characters of a whole id.
pub const ID_CHARS: usize = 26;

static CROCKFORD: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
    // The alphabet is fixed and valid; an empty-alphabet fallback would only ever encode nothing.
    spec.encoding().unwrap_or(data_encoding::BASE32_NOPAD)
});

/// Returns `bytes` in lower-case Crockford base 32.
pub fn crockford(bytes: &[u8]) -> String {
    CROCKFORD.encode(bytes)
}

/// Reads lower-case Crockford base 32 in its one form.
pub(crate) fn uncrockford(text: &str) -> Option<Vec<u8>> {
    CROCKFORD.decode(text.as_bytes()).ok()
}

/// A text that is not an id or handle of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The prefix is another kind's.
    #[error("`{text}` does not begin with `{prefix}-`")]
    Prefix {
        /// What was given.
        text: String,
        /// The prefix that belongs there.
        prefix: &'static str,
    },
    /// A character outside the alphabet, or a length that no id has.
    #[error("`{0}` is not an id: 1 to 26 characters of 0-9 and a-z without i, l, o, u")]
    Characters(String),
}

/// The range of ids that a handle or longer prefix of an id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdRange {
    /// The lowest id.
    pub low: [u8; 16],
    /// The highest id.
    pub high: [u8; 16],
}

/// Reads a prefix of an id's characters into the range of ids that it stands for.
fn range(text: &str, chars: &str) -> Result<IdRange, IdError> {
    let wrong = || IdError::Characters(text.to_owned());
    if chars.is_empty() || chars.len() > ID_CHARS {
        return Err(wrong());
    }
    let fill = |last: char| -> Result<[u8; 16], IdError> {
        // 26 characters are 130 bits: the last character carries three bits of the id and two zero bits.
        let end = if last == '0' { '0' } else { 'w' };
        let mut full: String = chars.to_ascii_lowercase().replace('o', "0").replace(['i', 'l'], "1");
        while full.len() < ID_CHARS - 1 {
            full.push(last);
        }
        if full.len() < ID_CHARS {
            full.push(end);
        }
        let bytes = CROCKFORD.decode(full.as_bytes()).map_err(|_| wrong())?;
        <[u8; 16]>::try_from(bytes.as_slice()).map_err(|_| wrong())
    };
    Ok(IdRange {
        low: fill('0')?,
        high: fill('z')?,
    })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// The prefix of its text form.
            pub const PREFIX: &'static str = $prefix;

            /// Returns prefix, `-`, and the first 8 characters.
            pub fn handle(&self) -> String {
                let mut text = self.to_string();
                text.truncate(Self::PREFIX.len() + 1 + HANDLE_CHARS);
                text
            }

            /// Reads a handle, or any longer or shorter prefix of an id, into the range of ids that it stands for.
            ///
            /// # Errors
            /// [`IdError`] if it is none.
            pub fn range(text: &str) -> Result<IdRange, IdError> {
                let chars = text
                    .strip_prefix(concat!($prefix, "-"))
                    .ok_or_else(|| IdError::Prefix { text: text.to_owned(), prefix: $prefix })?;
                range(text, chars)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let whole = Self::range(text)?;
                if whole.low != whole.high { return Err(IdError::Characters(text.to_owned())); }
                Ok(Self(whole.low))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "-{}"), crockford(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )+};
}

ids! {
    /// A case, and its stream.
    CaseId, "c";
    /// A record; the primary record's id is its note's handle.
    RecordId, "n";
    /// A person of the agency.
    MemberId, "m";
    /// A device of a member.
    DeviceId, "d";
    /// A grant.
    GrantId, "g";
    /// A jot or a draft: what is written and not yet part of a file.
    JotId, "j";
}

macro_rules! hashes {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The all-zero value that stands for "none" where the format says so.
            pub const ZERO: Self = Self([0; 32]);
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )+};
}

hashes! {
    /// The agency: the hash of its first root document.
    AgencyId;
    /// A root document of any version.
    RootHash;
    /// A record's ciphertext.
    CiphertextHash;
    /// A record: header and ciphertext hash.
    RecordHash;
    /// A link.
    LinkId;
    /// A record key's wrap.
    WrapHash;
    /// An age file that carries keys.
    KeyringHash;
    /// A sealed access entry, manifest or release list.
    BodyHash;
    /// A policy set.
    PolicyHash;
}

impl AgencyId {
    /// Returns `a-` and the text of the first 16 bytes.
    pub fn text(&self) -> String {
        format!("a-{}", crockford(self.0.get(..16).unwrap_or_default()))
    }

    /// Returns the id of the agency's own stream, its first 16 bytes.
    pub fn stream_id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(self.0) {
            *to = from;
        }
        id
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_has_26_characters_and_its_handle_8() {
        let id = CaseId([0xff; 16]);
        assert_eq!(id.to_string(), "c-zzzzzzzzzzzzzzzzzzzzzzzzzw");
        assert_eq!(id.handle(), "c-zzzzzzzz");
    }

    #[test]
    fn a_wrong_prefix_or_character_is_named() {
        assert!(matches!(CaseId::range("n-7fk2"), Err(IdError::Prefix { .. })));
        assert!(matches!(CaseId::range("c-7fu2"), Err(IdError::Characters(_))));
        assert!(matches!(CaseId::range("c-"), Err(IdError::Characters(_))));
        assert!(matches!("c-7fk2".parse::<CaseId>(), Err(IdError::Characters(_))));
    }

    proptest! {
        #[test]
        fn text_round_trips_and_every_prefix_covers_its_id(bytes: [u8; 16], cut in 1usize..26) {
            let id = RecordId(bytes);
            prop_assert_eq!(id.to_string().parse::<RecordId>().unwrap(), id);
            let mut text = id.to_string();
            text.truncate(2 + cut);
            let range = RecordId::range(&text).unwrap();
            prop_assert!(range.low <= bytes && bytes <= range.high);
        }
    }
}
