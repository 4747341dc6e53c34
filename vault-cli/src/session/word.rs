//! Words that the program has as constants, when they come from another process of it.

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de::Error;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;

/// A word out of the program's own text. An alias, so that serde does not take it for something to borrow.
pub(super) type Word = &'static str;

/// Longest word, in bytes.
const LONGEST: usize = 512;
/// Most words that a process takes from others.
const MOST: usize = 1024;

static KNOWN: Mutex<BTreeSet<Word>> = Mutex::new(BTreeSet::new());

pub(super) fn serialize<S: Serializer>(word: &Word, serializer: S) -> Result<S::Ok, S::Error> {
    word.serialize(serializer)
}

/// Takes a word as a constant: each once, and not without bound, because what was taken stays.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    let word = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(word) = known.get(word.as_ref()) {
        return Ok(word);
    }
    if word.len() > LONGEST || known.len() >= MOST {
        return Err(D::Error::custom("more words than there are"));
    }
    let kept: Word = Box::leak(word.into_owned().into_boxed_str());
    known.insert(kept);
    Ok(kept)
}
