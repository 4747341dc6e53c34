//! Where the database is, and how it is not to be named.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use postgres::Config;
use postgres::config::{Host, SslMode};

/// Where PostgreSQL has its socket when a URL names no host.
const SOCKETS: &str = "/var/run/postgresql";

/// Bytes of the longest file that is read as one with a URL.
const LONGEST: u64 = 4096;

/// A database by its URL.
#[derive(Clone, Eq, PartialEq)]
pub struct Database(String);

/// Why a URL is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// It is none.
    #[error("the database is named as postgres://USER@HOST:PORT/NAME, or postgres:///NAME for a Unix socket")]
    NotOne,
    /// It has a password, and is in an argument.
    #[error(
        "a password in an argument is seen by every process of this machine: write the URL into a file that its owner \
         alone may read, and name that with `--database-file`"
    )]
    Password,
    /// It leads off this machine.
    #[error(
        "the connection to the database would leave this machine, and there is no TLS for it yet: name a loopback address \
         or a Unix socket, such as the near end of a tunnel"
    )]
    Far,
    /// Its file may be read by others.
    #[error("`{}` may be read by others than its owner: chmod 600 it, and change the password if it has one", .0.display())]
    Open(PathBuf),
    /// Its file cannot be read.
    #[error("cannot read `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Database")
    }
}

impl Database {
    /// Takes a URL out of an argument.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn named(url: &str) -> Result<Self, Unfit> {
        let (this, config) = Self::of(url)?;
        match config.get_password() {
            Some(_) => Err(Unfit::Password),
            None => Ok(this),
        }
    }

    /// Takes a URL out of a file, which may have a password.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn in_file(path: &Path) -> Result<Self, Unfit> {
        let unread = |source| Unfit::File {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unread)?;
        if file.metadata().map_err(unread)?.mode() & 0o077 != 0 {
            return Err(Unfit::Open(path.to_owned()));
        }
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text).map_err(unread)?;
        Ok(Self::of(text.trim())?.0)
    }

    fn of(url: &str) -> Result<(Self, Config), Unfit> {
        let schemes = ["postgres://", "postgresql://"];
        if !schemes.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(Unfit::NotOne);
        }
        let config: Config = url.parse().map_err(|_| Unfit::NotOne)?;
        if config.get_dbname().is_none() {
            return Err(Unfit::NotOne);
        }
        let near = |host: &Host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
        };
        let all = config.get_hosts().iter().all(near) && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
        match all && config.get_ssl_mode() != SslMode::Require {
            true => Ok((Self(url.to_owned()), config)),
            false => Err(Unfit::Far),
        }
    }

    /// Returns how to connect.
    pub(super) fn config(&self) -> Config {
        // It was parsed when it was taken.
        let mut config: Config = self.0.parse().unwrap_or_default();
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host_path(SOCKETS);
        }
        config.ssl_mode(SslMode::Disable);
        config
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_database_is_near_and_its_password_in_no_argument() {
        for good in [
            "postgres:///vault",
            "postgresql://server@/vault?host=/run/postgresql",
            "postgres://server@127.0.0.1:5433/vault",
            "postgres://[::1]/vault",
            "postgres://localhost/vault",
        ] {
            Database::named(good).unwrap();
        }
        for bad in [
            "",
            "vault",
            "mysql:///vault",
            "host=localhost dbname=vault",
            "postgres://localhost",
        ] {
            assert!(matches!(Database::named(bad), Err(Unfit::NotOne)), "{bad}");
        }
        for secret in [
            "postgres://server:secret@localhost/vault",
            "postgres:///vault?password=secret",
        ] {
            let refused = Database::named(secret).unwrap_err();
            assert!(matches!(refused, Unfit::Password), "{secret}");
            assert!(!format!("{refused} {refused:?}").contains("secret"));
        }
        for far in [
            "postgres://db.example.org/vault",
            "postgres://192.0.2.1/vault",
            "postgres://localhost,192.0.2.1/vault",
            "postgres://localhost/vault?hostaddr=192.0.2.1",
            "postgres://localhost/vault?sslmode=require",
        ] {
            assert!(matches!(Database::named(far), Err(Unfit::Far)), "{far}");
        }
    }

    #[test]
    fn a_file_with_a_password_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        assert!(matches!(Database::in_file(&path), Err(Unfit::File { .. })));
        fs::write(&path, "postgres://server:secret@localhost/vault\n").unwrap();
        for (mode, fits) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let taken = Database::in_file(&path);
            assert_eq!(taken.is_ok(), fits, "{mode:o}");
            match taken {
                Ok(database) => {
                    assert_eq!(database.config().get_password(), Some(&b"secret"[..]));
                    assert!(!format!("{database:?}").contains("secret"));
                }
                Err(refused) => assert!(matches!(refused, Unfit::Open(_))),
            }
        }
    }
}
