//! `casevault template check`.

use casevault_policies::Template;
use clap::Args;

use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::session::SessionError;

/// The longest template, in bytes.
const LONGEST_TEMPLATE: u64 = 1 << 20;

/// Checks a template's file
///
/// Says what is wrong, and in which line and column. `casevault template show` shows what a good one holds.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The template as TOML, from a file or from standard input; at most 1 MiB
    #[arg(value_name = "FILE|-")]
    pub file: Source,
}

pub(super) fn run(args: &CheckArgs, run: &Invocation) -> Result<(), CliError> {
    let text = run.text(Some(&args.file), "the template", LONGEST_TEMPLATE)?;
    let template = Template::parse(&text).map_err(|e| SessionError::Malformed {
        line: e.line,
        column: e.column,
        why: e.fault.to_string(),
    })?;
    let reply = super::show::to_json(&template, "casevault.template.check/1");
    run.ui.reply(&reply, |_| {
        format!(
            "{} version {} is sound: {}",
            template.id,
            template.version,
            crate::render::count(template.headings.len() as u64, "heading", "headings")
        )
    })
}
