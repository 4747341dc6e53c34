"""Checks the project's golden vectors, and those of others, against this reader.

`vault-core/tests/vectors/v1.json` is written by the Rust code and read here as an outsider would: every output is made
again from the inputs beside it, and everything malformed is refused with the check it names. The vectors of C2SP/CCTV
are read in place from `../shared/vectors`, where that folder is.
"""

import base64
import hashlib
import hmac
import io
import itertools
import json
import sys
import zlib
from pathlib import Path

from casevault_reader import age, ed25519, ids
from casevault_reader.access import FRESH, PLAIN, open_body
from casevault_reader.agency import Agency
from casevault_reader.attachment import (
    CHUNK,
    chunk_cipher,
    file_length,
    file_name,
    nonce,
    open_file,
    padded_length,
)
from casevault_reader.backup import HEAD, BackupHead, BackupHeader, BackupIndex, identity_of, read_head
from casevault_reader.cards import RecoveryCard, combine, fingerprint, from_seed, read_card, value_at
from casevault_reader.case import Case
from casevault_reader.chain import Placed, check_kind
from casevault_reader.codec import decode
from casevault_reader.enrolment import Invite, code, printed, read_sheet, write_rows
from casevault_reader.keyrings import check_context
from casevault_reader.keystore import read_keystore, unlock_key
from casevault_reader.labels import ctx, digest, kdf, kdf_salted, mac
from casevault_reader.ledger import Ledger, SignedLedger, read_ledger
from casevault_reader.record import Record, check_length, open_record, open_wrap, read_header
from casevault_reader.refusal import Refusal, require
from casevault_reader.seal import padme, unpad
from casevault_reader.structures import (
    KEPT,
    L_EVENT,
    L_RECORD,
    LIMIT_APPEND,
    LIMIT_KEYRING,
    LIMIT_LINK,
    LIMIT_ROOT,
    ZERO_HASH,
    AccessEntry,
    AppendReply,
    AppendRequest,
    DeviceCertificate,
    EnrolmentSheet,
    EntryContext,
    HandedSecrets,
    KeyContext,
    Keyring,
    Link,
    LogPosition,
    Parcel,
    RecordHeader,
    Release,
    Root,
    SessionRequest,
    SessionStatement,
    StreamList,
    StreamPage,
    WrapContext,
    make,
)
from casevault_reader.witness import read_cosigned, read_position, verifier
from casevault_reader.xwing import Identity
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl import bindings

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "vault-core/tests/vectors/v1.json"
SHARED = ROOT.parent / "shared/vectors"
PREFIX = "casevault/1 "


class Tally:
    """Counts what was compared, and stops at the first difference."""

    def __init__(self):
        self.count = 0

    def same(self, what, found, expected):
        assert found == expected, f"{what}: {found!r} is not {expected!r}"
        self.count += 1


def hexed(value):
    return bytes.fromhex(value)


def short(label):
    assert label.startswith(PREFIX)
    return label[len(PREFIX) :]


def sign(seed, label, message):
    return Ed25519PrivateKey.from_private_bytes(seed).sign(bytes([len(label)]) + label.encode() + message)


def seal(key, nonce, associated, plain):
    return bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, associated, nonce, key)


def pad(payload, length=None):
    return (payload + b"\x80").ljust(length or max(256, padme(len(payload) + 1)), b"\0")


def check_labels(vectors, same):
    part = vectors["labels"]
    message, key = hexed(part["message"]), hexed(part["key"])
    for one in part["vectors"]:
        label = short(one["label"])
        same(label, digest(label, message).hex(), one["hash"])
        same(label, mac(label, key, message).hex(), one["mac"])
        same(label, kdf(label, key, message, 88).hex(), one["kdf_88"])
    signing = vectors["signing"]
    seed, message = hexed(signing["seed"]), hexed(signing["message"])
    same("public", ed25519.public_of(seed).hex(), signing["public"])
    for one in signing["vectors"]:
        same(one["label"], sign(seed, one["label"], message).hex(), one["signature"])
        ed25519.verify(short(one["label"]), hexed(signing["public"]), message, hexed(one["signature"]), "CHK-15")


def check_texts(vectors, same):
    prefixes = {"case": "c", "record": "n", "member": "m", "device": "d", "grant": "g"}
    for one in vectors["ids"]["vectors"]:
        raw = hexed(one["bytes"])
        for name, prefix in prefixes.items():
            same(name, ids.text(prefix, raw), one[name])
        same("handle", ids.handle("c", raw), one["case_handle"])
    agency = vectors["ids"]["agency"]
    same("agency", ids.text("a", hexed(agency["bytes"])), agency["text"])
    recipient = vectors["recipient"]
    same("recipient", Identity(hexed(recipient["seed"])).public.hex(), recipient["recipient"])


