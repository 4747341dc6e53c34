//! The lines of an import, some at a time: so much of them is in memory, and no more, however long the file or a line is.

use super::plan::LINE_BYTES;
use std::io;
use std::io::BufRead;

/// Most lines that are read at a time.
const LINES: usize = 4096;

/// About so many bytes are read at a time, and at most one line more.
const BYTES: usize = 8 << 20;

/// Some lines, each with its number in the file; blank ones are left out.
#[derive(Default)]
pub(super) struct Chunk {
    text: Vec<u8>,
    // Where each ends, and its number.
    ends: Vec<(usize, u64)>,
    /// How many bytes of the file they were.
    pub(super) bytes: u64,
}

impl Chunk {
    /// The lines with their numbers.
    pub(super) fn lines(&self) -> Vec<(u64, &[u8])> {
        let starts = [0].into_iter().chain(self.ends.iter().map(|(end, _)| *end));
        let lines = starts.zip(&self.ends);
        lines
            .map(|(start, (end, number))| (*number, self.text.get(start..*end).unwrap_or_default()))
            .collect()
    }

    /// The lines as they stand one after the other.
    pub(super) fn text(&self) -> Vec<u8> {
        self.lines()
            .into_iter()
            .flat_map(|(_, line)| [line, b"\n"].concat())
            .collect()
    }
}

/// Reads lines on, and counts them.
pub(super) struct Lines<'r> {
    from: &'r mut dyn BufRead,
    number: u64,
}

impl<'r> Lines<'r> {
    pub(super) fn of(from: &'r mut dyn BufRead) -> Self {
        Self { from, number: 0 }
    }

    /// Reads the next lines; none at the end. Of a line that is too long to be taken only so much is kept as tells that.
    pub(super) fn next(&mut self) -> io::Result<Option<Chunk>> {
        let mut chunk = Chunk::default();
        let mut has_ended = false;
        while !has_ended && chunk.ends.len() < LINES && chunk.text.len() < BYTES {
            let start = chunk.text.len();
            loop {
                let read = match self.from.fill_buf() {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    read => read?,
                };
                if read.is_empty() {
                    has_ended = true;
                    break;
                }
                let line_end = memchr::memchr(b'\n', read);
                let of_line = read.get(..line_end.unwrap_or(read.len())).unwrap_or_default();
                let room = (LINE_BYTES + 1).saturating_sub(chunk.text.len() - start);
                chunk.text.extend_from_slice(of_line.get(..room).unwrap_or(of_line));
                let used = of_line.len() + usize::from(line_end.is_some());
                chunk.bytes += used as u64;
                self.from.consume(used);
                if line_end.is_some() {
                    break;
                }
            }
            self.number += 1;
            let is_blank = chunk
                .text
                .get(start..)
                .is_none_or(|line| line.iter().all(u8::is_ascii_whitespace));
            match is_blank {
                true => chunk.text.truncate(start),
                false => chunk.ends.push((chunk.text.len(), self.number)),
            }
        }
        Ok((chunk.bytes > 0 || !chunk.ends.is_empty()).then_some(chunk))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_with_their_numbers_and_one_that_is_too_long_is_cut() {
        let long = "x".repeat(LINE_BYTES + 70_000);
        let text = format!("one\n\n \ntwo\r\n{long}\nlast");
        let mut from = std::io::BufReader::with_capacity(7, text.as_bytes());
        let mut lines = Lines::of(&mut from);
        let mut found = Vec::new();
        let mut bytes = 0;
        while let Some(chunk) = lines.next().unwrap() {
            bytes += chunk.bytes;
            found.extend(chunk.lines().into_iter().map(|(number, line)| (number, line.to_vec())));
        }
        let numbers: Vec<u64> = found.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 4, 5, 6]);
        assert_eq!(
            (&found[0].1[..], &found[1].1[..], &found[3].1[..]),
            (&b"one"[..], &b"two\r"[..], &b"last"[..])
        );
        assert_eq!((found[2].1.len(), bytes), (LINE_BYTES + 1, text.len() as u64));
    }

    #[test]
    fn there_are_no_more_at_a_time_than_fit() {
        let text = "x\n".repeat(LINES + 1);
        let mut from = text.as_bytes();
        let mut lines = Lines::of(&mut from);
        assert_eq!(lines.next().unwrap().unwrap().lines().len(), LINES);
        assert_eq!(lines.next().unwrap().unwrap().lines(), [(LINES as u64 + 1, &b"x"[..])]);
        assert!(lines.next().unwrap().is_none());
    }
}
