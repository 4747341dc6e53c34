"""XChaCha20-Poly1305, sealed values with a key commitment, and padding (§1, §3)."""

from nacl import bindings
from nacl.exceptions import CryptoError

from .labels import equal, kdf
from .refusal import Refusal, require

TAG = 16
PADDING_FLOOR = 256


def aead_open(key, nonce, associated, ciphertext, check):
    """The plaintext of AEAD(k, n, a, p); a failure is `check` and carries no detail."""
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, associated, nonce, key)
    except (CryptoError, ValueError):
        raise Refusal(check, "decryption failed") from None


def committed_open(label, key, context, commitment, associated, ciphertext, commitment_check, aead_check):
    """Opens what is sealed under `KDF(label, key, context, 88)` = commitment || key || nonce; the commitment first."""
    derived = kdf(label, key, context, 88)
    if not equal(derived[:32], commitment):
        raise Refusal(commitment_check, "the key does not open to the commitment")
    return aead_open(derived[32:64], derived[64:88], associated, ciphertext, aead_check)


def padme(length):
    """The Padmé length for `length` bytes, at least 2 (Nikitin et al., PoPETs 2019)."""
    exponent = length.bit_length() - 1
    kept = exponent.bit_length()
    unit = 1 << (exponent - kept)
    return -(-length // unit) * unit


def unpad(padded, length=None):
    """The payload of §3's padding, whose length must be the one the rule gives (or `length`, where it is fixed)."""
    payload = padded.rstrip(b"\0")
    require(payload.endswith(b"\x80"), "CHK-13", "the padding has no mark")
    payload = payload[:-1]
    expected = length if length is not None else max(PADDING_FLOOR, padme(len(payload) + 1))
    require(len(padded) == expected, "CHK-13", "the padding is not of the length that the rule gives")
    return payload
