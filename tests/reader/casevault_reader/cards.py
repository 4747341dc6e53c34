"""Recovery cards: from words to the recovery key (§16)."""

from pathlib import Path

from .codec import U8, U16, Bytes, Fixed, Struct, decode
from .ed25519 import public_of
from .labels import digest, kdf
from .refusal import Refusal, require
from .xwing import Identity

WORDS = Path(__file__).resolve().parents[3] / "vault-core/src/recovery/english.txt"
CHECK = 4
LIMIT = 128
RecoveryCard = Struct(
    format=U8, threshold=U8, shares=U8, number=U8, version=U16, agency=Fixed(4), set=Fixed(8), share=Bytes()
)


def word_list():
    return WORDS.read_text("ascii").split()


def find_words(text):
    """The words of a card's file: lines that begin with `#` are left out, and all that is no letter."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return "".join(c if c.isalpha() else " " for c in kept).lower().split()


def read_card(words):
    """CHK-120: words of the list, forty or sixty-four of them, whose check holds, with numbers in their ranges."""
    known = word_list()
    first = {word[:4]: at for at, word in enumerate(known)}
    bits = 0
    for word in words:
        at = known.index(word) if word in known else first.get(word) if len(word) == 4 else None
        require(at is not None, "CHK-120", "a word that is not in the list")
        bits = bits << 11 | at
    require(len(words) in (40, 64), "CHK-120", f"{len(words)} words")
    raw = bits.to_bytes(len(words) * 11 // 8, "big")
    encoded, check = raw[:-CHECK], raw[-CHECK:]
    require(digest("recovery card", encoded)[:CHECK] == check, "CHK-120", "the check does not hold")
    card = decode(RecoveryCard, encoded, LIMIT)
    require(card.format == 1, "CHK-03", "an unknown form of card")
    sound = 2 <= card.threshold <= card.shares <= 16 and 1 <= card.number <= card.shares and card.version > 0
    require(sound and len(card.share) in (32, 64), "CHK-120", "numbers outside their ranges")
    return card


def _times(a, b):
    """The product in GF(2^8) with x^8 + x^4 + x^3 + x + 1."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def _inverse(a):
    result = 1
    for _ in range(254):
        result = _times(result, a)
    return result


def value_at(x, cards):
    """The polynomials' values at `x`, by Lagrange's formula."""
    weights = []
    for one in cards:
        weight = 1
        for other in cards:
            if other.number != one.number:
                weight = _times(weight, _times(other.number ^ x, _inverse(other.number ^ one.number)))
        weights.append(weight)
    values = []
    for at in range(len(cards[0].share)):
        total = 0
        for weight, card in zip(weights, cards, strict=True):
            total ^= _times(weight, card.share[at])
        values.append(total)
    return bytes(values)


def fingerprint(agency, cards):
    """The set's, over every share, those that are not here computed."""
    first, here = cards[0], {card.number: card.share for card in cards}
    shares = [here.get(number) or value_at(number, cards) for number in range(1, first.shares + 1)]
    head = agency + first.version.to_bytes(2, "big") + bytes([first.threshold, first.shares])
    return digest("recovery set", head + b"".join(shares))[:8]


def combine(agency, cards):
    """The recovery key that the cards give: version, X-Wing identity, Ed25519 public key."""
    first = cards[0]
    for card in cards:
        same = all(card[name] == first[name] for name in ("threshold", "shares", "version", "agency", "set"))
        require(same and len(card.share) == len(first.share), "CHK-121", "cards of two sets")
        require(card.agency == agency[:4], "CHK-121", "a card of another agency")
    require(len({card.number for card in cards}) == len(cards), "CHK-122", "a card that is there twice")
    require(len(cards) >= first.threshold, "CHK-123", "too few cards")
    require(fingerprint(agency, cards) == first.set, "CHK-124", "the cards do not give their set's key")
    secret = value_at(0, cards)
    recipient, signing = (secret[:32], secret[32:]) if len(secret) == 64 else from_seed(secret)
    return first.version, Identity(recipient), public_of(signing)


def from_seed(seed):
    """The X-Wing seed and the Ed25519 seed that a recovery seed gives."""
    if len(seed) != 32:
        raise Refusal("CHK-124", "a seed of another length")
    return kdf("recovery recipient", seed, b"", 32), kdf("recovery signing", seed, b"", 32)
