//! One page of the manual: what clap knows of a command, and what holds for all of them.

use std::io;
use std::io::Write;

use clap::{Arg, ArgAction, Command};
use clap_mangen::Man;

use super::examples;

/// When the manual last changed in a way that its reader should know.
const CHANGED: &str = "2026-11-28";

/// Exit codes, as the end of the help has them.
const EXIT: [(&str, &str); 9] = [
    ("0", "Done."),
    (
        "1",
        "Failed: input, disk, or lines that cannot be taken. What to do is said on standard error.",
    ),
    ("2", "Asked for in a way that makes no sense; nothing was tried."),
    ("3", "Denied by policy or consent."),
    ("4", "Verification failed: something kept is not what was signed."),
    ("5", "Locked, wrong passphrase, or no key."),
    ("6", "A conflict that needs a person."),
    ("7", "The server is unreachable."),
    (
        "130",
        "A question was ended by Ctrl-C or a signal, and what it asked about was not done.",
    ),
];

const ENVIRONMENT: [(&str, &str); 8] = [
    ("CASEVAULT_HOME", "The vault's folder, as --home."),
    (
        "CASEVAULT_PASSPHRASE_FILE",
        "A file that holds the passphrase; its final line break is left out.",
    ),
    (
        "VISUAL, EDITOR",
        "The editor for notes. vim, nano, emacs, micro and VS Code are told to keep nothing on the disk.",
    ),
    (
        "PAGER",
        "What shows long results on a terminal; less if it is not set, none if it is empty.",
    ),
    (
        "NO_COLOR, CLICOLOR, CLICOLOR_FORCE",
        "No colours, no colours if 0, colours even in a pipe; --color goes before them.",
    ),
    ("TERM", "With dumb: no colours, no bars, no pager."),
    ("TZ", "The zone in which times are typed and shown."),
    (
        "XDG_DATA_HOME, XDG_RUNTIME_DIR",
        "Where the vault is without --home, and where the agent listens.",
    ),
];

const FILES: [(&str, &str); 5] = [
    ("~/.local/share/casevault/", "The vault: all of it sealed, 0700."),
    (
        "keystore",
        "The keys, sealed by the passphrase. A copy of the folder without it is worth nothing.",
    ),
    (
        "vault.db",
        "The records, the links and the access log, sealed, in one SQLite file.",
    ),
    ("attachments/", "The files of notes, sealed, in authenticated chunks."),
    (
        "$XDG_RUNTIME_DIR/casevault/",
        "The agent's socket (0600), while the vault is unlocked.",
    ),
];

/// Makes every page, with the name of its file.
///
/// # Errors
/// Only what writing into memory can fail with.
pub(super) fn all(command: Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    of(&command, None, &mut pages)?;
    Ok(pages)
}

fn of(command: &Command, above: Option<&str>, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    let name = name(command);
    pages.push((format!("{name}.1"), page(command, &name, above)?));
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        of(below, Some(&name), pages)?;
    }
    Ok(())
}

fn name(command: &Command) -> String {
    command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned()
}

