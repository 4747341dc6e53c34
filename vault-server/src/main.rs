//! `casevault-server`: reads the command line, serves, and stops when told to.
//!
//! The only module that prints. stdout carries one line, `listening on URL`; everything else goes to stderr.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use vault_server::config::{Cli, Config};
use vault_server::{Ended, Server};

fn main() -> ExitCode {
    // A usage error ends here, with exit code 2.
    let cli = Cli::parse();
    match run(cli) {
        Ok(Ended::Drained) => ExitCode::SUCCESS,
        Ok(Ended::CutOff) => {
            complain("stopped, cutting off connections that did not end in time");
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Threads that may wait for the disk at once; each reading one has a connection of the database.
const WAITING_THREADS: usize = 8;

fn run(cli: Cli) -> Result<Ended, Box<dyn std::error::Error>> {
    vault_server::memory::keep_small();
    let config = cli.into_config()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(WAITING_THREADS)
        .enable_all()
        .build()?;
    runtime.block_on(serve(&config))
}

async fn serve(config: &Config) -> Result<Ended, Box<dyn std::error::Error>> {
    let server = Server::bind(config).await?;
    // Before the address is told: whoever reads it may send the signal at once.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    writeln!(io::stdout(), "listening on {}", server.url())?;
    let ended = server
        .run(async move {
            tokio::select! {
                _ = terminate.recv() => (),
                _ = interrupt.recv() => (),
            }
        })
        .await?;
    Ok(ended)
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
