//! `casevault agency endorse`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::part::Part;
use crate::render;
use crate::session::reply::{ProposalReply, RECOVERY_KEY, SIGNATURES};
use crate::session::request::{AgencyEndorseRequest, AgencyProposalRequest};
use crate::unlock_prompt;

/// Bytes of a proposal's file at most.
const LIMIT: u64 = 1 << 20;

/// Signs what another administrator proposed for the agency's root
///
/// Shows what it changes, compared with this vault's own copy of the root, and asks. Where it has enough signatures then, it is
/// in force; otherwise the file gets this one too, or another file that `--out` names, for the next administrator.
#[derive(Args, Debug)]
pub struct EndorseArgs {
    /// The proposal
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: PathBuf,

    /// Another file for the proposal, where more have to sign
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub out: Option<PathBuf>,

    /// Does not ask
    #[arg(long)]
    pub yes: bool,
}

pub(super) fn run(args: &EndorseArgs, run: &Invocation) -> Result<(), CliError> {
    let (what, flag) = ("whether to sign the proposal", "`--yes`");
    if !args.yes && !unlock_prompt::can_ask() {
        return Err(CliError::NeedsFlag { what, flag });
    }
    let source = Source::File(args.file.clone());
    let proposal = run.text(Some(&source), "a proposal", LIMIT)?;
    let mut session = run.unlock()?;
    if !args.yes {
        let request = AgencyProposalRequest {
            proposal: proposal.clone(),
        };
        let shown = session.agency_proposal(request)?;
        run.ui.prompt(render::agency::proposal(&shown).trim_end());
        if !run.confirm("Sign it? [y/N] ", what, flag)? {
            return Err(CliError::Nothing {
                what: "nothing was signed",
            });
        }
    }
    let watch = run.watch()?;
    let reply = session.agency_endorse(AgencyEndorseRequest { proposal }, watch.task())?;
    drop(watch);
    let out = args.out.as_deref().unwrap_or(&args.file);
    hand_on(run, reply, Some(out), args.out.is_none())
}

/// Writes a proposal that needs more signatures to its file, and tells what became of it.
pub(super) fn hand_on(
    run: &Invocation,
    mut reply: ProposalReply,
    out: Option<&Path>,
    force: bool,
) -> Result<(), CliError> {
    let text = std::mem::take(&mut reply.proposal);
    if reply.missing == 0 {
        run.ui.reply(&reply, render::agency::proposed)?;
        tell_price(run, &reply);
        render::member::still_owed(&run.ui, reply.officer_owed);
        return Ok(());
    }
    let Some(out) = out else {
        return Err(CliError::NeedsFlag {
            what: "the file for the proposal, which others have to sign too",
            flag: "`--out FILE`",
        });
    };
    write(out, &text, force)?;
    run.ui.reply(&reply, render::agency::proposed)?;
    let out = out.display();
    run.ui.hint(&format!(
        "another administrator signs it too: `casevault agency endorse {out}`"
    ));
    Ok(())
}

/// Writes a proposal's text to its file.
pub(in crate::commands) fn write(out: &Path, text: &str, force: bool) -> Result<(), CliError> {
    let mut part = Part::beside(out)?;
    let failed = |e| CliError::io(format!("could not write `{}`", out.display()), e);
    part.file.write_all(text.as_bytes()).map_err(failed)?;
    part.become_file_or_refuse(out, force)
}

/// Says what is given up where one administrator does not sign alone any more.
fn tell_price(run: &Invocation, reply: &ProposalReply) {
    if reply.changes.iter().any(|change| change.part == RECOVERY_KEY) {
        run.ui.hint(
            "from now on the cards of the new recovery key are the ones: make a new backup with `casevault backup create --out \
             FILE`; the older cards open older backups alone",
        );
    }
    let of_root = reply.changes.iter().find(|change| change.part == SIGNATURES);
    let needed = of_root.and_then(|change| change.after.as_deref()?.parse::<usize>().ok());
    let Some(needed) = needed.filter(|needed| *needed > 1) else {
        return;
    };
    run.ui.hint(
        "from now on a recovery with cards names no new recovery key alone, and whoever begins anew administers once \
         others have signed a root that names the new key",
    );
    if needed >= reply.administrators {
        run.ui.note(
            "every administrator has to sign now: the first who loses their key leaves the root as it is for good. Name \
             another one with `casevault agency propose --administrator MEMBER`",
        );
    }
}