fn page(command: &Command, name: &str, above: Option<&str>) -> io::Result<Vec<u8>> {
    let own = command.clone().after_help(None).after_long_help(None);
    let version = concat!("casevault ", env!("CARGO_PKG_VERSION"));
    // Not today's: the same program writes the same page on every day.
    let man = Man::new(own)
        .title(name.to_uppercase())
        .section("1")
        .date(CHANGED)
        .source(version)
        .manual("CaseVault");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    synopsis(&mut out, command)?;
    man.render_description_section(&mut out)?;
    if command.get_arguments().any(|arg| !arg.is_hide_set()) {
        man.render_options_section(&mut out)?;
    }
    let mut below: Vec<String> = Vec::new();
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        below.push(self::name(sub));
    }
    if !below.is_empty() {
        man.render_subcommands_section(&mut out)?;
    }
    // What the generator breaks twice, a stricter reader complains about.
    let mended = String::from_utf8_lossy(&out)
        .replace(".br\n.sp\n.br\n", ".sp\n")
        .replace(".br\n\n.br\n", ".sp\n");
    let mut out = mended.into_bytes();
    let examples = examples::of(name);
    if !examples.is_empty() {
        section(&mut out, "EXAMPLES", examples)?;
    }
    section(&mut out, "EXIT STATUS", &EXIT)?;
    section(&mut out, "ENVIRONMENT", &ENVIRONMENT)?;
    section(&mut out, "FILES", &FILES)?;
    let mut see: Vec<String> = above.map(str::to_owned).into_iter().chain(below).collect();
    if see.iter().all(|page| page != "casevault") && name != "casevault" {
        see.insert(0, "casevault".to_owned());
    }
    writeln!(out, ".SH \"SEE ALSO\"")?;
    let last = see.len().saturating_sub(1);
    for (at, page) in see.iter().enumerate() {
        writeln!(out, ".BR {} (1){}", text(page), if at == last { "" } else { "," })?;
    }
    Ok(out)
}

/// Writes how a command is typed: what it is given, what it must have, its own options in the order of its help, each with
/// its value; those of every command are named together. No option is broken over two lines.
fn synopsis(out: &mut Vec<u8>, command: &Command) -> io::Result<()> {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let mut words = vec![format!("\\fB{}\\fR", text(name))];
    let own = |arg: &&Arg| {
        let is_help = matches!(
            arg.get_action(),
            ArgAction::Help | ArgAction::HelpLong | ArgAction::HelpShort | ArgAction::Version
        );
        !arg.is_hide_set() && !arg.is_global_set() && !is_help
    };
    let (given, options): (Vec<&Arg>, Vec<&Arg>) =
        command.get_arguments().filter(own).partition(|arg| arg.is_positional());
    let (needed, left): (Vec<&Arg>, Vec<&Arg>) = options.into_iter().partition(|arg| arg.is_required_set());
    words.extend(given.into_iter().chain(needed).chain(left).map(usage));
    words.push("[\\fIOPTION\\fR]...".to_owned());
    if command.get_subcommands().any(|below| !below.is_hide_set()) {
        words.push(match command.is_subcommand_required_set() {
            true => "\\fICOMMAND\\fR".to_owned(),
            false => "[\\fICOMMAND\\fR]".to_owned(),
        });
    }
    writeln!(out, ".SH SYNOPSIS\n{}", words.join(" "))
}

/// Writes one argument: `CASE`, `[--kind KIND]`, `[--draft [DRAFT]]`.
fn usage(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let values: Vec<String> = names.iter().map(|name| format!("\\fI{}\\fR", text(name))).collect();
    let values = values.join("\\ ");
    let takes = arg.get_num_args().unwrap_or_default();
    let flag = match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => format!("\\fB\\-\\-{}\\fR", text(long)),
        (None, Some(short)) => format!("\\fB\\-{short}\\fR"),
        (None, None) => String::new(),
    };
    let whole = match (flag.is_empty(), takes.takes_values(), takes.min_values()) {
        (true, _, _) => values.clone(),
        (false, false, _) => flag,
        (false, true, 0) => format!("{flag}\\ [{values}]"),
        (false, true, _) => format!("{flag}\\ {values}"),
    };
    let many = match arg.get_action() {
        // A list in one word says so itself.
        ArgAction::Append if !values.contains('…') => "...",
        _ => "",
    };
    match arg.is_required_set() {
        true => format!("{whole}{many}"),
        false => format!("[{whole}]{many}"),
    }
}

/// Writes terms, each with what is said of it.
fn section(out: &mut Vec<u8>, title: &str, terms: &[(&str, &str)]) -> io::Result<()> {
    writeln!(out, ".SH \"{title}\"")?;
    for (term, words) in terms {
        writeln!(out, ".TP\n\\fB{}\\fR\n{}", text(term), text(words))?;
    }
    Ok(())
}

