//! An enrolment sheet as text: rows of base 32 with a check each, for typing, and the same without spaces for scanning.
//!
//! ```text
//! 01: 04h0 …  (eight groups of four: 20 bytes)  xy   <- two characters that check the row and its number
//! ```
//! A wrong letter is found in its row, a row that is missing or out of order by its number, and all else by the check of
//! 4 bytes at the end of the sheet.

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::aead;
use crate::crypto::hash::hash;
use crate::id::crockford;
use crate::id::uncrockford;
use crate::wire;
use crate::wire::v1::enrolment::EnrolmentSheet;
use crate::wire::v1::limit;
use zeroize::Zeroizing;

/// Bytes of the sheet's check.
const CHECK_BYTES: usize = 4;
/// Bytes of a row, but for the last.
const ROW_BYTES: usize = 20;
/// Characters of a row's check.
const ROW_CHECK: usize = 2;
/// Characters of a whole row.
const ROW_CHARS: usize = ROW_BYTES * 8 / 5 + ROW_CHECK;
/// Characters of a group.
const GROUP: usize = 4;
/// What stands before the rows where they are scanned.
const SCANNED: &str = "CASEVAULT1";

/// Why a text is not a sheet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// There are no rows in it.
    #[error("there is no row of an enrolment sheet in it")]
    Empty,
    /// A row is not as it was written.
    #[error("row {at} is not as it was printed: look at its letters")]
    Row {
        /// Its number, from 1.
        at: usize,
    },
    /// A row has too few or too many characters.
    #[error("row {at} has {found} characters, and {expected} belong there")]
    Length {
        /// Its number, from 1.
        at: usize,
        /// How many there are.
        found: usize,
        /// How many belong there.
        expected: usize,
    },
    /// A row is missing, or not in its place.
    #[error("row {at} is missing, or not in its place")]
    Missing {
        /// Its number, from 1.
        at: usize,
    },
    /// All rows are right, and the sheet is not whole.
    #[error("the rows do not make a whole sheet: the last ones are missing")]
    Check,
    /// The sheet is of a form that is not known here.
    #[error("the sheet is of a form that this version does not know")]
    Form,
}

impl SheetError {
    /// Returns the check that it stands for.
    pub fn check(&self) -> Check {
        match self {
            Self::Form => Check::UnknownFormat,
            _ => Check::EnrolmentSheet,
        }
    }
}

/// Writes a sheet as rows, each with its number and in groups.
///
/// # Errors
/// [`Check::TooLong`], [`Check::EnrolmentSheet`], never in practice.
pub fn rows(sheet: &EnrolmentSheet) -> Result<Zeroizing<Vec<String>>, Refused> {
    let rows = checked(sheet)?;
    let mut told = Zeroizing::new(Vec::with_capacity(rows.len()));
    for (at, row) in rows.iter().enumerate() {
        let (text, check) = row
            .split_at_checked(row.len() - ROW_CHECK)
            .ok_or(Check::EnrolmentSheet)?;
        let mut line = format!("{:02}:", at + 1);
        for (place, letter) in text.chars().enumerate() {
            if place % GROUP == 0 {
                line.push(' ');
            }
            line.push(letter);
        }
        line.push_str("  ");
        line.push_str(check);
        told.push(line);
    }
    Ok(told)
}

/// Writes a sheet as one line of capital letters and digits, which a QR code holds best.
///
/// # Errors
/// As [`rows`].
pub fn scanned(sheet: &EnrolmentSheet) -> Result<Zeroizing<String>, Refused> {
    let rows = checked(sheet)?;
    Ok(Zeroizing::new(format!("{SCANNED}:{}", rows.concat().to_uppercase())))
}

/// Reads a sheet out of a text: rows as they were printed, or the line that was scanned. Lines that begin with `#` are left
/// out, case means nothing, and `o`, `i` and `l` are the digits that they look like.
///
/// # Errors
/// [`SheetError`], with the row where it can be told.
pub fn read(text: &str) -> Result<EnrolmentSheet, SheetError> {
    let kept = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let mut rows: Zeroizing<Vec<String>> = Zeroizing::new(Vec::new());
    for line in kept.filter(|line| line.contains(':')) {
        let (mark, letters) = line.split_once(':').unwrap_or_default();
        let letters = Zeroizing::new(cleaned(letters));
        if mark.trim().eq_ignore_ascii_case(SCANNED) {
            let chars: Vec<char> = letters.chars().collect();
            rows.extend(chars.chunks(ROW_CHARS).map(|row| row.iter().collect()));
            continue;
        }
        match mark.trim().parse::<usize>() {
            Ok(number) if number == rows.len() + 1 => rows.push(letters.to_string()),
            Ok(_) => return Err(SheetError::Missing { at: rows.len() + 1 }),
            Err(_) => {}
        }
    }
    if rows.is_empty() {
        return Err(SheetError::Empty);
    }
    let mut bytes = Zeroizing::new(Vec::new());
    for (at, row) in rows.iter().enumerate() {
        let is_last = at + 1 == rows.len();
        if row.len() != ROW_CHARS && !(is_last && (ROW_CHECK + 1..ROW_CHARS).contains(&row.len())) {
            return Err(SheetError::Length {
                at: at + 1,
                found: row.len(),
                expected: ROW_CHARS,
            });
        }
        bytes.extend_from_slice(&row_bytes(at, row).ok_or(SheetError::Row { at: at + 1 })?);
    }
    let (sheet, check) = bytes
        .len()
        .checked_sub(CHECK_BYTES)
        .and_then(|at| bytes.split_at_checked(at))
        .ok_or(SheetError::Check)?;
    if check_of(sheet) != check {
        return Err(SheetError::Check);
    }
    wire::decode(sheet, limit::SHEET).map_err(|_| SheetError::Form)
}

/// The rows without spaces.
fn checked(sheet: &EnrolmentSheet) -> Result<Zeroizing<Vec<String>>, Refused> {
    let mut bytes = Zeroizing::new(wire::encode(sheet)?);
    require(bytes.len() <= limit::SHEET, Check::TooLong)?;
    let check = check_of(&bytes);
    bytes.extend_from_slice(&check);
    let rows = bytes.chunks(ROW_BYTES).enumerate();
    Ok(Zeroizing::new(
        rows.map(|(at, row)| format!("{}{}", crockford(row), row_check(at, row)))
            .collect(),
    ))
}

fn row_bytes(at: usize, row: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (text, check) = row.split_at_checked(row.len().checked_sub(ROW_CHECK)?)?;
    let bytes = Zeroizing::new(uncrockford(text)?);
    (row_check(at, &bytes) == check).then_some(bytes)
}

/// Ten bits over a row and its number.
fn row_check(at: usize, row: &[u8]) -> String {
    let number = u8::try_from(at + 1).unwrap_or(u8::MAX);
    let mut text = crockford(&hash(Label::EnrolmentRow, &[&[number], row]));
    text.truncate(ROW_CHECK);
    text
}

fn check_of(sheet: &[u8]) -> [u8; CHECK_BYTES] {
    aead::part(&hash(Label::EnrolmentCheck, &[sheet]), 0)
}

/// Letters as the alphabet has them, without what stands between them.
fn cleaned(text: &str) -> String {
    let letters = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
    letters
        .map(|letter| match letter.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        })
        .collect()
}
