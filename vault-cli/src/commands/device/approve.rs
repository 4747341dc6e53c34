//! `casevault device approve`.

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::joining;
use crate::render;
use crate::session::request::ApproveRequest;

/// Hands your keys to your device that asked with a sheet, or enrols one that another member certified
///
/// Shows the code and asks whether the other machine shows it, before it gets anything; where there is no terminal, `--code` is
/// required. Where you administer nothing, an administrator runs this after
/// you, with the same handle: `casevault device list --all` shows it to neither, so tell it to them.
#[derive(Args, Debug)]
pub struct ApproveArgs {
    /// The handle that the invite gave
    #[arg(value_name = "DEVICE", value_parser = crate::cli::value::device)]
    pub device: String,

    /// The code that the other machine shows; another one lets nobody in
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,
}

pub(super) fn run(args: ApproveArgs, run: &Invocation) -> Result<(), CliError> {
    let mut session = run.unlock()?;
    let code = joining::compared(run, &mut session, &args.device, args.code)?;
    let request = ApproveRequest {
        handle: args.device,
        code,
    };
    let watch = run.watch()?;
    let reply = session.device_approve(request, watch.task())?;
    drop(watch);
    run.ui.made(
        &reply,
        "approved device",
        &reply.device,
        &render::member::approved(&reply),
    )?;
    render::member::still_owed(&run.ui, reply.officer_owed);
    render::member::still_unnamed(&run.ui, reply.unnamed, &reply.member);
    Ok(())
}
