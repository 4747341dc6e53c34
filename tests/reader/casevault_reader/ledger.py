"""An erasure ledger (§16): signed erasures, believed by the devices of the agency stream alone."""

from . import ed25519
from .codec import HASH, ID, SIGNATURE, Bytes, Format, Set, Struct, decode
from .refusal import Refusal, require
from .structures import CASE, E_ERASURE, L_EVENT, LIMIT_LINK, Link

LIMIT_LEDGER = 64 << 20
LedgerEntry = Struct(link=Bytes(), signature=SIGNATURE)
Ledger = Struct(format=Format(), agency=HASH, device=ID, entries=Set(LedgerEntry))
SignedLedger = Struct(ledger=Ledger, signature=SIGNATURE)


def read_ledger(data, agency):
    """The erased record hashes by case, as the agency's known devices signed them."""
    signed = decode(SignedLedger, data, LIMIT_LEDGER)
    require(signed.ledger.agency == agency.id, "CHK-40", "a ledger of another agency")
    _verify(agency, signed.ledger.device, "erasure ledger", Ledger.write(signed.ledger), signed.signature)
    erased = []
    for entry in signed.ledger.entries:
        try:
            link = decode(Link, entry.link, LIMIT_LINK)
        except Refusal:
            raise Refusal("CHK-126", "an entry that is no link") from None
        require(link.agency == agency.id, "CHK-40", "an erasure of another agency")
        _verify(agency, link.device, "link signature", entry.link, entry.signature)
        erasure = link.stream.kind == CASE and link.kind == L_EVENT and link.body.event.type == E_ERASURE
        require(erasure, "CHK-126", "an entry that is no erasure of a case")
        erased.append((link.stream.id, link.body.event.clear.records))
    return erased


def _verify(agency, device, label, message, signature):
    known = agency.devices.get(device)
    require(known is not None, "CHK-126", "a device that the agency does not know")
    ed25519.verify(label, known.key, message, signature, "CHK-126")
