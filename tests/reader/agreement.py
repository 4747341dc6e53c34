"""Makes a vault with `casevault` and asks this reader whether it says the same of it, sound and tampered with.

`agreement.py CASEVAULT` with the path of the binary. Every step asserts; nothing is left out in silence.
"""

import argparse
import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from casevault_reader.ed25519 import ORDER
from casevault_reader.labels import digest

READER = Path(__file__).resolve().parent
SHARED = READER.parents[2] / "shared/data"
# Not in NFC: the keystore's rule on passphrases shows only where composing changes something.
PASSPHRASE = "cafe\u0301 au lait, twice\n"

SMALL = [
    {"type": "worker", "worker": "w001", "role": "caseworker"},
    {
        "type": "case",
        "case": "own-1",
        "worker": "w001",
        "opened": "2023-02-06",
        "template": "adult-social-care",
        "profile": {"name": "Ada Example", "date_of_birth": "1941-03", "gender": "female", "language": "Welsh"},
    },
] + [
    {
        "type": "note",
        "case": "own-1",
        "note": f"own-1-{n:04}",
        "author": "w001",
        "kind": "phone",
        "section": ("core", "health", "housing")[n % 3],
        "occurred_at": f"2023-03-{n:02}T14:00:00Z",
        "recorded_at": f"2023-03-{n:02}T16:10:00Z",
        "segments": [{"kind": "observation", "text": f"Call number {n}. "}],
    }
    for n in range(1, 29)
]
# What a caseload does not have: several sections, a reflection, flags, members that the format does not know.
MIXED = [
    {
        "type": "case",
        "case": "mixed-1",
        "worker": "w001",
        "opened": "2023-02-06",
        "template": "adult-social-care",
        "profile": {"name": "Zoë \u0001 Überlang", "date_of_birth": "1950-07", "score": 1.5},
    },
    {
        "type": "note",
        "case": "mixed-1",
        "note": "mixed-1-1",
        "author": "w001",
        "kind": "home-visit",
        "section": "core",
        "occurred_at": "2023-03-02T14:00:00Z",
        "recorded_at": "2023-03-02T16:10:00Z",
        "duration_minutes": 50,
        "lag_reason": "busy",
        "custom": {"b": 1, "a": [2, 3]},
        "segments": [
            {"kind": "observation", "text": 'In "core", é, \u0007.', "about": "mother", "labels": ["health"], "x": 1.5},
            {"kind": "reflection", "text": "Mine."},
            {"kind": "observation", "text": "In health.", "section": "health"},
            {"kind": "decision", "text": "Ask.", "why": "Too high.", "options": ["wait"]},
            {"kind": "plan", "text": "Ring.", "owner": "w001", "due": "2026-01-01", "done": "2025-12-30", "done_by": "w002", "outcome": "She agreed."},
            {"kind": "plan", "text": "Write.", "owner": "w001", "due": "2026-01-01", "done": True, "outcome": 1.50},
            {"kind": "interpretation", "text": "Tired.", "cites": [1, 3]},
        ],
    },
    {
        "type": "note",
        "case": "mixed-1",
        "note": "mixed-1-2",
        "author": "w001",
        "kind": "phone",
        "section": "core",
        "occurred_at": "2023-03-03T14:00:00Z",
        "recorded_at": "2023-03-03T16:10:00Z",
        "segments": [{"kind": "observation", "text": "To be amended."}],
    },
]
AMENDED = {**MIXED[2], "segments": [{"kind": "observation", "text": "Amended by an import."}]}
NOTE = {
    "segments": [
        {"kind": "observation", "text": "He opened the door."},
        {"kind": "observation", "text": "Blood pressure high.", "section": "health"},
        {"kind": "quote", "speaker": "client", "text": "The boiler is out.", "section": "housing"},
        {"kind": "reflection", "text": "I worry about this one."},
    ]
}
NOTE_AGAIN = {
    "segments": [
        {"kind": "observation", "text": "He opened the door twice."},
        {"kind": "observation", "text": "Money is short.", "section": "finance"},
        {"kind": "reflection", "text": "I still worry."},
    ]
}


