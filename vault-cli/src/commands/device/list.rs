//! `casevault device list`.

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::DeviceListRequest;

/// Lists your devices, and which are invited from here
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Lists the devices of all members
    #[arg(long)]
    pub all: bool,
}

pub(super) fn run(args: &ListArgs, run: &Invocation) -> Result<(), CliError> {
    let reply = run.unlock()?.device_list(DeviceListRequest { all: args.all })?;
    run.ui.reply(&reply, render::member::devices)
}
