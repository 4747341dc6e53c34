//! Canonical bytes: the TLS presentation language (RFC 8446 §3), decoded with a limit and no tolerance.
//!
//! Structures live in [`v1`], one file a noun, and are the only types that derive an encoding. A vector of bytes is a
//! `Vec<u8>` there and never the codec's `VLBytes`, which panics in a debug build when its length lies.

pub mod v1;

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use tls_codec::DeserializeBytes;
use tls_codec::Serialize;
use zeroize::Zeroizing;

/// A structure of the format: what [`encode`] and [`decode`] take.
pub trait Structure: Serialize + DeserializeBytes {}

impl<T: Serialize + DeserializeBytes> Structure for T {}

/// Returns the canonical bytes of `value`.
///
/// # Errors
/// [`Check::TooLong`] if a vector is longer than its length field can say.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Refused> {
    value.tls_serialize_detached().map_err(|_| Refused::by(Check::TooLong))
}

/// Decodes `bytes` that are at most `limit` long, wholly, and only if they are the canonical bytes of what they say.
///
/// # Errors
/// [`Check::TooLong`] before anything is allocated; [`Check::UnknownFormat`] for an unknown enumeration value;
/// [`Check::NotCanonical`] for anything else.
pub fn decode<T: DeserializeBytes + Serialize>(bytes: &[u8], limit: usize) -> Result<T, Refused> {
    require(bytes.len() <= limit, Check::TooLong)?;
    let value = T::tls_deserialize_exact_bytes(bytes).map_err(|error| match error {
        tls_codec::Error::UnknownValue(_) => Refused::by(Check::UnknownFormat),
        _ => Refused::by(Check::NotCanonical),
    })?;
    require(encode(&value)? == bytes, Check::NotCanonical)?;
    Ok(value)
}

/// Refuses a vector that is not strictly ascending by its items' canonical bytes.
///
/// # Errors
/// [`Check::NotCanonical`].
pub fn require_set<T: Serialize>(items: &[T]) -> Result<(), Refused> {
    let mut last: Option<Vec<u8>> = None;
    for item in items {
        let bytes = encode(item)?;
        require(last.as_ref().is_none_or(|l| *l < bytes), Check::NotCanonical)?;
        last = Some(bytes);
    }
    Ok(())
}

/// Sorts `items` by their canonical bytes and drops repetitions, as the format's sets are written.
///
/// # Errors
/// [`Check::TooLong`] as [`encode`].
pub fn sort_set<T: Serialize>(items: Vec<T>) -> Result<Vec<T>, Refused> {
    let mut keyed = items
        .into_iter()
        // Some sets are of keys.
        .map(|i| Ok((Zeroizing::new(encode(&i)?), i)))
        .collect::<Result<Vec<_>, Refused>>()?;
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    keyed.dedup_by(|a, b| a.0 == b.0);
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}