class Vault:
    """A vault's home and the two programs that read it."""

    def __init__(self, casevault, folder):
        self.casevault, self.folder, self.home = casevault, folder, folder / "home"
        self.passphrase = folder / "passphrase"
        folder.mkdir(exist_ok=True)

    def copy(self, name):
        """The same vault in another folder, to be tampered with. Nobody has it open."""
        other = Vault(self.casevault, self.folder)
        other.home = self.folder / name
        shutil.copytree(self.home, other.home)
        return other

    def run(self, *arguments, stdin=None, exits=(0,)):
        """What `casevault` writes to standard output."""
        done = subprocess.run(
            [self.casevault, "--no-agent", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "CASEVAULT_HOME": str(self.home), "CASEVAULT_PASSPHRASE_FILE": str(self.passphrase)},
        )
        assert done.returncode in exits, f"casevault {arguments}: exit {done.returncode}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments, **more):
        return json.loads(self.run(*arguments, "--json", **more).splitlines()[0])

    def read(self, what, exits=(0,), key=None):
        """What the reader writes to standard output."""
        key = key or ["--passphrase-file", self.passphrase]
        done = subprocess.run(
            [sys.executable, "-B", "-m", "casevault_reader", what, self.home, *key],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=READER,
        )
        assert done.returncode in exits, f"reader {what}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def sql(self, statement, *values):
        with closing(sqlite3.connect(self.home / "vault.db")) as database, database:
            return database.execute(statement, values).fetchall()


def caseload():
    maker = SHARED / "make_caseload.py"
    if maker.is_file():
        return subprocess.run([sys.executable, maker, "--size", "s"], capture_output=True, text=True, check=True).stdout
    print(
        "LEFT OUT: the shared caseload (no ../shared/data beside this tree); a small one of our own instead",
        file=sys.stderr,
    )
    return lines(SMALL)


def lines(objects):
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)


def handle(output):
    return output.splitlines()[0].split()[-1]


