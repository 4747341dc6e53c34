//! What to use instead, for who types the word of another tool: a wrong command, a wrong flag, a text where none is taken.

use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Commands by the words of other tools: noun (empty for none), words, what to use.
const COMMANDS: &[(&str, &str, &str)] = &[
    (
        "",
        "search find grep query lookup",
        "`casevault note find` looks for words in your notes, `casevault case list` for a person",
    ),
    (
        "",
        "show view cat open-note read get display less",
        "`casevault case show CASE` for a person, `casevault note show NOTE` for one note",
    ),
    (
        "",
        "new create add insert make write",
        "`casevault case open --template TEMPLATE` for a person, `casevault note add CASE` for a note",
    ),
    (
        "",
        "ls list dir all index",
        "`casevault case list` for your caseload, `casevault note list CASE` for the notes of one",
    ),
    ("", "delete del rm remove erase destroy purge trash", NOTHING_IS_DELETED),
    (
        "",
        "edit amend update change correct modify set vim",
        "`casevault note amend NOTE` for a note, `casevault case amend CASE` for what is known of a person",
    ),
    (
        "",
        "open login signin sign-in start decrypt",
        "`casevault unlock` opens the vault for the commands that follow, `casevault case open` begins a case",
    ),
    (
        "",
        "close logout signout sign-out exit quit stop end",
        "`casevault lock` closes the vault, `casevault case close CASE` ends a case",
    ),
    (
        "",
        "history versions diff blame",
        "`casevault note history NOTE`, `casevault case history CASE`",
    ),
    (
        "",
        "undo revert rollback reset",
        "`casevault note withdraw NOTE` takes back what is ten minutes old at most; later, amend it: versions stay",
    ),
    (
        "",
        "audit access who accesses",
        "`casevault log list` says who read what, when and why",
    ),
    (
        "",
        "client clients person people patient contact contacts name names caseload",
        "`casevault case list` for your caseload, `casevault case show CASE` for one person",
    ),
    (
        "",
        "attach attachment attachments file files upload scan photo",
        "`casevault note attach NOTE FILE`",
    ),
    (
        "",
        "jot quick memo",
        "`casevault note jot` keeps a few words, `casevault note expand JOT` makes them a note",
    ),
    ("", "draft drafts", "`casevault note draft` lists what is begun"),
    (
        "",
        "misfiled move mv",
        "`casevault note misfiled NOTE --to CASE` puts a note into the right file",
    ),
    (
        "",
        "restore recover",
        "`casevault backup restore FILE` with the passphrase, `casevault recovery restore` with the cards",
    ),
    (
        "",
        "save dump",
        "`casevault backup create --out FILE` for a sealed copy, `casevault export` for one to read",
    ),
    (
        "",
        "print pdf report html",
        "`casevault export CASE --format html --out FILE` for a page to print",
    ),
    ("", "load read-in ingest", "`casevault import FILE`"),
    ("", "passwd password pin", "`casevault passphrase change`"),
    (
        "",
        "setup create-vault begin register config configure",
        "`casevault init --agency NAME --name NAME` makes a vault; nothing else is to be set up",
    ),
    (
        "",
        "whoami info about doctor ping state",
        "`casevault status` tells what there is and what needs doing",
    ),
    (
        "",
        "check fsck validate test",
        "`casevault verify` checks every signature, chain and seal",
    ),
    (
        "",
        "manual docs",
        "`casevault help` is the manual; `casevault man DIR` writes it as pages",
    ),
    ("", "version", "`casevault --version`"),
    (
        "",
        "completion complete",
        "`casevault completions bash`, or zsh, or fish",
    ),
    (
        "",
        "decide timeline events",
        "`casevault decision list CASE`, `casevault chronology show CASE`",
    ),
    ("", "cards split shamir", "`casevault recovery split` makes cards"),
    (
        "",
        "push pull fetch upload backup-to",
        "`casevault sync` sends what was written to the server",
    ),
    ("", "share grant", NOT_YET),
    (
        "",
        "root threshold administrators witnesses propose endorse",
        "`casevault agency show` shows the agency's root, `casevault agency propose` changes it",
    ),
    ("", "invite colleague staff user", "`casevault member invite`"),
    ("", "enrol laptop machine", "`casevault device add`"),
    (
        "case",
        "new create add start begin init",
        "`casevault case open --template TEMPLATE`",
    ),
    (
        "case",
        "edit update change correct rename profile modify set",
        "`casevault case amend CASE`",
    ),
    (
        "case",
        "delete del rm remove erase archive destroy end finish",
        "nothing is deleted: `casevault case close CASE` ends a case and keeps it",
    ),
    (
        "case",
        "ls all search find",
        "`casevault case list`; a name is found in it",
    ),
    (
        "case",
        "view cat get read info overview display",
        "`casevault case show CASE`",
    ),
    (
        "case",
        "versions log diff",
        "`casevault case history CASE`; who read it is in `casevault log list --case CASE`",
    ),
    ("case", "note notes", "`casevault note list CASE`"),
    ("case", "chronology timeline", "`casevault chronology show CASE`"),
    ("case", "export print", "`casevault export CASE`"),
    ("case", "check validate", "`casevault case verify CASE`"),
    ("note", "new create write insert compose", "`casevault note add CASE`"),
    (
        "note",
        "edit update change correct modify",
        "`casevault note amend NOTE`",
    ),
    ("note", "delete del rm remove erase destroy trash", NOTHING_IS_DELETED),
    ("note", "ls all", "`casevault note list CASE`"),
    (
        "note",
        "search grep query",
        "`casevault note find`: the term is typed, or comes by `--file`",
    ),
    ("note", "view cat read get open display", "`casevault note show NOTE`"),
    ("note", "versions log diff", "`casevault note history NOTE`"),
    ("note", "move mv refile", "`casevault note misfiled NOTE --to CASE`"),
    (
        "note",
        "undo revert",
        "`casevault note withdraw NOTE` within ten minutes, else `casevault note amend NOTE`",
    ),
    (
        "note",
        "attachment attachments upload file files",
        "`casevault note attach NOTE FILE`, `casevault note attach NOTE --list`",
    ),
    ("note", "drafts resume", "`casevault note draft`"),
    ("note", "quick memo", "`casevault note jot`"),
    ("note", "call phone", "`casevault call`"),
    ("template", "ls all", "`casevault template list`"),
    ("template", "view cat get", "`casevault template show TEMPLATE`"),
    (
        "template",
        "new add create edit",
        "an agency's own templates are not available in this version: `casevault template list` shows those that are",
    ),
    ("log", "ls all audit who", "`casevault log list`"),
    ("log", "view cat get entry", "`casevault log show ENTRY`"),
    (
        "backup",
        "new make save add write",
        "`casevault backup create --out FILE`",
    ),
    (
        "backup",
        "check verify test",
        "`casevault backup restore FILE --home DIR` into an empty folder proves a backup",
    ),
    (
        "recovery",
        "create make new cards",
        "`casevault recovery split --out-dir DIR`",
    ),
    (
        "recovery",
        "verify test",
        "`casevault recovery check --cards FILE,FILE`",
    ),
    ("recovery", "open recover", "`casevault recovery restore`"),
    ("decision", "ls all show", "`casevault decision list CASE`"),
    ("chronology", "ls all list", "`casevault chronology show CASE`"),
    (
        "passphrase",
        "set new reset update edit",
        "`casevault passphrase change`; nobody can reset one that is forgotten",
    ),
];