/// Escapes what roff would act on.
fn text(words: &str) -> String {
    let escaped = words
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('\'', "\\(aq")
        .replace('~', "\\(ti");
    match escaped.starts_with('.') {
        true => format!("\\&{escaped}"),
        false => escaped,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::{CommandFactory, Parser};

    #[test]
    fn each_command_has_a_page_with_all_its_sections() {
        let pages = all(Cli::command()).unwrap();
        assert!(pages.len() > 40);
        for (name, page) in &pages {
            let page = String::from_utf8(page.clone()).unwrap();
            for title in [
                "NAME",
                "SYNOPSIS",
                "DESCRIPTION",
                "EXAMPLES",
                "EXIT STATUS",
                "ENVIRONMENT",
                "FILES",
                "SEE ALSO",
            ] {
                let quoted = format!(".SH \"{title}\"\n");
                assert!(
                    page.contains(&format!(".SH {title}\n")) || page.contains(&quoted),
                    "{name} has no {title}"
                );
            }
            assert!(
                page.contains("CASEVAULT_PASSPHRASE_FILE") && page.contains("casevault "),
                "{name}"
            );
        }
    }

    #[test]
    fn a_synopsis_has_what_is_given_first_and_each_option_with_its_value() {
        let pages = all(Cli::command()).unwrap();
        let synopsis = |page: &str| {
            let (_, page) = pages.iter().find(|(name, _)| name == page).unwrap();
            let page = String::from_utf8(page.clone()).unwrap();
            let line = page.split(".SH SYNOPSIS\n").nth(1).unwrap().lines().next().unwrap();
            let plain = line.replace("\\fB", "").replace("\\fI", "").replace("\\fR", "");
            plain.replace("\\-", "-").replace("\\ ", " ")
        };
        let add = synopsis("casevault-note-add.1");
        assert!(
            add.starts_with("casevault note add [CASE] [--kind KIND] [--also CASE,…] [--attachments] [--at TIME]"),
            "{add}"
        );
        assert!(
            add.contains(" [--draft [DRAFT]] ") && add.ends_with(" [OPTION]..."),
            "{add}"
        );
        assert!(!add.contains("--home") && !add.contains("--help"), "{add}");
        assert!(
            synopsis("casevault-init.1")
                .starts_with("casevault init [--agency NAME] [--name NAME] [--kdf-memory SIZE]")
        );
        assert!(synopsis("casevault-member-invite.1").starts_with("casevault member invite --name NAME --role ROLE"));
        assert_eq!(synopsis("casevault-note.1"), "casevault note [OPTION]... COMMAND");
        assert_eq!(
            synopsis("casevault.1"),
            "casevault [--version] [--verbose] [OPTION]... [COMMAND]"
        );
    }

    #[test]
    fn every_example_is_a_command_line_that_is_taken() {
        let pages = all(Cli::command()).unwrap();
        for (name, _) in pages {
            for (_, line) in examples::of(name.trim_end_matches(".1")) {
                // What a shell makes of it: the part that runs casevault, quotes taken off.
                let Some(line) = line.split(" | ").find(|part| part.contains("casevault")) else {
                    panic!("{line}")
                };
                let line = line.split(" > ").next().unwrap_or(line);
                let words = words(line);
                let start = words.iter().position(|word| word == "casevault").unwrap();
                let parsed = Cli::try_parse_from(&words[start..]);
                if let Err(e) = parsed {
                    assert!(!e.use_stderr(), "{line}: {e}");
                }
            }
        }
    }

    fn words(line: &str) -> Vec<String> {
        let mut all = Vec::new();
        let mut rest = line.trim();
        while !rest.is_empty() {
            let (word, after) = match rest.strip_prefix('\'') {
                Some(quoted) => quoted.split_once('\'').unwrap_or((quoted, "")),
                None => rest.split_once(' ').unwrap_or((rest, "")),
            };
            all.push(word.to_owned());
            rest = after.trim_start();
        }
        all
    }
}
