//! `casevault log witness run`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use crate::cli::value;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::{Invocation, Watch};
use crate::remote::ServerFault;
use crate::render;
use crate::session::{Kind, SessionError, Witness};

/// The longest file with a log's key, in bytes.
const LONGEST_KEY: u64 = 4 << 10;
/// So often it is looked whether it is to end.
const LOOK: Duration = Duration::from_millis(250);

/// Goes to the newest checkpoint of a server's log, cosigns it if the log only grew, and brings it to the server
///
/// Again and again, until Ctrl-C. A server that does not answer is asked again. A log that is not the one that was cosigned
/// before ends it with exit code 4, and a file of evidence in its folder where that proves it to others; it is not cosigned
/// again, and no run goes on until somebody has decided about the evidence. A folder that does not know how far the witness
/// was is refused, but with `--first`. One run at a time witnesses a log.
///
/// Example: `casevault log witness run --state witness --server https://vault.example --log agency.key --first --once`
#[derive(Args, Debug)]
pub struct RunArgs {
    /// The witness's folder
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,

    /// The server's address: `https://…`, or `http://…` on this machine
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    pub server: String,

    /// A file with the log's key, which says whose log it is: the line that `casevault server show` prints
    #[arg(long, value_name = "FILE|-")]
    pub log: Source,

    /// The first time with this log: it is taken as it is
    #[arg(long)]
    pub first: bool,

    /// Once, and no more
    #[arg(long, conflicts_with = "every")]
    pub once: bool,

    /// How often, such as `30s`, `1m` or `1h`
    #[arg(long, value_name = "TIME", value_parser = value::wait, default_value = "1m")]
    pub every: Duration,
}

pub(super) fn run(args: RunArgs, run: &Invocation) -> Result<(), CliError> {
    let line = run.text(Some(&args.log), "the log's key", LONGEST_KEY)?;
    let log = value::log_key(line.trim()).map_err(|message| CliError::Usage {
        message,
        hint: "ask an administrator of the agency for it; nothing was cosigned".to_owned(),
    })?;
    let witness = Witness::open(&args.state, &args.server, log)?;
    if args.once {
        return run.ui.reply(&witness.round(args.first)?, render::witness::ran);
    }
    let watch = run.watch()?;
    let (mut told, mut failing, mut is_first) = (None, None, args.first);
    loop {
        match witness.round(is_first) {
            Ok(reply) => {
                is_first = false;
                // What only says that nothing came since is not told each minute.
                if told != Some(reply.size) || failing.is_some() {
                    run.ui.reply(&reply, render::witness::ran)?;
                }
                (told, failing) = (Some(reply.size), None);
            }
            Err(error) if is_passing(&error) => {
                let said = error.to_string();
                if failing.as_ref() != Some(&said) {
                    // With `--json` too: no object says it.
                    run.ui.prompt(&format!("{said}; it is tried again until it works"));
                }
                failing = Some(said);
            }
            Err(error) => return Err(error.into()),
        }
        if !wait(&watch, args.every) {
            return Ok(());
        }
    }
}

/// Tells whether it may well be otherwise in a moment, or once the root names the witness.
fn is_passing(error: &SessionError) -> bool {
    error.kind() == Kind::Unreachable || matches!(error, SessionError::Server(ServerFault::NotTaken))
}

/// Waits; false if it is to end.
fn wait(watch: &Watch, long: Duration) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < long {
        if watch.task().cancel.is_cancelled() {
            return false;
        }
        std::thread::sleep(LOOK);
    }
    !watch.task().cancel.is_cancelled()
}
