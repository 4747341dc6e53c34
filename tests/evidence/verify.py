"""Verifies a file of evidence against a log, from docs/format.md section 17 and the C2SP pages, with no code of CaseVault's.

    verify.py LOG FILE…

LOG is the log's key as C2SP writes verifiers, `name+id+key`, which whoever judges has from the agency's root and not from
the file. What is shown is that this key signed two checkpoints that are not of one log: that the tree of the larger does
not begin with the tree of the smaller; or one checkpoint of a tree with two leaves for one place of a stream. Prints what was shown; a file that shows nothing is refused, with exit code 4.
"""

import base64
import hashlib
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FIELDS = {"schema", "says", "log", "first", "second", "root_of_first_size_in_second", "consistency_proof"}
TWICE = {"schema", "says", "log", "checkpoint", "first", "second"}
LEAF = {"leaf", "entry", "inclusion_proof"}
MOST = 1 << 20


class Refused(Exception):
    pass


def require(holds, why):
    if not holds:
        raise Refused(why)


def decoded(text, length, what):
    raw = base64.b64decode(text, validate=True)
    require(base64.b64encode(raw).decode() == text, f"{what} is not in its one form")
    require(len(raw) == length, f"{what} is not {length} bytes")
    return raw


def verifier(text):
    """Reads a verifier of an Ed25519 note key (signed-note)."""
    name, key_id, key = text.split("+", 2)
    raw = decoded(key, 33, "the log's key")
    require(raw[0] == 1, "the log's key is not one for notes")
    computed = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    require(computed.hex() == key_id, "the key's id is not that of the key")
    return name, computed, raw[1:]


def checkpoint(note, log, what):
    """Returns size and root of a checkpoint that the log signed once."""
    name, key_id, key = log
    text, separator, lines = note.rpartition("\n\n")
    require(separator and lines.endswith("\n"), f"{what} is no signed note")
    text += "\n"
    signatures = []
    for line in lines[:-1].split("\n"):
        dash, by, encoded = line.split(" ")
        require(dash == "—", f"{what} has a line that is no signature")
        raw = base64.b64decode(encoded, validate=True)
        require(base64.b64encode(raw).decode() == encoded, f"{what} has a signature that is not in its one form")
        if (by, raw[:4]) == (name, key_id):
            signatures.append(raw[4:])
    require(len(signatures) == 1, f"{what} is not signed once by the log")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signatures[0], text.encode())
    except InvalidSignature:
        raise Refused(f"{what}: the log's signature does not hold") from None
    origin, size, root, rest = text.split("\n", 3)
    require(origin == name and rest == "" and str(int(size)) == size, f"{what} is no checkpoint of this log")
    return int(size), decoded(root, 32, f"the root of {what}")


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def consistent(first, first_root, second, second_root, proof):
    """RFC 9162, section 2.1.4.2: whether the tree of `second` leaves continues the one of `first`."""
    if first == second:
        return not proof and first_root == second_root
    if not 0 < first < second or not proof:
        return False
    if first & (first - 1) == 0:
        proof = [first_root, *proof]
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return fr == first_root and sr == second_root and sn == 0


def included(leaf, size, entry, proof, root):
    """RFC 9162, section 2.1.3.2: whether the tree of `size` leaves has this one."""
    if leaf >= size:
        return False
    fn, sn, r = leaf, size - 1, hashlib.sha256(b"\0" + entry).digest()
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def verify_twice(log_text, evidence):
    """Says of which two leaves it is, or refuses."""
    require(set(evidence) == TWICE, "not the fields of casevault.evidence.twice/1")
    require(evidence["log"] == log_text, "it is against another log")
    size, root = checkpoint(evidence["checkpoint"], verifier(log_text), "the checkpoint")
    tags, leaves = [], []
    for what in ("first", "second"):
        one = evidence[what]
        require(isinstance(one, dict) and set(one) == LEAF and type(one["leaf"]) is int, f"the {what} is no leaf")
        entry = decoded(one["entry"], 48, f"the {what} entry")
        proof = [decoded(hash, 32, "a hash of a proof") for hash in one["inclusion_proof"]]
        require(one["leaf"] >= 0 and included(one["leaf"], size, entry, proof, root), f"the {what} is not in the tree")
        tags.append(entry[:16])
        leaves.append(one["leaf"])
    require(leaves[0] < leaves[1] and tags[0] == tags[1], "the leaves are one, or of two places")
    return f"the log's key signed a tree whose leaves {leaves[0]} and {leaves[1]} are for one place of a stream"


def verify(log_text, raw):
    """Says what is shown, or refuses."""
    require(len(raw) <= MOST, "longer than evidence is")
    evidence = json.loads(raw)
    if isinstance(evidence, dict) and evidence.get("schema") == "casevault.evidence.twice/1":
        return verify_twice(log_text, evidence)
    require(isinstance(evidence, dict) and set(evidence) == FIELDS, "not the fields of casevault.evidence/1")
    require(evidence["schema"] == "casevault.evidence/1", "not of the schema casevault.evidence/1")
    require(evidence["log"] == log_text, "it is against another log")
    log = verifier(log_text)
    first, first_root = checkpoint(evidence["first"], log, "the first checkpoint")
    second, second_root = checkpoint(evidence["second"], log, "the second checkpoint")
    shown = decoded(evidence["root_of_first_size_in_second"], 32, "the root of the first size in the second tree")
    proof = [decoded(hash, 32, "a hash of the proof") for hash in evidence["consistency_proof"]]
    require(shown != first_root, "nothing contradicts: the second tree begins with the first")
    require(consistent(first, shown, second, second_root, proof), "the proof does not hold")
    return f"the log's key signed a tree of {first} leaves and one of {second} that does not begin with it"


def main(arguments):
    log, *files = arguments
    for path in files:
        try:
            with open(path, "rb") as file:
                shown = verify(log, file.read(MOST + 1))
        except (Refused, ValueError, KeyError, TypeError, AttributeError) as why:
            print(f"{path}: refused: {why}", file=sys.stderr)
            return 4
        print(f"{path}: {shown}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
