//! Tables without borders, as wide as the terminal and no wider; as wide as they need in a pipe.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use vault_core::note::display::escape_line;

/// Columns that each cell of many words has at least, with the space around it.
const ROOM: usize = 9;

/// The longest word that is kept in one line, in characters.
const WHOLE: usize = 14;

/// Writes rows under their headings, each cell in one line of text.
pub fn table<const N: usize>(headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    table_within(terminal_width(), headings, rows)
}

fn table_within<const N: usize>(
    width: Option<u16>,
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    // What can be copied (handles, dates) is not broken over two lines.
    let mut whole = headings.map(|heading| (heading.len(), true));
    table.set_header(headings);
    for row in rows {
        for (column, cell) in whole.iter_mut().zip(&row) {
            let length = cell.chars().count();
            *column = (column.0.max(length), column.1 && length <= WHOLE && !cell.contains(' '));
        }
        table.add_row(row.map(|cell| escape_line(&cell).into_owned()));
    }
    if let Some(width) = width {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
        let kept: usize = whole
            .iter()
            .filter(|(_, whole)| *whole)
            .map(|(length, _)| length + 2)
            .sum();
        // The others need some room too.
        if kept + ROOM * whole.iter().filter(|(_, whole)| !whole).count() <= usize::from(width) {
            let columns = table.column_iter_mut().zip(whole);
            for (column, _) in columns.filter(|(_, (_, whole))| *whole) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
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
    fn in_sixty_columns_a_handle_stays_whole_and_no_line_is_longer() {
        let step = [
            "n-19qd3m0x:12",
            "2026-03-16",
            "-1,452",
            "[danger] Elin Farrow",
            "me",
            "Ring the landlord about it.",
        ];
        let text = table_within(
            Some(60),
            ["STEP", "DUE", "DAYS", "CASE", "OWNER", "WHAT"],
            [step.map(str::to_owned)],
        );
        assert!(text.contains("n-19qd3m0x:12") && text.contains("2026-03-16"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
        // Where there is no room at all, everything gives way.
        let text = table_within(
            Some(40),
            ["A", "B", "C"],
            [["abcdefghijklmn", "abcdefghijklmn", "abcdefghijklmn"].map(str::to_owned)],
        );
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
    }

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
