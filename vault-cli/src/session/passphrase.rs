//! A passphrase on its way from the person to the key derivation: wiped when dropped, never printed or compared.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A passphrase as typed: UTF-8, without its final line break; core brings it into Unicode NFC.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Passphrase(String);

impl Passphrase {
    /// Takes the text, less one line break (`\n` or `\r\n`) at its end.
    pub fn new(mut text: String) -> Self {
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        Self(text)
    }

    /// Tells whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the text.
    ///
    /// # Security
    /// For the key derivation, and for telling whether two tries are the same, alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn one_final_line_break_is_stripped_and_nothing_else() {
        for (typed, kept) in [
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            (" a ", " a "),
            ("a\r", "a\r"),
        ] {
            assert_eq!(Passphrase::new(typed.into()).expose(), kept);
        }
        assert_eq!(format!("{:?}", Passphrase::new("secret".into())), "Passphrase(…)");
    }
}
