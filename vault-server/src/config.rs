//! What the server is told at its start: the command line, and the places it falls back to.
//!
//! The environment is read here and nowhere else; everything after takes a [`Config`].

mod quota;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};
use data_encoding::HEXLOWER;
use etcetera::BaseStrategy;
use vault_core::id::AgencyId;

use crate::report::Told;
use crate::store::postgres::{Database, Unfit};

pub use quota::Quota;

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
    /// Move a folder into an empty PostgreSQL database, while no server runs; everything is verified on both sides.
    Move(MoveArgs),
    /// Derive every hash, signature, tile and head again; exit 4 and the first damage if something is otherwise. Of a
    /// folder while no server runs, of a database at any time.
    Check(PlaceArgs),
    /// Copy what a server keeps, in a folder or a database, to a new file, while it runs or not, and verify the copy.
    Backup(BackupArgs),
    /// Verify a copy and put it into a folder that has no database, or into an empty PostgreSQL database.
    Restore(RestoreArgs),
}

#[derive(Debug, Args)]
struct MoveArgs {
    /// The folder; its database is renamed to `server.moved.db` in the end.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The database, as `serve --database` takes it.
    #[arg(
        long,
        value_name = "URL",
        required_unless_present = "to_file",
        conflicts_with = "to_file"
    )]
    to: Option<String>,
    /// File with the URL of the database, as `serve --database-file` takes it.
    #[arg(long, value_name = "FILE")]
    to_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct BackupArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The copy, which must not be there yet.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

#[derive(Debug, Args)]
struct RestoreArgs {
    /// The copy.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Address and port to listen on; port 0 takes a free one, which the first line on stdout names.
    #[arg(long, value_name = "ADDR", default_value_t = LISTEN)]
    listen: SocketAddr,
    /// Agency that may be registered, as `a-…` or in hex; repeatable. On a loopback address without it, any may.
    #[arg(long, value_name = "AGENCY")]
    admit: Vec<Admitted>,
    /// Certificate chain in PEM, for TLS in the server itself; without it, put a proxy before any other address.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Requests a second of one device, or of one address without a session; 0 is no limit.
    #[arg(long, value_name = "N", default_value_t = RATE)]
    rate: u32,
    /// Bytes of ciphertext that are kept for one agency, such as `20GiB`; without it there is no limit but the disk's.
    #[arg(long, value_name = "SIZE")]
    quota: Option<Quota>,
    /// What is told on stderr.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    tell: Told,
    /// End when standard input ends, as by SIGTERM: for a server that is not to outlive whoever started it.
    #[arg(long)]
    until_input_ends: bool,
}

/// Where the server keeps what it keeps.
#[derive(Debug, Args)]
struct PlaceArgs {
    /// Folder of the server's own files, born 0700 [default: casevault-server in the XDG data folder].
    #[arg(long, value_name = "DIR", conflicts_with_all = ["database", "database_file"])]
    data: Option<PathBuf>,
    /// PostgreSQL database instead of a folder, as `postgres://USER@HOST/NAME`, without a password, which `PGPASSFILE` or
    /// `~/.pgpass` may have; several servers may share one. Off this machine with `?sslmode=verify-full&sslrootcert=FILE`.
    #[arg(long, value_name = "URL", conflicts_with = "database_file")]
    database: Option<String>,
    /// File with the URL of the database, which may have a password then; its owner alone may read it.
    #[arg(long, value_name = "FILE")]
    database_file: Option<PathBuf>,
}

/// Where the server keeps what it keeps.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// In a folder of its own, alone.
    Folder(PathBuf),
    /// In a PostgreSQL database, with other servers perhaps.
    Database(Database),
}

impl PlaceArgs {
    fn into_place(self) -> Result<Place, ConfigError> {
        match database(self.database, self.database_file)? {
            Some(database) => Ok(Place::Database(database)),
            None => Ok(Place::Folder(folder(self.data)?)),
        }
    }
}

