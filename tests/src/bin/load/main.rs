//! The load on a server: `cargo run --release -p casevault-e2e --bin load -- [--server PROGRAM] [--database URL] [--notes N]
//! [--reads N]`. With `--database` the server keeps what it keeps in that PostgreSQL database, which should be empty.
//!
//! Everything that is sent is signed beforehand; then a real `casevault-server` is started on an empty folder, and asked
//! over real sockets from 32 connections: single notes, durable each; batches of notes; single reads; eight pulls of
//! everything at once. Beside them stands what the machine gives in the same run: how often a file is written through to
//! the disk in a second. No figure is asserted; machines are shared, and ratios count.

mod office;
mod wire;

use office::{Office, Sent};
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::sync::AppendReply;
use vault_core::wire::v1::sync::Outcome;
use vault_core::wire::v1::sync::StreamPage;
use wire::Connection;

/// Connections that ask at once.
const CONNECTIONS: usize = 32;
/// Notes of a batch.
const BATCH: usize = 200;
/// Pulls of everything at once.
const PULLS: usize = 8;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<()> {
    let options = Options::read()?;
    let folder = tempfile::tempdir()?;
    let server = Server::start(&options, folder.path())?;
    let office = Office::found(server.address, CONNECTIONS)?;
    // Single notes, then as many in batches.
    let signed = Instant::now();
    let mut singles = office.notes(options.notes / CONNECTIONS, 1)?;
    let batches = office.notes(options.notes / CONNECTIONS, BATCH)?;
    let count = 2 * (options.notes / CONNECTIONS) * CONNECTIONS;
    eprintln!("{count} notes signed in {:.1?}", signed.elapsed());
    println!("| what | a second | p50 | p99 | server's memory |\n|---|---|---|---|---|");

    let warm: Vec<Sent> = singles.iter_mut().map(Sent::first_tenth).collect();
    timed(&server, warm, append)?;
    timed(&server, singles, append)?.row("append of single notes, durable", 1, &server)?;
    timed(&server, batches, append)?.row(&format!("append in batches of {BATCH}"), BATCH, &server)?;
    let reads = office.reads(options.reads / CONNECTIONS);
    timed(&server, reads, read)?.row("read of a note", 1, &server)?;
    let pulls = office.pulls(PULLS);
    timed(&server, pulls, pull)?.row(&format!("pages, {PULLS} pulls of all at once"), 1, &server)?;
    println!(
        "| a file written through to the disk | {:.0} | | | |",
        syncs(folder.path())?
    );
    Ok(())
}

struct Options {
    server: PathBuf,
    database: Option<String>,
    notes: usize,
    reads: usize,
}

impl Options {
    fn read() -> Result<Self> {
        let mut options = Self {
            server: std::env::current_exe()?.with_file_name("casevault-server"),
            database: None,
            notes: 40_000,
            reads: 100_000,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().ok_or("a flag without its value")?;
            match word.as_str() {
                "--server" => options.server = value.into(),
                "--database" => options.database = Some(value),
                "--notes" => options.notes = value.parse()?,
                "--reads" => options.reads = value.parse()?,
                _ => return Err(format!("unknown flag `{word}`").into()),
            }
        }
        Ok(options)
    }
}

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(options: &Options, folder: &Path) -> Result<Self> {
        let place = match &options.database {
            Some(url) => ["--database".into(), url.into()],
            None => ["--data".into(), folder.join("server").into_os_string()],
        };
        let mut child = Command::new(&options.server)
            .args(["--listen", "127.0.0.1:0", "--rate", "0", "--tell", "failures"])
            .args(place)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.as_mut().ok_or("no stdout")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line
            .trim_end()
            .strip_prefix("listening on http://")
            .ok_or("no address")?;
        let address = address.parse()?;
        Ok(Self { child, address })
    }

    /// The most memory that it ever had, and what it has now, in MiB.
    fn memory(&self) -> Result<(u64, u64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
            kib.unwrap_or_default() / 1024
        };
        Ok((field("VmHWM:"), field("VmRSS:")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is the end of its folder too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a connection waited for each answer.
struct Figures {
    took: Duration,
    waits: Vec<Duration>,
}

impl Figures {
    fn row(mut self, what: &str, each: usize, server: &Server) -> Result<()> {
        self.waits.sort_unstable();
        let at = |part: usize| {
            self.waits
                .get((self.waits.len() * part / 100).min(self.waits.len() - 1))
        };
        let ms = |wait: Option<&Duration>| wait.map_or(0.0, |wait| wait.as_secs_f64() * 1e3);
        let (most, now) = server.memory()?;
        println!(
            "| {what} | {:.0} | {:.2} ms | {:.2} ms | {now} MiB, at most {most} |",
            (self.waits.len() * each) as f64 / self.took.as_secs_f64(),
            ms(at(50)),
            ms(at(99)),
        );
        std::io::stdout().flush()?;
        Ok(())
    }
}

/// Asks on one connection for each of `sent`, all at once.
fn timed(server: &Server, sent: Vec<Sent>, ask: fn(&mut Connection, &Sent, usize) -> Result<usize>) -> Result<Figures> {
    let address = server.address;
    let began = Instant::now();
    let waits = thread::scope(|scope| {
        let running: Vec<_> = sent
            .iter()
            .map(|sent| {
                scope.spawn(move || -> Result<Vec<Duration>> {
                    let mut connection = Connection::to(address)?;
                    let mut waits = Vec::new();
                    let mut at = 0;
                    while at < sent.len() {
                        let began = Instant::now();
                        at = ask(&mut connection, sent, at)?;
                        waits.push(began.elapsed());
                    }
                    Ok(waits)
                })
            })
            .collect();
        let done = running
            .into_iter()
            .map(|one| one.join().map_err(|_| "a connection died")?);
        done.collect::<Result<Vec<_>>>()
    })?;
    Ok(Figures {
        took: began.elapsed(),
        waits: waits.into_iter().flatten().collect(),
    })
}

fn append(connection: &mut Connection, sent: &Sent, at: usize) -> Result<usize> {
    let body = connection.ask(sent.request(at))?;
    let reply: AppendReply = vault_core::wire::decode(&body, limit::APPEND)?;
    match reply
        .outcomes
        .iter()
        .all(|outcome| matches!(outcome, Outcome::Stored(_)))
    {
        true => Ok(at + 1),
        false => Err(format!("not stored: {:?}", reply.outcomes).into()),
    }
}

fn read(connection: &mut Connection, sent: &Sent, at: usize) -> Result<usize> {
    let body = connection.ask(sent.request(at))?;
    let page: StreamPage = vault_core::wire::decode(&body, limit::APPEND)?;
    match page.parcels.len() {
        1 => Ok(at + 1),
        other => Err(format!("{other} parcels").into()),
    }
}

/// Reads a stream from its beginning to its end, page by page; then the next.
fn pull(connection: &mut Connection, sent: &Sent, at: usize) -> Result<usize> {
    let (stream, from) = sent.place(at);
    let body = connection.ask(&sent.page(stream, from))?;
    let page: StreamPage = vault_core::wire::decode(&body, limit::APPEND)?;
    Ok(sent.after(at, page.parcels.len() as u64, page.more == 1))
}

/// How often a file of 4 KiB is written through to the disk in a second.
fn syncs(folder: &Path) -> Result<f64> {
    let mut file = std::fs::File::create(folder.join("synced"))?;
    let began = Instant::now();
    let mut times = 0;
    while began.elapsed() < Duration::from_secs(1) {
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        times += 1;
    }
    Ok(f64::from(times) / began.elapsed().as_secs_f64())
}
