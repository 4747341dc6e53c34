//! The project's benchmark: `cargo run --release -p casevault-e2e --bin bench -- [--write docs/benchmarks.md | --only-today | --only-daily | --only-sync]`.
//!
//! Whole processes of the release binary on size m, medians, each beside its limit measured in the same run: machines
//! are shared and noisy, so ratios count and no test asserts a time. `unlock` (Argon2id, 64 MiB here) is taken off.

mod daily;
mod syncing;

use ed25519_dalek::Signer;
use rayon::prelude::*;
use std::collections::HashMap;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;
use vault_cli::store::Row;
use vault_cli::store::Store;
use vault_cli::store::StoreError;
use vault_core::context::Label;
use vault_core::crypto::aead::Sealer;
use vault_core::keystore;
use vault_core::note::line;
use vault_core::note::line::Line;
use vault_core::note::split;

const PASSPHRASE: &str = "bench passphrase";

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let write = std::env::args()
        .skip_while(|a| a != "--write")
        .nth(1)
        .map(PathBuf::from);
    let bench = Bench::new()?;
    let mut page = Page::default();
    if std::env::args().any(|a| a == "--only-today") {
        return today(&bench, &mut page, &bench.caseload(&["--size", "m"])?);
    }
    if std::env::args().any(|a| a == "--only-daily") {
        let lines = bench.caseload(&["--size", "m"])?;
        return daily::daily(&bench, &mut page, &bench.vault("daily", &lines)?, &lines);
    }
    if std::env::args().any(|a| a == "--only-sync") {
        return syncing::syncing(&mut page, &bench.caseload(&["--size", "m"])?);
    }
    let small = bench.caseload(&["--size", "s"])?;
    let medium = bench.caseload(&["--size", "m"])?;
    let large = bench.caseload(&["--cases", "500"])?;
    let notes = medium.lines().filter(|l| l.contains("\"type\": \"note\"")).count();
    let unlock = |home: &Path| median(9, || bench.time(home, &["unlock", "--no-agent"], ""));

    let vault = bench.vault("m", &medium)?;
    let ready = unlock(&vault)?;
    page.row("unlock (Argon2id 64 MiB), taken off below", &ms(ready), "", "");

    let import = median(3, || {
        let home = bench.empty("import")?;
        bench.time(&home, &["import", "-"], &medium)
    })?;
    let rate = per_second(notes, import.saturating_sub(ready));
    page.row(
        "`import`, signed and durable",
        &format!("{rate:.0} notes/s"),
        "at least 10,000 notes/s",
        verdict(rate >= 10_000.0),
    );

    let out = bench.folder.path().join("out.jsonl");
    let out_text = out.display().to_string();
    let export = median(3, || {
        bench.time(
            &vault,
            &["export", "--format", "jsonl", "--out", &out_text, "--force"],
            "",
        )
    })?;
    let export_rate = per_second(notes, export.saturating_sub(ready));
    page.row(
        "`export --format jsonl`",
        &format!("{export_rate:.0} notes/s"),
        "no slower than import",
        verdict(export_rate >= rate),
    );

    let find = median(5, || {
        bench.time(&vault, &["note", "find", "--file", "-"], "zebrafish\n")
    })?
    .saturating_sub(ready);
    let limit = read_and_decrypt(&vault)?;
    let ratio = find.as_secs_f64() / limit.as_secs_f64();
    page.row(
        "`note find` of a rare word",
        &ms(find),
        "at most 300 ms",
        verdict(find <= Duration::from_millis(300)),
    );
    page.row(
        "… against reading and decrypting on all cores",
        &format!("{ratio:.2}x of {}", ms(limit)),
        "at most 2x",
        verdict(ratio <= 2.0),
    );

    let counted = bench.json(&vault, &["verify", "--json"])?;
    let signatures = counted["signatures"].as_u64().unwrap_or_default() as usize;
    let verify = median(3, || bench.time(&vault, &["verify"], ""))?.saturating_sub(ready);
    let strict = strict_rate()?;
    let reached = per_second(signatures, verify) / strict;
    page.row(
        &format!("`verify` of everything, {signatures} signatures"),
        &format!("{:.0} signatures/s", per_second(signatures, verify)),
        "",
        "",
    );
    page.row(
        "… against strict Ed25519 alone on all cores",
        &format!("{:.0} % of {strict:.0}/s", reached * 100.0),
        "at least 80 %",
        verdict(reached >= 0.8),
    );

    let (json, text) = payload_bytes(&medium)?;
    let stored = std::fs::metadata(vault.join("vault.db"))?.len() as f64;
    page.row(
        "stored bytes over sealed JSON payload before padding",
        &format!("{:.2}x", stored / json),
        "at most 1.8x, aim 1.5x",
        verdict(stored / json <= 1.8),
    );
    page.row("… over bare text", &format!("{:.2}x", stored / text), "", "");

    today(&bench, &mut page, &medium)?;

    let mut growth = Vec::new();
    for (name, lines) in [("s", &small), ("m", &medium), ("4 x m", &large)] {
        let home = if name == "m" {
            vault.clone()
        } else {
            bench.vault(name, lines)?
        };
        // The same case in every size: the first, about as long in each.
        let shown = bench.json(&home, &["case", "list", "--json"])?;
        let cases = shown["cases"].as_array().cloned().unwrap_or_default();
        let case = cases
            .iter()
            .min_by_key(|c| c["notes"].as_u64().unwrap_or(0).abs_diff(100))
            .cloned()
            .unwrap_or_default();
        let handle = case["case"].as_str().unwrap_or_default().to_owned();
        let list = bench.json(&home, &["note", "list", &handle, "--json"])?;
        let note = list["notes"][0]["note"].as_str().unwrap_or_default().to_owned();
        let add = ["note", "add", &handle, "--kind", "phone", "--file", "-"];
        let add = bench.beyond_unlock(&home, &add, "obs: Rang; all well.\n")?;
        let show = bench.beyond_unlock(&home, &["note", "show", &note], "")?;
        let view = bench.beyond_unlock(&home, &["case", "show", &handle], "")?;
        growth.push(format!(
            "| {name} ({} cases) | {} notes | {add:.1} ms | {show:.1} ms | {view:.1} ms |",
            cases.len(),
            case["notes"]
        ));
    }
    // Last: what it adds to the vault would count above.
    daily::daily(&bench, &mut page, &vault, &medium)?;
    syncing::syncing(&mut page, &medium)?;
    let page = page.print(&growth);
    println!("{page}");
    if let Some(path) = write {
        std::fs::write(path, page)?;
    }
    Ok(())
}