def check_padding(vectors, same):
    part = vectors["padding"]
    for one in part["lengths"]:
        same("padding", max(256, padme(one["payload_length"] + 1)), one["padded_length"])
    same("padded", pad(hexed(part["payload"])).hex(), part["padded"])
    same("unpadded", unpad(hexed(part["padded"])).hex(), part["payload"])


def check_record(one, same):
    padded, header = hexed(one["padded"]), hexed(one["header"])
    same("padded", pad(hexed(one["payload"])), padded)
    blank = hexed(one["header_without_commitment"])
    secret = hexed(one["seal_secret"]) + digest("plaintext hash", padded)
    record_key = kdf("record key", hmac.digest(hexed(one["random"]), secret, "sha256"), blank, 32)
    same("record key", record_key.hex(), one["record_key"])
    derived = kdf("record seal", record_key, b"", 88)
    same("record seal", derived.hex(), one["record_seal"])
    decoded = read_header(header)
    same("header", RecordHeader.write(make(**{**vars(decoded), "commitment": ZERO_HASH})), blank)
    same("commitment", decoded.commitment, derived[:32])
    same("ciphertext", seal(derived[32:64], derived[64:], header, padded).hex(), one["ciphertext"])
    same("payload", open_record(record_key, decoded, header, hexed(one["ciphertext"])).hex(), one["payload"])
    ciphertext_hash = digest("ciphertext hash", hexed(one["ciphertext"]))
    same("ciphertext hash", ciphertext_hash.hex(), one["ciphertext_hash"])
    same("record hash", digest("record hash", header + ciphertext_hash).hex(), one["record_hash"])
    signature = sign(hexed(one["device_seed"]), "casevault/1 record signature", header + ciphertext_hash)
    same("record signature", signature.hex(), one["signature"])
    same("device", ed25519.public_of(hexed(one["device_seed"])).hex(), one["device_public"])


def check_wraps(vectors, same):
    part, record = vectors["wrap"], vectors["record"]["first"]
    epoch_key, context = hexed(part["epoch_key"]), hexed(part["key_context"])
    same("key context", KeyContext.write(decode(KeyContext, context, 64)), context)
    same("epoch commitment", kdf("epoch commitment", epoch_key, context, 32).hex(), part["epoch_commitment"])
    for one in (part["without_release"], part["with_release"]):
        placed = one["month"].to_bytes(2, "big") + one["release_version"].to_bytes(4, "big")
        section_key = kdf_salted("section key", epoch_key, hexed(one["release_half"]), context + placed, 32)
        same("section key", section_key.hex(), one["section_key"])
        derived = kdf("wrap seal", section_key, hexed(one["record_hash"]), 56)
        same("wrap seal", derived.hex(), one["wrap_seal"])
        wrap_context = decode(WrapContext, hexed(one["wrap_context"]), 128)
        wrap = seal(derived[:32], derived[32:], hexed(one["wrap_context"]), hexed(one["record_key"]))
        same("wrap", wrap.hex(), one["wrap"])
        same("wrap hash", digest("wrap hash", wrap).hex(), one["wrap_hash"])
        commitment = read_header(hexed(record["header"])).commitment
        opened = open_wrap(section_key, hexed(one["record_hash"]), wrap_context, wrap, commitment)
        same("unwrapped", opened.hex(), one["record_key"])
    release = vectors["release_commitment"]
    framed = hexed(release["framed_message"])
    commitment = decode(Release, hexed(release["release"]), 128).commitment
    same("release", ed25519.is_valid(hexed(release["log_public"]), framed, commitment.signature), True)


def check_keyring(vectors, same):
    part = vectors["keyring"]
    keyring = decode(Keyring, hexed(part["plaintext"]), LIMIT_KEYRING)
    found = [{"section": one.section, "epoch": one.epoch, "key": one.key.hex()} for one in keyring.entries]
    same("entries", found, part["entries"])
    same("keyring hash", digest("keyring hash", hexed(part["file"])).hex(), part["keyring_hash"])


