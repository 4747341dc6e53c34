"""The TLS presentation language (RFC 8446 §3) with variable-length vectors (RFC 9000 §16), canonical (§1).

A type is an object with `read(reader)` and `write(value)`. Nothing is taken for canonical because the reader happened
to accept it: `decode` encodes again and compares.
"""

import types

from .refusal import Refusal, require


class Reader:
    """Bytes not yet decoded."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        end = self.at + count
        require(end <= len(self.data), "CHK-02", "the bytes end too early")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def left(self):
        return len(self.data) - self.at


class Value(types.SimpleNamespace):
    """A decoded structure: its fields by name, as attributes or, for `class`, in brackets."""

    def __getitem__(self, name):
        return self.__dict__[name]

    def __setitem__(self, name, value):
        self.__dict__[name] = value


class Integer:
    def __init__(self, size):
        self.size = size

    def read(self, reader):
        return int.from_bytes(reader.take(self.size), "big")

    def write(self, value):
        return value.to_bytes(self.size, "big")


class Enumeration(Integer):
    """An integer of which only these values are known; any other is CHK-03."""

    def __init__(self, size, *values):
        super().__init__(size)
        self.values = frozenset(values)

    def read(self, reader):
        value = super().read(reader)
        require(value in self.values, "CHK-03", f"unknown value {value}")
        return value


class Fixed:
    """`opaque x[size]`."""

    def __init__(self, size):
        self.size = size

    def read(self, reader):
        return reader.take(self.size)

    def write(self, value):
        assert len(value) == self.size
        return value


def read_length(reader):
    first = reader.take(1)[0]
    size = 1 << (first >> 6)
    require(size <= 4, "CHK-02", "a length of more than 30 bits")
    value = int.from_bytes(bytes([first & 63]) + reader.take(size - 1), "big")
    require(write_length(value)[0] >> 6 == first >> 6, "CHK-02", "a length not in its shortest form")
    return value


def write_length(value):
    for size, limit in ((1, 1 << 6), (2, 1 << 14), (4, 1 << 30)):
        if value < limit:
            return (value | ((size.bit_length() - 1) << (8 * size - 2))).to_bytes(size, "big")
    raise Refusal("CHK-01", "a vector of more than 30 bits")


class Bytes:
    """`opaque x<V>`."""

    def read(self, reader):
        return reader.take(read_length(reader))

    def write(self, value):
        return write_length(len(value)) + value


class Vector:
    """`T x<V>`; a *set* is strictly ascending by its elements' encoded bytes."""

    def __init__(self, element, ordered=False):
        self.element = element
        self.ordered = ordered

    def read(self, reader):
        inner = Reader(reader.take(read_length(reader)))
        values, last = [], None
        while inner.left():
            start = inner.at
            values.append(self.element.read(inner))
            encoded = inner.data[start : inner.at]
            if self.ordered and last is not None:
                require(last < encoded, "CHK-02", "a set that is not strictly ascending")
            last = encoded
        return values

    def write(self, value):
        body = b"".join(self.element.write(item) for item in value)
        return write_length(len(body)) + body


def Set(element):
    return Vector(element, ordered=True)


class Optional:
    def __init__(self, inner):
        self.inner = inner

    def read(self, reader):
        present = reader.take(1)[0]
        require(present in (0, 1), "CHK-02", "an optional that is neither there nor absent")
        return self.inner.read(reader) if present else None

    def write(self, value):
        return b"\0" if value is None else b"\x01" + self.inner.write(value)


class Struct:
    """Fields in order; `Select` fields put the fields of their variant into the structure itself."""

    def __init__(self, **fields):
        self.fields = fields

    def read(self, reader):
        value = Value()
        for name, kind in self.fields.items():
            value[name] = kind.choose(value).read(reader) if isinstance(kind, Select) else kind.read(reader)
        return value

    def write(self, value):
        parts = []
        for name, kind in self.fields.items():
            kind = kind.choose(value) if isinstance(kind, Select) else kind
            parts.append(kind.write(value[name]))
        return b"".join(parts)


class Select:
    """`select (tag) { … }`: the type of a field, by the value of an earlier one."""

    def __init__(self, tag, variants):
        self.tag = tag
        self.variants = variants

    def choose(self, value):
        return self.variants[value[self.tag]]


class Format(Integer):
    """The format number, which is 1 (CHK-03)."""

    def __init__(self):
        super().__init__(2)

    def read(self, reader):
        value = super().read(reader)
        require(value == 1, "CHK-03", f"unknown format {value}")
        return value


U8, U16, U32, U64 = Integer(1), Integer(2), Integer(4), Integer(8)
ID, HASH, KEY, SIGNATURE = Fixed(16), Fixed(32), Fixed(32), Fixed(64)


def decode(kind, data, limit):
    """The structure in `data`, which holds at most `limit` bytes and nothing else, and is canonical."""
    require(len(data) <= limit, "CHK-01", f"{len(data)} bytes, of at most {limit}")
    reader = Reader(data)
    value = kind.read(reader)
    require(reader.left() == 0, "CHK-02", "bytes are left over")
    require(kind.write(value) == data, "CHK-02", "not the canonical encoding")
    return value
