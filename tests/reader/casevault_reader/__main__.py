"""The command: `verify`, `open`, `export` and `log`."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from .access import OPERATIONS
from .backup import read_backup, read_head
from .cards import combine, find_words, read_card
from .ids import handle, stream_handle, text
from .refusal import Refusal
from .structures import CASE
from .vault import Vault

VERIFICATION_FAILED, NO_KEY = 4, 5
NO_KEYS = {"CHK-96", "CHK-107", "CHK-120", "CHK-121", "CHK-122", "CHK-123", "CHK-124", "CHK-125"}
WHAT = "check all; or print every payload; or the lines that `casevault export` writes; or the access log"


def main():
    parser = argparse.ArgumentParser(prog="casevault_reader", description="Reads a vault by the format document alone.")
    parser.add_argument("what", choices=("verify", "open", "export", "log"), help=WHAT)
    parser.add_argument("home", type=Path, help="the vault's folder, `keystore`, `vault.db`, `attachments`; or a backup")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--passphrase-file", type=Path)
    how.add_argument("--cards", type=Path, nargs="+", help="opens a backup by recovery cards")
    arguments = parser.parse_args()
    try:
        vault = open_vault(arguments)
    except Refusal as refusal:
        print(json.dumps({**summary(None), "failures": [refusal.as_json()]}))
        return NO_KEY if refusal.check in NO_KEYS else VERIFICATION_FAILED
    if arguments.what == "verify":
        print(json.dumps({**summary(vault), "failures": []}))
    elif arguments.what == "open":
        for opened in vault.lines.opened:
            put(record_line(opened.record, opened.payload))
    elif arguments.what == "export":
        for line in vault.lines.export():
            sys.stdout.write(line + "\n")
    else:
        for link, entry in vault.entries:
            put(entry_line(link, entry))
    return 0


def open_vault(arguments):
    """Reads and walks a vault's folder, or the vault of a backup."""
    if arguments.home.is_dir():
        vault = Vault(arguments.home, arguments.passphrase_file.read_bytes())
        vault.walk()
        return vault
    data = arguments.home.read_bytes()
    if arguments.cards:
        cards = [read_card(find_words(path.read_text())) for path in arguments.cards]
        _, secrets, files = read_backup(data, recovery=combine(read_head(data).header.agency, cards))
    else:
        _, secrets, files = read_backup(data, arguments.passphrase_file.read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name, content in files.items():
            (home / name).parent.mkdir(exist_ok=True)
            (home / name).write_bytes(content)
        vault = Vault.of_backup(secrets, home)
        vault.walk()
    return vault


def summary(vault):
    counts = (
        {}
        if vault is None
        else {
            "entries": vault.links,
            "authors": len(vault.authors),
            "signatures": vault.signatures,
            "opened": sum(one.record.header.stream.kind == CASE for one in vault.lines.opened),
            "attachments": vault.attachments,
            "streams": len(vault.streams),
            "keyrings": vault.opener.opened,
            "accesses": len(vault.entries),
        }
    )
    return {"schema": "casevault.reader.verify/1", **counts}


def record_line(record, payload):
    header = record.header
    return {
        "schema": payload["schema"],
        "stream": text({1: "a", 2: "c"}[header.stream.kind], header.stream.id),
        "section": header.section,
        "record": text("n", header.record),
        "version": header.version,
        "payload": payload,
    }


def entry_line(link, entry):
    clear = link.body.entry
    return {
        "device": handle("d", link.device),
        "seq": link.seq,
        "operation": OPERATIONS[clear.operation],
        "subject": clear.subject and stream_handle(clear.subject),
        "entry": entry,
    }


def put(line):
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
