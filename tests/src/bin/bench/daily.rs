//! A day with the vault held open: each command through the agent beside what the peers found here do with one file.

use super::Bench;
use super::Outcome;
use super::Page;
use super::median;
use super::ms;
use super::verdict;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;
use vault_core::note::line;
use vault_core::note::line::Line;

/// Bytes of the file that is attached.
const ATTACHED: usize = 256 << 20;

/// A tool that encrypts a file to a key: `rage` where it is, otherwise `age`.
struct Peer {
    name: &'static str,
    key: PathBuf,
    recipient: String,
}

impl Peer {
    fn find(folder: &Path, name: &'static str) -> Option<Self> {
        let key = folder.join(format!("{name} key"));
        let made = Command::new(format!("{name}-keygen")).arg("-o").arg(&key).output();
        if !made.is_ok_and(|made| made.status.success()) {
            return None;
        }
        let text = std::fs::read_to_string(&key).ok()?;
        let recipient = text.lines().find_map(|line| line.strip_prefix("# public key: "))?;
        let recipient = recipient.to_owned();
        Some(Self { name, key, recipient })
    }

    fn encrypt(&self, from: &Path, to: &Path) -> Outcome<Duration> {
        let arguments = ["-e", "-r", &self.recipient, "-o"].map(str::to_owned);
        self.run(&arguments, to, from)
    }

    fn decrypt(&self, from: &Path, to: &Path) -> Outcome<Duration> {
        let arguments = ["-d".to_owned(), "-i".to_owned(), path(&self.key), "-o".to_owned()];
        self.run(&arguments, to, from)
    }

    fn run(&self, arguments: &[String], to: &Path, from: &Path) -> Outcome<Duration> {
        if to.is_file() {
            std::fs::remove_file(to)?;
        }
        let mut command = Command::new(self.name);
        command.args(arguments).arg(to).arg(from).stdin(Stdio::null());
        let start = Instant::now();
        let done = command.output()?;
        let took = start.elapsed();
        match done.status.success() {
            true => Ok(took),
            false => Err(format!("{}: {}", self.name, String::from_utf8_lossy(&done.stderr)).into()),
        }
    }
}

/// Measures on the vault in `home`, that was made of `lines`.
pub fn daily(bench: &Bench, page: &mut Page, home: &Path, lines: &str) -> Outcome<()> {
    let age = Peer::find(bench.folder.path(), "age").ok_or("age is needed to compare with: apt install age")?;
    let rage = Peer::find(bench.folder.path(), "rage");
    let one = rage.as_ref().unwrap_or(&age);
    unlock(bench, page)?;
    bench.time(home, &["unlock"], "")?;
    let measured = writing_and_reading(bench, page, home, one)
        .and_then(|()| searching(bench, page, home, lines, &age))
        .and_then(|()| attaching(bench, page, home, &age));
    bench.time(home, &["lock"], "")?;
    measured
}

/// At the cost that a new vault has, unless told otherwise.
fn unlock(bench: &Bench, page: &mut Page) -> Outcome<()> {
    let home = bench.folder.path().join("unlock");
    bench.time(&home, &["init", "--agency", "Bench", "--name", "Bench"], "")?;
    let took = median(5, || {
        let took = bench.time(&home, &["unlock"], "");
        bench.time(&home, &["lock"], "")?;
        took
    })?;
    page.row(
        "`unlock`, which starts the agent (Argon2id 256 MiB)",
        &ms(took),
        "within 1 s",
        verdict(took <= Duration::from_secs(1)),
    );
    Ok(())
}

fn writing_and_reading(bench: &Bench, page: &mut Page, home: &Path, peer: &Peer) -> Outcome<()> {
    const NOTE: &str = "obs: Rang; all well. He has the letter, and the heating is on again.\n";
    let file = bench.folder.path().join("one note");
    std::fs::write(&file, NOTE)?;
    let sealed = bench.folder.path().join("one note sealed");
    let cases = bench.json(home, &["case", "list", "--json"])?;
    let case = cases["cases"][0]["case"].as_str().unwrap_or_default().to_owned();
    let list = bench.json(home, &["note", "list", &case, "--json"])?;
    let note = list["notes"][0]["note"].as_str().unwrap_or_default().to_owned();
    let (mut adds, mut seals, mut shows, mut opens, mut commits) = (vec![], vec![], vec![], vec![], vec![]);
    // One after the other, so that a busy moment hits all of them.
    for _ in 0..41 {
        adds.push(bench.time(
            home,
            &["note", "add", &case, "--kind", "phone", "--file", &path(&file)],
            "",
        )?);
        seals.push(peer.encrypt(&file, &sealed)?);
        shows.push(bench.time(home, &["note", "show", &note], "")?);
        opens.push(peer.decrypt(&sealed, &bench.folder.path().join("one note opened"))?);
        commits.push(commit(&home.join("a commit"))?);
    }
    std::fs::remove_file(home.join("a commit"))?;
    let [add, seal, show, open, commit] = [adds, seals, shows, opens, commits].map(middle);
    let mut against = |what: &str, took: Duration, other: &str, limit: Duration, most: f64| {
        let ratio = took.as_secs_f64() / limit.as_secs_f64();
        page.row(
            &format!("`{what}` through the agent"),
            &format!("{}: {ratio:.2}x of {}", ms(took), ms(limit)),
            &format!("at most {most}x of `{other}`"),
            verdict(ratio <= most),
        );
    };
    let name = peer.name;
    against("note add", add, &format!("{name} -e"), seal, 1.5);
    against("note show", show, &format!("{name} -d"), open, 1.2);
    page.row("… a commit of this disk (4 KiB and fsync)", &ms(commit), "", "");
    Ok(())
}

