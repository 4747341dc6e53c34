//! Where the database is, and how it is not to be named.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use data_encoding::HEXUPPER_PERMISSIVE;
use postgres::Config;
use postgres::config::{Host, SslMode};

use super::passfile::{self, Wanted};
use super::secure::Secured;

/// Where PostgreSQL has its socket when a URL names no host.
const SOCKETS: &str = "/var/run/postgresql";

/// PostgreSQL's port where a URL names none.
const PORT: u16 = 5432;

/// Bytes of the longest file that is read as one with a URL.
const LONGEST: u64 = 4096;

/// Bytes of the longest file with passwords.
const LONGEST_PASSFILE: u64 = 1 << 20;

/// A database by its URL.
#[derive(Clone, Eq, PartialEq)]
pub struct Database {
    /// The URL without what is said of TLS.
    url: String,
    /// A password that is not in the URL.
    password: Option<String>,
    /// Whom its certificate has to be from, where there is TLS.
    secured: Option<Secured>,
}

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
    /// It leads off this machine, in clear.
    #[error(
        "the connection to the database would leave this machine without TLS: add `sslmode=verify-full&sslrootcert=FILE` to the \
         URL, with the certificate of whoever certifies the database; or name a loopback address or a Unix socket, such as the \
         near end of a tunnel"
    )]
    Far,
    /// What it says of TLS is not known.
    #[error("`sslmode` is `disable`, `prefer`, `require`, `verify-ca` or `verify-full`")]
    Mode,
    /// It wants TLS, and does not say to whom.
    #[error(
        "TLS to the database is to whoever an authority certifies: name the authority's certificate with `sslrootcert=FILE`, or \
         it could be anybody"
    )]
    NoRoots,
    /// It wants TLS over a Unix socket.
    #[error("there is no TLS over a Unix socket: name a host, or leave `sslmode` out")]
    Socket,
    /// The file with the authorities cannot be used.
    #[error("cannot read certificates of authorities from `{}`", path.display())]
    Roots {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
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
        let text = read_own(file, path, LONGEST)?;
        Ok(Self::of(text.trim())?.0)
    }

    /// Looks a password up in a file, as libpq does, where the URL has none. A file that is not there has none either.
    ///
    /// # Errors
    /// [`Unfit::Open`], [`Unfit::File`].
    pub fn with_passfile(mut self, path: &Path) -> Result<Self, Unfit> {
        let config = self.config();
        if config.get_password().is_some() {
            return Ok(self);
        }
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(self),
            Err(source) => {
                let path = path.to_owned();
                return Err(Unfit::File { path, source });
            }
        };
        let text = read_own(file, path, LONGEST_PASSFILE)?;
        let host = match config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            // As libpq has it.
            Some(Host::Unix(folder)) if folder == Path::new(SOCKETS) => "localhost".to_owned(),
            Some(Host::Unix(folder)) => folder.display().to_string(),
            None => config
                .get_hostaddrs()
                .first()
                .map_or_else(String::new, IpAddr::to_string),
        };
        let wanted = Wanted {
            host: &host,
            port: config.get_ports().first().copied().unwrap_or(PORT),
            database: config.get_dbname().unwrap_or_default(),
            user: config.get_user().unwrap_or_default(),
        };
        self.password = passfile::find(&text, &wanted);
        Ok(self)
    }

    fn of(url: &str) -> Result<(Self, Config), Unfit> {
        let schemes = ["postgres://", "postgresql://"];
        if !schemes.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(Unfit::NotOne);
        }
        let (url, said) = split(url)?;
        let config: Config = url.parse().map_err(|_| Unfit::NotOne)?;
        if config.get_dbname().is_none() {
            return Err(Unfit::NotOne);
        }
        let wants = match said.mode.as_deref() {
            None | Some("disable" | "prefer") => false,
            // No certificate is taken unseen, and none for another name, whichever of these it is.
            Some("require" | "verify-ca" | "verify-full") => true,
            Some(_) => return Err(Unfit::Mode),
        };
        let is_socket = |host: &Host| matches!(host, Host::Unix(_));
        let near = |host: &Host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
        };
        let secured = match (wants, said.roots) {
            (true, Some(_)) if config.get_hosts().iter().any(is_socket) => return Err(Unfit::Socket),
            (true, Some(path)) => Some(Secured::by(&path).map_err(|source| Unfit::Roots { path, source })?),
            (true, None) => return Err(Unfit::NoRoots),
            (false, _) => None,
        };
        let all = config.get_hosts().iter().all(near) && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
        if !all && secured.is_none() {
            return Err(Unfit::Far);
        }
        let password = None;
        let this = Self { url, password, secured };
        Ok((this, config))
    }

    /// Returns how to connect.
    pub(super) fn config(&self) -> Config {
        // It was parsed when it was taken.
        let mut config: Config = self.url.parse().unwrap_or_default();
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host_path(SOCKETS);
        }
        if let Some(password) = &self.password {
            config.password(password);
        }
        config.ssl_mode(match self.secured {
            Some(_) => SslMode::Require,
            None => SslMode::Disable,
        });
        config
    }

    /// Returns whom the database's certificate has to be from, where there is TLS.
    pub(super) fn secured(&self) -> Option<Secured> {
        self.secured.clone()
    }
}

