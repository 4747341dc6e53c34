#!/usr/bin/env python3
"""Fills fuzz/corpus with the golden vectors, so that fuzzing starts from every structure of the format."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORE = HERE.parent / "vault-core"


def put(target: str, data: bytes) -> None:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def main() -> None:
    vectors = json.loads((CORE / "tests/vectors/v1.json").read_text())
    bytes_of = bytes.fromhex

    for stream in ("agency_links", "case_links", "access_links"):
        for link in vectors[stream]["links"]:
            data = bytes_of(link["link"])
            put("link", data)
            # Behind format, agency, stream, seq, previous, agency head, `seen` and device, an event's body is of kind 2.
            body = data[2 + 32 + 17 + 8 + 32 + 32 + 1 + 16 :]
            if body[0] == 2:
                put("event", body[1:-1])
                put("event", body[3:-1])
    put("root", bytes_of(vectors["root"]["root"]))
    for record in (vectors["record"]["first"], vectors["record"]["second"]):
        put("record_header", bytes_of(record["header"]) + bytes_of(record["ciphertext"]))
        put("unpad", bytes_of(record["padded"]))
        put("note_json", bytes_of(record["payload"]))
    put("keyring_plain", bytes_of(vectors["keyring"]["plaintext"]))
    put("keystore_peek", bytes_of(vectors["keystore"]["file"]))
    put("attachment", vectors["attachment"]["payload"].encode())
    for entry in vectors["access"]["entries"]:
        put("access_body", bytes_of(entry["entry"]) + bytes_of(entry["body"]))
        put("access_body", bytes(12) + bytes_of(entry["state"]))
    for ids in vectors["ids"]["vectors"]:
        for text in ids.values():
            put("id_range", text.encode())
    structures = {"founding": "link", "record": "record_header", "keyring": "keyring_plain",
                  "keystore": "keystore_peek", "padding": "unpad", "link": "link"}
    for vector in vectors["malformed"]:
        target = structures.get(vector["structure"])
        data = vector.get("bytes") or vector.get("header", "") + vector.get("ciphertext", "")
        if target:
            put(target, bytes_of(data))

    put("tlog", vectors["log"]["checkpoint"]["note"].encode())
    put("tlog", b"".join(b"\0\x30" + bytes_of(entry["entry"]) for entry in vectors["log"]["entries"]))
    put("tlog", b"tile/1/x001/x234/067.p/8")
    put("tlog", bytes(7) + b"\1" + bytes(7) + b"\3" + bytes_of(vectors["log"]["entries"][0]["leaf"]) * 2)

    notes = CORE / "src/note/text"
    put("note_text", (notes / "golden_1.note").read_bytes())
    put("note_json", (notes / "golden_1.json").read_bytes())
    for path in sorted((HERE / "crashes").glob("*/*")):
        put(path.parent.name, path.read_bytes())

    # An age file's start and its stanza, to be changed; the vault's own files are random, so none is kept.
    stanza = b"age-encryption.org/v1\n-> mlkem768x25519 " + b"A" * 1494 + b"\n" + b"A" * 43 + b"\n"
    put("age_file", stanza + b"--- " + b"A" * 43 + b"\n" + bytes(32))

    caseload = HERE.parent.parent / "shared/data/make_caseload.py"
    if caseload.exists():
        made = subprocess.run([sys.executable, caseload, "--size", "s"], capture_output=True, check=True).stdout
        for line in made.splitlines()[:100]:
            put("import_line", line)
            put("note_json", line)
    put("import_line", b'{"type":"worker","worker":"w001","role":"caseworker"}')
    put("import_line", b'{"type":"note","case":"c1","note":"n1","author":"w001","kind":"phone","segments":[]}')


if __name__ == "__main__":
    main()
