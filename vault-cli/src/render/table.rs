//! Tables without borders, as wide as the terminal and no wider; as wide as they need in a pipe.
//!
//! A handle, a day or a number is never broken over two lines, because it is copied. Where a terminal is too narrow for
//! that, each row is written as a list of its cells, one a line: nothing is left out and nothing is cut. What has several
//! tables one below the other says itself in fewer lines what a row is.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr;
use vault_core::note::display::escape_line;

/// Cells that are no wider are kept whole: a day with its time has 16 columns.
const KEPT_WHOLE: usize = 16;

/// Columns that a text needs at least to be read in lines.
const READABLE: usize = 16;

/// Columns that the second line of a row stands further in.
const INDENT: usize = 4;

/// Columns between two cells.
const GAP: usize = 2;

/// Writes rows under their headings, each cell in one line of text.
pub fn table<const N: usize>(headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    within(terminal_width(), headings, rows)
}

/// Writes rows under their headings, or where the terminal is too narrow for them, each in lines of its own: the first at the
/// margin, the others and what is broken off further in.
pub fn table_or_lines<const N: usize>(
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    lines: impl IntoIterator<Item = [String; 2]>,
) -> String {
    within_or_lines(terminal_width(), headings, rows, lines)
}

fn within_or_lines<const N: usize>(
    columns: Option<usize>,
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    lines: impl IntoIterator<Item = [String; 2]>,
) -> String {
    let rows: Vec<[String; N]> = rows.into_iter().collect();
    match columns.filter(|columns| !fits(*columns, &headings, &rows)) {
        None => within(columns, headings, rows),
        Some(columns) => {
            let mut out = String::new();
            for row in lines {
                for (n, line) in row.iter().filter(|line| !line.is_empty()).enumerate() {
                    let line = escape_line(line);
                    let room = columns.saturating_sub(INDENT);
                    for (part, words) in broken(&line, room).iter().enumerate() {
                        let indent = if n + part == 0 { 0 } else { INDENT };
                        out.push_str(&format!("{}{words}\n", " ".repeat(indent)));
                    }
                }
            }
            out
        }
    }
}

/// Tells whether a table of these rows has room.
fn fits<const N: usize>(columns: usize, headings: &[&str; N], rows: &[[String; N]]) -> bool {
    let least = (0..N).map(|at| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        let heading = headings.get(at).map_or(0, |heading| heading.width());
        let cells = cells.map(|cell| match escape_line(cell) {
            text if text.width() > KEPT_WHOLE && text.trim().contains(' ') => READABLE,
            whole => whole.width(),
        });
        cells.max().unwrap_or_default().max(heading)
    });
    least.sum::<usize>() + GAP * N.saturating_sub(1) <= columns
}

/// Writes them in so many columns; without a number, in as many as they need.
fn within<const N: usize>(
    columns: Option<usize>,
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let rows: Vec<[String; N]> = rows
        .into_iter()
        .map(|row| row.map(|cell| escape_line(&cell).into_owned()))
        .collect();
    let mut widths = headings.map(UnicodeWidthStr::width);
    let mut is_text = [false; N];
    for row in &rows {
        for ((width, is_text), cell) in widths.iter_mut().zip(&mut is_text).zip(row) {
            *width = (*width).max(cell.width());
            *is_text |= cell.width() > KEPT_WHOLE && cell.trim().contains(' ');
        }
    }
    let gaps = GAP * N.saturating_sub(1);
    let whole = widths.iter().sum::<usize>() + gaps;
    let Some(columns) = columns.filter(|columns| *columns < whole) else {
        return written(headings, rows, None);
    };
    let least = |(width, is_text): (&usize, &bool)| if *is_text { READABLE.min(*width) } else { *width };
    let needed = widths.iter().zip(&is_text).map(least).sum::<usize>() + gaps;
    match needed <= columns {
        true => written(headings, rows, Some((columns, widths, is_text))),
        false => listed(headings, &rows, columns),
    }
}

