//! What the server is told at its start: the command line, and the places it falls back to.
//!
//! The environment is read here and nowhere else; everything after takes a [`Config`].

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use etcetera::BaseStrategy;

/// The address that the server listens on when none is given: this machine only.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8443);

/// Sync server of CaseVault: holds ciphertext, signatures and pseudonymous ids, and nothing that a reader could use.
#[derive(Debug, Parser)]
#[command(name = "casevault-server", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT; this is also what happens without a subcommand.
    Serve(ServeArgs),
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Folder of the server's own files, born 0700 [default: casevault-server in the XDG data folder].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address and port to listen on; port 0 takes a free one, which the first line on stdout names.
    #[arg(long, value_name = "ADDR", default_value_t = LISTEN)]
    listen: SocketAddr,
}

/// The settings of one run, complete: nothing is looked up after this.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Config {
    /// Folder of the server's own files.
    pub data: PathBuf,
    /// Address to listen on; port 0 means any free one.
    pub listen: SocketAddr,
}

/// Why no settings came of the command line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No `--data`, and no home to derive the default from.
    #[error("no home folder is known: name the server's folder with `--data`")]
    NoHome,
}

impl Cli {
    /// Completes the command line to the settings of a run.
    ///
    /// # Errors
    /// [`ConfigError::NoHome`] without `--data` where the environment names no home.
    pub fn into_config(self) -> Result<Config, ConfigError> {
        let ServeArgs { data, listen } = match self.command {
            Some(Command::Serve(args)) => args,
            None => self.serve,
        };
        let data = match data {
            Some(dir) => dir,
            None => etcetera::base_strategy::Xdg::new()
                .map_err(|_| ConfigError::NoHome)?
                .data_dir()
                .join("casevault-server"),
        };
        Ok(Config { data, listen })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    fn parse(args: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("casevault-server").chain(args.iter().copied()))
    }

    fn config(args: &[&str]) -> Config {
        parse(args).unwrap().into_config().unwrap()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_the_default_subcommand() {
        let expected = Config {
            data: "d".into(),
            listen: "127.0.0.1:8443".parse().unwrap(),
        };
        assert_eq!(config(&["serve", "--data", "d"]), expected);
        assert_eq!(config(&["--data", "d"]), expected);
        assert_eq!(
            config(&["--data", "d", "--listen", "[::1]:0"]).listen,
            "[::1]:0".parse().unwrap()
        );
    }

    #[test]
    fn the_default_folder_is_the_servers_own() {
        assert!(config(&[]).data.ends_with("casevault-server"));
    }

    #[test]
    fn what_is_not_an_address_is_a_usage_error() {
        for bad in ["localhost", "127.0.0.1", "127.0.0.1:65536", ":8443"] {
            assert_eq!(
                parse(&["--listen", bad]).unwrap_err().kind(),
                ErrorKind::ValueValidation,
                "{bad}"
            );
        }
        assert_eq!(
            parse(&["--data", "d", "serve"]).unwrap_err().kind(),
            ErrorKind::ArgumentConflict
        );
    }
}
