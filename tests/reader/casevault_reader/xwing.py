"""X-Wing (ML-KEM-768 + X25519, draft-connolly-cfrg-xwing-kem) and HPKE in base mode over it (RFC 9180; §11)."""

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from .refusal import Refusal

LABEL = b"\\.//^\\"
ENCAPSULATED = 1088 + 32
SUITE = b"HPKE" + bytes.fromhex("647a00010003")  # X-Wing, HKDF-SHA256, ChaCha20-Poly1305


class Identity:
    """An X-Wing secret: 32 bytes of seed, from which everything else is computed."""

    def __init__(self, seed):
        expanded = hashlib.shake_256(seed).digest(96)
        self._mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        self._x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
        self._share = self._x25519.public_key().public_bytes_raw()
        self.public = self._mlkem.public_key().public_bytes_raw() + self._share

    def decapsulate(self, encapsulated):
        """The shared secret; a share of small order is CHK-33."""
        theirs = encapsulated[1088:]
        try:
            classical = self._x25519.exchange(X25519PublicKey.from_public_bytes(theirs))
        except ValueError:  # the library refuses a shared secret of zeros, which is what small orders give
            raise Refusal("CHK-33", "an X25519 share of small order") from None
        quantum = self._mlkem.decapsulate(encapsulated[:1088])
        return hashlib.sha3_256(quantum + classical + theirs + self._share + LABEL).digest()

    def hpke_open(self, encapsulated, info, ciphertext):
        """The plaintext of HPKE's single-shot Open with empty associated data, or None where it is not for this one."""
        shared = self.decapsulate(encapsulated)
        context = b"\0" + _extract(b"", b"psk_id_hash", b"") + _extract(b"", b"info_hash", info)
        secret = _extract(shared, b"secret", b"")
        key = _expand(secret, b"key", context, 32)
        nonce = _expand(secret, b"base_nonce", context, 12)
        try:
            return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, b"")
        except InvalidTag:
            return None


def _extract(salt, label, ikm):
    return HKDF.extract(hashes.SHA256(), salt or bytes(32), b"HPKE-v1" + SUITE + label + ikm)


def _expand(prk, label, info, length):
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + SUITE + label + info
    return HKDFExpand(hashes.SHA256(), length, labelled).derive(prk)
