//! `casevault recovery split --new-key`.

use super::{Files, SplitArgs, Stopped, absolute};
use crate::commands::agency::endorse;
use crate::commands::recovery::read_cards;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::part::require_new;
use crate::render;
use crate::session::Session;
use crate::session::reply::{ProposalReply, SplitReply};
use crate::session::request::RecoverySplitRequest;
use vault_core::recovery::grouped;

pub(super) fn run(args: &SplitArgs, run: &Invocation, mut session: Session) -> Result<(), CliError> {
    if let Some(out) = &args.out {
        require_new(out, false)?;
    }
    let watch = run.watch()?;
    let signatures = session.recovery_signatures(watch.task())?;
    drop(watch);
    // Before a card is printed that then could not be proposed.
    if signatures > 1 && args.out.is_none() {
        return Err(CliError::NeedsFlag {
            what: "the file for the proposal, which others have to sign too",
            flag: "`--out FILE`",
        });
    }
    let stopped = Stopped::heed()?;
    let cards = session.recovery_new_cards(&RecoverySplitRequest {
        threshold: args.threshold,
        shares: args.shares,
        folder: absolute(&args.out_dir),
    })?;
    let files = Files::write(&args.out_dir, &cards, &stopped)?;
    // What is proved is what lies on the disk, not what was in memory.
    let read = read_cards(&files.texts)?;
    let question = format!(
        "{} cards are in {}. Print the pages now, and look at each.\nAre all of them printed? Then the root is to name their \
         key. [yes/no] ",
        args.shares,
        args.out_dir.display()
    );
    if !args.yes && !run.confirm(&question, "that the cards are printed", "`--yes`")? {
        return Err(CliError::Usage {
            message: "no new recovery key was made; the files are removed and the one in force stays".to_owned(),
            hint: "burn what was printed, which opens nothing; run it again when a printer is at hand".to_owned(),
        });
    }
    stopped.check()?;
    drop(stopped);
    let watch = run.watch()?;
    // From here on they may be all that there is of the key that the root names.
    let files = files.keep();
    let renewed = session.recovery_renew(&read, watch.task());
    drop(watch);
    let (mut reply, mut proposal) = match renewed {
        Ok(renewed) => renewed,
        Err(error) => {
            if !session.recovery_next_is_in_force().unwrap_or(true) {
                for file in &files {
                    // One that cannot be removed is of a key that opens nothing.
                    let _ = std::fs::remove_file(file);
                }
                run.ui
                    .note("no new recovery key is in force: burn what was printed, and keep the older cards");
            }
            return Err(error.into());
        }
    };
    let text = std::mem::take(&mut proposal.proposal);
    if let (false, Some(out)) = (proposal.in_force, &args.out) {
        endorse::write(out, &text, false)?;
    }
    reply.files = files;
    tell(args, run, reply, proposal)
}

fn tell(args: &SplitArgs, run: &Invocation, mut reply: SplitReply, proposal: ProposalReply) -> Result<(), CliError> {
    let (version, before) = (reply.version, reply.version.saturating_sub(1));
    let standing = match (proposal.in_force, proposal.sent) {
        (true, true) => "which is in force".to_owned(),
        (true, false) => "which is in force here; where there is a server, `casevault sync` sends it".to_owned(),
        (false, _) => format!("which is not in force: {} more to sign it", proposal.missing),
    };
    let rest = format!(
        "{} of {} cards give recovery key {version}, {standing}",
        reply.threshold, reply.shares
    );
    let (in_force, officer_owed) = (proposal.in_force, proposal.officer_owed);
    reply.proposal = Some(proposal);
    run.ui
        .made(&reply, "made recovery cards of set", &grouped(&reply.set), &rest)?;
    run.ui
        .hint(&format!("print and wipe the files in {}", args.out_dir.display()));
    match &args.out {
        Some(out) if !in_force => {
            run.ui.note(&format!(
                "until then the cards of recovery key {before} are the ones: keep both sets; should another root come into force \
                 first, these new cards are worthless, and are to be burned and made again"
            ));
            run.ui.hint(&format!(
                "another administrator signs it too: `casevault agency endorse {}`; once it is in force, make a new backup",
                out.display()
            ));
        }
        _ => run.ui.hint(&format!(
            "make a new backup with `casevault backup create --out FILE`: the cards of recovery key {before} open older ones alone"
        )),
    }
    render::member::still_owed(&run.ui, officer_owed);
    Ok(())
}
