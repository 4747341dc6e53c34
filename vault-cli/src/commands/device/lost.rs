//! `casevault device lost`.

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::DeviceRetireRequest;

/// Retires a device that is in others' hands
///
/// From then on nothing that it signs counts, and the server serves it nothing. Whoever has it and its passphrase still has the
/// member's keys: let the member begin anew with `casevault member reset`.
#[derive(Args, Debug)]
pub struct LostArgs {
    /// The device's handle
    #[arg(value_name = "DEVICE", value_parser = crate::cli::value::device)]
    pub device: String,

    /// Does not ask
    #[arg(long)]
    pub yes: bool,
}

pub(super) fn run(args: LostArgs, run: &Invocation) -> Result<(), CliError> {
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
        lost: true,
    };
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.device_retire(request, watch.task())?;
    drop(watch);
    run.ui.reply(&reply, render::member::gone)?;
    run.ui.hint(&format!(
        "whoever has the device and its passphrase has the member's keys: `casevault member reset {} --out SHEET` lets the \
         member begin anew, and every section it holds is then rotated before the next writing",
        reply.member
    ));
    Ok(())
}
