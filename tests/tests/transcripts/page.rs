//! A page: its commands with what they print, and the files that it writes out.

use std::path::Path;

/// What a page has to be run.
pub(crate) enum Part {
    /// A command, and what it prints.
    Command {
        /// The line of its `$`, from 1.
        line: usize,
        /// What is typed.
        text: String,
        /// What stands under it, up to the next command.
        expected: String,
    },
    /// A file that the commands below it read.
    File {
        /// Its name.
        name: String,
        /// What it holds.
        text: String,
    },
}

/// A page and its parts, from top to bottom.
pub(crate) struct Page {
    lines: Vec<String>,
    pub(crate) parts: Vec<Part>,
}

impl Page {
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a page is text");
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut parts = Vec::new();
        let mut at = 0;
        while at < lines.len() {
            let Some(fence) = lines[at].strip_prefix("```") else {
                at += 1;
                continue;
            };
            let end = (at + 1..lines.len())
                .find(|i| lines[*i] == "```")
                .expect("a fence is closed");
            let block = &lines[at + 1..end];
            if fence == "console" {
                parts.extend(commands(block, at + 2));
            } else if let Some((_, name)) = fence.split_once(" file=") {
                parts.push(Part::File {
                    name: name.to_owned(),
                    text: block.iter().map(|line| format!("{line}\n")).collect(),
                });
            }
            at = end + 1;
        }
        Self { lines, parts }
    }

    /// Puts what was printed in place of what stands under the commands at those lines.
    pub(crate) fn bless(&mut self, printed: &[(usize, String)]) {
        for (line, output) in printed.iter().rev() {
            let from = *line + continued(&self.lines[*line..]);
            let below = self.lines[from..].iter();
            let to = from
                + below
                    .take_while(|line| !line.starts_with("$ ") && *line != "```")
                    .count();
            self.lines.splice(from..to, output.lines().map(str::to_owned));
        }
    }

    pub(crate) fn write(&self, path: &Path) {
        std::fs::write(path, self.lines.join("\n") + "\n").expect("a page is written");
    }
}

fn commands(block: &[String], first: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    while at < block.len() {
        let line = first + at;
        let typed = block[at]
            .strip_prefix("$ ")
            .unwrap_or_else(|| panic!("line {line} is under no command"));
        let more = continued(&block[at + 1..]);
        let rest = block[at + 1..][..more].iter().map(|line| &line[2..]);
        let text = std::iter::once(typed).chain(rest).collect::<Vec<_>>().join("\n");
        at += 1 + more;
        let below = block[at..].iter().take_while(|line| !line.starts_with("$ ")).count();
        let expected = block[at..at + below].join("\n");
        at += below;
        parts.push(Part::Command { line, text, expected });
    }
    parts
}

/// Counts the lines that go on with a command.
fn continued(below: &[String]) -> usize {
    below.iter().take_while(|line| line.starts_with("> ")).count()
}