/// `today` through an agent: the first opens every note, the others what is new, which is nothing here.
fn today(bench: &Bench, page: &mut Page, lines: &str) -> Outcome<()> {
    let home = bench.vault("today", &thirty_of_400(lines))?;
    bench.time(&home, &["unlock"], "")?;
    let first = bench.time(&home, &["today"], "");
    let again = first.and_then(|first| Ok((first, median(31, || bench.time(&home, &["today"], ""))?)));
    bench.time(&home, &["lock"], "")?;
    let (first, again) = again?;
    page.row(
        "`today` on 30 cases of 400 notes, an agent unlocked",
        &ms(again),
        "at most 50 ms",
        verdict(again <= Duration::from_millis(50)),
    );
    page.row(
        "… the first one after `unlock`, which opens every note",
        &ms(first),
        "",
        "",
    );
    Ok(())
}

/// Cuts a caseload down to its first thirty cases that have 400 notes, each to its first 400.
fn thirty_of_400(lines: &str) -> String {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let case_of = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        let of = |name: &str| value[name].as_str().map(str::to_owned);
        of("case").map(|case| (of("type").as_deref() == Some("note"), case))
    };
    let parsed: Vec<(&str, Option<(bool, String)>)> = lines.lines().map(|line| (line, case_of(line))).collect();
    for (is_note, case) in parsed.iter().filter_map(|(_, of)| of.as_ref()) {
        *counts.entry(case.clone()).or_default() += usize::from(*is_note);
    }
    let mut chosen: Vec<&String> = counts
        .iter()
        .filter(|(_, count)| **count >= 400)
        .map(|(case, _)| case)
        .collect();
    chosen.sort();
    chosen.truncate(30);
    let chosen: HashSet<&String> = chosen.into_iter().collect();
    let mut kept: HashMap<String, usize> = HashMap::new();
    let mut out = String::new();
    for (line, of) in &parsed {
        let is_kept = match of {
            None => true,
            Some((_, case)) if !chosen.contains(case) => false,
            Some((false, _)) => true,
            Some((true, case)) => {
                let count = kept.entry(case.clone()).or_default();
                *count += 1;
                *count <= 400
            }
        };
        if is_kept {
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

/// The release binary and a folder for vaults.
struct Bench {
    binary: PathBuf,
    folder: tempfile::TempDir,
    passphrase: PathBuf,
}

impl Bench {
    fn new() -> Outcome<Self> {
        let binary = std::env::current_exe()?.with_file_name("casevault");
        if !binary.exists() {
            return Err("build the program first: cargo build --release".into());
        }
        let folder = tempfile::tempdir()?;
        let passphrase = folder.path().join("passphrase");
        std::fs::write(&passphrase, PASSPHRASE)?;
        Ok(Self {
            binary,
            folder,
            passphrase,
        })
    }

    fn caseload(&self, arguments: &[&str]) -> Outcome<String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/make_caseload.py");
        let made = Command::new("python3")
            .arg(script)
            .args(arguments)
            .stderr(Stdio::inherit())
            .output()?;
        if !made.status.success() {
            return Err(
                "the caseload's generator is needed beside the project: ../shared/data/make_caseload.py".into(),
            );
        }
        Ok(String::from_utf8(made.stdout)?)
    }

    fn empty(&self, name: &str) -> Outcome<PathBuf> {
        let home = self.folder.path().join(name);
        if home.exists() {
            std::fs::remove_dir_all(&home)?;
        }
        self.time(
            &home,
            &["init", "--agency", "Bench", "--name", "Bench", "--kdf-memory", "64MiB"],
            "",
        )?;
        Ok(home)
    }

    fn vault(&self, name: &str, lines: &str) -> Outcome<PathBuf> {
        let home = self.empty(&format!("vault {name}"))?;
        self.time(&home, &["import", "-"], lines)?;
        Ok(home)
    }

    fn command(&self, home: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .env("CASEVAULT_HOME", home)
            .env("CASEVAULT_PASSPHRASE_FILE", &self.passphrase);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Times a whole process, from start to exit; its input lies in a file, as a shell would redirect it.
    fn time(&self, home: &Path, arguments: &[&str], input: &str) -> Outcome<Duration> {
        let mut command = self.command(home, arguments);
        if !input.is_empty() {
            let file = self.folder.path().join("input");
            std::fs::write(&file, input)?;
            command.stdin(std::fs::File::open(&file)?);
        }
        let start = Instant::now();
        let done = command.output()?;
        let took = start.elapsed();
        if !done.status.success() {
            return Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&done.stderr)).into());
        }
        Ok(took)
    }

    /// How many milliseconds a command takes beyond `unlock`: the median of pairs run one after the other, because the
    /// Argon2id that both pay varies by more than the rest takes.
    fn beyond_unlock(&self, home: &Path, arguments: &[&str], input: &str) -> Outcome<f64> {
        let mut pairs = Vec::new();
        for _ in 0..31 {
            let unlock = self.time(home, &["unlock", "--no-agent"], "")?;
            let whole = self.time(home, arguments, input)?;
            pairs.push((whole.as_secs_f64() - unlock.as_secs_f64()) * 1000.0);
        }
        pairs.sort_by(f64::total_cmp);
        Ok(pairs[pairs.len() / 2])
    }

    fn json(&self, home: &Path, arguments: &[&str]) -> Outcome<serde_json::Value> {
        let done = self.command(home, arguments).stdout(Stdio::piped()).output()?;
        Ok(serde_json::from_slice(&done.stdout)?)
    }
}

