//! `casevault init`.

use clap::Args;

use crate::cli::Kdf;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::request::InitRequest;
use crate::session::{Session, SessionError};
use crate::unlock_prompt;

/// Makes a vault for one person on this machine
///
/// The person becomes the first administrator when the vault grows into an agency. The passphrase is asked twice; there
/// is no way to reset it. The recovery key is made too and waits sealed in the keystore until cards are made of it.
///
/// Example: `casevault init --agency "Hillside Family Support" --name "A. Worker"`
#[derive(Args, Debug)]
pub struct InitArgs {
    /// The agency's name; sealed, as all names are; without it, on a terminal, it is asked for
    #[arg(long, value_name = "NAME")]
    pub agency: Option<String>,

    /// Your name, as colleagues will see it; without it, on a terminal, it is asked for
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// How dear a try of the passphrase is.
    #[command(flatten)]
    pub kdf: Kdf,
}

pub(super) fn run(args: InitArgs, run: &Invocation) -> Result<(), CliError> {
    let places = run.places()?;
    if places.keystore().exists() {
        let home = places.home().display().to_string();
        return Err(SessionError::AlreadyInitialised { home }.into());
    }
    let request = InitRequest {
        agency: given(
            args.agency,
            "The agency's name: ",
            "the agency's name",
            "`--agency NAME`",
        )?,
        name: given(
            args.name,
            "Your name, as colleagues will see it: ",
            "your name",
            "`--name NAME`",
        )?,
        cost: args.kdf.cost(),
    };
    let passphrase = run.first_passphrase()?;
    let reply = Session::init(&places, request, &passphrase)?;
    let rest = format!("you are {} on device {}, in {}", reply.member, reply.device, reply.home);
    run.ui.made(&reply, "made vault", &reply.agency, &rest)?;
    run.ui
        .hint("open a case with `casevault case open`, or take in cases with `casevault import FILE`");
    Ok(())
}

/// Takes what was given, or asks for it until something is typed.
fn given(name: Option<String>, question: &str, what: &'static str, flag: &'static str) -> Result<String, CliError> {
    if let Some(name) = name {
        return Ok(name);
    }
    if !unlock_prompt::can_ask() {
        return Err(CliError::NeedsFlag { what, flag });
    }
    loop {
        let typed = crate::keys::line(question)?.ok_or(CliError::NoAnswer { what, flag })?;
        if !typed.trim().is_empty() {
            return Ok(typed.trim().to_owned());
        }
    }
}