/// Takes a database's URL, or reads it.
fn database(url: Option<String>, file: Option<PathBuf>) -> Result<Option<Database>, ConfigError> {
    let database = match (url, file) {
        (Some(url), _) => Database::named(&url)?,
        (None, Some(path)) => Database::in_file(&path)?,
        (None, None) => return Ok(None),
    };
    Ok(Some(with_password(database)?))
}

/// Looks the password up in the file in which whoever runs the server keeps passwords of databases, where libpq looks for it.
/// One that is named has to be fit; one that only lies in the home is passed over where it is not.
fn with_password(database: Database) -> Result<Database, ConfigError> {
    let named = std::env::var_os("PGPASSFILE").filter(|named| !named.is_empty());
    if let Some(named) = named {
        return Ok(database.with_passfile(&PathBuf::from(named))?);
    }
    let home = etcetera::home_dir().ok();
    let found = home.and_then(|home| database.clone().with_passfile(&home.join(".pgpass")).ok());
    Ok(found.unwrap_or(database))
}

/// The folder that is named, or the server's own of whoever runs it.
fn folder(named: Option<PathBuf>) -> Result<PathBuf, ConfigError> {
    match named {
        Some(folder) => Ok(folder),
        None => {
            let places = etcetera::base_strategy::Xdg::new().map_err(|_| ConfigError::NoHome)?;
            Ok(places.data_dir().join("casevault-server"))
        }
    }
}

/// Requests a second of one device.
const RATE: u32 = 1000;

/// An agency as it is admitted: its id, or the half of it that its text shows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Admitted(String);

impl FromStr for Admitted {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = HEXLOWER.decode(text.as_bytes()).is_ok_and(|bytes| bytes.len() == 32);
        let shown = text.strip_prefix("a-").is_some_and(|rest| {
            let letters = rest.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
            rest.len() == vault_core::id::ID_CHARS && letters
        });
        match hex || shown {
            true => Ok(Self(text.to_owned())),
            false => Err("an agency is `a-` and 26 characters, or 64 hex digits"),
        }
    }
}

/// Whom the server makes known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Admission {
    /// Whoever asks: on this machine alone.
    Anybody,
    /// These agencies.
    Listed(Vec<Admitted>),
}

impl Admission {
    /// Tells whether an agency may be registered.
    pub fn admits(&self, agency: &AgencyId) -> bool {
        match self {
            Self::Anybody => true,
            Self::Listed(listed) => {
                let (text, hex) = (agency.text(), HEXLOWER.encode(&agency.0));
                listed.iter().any(|Admitted(one)| *one == text || *one == hex)
            }
        }
    }
}

/// The settings of one run, complete: nothing is looked up after this.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Config {
    /// Where the server keeps what it keeps.
    pub place: Place,
    /// Address to listen on; port 0 means any free one.
    pub listen: SocketAddr,
    /// Whom the server makes known.
    pub admission: Admission,
    /// Certificate chain and private key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Requests a second of one device; 0 is no limit.
    pub rate: u32,
    /// How much is kept for one agency at most.
    pub quota: Option<Quota>,
    /// What is told on stderr.
    pub told: Told,
    /// Whether the end of standard input ends it.
    pub until_input_ends: bool,
}

/// Why no settings came of the command line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No `--data`, and no home to derive the default from.
    #[error("no home folder is known: name the server's folder with `--data`")]
    NoHome,
    /// The database is not named as it must be.
    #[error(transparent)]
    Database(#[from] Unfit),
}

/// What there is to do, complete: nothing is looked up after this.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Task {
    /// Serve.
    Serve(Config),
    /// Move a folder into a database.
    Move {
        /// The folder.
        from: PathBuf,
        /// The database.
        to: Database,
    },
    /// Go over everything that is kept.
    Check(Place),
    /// Copy what a server keeps.
    Backup {
        /// Where it keeps it.
        from: Place,
        /// The copy.
        to: PathBuf,
    },
    /// Put a copy back.
    Restore {
        /// The copy.
        from: PathBuf,
        /// Where a server is to keep it.
        to: Place,
    },
}

