//! `casevault device retire`.

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::reply::ChangedReply;
use crate::session::request::DeviceRetireRequest;

/// Retires a device that is used no more, for good
///
/// From then on nothing that it signs counts. Send what waits on it with `casevault sync` before.
#[derive(Args, Debug)]
pub struct RetireArgs {
    /// The device's handle
    #[arg(value_name = "DEVICE", value_parser = crate::cli::value::device)]
    pub device: String,

    /// Does not ask
    #[arg(long)]
    pub yes: bool,
}

pub(super) fn run(args: RetireArgs, run: &Invocation) -> Result<(), CliError> {
    retire(args, false, run).map(drop)
}

/// Retires a device once somebody has said so, and tells of it.
pub(super) fn retire(args: RetireArgs, lost: bool, run: &Invocation) -> Result<ChangedReply, CliError> {
    let question = format!(
        "Retire {} for good? What waits on it is never sent. [y/N] ",
        args.device
    );
    if !args.yes && !run.confirm(&question, "whether the device is to go", "`--yes`")? {
        return Err(CliError::Nothing {
            what: "the device stays",
        });
    }
    let request = DeviceRetireRequest {
        device: args.device,
        lost,
    };
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.device_retire(request, watch.task())?;
    drop(watch);
    run.ui.reply(&reply, render::member::gone)?;
    Ok(reply)
}
