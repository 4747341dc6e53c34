//! `casevault note jot`.

use clap::Args;

use crate::cli::value;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::marks;
use crate::render;
use crate::session::request::{JotAddRequest, JotDiscardRequest, JotListRequest};
use crate::unlock_prompt;

/// How it is asked for: how one gets out of it is said where one gets in.
pub(in crate::commands) const QUESTION: &str =
    "Type the jot, one line. Enter ends it; Ctrl-D or Ctrl-C leaves, and nothing is kept: ";

/// The longest jot, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Keeps a few words now, to be made a note later
///
/// A jot is kept on this machine alone, sealed, and is no part of any file until `note expand` makes it a note. The case
/// may be left open. Typed on a terminal, one line is enough.
///
/// Example: `casevault note jot c-7fk2 --at -20m`
#[derive(Args, Debug)]
pub struct JotArgs {
    /// The case's handle, if it is known already
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// When it happened [default: now]
    #[arg(long, value_name = "TIME", value_parser = value::time, allow_hyphen_values = true)]
    pub at: Option<String>,

    /// The words, from a file or from standard input; at most 64 KiB
    #[arg(long, value_name = "FILE|-")]
    pub file: Option<Source>,

    /// Lists the jots that wait to be made notes
    #[arg(long, conflicts_with_all = ["at", "file", "discard"])]
    pub list: bool,

    /// Drops a jot for good; on a terminal it is asked about
    #[arg(long, value_name = "JOT", value_parser = value::jot, conflicts_with_all = ["case", "at", "file"])]
    pub discard: Option<String>,

    /// Drops it without asking
    #[arg(long, requires = "discard")]
    pub yes: bool,
}

pub(super) fn run(args: JotArgs, run: &Invocation) -> Result<(), CliError> {
    if args.list {
        let reply = run.unlock()?.jot_list(JotListRequest { case: args.case })?;
        return run.ui.reply(&reply, render::writing::jots);
    }
    if let Some(jot) = args.discard {
        let mut session = run.unlock()?;
        if unlock_prompt::can_ask() && !args.yes {
            let jots = session.jot_list(JotListRequest { case: None })?.jots;
            if let Some(found) = jots
                .iter()
                .find(|found| found.jot.starts_with(&jot) || jot.starts_with(&found.jot))
            {
                run.ui.prompt(&render::writing::jot(found));
            }
            let question = "Drop it? It cannot be brought back. [y/N] ";
            if !run.confirm(question, "whether to drop the jot", "`--yes`")? {
                let what = "the jot stays";
                return Err(CliError::Nothing { what });
            }
        }
        let reply = session.jot_discard(JotDiscardRequest { jot })?;
        return run.ui.reply(&reply, |reply| format!("dropped jot {}", reply.jot));
    }
    let (mut session, text) = match &args.file {
        Some(source) => {
            let text = run.text(Some(source), "the jot", LONGEST)?;
            (run.unlock()?, text)
        }
        None => {
            let flag = "`--file FILE`, or `--file -` for standard input";
            // After unlocking: a mistyped passphrase must not lose it.
            let session = run.unlock_to_ask("the jot", flag)?;
            (session, run.ask(QUESTION, "the jot", flag)?)
        }
    };
    let text = marks::ask_of_jot(run, text)?;
    let (case, at) = (args.case, args.at);
    let reply = session.jot_add(JotAddRequest { case, text, at })?;
    let occurred = format!("occurred {}", render::time(&reply.occurred_at));
    run.ui.made(&reply, "jotted", &reply.jot, &occurred)?;
    run.ui
        .hint(&format!("make it a note with `casevault note expand {}`", reply.jot));
    Ok(())
}
