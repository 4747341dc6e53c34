//! Seals and opens age files with the wrap module, for the checks against other implementations of the format.
//!
//! ```text
//! age_file recipient IDENTITY-FILE                           the public half of a hybrid identity
//! age_file seal RECIPIENTS-FILE [--armor]   < plain > age    recipients one a line, all of one strength
//! age_file seal-passphrase FILE [--armor]   < plain > age
//! age_file open IDENTITIES-FILE             < age > plain    identities one a line
//! age_file open-passphrase FILE             < age > plain
//! ```
//!
//! Exits 1 with the cause on stderr. It is no tool for real secrets.

use std::error::Error;
use std::io::Read;
use std::io::Write;

use vault_core::wrap::Form;
use vault_core::wrap::HybridIdentity;
use vault_core::wrap::Identity;
use vault_core::wrap::Recipient;
use vault_core::wrap::open_outside;
use vault_core::wrap::seal_outside;

/// scrypt's cost: small, because what is checked is the format.
const WORK_FACTOR: u8 = 10;
/// The most plaintext bytes that are opened.
const LIMIT: usize = 64 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (verb, path, form) = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [verb, path] => (verb.to_string(), path.to_string(), Form::Binary),
        [verb, path, "--armor"] => (verb.to_string(), path.to_string(), Form::Armored),
        _ => return Err("usage: age_file VERB FILE [--armor]".into()),
    };
    let keys = std::fs::read_to_string(path)?;
    let keys: Vec<&str> = keys.lines().collect();
    let first = keys.first().copied().unwrap_or_default();
    let output = match verb.as_str() {
        "recipient" => format!("{}\n", HybridIdentity::from_text(first)?.recipient()).into_bytes(),
        "seal" => seal(
            &keys.iter().map(|text| text.parse()).collect::<Result<Vec<_>, _>>()?,
            form,
        )?,
        "seal-passphrase" => seal(&[Recipient::passphrase(first, WORK_FACTOR)?], form)?,
        "open" => open(
            &keys
                .iter()
                .map(|text| Identity::from_text(text))
                .collect::<Result<Vec<_>, _>>()?,
        )?,
        "open-passphrase" => open(&[Identity::passphrase(first)])?,
        _ => return Err(format!("unknown verb `{verb}`").into()),
    };
    Ok(std::io::stdout().write_all(&output)?)
}

fn seal(recipients: &[Recipient], form: Form) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    Ok(seal_outside(
        &recipients.iter().collect::<Vec<_>>(),
        &stdin()?,
        form,
        &mut rng,
    )?)
}

fn open(identities: &[Identity]) -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(open_outside(&identities.iter().collect::<Vec<_>>(), &stdin()?, LIMIT)?.to_vec())
}

fn stdin() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}