const NOTHING_IS_DELETED: &str = "nothing is deleted: `casevault note withdraw NOTE` takes back what is ten minutes old at most, `note amend` \
     corrects it, `note misfiled` hides what stands in the wrong file";

const NOT_YET: &str = "this version is one person's vault, with a server at most: there is nobody to share with yet";

/// Flags by the words of other tools.
const FLAGS: &[(&str, &str)] = &[
    ("-m --message --text --body --content --note --words --comment", TEXT),
    ("--search --query --term -e --pattern", TEXT),
    (
        "--date --when --time --datetime --occurred --occurred-at --on-date",
        "`--at` says when it happened: `today 14:00`, `friday 10:00`, `-2h`",
    ),
    ("--duration --length --lasted", "`--for` says how long it lasted: `50m`"),
    ("--type -t --category", "`--kind` says what kind of note it is"),
    ("-o --output --outfile --to-file", "`--out` names the file to write"),
    (
        "-f --input --from --stdin",
        "`--file FILE`, or `--file -` for standard input",
    ),
    (
        "--password --passphrase --pass -p --pin",
        "a passphrase is never taken from the command line: `--passphrase-fd N`, or a file named in CASEVAULT_PASSPHRASE_FILE",
    ),
    (
        "--reason --why",
        "a reason in words comes by `--reason-file FILE`, a code by `--purpose CODE`",
    ),
    (
        "--dir --vault --path --data-dir --db --database",
        "`--home DIR` names the vault's folder",
    ),
    ("-n --max --count --head", "`--limit N`"),
    ("--from-date --after --start --begin", "`--since DAY`"),
    ("--before --end --to-date", "`--until DAY`"),
    (
        "-v --debug --trace --quiet -q",
        "there is no such flag: results go to standard output, all else to standard error",
    ),
    ("-y --force-yes --assume-yes", "`--yes`, where a command asks"),
    (
        "--no-colour --nocolor --no-color --plain",
        "`--color never`, or NO_COLOR in the environment",
    ),
    ("--colour --colors", "`--color auto`, `always` or `never`"),
];

