//! Attachments, with the real binary on real files: what goes in comes out, or nothing does.

use casevault_e2e::agent;
use casevault_e2e::leak::Words;
use casevault_e2e::mount::Mount;
use casevault_e2e::vault::Done;
use casevault_e2e::vault::Vault;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;

/// Bytes of a sealed chunk (`docs/format.md` §15).
const SEALED: usize = (64 << 10) + 16;

struct With {
    vault: Vault,
    case: String,
    note: String,
}

impl With {
    fn made() -> Self {
        Self::on(Vault::made())
    }

    fn on(vault: Vault) -> Self {
        let case = vault.open_case("Una Kestle");
        let note = vault.add_note(&case, "obs: The letter came.\n");
        Self { vault, case, note }
    }

    fn copied(&self) -> Self {
        Self {
            vault: self.vault.copied(),
            case: self.case.clone(),
            note: self.note.clone(),
        }
    }

    /// Writes a file beside the vault.
    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.vault.around.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn attach(&self, path: &Path) -> Done {
        self.vault
            .run(&["note", "attach", &self.note, &path.to_string_lossy(), "--json"])
    }

    fn attached(&self, name: &str, content: &[u8]) -> u64 {
        let reply = self.attach(&self.file(name, content)).json();
        reply["attachment"].as_u64().unwrap()
    }

    fn get(&self, number: u64, out: &Path, flags: &[&str]) -> Done {
        let (number, out) = (number.to_string(), out.to_string_lossy().into_owned());
        let arguments = ["note", "attach", &self.note, "--get", &number, "--out", &out, "--json"];
        self.vault.run(&[&arguments[..], flags].concat())
    }

    /// Gets an attachment out and returns its content.
    fn content(&self, number: u64, flags: &[&str]) -> Vec<u8> {
        let out = self.vault.around.join("out");
        self.get(number, &out, flags).done();
        let content = std::fs::read(&out).unwrap();
        std::fs::remove_file(&out).unwrap();
        content
    }

    fn list(&self) -> Vec<Value> {
        let reply = self.vault.json(&["note", "attach", &self.note, "--list"]);
        assert_eq!(reply["schema"], "casevault.note.attach.list/1");
        reply["attachments"].as_array().unwrap().clone()
    }