def make(vault, imported):
    """A vault with imports, amendments of each kind, reflections, several sections, and withdrawals."""
    vault.passphrase.write_text(PASSPHRASE, encoding="utf-8")
    vault.run("init", "--agency", "Second Reading", "--name", "R. Eader", "--kdf-memory", "64MiB")
    vault.run("import", "-", stdin=imported)
    vault.run("import", "-", stdin=lines(MIXED))
    vault.run("import", "-", "--amend", stdin=lines([AMENDED]))
    case = handle(
        vault.run("case", "open", "--template", "adult-social-care", "--file", "-", stdin='{"name":"Native Case"}')
    )
    add = ("note", "add", case, "--kind", "phone", "--file", "-")
    note = handle(vault.run(*add, stdin=json.dumps(NOTE)))
    # Times are kept in seconds: only in a later one does an amendment show which version's time an export gives.
    written = int(time.time())
    while int(time.time()) == written:
        time.sleep(0.02)
    vault.run("note", "amend", note, "--file", "-", stdin=json.dumps(NOTE_AGAIN))
    vault.run(*add, stdin="obs: As text.\n\nsaid client: I am fine.\n\npriv: Is he?\n")
    files = {"empty": b"", "scan.jpg": b"\xff\xd8\xff" + bytes(65532), "large.bin": os.urandom(300_000)}
    for name, content in files.items():
        (vault.folder / name).write_bytes(content)
        vault.run("note", "attach", note, str(vault.folder / name))
    never = handle(vault.run(*add, stdin="obs: Never minded, with a file.\n"))
    vault.run("note", "attach", never, str(vault.folder / "large.bin"))
    vault.run("note", "withdraw", never)
    for text in ("obs: Never mind.\n", "obs: Nor this.\n\npriv: Nor this thought.\n"):
        vault.run("note", "withdraw", handle(vault.run(*add, stdin=text)))
    second = handle(
        vault.run("case", "open", "--template", "adult-social-care", "--file", "-", stdin='{"name":"Second Case"}')
    )
    vault.run("note", "add", case, "--also", second, "--file", "-", stdin="obs: For both.\n\nobs: Low. {section health}\n")
    wrong = handle(vault.run(*add, stdin="obs: Of somebody else.\n\nobs: Theirs. {section health}\n\npriv: Oh.\n"))
    vault.run("note", "misfiled", wrong, "--to", second, "--file", "-", stdin="the wrong file\n")
    vault.run("note", "misfiled", wrong, "--answer", "--file", "-", stdin="no breach\n")
    hidden = handle(vault.run(*add, stdin="obs: Hidden alone.\n"))
    vault.run("note", "misfiled", hidden, "--file", "-", stdin="whose is it?\n")
    jot = handle(vault.run("note", "jot", case, "--at", "-1h", "--file", "-", stdin="Ring back."))
    vault.run("note", "expand", jot, "--kind", "phone", "--file", "-", stdin="obs: Rang back.\n")
    vault.run("note", "jot", "--file", "-", stdin="Still to expand.")
    planned = handle(vault.run(*add, stdin="plan: Ring.\n\nplan: Write. {section health}\n\npriv: Hm.\n"))
    vault.run("plan", "done", f"{planned}:1", "--on", "2026-01-05", "--file", "-", stdin="She agreed.\n")
    vault.run("plan", "done", f"{planned}:2")
    vault.run("plan", "done", f"{planned}:2", "--undo")
    other = vault.json("case", "list")["cases"][0]["case"]
    imported_note = vault.json("note", "list", other)["notes"][0]["note"]
    vault.run("note", "amend", imported_note, "--file", "-", stdin="obs: An imported note, amended here.\n")
    vault.run("note", "show", note)
    vault.run("note", "find", "--file", "-", stdin="door")
    vault.run("case", "close", case, "--yes")
    vault.run("case", "reopen", case, "--file", "-", stdin="rang again\n")
    vault.run("case", "close", case, "--yes")
    return imported + lines(MIXED[:2] + [AMENDED])


def agree(vault, imported):
    """Counts, payloads and the log: both programs say the same."""
    theirs = vault.json("verify")
    mine = json.loads(vault.read("verify"))
    assert theirs["failures"] == mine["failures"] == [], (theirs, mine)
    for name in ("entries", "authors", "signatures", "opened", "attachments", "streams"):
        assert mine[name] == theirs[name], f"{name}: {mine[name]} here, {theirs[name]} there"
    assert mine["attachments"] == 3 and len(list((vault.home / "attachments").iterdir())) == 3
    print(f"verify: {mine['entries']} entries, {mine['authors']} authors, {mine['signatures']} signatures, both")

    exported = vault.run("export", "--format", "jsonl").splitlines()
    read = vault.read("export").splitlines()
    assert sorted(exported) == sorted(read), first_difference(exported, read)
    assert any('"kind":"reflection"' in line for line in read) and not any("Never mind" in line for line in read)
    assert sum("Of somebody else." in line for line in read) == 1 and not any("Hidden alone." in line for line in read)
    assert sum("For both." in line for line in read) == 2 and sum('"jotted_at"' in line for line in read) == 1
    assert sum('"outcome":"She agreed."' in line for line in read) == 2 and sum('"done":' in line for line in read) == 2
    names = {name_of(json.loads(line)): json.loads(line) for line in read}
    amended = "An imported note, amended here."
    kept = [json.loads(line) for line in imported.splitlines()]
    changed = [one for one in kept if names[name_of(one)] != one]
    assert len(changed) == 1 and names[name_of(changed[0])]["segments"][0]["text"] == amended, changed[:2]
    print(f"export: {len(read)} lines, byte for byte; what was imported comes back as it was")

    shown = vault.json("log", "list")["entries"]
    entries = [json.loads(line) for line in vault.read("log").splitlines()]
    found = [(one["entry"]["at"], one["operation"], one["entry"]["operation"]) for one in entries]
    assert sorted((at, operation) for at, operation, _ in found) == sorted(
        (one["at"], one["operation"]) for one in shown
    ), (found[-3:], shown[:3])
    assert all(clear == sealed for _, clear, sealed in found), found
    print(f"log: {len(found)} entries opened with the DPO key, both")