const TEXT: &str = "text, names and search terms are never taken from the command line, where other programs can read them: \
     `--file FILE`, `--file -` for standard input, or leave it out and type";

const NAMES: &str = "names are never typed on the command line, where other programs can read them: `casevault` alone finds a case \
     by the name of its client";

/// A word with a capital, as a name has it, and no digit, as handles have them.
fn is_name(word: &str) -> bool {
    word.starts_with(char::is_uppercase) && word.chars().all(|c| !c.is_ascii_digit())
}

/// Returns what may be somebody's name in what the parser complains of: the complaint is not to say it once more.
pub fn name(error: &clap::Error) -> Option<&str> {
    let said = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::ValueValidation => {
            let is_no_handle = error
                .source()
                .is_some_and(|why| why.to_string().starts_with(super::value::NO_HANDLE));
            said(ContextKind::InvalidValue).filter(|_| is_no_handle)
        }
        ErrorKind::UnknownArgument => said(ContextKind::InvalidArg).filter(|word| is_name(word)),
        _ => None,
    }
}

/// Says what to use instead of what was typed, where that is known.
pub fn advice(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    let said = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => command(said(ContextKind::InvalidSubcommand)?, arguments),
        ErrorKind::UnknownArgument => {
            let word = said(ContextKind::InvalidArg)?;
            match word.strip_prefix('-') {
                Some(_) => flag(word),
                None => takes_no_text(arguments).or_else(|| is_name(word).then(|| NAMES.to_owned())),
            }
        }
        ErrorKind::ValueValidation => takes_no_text(arguments),
        _ => None,
    }
}

fn command(word: &str, arguments: &[OsString]) -> Option<String> {
    let word = word.to_ascii_lowercase();
    let noun = noun(arguments, &word);
    let found = |noun: &str| {
        COMMANDS
            .iter()
            .find(|(of, words, _)| *of == noun && words.split(' ').any(|known| known == word))
            .map(|(_, _, instead)| (*instead).to_owned())
    };
    found(noun)
}

/// Finds the noun before a word, if one is.
fn noun<'a>(arguments: &'a [OsString], word: &str) -> &'a str {
    let words = arguments.iter().skip(1).filter_map(|argument| argument.to_str());
    let before = words.take_while(|other| !other.eq_ignore_ascii_case(word));
    let is_noun = |word: &&str| COMMANDS.iter().any(|(noun, _, _)| noun == word);
    before.filter(is_noun).last().unwrap_or_default()
}

fn flag(word: &str) -> Option<String> {
    let word = word.split('=').next().unwrap_or(word);
    let found = FLAGS
        .iter()
        .find(|(words, _)| words.split(' ').any(|known| known == word));
    found.map(|(_, instead)| (*instead).to_owned())
}

/// Flags whose value is a time or a length of time.
const TIMES: [&str; 7] = ["--at", "--due", "--for", "--on", "--opened", "--since", "--until"];

