"""Links, rebuilt from the store's rows in commit order, and their chains (§6, §12.1 steps 3 to 5)."""

from .codec import decode
from .labels import digest, equal, mac
from .record import Record
from .refusal import require
from .structures import (
    ACCESS,
    AGENCY,
    CASE,
    L_ACCESS,
    L_EVENT,
    L_RECORD,
    L_REWRAP,
    L_SEGMENT,
    LIMIT_LINK,
    ZERO_HASH,
    Link,
    ReleaseCommitment,
    Seen,
    StreamId,
    make,
)

RECORD_ONLY = (
    "class",
    "is_primary",
    "version",
    "agency_seq",
    "signer",
    "member",
    "device",
    "section",
    "epoch",
    "month",
    "release",
    "seen",
    "amends",
    "record_id",
    "commitment",
    "record_signature",
    "wrap",
)
KINDS = {AGENCY: {L_RECORD, L_EVENT, L_REWRAP}, CASE: {L_RECORD, L_EVENT, L_REWRAP}, ACCESS: {L_ACCESS, L_SEGMENT}}


def check_kind(link):
    """CHK-42: access entries and segments belong in access streams, and nothing else does."""
    require(link.kind in KINDS[link.stream.kind], "CHK-42", "a link of this kind does not belong in this stream")


class Placed:
    """One link with the place and the records that belong to it; `link` is the structure, `signed` its bytes."""

    def __init__(self, row, link, signed, records):
        self.pos, self.row, self.signature = row["pos"], row, row["signature"]
        self.link, self.signed, self.records = link, signed, records
        self.id = digest("link id", bytes([link.stream.kind]) + signed)
        self.agency_seq = None