/// As lines, in columns; in a width, texts are wrapped and all else is kept whole.
fn written<const N: usize>(
    headings: [&str; N],
    rows: Vec<[String; N]>,
    width: Option<(usize, [usize; N], [bool; N])>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(headings);
    if let Some((columns, widths, is_text)) = width {
        // The first column's padding is cut off below, and so is what trails.
        let columns = u16::try_from(columns + GAP).unwrap_or(u16::MAX);
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(columns);
        for ((column, width), is_text) in table.column_iter_mut().zip(widths).zip(is_text) {
            if !is_text {
                let padded = u16::try_from(width + GAP).unwrap_or(u16::MAX);
                column.set_constraint(ColumnConstraint::Absolute(comfy_table::Width::Fixed(padded)));
            }
        }
    }
    for row in rows {
        table.add_row(row);
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

/// As a list: each cell on a line of its own, after its heading; what is longer goes on below its beginning.
fn listed<const N: usize>(headings: [&str; N], rows: &[[String; N]], columns: usize) -> String {
    let widest = headings
        .map(UnicodeWidthStr::width)
        .into_iter()
        .max()
        .unwrap_or_default();
    let mut out = String::new();
    for row in rows {
        for (heading, cell) in headings.iter().zip(row) {
            // A day with its time is kept whole, as in a table.
            let room = if cell.width() > KEPT_WHOLE {
                columns.saturating_sub(widest + GAP)
            } else {
                usize::MAX
            };
            let lines = broken(cell, room);
            for (n, line) in lines.iter().enumerate() {
                let heading = if n == 0 { *heading } else { "" };
                let line = format!("{heading}{}{line}", " ".repeat(widest + GAP - heading.width()));
                out.push_str(line.trim_end());
                out.push('\n');
            }
        }
        out.push('\n');
    }
    out
}

/// Breaks a text at spaces into lines of so many columns; a word that is longer is left whole.
fn broken(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        if let Some(line) = lines.last_mut().filter(|line| line.is_empty()) {
            line.push_str(word);
            continue;
        }
        match lines
            .last_mut()
            .filter(|line| line.width() + 1 + word.width() <= columns)
        {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Returns the width of the terminal that standard output is, in columns.
fn terminal_width() -> Option<usize> {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    /// Wide letters, letters with marks above, and a name that runs from right to left.
    const NAMES: [&str; 4] = ["王小明", "Zoe\u{308} Bro\u{308}ntë", "مريم الهاشمي", "👩\u{200d}👧 Åse"];

    #[test]
    fn columns_line_up_whatever_the_script() {
        let rows = NAMES.map(|name| ["c-7fk2m9qd".to_owned(), name.to_owned(), "open".to_owned()]);
        let text = within(None, ["CASE", "LABEL", "STATUS"], rows);
        let at: Vec<usize> = text
            .lines()
            .skip(1)
            .map(|line| line.split("open").next().unwrap().width())
            .collect();
        assert!(at.iter().all(|column| column == &at[0]), "{at:?}\n{text}");
        for name in NAMES {
            assert!(text.contains(name), "{name}: {text}");
        }
    }

    #[test]
    fn a_narrow_terminal_breaks_texts_alone_and_a_narrower_one_gets_a_list() {
        let rows = || {
            [[
                "n-19qd3m0x".to_owned(),
                "2026-03-12 14:05".to_owned(),
                "home-visit".to_owned(),
                "The kitchen was cold: 13 degrees at noon, and nobody came to mend it.".to_owned(),
            ]]
        };
        let headings = ["NOTE", "OCCURRED", "KIND", "NOTE BEGINS"];
        let text = within(Some(60), headings, rows());
        assert!(
            text.contains("n-19qd3m0x  2026-03-12 14:05  home-visit  The kitchen"),
            "{text}"
        );
        assert!(
            text.lines().count() > 3 && text.lines().all(|line| line.width() <= 60),
            "{text}"
        );
        let text = within(Some(50), headings, rows());
        let list = "NOTE         n-19qd3m0x\nOCCURRED     2026-03-12 14:05\nKIND         home-visit\n\
                    NOTE BEGINS  The kitchen was cold: 13 degrees at\n             noon, and nobody came to mend it.\n\n";
        assert_eq!(text, list);
    }

    proptest! {
        /// However narrow: no letter is lost, handles stay whole, and no line of a table is wider than the terminal.
        #[test]
        fn nothing_is_lost_at_any_width(columns in 1_usize..140, texts in prop::collection::vec("[a-z]{1,12}( [a-z]{1,12}){0,9}|[王小明 ]{1,30}", 1..6)) {
            let rows = texts.iter().map(|text| ["c-7fk2m9qd".to_owned(), text.clone(), "2026-03-12 14:05".to_owned()]);
            let table = within(Some(columns), ["CASE", "LABEL", "OPENED"], rows);
            let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<Vec<_>>();
            let letters = |text: &str| { let mut all = squeezed(text); all.sort_unstable(); all };
            let shown = letters(&table);
            for text in &texts {
                for letter in squeezed(text) {
                    let count = |of: &[char]| of.iter().filter(|c| **c == letter).count();
                    prop_assert!(count(&shown) >= count(&squeezed(text)), "{table}");
                }
            }
            prop_assert_eq!(table.matches("c-7fk2m9qd").count(), texts.len(), "{}", table);
            prop_assert_eq!(table.matches("2026-03-12 14:05").count(), texts.len(), "{}", table);
            if !table.contains("\n\n") {
                prop_assert!(table.lines().all(|line| line.width() <= columns), "{table}");
            }
        }
    }

    #[test]
    fn a_list_in_the_place_of_a_table_goes_on_below_its_words() {
        let row = [
            "n-f397xchb:1".to_owned(),
            "Ring the landlord about the boiler".to_owned(),
        ];
        let text = within(Some(26), ["STEP", "WHAT"], [row]);
        assert_eq!(
            text,
            "STEP  n-f397xchb:1\nWHAT  Ring the landlord\n      about the boiler\n\n"
        );
        assert!(text.lines().all(|line| line.width() <= 26));
    }
}