def check_access(vectors, same):
    part = vectors["access"]
    state = hexed(part["s0"])
    for index, one in enumerate(part["entries"]):
        context = entry_context(part, index)
        same("state", state.hex(), one["state"])
        padded = [pad(hexed(one["plaintext"]), PLAIN)]
        if one["manifest_plaintext"]:
            padded.append(pad(hexed(one["manifest_plaintext"])))
        hashes = b"".join(digest("plaintext hash", text) for text in padded)
        mixed = hmac.new(hexed(one["random"]), hexed(part["seal_secret"]) + hashes, hashlib.sha256).digest()
        fresh = kdf("access fresh", mixed, context, 32)
        sealing = context + fresh
        derived = kdf("access entry", state, sealing, 88)
        sealed = derived[:32] + seal(derived[32:64], derived[64:], sealing, padded[0])
        body = fresh + sealed
        same("body", body.hex(), one["body"])
        same("opened", open_body("access entry", state, sealing, sealed, PLAIN), json.loads(hexed(one["plaintext"])))
        same("body hash", digest("access body hash", body).hex(), one["body_hash"])
        entry = decode(AccessEntry, hexed(one["entry"]), 256)
        same("entry", (entry.segment, entry.index, entry.body_hash.hex()), (0, index, one["body_hash"]))
        same("manifest hash", entry.manifest_hash.hex(), one["manifest_hash"])
        if one["manifest"]:
            manifest = hexed(one["manifest"])
            same("manifest", digest("manifest hash", manifest).hex(), one["manifest_hash"])
            opened = open_body("access manifest", state, sealing, manifest)
            same("manifest", opened, json.loads(hexed(one["manifest_plaintext"])))
        state = kdf("access next", state, context, 32)
        same("next", state.hex(), one["next_state"])


def entry_context(part, index):
    return EntryContext.write(
        make(agency=hexed(part["agency"]), device=hexed(part["device"]), segment=part["segment"], index=index)
    )


def check_local(vectors, same):
    part = vectors["local"]
    store_key = hexed(part["store_key"])
    head_key, index_key, state_key = (
        kdf(label, store_key, b"", 32) for label in ("local head key", "local index key", "local state key")
    )
    order = ZERO_HASH
    for link in part["links"]:
        order = digest("commit order", order + hexed(link))
    same("commit order", order.hex(), part["commit_order"])
    head, store = part["stream_head"], part["store_head"]
    signed = hexed(head["stream"]) + head["seq"].to_bytes(8, "big") + hexed(head["id"])
    same("stream head", mac("stream head", head_key, signed).hex(), head["mac"])
    signed = hexed(store["agency"]) + store["pos"].to_bytes(8, "big") + order + store["streams"].to_bytes(8, "big")
    same("store head", mac("store head", head_key, signed).hex(), store["mac"])
    index = part["index"]
    named = index["kind"].encode() + b"\0" + index["external_id"].encode()
    same("index", mac("index entry", index_key, named)[:16].hex(), index["key"])
    same("index", mac("index content", index_key, hexed(index["line"]))[:16].hex(), index["content"])
    value = part["value"]
    fresh, name = hexed(value["fresh"]), value["name"].encode()
    derived = kdf("local seal", state_key, fresh + name, 88)
    sealed = fresh + derived[:32] + seal(derived[32:64], derived[64:], name, hexed(value["value"]))
    same("local value", sealed.hex(), value["sealed"])


def check_root(vectors, same):
    part = vectors["root"]
    root, certificate = hexed(part["root"]), hexed(part["certificate"])
    decode(Root, root, LIMIT_ROOT)
    decode(DeviceCertificate, certificate, 128)
    same("agency id", digest("agency id", root).hex(), part["agency"])
    same("root hash", digest("root hash", root).hex(), part["root_hash"])
    identity = hexed(part["identity_seed"])
    same("identity", ed25519.public_of(identity).hex(), part["identity_public"])
    same("root signature", sign(identity, "casevault/1 root signature", root).hex(), part["signature"])
    signature = sign(hexed(part["certificate_identity_seed"]), "casevault/1 device certificate", certificate)
    same("certificate", signature.hex(), part["certificate_signature"])


def read_links(part, same):
    """The links of a stream, each with its id and signature as they must be."""
    previous = ZERO_HASH
    for pos, one in enumerate(part["links"]):
        signed = hexed(one["link"])
        link = decode(Link, signed, LIMIT_LINK)
        check_kind(link)
        placed = Placed({"pos": pos, "signature": hexed(one["signature"])}, link, signed, [])
        same(one["what"], placed.id.hex(), one["id"])
        same("place", (link.seq, link.previous), (pos, previous))
        same("signature", sign(hexed(one["signer_seed"]), "casevault/1 link signature", signed).hex(), one["signature"])
        previous = placed.id
        yield one["what"], placed


def placed_record(link, placement, agency, one=None):
    """A record of which only what a link can tell is known, and for the vectors' own records the header."""
    header = (
        read_header(hexed(one["header"]))
        if one
        else make(
            version=1,
            class_=2,
            member=bytes(16),
            device=bytes(16),
            record=bytes(16),
            commitment=ZERO_HASH,
            amends=ZERO_HASH,
            padded_length=256,
        )
    )
    row = {
        "pos": 0,
        "body": None,
        "wrap": None,
        "record_signature": bytes(64),
        "class": header["class"],
        "version": header.version,
        "member": header.member,
        "device": header.device,
        "record_id": header.record,
        "commitment": header.commitment,
        "amends": None if header.amends == ZERO_HASH else header.amends,
    }
    erased = {
        "padded_length": header.padded_length,
        "wrap_hash": placement.wrap_hash,
        "ciphertext_hash": hexed(one["ciphertext_hash"]) if one else ZERO_HASH,
    }
    record = Record(row, 0, agency, link.stream, placement.section, lambda ident: ident, erased)
    record.placement = placement
    return record