def recover(vault):
    """A backup read by its passphrase and by each pair of cards; vaults restored from it, and written on."""
    cards, backup = vault.folder / "cards", vault.folder / "backup"
    case = vault.json("case", "list", "--status", "open")["cases"][0]["case"]
    vault.run("recovery", "split", "--yes", "--out-dir", str(cards))
    vault.run("backup", "create", "--out", str(backup))
    exported = sorted(vault.run("export", "--format", "jsonl").splitlines())
    pairs = list(itertools.combinations(sorted(cards.glob("*.txt")), 2))
    assert len(pairs) == 3
    of_backup = Vault(vault.casevault, vault.folder)
    of_backup.home = backup
    assert sorted(of_backup.read("export").splitlines()) == exported
    for pair in pairs:
        assert sorted(of_backup.read("export", key=["--cards", *pair]).splitlines()) == exported
    alone = of_backup.read("verify", key=["--cards", pairs[0][0]], exits=(5,))
    assert json.loads(alone)["failures"][0]["check"] == "CHK-123", alone
    print(f"backup: {len(exported)} lines by the passphrase and by each pair of cards")

    steps = [("restored", ("backup", "restore", str(backup)))]
    files = ",".join(map(str, pairs[1]))
    steps.append(("recovered", ("recovery", "restore", "--cards", files, "--backup", str(backup))))
    for name, command in steps:
        other = Vault(vault.casevault, vault.folder)
        other.home = vault.folder / name
        other.run(*command)
        other.run("note", "add", case, "--kind", "phone", "--file", "-", stdin="obs: After it.\n\npriv: Calmly.\n")
        theirs, mine = other.json("verify"), json.loads(other.read("verify"))
        assert theirs["failures"] == mine["failures"] == [], (theirs, mine)
        for count in ("entries", "authors", "signatures", "opened", "streams"):
            assert mine[count] == theirs[count], f"{name}, {count}: {mine[count]} here, {theirs[count]} there"
        print(f"{name}: {mine['entries']} entries, {mine['signatures']} signatures, both")


def name_of(line):
    return line["type"], line[line["type"]]


def first_difference(left, right):
    only = sorted(set(left) ^ set(right), key=lambda line: json.loads(line).get("note", ""))
    return "the exports differ:\n" + "\n".join(only[:4])


def flipped(value, at):
    at %= len(value)
    return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]


