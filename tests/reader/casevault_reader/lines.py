"""Import lines, rebuilt from opened records (§8, §12): what `export` writes and what the local index is a MAC of.

A line is spliced from the payloads' own text, so that a number or a text which the vault does not know keeps the
spelling it came with.
"""

import json

from .ids import handle
from .ids import text as id_text

PLACED = ("schema", "note", "section", "main_section", "parts", "imported", "extra", "joined", "misfiled", "refiled", "detached", "kind", "segments")
_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"


def _value(text, at):
    """The value that begins at or after `at`, as it is written, and where it ends."""
    while text[at] in _SPACE:
        at += 1
    _, end = _DECODER.raw_decode(text, at)
    return text[at:end], end


def _next(text, at):
    """The place after the comma at or after `at`, or None at the end of an object or array."""
    while text[at] in _SPACE:
        at += 1
    return at + 1 if text[at] == "," else None


def members(text):
    """The members of the JSON object `text`, each value as it is written."""
    found, at = {}, text.index("{") + 1
    if json.loads(text) == {}:
        return found
    while at is not None:
        name, end = _value(text, at)
        value, end = _value(text, text.index(":", end) + 1)
        found[json.loads(name)] = value
        at = _next(text, end)
    return found


def elements(text):
    """The elements of the JSON array `text`, as they are written."""
    found, at = [], text.index("[") + 1
    if json.loads(text) == []:
        return found
    while at is not None:
        value, end = _value(text, at)
        found.append(value)
        at = _next(text, end)
    return found


def written(value):
    """A value as this format writes it: compact, and `\\u` for control characters only."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _object(fields):
    return "{" + ",".join(f"{written(name)}:{value}" for name, value in fields.items() if value is not None) + "}"


class Opened:
    """An opened record: the record, its payload, and the payload's text."""

    def __init__(self, record, text):
        self.record, self.text = record, text
        self.payload = json.loads(text)
        self.schema = self.payload["schema"]

    @property
    def key(self):
        header = self.record.header
        return header.stream.id, id_text("n", header.record), header.version

    @property
    def is_primary(self):
        """Whether this is a note's primary record, which the note's id names."""
        return self.schema == "casevault.note/1" and "main_section" not in self.payload

    @property
    def is_imported(self):
        """Whether this very version came by an import, and not by an amendment here."""
        return "imported" in self.payload and "authored_at" not in self.payload


class Lines:
    """All opened records of a vault, and the lines that they make."""

    def __init__(self, opened):
        self.opened = opened
        self._by_version = {one.key: one for one in opened}
        self._case_names = {
            one.record.header.stream.id: one.payload["external_id"]
            for one in opened
            if one.schema == "casevault.profile/1"
        }

    def newest(self):
        """The newest version of each record, in commit order of those."""
        newest = {}
        for one in self.opened:
            ident = one.record.header.stream.id, one.record.header.record
            if ident not in newest or newest[ident].record.header.version <= one.record.header.version:
                newest[ident] = one
        return list(newest.values())

    def export(self):
        """The lines of every worker, case and note as of its newest version, each as `export` writes it."""
        newest = self.newest()
        # Of a case that was closed before its line held that, the label alone says so.
        closed = {
            one.record.header.stream.id: one.payload["closed"]
            for one in newest
            if one.schema == "casevault.label/1"
        }
        for one in newest:
            if one.schema == "casevault.settings/1":
                yield from elements(members(one.text)["workers"])
            elif one.schema == "casevault.profile/1":
                yield self.case_line(one, closed.get(one.record.header.stream.id))
            elif one.is_primary and "misfiled" not in one.payload:
                yield self.note_line(one)

    def case_line(self, profile, closed=None):
        """The line that the profile holds; a case without an external id is named by its handle there."""
        line = members(profile.text)["line"]
        fields = members(line)
        if closed is not None and fields.get("closed", "null") == "null":
            line = _object({**fields, "closed": _object({"on": written(closed)})})
        if profile.payload["external_id"] is not None:
            return line
        case = written(handle("c", profile.record.header.stream.id))
        return _object({**members(line), "case": case})

    def note_line(self, primary):
        """The line of a note in the version of its primary record."""
        fields = members(primary.text)
        imported = members(fields.get("imported", "{}"))
        case = primary.record.header.stream.id
        line = {
            "type": '"note"',
            "case": imported.get("case", written(self._case_names.get(case) or handle("c", case))),
            "note": imported.get("note", written(handle("n", primary.record.header.record))),
            "author": imported.get("author", fields.get("worker")),
            "kind": fields["kind"],
            "section": fields["section"],
            "recorded_at": imported.get("recorded_at") if imported else self._first_authored(primary),
        }
        line.update((name, value) for name, value in fields.items() if name not in PLACED)
        line["segments"] = "[" + ",".join(self._segments(primary, numbered=not imported)) + "]"
        line.update((name, value) for name, value in imported.items() if name not in line)
        line.update(members(fields.get("extra", "{}")))
        return _object(line)

    def _first_authored(self, primary):
        """When a note written here was first written down: to amend or refile it does not make it late."""
        refiled = members(members(primary.text).get("refiled", "{}"))
        if "recorded_at" in refiled:
            return refiled["recorded_at"]
        case, record, _ = primary.key
        first = self._by_version.get((case, record, 1), primary)
        return members(first.text).get("authored_at")

    def _segments(self, primary, numbered):
        found = {}
        for part in [primary, *self._parts(primary)]:
            for segment in elements(members(part.text)["segments"]):
                fields = members(segment)
                if "placeholder" not in fields:
                    found[json.loads(fields["n"])] = fields
        for _, fields in sorted(found.items()):
            if not numbered:
                del fields["n"]
            fields.update(members(fields.pop("extra", "{}")))
            yield _object(fields)

    def _parts(self, primary):
        case = primary.record.header.stream.id
        for part in primary.payload.get("parts", []):
            found = self._by_version.get((case, part["record"], part["version"]))
            if found:
                yield found
