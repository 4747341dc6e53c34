//! A log in files, as any tool of its kind reads it: written here, verified by `tests/tlog/`, which knows the C2SP pages
//! and the 48 bytes of an entry, and nothing else of CaseVault.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use vault_core::check::Check;
use vault_core::check::Refused;
use vault_core::crypto::sign::SigningKey;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::id::AgencyId;
use vault_core::id::CaseId;
use vault_core::id::LinkId;
use vault_core::secret::SigningSeed;
use vault_core::tlog::checkpoint;
use vault_core::tlog::checkpoint::Checkpoint;
use vault_core::tlog::checkpoint::SignedCheckpoint;
use vault_core::tlog::checkpoint::Witness;
use vault_core::tlog::entry::Entry;
use vault_core::tlog::note::KeyName;
use vault_core::tlog::note::Kind;
use vault_core::tlog::proof;
use vault_core::tlog::tile;
use vault_core::tlog::tile::Edge;
use vault_core::tlog::tile::Tile;
use vault_core::tlog::tree;
use vault_core::tlog::tree::Hash;
use vault_core::wire::v1::stream::StreamId;

/// Two levels of full tiles, and a third begun (the example of tlog-tiles).
const SIZE: u64 = 70_000;
const EARLIER: u64 = 12_345;
const AGENCY: AgencyId = AgencyId([0xa1; 32]);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&SigningSeed::from_bytes([seed; 32]))
}

/// The log's files, by path.
struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, Refused> {
        // Of a tile that was not full in a smaller tree, the wider one is there still.
        let wider = (tile.width()..=256).filter_map(|width| {
            let wider = Tile::new(tile.level(), tile.index(), width).ok()?;
            Some((wider, self.0.get(&wider.to_string())?))
        });
        let (wider, bytes) = wider.into_iter().next().ok_or(Refused::by(Check::LogTile))?;
        let mut hashes = wider.read(bytes)?;
        hashes.truncate(usize::from(tile.width()));
        Ok(hashes)
    }
}

fn put(files: &mut BTreeMap<String, Vec<u8>>, tile: Tile, hashes: &[Hash], entries: &[Entry]) {
    files.insert(tile.to_string(), hashes.iter().flat_map(|hash| hash.0).collect());
    if tile.level() == 0 {
        let first = usize::try_from(tile.index()).unwrap() * 256;
        let own = &entries[first..first + usize::from(tile.width())];
        files.insert(tile.entries_path(), tile::bundle(own));
    }
}

fn written(one: &Checkpoint, time: u64) -> String {
    let (log, witness) = (key(1), key(2));
    let cosigned = [one.cosign("witness.example/w1", &witness, time).unwrap()];
    checkpoint::write(one, &one.sign(&log), &log.public(), &cosigned).unwrap()
}

fn log() -> (Files, Vec<Entry>) {
    let streams: Vec<StreamId> = (0..7u8).map(|n| StreamId::case(CaseId([n; 16]))).collect();
    let entries: Vec<Entry> = (0..SIZE)
        .map(|n| {
            let mut id = [0x5a; 32];
            id[..8].copy_from_slice(&n.to_be_bytes());
            Entry::of(streams[(n % 7) as usize], n / 7, LinkId(id))
        })
        .collect();
    let (mut edge, mut files) = (Edge::default(), BTreeMap::new());
    for entry in &entries {
        edge.push(entry.leaf(), |tile, hashes| put(&mut files, tile, hashes, &entries));
        if edge.size() == EARLIER || edge.size() == SIZE {
            edge.partial(|tile, hashes| put(&mut files, tile, hashes, &entries));
            let (agency, size, root) = (AGENCY, edge.size(), edge.root());
            let one = Checkpoint { agency, size, root };
            let name = if size == SIZE {
                "checkpoint"
            } else {
                "checkpoint.earlier"
            };
            files.insert(name.to_owned(), written(&one, 1_800_000_000 + size).into_bytes());
        }
    }
    (Files(files), entries)
}

#[test]
fn a_log_in_files_is_read_back_and_proved() {
    let (files, entries) = log();
    let log = VerifyingKey::new(&key(1).public(), Check::CheckpointSignature).unwrap();
    let known = [Witness::new("witness.example/w1", &key(2).public()).unwrap()];
    let open = |name: &str| SignedCheckpoint::open(&files.0[name], AGENCY, &log, &known).unwrap();
    let (now, earlier) = (open("checkpoint"), open("checkpoint.earlier"));
    assert_eq!((now.checkpoint().size, earlier.checkpoint().size), (SIZE, EARLIER));
    let mut tiles = |tile| files.hashes(tile);
    for one in [&now, &earlier] {
        assert_eq!(
            proof::root(one.checkpoint().size, &mut tiles).unwrap(),
            one.checkpoint().root
        );
    }
    let path = proof::consistency(EARLIER, SIZE, &mut tiles).unwrap();
    let (old, new) = (&earlier.checkpoint().root, &now.checkpoint().root);
    tree::require_consistent(EARLIER, old, SIZE, new, &path).unwrap();
    for index in [0, 255, 256, 65_535, 65_536, SIZE - 1] {
        let path = proof::inclusion(index, SIZE, &mut tiles).unwrap();
        let leaf = entries[usize::try_from(index).unwrap()].leaf();
        tree::require_included(index, SIZE, leaf, &path, new).unwrap();
    }
    let last = Tile::of(0, SIZE - 1, SIZE).unwrap();
    let bundle = tile::read_bundle(&files.0[&last.entries_path()], &tiles(last).unwrap()).unwrap();
    assert_eq!(bundle, entries[entries.len() - usize::from(last.width())..]);

    // For the other verifier, which is given what a stranger would be: the files, and the keys' texts.
    if let Some(folder) = std::env::var_os("CASEVAULT_TLOG_OUT").map(PathBuf::from) {
        for (name, bytes) in &files.0 {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let origin = checkpoint::origin(AGENCY);
        for (file, name, kind, key) in [
            ("log.vkey", origin.as_str(), Kind::Ed25519, key(1)),
            ("witness.vkey", "witness.example/w1", Kind::Cosignature, key(2)),
        ] {
            let public = key.public();
            let text = KeyName::of(name, kind, &public).unwrap().verifier(kind, &public);
            std::fs::write(folder.join(file), text).unwrap();
        }
    }
}
