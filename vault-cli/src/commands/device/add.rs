//! `casevault device add`.

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::request::DeviceAddRequest;
use crate::sheet::{self, SheetArgs};

/// Adds a device of yours: makes an enrolment sheet for paper
///
/// On the other machine `casevault device join` takes it; then `casevault device approve` here hands your keys over, sealed to
/// that machine alone. Where you administer nothing, an administrator enrols the device after that.
///
/// Example: `casevault device add --out sheet.txt`
#[derive(Args, Debug)]
pub struct AddArgs {
    /// Where the sheet goes.
    #[command(flatten)]
    pub sheet: SheetArgs,
}

pub(super) fn run(args: &AddArgs, run: &Invocation) -> Result<(), CliError> {
    args.sheet.require_free()?;
    let days = args.sheet.days;
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.device_add(DeviceAddRequest { days }, watch.task())?;
    drop(watch);
    let handle = reply.device.clone();
    sheet::hand_out(run, reply, &args.sheet, "made a sheet for device", &handle)
}
