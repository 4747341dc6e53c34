//! `casevault-server`: reads the command line, serves, and stops when told to; or keeps the store that it serves.
//!
//! The only module that prints. stdout carries what was asked for: of serving one line, `listening on URL`; everything else
//! goes to stderr.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use data_encoding::HEXLOWER;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use vault_server::audit::{self, Damage, Sound};
use vault_server::config::{Cli, Config, Task};
use vault_server::store::StoreError;
use vault_server::{Ended, Server, backing, moving};

fn main() -> ExitCode {
    // A usage error ends here, with exit code 2.
    let cli = Cli::parse();
    match cli.into_task().map_err(Into::into).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&chain(error.as_ref()));
            match is_damage(error.as_ref()) {
                true => ExitCode::from(DAMAGED),
                false => ExitCode::FAILURE,
            }
        }
    }
}

/// The exit code of what found the store damaged.
const DAMAGED: u8 = 4;

/// Threads that may wait for the disk at once; each reading one has a connection of the database.
const WAITING_THREADS: usize = 8;

type Failed = Box<dyn std::error::Error>;

fn run(task: Task) -> Result<(), Failed> {
    vault_server::memory::keep_small();
    match task {
        Task::Serve(config) => serve_until_told(&config),
        Task::Move { from, to } => tell("moved", &moving::run(&from, to)?),
        Task::Check(place) => tell("sound", &audit::place(place)?),
        Task::Backup { from, to } => tell("copied", &backing::backup(from, &to)?),
        Task::Restore { from, to } => tell("restored", &backing::restore(&from, to)?),
    }
}

fn serve_until_told(config: &Config) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(WAITING_THREADS)
        .enable_all()
        .build()?;
    if runtime.block_on(serve(config))? == Ended::CutOff {
        complain("stopped, cutting off connections that did not end in time");
    }
    Ok(())
}

/// Writes a line for each agency, and what was done with all of them.
fn tell(done: &str, agencies: &[Sound]) -> Result<(), Failed> {
    let mut out = io::stdout().lock();
    for Sound { agency, size, root } in agencies {
        let root = HEXLOWER.encode(&root.0);
        writeln!(out, "{} leaves {size} root {root}", agency.text())?;
    }
    writeln!(out, "{done}: {} agencies", agencies.len())?;
    Ok(())
}

/// Tells whether an error came of damage.
fn is_damage(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |cause| cause.source());
    causes.any(|cause| {
        let damaged = matches!(
            cause.downcast_ref(),
            Some(StoreError::Damaged(_) | StoreError::Refused(_))
        );
        damaged || cause.is::<Damage>()
    })
}

async fn serve(config: &Config) -> Result<Ended, Failed> {
    let server = Server::bind(config).await?;
    // Before the address is told: whoever reads it may send the signal at once.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let input = config.until_input_ends.then(input_ended);
    writeln!(io::stdout(), "listening on {}", server.url())?;
    let ended = server
        .run(async move {
            tokio::select! {
                _ = terminate.recv() => (),
                _ = interrupt.recv() => (),
                () = ended(input) => (),
            }
        })
        .await?;
    Ok(ended)
}

/// Reads standard input to its end, in a thread of its own; the receiver is told.
fn input_ended() -> oneshot::Receiver<()> {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        // One that cannot be read is at its end.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = tell.send(());
    });
    told
}

async fn ended(input: Option<oneshot::Receiver<()>>) {
    match input {
        Some(told) => drop(told.await),
        None => std::future::pending().await,
    }
}

/// Writes an error and what led to it on one line, as `a: b: c`.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn complain(message: &str) {
    // Nothing is left to tell it to when stderr is gone too.
    let _ = writeln!(io::stderr(), "casevault-server: {message}");
}
