"""Hashes, MACs and derivations, each under its context label (§1, §2)."""

import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand


def ctx(label):
    """`u8(length of L) || L`, for the label without its prefix `casevault/1 `."""
    text = b"casevault/1 " + label.encode("ascii")
    return bytes([len(text)]) + text


def digest(label, message):
    """H(L, m), 32 bytes."""
    return hashlib.sha256(ctx(label) + message).digest()


def mac(label, key, message):
    """MAC(L, k, m), 32 bytes."""
    return hmac.digest(key, ctx(label) + message, "sha256")


def kdf(label, key, message, length):
    """KDF(L, k, m, n): Expand only, since the key is uniformly random."""
    return HKDFExpand(hashes.SHA256(), length, ctx(label) + message).derive(key)


def kdf_salted(label, key, salt, message, length):
    """HKDF with both steps, as the section key of §4 is made."""
    return HKDF(hashes.SHA256(), length, salt, ctx(label) + message).derive(key)


def equal(left, right):
    """Compares secrets without telling where they differ."""
    return hmac.compare_digest(left, right)
