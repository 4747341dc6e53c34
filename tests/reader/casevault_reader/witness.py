"""Section 17: checkpoints as notes, cosignatures, and what a witness keeps."""

import base64
import hashlib

from . import ed25519
from .codec import decode
from .refusal import require
from .structures import LIMIT_COSIGNED, LIMIT_WITNESS_POSITION, CosignedNotes, WitnessPosition

LOG, WITNESS = 1, 4


def text_of(agency, size, root):
    """A checkpoint's three lines."""
    return f"casevault/{agency.hex()}\n{size}\n{base64.b64encode(root).decode()}\n"


def key_id(name, kind, key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def verifier(name, kind, key):
    """A key as others are given it."""
    return f"{name}+{key_id(name, kind, key).hex()}+{base64.b64encode(bytes([kind]) + key).decode()}"


def read_position(data, agency, log):
    """What a witness keeps of a log: size and root, which the log signed."""
    kept = decode(WitnessPosition, data, LIMIT_WITNESS_POSITION)
    require(kept.agency == agency, "CHK-132", "a position of another agency's log")
    require(kept.log == log, "CHK-133", "a position of a log with another key")
    text = text_of(agency, kept.seen.size, kept.seen.root).encode()
    require(ed25519.is_valid(log, text, kept.seen.signature), "CHK-133", "a position that the log did not sign")
    return kept.seen.size, kept.seen.root


def read_cosigned(data, agency, log, witnesses):
    """What a server answers: for each note its size and root, and the times of witnesses, given by name and key."""
    found = []
    for one in decode(CosignedNotes, data, LIMIT_COSIGNED).notes:
        text, _, lines = one.note.decode().rpartition("\n\n")
        text += "\n"
        origin, size, root, rest = text.split("\n", 3)
        require(origin == f"casevault/{agency.hex()}", "CHK-132", "a checkpoint of another log")
        root = base64.b64decode(root, validate=True)
        require(rest == "" and text == text_of(agency, int(size), root), "CHK-131", "no checkpoint")
        signatures = []
        for line in lines.removesuffix("\n").split("\n"):
            _, name, raw = line.split(" ")
            raw = base64.b64decode(raw, validate=True)
            signatures.append((name, raw[:4], raw[4:]))
        named = key_id(origin, LOG, log)
        signed = [raw for name, known, raw in signatures if (name, known) == (origin, named)]
        holds = len(signed) == 1 and ed25519.is_valid(log, text.encode(), signed[0])
        require(holds, "CHK-133", "a checkpoint that the log did not sign")
        times = {}
        for witness, key in witnesses:
            named = key_id(witness, WITNESS, key)
            for raw in (raw for name, known, raw in signatures if (name, known) == (witness, named)):
                time = int.from_bytes(raw[:8], "big")
                message = f"cosignature/v1\ntime {time}\n{text}".encode()
                holds = len(raw) == 72 and time < 1 << 63 and ed25519.is_valid(key, message, raw[8:])
                require(holds, "CHK-134", "a witness did not cosign this")
                times[witness] = max(time, times.get(witness, 0))
        found.append((int(size), root, times))
    return found
