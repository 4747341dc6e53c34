"""What the store keeps for itself and no link signs: local sealed values, the index of imported lines (§12)."""

from .labels import mac
from .refusal import Refusal, require
from .seal import committed_open


def check_local(store, secrets):
    """CHK-103: every local sealed value opens under its name."""
    for row in store.local:
        name, value = row["name"].encode("utf-8"), row["value"]
        fresh, commitment, sealed = value[:32], value[32:64], value[64:]
        committed_open("local seal", secrets.state_key, fresh + name, commitment, name, sealed, "CHK-103", "CHK-103")


def check_index(store, secrets, lines):
    """CHK-104: `is_primary` and `external` are what the opened records say."""
    primary = {one.record.pos for one in lines.opened if one.is_primary}
    for row in store.link:
        if row["bytes"] is None:
            require(row["is_primary"] == (row["pos"] in primary), "CHK-104", "`is_primary` is not what the record says")
    expected = {}
    for kind, external_id, opened, line in _imported(lines):
        key = mac("index entry", secrets.index_key, kind + b"\0" + external_id.encode("utf-8"))[:16]
        content = mac("index content", secrets.index_key, line.encode("utf-8"))[:16]
        expected[key] = (opened.record.pos, content)
    erased = {row["pos"] for row in store.erased if row["part"] == 0}
    for row in store.external:
        if row["content"] is None:
            require(row["pos"] in erased, "CHK-104", "an index entry without content of a record that is not erased")
        elif expected.pop(row["key"], None) != (row["pos"], row["content"]):
            raise Refusal("CHK-104", "an index entry is not what the records say")
    require(not expected, "CHK-104", "imported lines are not in the index")


def _imported(lines):
    """Every imported case and note: kind, external id, the newest version that an import wrote, and its line."""
    for one in lines.opened:
        if one.schema == "casevault.profile/1" and one.payload["external_id"] is not None:
            yield b"case", one.payload["external_id"], one, lines.case_line(one)
        elif one.is_primary and one.is_imported:
            yield b"note", one.payload["imported"]["note"], one, lines.note_line(one)