    fn folder(&self) -> PathBuf {
        self.vault.home.join("attachments")
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = std::fs::read_dir(self.folder())
            .map(|listed| listed.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        files.sort();
        files
    }
}

/// Bytes that look like nothing, the same each time.
fn content(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = std::iter::repeat_with(next)
        .take(length.div_ceil(8))
        .flatten()
        .collect();
    bytes.truncate(length);
    bytes
}

#[test]
fn a_file_of_any_size_comes_back_as_it_went_in() {
    let with = With::made();
    let chunk = 64 << 10;
    let sizes = [
        0,
        1,
        255,
        256,
        chunk - 1,
        chunk,
        chunk + 1,
        16 * chunk - 1,
        16 * chunk,
        5_000_003,
    ];
    for (number, size) in (1..).zip(sizes) {
        let sent = content(size, number);
        let reply = with.attach(&with.file(&format!("{size}.bin"), &sent)).json();
        assert_eq!(reply["schema"], "casevault.note.attach/1");
        assert_eq!((&reply["attachment"], &reply["length"]), (&number.into(), &size.into()));
        assert!(with.content(number, &[]) == sent, "{size}");
    }
    let listed = with.list();
    assert_eq!(listed.len(), sizes.len());
    assert_eq!(
        listed[0]["sha256"],
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(with.vault.verified()["attachments"], sizes.len());
    assert_eq!(with.files().len(), sizes.len());
    // From standard input, whose length nobody knows beforehand.
    let sent = content(200_000, 77);
    let done = with.vault.feed(&["note", "attach", &with.note, "-"], &sent).done();
    let first = format!("attached to {} as 11\n", with.note);
    assert_eq!(done.stdout, first);
    assert!(with.content(11, &[]) == sent);
}

#[test]
fn attack_20_chunks_cut_reordered_repeated_appended_or_of_another_file_are_refused() {
    let with = With::made();
    // Two of the same length, so that what is swapped has the right one.
    with.attached("mine.bin", &content(300_000, 1));
    let mine = with.files().remove(0);
    with.attached("other.bin", &content(300_000, 2));
    let other = with.files().into_iter().find(|path| *path != mine).unwrap();
    let (honest, theirs) = (std::fs::read(&mine).unwrap(), std::fs::read(&other).unwrap());
    assert_eq!(honest.len(), theirs.len());
    let chunks: Vec<&[u8]> = honest.chunks(SEALED).collect();
    assert_eq!(chunks.len(), 5);

    let mut changed: Vec<(String, Vec<u8>, &str)> = Vec::new();
    for edge in 0..chunks.len() {
        changed.push((format!("cut to {edge} chunks"), chunks[..edge].concat(), "CHK-111"));
        let mut without = chunks.clone();
        without.remove(edge);
        changed.push((format!("without chunk {edge}"), without.concat(), "CHK-111"));
        let mut doubled = chunks.clone();
        doubled.insert(edge, chunks[edge]);
        changed.push((format!("chunk {edge} twice"), doubled.concat(), "CHK-111"));
        let mut spliced = chunks.clone();
        spliced[edge] = theirs.chunks(SEALED).nth(edge).unwrap();
        changed.push((format!("chunk {edge} of another"), spliced.concat(), "CHK-112"));
        let mut flipped = honest.clone();
        flipped[edge * SEALED + 9] ^= 0x10;
        changed.push((format!("a bit of chunk {edge}"), flipped, "CHK-112"));
    }
    // Of the same length as the honest one, so that length alone tells nothing.
    for (one, two) in [(0, 1), (1, 3), (0, 3)] {
        let mut swapped = chunks.clone();
        swapped.swap(one, two);
        changed.push((format!("chunks {one} and {two} swapped"), swapped.concat(), "CHK-112"));
        let mut repeated = chunks.clone();
        repeated[two] = chunks[one];
        changed.push((
            format!("chunk {one} in the place of {two}"),
            repeated.concat(),
            "CHK-112",
        ));
    }
    changed.push((
        "one byte less".to_owned(),
        honest[..honest.len() - 1].to_vec(),
        "CHK-111",
    ));
    changed.push(("one byte more".to_owned(), [&honest[..], &[0]].concat(), "CHK-111"));
    changed.push(("another's file".to_owned(), theirs.clone(), "CHK-112"));

    let out = with.vault.around.join("out");
    for (what, bytes, check) in changed {
        std::fs::write(&mine, bytes).unwrap();
        let done = with.get(1, &out, &[]);
        let error = done.refused(4, "refused");
        assert_eq!(error["check"], check, "{what}: {error}");
        assert!(!out.exists(), "{what}: half a file under the final name");
        assert_eq!(
            std::fs::read_dir(&with.vault.around).unwrap().count(),
            4,
            "{what}: half a file beside it"
        );
    }
    // Verification names what it is, and the other stays well.
    std::fs::write(&mine, &theirs).unwrap();
    let done = with.vault.run(&["verify", "--json"]);
    assert_eq!(done.code, 4);
    let reply: Value = serde_json::from_str(done.stdout.lines().next().unwrap()).unwrap();
    let failures = reply["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1);
    let handle = format!("{} attachment 1, chunk 1 of 5", with.note);
    assert_eq!(
        (&failures[0]["handle"], &failures[0]["check"]),
        (&handle.into(), &"CHK-112".into())
    );
    assert_eq!(reply["attachments"], 1);
    // Both files swapped: each is refused for the other.
    std::fs::write(&other, &honest).unwrap();
    for number in [1, 2] {
        assert_eq!(with.get(number, &out, &[]).refused(4, "refused")["check"], "CHK-112");
    }
    std::fs::write(&mine, &honest).unwrap();
    std::fs::write(&other, &theirs).unwrap();
    assert!(with.content(1, &[]) == content(300_000, 1));
    with.vault.verified();
}

/// Kills a command once `is_due` says so; tells whether it was killed before it ended by itself.
fn killed(mut child: Child, mut is_due: impl FnMut() -> bool) -> bool {
    loop {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        if is_due() {
            child.kill().unwrap();
            break;
        }
        std::thread::yield_now();
    }
    child.wait_with_output().unwrap().status.code().is_none()
}

#[test]
fn an_attaching_killed_at_any_point_leaves_all_or_nothing_and_no_orphan() {
    let with = With::made();
    let sent = content(4 << 20, 5);
    let path = with.file("scan.tif", &sent);
    let arguments = ["note", "attach", &with.note, &path.to_string_lossy(), "--json"];
    let sealed = |with: &With| -> u64 {
        with.files()
            .iter()
            .filter_map(|f| f.metadata().ok())
            .map(|m| m.len())
            .sum()
    };
    let mut kills = 0;
    for step in 0..10 {
        let copy = with.copied();
        let due = (sent.len() as u64) * step / 9;
        kills += u32::from(killed(copy.vault.command(&arguments).spawn().unwrap(), || {
            !copy.files().is_empty() && sealed(&copy) >= due
        }));
        // Whatever is left, the vault verifies, and no part stays.
        copy.vault.verified();
        let kept = copy.list().len();
        assert_eq!(copy.files().len(), kept, "killed at {due} bytes: {:?}", copy.files());
        assert!(copy.files().iter().all(|file| file.extension().is_none()));
        // The same again is there once, and whole.
        copy.attach(&path).done();
        assert_eq!(copy.list().len(), 1, "killed at {due} bytes");
        assert!(copy.content(1, &["--original"]) == sent);
    }
    assert!(kills >= 6, "only {kills} of 10 were killed before they ended");
}

#[test]
fn an_attaching_that_is_interrupted_stops_and_leaves_nothing() {
    let with = With::made();
    // Standard input that never ends, so that only the signal can end the command.
    let mut command = with.vault.command(&["note", "attach", &with.note, "-", "--json"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || {
        let zeros = vec![0; 1 << 16];
        while std::io::Write::write_all(&mut input, &zeros).is_ok() {}
    });
    let grown = |with: &With| {
        with.files()
            .iter()
            .any(|f| f.metadata().is_ok_and(|m| m.len() > 1 << 20))
    };
    while !grown(&with) {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let done = Done::of(child.wait_with_output().unwrap());
    feeder.join().unwrap();
    done.refused(1, "cancelled");
    assert!(with.files().is_empty());
    assert!(with.list().is_empty());
    with.vault.verified();
}

#[test]
fn a_reading_killed_or_refused_leaves_no_half_file_under_the_name() {
    let with = With::made();
    with.attached("large.bin", &content(6 << 20, 6));
    let out = with.vault.around.join("out");
    let out_text = out.to_string_lossy().into_owned();
    let arguments = ["note", "attach", &with.note, "--get", "1", "--out", &out_text];
    let child = with.vault.command(&arguments).spawn().unwrap();
    // What it writes has no name yet: the system counts it all the same.
    let counts = format!("/proc/{}/io", child.id());
    let written = || -> Option<u64> {
        let text = std::fs::read_to_string(&counts).ok()?;
        text.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok())
    };
    assert!(killed(child, || written().is_some_and(|bytes| bytes > 2 << 20)));
    let names = std::fs::read_dir(&with.vault.around)
        .unwrap()
        .map(|e| e.unwrap().file_name());
    let parts: Vec<_> = names.filter(|name| name.to_string_lossy().contains(".part")).collect();
    assert!(parts.is_empty(), "{parts:?}");
    assert!(!out.exists());
    assert!(with.content(1, &[]) == content(6 << 20, 6));
    // One that is there is not replaced unless that is asked for.
    std::fs::write(&out, b"before").unwrap();
    with.get(1, &out, &[]).refused(2, "usage");
    assert_eq!(std::fs::read(&out).unwrap(), b"before");
    with.get(1, &out, &["--force"]).done();
    assert_eq!(out.metadata().unwrap().len(), 6 << 20);
    assert_eq!(with.get(2, &out, &["--force"]).refused(1, "not-found")["exit"], 1);
    assert_eq!(out.metadata().unwrap().len(), 6 << 20);
}

#[test]
fn on_a_full_disk_nothing_of_an_attachment_stays_and_what_was_there_is_read() {
    let Some(mount) = Mount::new(24 * 1024) else { return };
    let vault = Vault::unmade_in(mount.path());
    vault.init();
    let with = With::on(vault);
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("large.bin");
    std::fs::write(&path, content(300_000, 1)).unwrap();
    with.attach(&path).done();
    let large = content(5 << 20, 9);
    std::fs::write(&path, &large).unwrap();
    with.attach(&path).done();
    std::fs::write(&path, content(20 << 20, 2)).unwrap();
    with.attach(&path).refused(1, "disk-full");
    assert_eq!(with.files().len(), 2);
    with.vault.verified();
    // Filled but for less than the file needs, again and again, so that it ends at other places.
    for spare in [0, 1 << 12, 100_000, 500_000] {
        let ballast = mount.fill(spare);
        std::fs::write(&path, content(2 << 20, spare)).unwrap();
        let done = with.attach(&path);
        assert_eq!(done.code, 1, "{}", done.stderr);
        assert!(matches!(
            done.error()["error"].as_str(),
            Some("disk-full" | "log-failed")
        ));
        std::fs::remove_file(ballast).unwrap();
        with.vault.verified();
        assert_eq!(with.files().len(), 2, "{spare} bytes were left");
        let out = elsewhere.path().join("out");
        with.get(1, &out, &["--force"]).done();
        assert!(std::fs::read(&out).unwrap() == content(300_000, 1));
    }
    // The disk that is written to is full, also with what was kept back for the entry: no half file.
    let ballast = mount.fill(1 << 20);
    let out = mount.path().join("out");
    with.get(2, &out, &[]).refused(1, "disk-full");
    assert!(!out.exists());
    std::fs::remove_file(ballast).unwrap();
    with.get(2, &out, &[]).done();
    assert!(std::fs::read(&out).unwrap() == large);
}

#[test]
fn attack_29_a_name_goes_nowhere_and_drives_nothing() {
    let with = With::made();
    let names = [
        ("..\\..\\start.bat", "start.bat"),
        ("\u{1b}]52;c;x\u{7}.txt", "]52;c;x.txt"),
        ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
        (".bashrc", "bashrc"),
        ("line\nbreak", "linebreak"),
    ];
    for (number, (name, _)) in (1..).zip(names) {
        assert_eq!(with.attached(name, name.as_bytes()), number);
    }
    let folder = with.vault.around.join("got");
    std::fs::create_dir(&folder).unwrap();
    for (number, (name, safe)) in (1..).zip(names) {
        let reply = with.get(number, &folder, &[]).json();
        assert_eq!((&reply["name"], &reply["safe_name"]), (&name.into(), &safe.into()));
        assert_eq!(std::fs::read(folder.join(safe)).unwrap(), name.as_bytes());
        // Twice the same name is not twice the same file.
        with.get(number, &folder, &[]).refused(2, "usage");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), names.len());
    for arguments in [
        &["note", "attach", &with.note, "--list"][..],
        &["note", "show", &with.note],
    ] {
        let shown = with.vault.run(arguments).done().stdout;
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{shown:?}");
        assert!(
            shown.contains("\\u{202e}fdp.exe") && shown.contains("line\\nbreak"),
            "{shown}"
        );
    }
    // A link laid where the file is to be is not followed.
    let (target, link) = (with.vault.around.join("target"), folder.join("link"));
    std::os::unix::fs::symlink(&target, &link).unwrap();
    with.get(1, &link, &[]).refused(2, "usage");
    with.get(1, &link, &["--force"]).refused(1, "io");
    assert!(!target.exists() && link.symlink_metadata().unwrap().is_symlink());
}

/// A JPEG of one small scan, with EXIF that says where it was taken.
fn photograph() -> (Vec<u8>, Vec<u8>) {
    let mut bare = vec![0xff, 0xd8];
    let laden_from = bare.len();
    for (marker, body) in [
        (0xe0, &b"JFIF\0\x01\x02\0\0\x48\0\x48\0\0"[..]),
        (0xdb, &[1; 65]),
        (0xc0, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]),
        (0xc4, &[0; 20]),
        (0xda, &[1, 1, 0, 0, 63, 0]),
    ] {
        bare.extend_from_slice(&[0xff, marker]);
        bare.extend_from_slice(&(body.len() as u16 + 2).to_be_bytes());
        bare.extend_from_slice(body);
    }
    bare.extend_from_slice(&[0x12, 0xff, 0, 0x34, 0xff, 0xd9]);
    let exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0GPSLatitude 51.5007";
    let mut laden = bare[..laden_from].to_vec();
    laden.extend_from_slice(&[0xff, 0xe1]);
    laden.extend_from_slice(&(exif.len() as u16 + 2).to_be_bytes());
    laden.extend_from_slice(exif);
    laden.extend_from_slice(&bare[laden_from..]);
    (laden, bare)
}

#[test]
fn a_photograph_comes_out_without_its_place_and_the_original_only_when_asked_for() {
    let with = With::made();
    let (laden, bare) = photograph();
    let path = with.file("IMG_2041.JPG", &laden);
    let arguments = ["note", "attach", &with.note, &path.to_string_lossy(), "--as-original"];
    let reply = with.vault.json(&arguments);
    assert_eq!(
        (&reply["media_type"], &reply["original"]),
        (&"image/jpeg".into(), &true.into())
    );
    assert!(with.content(1, &[]) == bare);
    assert!(with.content(1, &["--original"]) == laden);
    let out = with.vault.around.join("copy.jpg");
    let reply = with.get(1, &out, &[]).json();
    assert_eq!(reply["given"], "copy");
    assert_eq!((&reply["left_out"][0], &reply["turned"]), (&"EXIF".into(), &6.into()));
    let said = with.get(1, &out, &["--original", "--force"]).json();
    assert_eq!(said["given"], "original");
    // The log tells the one from the other.
    let entries = with.vault.json(&["log", "list", "--limit", "4"]);
    let scope = |n: usize| entries["entries"][n]["scope"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (scope(1), scope(2)),
        ("attachment 1, the original".to_owned(), "attachment 1".to_owned())
    );
    // The note shows its original.
    let shown = with.vault.json(&["note", "show", &with.note]);
    assert_eq!(shown["attachments"][0]["original"], true);
    let text = with.vault.run(&["note", "show", &with.note]).done().stdout;
    assert!(text.contains("IMG_2041.JPG (the original of this note)"), "{text}");

    // What cannot be taken apart: refused, said why, and nothing written.
    let out = with.vault.around.join("kept");
    for (name, bytes) in [
        ("photo.heic", &b"\0\0\0\x18ftypheic\0\0\0\0GPSLatitude"[..]),
        ("broken.jpg", &laden[..60]),
        ("film.mp4", b"\0\0\0\x18ftypisom\0\0\0\0GPSLatitude"),
    ] {
        let number = with.attached(name, bytes);
        let error = with.get(number, &out, &[]).refused(1, "no-copy");
        assert!(error["hint"].as_str().unwrap().contains("--original"), "{error}");
        assert!(!out.exists());
        assert!(with.content(number, &["--original"]) == bytes);
    }
}

#[test]
fn nothing_of_an_attachment_is_readable_in_the_vaults_folder() {
    let with = With::made();
    let (name, inside) = ("Kestle-birth-certificate.txt", "CANARY-5511-of-the-content");
    with.attached(name, inside.repeat(9_000).as_bytes());
    let words = Words::new([name, inside, "birth-certificate"]);
    assert_eq!(words.in_folder(&with.vault.home), []);
    // Padded: a byte more or less is not told by the file.
    let lengths = |with: &With| -> Vec<u64> { with.files().iter().map(|f| f.metadata().unwrap().len()).collect() };
    let other = With::made();
    other.attached("x", &content(inside.len() * 9_000 + 1, 1));
    assert_eq!(lengths(&with), lengths(&other));
}

#[test]
fn an_export_lists_what_is_attached_and_its_lines_stay_those_of_an_import() {
    let with = With::made();
    let lines = with.vault.run(&["export", "--format", "jsonl"]).done().stdout;
    with.attached("<b>letter\u{202e}.txt", b"x");
    assert_eq!(with.vault.run(&["export", "--format", "jsonl"]).done().stdout, lines);
    let export = |format: &str| {
        with.vault
            .run(&["export", &with.case, "--format", format])
            .done()
            .stdout
    };
    let json: Value = serde_json::from_str(&export("json")).unwrap();
    assert_eq!(json["cases"][0]["notes"][0]["attachments"][0]["length"], 1);
    let markdown = export("markdown");
    assert!(markdown.contains("- 1: \\<b\\>letter\\\\u{202e}.txt"), "{markdown}");
    let html = export("html");
    assert!(
        html.contains("1: &lt;b&gt;letter\\u{202e}.txt") && !html.contains("<b>"),
        "{html}"
    );
}

/// Bytes that a process has read and written so far, as the system counts them; also of one that nobody waited for yet.
fn moved(process: u32) -> (u64, u64) {
    let text = std::fs::read_to_string(format!("/proc/{process}/io")).unwrap();
    let count = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)?.trim().parse().ok());
    (count("rchar:").unwrap(), count("wchar:").unwrap())
}