/// Strict verifications a second on all cores, over messages of a link's size: `verify_strict` of ed25519-dalek, called
/// for nothing but this, whatever way the vault takes.
fn strict_rate() -> Outcome<f64> {
    let signer = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let signed: Vec<_> = (0..20_000u32)
        .into_par_iter()
        .map(|n| {
            let message = n.to_be_bytes().repeat(62);
            let signature = signer.sign(&message);
            (message, signature)
        })
        .collect();
    let key = signer.verifying_key();
    let start = Instant::now();
    let good = signed
        .par_iter()
        .filter(|(m, s)| key.verify_strict(m, s).is_ok())
        .count();
    let took = start.elapsed();
    if good != signed.len() {
        return Err("a signature of this run does not verify".into());
    }
    Ok(per_second(good, took))
}

/// Reads every row of the store and runs the cipher over every record, on all cores: what a search cannot do without.
fn read_and_decrypt(home: &Path) -> Outcome<Duration> {
    let file = std::fs::read(home.join("keystore"))?;
    let (_, secrets) = keystore::unlock(&file, PASSPHRASE)?;
    let store = Store::open(&home.join("vault.db"), &secrets.store_key)?;
    let mut runs = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        store.read(|tx| {
            let (sender, receiver) = std::sync::mpsc::sync_channel::<Vec<Row>>(4);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    receiver
                        .into_iter()
                        .for_each(|rows| rows.into_par_iter().for_each(decrypt))
                });
                tx.scan_all(1, 2048, &mut |rows| {
                    sender
                        .send(rows)
                        .map_err(|_| StoreError::Bug("nobody decrypts".to_owned()))
                })?;
                drop(sender);
                Ok::<_, StoreError>(())
            })
        })?;
        runs.push(start.elapsed());
    }
    runs.sort();
    Ok(runs[runs.len() / 2])
}

