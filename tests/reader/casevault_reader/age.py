"""The age file format v1 (C2SP age.md) with the stanza `mlkem768x25519`, as far as a keyring needs it (§4, §11).

Not armored, one identity, no other stanza type: a header that mixes the hybrid stanza with others is refused, unknown
stanzas ("grease") apart, which the specification tells readers to ignore.
"""

import base64
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .refusal import Refusal, require
from .xwing import ENCAPSULATED

INTRO = b"age-encryption.org/v1"
HYBRID = "mlkem768x25519"
KNOWN = {HYBRID, "X25519", "scrypt", "ssh-ed25519", "ssh-rsa", "p256tag", "mlkem768p256tag"}
INFO = b"age-encryption.org/mlkem768x25519"
LIMIT_HEADER = 64 << 10
LIMIT_STANZAS = 64
CHUNK = 64 << 10
TAG = 16


class HeaderFailure(Refusal):
    def __init__(self, cause):
        super().__init__("CHK-34", f"age header: {cause}")


class NoMatch(Refusal):
    def __init__(self):
        super().__init__("CHK-32", "no stanza is for this key")


class MacFailure(Refusal):
    def __init__(self):
        super().__init__("CHK-32", "the age header's MAC does not hold")


class PayloadFailure(Refusal):
    def __init__(self):
        super().__init__("CHK-32", "the age payload does not decrypt")


class Stanza:
    def __init__(self, arguments, body):
        self.type = arguments[0]
        self.arguments = arguments[1:]
        self.body = body


def _base64(text):
    """Standard alphabet, no padding, canonical; else a header failure."""
    try:
        raw = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise HeaderFailure("not base64") from None
    if b"=" in text or base64.b64encode(raw).rstrip(b"=") != text:
        raise HeaderFailure("base64 that is not canonical")
    return raw


class _Lines:
    def __init__(self, data):
        self.data = data[:LIMIT_HEADER]
        self.at = 0

    def next(self):
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise HeaderFailure("no end within its limit")
        line = self.data[self.at : end]
        self.at = end + 1
        return line


def _argument(raw):
    if not raw or any(not 33 <= byte <= 126 for byte in raw):
        raise HeaderFailure("an argument that is empty or not printable")
    return raw.decode("ascii")


def _read_header(data):
    """The stanzas, the header's bytes up to and with `---`, its MAC, and where the payload begins."""
    lines = _Lines(data)
    if lines.next() != INTRO:
        raise HeaderFailure("not an age file of version 1")
    stanzas = []
    while True:
        start = lines.at
        line = lines.next()
        if line.startswith(b"---"):
            break
        if not line.startswith(b"-> ") or len(stanzas) == LIMIT_STANZAS:
            raise HeaderFailure("not a stanza, or too many of them")
        arguments = [_argument(raw) for raw in line[3:].split(b" ")]
        body = b""
        while True:
            piece = lines.next()
            if len(piece) > 64:
                raise HeaderFailure("a body line that is too long")
            body += _base64(piece)
            if len(piece) < 64:
                break
        stanzas.append(Stanza(arguments, body))
    if not line.startswith(b"--- ") or not stanzas:
        raise HeaderFailure("no MAC, or no stanza")
    mac = _base64(line[4:])
    if len(mac) != 32:
        raise HeaderFailure("a MAC of another length")
    return stanzas, data[: start + 3], mac, lines.at


def _file_key(stanzas, identity):
    """The 16 bytes that the one hybrid stanza for `identity` holds."""
    known = {stanza.type for stanza in stanzas} & KNOWN
    if HYBRID in known and known != {HYBRID}:
        raise HeaderFailure("the hybrid stanza mixed with another kind")
    found = None
    for stanza in stanzas:
        if stanza.type != HYBRID:
            continue
        if len(stanza.arguments) != 1:
            raise HeaderFailure("a hybrid stanza with another number of arguments")
        encapsulated = _base64(stanza.arguments[0].encode("ascii"))
        if len(encapsulated) != ENCAPSULATED or len(stanza.body) != 32:
            raise HeaderFailure("a hybrid stanza of another length")
        found = found or identity.hpke_open(encapsulated, INFO, stanza.body)
    if found is None:
        raise NoMatch()
    return found


def _hkdf(file_key, salt, info):
    return HKDF(hashes.SHA256(), 32, salt, info).derive(file_key)


def decrypt(data, identity, limit):
    """The plaintext, of at most `limit` bytes, of the age file `data`."""
    stanzas, header, mac, at = _read_header(data)
    file_key = _file_key(stanzas, identity)
    if not hmac.compare_digest(hmac.digest(_hkdf(file_key, b"", b"header"), header, "sha256"), mac):
        raise MacFailure()
    nonce, payload = data[at : at + 16], data[at + 16 :]
    if len(nonce) < 16:
        raise HeaderFailure("no payload nonce")
    require(len(payload) <= limit + TAG * (limit // CHUNK + 1), "CHK-34", "a payload beyond its limit")
    return _stream(_hkdf(file_key, nonce, b"payload"), payload)


def _stream(key, payload):
    """STREAM: chunks of 64 KiB under a counter and a flag for the last, which is empty only where it is the first."""
    cipher, plain, counter = ChaCha20Poly1305(key), [], 0
    while True:
        piece = payload[counter * (CHUNK + TAG) : (counter + 1) * (CHUNK + TAG)]
        last = (counter + 1) * (CHUNK + TAG) >= len(payload)
        try:
            plain.append(cipher.decrypt(counter.to_bytes(11, "big") + bytes([last]), piece, b""))
        except (InvalidTag, ValueError):
            raise PayloadFailure() from None
        if last:
            break
        counter += 1
    if counter and not plain[-1]:
        raise PayloadFailure()
    return b"".join(plain)
