//! The command line as clap reads it. Its doc comments are the manual.

use std::path::PathBuf;

use clap::{Args, Parser};
use vault_core::crypto::passphrase::Cost;

use crate::commands::Command;
use crate::ui::Colour;

pub mod advice;
pub mod alone;
pub mod later;
pub mod value;

/// Encrypted records vault for social case work
///
/// Keeps case notes sealed on this machine. Every note is signed by whoever wrote it, every reading is logged before
/// anything is shown, and nothing that is written down is ever overwritten.
///
/// Results go to standard output, questions, progress and hints to standard error. Names, note text, search terms and
/// reasons are never taken from the command line, because other programs can read it: they come from a file, from
/// standard input (`-`), or from a question on the terminal. Without a terminal nothing is asked.
#[derive(Debug, Parser)]
#[command(
    name = "casevault",
    bin_name = "casevault",
    disable_version_flag = true,
    max_term_width = 100,
    after_help = AFTER,
    after_long_help = AFTER_LONG
)]
pub struct Cli {
    /// Prints the program's version; with `--verbose`, also those of the formats and of the store
    #[arg(short = 'V', long)]
    pub version: bool,

    /// Says more: with `--version`, all three version numbers
    #[arg(long, requires = "version")]
    pub verbose: bool,

    /// Flags that every command takes.
    #[command(flatten)]
    pub everywhere: Everywhere,

    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const AFTER: &str = "A handle such as `c-7fk2m9qd` may be cut short as long as it fits only one thing.";

const AFTER_LONG: &str = "\
A handle such as `c-7fk2m9qd` may be cut short as long as it fits only one thing.

Exit codes:
  0  done
  1  failed
  2  asked for in a way that makes no sense
  3  denied by policy or consent
  4  verification failed
  5  locked, wrong passphrase, or no key
  6  a conflict that needs a person
  7  the server is unreachable
  130  a question was ended by Ctrl-C or a signal, and what it asked about was not done

Environment:
  CASEVAULT_HOME             the vault's folder, as `--home`
  CASEVAULT_PASSPHRASE_FILE  a file that holds the passphrase; its final line break is left out
  VISUAL, EDITOR             the editor for notes
  PAGER                      what shows long results on a terminal [default: less]; empty for none
  NO_COLOR                   if set, no colours
  CLICOLOR_FORCE             if set, colours in a pipe too";

/// Flags that every command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Everywhere")]
pub struct Everywhere {
    /// The vault's folder [default: the XDG place, `~/.local/share/casevault`]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "CASEVAULT_HOME",
        hide_env_values = true
    )]
    pub home: Option<PathBuf>,

    /// Reads the passphrase from an open file descriptor, such as `3` or `0`; its final line break is left out
    #[arg(long, global = true, value_name = "N")]
    pub passphrase_fd: Option<u32>,

    /// Prints the result as one JSON object, and errors as JSON on standard error
    #[arg(long, global = true)]
    pub json: bool,

    /// When to colour; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are heeded with `auto`
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,

    /// Prints long results at once, where a terminal would be shown them by PAGER, or less
    #[arg(long, global = true)]
    pub no_pager: bool,

    /// Unlocks for this command alone, even where an agent holds the vault open
    #[arg(long, global = true)]
    pub no_agent: bool,
}

/// What a new keystore costs whoever tries passphrases.
#[derive(Args, Clone, Copy, Debug)]
pub struct Kdf {
    /// How much memory each try of a passphrase costs, from 64MiB to 2GiB
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = value::memory_kib)]
    pub kdf_memory: u32,

    /// How many passes over that memory, from 3 to 10
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(3..=10))]
    pub kdf_passes: u32,

    /// In how many lanes, from 1 to 16
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub kdf_lanes: u32,
}

impl Kdf {
    /// Returns the cost.
    pub fn cost(&self) -> Cost {
        Cost {
            memory_kib: self.kdf_memory,
            passes: self.kdf_passes,
            lanes: self.kdf_lanes,
        }
    }
}

/// Why one reads; without these flags, the purpose is the one that goes with the relation to the case.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Why you read (logged)")]
pub struct Purpose {
    /// The code of the purpose.
    #[arg(long, value_name = "CODE", value_parser = value::code, help = purposes())]
    pub purpose: Option<String>,

    /// The reason in words, at most 240 bytes, from a file or from standard input
    #[arg(long, value_name = "FILE|-")]
    pub reason_file: Option<crate::input::Source>,
}

/// Says which purposes there are, out of the one list of them.
fn purposes() -> String {
    let all = crate::session::PURPOSES.map(|code| format!("`{code}`"));
    format!("The purpose's code: {}", all.join(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    /// Writes the long help of a command and of all below it, at a fixed width.
    fn manual(command: clap::Command, out: &mut String) {
        let mut command = command.term_width(100);
        let page = command.render_long_help().to_string();
        out.push_str(&format!(
            "==== {}\n{page}\n",
            command.get_bin_name().unwrap_or_default()
        ));
        let subcommands: Vec<_> = command.get_subcommands().cloned().collect();
        for subcommand in subcommands.into_iter().filter(|c| c.get_name() != "help") {
            manual(subcommand, out);
        }
    }

    /// `cli/help.txt` is the whole manual. To take over a change that is meant: `CASEVAULT_BLESS=1 cargo test -p vault-cli`.
    #[test]
    fn the_whole_help_is_the_one_that_was_agreed() {
        let mut root = Cli::command();
        root.build();
        let mut text = String::new();
        manual(root, &mut text);
        let text: Vec<&str> = text.lines().map(str::trim_end).collect();
        let text = text.join("\n") + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/help.txt");
        if std::env::var_os("CASEVAULT_BLESS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let agreed = std::fs::read_to_string(path).unwrap_or_default();
        let changed = text.lines().zip(agreed.lines()).find(|(is, was)| is != was);
        assert!(text == agreed, "the help changed, first here: {changed:?}");
    }

    #[test]
    fn flags_for_every_command_go_anywhere() {
        for line in [
            ["casevault", "--json", "case", "list"],
            ["casevault", "case", "--json", "list"],
            ["casevault", "case", "list", "--json"],
        ] {
            assert!(Cli::try_parse_from(line).unwrap().everywhere.json, "{line:?}");
        }
    }

    #[test]
    fn what_is_mistyped_is_suggested() {
        let error = Cli::try_parse_from(["casevault", "not"]).unwrap_err().to_string();
        assert!(error.contains("note"), "{error}");
    }

    #[test]
    fn a_handle_of_another_kind_is_a_usage_error() {
        let error = Cli::try_parse_from(["casevault", "note", "show", "c-7fk2"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("does not begin with `n-`"), "{error}");
        assert!(
            error.to_string().contains("`casevault note list CASE` shows"),
            "{error}"
        );
    }
}