def check_cards(vectors, same):
    part = vectors["recovery_cards"]
    agency = hexed(part["agency"])
    for one in part["sets"]:
        if one["seed"]:
            same("halves", tuple(half.hex() for half in from_seed(hexed(one["seed"]))), halves(one))
        cards = []
        for told in one["cards"]:
            card = read_card(told["words"].split())
            same("card", RecoveryCard.write(card).hex(), told["card"])
            same("short words", read_card([word[:4] for word in told["words"].split()]), card)
            cards.append(card)
        same("set", fingerprint(agency, cards).hex(), one["set"])
        secret = one["seed"] or one["recipient_seed"] + one["signing_seed"]
        for chosen in itertools.combinations(cards, one["threshold"]):
            same("secret", value_at(0, chosen).hex(), secret)
            version, identity, signing = combine(agency, list(chosen))
            same("key", (version, signing.hex()), (1, one["signing"]))
            same("recipient", identity.public, Identity(hexed(one["recipient_seed"])).public)


def halves(one):
    return one["recipient_seed"], one["signing_seed"]


def check_backup(vectors, same):
    part, passphrase = vectors["backup"], vectors["keystore"]["passphrase"]["text"].encode()
    raw = hexed(part["head"])
    head = read_head(raw)
    same("head", (BackupHead.write(head), len(raw)), (raw, HEAD))
    same("fresh", head.header.fresh.hex(), part["fresh"])
    same("opened", identity_of(head, passphrase).public, Identity(hexed(part["seed"])).public)
    unlock = unlock_key(head.header, passphrase)
    associated = BackupHeader.write(head.header)
    derived = kdf("backup seal", unlock, associated, 88)
    same("commitment", derived[:32], head.commitment)
    same("sealed", seal(derived[32:64], derived[64:], associated, hexed(part["seed"])), head.sealed)
    same("head hash", digest("backup head", raw).hex(), part["head_hash"])
    index = decode(BackupIndex, hexed(part["index"]), 1 << 20)
    same("entries", [[one.name.decode(), one.length] for one in index.entries], part["entries"])
    same("index head", index.head.hex(), part["head_hash"])
    total = 4 + len(hexed(part["index"])) + sum(length for _, length in part["entries"])
    same("content", head.header.content, total)


def check_restoring(vectors, same):
    agency = Agency(hexed(vectors["root"]["agency"]))
    for _, placed in read_links(vectors["restoring"], same):
        placed.agency_seq = placed.link.seq - 1
        agency.apply(placed)
    lives = [agency.devices[hexed(one)].live(agency.head) for one in vectors["restoring"]["devices"]]
    same("devices", lives, [False, False, True])


def check_ledger(vectors, same):
    part = vectors["ledger"]
    signed = decode(SignedLedger, hexed(part["file"]), 1 << 20)
    same("device", signed.ledger.device.hex(), part["device"])
    body = Ledger.write(signed.ledger)
    same("ledger", sign(hexed(part["signer_seed"]), "casevault/1 erasure ledger", body), signed.signature)
    erasure = next(one for one in vectors["case_links"]["links"] if one["what"].startswith("erasure"))
    found = [(one.link.hex(), one.signature.hex()) for one in signed.ledger.entries]
    same("entries", found, [(erasure["link"], erasure["signature"])])


def check_streams(vectors, same):
    agency = Agency(hexed(vectors["root"]["agency"]))
    heads = {}
    for _, placed in read_links(vectors["agency_links"], same):
        placed.agency_seq = placed.link.seq - 1
        agency.apply(placed)
        heads[placed.id] = placed.link.seq
    case, key = Case(agency), hexed(vectors["wrap"]["epoch_key"])
    for what, placed in read_links(vectors["case_links"], same):
        link = placed.link
        placed.agency_seq = heads[link.agency_head]
        ed25519.verify(
            "link signature",
            agency.device_key(link.device, placed.agency_seq),
            placed.signed,
            placed.signature,
            "CHK-45",
        )
        if link.kind == L_RECORD:
            one = vectors["record"]["first" if "first" in what else "second"]
            record = placed_record(link, link.body.placement, agency.id, one)
            same("record hash", record.hash, link.body.placement.record_hash)
            placed.records = [record]
        elif link.kind == L_EVENT:
            placed.records = [placed_record(link, placement, agency.id) for placement in link.body.sealed]
        case.apply(placed)
    for (section, epoch), opened in case.opens.items():
        context = make(agency=agency.id, stream=link.stream, section=section, epoch=epoch)
        same("commitment", kdf("epoch commitment", key, KeyContext.write(context), 32), opened.commitment)
    for _, placed in read_links(vectors["access_links"], same):
        ed25519.verify(
            "link signature",
            agency.device_key(placed.link.device, agency.head),
            placed.signed,
            placed.signature,
            "CHK-45",
        )


