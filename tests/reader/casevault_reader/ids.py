"""Ids as text and as handles (§1)."""

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def text(prefix, raw):
    """The prefix, `-`, and the first 128 bits as 26 characters."""
    bits = int.from_bytes(raw[:16], "big") << 2
    return f"{prefix}-" + "".join(CROCKFORD[(bits >> shift) & 31] for shift in range(125, -1, -5))


def handle(prefix, raw):
    """The prefix and the first 8 characters of the id."""
    return text(prefix, raw)[: len(prefix) + 9]


def stream_handle(stream):
    """What a stream is called in a report: its agency, case or device."""
    return handle({1: "a", 2: "c", 3: "d"}[stream.kind], stream.id)
