//! Links the unwinder of the compiler's own run-time library into the programs.
//!
//! Each shared library is opened, mapped and relocated anew at every start of a command: with libgcc_s among them, a
//! start takes a tenth of a millisecond more, which is a twentieth of a whole `note add`. Only GNU systems have both
//! forms; where the static one is missing, the shared one stays.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target_is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    if target_is("CARGO_CFG_TARGET_OS", "linux") && target_is("CARGO_CFG_TARGET_ENV", "gnu") && has_static_unwinder() {
        println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// Whether the linker driver has the archive: it answers with a path for a file that it finds, else with the bare name.
fn has_static_unwinder() -> bool {
    if env::var("HOST") != env::var("TARGET") {
        return false;
    }
    Command::new("cc")
        .arg("-print-file-name=libgcc_eh.a")
        .output()
        .is_ok_and(|answer| String::from_utf8(answer.stdout).is_ok_and(|path| Path::new(path.trim()).is_absolute()))
}
