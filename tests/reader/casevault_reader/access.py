"""Access streams: segments, entries, and the ratchet that opens them with the DPO's key (§9)."""

import json

from . import age
from .codec import decode
from .labels import digest, kdf
from .refusal import Refusal, require
from .seal import TAG, committed_open, unpad
from .structures import L_SEGMENT, LIMIT_SEGMENT_START, ZERO_HASH, EntryContext, SegmentStart, make

BODY, FRESH, PLAIN, ENTRIES = 1024, 32, 944, 4096
OPERATIONS = (
    None,
    "open",
    "list",
    "search",
    "hits",
    "print",
    "export",
    "disclosure",
    "grant",
    "emergency",
    "denial",
    "unlock",
    "overview",
    "verify",
    "write",
    "history",
)


def open_body(label, state, context, body, length=None):
    """The JSON in `commitment || ciphertext`, padded to `length` bytes, or by the rule of §3 (CHK-92, CHK-106)."""
    require(length is None or len(body) == 32 + length + TAG, "CHK-92", "an entry's body of another length")
    padded = committed_open(label, state, context, body[:32], context, body[32:], "CHK-92", "CHK-92")
    try:
        return json.loads(unpad(padded, length))
    except ValueError:
        raise Refusal("CHK-106", "an access entry that is not JSON") from None


class Access:
    """One device's access stream so far. Entries open where the keystore holds the segment's DPO epoch."""

    def __init__(self, agency, blobs, dpo):
        self.agency, self._blobs, self._dpo = agency, blobs, dpo
        self.segment, self.index = -1, 0
        self._state = None

    def apply(self, placed):
        """Judges one link, whose signature holds; the entry's JSON, or None for a segment or one that stays closed."""
        link = placed.link
        signer = link.device == link.stream.id
        require(signer, "CHK-44", "a link of an access stream by another device")
        if link.kind == L_SEGMENT:
            self._begin(link.body.segment, link.device, placed.agency_seq)
            return None
        return self._entry(placed, link.body.entry)

    def _begin(self, segment, device, seq):
        require(segment.segment == self.segment + 1, "CHK-90", "a segment out of turn")
        require(segment.dpo_epoch == self.agency.dpo_epoch(seq), "CHK-91", "not the DPO epoch of its time")
        self.segment, self.index, self._epoch = segment.segment, 0, segment.dpo_epoch
        data = self._blobs.get("keyring hash", segment.start_hash)
        identity = self._dpo.get(segment.dpo_epoch)
        self._state = None
        if identity is not None:
            start = decode(SegmentStart, age.decrypt(data, identity, LIMIT_SEGMENT_START), LIMIT_SEGMENT_START)
            context = (start.agency, start.device, start.segment) == (self.agency.id, device, segment.segment)
            require(context, "CHK-91", "a segment start of another place")
            self._state = start.s0

    def _entry(self, placed, entry):
        require(self.segment >= 0 and entry.segment == self.segment, "CHK-90", "an entry of another segment")
        require(entry.index == self.index and entry.index < ENTRIES, "CHK-90", "an entry out of turn")
        require(self._epoch == self.agency.dpo_epoch(placed.agency_seq), "CHK-91", "not the DPO epoch of its time")
        self.index += 1
        body = placed.row["body"]
        require(digest("access body hash", body) == entry.body_hash, "CHK-92", "an entry's body of another hash")
        if self._state is None:
            require(len(body) == BODY, "CHK-92", "an entry's body of another length")
            return None
        context = EntryContext.write(
            make(agency=self.agency.id, device=placed.link.device, segment=entry.segment, index=entry.index)
        )
        require(len(body) == BODY, "CHK-92", "an entry's body of another length")
        fresh, sealed = body[:FRESH], body[FRESH:]
        opened = open_body("access entry", self._state, context + fresh, sealed, PLAIN)
        if entry.manifest_hash != ZERO_HASH:
            manifest = self._blobs.get("manifest hash", entry.manifest_hash)
            opened = {**opened, "manifest": open_body("access manifest", self._state, context + fresh, manifest)}
        self._state = kdf("access next", self._state, context, 32)
        return opened
