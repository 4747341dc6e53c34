"""The keystore: what the passphrase opens (§10), and the keys that §12 derives from it."""

import json
import unicodedata

from argon2.low_level import Type, hash_secret_raw

from .codec import decode
from .ed25519 import public_of
from .labels import kdf
from .refusal import Refusal, require
from .seal import committed_open, unpad
from .structures import LIMIT_KEYSTORE, Keystore, KeystoreHeader
from .xwing import Identity

MEMORY_KIB = (65_536, 2_097_152)
PASSES = (3, 10)
LANES = (1, 16)


def normalize(passphrase):
    """UTF-8 in Unicode NFC without its final line break."""
    text = passphrase.decode("utf-8")
    for ending in ("\r\n", "\n"):
        if text.endswith(ending):
            text = text[: -len(ending)]
            break
    return unicodedata.normalize("NFC", text).encode("utf-8")


def unlock_key(header, passphrase):
    """U, by the parameters of a header, which are checked before anything is computed."""
    for found, (least, most) in ((header.memory_kib, MEMORY_KIB), (header.passes, PASSES), (header.lanes, LANES)):
        require(least <= found <= most, "CHK-95", f"key derivation parameter {found} is outside {least} to {most}")
    return hash_secret_raw(
        normalize(passphrase), header.salt, header.passes, header.memory_kib, header.lanes, 32, Type.ID, 0x13
    )


def read_keystore(data, passphrase):
    """The secrets in the file `data`, opened by `passphrase` (bytes as read from a file)."""
    keystore = decode(Keystore, data, LIMIT_KEYSTORE)
    header = keystore.header
    unlock = unlock_key(header, passphrase)
    associated = KeystoreHeader.write(header)
    try:
        padded = committed_open(
            "keystore seal", unlock, associated, keystore.commitment, associated, keystore.sealed, "CHK-96", "CHK-96"
        )
        content = json.loads(unpad(padded))
        assert content["schema"] == "casevault.keystore/1"
    except (Refusal, ValueError, KeyError, AssertionError):
        raise Refusal("CHK-96", "wrong passphrase, or the keystore was changed") from None
    return Secrets(header, content)


class Secrets:
    """The keystore's secrets. Public halves are computed from them; nothing else is believed."""

    def __init__(self, header, content):
        self.agency, self.member, self.device = header.agency, header.member, header.device
        self.device_key = public_of(bytes.fromhex(content["device"]))
        self.identity_key = public_of(bytes.fromhex(content["identity"]))
        self.recipients = {item["version"]: Identity(bytes.fromhex(item["seed"])) for item in content["recipients"]}
        self.dpo = {item["version"]: Identity(bytes.fromhex(item["seed"])) for item in content["dpo"]}
        recovery = content["recovery"]
        self.recovery = recovery and (
            recovery["version"],
            Identity(bytes.fromhex(recovery["recipient"])),
            public_of(bytes.fromhex(recovery["signing"])),
        )
        store_key = bytes.fromhex(content["store_key"])
        self.head_key = kdf("local head key", store_key, b"", 32)
        self.state_key = kdf("local state key", store_key, b"", 32)
        self.index_key = kdf("local index key", store_key, b"", 32)
