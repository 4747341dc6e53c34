//! The log as it is served: verified by the proof code that clients use, and on request written out for another's.

use std::fs;
use std::path::Path;

use vault_core::check::Refused;
use vault_core::tlog::checkpoint::{Checkpoint, origin};
use vault_core::tlog::entry::Entry;
use vault_core::tlog::note::{KeyName, Kind};
use vault_core::tlog::proof;
use vault_core::tlog::tile::{Tile, read_bundle};
use vault_core::tlog::tree::{self, Hash};

use crate::kit::{Office, Server, link_id};

/// Reads a checkpoint off the server.
pub(crate) fn checkpoint(office: &Office, server: &Server) -> Checkpoint {
    let answer = server.get(&format!("/v1/log/{}/checkpoint", office.id()));
    assert_eq!(answer.status, 200);
    office.checkpoint(&answer.body)
}

/// Reads tiles off the server.
pub(crate) fn tiles(office: &Office, server: &Server) -> impl FnMut(Tile) -> Result<Vec<Hash>, Refused> + use<> {
    let mut connection = server.connect();
    let id = office.id();
    move |tile| {
        let answer = connection.ask("GET", &format!("/v1/log/{id}/{tile}"), &[], &[]);
        assert_eq!(answer.status, 200, "{tile}");
        tile.read(&answer.body)
    }
}

/// Reads all entries of a tree off the server, each held against its leaf.
pub(crate) fn entries(office: &Office, server: &Server, size: u64) -> Vec<Entry> {
    let mut tiles = tiles(office, server);
    let mut connection = server.connect();
    let mut entries = Vec::new();
    for first in (0..size).step_by(256) {
        let tile = Tile::of(0, first, size).unwrap();
        let path = format!("/v1/log/{}/{}", office.id(), tile.entries_path());
        let answer = connection.ask("GET", &path, &[], &[]);
        entries.extend(read_bundle(&answer.body, &tiles(tile).unwrap()).unwrap());
    }
    entries
}

#[test]
pub(crate) fn a_log_over_several_tiles_verifies_and_every_size_of_it_continues_the_ones_before() {
    let mut server = Server::start(&["--rate", "0"]);
    let mut office = Office::found(&server, 40, 1);
    let mut seen = vec![checkpoint(&office, &server)];
    let earlier = server.get(&format!("/v1/log/{}/checkpoint", office.id())).body;
    let opening = office.open_case();
    let mut sent = vec![link_id(&opening)];
    office.stored(&server, vec![opening]);
    for batch in [3, 250, 1, 1, 1, 300] {
        let notes: Vec<_> = (0..batch).map(|_| office.note(0)).collect();
        sent.extend(notes.iter().map(link_id));
        office.stored(&server, notes);
        seen.push(checkpoint(&office, &server));
    }
    let last = *seen.last().unwrap();
    assert_eq!(last.size, 558);
    server.stop();
    // The edge is computed again out of tiles and links.
    let server = server.again(&["--rate", "0"]);
    assert_eq!(checkpoint(&office, &server), last);
    let mut read = tiles(&office, &server);
    assert_eq!(proof::root(last.size, &mut read).unwrap(), last.root);
    for old in &seen {
        let path = proof::consistency(old.size, last.size, &mut read).unwrap();
        tree::require_consistent(old.size, &old.root, last.size, &last.root, &path).unwrap();
    }
    let entries = entries(&office, &server, last.size);
    for (seq, id) in sent.iter().enumerate() {
        let leaf = seq as u64 + 1;
        let entry = Entry::of(office.case_stream(), seq as u64, *id);
        assert_eq!(entries[leaf as usize], entry);
        let path = proof::inclusion(leaf, last.size, &mut read).unwrap();
        tree::require_included(leaf, last.size, entry.leaf(), &path, &last.root).unwrap();
    }
    // A tile as narrow as it was once, and none that the tree has not.
    let get = |path: &str| server.get(&format!("/v1/log/{}/{path}", office.id()));
    assert_eq!(get("tile/0/000.p/7").body, get("tile/0/000").body[..7 * 32]);
    assert_eq!(get("tile/0/002.p/5").body, get("tile/0/002.p/46").body[..5 * 32]);
    assert_eq!(get("tile/1/000.p/1").body, get("tile/1/000.p/2").body[..32]);
    assert_eq!(get("tile/entries/000.p/3").body, get("tile/entries/000").body[..150]);
    for path in [
        "tile/0/002.p/47",
        "tile/0/002",
        "tile/0/003",
        "tile/1/000",
        "tile/1/000.p/3",
        "tile/2/000.p/1",
    ] {
        let answer = get(path);
        assert_eq!((answer.status, answer.problem().as_str()), (404, "not-found"), "{path}");
    }
    for path in [
        "tile/0/0",
        "tile/8/000",
        "tile/entries/2",
        "tile/entries/entries/000",
        "tile/0/000.p/256",
        "tile/x",
    ] {
        assert_eq!(get(path).status, 404, "{path}");
    }
    assert!(get("tile/0/000").header("cache-control").unwrap().contains("immutable"));
    assert_eq!(get("checkpoint").header("cache-control"), Some("no-cache"));
    if let Some(folder) = std::env::var_os("CASEVAULT_TLOG_OUT") {
        write_out(&office, &server, last.size, Path::new(&folder));
        fs::write(Path::new(&folder).join("checkpoint.earlier"), earlier).unwrap();
    }
}

/// Writes the log in files, as `tests/tlog/verify.py` reads one.
pub(crate) fn write_out(office: &Office, server: &Server, size: u64, folder: &Path) {
    let get = |path: &str| server.get(&format!("/v1/log/{}/{path}", office.id())).body;
    let put = |path: String, bytes: Vec<u8>| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    put("checkpoint".to_owned(), get("checkpoint"));
    for level in 0..2 {
        for first in (0..size >> (8 * level)).step_by(256) {
            let tile = Tile::of(level, first, size).unwrap();
            put(tile.to_string(), get(&tile.to_string()));
            if level == 0 {
                put(tile.entries_path(), get(&tile.entries_path()));
            }
        }
    }
    let name = KeyName::of(&origin(office.world.agency.id()), Kind::Ed25519, &office.log).unwrap();
    let key = name.verifier(Kind::Ed25519, &office.log);
    put("log.vkey".to_owned(), key.into_bytes());
}

#[test]
pub(crate) fn the_log_of_an_agency_without_links_is_the_empty_tree() {
    let server = Server::start(&[]);
    let office = Office::register(&server, 41, 1);
    let empty = checkpoint(&office, &server);
    assert_eq!((empty.size, empty.root), (0, tree::empty()));
    let path = format!("/v1/log/{}/tile/0/000.p/1", office.id());
    assert_eq!(server.get(&path).status, 404);
    for path in [
        format!("/v1/log/{}/checkpoint", "0".repeat(64)),
        "/v1/log/x/checkpoint".to_owned(),
    ] {
        assert_eq!(server.get(&path).status, 404);
    }
}