/// What the disk takes for one durable write, whoever makes it.
fn commit(file: &Path) -> Outcome<Duration> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
    let start = Instant::now();
    file.write_all(&[7; 4096])?;
    file.sync_data()?;
    Ok(start.elapsed())
}

fn searching(bench: &Bench, page: &mut Page, home: &Path, lines: &str, age: &Peer) -> Outcome<()> {
    let mut text = String::new();
    for one in lines.lines() {
        if let Line::Note(note) = line::parse(one).map_err(|e| e.to_string())? {
            for segment in &note.segments {
                text.push_str(&segment.text);
                text.push('\n');
            }
        }
    }
    let folder = bench.folder.path();
    let (plain, sealed) = (folder.join("all text"), folder.join("all text sealed"));
    std::fs::write(&plain, &text)?;
    age.encrypt(&plain, &sealed)?;
    let find = ["note", "find", "--file", "-"];
    let first = bench.time(home, &find, "zebrafish\n")?;
    let (mut finds, mut streams) = (vec![], vec![]);
    for _ in 0..21 {
        finds.push(bench.time(home, &find, "zebrafish\n")?);
        streams.push(age.decrypt(&sealed, Path::new("/dev/null"))?);
    }
    let (find, stream) = (middle(finds), middle(streams));
    let ratio = find.as_secs_f64() / stream.as_secs_f64();
    page.row(
        "`note find` through the agent, a second search",
        &format!("{}: {ratio:.2}x of {}", ms(find), ms(stream)),
        &format!("at most 0.3x of `age -d` of the same {:.0} MB", text.len() as f64 / 1e6),
        verdict(ratio <= 0.3),
    );
    page.row("… the first one, which opens every note", &ms(first), "", "");
    let status = bench.json(home, &["status", "--json"])?;
    let process = status["agent_process"].as_u64().ok_or("an agent runs")?;
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let held = held.and_then(|held| held.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    let ratio = held.ok_or("the agent's memory")? * 1024.0 / text.len() as f64;
    page.row(
        "memory of the agent after it",
        &format!("{ratio:.1}x of the text"),
        "at most 3x",
        verdict(ratio <= 3.0),
    );
    Ok(())
}

fn attaching(bench: &Bench, page: &mut Page, home: &Path, age: &Peer) -> Outcome<()> {
    let folder = bench.folder.path();
    let (file, sealed, out) = (folder.join("film"), folder.join("film sealed"), folder.join("film out"));
    let mut content: Vec<u8> = (0..ATTACHED as u64 / 8)
        .flat_map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes())
        .collect();
    let cases = bench.json(home, &["case", "list", "--json"])?;
    let case = cases["cases"][0]["case"].as_str().unwrap_or_default().to_owned();
    let list = bench.json(home, &["note", "list", &case, "--json"])?;
    let note = list["notes"][0]["note"].as_str().unwrap_or_default().to_owned();
    let (mut attaches, mut seals, mut gets, mut opens, mut copies) = (vec![], vec![], vec![], vec![], vec![]);
    for n in 1..=5u8 {
        // The same content again would be attached once.
        content[0] = n;
        std::fs::write(&file, &content)?;
        attaches.push(bench.time(home, &["note", "attach", &note, &path(&file)], "")?);
        seals.push(age.encrypt(&file, &sealed)?);
        if out.exists() {
            std::fs::remove_file(&out)?;
        }
        let get = ["note", "attach", &note, "--get", &n.to_string(), "--out", &path(&out)];
        gets.push(bench.time(home, &get, "")?);
        opens.push(age.decrypt(&sealed, &out)?);
        copies.push(copy(&content, &folder.join("film copied"))?);
    }
    let rate = |took: Duration| ATTACHED as f64 / 1e6 / took.as_secs_f64();
    let mut against = |what: &str, took: Duration, other: &str, limit: Duration| {
        page.row(
            &format!("{what} of 256 MiB through the agent, durable"),
            &format!("{:.0} MB/s against {:.0} MB/s", rate(took), rate(limit)),
            &format!("at least as `age {other}`"),
            verdict(took <= limit),
        );
    };
    against("`note attach`", middle(attaches), "-e", middle(seals));
    against("`note attach --get`", middle(gets), "-d", middle(opens));
    page.row(
        "… a durable copy on this disk, out of memory and with one fsync; `age` makes nothing durable",
        &format!("{:.0} MB/s", rate(middle(copies))),
        "",
        "",
    );
    Ok(())
}

/// What the disk takes for as many bytes, whoever writes them.
fn copy(content: &[u8], to: &Path) -> Outcome<Duration> {
    let start = Instant::now();
    let mut file = std::fs::File::create(to)?;
    file.write_all(content)?;
    file.sync_all()?;
    let took = start.elapsed();
    std::fs::remove_file(to)?;
    Ok(took)
}

fn middle(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