/// The cipher's work on one record: one derivation, one pass. Sealing costs what opening does, and needs no right key.
fn decrypt(row: Row) {
    if let Row::Record(row) = row
        && let Ok((record, _)) = row.record.into_record()
    {
        let record = record.verified_at_entry();
        let mut text = record.ciphertext().to_vec();
        let sealer = Sealer::derive(Label::RecordSeal, &record.hash().0, &[]);
        let _ = black_box(sealer.seal(&[], &mut text));
    }
}

/// Bytes of the notes' payloads before padding, and of their texts alone.
fn payload_bytes(lines: &str) -> Outcome<(f64, f64)> {
    let (mut json, mut text) = (0, 0);
    for one in lines.lines() {
        if let Line::Note(note) = line::parse(one).map_err(|e| e.to_string())? {
            text += note.segments.iter().map(|s| s.text.len()).sum::<usize>();
            let mut note = *note;
            note.id = "n-00000000000000000000000000".to_owned();
            json += split::split(note)
                .iter()
                .map(|p| p.to_json().map_or(0, |j| j.len()))
                .sum::<usize>();
        }
    }
    Ok((json as f64, text as f64))
}

#[derive(Default)]
struct Page {
    rows: String,
}

impl Page {
    fn row(&mut self, what: &str, reached: &str, goal: &str, verdict: &str) {
        eprintln!("{what}: {reached} {goal} {verdict}");
        let _ = writeln!(self.rows, "| {what} | {reached} | {goal} | {verdict} |");
    }

    fn print(&self, growth: &[String]) -> String {
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        format!(
            "# Benchmarks\n\n\
             Written by `cargo run --release -p casevault-e2e --bin bench -- --write docs/benchmarks.md`, after \
             `cargo build --release`. Medians of whole processes on size m of the generated caseload (125 cases, about \
             48,000 notes), on {cores} cores; limits are measured in the same run. Compare ratios, not times.\n\n\
             | what | reached | goal | |\n|---|---|---|---|\n{}\n\
             ## Growth with the number of cases\n\n\
             The same commands on a case of about the same length, in vaults of different size: medians of 31 pairs with \
             `unlock`, which is taken off. Each process also opens the store and logs durably.\n\n\
             | vault | the case | `note add` | `note show` | `case show` |\n|---|---|---|---|---|\n{}\n",
            self.rows,
            growth.join("\n")
        )
    }
}

fn median(runs: usize, mut run: impl FnMut() -> Outcome<Duration>) -> Outcome<Duration> {
    let mut all = (0..runs).map(|_| run()).collect::<Outcome<Vec<_>>>()?;
    all.sort();
    Ok(all[runs / 2])
}

fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(1e-9)
}

fn ms(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1000.0)
}

fn verdict(holds: bool) -> &'static str {
    if holds { "reached" } else { "**short**" }
}
