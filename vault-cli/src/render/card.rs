//! A recovery card, as words for typing and as a page for printing.

use crate::session::reply::{CardWords, CardsReply};
use std::fmt::Write;
use vault_core::recovery::grouped;
use zeroize::Zeroizing;

/// Words in a row.
const ROW: usize = 4;

/// What a card says of itself.
fn lines(set: &CardsReply, card: &CardWords) -> [String; 4] {
    [
        format!(
            "Card {} of {}; any {} of them, with a backup, restore the vault",
            card.number, set.shares, set.threshold
        ),
        format!("Agency {}", set.agency),
        format!("Set {}, recovery key {}", grouped(&set.set), set.version),
        "Keep it as you would keep a will, apart from the other cards and from the backup".to_owned(),
    ]
}

/// Writes a card as text: its words in numbered rows, and above them, behind `#`, what it is.
pub fn text(set: &CardsReply, card: &CardWords) -> Zeroizing<String> {
    // Room for all of it, so that no copy is left behind by growing.
    let mut out = Zeroizing::new(String::with_capacity(8 << 10));
    out.push_str("# CaseVault recovery card. PRINT IT AND WIPE THIS FILE.\n");
    for line in lines(set, card) {
        let _ = writeln!(out, "# {line}");
    }
    out.push('\n');
    for (row, words) in card.words.chunks(ROW).enumerate() {
        let _ = write!(out, "{:2}.", row * ROW + 1);
        for word in words {
            let _ = write!(out, "  {word:<9}");
        }
        let end = out.trim_end().len();
        out.truncate(end);
        out.push('\n');
    }
    out
}

/// Writes a card as a page of its own, to be printed.
pub fn page(set: &CardsReply, card: &CardWords) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(16 << 10));
    out.push_str(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>CaseVault recovery card</title>\n<style>\n\
         body { font: 12pt/1.5 serif; margin: 2cm; }\n\
         table { border-collapse: collapse; font: 13pt/1.6 monospace; }\n\
         td { border: 1px solid #999; padding: 2pt 10pt; }\n\
         td.n { color: #666; text-align: right; }\n\
         @media print { .screen { display: none; } }\n\
         </style></head><body>\n\
         <p class=\"screen\"><strong>Print this page and wipe its file.</strong></p>\n\
         <h1>CaseVault recovery card</h1>\n",
    );
    for line in lines(set, card) {
        let _ = writeln!(out, "<p>{line}.</p>");
    }
    out.push_str("<table>\n");
    for (row, words) in card.words.chunks(ROW).enumerate() {
        let _ = write!(out, "<tr><td class=\"n\">{}</td>", row * ROW + 1);
        for word in words {
            let _ = write!(out, "<td>{word}</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str(
        "</table>\n<p>To use it: type the words into a file, row by row; the first four letters of each are enough. Then \
         <code>casevault recovery check --cards FILE</code>, and with enough cards \
         <code>casevault recovery restore --cards FILE,FILE --backup FILE</code>.</p>\n</body></html>\n",
    );
    out
}
