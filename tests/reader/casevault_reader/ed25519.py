"""Strict Ed25519 verification (§1): canonical S, A and R, none of small order, cofactorless equation.

The library solves the equation without the cofactor and compares the encoding of R, so a non-canonical R fails there;
what it may let pass (small orders, a non-canonical A) is refused here, before it is asked.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .labels import ctx
from .refusal import Refusal

FIELD = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
# y of the points whose order divides 8: the neutral one, those of order 2 and 4, and the two y of order 8.
_ORDER_8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
SMALL_ORDER_Y = frozenset({0, 1, FIELD - 1, _ORDER_8, FIELD - _ORDER_8})


def _sound_point(encoded):
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    return y < FIELD and y not in SMALL_ORDER_Y


def is_valid(key, message, signature):
    """Whether `signature` (64 bytes) of `message` by `key` (32 bytes) holds strictly. No context label is added."""
    if len(key) != 32 or len(signature) != 64:
        return False
    if not _sound_point(key) or not _sound_point(signature[:32]):
        return False
    if int.from_bytes(signature[32:], "little") >= ORDER:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def verify(label, key, message, signature, check):
    """Refuses with `check` unless Sign(L, sk, m) is `signature`."""
    if not is_valid(key, ctx(label) + message, signature):
        raise Refusal(check, f"the {label} does not verify")


def public_of(seed):
    """The public key, 32 bytes, of a secret seed of 32."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
