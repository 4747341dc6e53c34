//! Tables without borders, as wide as the terminal and no wider; as wide as they need in a pipe.

use comfy_table::{ContentArrangement, Table, presets};
use vault_core::note::display::escape_line;

/// Writes rows under their headings, each cell in one line of text.
pub fn table<const N: usize>(headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some(width) = terminal_width() {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    table.set_header(headings);
    for row in rows {
        table.add_row(row.map(|cell| escape_line(&cell).into_owned()));
    }
    let mut out = String::new();
    for line in table.lines() {
        // Each cell is padded by a space on both sides; the first column starts at the margin.
        let line = line.trim_end();
        out.push_str(line.strip_prefix(' ').unwrap_or(line));
        out.push('\n');
    }
    out
}

/// Returns the width of the terminal that standard output is, in columns.
fn terminal_width() -> Option<u16> {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .map(|size| size.ws_col)
        .filter(|columns| *columns >= 40)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn cells_line_up_and_hold_one_line_each() {
        let text = table(
            ["A", "B"],
            [
                ["one".to_owned(), "x\ny\u{1b}".to_owned()],
                ["seventeen".to_owned(), String::new()],
            ],
        );
        assert_eq!(text, "A          B\none        x\\ny\\u{1b}\nseventeen\n");
    }
}
