//! TLS to the database: a real cluster with a certificate, whoever certifies it, and a password out of a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::Signal;
use vault_core::id::AgencyId;
use vault_core::secret::SigningSeed;
use vault_server::store::postgres::{Database, Postgres};
use vault_server::store::writing;

use crate::cluster::{Cluster, name};
use crate::kit::Server;

const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/tls/cert.pem");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/tls/key.pem");
/// A certificate that says of itself what the other does, by another key.
const OTHER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/tls/other.pem");
const PASSWORD: &str = "quiet:herons";

/// An address of this machine that is no other test's, so that PostgreSQL has its port there to itself.
fn address() -> String {
    let [_, a, b, c] = std::process::id().to_be_bytes();
    format!("127.{}.{b}.{}", 64 + a % 64, c.clamp(1, 254))
}

/// Goes over a database with the real command; returns how that ended, and all that it said.
fn check(url: &str, passfile: &Path) -> (Option<i32>, String) {
    let done = Server::command()
        .args(["check", "--database", url])
        .env("PGPASSFILE", passfile)
        .output()
        .unwrap();
    let said = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    assert!(!said.contains(PASSWORD), "{said}");
    (done.status.code(), said)
}

#[test]
fn a_database_is_reached_over_tls_that_its_authority_certifies_with_a_password_out_of_a_file() {
    let Some(cluster) = Cluster::start() else { return };
    let database = name(&cluster.database()).to_owned();
    cluster.sql(
        "postgres",
        &format!("CREATE ROLE remote LOGIN PASSWORD '{PASSWORD}'; GRANT ALL ON DATABASE {database} TO remote"),
    );
    let hba = "local all all trust\nhostssl all all 127.0.0.0/8 scram-sha-256\n";
    fs::write(cluster.folder().join("data/pg_hba.conf"), hba).unwrap();
    let (certificate, key) = (cluster.folder().join("cert.pem"), cluster.folder().join("key.pem"));
    fs::copy(CERTIFICATE, &certificate).unwrap();
    cluster.give(Path::new(KEY), &key);
    cluster.stop(Signal::INT);
    cluster.run_with(&[
        "-c",
        "fsync=on",
        "-c",
        "ssl=on",
        "-c",
        &format!("ssl_cert_file={}", certificate.display()),
        "-c",
        &format!("ssl_key_file={}", key.display()),
        "-c",
        &format!("listen_addresses={}", address()),
    ]);
    let url = |host: &str, tls: &str| format!("postgres://remote@{host}/{database}?hostaddr={}{tls}", address());
    let by = |roots: &str| format!("&sslmode=verify-full&sslrootcert={roots}");

    let folder = tempfile::tempdir().unwrap();
    let passfile = |name: &str, password: &str| {
        let path = folder.path().join(name);
        let password = password.replace(':', "\\:");
        fs::write(
            &path,
            format!("elsewhere:*:*:*:no\n*:5432:{database}:remote:{password}\n"),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let (right, wrong) = (passfile("right", PASSWORD), passfile("wrong", "loud geese"));
    let secured = url("localhost", &by(CERTIFICATE));
    {
        let named = Database::named(&secured).unwrap().with_passfile(&right).unwrap();
        let store = Postgres::open(named, [5; 32]).unwrap();
        let seed = SigningSeed::from_bytes([3; 32]);
        writing(&store, |writes| writes.register(&AgencyId([1; 32]), &seed)).unwrap();
        let sql = "SELECT DISTINCT version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'remote'";
        assert_eq!(cluster.sql("postgres", sql), "TLSv1.3\n");
    }
    let (code, said) = check(&secured, &right);
    assert!(code == Some(0) && said.contains("sound: 1 agencies"), "{said}");
    // Whoever else has a certificate for that name is not spoken to, and neither is this one by another name.
    for (refused, why) in [
        (url("localhost", &by(OTHER)), "certificate"),
        (url("another.example", &by(CERTIFICATE)), "certificate"),
        (url("localhost", ""), "no encryption"),
    ] {
        let (code, said) = check(&refused, &right);
        assert!(code == Some(1) && said.contains(why), "{refused}: {said}");
    }
    // Without the password, or with another, nothing is told.
    for passwords in [&wrong, &folder.path().join("none")] {
        let (code, said) = check(&secured, passwords);
        assert!(
            code == Some(1) && said.contains("password") && !said.contains("geese"),
            "{said}"
        );
    }
    fs::set_permissions(&right, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, said) = check(&secured, &right);
    assert!(code == Some(1) && said.contains("chmod 600"), "{said}");
}