/// Waits for the end of a process without taking it away.
fn ended(process: u32) {
    while agent::runs(process) {
        std::thread::yield_now();
    }
}

#[test]
fn a_plain_file_goes_to_the_agent_as_it_is_and_all_else_through_frames() {
    let with = With::made();
    with.vault.run(&["unlock"]).done();
    let large = content(8 << 20, 11);
    let path = with.file("large.bin", &large);
    // The command itself reads and writes nothing of a plain file.
    let spawned = |arguments: &[&str]| {
        let child = with.vault.command(arguments).spawn().unwrap();
        ended(child.id());
        let moved = moved(child.id());
        Done::of(child.wait_with_output().unwrap()).done();
        moved
    };
    let (read, _) = spawned(&["note", "attach", &with.note, &path.to_string_lossy()]);
    assert!(read < 4 << 20, "the command read {read} bytes");
    let out = with.vault.around.join("out");
    let get = [
        "note",
        "attach",
        &with.note,
        "--get",
        "1",
        "--out",
        &out.to_string_lossy(),
    ];
    let (_, written) = spawned(&get);
    assert!(written < 4 << 20, "the command wrote {written} bytes");
    assert!(std::fs::read(&out).unwrap() == large);
    // A file that is there is not replaced, and one that is not given out leaves nothing.
    with.get(1, &out, &[]).refused(2, "usage");
    std::fs::remove_file(&out).unwrap();
    with.get(7, &with.vault.around.join("none"), &[])
        .refused(1, "not-found");
    assert!(!with.vault.around.join("none").exists());
    assert!(with.content(1, &["--no-agent"]) == large);
    // From standard input, and out of a pipe that has a name.
    let piped = content(3 << 20, 12);
    let arguments = ["note", "attach", &with.note, "-", "--json"];
    with.vault.feed(&arguments, &piped).done();
    assert!(with.content(2, &[]) == piped);
    let pipe = with.vault.around.join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let (to, sent) = (pipe.clone(), content(2 << 20, 13));
    let feeder = std::thread::spawn(move || std::fs::write(to, content(2 << 20, 13)));
    with.attach(&pipe).done();
    feeder.join().unwrap().unwrap();
    assert!(with.content(3, &[]) == sent);
    // The store itself: the system takes a process's locks on a file away when it closes any descriptor of it.
    let process = agent::process(&with.vault);
    let locks = || {
        let all = std::fs::read_to_string("/proc/locks").unwrap();
        let own = format!(" {process} ");
        all.lines()
            .filter(|line| line.contains("POSIX") && line.contains(&own))
            .count()
    };
    let before = locks();
    assert!(before > 0, "an agent holds the store's locks");
    with.attach(&with.vault.store()).done();
    assert!(locks() >= before, "{} of {before} locks are left", locks());
    with.vault.verified();
    assert_eq!(agent::process(&with.vault), process);
}

