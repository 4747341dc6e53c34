//! Where a test's servers keep what they keep: in folders, or in a database for each.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use casevault_e2e::server::Server;
use casevault_e2e::vault::copy_folder;

use crate::cluster::{Cluster, name};

/// The databases that stand for folders.
struct Databases {
    cluster: Arc<Cluster>,
    urls: BTreeMap<PathBuf, String>,
}

thread_local! {
    static DATABASES: RefCell<Option<Databases>> = const { RefCell::new(None) };
}

/// Runs a test whose servers each have a database of a cluster instead of a folder.
pub(crate) fn over(cluster: Arc<Cluster>, test: impl FnOnce()) {
    let urls = BTreeMap::new();
    DATABASES.set(Some(Databases { cluster, urls }));
    test();
    DATABASES.take();
}

/// Starts a server that keeps its things at `data`.
pub(crate) fn start(data: &Path) -> Server {
    start_at(data, "127.0.0.1:0")
}

/// The same on an address.
pub(crate) fn start_at(data: &Path, listen: &str) -> Server {
    DATABASES.with_borrow_mut(|databases| match databases {
        None => Server::start_at(data, listen),
        Some(Databases { cluster, urls }) => {
            let url = urls.entry(data.to_owned()).or_insert_with(|| cluster.database());
            Server::keeping(data, "--database", OsStr::new(url.as_str()), listen)
        }
    })
}

/// A number that changes when something is written there.
pub(crate) fn written(data: &Path) -> u64 {
    DATABASES.with_borrow(|databases| match databases {
        None => {
            let files = fs::read_dir(data).into_iter().flatten().flatten();
            let lengths = files.filter_map(|file| file.metadata().ok()).map(|found| found.len());
            lengths.sum()
        }
        Some(Databases { cluster, urls }) => {
            let links = cluster.sql(name(&urls[data]), "SELECT count(*) FROM casevault.link");
            links.trim().parse().unwrap()
        }
    })
}

/// Copies what is kept, as it is now, while no server runs on it.
pub(crate) fn copy(from: &Path, to: &Path) {
    DATABASES.with_borrow_mut(|databases| match databases {
        None => copy_folder(from, to),
        Some(Databases { cluster, urls }) => {
            let from = name(&urls[from]).to_owned();
            let copy = format!("{from}_copy");
            cluster.sql("postgres", &format!("CREATE DATABASE {copy} TEMPLATE {from}"));
            urls.insert(to.to_owned(), cluster.url(&copy));
        }
    });
}

/// The folders in which what is kept lies.
pub(crate) fn places(data: &Path) -> Vec<PathBuf> {
    DATABASES.with_borrow(|databases| match databases {
        None => vec![data.to_owned()],
        Some(Databases { cluster, .. }) => vec![cluster.folder().to_owned()],
    })
}