class Chains:
    """Rebuilds every link of a store and checks what needs no key of a signer: shapes, chains, order, head MACs."""

    def __init__(self, store):
        self.store = store
        self.agency = store.meta["agency"]
        self.streams = {row["no"]: make(kind=row["kind"], id=row["id"]) for row in store.stream}
        for stream in self.streams.values():
            require(stream.kind in (AGENCY, CASE, ACCESS), "CHK-03", "an unknown kind of stream")
        self._actors = {row["no"]: row["id"] for row in store.actor}
        self._releases = {row["no"]: decode(ReleaseCommitment, row["bytes"], 100) for row in store.release}
        self._erased = {(row["pos"], row["part"]): row for row in store.erased}
        self._sealed = {}
        for row in sorted(store.sealed, key=lambda row: (row["pos"], row["part"])):
            self._sealed.setdefault(row["pos"], []).append(row)
        self.heads = {}
        self.agency_links = []
        self.agency_seqs = {}
        self._cited = {}
        self.order = ZERO_HASH
        self.pos = 0

    def links(self):
        """Every link, in commit order."""
        for row in sorted(self.store.link, key=lambda row: row["pos"]):
            require(row["pos"] == self.pos + 1, "CHK-102", f"no link at position {self.pos + 1}")
            stream = self._named(self.streams, row["stream"], "stream")
            seq, previous = self.heads.get(row["stream"], (-1, ZERO_HASH))
            require(row["seq"] == seq + 1, "CHK-41", f"a stream goes from {seq} to {row['seq']}")
            placed = self._event(row, stream) if row["bytes"] is not None else self._record(row, stream, previous)
            self._check_place(placed, stream, previous)
            yield placed
            self.pos = row["pos"]
            self.heads[row["stream"]] = (row["seq"], placed.id)
            self.order = digest("commit order", self.order + placed.id)
            if stream.kind == AGENCY:
                self.agency_seqs[placed.id] = row["seq"]
                self.agency_links.append(placed.id)

    def _named(self, names, number, what):
        require(number in names, "CHK-105", f"a row names a {what} that is not there")
        return names[number]

    def _actor(self, number):
        return self._named(self._actors, number, "member or device")

    def _record(self, row, stream, previous):
        for name in ("is_primary", "agency_seq", "signer", "section", "epoch", "month"):
            require(row[name] is not None, "CHK-105", f"`{name}` of a record link is NULL")
        require(row["pos"] not in self._sealed, "CHK-105", "a record link with sealed parts")
        record = Record(row, 0, self.agency, stream, row["section"], self._actor, self._erased.get((row["pos"], 0)))
        commitment = None if row["release"] is None else self._named(self._releases, row["release"], "release")
        record.placement = make(
            record_hash=record.hash,
            section=row["section"],
            epoch=row["epoch"],
            release=make(month=row["month"], commitment=commitment),
            wrap_hash=record.wrap_hash,
        )
        require(row["agency_seq"] < len(self.agency_links), "CHK-43", "an agency head that is not there yet")
        link = make(
            format=1,
            agency=self.agency,
            stream=stream,
            seq=row["seq"],
            previous=previous,
            agency_head=self.agency_links[row["agency_seq"]],
            seen=None if row["seen"] is None else decode(Seen, row["seen"], 104),
            device=self._actor(row["signer"]),
            kind=L_RECORD,
            body=make(placement=record.placement),
        )
        return Placed(row, link, Link.write(link), [record])

    def _event(self, row, stream):
        for name in RECORD_ONLY:
            require(row[name] is None, "CHK-105", f"`{name}` of a link that places no record is set")
        link = decode(Link, row["bytes"], LIMIT_LINK)
        require(link.kind != L_RECORD, "CHK-105", "a record link as bytes")
        require((row["body"] is not None) == (link.kind == L_ACCESS), "CHK-105", "a body where there is none, or none")
        require(link.agency == self.agency, "CHK-40", "a link of another agency")
        require(link.stream == stream and link.seq == row["seq"], "CHK-41", "a link of another stream or place")
        rows = self._sealed.get(row["pos"], [])
        placements = link.body.sealed if link.kind == L_EVENT else []
        require(len(placements) <= 4, "CHK-01", "more than four sealed parts")
        require(
            [part["part"] for part in rows] == list(range(1, len(placements) + 1)),
            "CHK-47",
            "the sealed parts are not those of the event",
        )
        records = []
        for part, placement in zip(rows, placements, strict=True):
            erased = self._erased.get((row["pos"], part["part"]))
            record = Record(part, part["part"], self.agency, stream, placement.section, self._actor, erased)
            record.placement = placement
            require(placement.record_hash == record.hash, "CHK-47", "a sealed part is not the record placed")
            require(placement.wrap_hash == record.wrap_hash, "CHK-47", "a sealed part's wrap is not the one placed")
            records.append(record)
        return Placed(row, link, row["bytes"], records)

    def _check_place(self, placed, stream, previous):
        link = placed.link
        require(link.agency == self.agency, "CHK-40", "a link of another agency")
        require(link.previous == previous, "CHK-41", "the link does not follow the one before")
        check_kind(link)
        if stream.kind == AGENCY:
            require(link.agency_head == previous, "CHK-43", "an agency link that does not cite the one before")
            placed.agency_seq = link.seq - 1
            return
        require(link.agency_head in self.agency_seqs, "CHK-43", "an agency head that is not there")
        placed.agency_seq = self.agency_seqs[link.agency_head]
        last = self._cited.get(placed.row["stream"], 0)
        require(placed.agency_seq >= last, "CHK-43", "an agency head older than the one cited before")
        self._cited[placed.row["stream"]] = placed.agency_seq

    def check_end(self, head_key):
        """The heads and their MACs, once every link was read (CHK-100, CHK-101, CHK-102)."""
        meta = self.store.meta
        for row in self.store.stream:
            stream = self.streams[row["no"]]
            signed = StreamId.write(stream) + row["seq"].to_bytes(8, "big") + row["head"]
            sound = equal(mac("stream head", head_key, signed), row["mac"])
            require(sound, "CHK-100", "the MAC of a stream's head does not hold")
            head = self.heads.get(row["no"])
            require(head == (row["seq"], row["head"]), "CHK-102", "a stream does not arrive at its head")
        signed = self.agency + meta["pos"].to_bytes(8, "big") + meta["commit_order"]
        signed += len(self.store.stream).to_bytes(8, "big")
        sound = equal(mac("store head", head_key, signed), meta["mac"])
        require(sound, "CHK-101", "the MAC of the store's head does not hold")
        arrived = (meta["pos"], meta["commit_order"]) == (self.pos, self.order)
        require(arrived, "CHK-102", "the commit order does not arrive at the store's head")
        places = {(record["pos"], record["part"]) for record in self.store.sealed}
        places |= {(row["pos"], 0) for row in self.store.link if row["bytes"] is None}
        require(set(self._erased) <= places, "CHK-105", "an erased record that is not there")
        require(set(self._sealed) <= {row["pos"] for row in self.store.link}, "CHK-105", "a sealed part of no event")
