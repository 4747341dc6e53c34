"""Enrolment sheets and what they give: from rows to the keys of both sides (§19)."""

import hmac

from . import ed25519
from .codec import decode
from .ids import CROCKFORD
from .labels import digest, kdf
from .refusal import require
from .seal import committed_open, unpad
from .structures import SHEET_DEVICE, DeviceCertificate, EnrolmentSheet, JoinAnswer, JoinRequest

ROW, CHECK, ROW_CHECK = 20, 4, 2
ROW_CHARACTERS = ROW * 8 // 5 + ROW_CHECK
LIMIT_SHEET, LIMIT_REQUEST, LIMIT_ANSWER = 512, 4096, 65536
SCANNED = "casevault1"


def base32(raw):
    """Bytes in the base 32 of ids, with zero bits at the end."""
    length = -(-len(raw) * 8 // 5)
    bits = int.from_bytes(raw, "big") << (length * 5 - len(raw) * 8)
    return "".join(CROCKFORD[bits >> 5 * (length - 1 - at) & 31] for at in range(length))


def _bytes(text):
    require(all(letter in CROCKFORD for letter in text), "CHK-150", "a letter that is none of the alphabet's")
    spare = len(text) * 5 % 8
    bits = 0
    for letter in text:
        bits = bits << 5 | CROCKFORD.index(letter)
    require(spare < 5 and bits & ((1 << spare) - 1) == 0, "CHK-150", "a row of a length that none has")
    return (bits >> spare).to_bytes(len(text) * 5 // 8, "big")


def _row_check(number, raw):
    return base32(digest("enrolment row", bytes([number]) + raw))[:ROW_CHECK]


def write_rows(sheet):
    """The rows of a sheet, without spaces."""
    raw = EnrolmentSheet.write(sheet)
    raw += digest("enrolment check", raw)[:CHECK]
    pieces = [raw[at : at + ROW] for at in range(0, len(raw), ROW)]
    return [base32(piece) + _row_check(number, piece) for number, piece in enumerate(pieces, 1)]


def printed(rows):
    """Rows as they are printed."""
    lines = []
    for number, row in enumerate(rows, 1):
        text, check = row[:-ROW_CHECK], row[-ROW_CHECK:]
        groups = " ".join(text[at : at + 4] for at in range(0, len(text), 4))
        lines.append(f"{number:02}: {groups}  {check}")
    return lines


def read_sheet(text):
    """CHK-150: rows with their checks, in their order, that make a whole sheet."""
    rows = []
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("#") or ":" not in line:
            continue
        mark, letters = line.split(":", 1)
        letters = "".join(letters.split()).replace("-", "").lower()
        letters = letters.replace("o", "0").replace("i", "1").replace("l", "1")
        mark = mark.strip()
        if mark.lower() == SCANNED:
            rows += [letters[at : at + ROW_CHARACTERS] for at in range(0, len(letters), ROW_CHARACTERS)]
        elif mark.isascii() and mark.isdigit():
            require(int(mark) == len(rows) + 1, "CHK-150", "a row that is missing or out of its place")
            rows.append(letters)
    require(rows, "CHK-150", "no row of a sheet")
    raw = b""
    for number, row in enumerate(rows, 1):
        last = number == len(rows) and ROW_CHECK < len(row) < ROW_CHARACTERS
        require(last or len(row) == ROW_CHARACTERS, "CHK-150", f"row {number} has another length")
        piece = _bytes(row[:-ROW_CHECK])
        require(_row_check(number, piece) == row[-ROW_CHECK:], "CHK-150", f"row {number} is not as it was")
        raw += piece
    encoded, check = raw[:-CHECK], raw[-CHECK:]
    require(len(raw) > CHECK and digest("enrolment check", encoded)[:CHECK] == check, "CHK-150", "not a whole sheet")
    require(encoded[0] == 1, "CHK-03", "an unknown form of sheet")
    sheet = decode(EnrolmentSheet, encoded, LIMIT_SHEET)
    visible = 1 <= len(sheet.url) <= 200 and all(0x21 <= letter <= 0x7E for letter in sheet.url)
    require(visible and sheet.size > 0, "CHK-150", "numbers or an address that no sheet has")
    return sheet


class Invite:
    """What a sheet gives to whoever has it."""

    def __init__(self, sheet):
        self.sheet = sheet
        open_sheet = type(sheet)(**sheet.__dict__)
        open_sheet.secret = bytes(16)
        salt = digest("enrolment sheet", EnrolmentSheet.write(open_sheet))
        self._base = hmac.digest(salt, sheet.secret, "sha256")
        ids = kdf("enrolment ids", self._base, b"", 32)
        self.id, self.device = ids[:16], ids[16:]

    def _open(self, label, of, sealed, limit):
        require(len(sealed) <= limit, "CHK-01", "a message beyond its limit")
        require(len(sealed) > 64, "CHK-151", "a message without a sealed part")
        fresh, commitment, text = sealed[:32], sealed[32:64], sealed[64:]
        return unpad(committed_open(label, self._base, fresh + of, commitment, self.id, text, "CHK-151", "CHK-151"))

    def open_request(self, sealed):
        """What the joining device asks for."""
        request = decode(JoinRequest, self._open("enrolment request", b"", sealed, LIMIT_REQUEST), LIMIT_REQUEST)
        certificate = request.joiner.certificate
        found = (request.agency, request.invite, request.kind)
        require(found == (self.sheet.agency, self.id, self.sheet.kind), "CHK-152", "a request of another invite")
        named = (certificate.agency, certificate.member, certificate.device)
        require(named == (self.sheet.agency, self.sheet.member, self.device), "CHK-152", "a device of another invite")
        if request.kind != SHEET_DEVICE:
            encoded, joiner = DeviceCertificate.write(certificate), request.joiner
            ed25519.verify("device certificate", joiner.identity, encoded, joiner.signature, "CHK-23")
        return request

    def open_answer(self, request, sealed):
        """What it is answered."""
        asked = digest("join request hash", request)
        answer = decode(JoinAnswer, self._open("enrolment answer", asked, sealed, LIMIT_ANSWER), LIMIT_ANSWER)
        found = (answer.agency, answer.invite, answer.request)
        require(found == (self.sheet.agency, self.id, asked), "CHK-152", "an answer to another request")
        handed = answer.secrets is not None
        require(handed == (self.sheet.kind == SHEET_DEVICE), "CHK-152", "secrets for whom none are meant")
        return answer


def code(request):
    """What both sides compare aloud."""
    text = base32(digest("join request hash", request))[:8]
    return f"{text[:4]}-{text[4:]}"