def refuse_link(one, _vectors):
    check_kind(decode(Link, hexed(one["bytes"]), LIMIT_LINK))


def refuse_founding(one, _vectors):
    signed = hexed(one["bytes"])
    link = decode(Link, signed, LIMIT_LINK)
    placed = Placed({"pos": 0, "signature": hexed(one["signature"])}, link, signed, [])
    placed.agency_seq = -1
    Agency(link.agency).apply(placed)


def refuse_record(one, _vectors):
    header_bytes, ciphertext = hexed(one["header"]), hexed(one["ciphertext"])
    header = read_header(header_bytes)
    check_length(header, ciphertext)
    signed = header_bytes + digest("ciphertext hash", ciphertext)
    ed25519.verify("record signature", hexed(one["device_public"]), signed, hexed(one["signature"]), "CHK-15")
    open_record(hexed(one["record_key"]), header, header_bytes, ciphertext)


def refuse_wrap(one, vectors):
    part = vectors["wrap"]["without_release"]
    commitment = read_header(hexed(vectors["record"]["first"]["header"])).commitment
    context = decode(WrapContext, hexed(part["wrap_context"]), 128)
    open_wrap(hexed(part["section_key"]), hexed(part["record_hash"]), context, hexed(one["bytes"]), commitment)


def refuse_keyring(one, vectors):
    sound = decode(Keyring, hexed(vectors["keyring"]["plaintext"]), LIMIT_KEYRING)
    found = decode(Keyring, hexed(one["bytes"]), LIMIT_KEYRING)
    check_context(found, sound.agency, sound.stream, sound.to)


def refuse_keystore(one, vectors):
    read_keystore(hexed(one["bytes"]), vectors["keystore"]["passphrase"]["text"].encode())


def attachment_content(part):
    return bytes(n % 251 for n in range(part["length"]))


def attachment_file(part, padded):
    """The chunks that a writer makes of what is padded in any way."""
    cipher, prefix = chunk_cipher(hexed(part["key"]), hexed(part["context"]))
    chunks = [padded[at : at + CHUNK] for at in range(0, len(padded), CHUNK)]
    return [seal(cipher, nonce(prefix, n, n == len(chunks) - 1), b"", one) for n, one in enumerate(chunks)]


def check_attachment(vectors, same):
    part = vectors["attachment"]
    context, content = hexed(part["context"]), attachment_content(part)
    mixed = hexed(part["seal_secret"]) + digest("plaintext hash", content[:CHUNK])
    mixed += int(part["begun"]).to_bytes(16, "big", signed=True)
    key = kdf("attachment key", hmac.digest(hexed(part["random"]), mixed, "sha256"), context, 32)
    same("content key", key.hex(), part["key"])
    same("padded length", padded_length(part["length"]), part["padded_length"])
    same("file length", file_length(part["length"]), part["file_length"])
    chunks = attachment_file(part, pad(content))
    same("first chunk", chunks[0][:32].hex(), part["first_chunk_begins"])
    same("its tag", chunks[0][-16:].hex(), part["first_chunk_tag"])
    same("second chunk", chunks[1].hex(), part["second_chunk"])
    file = b"".join(chunks)
    same("file name", file_name(context), part["file_name"])
    payload = json.loads(part["payload"])
    same("content", b"".join(open_file(payload, context, io.BytesIO(file))), content)


def refuse_attachment(one, vectors):
    part = vectors["attachment"]

    def edited(value, name):
        if name not in one:
            return value
        at, change = one[name]
        return value[:at] + bytes([value[at] ^ change]) + value[at + 1 :]

    padded = edited(pad(edited(attachment_content(part), "content")), "padded")
    file = edited(b"".join(attachment_file(part, padded)), "file")
    if "pieces" in one:
        file = b"".join(file[at : at + length] for at, length in one["pieces"])
    for _ in open_file(json.loads(part["payload"]), hexed(part["context"]), io.BytesIO(file)):
        pass
def refuse_card(one, _vectors):
    read_card(one["words"].split())


