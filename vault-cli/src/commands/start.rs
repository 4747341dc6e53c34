//! `casevault` alone: how to begin.

use crate::error::CliError;
use crate::invocation::Invocation;

const PAGE: &str = "\
casevault keeps case notes sealed on this machine, signed, and with every reading logged.

To begin:
  casevault demo                                  see it all on a sample caseload, in a minute
  casevault init --agency NAME --name NAME        make your vault
  casevault case open --template adult-social-care --file PROFILE.json
  casevault note add CASE --kind home-visit --file NOTE

Every day:
  casevault case list                             your caseload
  casevault case show CASE                        what is known
  casevault note find --file TERM                 search, on this machine alone
  casevault verify                                prove that nothing was changed

`casevault help` lists all commands; `--help` after one explains it.
";

pub(crate) fn run(run: &Invocation) -> Result<(), CliError> {
    run.ui.text(PAGE)
}