def flip(table, column, where, at=0):
    """A tampering that flips the lowest bit of one byte of one blob."""

    def tamper(vault):
        [(rowid, value)] = vault.sql(f"SELECT rowid, {column} FROM {table} WHERE {where} LIMIT 1")
        vault.sql(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", flipped(value, at), rowid)

    return tamper


def flip_keyed(table, column, key):
    """The same for a table without row ids."""

    def tamper(vault):
        name, value = vault.sql(f"SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL LIMIT 1")[0]
        vault.sql(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", flipped(value, len(value) - 1), name)

    return tamper


def statement(sql):
    return lambda vault: vault.sql(sql)


def malleable(vault):
    """The same signature with S + L: the equation holds, the encoding is not canonical."""
    [(pos, signature)] = vault.sql(f"SELECT pos, record_signature FROM link WHERE {NOTES} LIMIT 1")
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    vault.sql("UPDATE link SET record_signature = ? WHERE pos = ?", signature[:32] + scalar.to_bytes(32, "little"), pos)


def swap_bodies(vault):
    (one, first), (two, second) = vault.sql(f"SELECT pos, body FROM link WHERE {NOTES} LIMIT 2")
    vault.sql("UPDATE link SET body = ? WHERE pos = ?", second, one)
    vault.sql("UPDATE link SET body = ? WHERE pos = ?", first, two)


def forge_erasure(vault):
    """A record made to look erased, without the event that would say so."""
    [(pos,)] = vault.sql(f"SELECT pos FROM link WHERE {NOTES} AND wrap IS NOT NULL LIMIT 1")
    [(body, wrap)] = vault.sql("SELECT body, wrap FROM link WHERE pos = ?", pos)
    hashes = digest("ciphertext hash", body), digest("wrap hash", wrap)
    vault.sql("INSERT INTO erased VALUES (?, 0, ?, ?, ?)", pos, len(body) - 16, *hashes)
    vault.sql("UPDATE link SET body = NULL, wrap = NULL, is_primary = 0 WHERE pos = ?", pos)


def largest(vault):
    return max((vault.home / "attachments").iterdir(), key=lambda path: path.stat().st_size)


def attached(change):
    """A tampering with the largest attachment's file."""

    def tamper(vault):
        path = largest(vault)
        path.write_bytes(change(path.read_bytes()))

    return tamper


def stray(vault):
    path = largest(vault)
    shutil.copy(path, path.with_name("0" * 26))


def swap_files(vault):
    """Two attachments' records change their files."""
    one, two = sorted((vault.home / "attachments").iterdir(), key=lambda path: path.stat().st_size)[-2:]
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


SEALED_CHUNK = 65536 + 16


def keystore(at, byte=None):
    def tamper(vault):
        path = vault.home / "keystore"
        data = path.read_bytes()
        path.write_bytes(flipped(data, at) if byte is None else data[:at] + byte + data[at + len(byte) :])

    return tamper


NOTES = "bytes IS NULL AND class = 1 AND body IS NOT NULL"
CASE_KEYRING = "rowid = (SELECT max(rowid) - 1 FROM blob)"  # the last is the segment start
AGENCY_KEYRING = "rowid = (SELECT min(rowid) FROM blob)"
KDF_MEMORY = 2 + 32 + 16 + 16 + 1
FIRST_NOTE = f"pos = (SELECT min(pos) FROM link WHERE {NOTES})"
CASE_OPENED = "stream = (SELECT no FROM stream WHERE kind = 2 LIMIT 1) AND seq = 0"
# What is done, how, and the check by which this reader notices first. One byte can break several: those that another
# order of checking comes to first follow.
TAMPERINGS = [
    ("a byte of a record's body", flip("link", "body", NOTES, 20), "CHK-15", "CHK-45", "CHK-12"),
    ("two records' bodies swapped", swap_bodies, "CHK-15", "CHK-45", "CHK-10", "CHK-12"),
    ("a record's commitment", flip("link", "commitment", NOTES), "CHK-15", "CHK-45", "CHK-11"),
    ("a record's wrap", flip("link", "wrap", NOTES), "CHK-45", "CHK-12"),
    ("a placement's month", statement(f"UPDATE link SET month = month + 1 WHERE {FIRST_NOTE}"), "CHK-45", "CHK-12"),
    ("a link's signature", flip("link", "signature", NOTES, 40), "CHK-45"),
    ("an event's bytes", flip("link", "bytes", CASE_OPENED, -10), "CHK-45"),
    ("a record's signature", flip("link", "record_signature", NOTES, 40), "CHK-15"),
    ("a record's signature, S + L", malleable, "CHK-15"),
    ("the settings' body", flip("sealed", "body", "1"), "CHK-47"),
    ("an access entry's body", flip("link", "body", "bytes IS NOT NULL AND body IS NOT NULL", 50), "CHK-92"),
    ("a case's keyring", flip("blob", "bytes", CASE_KEYRING, -20), "CHK-105"),
    ("a case's keyring taken out", statement(f"DELETE FROM blob WHERE {CASE_KEYRING}"), "CHK-82"),
    ("the agency's keyring", flip("blob", "bytes", AGENCY_KEYRING, -20), "CHK-105"),
    ("a stream's head MAC", flip("stream", "mac", "kind = 2"), "CHK-100"),
    ("a stream's head", flip("stream", "head", "kind = 2"), "CHK-100"),
    ("the store's head MAC", flip("meta", "mac", "1"), "CHK-101"),
    ("the last link cut off", statement("DELETE FROM link WHERE pos = (SELECT max(pos) FROM link)"), "CHK-102"),
    ("a link taken out", statement(f"DELETE FROM link WHERE {FIRST_NOTE}"), "CHK-102"),
    ("a local value", flip_keyed("local", "value", "name"), "CHK-103"),
    ("an index entry", flip_keyed("external", "content", "key"), "CHK-104"),
    ("a primary mark", statement(f"UPDATE link SET is_primary = 0 WHERE {FIRST_NOTE}"), "CHK-104"),
    ("an erasure that nobody signed", forge_erasure, "CHK-82"),
    ("a body without its wrap", statement(f"UPDATE link SET wrap = NULL WHERE {FIRST_NOTE}"), "CHK-82"),
    ("a table more", statement("CREATE TABLE other (x INTEGER) STRICT"), "CHK-105"),
    ("an attachment's file", lambda vault: largest(vault).unlink(), "CHK-110"),
    ("an attachment cut at a chunk's edge", attached(lambda file: file[:SEALED_CHUNK]), "CHK-111"),
    ("an attachment's chunk", attached(lambda file: flipped(file, SEALED_CHUNK + 5)), "CHK-112"),
    (
        "an attachment's chunks in another order",
        attached(lambda file: file[SEALED_CHUNK : 2 * SEALED_CHUNK] + file[:SEALED_CHUNK] + file[2 * SEALED_CHUNK :]),
        "CHK-112",
    ),
    ("two attachments' files swapped", swap_files, "CHK-111"),
    ("a file that nobody attached", stray, "CHK-115"),
    ("the keystore's last byte", keystore(-1), "CHK-96"),
    ("the keystore's salt", keystore(KDF_MEMORY + 12), "CHK-96"),
    ("the keystore's memory cost", keystore(KDF_MEMORY, (1024).to_bytes(4, "big")), "CHK-95"),
    ("the keystore's format", keystore(1, b"\x02"), "CHK-03"),
]
WRONG_KEY = {"CHK-96": 5}


def refuse(vault):
    """Each tampering is refused by both, with a check that the page names for it."""
    for number, (name, tamper, check, *others) in enumerate(TAMPERINGS):
        copy = vault.copy(f"tampered-{number}")
        tamper(copy)
        mine = json.loads(copy.read("verify", exits=(WRONG_KEY.get(check, 4),)))["failures"]
        assert [one["check"] for one in mine] == [check], f"{name}: {mine}, not {check}"
        theirs = their_checks(copy)
        assert theirs & {check, *others}, f"{name}: {check} here, {sorted(theirs)} there"
        shutil.rmtree(copy.home)
    print(f"tampering: {len(TAMPERINGS)} vaults refused, each by a check that the page names")


def their_checks(copy):
    """The checks that `casevault verify` says have failed."""
    done = subprocess.run(
        [copy.casevault, "--no-agent", "verify", "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "CASEVAULT_HOME": str(copy.home), "CASEVAULT_PASSPHRASE_FILE": str(copy.passphrase)},
    )
    assert done.returncode in (0, 4, 5), f"casevault verify: exit {done.returncode}\n{done.stdout}{done.stderr}"
    if done.stdout:
        return {one["check"] for one in json.loads(done.stdout)["failures"]}
    return {json.loads(done.stderr.splitlines()[-1])["check"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("casevault", type=Path)
    casevault = parser.parse_args().casevault.resolve()
    with tempfile.TemporaryDirectory(prefix="casevault-reader-") as folder:
        whole = Vault(casevault, Path(folder, "whole"))
        agree(whole, make(whole, caseload()))
        small = Vault(casevault, Path(folder, "small"))
        agree(small, make(small, lines(SMALL)))
        recover(small)
        refuse(small)


if __name__ == "__main__":
    main()