def check_enrolment(vectors, same):
    """Section 19: sheets, and what goes between the two sides."""
    part = vectors["enrolment"]
    for kind in ("member", "device"):
        told = part[kind]
        sheet = read_sheet("# a sheet\n" + "\n".join(told["rows"]))
        same("sheet", EnrolmentSheet.write(sheet).hex(), told["sheet"])
        same("scanned", read_sheet(told["scanned"].lower()), sheet)
        same("rows", printed(write_rows(sheet)), told["rows"])
        same("line", "CASEVAULT1:" + "".join(write_rows(sheet)).upper(), told["scanned"])
        same("fields", (sheet.secret.hex(), sheet.url.decode()), (told["secret"], told["url"]))
        invite = Invite(sheet)
        same("ids", (invite.id.hex(), invite.device.hex()), (told["invite"], told["device"]))
        request = hexed(told["request"])
        asked = invite.open_request(request)
        same("asked", asked.joiner.certificate.device, invite.device)
        same("code", (digest("join request hash", request).hex(), code(request)), (told["request_hash"], told["code"]))
        answer = invite.open_answer(request, hexed(told["answer"]))
        secrets = b"an age file" if kind == "device" else None
        same("answer", (answer.link.hex(), answer.secrets), (told["link"], secrets))
    once = invite.open_request(hexed(part["device"]["request"])).joiner.once
    same("once", once, Identity(hexed(part["once_seed"])).public)
    handed = decode(HandedSecrets, hexed(part["handed"]), LIMIT_KEYRING)
    found = (len(handed.recipients), len(handed.dpo), handed.device)
    same("handed", found, (1, 1, hexed(part["device"]["device"])))
    agency = Agency(hexed(vectors["root"]["agency"]))
    for _, placed in read_links(part["growing"], same):
        placed.agency_seq = placed.link.seq - 1
        agency.apply(placed)
    lives = [agency.devices[hexed(one)].live(agency.head) for one in part["growing"]["devices"]]
    same("devices", lives, [True, False, True])
    member = agency.members[hexed(part["growing"]["member"])]
    same("roles", [member.roles(seq) for seq in range(1, agency.head + 1)], part["growing"]["roles"])
    same("recipient", member.recipient_version(agency.head), 2)


def refuse_sheet(one, _vectors):
    read_sheet(one["text"])


def refuse_join_request(one, vectors):
    sheet = read_sheet("\n".join(vectors["enrolment"]["member"]["rows"]))
    Invite(sheet).open_request(hexed(one["bytes"]))


def refuse_backup_head(one, vectors):
    identity_of(read_head(hexed(one["bytes"])), vectors["keystore"]["passphrase"]["text"].encode())


def refuse_ledger(one, vectors):
    agency = Agency(hexed(vectors["root"]["agency"]))
    for _, placed in read_links(vectors["agency_links"], lambda *_: None):
        placed.agency_seq = placed.link.seq - 1
        agency.apply(placed)
    read_ledger(hexed(one["bytes"]), agency)


def refuse_padding(one, _vectors):
    unpad(hexed(one["bytes"]))


def refuse_access_body(one, vectors):
    part = vectors["access"]
    body = hexed(one["bytes"])
    require(len(body) == 1024, "CHK-92", "an entry's body of another length")
    context = entry_context(part, 0) + body[:FRESH]
    open_body("access entry", hexed(part["s0"]), context, body[FRESH:], PLAIN)


def check_malformed(vectors, same):
    for one in vectors["malformed"]:
        try:
            globals()[f"refuse_{one['structure']}"](one, vectors)
        except Refusal as refusal:
            same(one["name"], refusal.check, one["check"])
        else:
            raise AssertionError(f"{one['name']}: accepted, which {one['check']} refuses")


def check_keystore(vectors, same):
    part = vectors["keystore"]
    secrets = read_keystore(hexed(part["file"]), part["passphrase"]["text"].encode())
    same("device", secrets.device_key, ed25519.public_of(hexed(part["secrets"]["device"])))
    same("identity", secrets.identity_key, ed25519.public_of(hexed(part["secrets"]["identity"])))
    found = {version: identity.public for version, identity in secrets.recipients.items()}
    same(
        "recipients",
        found,
        {one["version"]: Identity(hexed(one["seed"])).public for one in part["secrets"]["recipients"]},
    )