#[test]
fn what_an_agent_reads_itself_may_change_and_break_off() {
    let with = With::made();
    with.vault.run(&["unlock"]).done();
    let process = agent::process(&with.vault);
    let path = with.vault.around.join("endless.bin");
    let endless = || {
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(1 << 36).unwrap();
        file
    };
    let arguments = ["note", "attach", &with.note, &path.to_string_lossy(), "--json"];
    let begun = |child: &mut Child, kept: usize| {
        let grown = || {
            with.files().len() > kept
                && with
                    .files()
                    .iter()
                    .any(|f| f.metadata().is_ok_and(|m| m.len() > 1 << 20))
        };
        while !grown() {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::yield_now();
        }
    };
    let nothing_left = || {
        while !with.files().is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(agent::process(&with.vault), process);
        assert!(with.list().is_empty());
    };
    endless();
    let mut child = with.vault.command(&arguments).spawn().unwrap();
    begun(&mut child, 0);
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    Done::of(child.wait_with_output().unwrap()).refused(1, "cancelled");
    nothing_left();
    // A command that is gone is followed by no attaching.
    let mut child = with.vault.command(&arguments).spawn().unwrap();
    begun(&mut child, 0);
    child.kill().unwrap();
    child.wait().unwrap();
    nothing_left();
    // One that becomes shorter meanwhile ends where it ends.
    let file = endless();
    let mut child = with.vault.command(&arguments).spawn().unwrap();
    begun(&mut child, 0);
    file.set_len(0).unwrap();
    let done = Done::of(child.wait_with_output().unwrap());
    let length = done.json()["length"].as_u64().unwrap();
    assert!(length > 1 << 20 && length < 1 << 36, "{length}");
    assert!(with.content(1, &[]).iter().all(|byte| *byte == 0));
    with.vault.verified();
    assert_eq!(agent::process(&with.vault), process);
}

