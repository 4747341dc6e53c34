//! A card as words: 11 bits each, out of the English list of BIP-39.
//!
//! `english.txt` is that list (<https://github.com/bitcoin/bips/blob/master/bip-0039/english.txt>), taken from the crate
//! `bip39` 2.2.2, which is under CC0-1.0; SHA-256 `2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda`. No
//! two of its words begin with the same four letters, so the first four letters of a word are enough. Only the list is
//! taken: what the words say, and their check, are this project's own.

use crate::check::Check;
use crate::check::Refused;
use crate::context::Label;
use crate::crypto::hash::hash;
use crate::wire;
use crate::wire::v1::recovery::RecoveryCard;
use std::sync::LazyLock;
use zeroize::Zeroizing;

/// Bytes of a card's check.
const CHECK_BYTES: usize = 4;
/// Bits of a word.
const BITS: usize = 11;
/// Letters by which a word is known.
const LETTERS: usize = 4;

static LIST: LazyLock<Vec<&'static str>> = LazyLock::new(|| include_str!("english.txt").lines().collect());

/// Why words are not a card.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// A word is not in the list.
    #[error("word {at} is not one of the list's words{}", near.map_or_else(String::new, |w| format!("; perhaps `{w}`")))]
    Unknown {
        /// The word's place, from 1.
        at: usize,
        /// The only word of the list that differs from it in one letter.
        near: Option<&'static str>,
    },
    /// There are too few words or too many.
    #[error("there are {found} words, and a card has 40 (or 64, of a key from before there were seeds)")]
    Count {
        /// How many.
        found: usize,
    },
    /// All are words of the list, and their check does not hold.
    #[error("the words do not fit together: {}", suspects(at))]
    Check {
        /// The places of words any one of which, changed alone, would make the check hold; from 1.
        at: Vec<usize>,
    },
    /// The check holds, and the card says what no card can.
    #[error("the card's numbers are not those of a card")]
    Numbers,
    /// The check holds, and the card is of a form that is not known here.
    #[error("the card is of a form that this version does not know")]
    Form,
}

impl WordsError {
    /// Returns the check that it stands for.
    pub fn check(&self) -> Check {
        match self {
            Self::Form => Check::UnknownFormat,
            _ => Check::CardWords,
        }
    }
}

fn suspects(at: &[usize]) -> String {
    match at {
        [] => "more than one of them is wrong".to_owned(),
        [one] => format!("look at word {one}"),
        some => {
            let places: Vec<String> = some.iter().map(ToString::to_string).collect();
            format!("look at words {}", places.join(", "))
        }
    }
}

/// Writes a card as words.
///
/// # Errors
/// [`Check::TooLong`], never in practice.
pub fn encode(card: &RecoveryCard) -> Result<Zeroizing<Vec<String>>, Refused> {
    let mut bytes = Zeroizing::new(wire::encode(card)?);
    let check = check_of(&bytes);
    bytes.extend_from_slice(&check);
    let count = (bytes.len() * 8).div_ceil(BITS);
    let mut words = Zeroizing::new(Vec::with_capacity(count));
    for at in 0..count {
        let index = (at * BITS..(at + 1) * BITS).fold(0, |index, bit| index << 1 | usize::from(bit_of(&bytes, bit)));
        words.push((*LIST.get(index).ok_or(Check::CardWords)?).to_owned());
    }
    Ok(words)
}

/// Finds the words in a text: lines that begin with `#` are left out, and so is whatever is not a letter, numbers of
/// rows and punctuation included. Case means nothing.
pub fn find(text: &str) -> Zeroizing<Vec<String>> {
    let kept = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let words = kept.flat_map(|line| line.split(|c: char| !c.is_alphabetic()));
    Zeroizing::new(words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect())
}

/// Reads a card from its words; the first four letters of each are enough.
///
/// # Errors
/// [`WordsError`], which names the place of a wrong word where that can be told.
pub fn decode(words: &[String]) -> Result<RecoveryCard, WordsError> {
    let mut indices = Zeroizing::new(Vec::with_capacity(words.len()));
    for (at, word) in words.iter().enumerate() {
        let index = index_of(word).ok_or_else(|| WordsError::Unknown {
            at: at + 1,
            near: near(word),
        })?;
        indices.push(index);
    }
    if ![40, 64].contains(&words.len()) {
        return Err(WordsError::Count { found: words.len() });
    }
    match bytes_of(&indices) {
        Some(bytes) => super::decode(&bytes).map_err(|refused| match refused.check {
            Check::CardWords => WordsError::Numbers,
            _ => WordsError::Form,
        }),
        None => Err(WordsError::Check { at: mended(&indices) }),
    }
}

/// The card's bytes, if their check holds.
fn bytes_of(indices: &[usize]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0u8; indices.len() * BITS / 8]);
    for (at, index) in indices.iter().enumerate() {
        for bit in 0..BITS {
            let (place, set) = (at * BITS + bit, index >> (BITS - 1 - bit) & 1 == 1);
            if let (Some(byte), true) = (bytes.get_mut(place / 8), set) {
                *byte |= 0x80 >> (place % 8);
            }
        }
    }
    let (card, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_BYTES)?)?;
    if check_of(card) != check {
        return None;
    }
    let card = card.to_vec();
    Some(Zeroizing::new(card))
}

/// The places where one other word would make the check hold: of 32 bits, so that there is hardly ever a false one.
fn mended(indices: &[usize]) -> Vec<usize> {
    let mut tried = Zeroizing::new(indices.to_vec());
    let mut places = Vec::new();
    for at in 0..tried.len() {
        let was = tried.get(at).copied().unwrap_or_default();
        let fits = (0..LIST.len()).any(|index| {
            if let Some(slot) = tried.get_mut(at) {
                *slot = index;
            }
            bytes_of(&tried).is_some()
        });
        if let Some(slot) = tried.get_mut(at) {
            *slot = was;
        }
        if fits {
            places.push(at + 1);
        }
    }
    places
}

fn check_of(card: &[u8]) -> [u8; CHECK_BYTES] {
    crate::crypto::aead::part(&hash(Label::RecoveryCard, &[card]), 0)
}

fn bit_of(bytes: &[u8], bit: usize) -> bool {
    bytes.get(bit / 8).is_some_and(|byte| byte >> (7 - bit % 8) & 1 == 1)
}

/// A word of the list, whole or by its first four letters.
fn index_of(word: &str) -> Option<usize> {
    if let Ok(index) = LIST.binary_search(&word) {
        return Some(index);
    }
    if word.chars().count() != LETTERS {
        return None;
    }
    LIST.iter()
        .position(|known| known.len() > LETTERS && known.starts_with(word))
}

/// The one word of the list that a single letter changed, left out or put in makes of `word`.
fn near(word: &str) -> Option<&'static str> {
    let typed: Vec<char> = word.chars().collect();
    let mut fitting = LIST
        .iter()
        .filter(|known| is_one_off(&typed, &known.chars().collect::<Vec<_>>()));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

fn is_one_off(a: &[char], b: &[char]) -> bool {
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let rest = |list: &[char], skip: usize| list.get(same + skip..).unwrap_or_default().to_vec();
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Equal => rest(a, 1) == rest(b, 1),
        std::cmp::Ordering::Less => rest(a, 0) == rest(b, 1),
        std::cmp::Ordering::Greater => rest(a, 1) == rest(b, 0),
    }
}