/// A term behind `note find`, words behind `note add`: what looks like text where a handle belongs.
fn takes_no_text(arguments: &[OsString]) -> Option<String> {
    let words: Vec<&str> = arguments
        .iter()
        .skip(1)
        .filter_map(|argument| argument.to_str())
        .collect();
    let verb = |noun: &str, verb: &str| words.windows(2).any(|pair| pair == [noun, verb]);
    if verb("note", "find") {
        return Some(TEXT.replace("`--file FILE`, ", "`casevault note find --file FILE`, "));
    }
    let takes_text = verb("note", "add") || verb("note", "jot") || verb("note", "amend") || verb("case", "open");
    // A time may be of several words.
    let is_text = |pair: &[&str]| matches!(pair, [before, word] if word.contains(' ') && !TIMES.contains(before));
    (takes_text && words.windows(2).any(is_text)).then(|| TEXT.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::{CommandFactory, Parser};

    fn advised(line: &str) -> Option<String> {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        advice(&Cli::try_parse_from(&arguments).unwrap_err(), &arguments)
    }

    #[test]
    fn words_of_other_tools_are_answered() {
        for (line, instead) in [
            ("casevault search", "`casevault note find`"),
            ("casevault ls", "`casevault case list`"),
            ("casevault --json rm n-7fk2", "nothing is deleted"),
            ("casevault note edit n-7fk2", "`casevault note amend NOTE`"),
            ("casevault --home /x case new", "`casevault case open"),
            ("casevault NOTE", ""),
            (
                "casevault note add c-7fk2 -m words",
                "never taken from the command line",
            ),
            ("casevault note add c-7fk2 --date today", "`--at`"),
            ("casevault note find heater", "`casevault note find --file FILE`"),
            ("casevault grant", "nobody to share with"),
        ] {
            let advised = advised(line).unwrap_or_default();
            assert!(advised.contains(instead), "{line}: {advised}");
        }
        assert_eq!(advised("casevault frobnicate"), None);
        let times = ["casevault", "note", "add", "c-7fk2", "--at", "half past nine"].map(OsString::from);
        assert_eq!(takes_no_text(&times), None);
        let text = ["casevault", "note", "add", "c-7fk2", "She rang."].map(OsString::from);
        assert_eq!(takes_no_text(&text), Some(TEXT.to_owned()));
    }

    #[test]
    fn a_name_where_a_handle_is_asked_for_is_not_said_once_more() {
        for (line, instead) in [
            ("casevault note list Mia", "begins with `c-`"),
            ("casevault case show Mia", "begins with `c-`"),
            ("casevault note show Mia", "begins with `n-`"),
            ("casevault plan done Mia", "begins with `n-`"),
            ("casevault note expand Mia", "begins with `j-`"),
            ("casevault note misfiled n-7fk2 --to Mia", "begins with `c-`"),
        ] {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            assert_eq!(name(&error), Some("Mia"), "{line}");
            let why = error.source().unwrap().to_string();
            assert!(
                why.contains(instead)
                    && why.contains("`casevault` alone finds a case by the name")
                    && !why.contains("Mia"),
                "{line}: {why}"
            );
        }
        let second = Cli::try_parse_from(["casevault", "note", "list", "c-7fk2", "Pike"]).unwrap_err();
        assert_eq!(name(&second), Some("Pike"));
        assert!(
            advised("casevault note list c-7fk2 Pike")
                .unwrap()
                .contains("`casevault` alone finds")
        );
        // A handle of another kind is no name.
        let other = Cli::try_parse_from(["casevault", "note", "show", "c-7fk2"]).unwrap_err();
        assert_eq!(name(&other), None);
    }

    /// A command that comes to be takes its word out of the lists, and what is advised is there to be used.
    #[test]
    fn no_word_is_a_command_and_every_command_advised_is_one() {
        let root = Cli::command();
        for (noun, words, instead) in COMMANDS {
            let parent = match *noun {
                "" => &root,
                noun => root.find_subcommand(noun).unwrap_or_else(|| panic!("{noun}")),
            };
            for word in words.split(' ') {
                // Aliases of a command count as commands.
                let is_command = parent.find_subcommand(word).is_some();
                assert!(
                    !is_command || KNOWN_SINCE.contains(&word),
                    "`{noun} {word}` is a command"
                );
            }
            for quoted in instead
                .split('`')
                .skip(1)
                .step_by(2)
                .filter_map(|text| text.strip_prefix("casevault "))
            {
                let mut at = &root;
                for word in quoted
                    .split(' ')
                    .filter(|word| *word != "help")
                    .take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
                {
                    match at.find_subcommand(word) {
                        Some(found) => at = found,
                        None => {
                            assert!(!at.has_subcommands(), "`casevault {quoted}` is no command");
                            break;
                        }
                    }
                }
            }
        }
    }

    /// Words whose command may come at any time, and which are then simply not asked for any more.
    const KNOWN_SINCE: [&str; 12] = [
        "people", "person", "sync", "server", "share", "grant", "invite", "member", "device", "audit", "move",
        "history",
    ];
}