#[test]
fn a_large_file_takes_little_memory() {
    let with = With::made();
    let path = with.vault.around.join("large.bin");
    // More than the limit below, so that one that keeps it all is found out.
    let size: u64 = 112 << 20;
    std::fs::File::create(&path).unwrap().set_len(size).unwrap();
    let peak = |arguments: &[&str]| -> u64 {
        let mut child = with.vault.command(arguments).spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
            peak = peak.max(kib.unwrap_or(0));
            std::thread::yield_now();
        }
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        peak
    };
    let out = with.vault.around.join("out").to_string_lossy().into_owned();
    let attaching = peak(&["note", "attach", &with.note, &path.to_string_lossy()]);
    let reading = peak(&["note", "attach", &with.note, "--get", "1", "--out", &out]);
    for (what, kib) in [("attaching", attaching), ("reading", reading)] {
        // 64 MiB of it are the passphrase's cost.
        assert!(
            (64 << 10..100 << 10).contains(&kib),
            "{what} took {kib} KiB at its peak"
        );
    }
    assert_eq!(std::fs::metadata(&out).unwrap().len(), size);
    // An agent, which goes on, has none of it either.
    with.vault.run(&["unlock"]).done();
    std::fs::remove_file(&out).unwrap();
    with.get(1, Path::new(&out), &[]).done();
    with.vault.run(&["note", "attach", &with.note, &out]).done();
    let status = std::fs::read_to_string(format!("/proc/{}/status", agent::process(&with.vault))).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = line.trim().split(' ').next().unwrap().parse().unwrap();
    assert!(
        (64 << 10..100 << 10).contains(&kib),
        "the agent took {kib} KiB at its peak"
    );
}