impl Cli {
    /// Completes the command line to what there is to do.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn into_task(self) -> Result<Task, ConfigError> {
        Ok(match self.command {
            Some(Command::Serve(args)) => Task::Serve(args.into_config()?),
            None => Task::Serve(self.serve.into_config()?),
            Some(Command::Move(MoveArgs { from, to, to_file })) => {
                let to = database(to, to_file)?.ok_or(Unfit::NotOne)?;
                Task::Move { from, to }
            }
            Some(Command::Check(place)) => Task::Check(place.into_place()?),
            Some(Command::Backup(BackupArgs { place, to })) => {
                let from = place.into_place()?;
                Task::Backup { from, to }
            }
            Some(Command::Restore(RestoreArgs { from, place })) => {
                let to = place.into_place()?;
                Task::Restore { from, to }
            }
        })
    }
}

impl ServeArgs {
    fn into_config(self) -> Result<Config, ConfigError> {
        let ServeArgs {
            place,
            listen,
            admit,
            tls_cert,
            tls_key,
            rate,
            quota,
            tell,
            until_input_ends,
        } = self;
        let admission = match listen.ip().is_loopback() && admit.is_empty() {
            true => Admission::Anybody,
            false => Admission::Listed(admit),
        };
        Ok(Config {
            place: place.into_place()?,
            listen,
            admission,
            tls: tls_cert.zip(tls_key),
            rate,
            quota,
            told: tell,
            until_input_ends,
        })
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
        match parse(args).unwrap().into_task().unwrap() {
            Task::Serve(config) => config,
            task => panic!("{task:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_the_default_subcommand() {
        let expected = Config {
            place: Place::Folder("d".into()),
            listen: "127.0.0.1:8443".parse().unwrap(),
            admission: Admission::Anybody,
            tls: None,
            rate: RATE,
            quota: None,
            told: Told::Requests,
            until_input_ends: false,
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
        let Place::Folder(folder) = config(&[]).place else {
            panic!()
        };
        assert!(folder.ends_with("casevault-server"));
    }

    #[test]
    fn a_database_is_named_without_a_password_and_instead_of_a_folder() {
        let named = config(&["--database", "postgres://server@localhost/vault"]);
        assert!(matches!(named.place, Place::Database(_)));
        for (url, told) in [
            ("postgres://server:secret@localhost/vault", "--database-file"),
            ("postgres://192.0.2.1/vault", "tunnel"),
            ("vault", "postgres:///NAME"),
        ] {
            let refused = parse(&["--database", url]).unwrap().into_task().unwrap_err();
            let said = refused.to_string();
            assert!(said.contains(told) && !said.contains("secret"), "{said}");
        }
        for both in [["--data", "d"], ["--database-file", "f"]] {
            let mut args = vec!["--database", "postgres:///vault"];
            args.extend(both);
            assert_eq!(parse(&args).unwrap_err().kind(), ErrorKind::ArgumentConflict);
        }
    }

    #[test]
    fn off_this_machine_only_those_that_are_listed_are_admitted() {
        let (one, other) = (AgencyId([1; 32]), AgencyId([2; 32]));
        let admission = |args: &[&str]| config(args).admission;
        assert!(admission(&["--listen", "[::1]:0"]).admits(&one));
        assert!(!admission(&["--listen", "0.0.0.0:0"]).admits(&one));
        let hex = HEXLOWER.encode(&one.0);
        for text in [one.text(), hex] {
            for listen in ["0.0.0.0:0", "127.0.0.1:0"] {
                let listed = admission(&["--listen", listen, "--admit", &text]);
                assert!(listed.admits(&one) && !listed.admits(&other), "{text}");
            }
        }
        for bad in ["a-1", "", "ff", &one.text().to_uppercase()] {
            assert!(parse(&["--admit", bad]).is_err(), "{bad}");
        }
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