def check_log(vectors, same):
    """Sections 1 and 17; `tests/tlog/` verifies a whole log, and knows nothing else of CaseVault."""
    part = vectors["log"]
    leaves = []
    for one in part["entries"]:
        tag = digest("log tag", hexed(part["stream"]) + one["seq"].to_bytes(8, "big"))[:16]
        entry = tag + hexed(one["link_id"])
        same("tag", (tag.hex(), entry.hex()), (one["tag"], one["entry"]))
        leaves.append(hashlib.sha256(b"\0" + entry).digest())
        same("leaf", leaves[-1].hex(), one["leaf"])
    same("roots", [tree_root(leaves[:size]).hex() for size in range(len(leaves) + 1)], part["roots"])
    told = part["checkpoint"]
    root = base64.b64encode(tree_root(leaves)).decode()
    text = f"casevault/{told['agency']}\n{len(leaves)}\n{root}\n"
    same("text", text, told["text"])
    signed, lines = told["note"].rsplit("\n\n", 1)
    same("signed", signed + "\n", text)
    log, witness = (line.split(" ") for line in lines.splitlines())
    origin, time = text.split("\n", 1)[0], told["witness"]["time"]
    for line, name, kind, key, message in (
        (log, origin, 1, told["log_key"], text),
        (witness, told["witness"]["name"], 4, told["witness"]["key"], f"cosignature/v1\ntime {time}\n{text}"),
    ):
        raw = base64.b64decode(line[2], validate=True)
        key_id = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + hexed(key)).digest()[:4]
        stamp = time.to_bytes(8, "big") if kind == 4 else b""
        same("name", (line[0], line[1], raw[: 4 + len(stamp)]), ("—", name, key_id + stamp))
        same("signature", ed25519.is_valid(hexed(key), message.encode(), raw[4 + len(stamp) :]), True)


    agency, key = hexed(told["agency"]), hexed(told["log_key"])
    kept = read_position(hexed(part["witness_position"]["bytes"]), agency, key)
    same("position", kept, (len(leaves), tree_root(leaves)))
    known = [(told["witness"]["name"], hexed(told["witness"]["key"]))]
    cosigned = read_cosigned(hexed(part["cosigned"]), agency, key, known)
    same("cosigned", cosigned, [(len(leaves), tree_root(leaves), {known[0][0]: time})])
    same("nobody known", read_cosigned(hexed(part["cosigned"]), agency, key, [])[0][2], {})
    keys, seed = part["keys"], hexed(part["keys"]["seed"])
    same("verifier", keys["verifier"], verifier(known[0][0], 4, known[0][1]))
    same("public", ed25519.public_of(seed), known[0][1])
    secret = base64.b64encode(bytes([4]) + seed).decode()
    same("secret", keys["secret"], "+".join(["PRIVATE", "KEY", *keys["verifier"].split("+")[:2], secret]) + "\n")


def refuse_witness_position(one, vectors):
    told = vectors["log"]["checkpoint"]
    read_position(hexed(one["bytes"]), hexed(told["agency"]), hexed(told["log_key"]))


def refuse_cosigned(one, vectors):
    told = vectors["log"]["checkpoint"]
    known = [(told["witness"]["name"], hexed(told["witness"]["key"]))]
    read_cosigned(hexed(one["bytes"]), hexed(told["agency"]), hexed(told["log_key"]), known)


def check_server(vectors, same):
    """Sections 17 and 18: what goes between client and server, and where a follower has got to."""
    part = vectors["server"]
    parcels = {
        name: decode(Parcel, hexed(part["parcels"][name]), LIMIT_APPEND) for name in ("record", "erased", "segment")
    }
    link_id = digest("link id", b"\x02" + parcels["record"].link).hex()
    same("link id", link_id, part["parcels"]["record_link_id"])
    placement = decode(Link, parcels["record"].link, LIMIT_LINK).body.placement
    for name in ("record", "erased"):
        (record,) = parcels[name].records
        body = record.body
        kept = record.kind == KEPT
        ciphertext = digest("ciphertext hash", body.ciphertext) if kept else body.ciphertext_hash
        wrap = digest("wrap hash", body.wrap) if kept else body.wrap_hash
        whole = digest("record hash", RecordHeader.write(record.header) + ciphertext)
        same(name, (whole, wrap), (placement.record_hash, placement.wrap_hash))
    (start,) = parcels["segment"].blobs
    begun = decode(Link, parcels["segment"].link, LIMIT_LINK).body.segment
    same("start", (start.bytes, digest("keyring hash", start.bytes)), (hexed(part["parcels"]["start"]), begun.start_hash))
    request = decode(AppendRequest, hexed(part["append_request"]), LIMIT_APPEND)
    same("request", request.parcels, [parcels["record"], parcels["segment"]])
    told = part["append_reply"]
    outcomes = decode(AppendReply, hexed(told["bytes"]), LIMIT_APPEND).outcomes
    same("kinds", [one.kind for one in outcomes], [1, 2, 3, 4])
    found = (outcomes[0].what, outcomes[1].what.links, outcomes[2].what)
    same("outcomes", found, (told["leaf"], told["links"], told["check"]))
    decode(StreamList, hexed(part["stream_list"]), LIMIT_APPEND)
    page = decode(StreamPage, hexed(part["stream_page"]), LIMIT_APPEND)
    same("page", page.parcels[0].parcel, parcels["segment"])
    session = part["session"]
    asked = decode(SessionRequest, hexed(session["request"]), LIMIT_APPEND)
    framed = ctx("server session") + hexed(session["statement"])
    same("statement", SessionStatement.write(asked.statement).hex(), session["statement"])
    same("session", ed25519.is_valid(hexed(session["device"]), framed, asked.signature), True)
    restored = decode(SessionRequest, hexed(session["restored"]), LIMIT_APPEND)
    framed = ctx("restored session") + hexed(session["statement"])
    same("restored statement", SessionStatement.write(restored.statement).hex(), session["statement"])
    same("restored session", ed25519.is_valid(hexed(session["identity"]), framed, restored.signature), True)
    told = part["log_position"]
    leaves = []
    for seq in range(told["leaves"]):
        tag = digest("log tag", hexed(told["stream"]) + seq.to_bytes(8, "big"))[:16]
        leaves.append(hashlib.sha256(b"\0" + tag + hexed(told["link_id"])).digest())
    position = decode(LogPosition, hexed(told["bytes"]), LIMIT_APPEND)
    same("position", (position.seen.size, position.seen.root), (len(leaves), tree_root(leaves)))
    full = len(leaves) // 256
    above = [tree_root(leaves[256 * i : 256 * (i + 1)]) for i in range(full)]
    rows = [(row.level, row.hashes) for row in position.edge]
    same("edge", rows, [(0, leaves[256 * full :]), (1, above)])


