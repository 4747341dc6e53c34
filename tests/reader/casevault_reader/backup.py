"""A backup: opened by the passphrase or by the recovery key, and its files told apart (§16)."""

import json
import re

from . import age
from .codec import HASH, ID, U32, U64, Bytes, Enumeration, Fixed, Format, Struct, Vector, decode
from .ed25519 import public_of
from .keystore import LANES, MEMORY_KIB, PASSES, unlock_key
from .labels import digest, kdf
from .refusal import Refusal, require
from .seal import committed_open
from .xwing import Identity

MAGIC = b"CVBACKUP"
HEAD = 243
LIMIT_INDEX = 16 << 20
NAME = re.compile(rb"attachments(/[A-Za-z0-9_-][A-Za-z0-9._-]*){1,3}")
BackupHeader = Struct(
    magic=Fixed(8),
    format=Format(),
    agency=HASH,
    member=ID,
    device=ID,
    recovery=U32,
    content=U64,
    kdf=Enumeration(1, 1),
    memory_kib=U32,
    passes=U32,
    lanes=U32,
    salt=HASH,
    fresh=HASH,
)
BackupHead = Struct(header=BackupHeader, commitment=HASH, sealed=Fixed(48))
BackupEntry = Struct(name=Bytes(), length=U64)
BackupIndex = Struct(format=Format(), head=HASH, entries=Vector(BackupEntry))


def read_head(data):
    """The head, whose parameters are within their bounds."""
    require(data[:8] == MAGIC, "CHK-02", "not a backup")
    require(len(data) >= HEAD, "CHK-108", "a backup that ends in its head")
    head = decode(BackupHead, data[:HEAD], HEAD)
    header = head.header
    for found, (least, most) in ((header.memory_kib, MEMORY_KIB), (header.passes, PASSES), (header.lanes, LANES)):
        require(least <= found <= most, "CHK-95", f"key derivation parameter {found} is outside {least} to {most}")
    return head


def identity_of(head, passphrase):
    """The backup's own X-Wing identity, opened by the passphrase."""
    header = head.header
    unlock = unlock_key(header, passphrase)
    associated = BackupHeader.write(header)
    seed = committed_open(
        "backup seal", unlock, associated, head.commitment, associated, head.sealed, "CHK-107", "CHK-107"
    )
    return Identity(seed)


def read_backup(data, passphrase=None, recovery=None):
    """The header, the secrets, and the files by name. `recovery` is what `cards.combine` gives."""
    head = read_head(data)
    if recovery is None:
        identity = identity_of(head, passphrase)
    else:
        require(recovery[0] == head.header.recovery, "CHK-125", "cards of another recovery key")
        identity = recovery[1]
    try:
        plain = age.decrypt(data[HEAD:], identity, head.header.content)
    except age.NoMatch:
        raise Refusal("CHK-107", "the backup is not sealed to this key") from None
    except Refusal:
        raise Refusal("CHK-109", "the backup's content does not open") from None
    length = int.from_bytes(plain[:4], "big")
    require(length <= LIMIT_INDEX, "CHK-01", "a list beyond its limit")
    index = decode(BackupIndex, plain[4 : 4 + length], LIMIT_INDEX)
    require(index.head == digest("backup head", data[:HEAD]), "CHK-109", "the content of another head")
    names = [entry.name for entry in index.entries]
    require(names[:2] == [b"secrets", b"vault.db"], "CHK-109", "a backup without its secrets or its store")
    rest = names[2:]
    sound = all(NAME.fullmatch(name) and len(name) <= 255 for name in rest) and sorted(set(rest)) == rest
    require(sound, "CHK-109", "a name that is none, or out of order")
    files, at = {}, 4 + length
    for entry in index.entries:
        files[entry.name.decode("ascii")] = plain[at : at + entry.length]
        at += entry.length
    require(at == len(plain) == head.header.content, "CHK-109", "another length than the head says")
    content = json.loads(files.pop("secrets"))
    require(content["schema"] == "casevault.backup/1", "CHK-109", "secrets of another schema")
    return head.header, BackupSecrets(head.header, content), files


class BackupSecrets:
    """What reads the store of a backup; as a keystore's secrets, without a device's."""

    def __init__(self, header, content):
        self.agency, self.member, self.device = header.agency, header.member, header.device
        self.device_key = self.recovery = None
        self.identity_key = public_of(bytes.fromhex(content["identity"]))
        self.recipients = {item["version"]: Identity(bytes.fromhex(item["seed"])) for item in content["recipients"]}
        self.dpo = {item["version"]: Identity(bytes.fromhex(item["seed"])) for item in content["dpo"]}
        store_key = bytes.fromhex(content["store_key"])
        self.head_key = kdf("local head key", store_key, b"", 32)
        self.state_key = kdf("local state key", store_key, b"", 32)
        self.index_key = kdf("local index key", store_key, b"", 32)
