//! `casevault device lost`.

use clap::Args;

use super::retire;
use super::retire::RetireArgs;
use crate::error::CliError;
use crate::invocation::Invocation;

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
    let LostArgs { device, yes } = args;
    let reply = retire::retire(RetireArgs { device, yes }, true, run)?;
    run.ui.hint(&format!(
        "whoever has the device and its passphrase has the member's keys: `casevault member reset {} --out SHEET` lets the \
         member begin anew, and every section it holds is then rotated before the next writing",
        reply.member
    ));
    Ok(())
}