def tree_root(hashes):
    """The root over leaf hashes (RFC 6962, section 2.1)."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    left = 1 << ((len(hashes) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + tree_root(hashes[:left]) + tree_root(hashes[left:])).digest()


def check_golden(same):
    vectors = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert vectors["schema"] == "casevault.vectors/1"
    for check in (
        check_labels,
        check_texts,
        check_padding,
        check_wraps,
        check_keyring,
        check_access,
        check_local,
        check_attachment,
        check_root,
        check_streams,
        check_cards,
        check_backup,
        check_restoring,
        check_ledger,
        check_log,
        check_server,
        check_enrolment,
        check_keystore,
        check_malformed,
    ):
        check(vectors, same)
    for one in ("first", "second"):
        check_record(vectors["record"][one], same)


# Strict verification refuses each of these; what is left verifies, low-order components or not.
STRICT_REFUSES = {"low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"}


def check_ed25519(same):
    for one in json.loads((SHARED / "cctv-ed25519.json").read_text(encoding="utf-8")):
        found = ed25519.is_valid(hexed(one["key"]), one["msg"].encode(), hexed(one["sig"]))
        same(f"ed25519 {one['number']}", found, not STRICT_REFUSES & set(one["flags"] or []))


AGE_FAILURES = {
    age.NoMatch: "no match",
    age.MacFailure: "HMAC failure",
    age.HeaderFailure: "header failure",
    age.PayloadFailure: "payload failure",
}
# A hybrid stanza beside another kind is a file of age, but none of CaseVault (§4).
AGE_OWN = {"hybrid_and_x25519": "header failure"}
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def seed_of(text):
    """The 32 bytes of a Bech32 text; its checksum is the vectors' own concern."""
    bits = 0
    data = text.lower()[text.rindex("1") + 1 : -6]
    for character in data:
        bits = bits << 5 | BECH32.index(character)
    return (bits >> (len(data) * 5 % 8)).to_bytes(len(data) * 5 // 8, "big")


def check_age(same):
    for path in sorted((SHARED / "cctv-age").glob("hybrid*")):
        head, _, body = path.read_bytes().partition(b"\n\n")
        fields = [line.split(": ", 1) for line in head.decode().splitlines()]
        seeds = [text for name, text in fields if name == "identity" and text.startswith("AGE-SECRET-KEY-PQ-1")]
        if not seeds or len([1 for name, _ in fields if name == "identity"]) != 1:
            if path.name not in AGE_OWN:
                print(f"left out: {path.name} (needs an identity that no keyring has)", file=sys.stderr)
                continue
        known = dict(fields)
        body = zlib.decompress(body) if "compressed" in known else body
        try:
            plain = age.decrypt(body, Identity(seed_of(seeds[0])), 1 << 20)
            found = "success" if hashlib.sha256(plain).hexdigest() == known["payload"] else "another payload"
        except Refusal as refusal:
            found = AGE_FAILURES.get(type(refusal), "header failure" if refusal.check == "CHK-33" else str(refusal))
        same(path.name, found, AGE_OWN.get(path.name, known["expect"]))


def main():
    tally = Tally()
    check_golden(tally.same)
    print(f"golden vectors: {tally.count} values are as the page says")
    if SHARED.is_dir():
        tally = Tally()
        check_ed25519(tally.same)
        check_age(tally.same)
        print(f"CCTV vectors: {tally.count} of Ed25519 and of hybrid age files are as expected")
    else:
        print("LEFT OUT: the CCTV vectors (no ../shared/vectors beside this tree)", file=sys.stderr)


if __name__ == "__main__":
    main()