/// Reads a file that its owner alone may read.
fn read_own(file: File, path: &Path, longest: u64) -> Result<String, Unfit> {
    let unread = |source| Unfit::File {
        path: path.to_owned(),
        source,
    };
    if file.metadata().map_err(unread)?.mode() & 0o077 != 0 {
        return Err(Unfit::Open(path.to_owned()));
    }
    let mut text = String::new();
    file.take(longest).read_to_string(&mut text).map_err(unread)?;
    Ok(text)
}

/// What a URL says of TLS.
#[derive(Default)]
struct OfTls {
    mode: Option<String>,
    roots: Option<PathBuf>,
}

/// Takes what is said of TLS out of a URL, which is ours to understand.
fn split(url: &str) -> Result<(String, OfTls), Unfit> {
    let mut said = OfTls::default();
    let Some((base, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), said));
    };
    let mut rest = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", value)) => said.mode = Some(value.to_owned()),
            Some(("sslrootcert", value)) => said.roots = Some(PathBuf::from(decoded(value).ok_or(Unfit::NotOne)?)),
            _ => rest.push(pair),
        }
    }
    match rest.is_empty() {
        true => Ok((base.to_owned(), said)),
        false => Ok((format!("{base}?{}", rest.join("&")), said)),
    }
}

/// Undoes `%XX`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => HEXUPPER_PERMISSIVE.decode(&[rest.next()?, rest.next()?]).ok()?.pop()?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
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
            "postgres://192.0.2.1/vault?sslmode=disable",
            "postgres://192.0.2.1/vault?sslmode=prefer&sslrootcert=/nowhere",
        ] {
            assert!(matches!(Database::named(far), Err(Unfit::Far)), "{far}");
        }
    }

    #[test]
    fn tls_is_to_whom_an_authority_certifies() {
        let roots = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/tls/cert.pem");
        for mode in ["require", "verify-ca", "verify-full"] {
            let far = format!("postgres://db.example/vault?application_name=x&sslmode={mode}");
            assert!(matches!(Database::named(&far), Err(Unfit::NoRoots)), "{mode}");
            let with = Database::named(&format!("{far}&sslrootcert={}", roots.replace('/', "%2F"))).unwrap();
            assert_eq!(with.config().get_ssl_mode(), SslMode::Require);
            assert!(with.secured().is_some());
        }
        let wrong = |rest: &str| Database::named(&format!("postgres://db.example/vault?{rest}")).unwrap_err();
        assert!(matches!(wrong("sslmode=allow"), Unfit::Mode));
        assert!(matches!(wrong("sslmode=require&sslrootcert=%4"), Unfit::NotOne));
        for file in ["/nowhere", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")] {
            let refused = wrong(&format!("sslmode=require&sslrootcert={file}"));
            assert!(matches!(refused, Unfit::Roots { .. }), "{file}");
        }
        let socket = format!("postgres:///vault?host=/run/postgresql&sslmode=require&sslrootcert={roots}");
        assert!(matches!(Database::named(&socket), Err(Unfit::Socket)));
    }

    #[test]
    fn a_password_is_looked_up_in_a_file_of_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        let named = || Database::named("postgres://server@localhost/vault").unwrap();
        assert_eq!(named().with_passfile(&path).unwrap().config().get_password(), None);
        fs::write(
            &path,
            "localhost:5432:vault:server:secret\n/run/elsewhere:*:*:*:other\n",
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(named().with_passfile(&path), Err(Unfit::Open(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let found = |url: &str| {
            let database = Database::named(url).unwrap().with_passfile(&path).unwrap();
            assert!(!format!("{database:?}").contains("secret"));
            database.config().get_password().map(<[u8]>::to_vec)
        };
        assert_eq!(found("postgres://server@localhost/vault"), Some(b"secret".to_vec()));
        assert_eq!(found("postgres://server@/vault"), Some(b"secret".to_vec()));
        assert_eq!(
            found("postgres://server@/vault?host=/var/run/postgresql"),
            Some(b"secret".to_vec())
        );
        assert_eq!(
            found("postgres://server@/vault?host=/run/elsewhere"),
            Some(b"other".to_vec())
        );
        assert_eq!(found("postgres://another@localhost/vault"), None);
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
