//! An enrolment sheet on its way to paper: a file that nobody else reads, with a QR code of it.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use qrcodegen::{QrCode, QrCodeEcc};

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::SessionError;
use crate::session::reply::{InviteReply, MEMBER_INVITE, MEMBER_RESET};

/// Modules of quiet around a QR code.
const QUIET: i32 = 4;

/// Where a sheet goes, and for how long it is good.
#[derive(Args, Clone, Debug)]
pub struct SheetArgs {
    /// The file for the sheet, which is not there yet: print it, hand it over, wipe it
    #[arg(long, value_name = "SHEET", value_hint = clap::ValueHint::FilePath)]
    pub out: PathBuf,

    /// For how many days it is good, up to 31
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=31))]
    pub days: u32,
}

impl SheetArgs {
    /// Refuses a file that is there, before anything is asked of the server.
    ///
    /// # Errors
    /// [`CliError::Usage`].
    pub fn require_free(&self) -> Result<(), CliError> {
        match self.out.symlink_metadata().is_ok() {
            true => Err(there(&self.out)),
            false => Ok(()),
        }
    }
}

fn there(path: &Path) -> CliError {
    CliError::Usage {
        message: format!("`{}` is there already", path.display()),
        hint: "name another file for the sheet; nothing was done".to_owned(),
    }
}

/// Writes the sheet, and tells of the invite without what is on it.
///
/// # Errors
/// What the file system refuses: the invite is open then, and ends with its day.
pub fn hand_out(
    run: &Invocation,
    mut reply: InviteReply,
    args: &SheetArgs,
    done: &str,
    handle: &str,
) -> Result<(), CliError> {
    let noun = match reply.schema {
        MEMBER_INVITE | MEMBER_RESET => "member",
        _ => "device",
    };
    let shown = args.out.display().to_string();
    let command = format!("casevault {noun} join --sheet {shown}");
    let approve = format!("casevault {noun} approve {handle}");
    let text = render::member::sheet(&reply, &command, &approve, &qr(&reply.scanned)?);
    write(&args.out, text.as_bytes())?;
    reply.rows = Vec::new();
    reply.scanned = String::new();
    run.ui
        .made(&reply, done, handle, &render::member::invited(&reply, &shown))?;
    run.ui.hint(&format!(
        "hand the sheet over on paper and wipe `{shown}`; once `{command}` was run on the other machine, `{approve}` lets it in"
    ));
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let failed = |e| CliError::io(format!("could not write `{}`", path.display()), e);
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => there(path),
        _ => failed(e),
    })?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}

/// Draws a QR code in half blocks, two rows of modules a line, dark on light.
fn qr(text: &str) -> Result<String, CliError> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low);
    let code = code.map_err(|error| SessionError::Bug(error.to_string()))?;
    let (from, to) = (-QUIET, code.size() + QUIET);
    let mut out = String::new();
    let mut y = from;
    while y < to {
        for x in from..to {
            // Paper is light: what is not printed is a light module.
            out.push(match (code.get_module(x, y), code.get_module(x, y + 1)) {
                (false, false) => ' ',
                (true, false) => '\u{2580}',
                (false, true) => '\u{2584}',
                (true, true) => '\u{2588}',
            });
        }
        let kept = out.trim_end_matches(' ').len();
        out.truncate(kept);
        out.push('\n');
        y += 2;
    }
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_qr_code_of_a_sheet_fits_a_page_and_no_line_of_it_is_a_row() {
        let text = format!("CASEVAULT1:{}", "0123456789ABCDEFGHJK".repeat(20));
        let drawn = qr(&text).unwrap();
        assert!(
            drawn
                .lines()
                .all(|line| line.chars().count() <= 80 && !line.contains(':'))
        );
        assert!(drawn.lines().count() <= 50);
    }
}
