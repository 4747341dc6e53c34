"""Verifies a log in files, from the C2SP pages and one fact of CaseVault's: an entry is 48 bytes.

    verify.py [--unwitnessed] FOLDER

FOLDER holds checkpoint, tile/…, log.vkey and witness.vkey. A log that no witness watches is only taken when that is
said: a witness's key that is not there is refused otherwise.

Checks the log's signature and the witness's cosignature, computes every hash of the tree again out of the entries,
compares each tile with them, the root with the checkpoint's, and, where there is a checkpoint.earlier, that the tree
continues it. Prints what it verified; a refusal names the file, and exits with 4.
"""

import base64
import hashlib
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ENTRY = 48


class Refused(Exception):
    pass


def require(holds, why):
    if not holds:
        raise Refused(why)


def vkey(text):
    """Reads `name+id+key` (signed-note): the name, the four bytes of the id, the kind, the key."""
    name, key_id, key = text.split("+", 2)
    raw = base64.b64decode(key, validate=True)
    computed = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    require(computed.hex() == key_id, f"the id of {name} is not that of its key")
    return name, computed, raw[0], raw[1:]


def note(path):
    """Splits a note: its text, and the signatures by name and key id."""
    whole = path.read_bytes().decode()
    require(not any(ord(c) < 32 and c != "\n" for c in whole), f"{path.name}: control characters")
    text, separator, lines = whole.rpartition("\n\n")
    require(separator and lines.endswith("\n"), f"{path.name}: no signatures")
    signatures = []
    for line in lines[:-1].split("\n"):
        dash, name, encoded = line.split(" ")
        require(dash == "—", f"{path.name}: a line that is no signature")
        raw = base64.b64decode(encoded, validate=True)
        signatures.append((name, raw[:4], raw[4:]))
    return text + "\n", signatures


def verified(key, signature, message):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except InvalidSignature:
        return False


def checkpoint(path, log, witness):
    """Returns size, root and the witness's time."""
    text, signatures = note(path)
    name, key_id, kind, key = log
    require(kind == 1, "the log's key is not one for notes")
    by_log = [s for n, i, s in signatures if (n, i) == (name, key_id)]
    require(by_log and all(verified(key, s, text.encode()) for s in by_log), f"{path.name}: not signed by the log")
    origin, size, root, rest = text.split("\n", 3)
    require(origin == name and rest == "" and str(int(size)) == size, f"{path.name}: no checkpoint of {name}")
    if witness is None:
        return int(size), base64.b64decode(root, validate=True), None
    name, key_id, kind, key = witness
    require(kind == 4, "the witness's key is not one for cosignatures")
    by_witness = [s for n, i, s in signatures if (n, i) == (name, key_id)]
    require(len(by_witness) == 1 and len(by_witness[0]) == 72, f"{path.name}: not cosigned")
    time, signature = int.from_bytes(by_witness[0][:8], "big"), by_witness[0][8:]
    message = f"cosignature/v1\ntime {time}\n{text}".encode()
    require(verified(key, signature, message), f"{path.name}: the cosignature does not hold")
    return int(size), base64.b64decode(root, validate=True), time


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def mth(hashes):
    """The Merkle tree hash over leaf hashes (RFC 6962, section 2.1)."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node(mth(hashes[:k]), mth(hashes[k:]))


def number(n):
    digits = f"{n:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    return "/".join([f"x{part}" for part in parts[:-1]] + parts[-1:])


def tiles(size, level):
    """The paths of a level's tiles in a tree of `size`, with their widths (tlog-tiles)."""
    hashes = size >> (8 * level)
    for n in range(hashes // 256):
        yield number(n), 256
    if hashes % 256:
        yield f"{number(hashes // 256)}.p/{hashes % 256}", hashes % 256


def entries(folder, size):
    for path, width in tiles(size, 0):
        raw = (folder / "tile/entries" / path).read_bytes()
        require(len(raw) == width * (2 + ENTRY), f"tile/entries/{path}: not {width} entries of {ENTRY} bytes")
        for at in range(0, len(raw), 2 + ENTRY):
            require(int.from_bytes(raw[at : at + 2], "big") == ENTRY, f"tile/entries/{path}: an entry of another length")
            yield raw[at + 2 : at + 2 + ENTRY]


def verify(folder, witnessed=True):
    log = vkey((folder / "log.vkey").read_text().strip())
    witness = vkey((folder / "witness.vkey").read_text().strip()) if witnessed else None
    size, root, time = checkpoint(folder / "checkpoint", log, witness)
    leaves = [leaf(entry) for entry in entries(folder, size)]
    compared, level, row = 0, 0, leaves
    while row:
        at = 0
        for path, width in tiles(size, level):
            expected = b"".join(row[at : at + width])
            require((folder / f"tile/{level}/{path}").read_bytes() == expected, f"tile/{level}/{path}: other hashes")
            at, compared = at + width, compared + 1
        row = [mth(row[n : n + 256]) for n in range(0, len(row) - 255, 256)]
        level += 1
    require(mth(leaves) == root, "the root is not the checkpoint's")
    earlier = folder / "checkpoint.earlier"
    if earlier.exists():
        before, earlier_root, _ = checkpoint(earlier, log, witness)
        require(before <= size and mth(leaves[:before]) == earlier_root, "the tree does not continue the earlier one")
    cosigned = "no witness" if time is None else f"a cosignature of {time}"
    print(f"verified: {size} entries, {compared} tiles, the root, the log's signature, {cosigned}")


if __name__ == "__main__":
    try:
        verify(Path(sys.argv[-1]), witnessed="--unwitnessed" not in sys.argv[1:-1])
    except (Refused, ValueError, OSError) as why:
        print(f"refused: {why}", file=sys.stderr)
        sys.exit(4)
