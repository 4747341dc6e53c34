//! `casevault agency propose`.

use std::path::PathBuf;

use clap::Args;

use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::part::require_new;
use crate::session::request::AgencyProposeRequest;

/// Bytes of a file with a witness's key at most: one line.
const KEY_LIMIT: u64 = 1 << 10;

/// Proposes the next version of the agency's root: witnesses, administrators, and how many sign
///
/// Where one administrator's signature is enough it is in force at once. Otherwise the proposal goes to the file that `--out`
/// names, for another administrator to look at and sign with `casevault agency endorse FILE`; it holds no secret and may go by
/// mail. A proposal is for the root of now: once another is in force, it is made anew.
#[derive(Args, Debug)]
pub struct ProposeArgs {
    /// A file with the key of a witness that is to cosign the log, as `log witness init` prints it
    #[arg(long = "witness", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub witnesses: Vec<Source>,

    /// The name of a witness that does so no more
    #[arg(long = "without-witness", value_name = "NAME")]
    pub without_witnesses: Vec<String>,

    /// How many administrators sign a root from then on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pub signatures: Option<u8>,

    /// A member to name as an administrator, who has the role already
    #[arg(long = "administrator", value_name = "MEMBER", value_parser = crate::cli::value::member)]
    pub administrators: Vec<String>,

    /// An administrator to name no more; the role is taken afterwards with `member role` or `member retire`
    #[arg(long = "without-administrator", value_name = "MEMBER", value_parser = crate::cli::value::member)]
    pub without_administrators: Vec<String>,

    /// The file for the proposal, where others have to sign too
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub out: Option<PathBuf>,

    /// Replaces a file that is there
    #[arg(long, requires = "out")]
    pub force: bool,
}

pub(super) fn run(args: ProposeArgs, run: &Invocation) -> Result<(), CliError> {
    if let Some(out) = &args.out {
        require_new(out, args.force)?;
    }
    let witnesses = args.witnesses.iter();
    let witnesses: Vec<String> = witnesses
        .map(|source| Ok(run.text(Some(source), "a witness's key", KEY_LIMIT)?.trim().to_owned()))
        .collect::<Result<_, CliError>>()?;
    let request = AgencyProposeRequest {
        witnesses,
        without_witnesses: args.without_witnesses,
        signatures: args.signatures,
        administrators: args.administrators,
        without_administrators: args.without_administrators,
    };
    let is_empty = request.witnesses.is_empty()
        && request.without_witnesses.is_empty()
        && request.administrators.is_empty()
        && request.without_administrators.is_empty()
        && request.signatures.is_none();
    if is_empty {
        return Err(CliError::Usage {
            message: "a proposal says what is to be otherwise".to_owned(),
            hint: "name it: `--witness`, `--without-witness`, `--signatures`, `--administrator`, `--without-administrator`"
                .to_owned(),
        });
    }
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.agency_propose(request, watch.task())?;
    drop(watch);
    super::endorse::hand_on(run, reply, args.out.as_deref(), args.force)
}
