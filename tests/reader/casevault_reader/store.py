"""The local store: its tables as they are (§12, §12.1). Nothing here is believed yet but shapes and lengths."""

import sqlite3
from contextlib import closing

from .refusal import Refusal, require

APPLICATION_ID = 0x43565631
STORE_VERSION = 1
INTEGER = None

# Columns of each table with the length of their blobs; 0 is any length. A `?` marks what may be NULL.
RECORD = {
    "class?": INTEGER,
    "version?": INTEGER,
    "member?": INTEGER,
    "device?": INTEGER,
    "amends?": 32,
    "record_id?": 16,
    "commitment?": 32,
    "record_signature?": 64,
    "wrap?": 48,
    "body?": 0,
}
TABLES = {
    "meta": {"id": INTEGER, "agency": 32, "pos": INTEGER, "commit_order": 32, "mac": 32},
    "stream": {"no": INTEGER, "kind": INTEGER, "id": 16, "seq": INTEGER, "head": 32, "mac": 32},
    "actor": {"no": INTEGER, "id": 16},
    "release": {"no": INTEGER, "bytes": 100},
    "link": {
        "pos": INTEGER,
        "stream": INTEGER,
        "seq": INTEGER,
        "is_primary?": INTEGER,
        "agency_seq?": INTEGER,
        "signer?": INTEGER,
        "section?": INTEGER,
        "epoch?": INTEGER,
        "month?": INTEGER,
        "release?": INTEGER,
        "seen?": 104,
        "signature": 64,
        "bytes?": 0,
        **RECORD,
    },
    "sealed": {"pos": INTEGER, "part": INTEGER, **RECORD},
    "rewrap": {"record_pos": INTEGER, "record_part": INTEGER, "pos": INTEGER, "wrap?": 48},
    "erased": {"pos": INTEGER, "part": INTEGER, "padded_length": INTEGER, "ciphertext_hash": 32, "wrap_hash": 32},
    "blob": {"hash": 32, "bytes": 0},
    "local": {"name": str, "value": 0},
    "external": {"key": 16, "pos": INTEGER, "content?": 16},
}
INDEXES = {"link_stream", "link_record", "sealed_record"}


class Store:
    """Every row of `vault.db`, read in one snapshot: a list of rows for each table."""

    def __init__(self, path):
        try:
            with closing(_open(path)) as database:
                self._read(database)
        except sqlite3.Error as error:
            raise Refusal("CHK-105", f"the store cannot be read: {error}") from None

    def _read(self, database):
        database.row_factory = sqlite3.Row
        database.execute("BEGIN")
        pragma = {name: database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")}
        require(pragma["application_id"] == APPLICATION_ID, "CHK-105", "not a CaseVault store")
        require(pragma["user_version"] == STORE_VERSION, "CHK-105", f"unknown store version {pragma['user_version']}")
        found = {(kind, name) for kind, name in database.execute("SELECT type, name FROM sqlite_master")}
        found = {(kind, name) for kind, name in found if not name.startswith("sqlite_autoindex_")}
        expected = {("table", name) for name in TABLES} | {("index", name) for name in INDEXES}
        require(found == expected, "CHK-105", f"other tables or indexes: {sorted(found ^ expected)}")
        for table, columns in TABLES.items():
            setattr(self, table, [_checked(table, columns, row) for row in database.execute(f"SELECT * FROM {table}")])
        require(len(self.meta) == 1 and self.meta[0]["id"] == 1, "CHK-105", "`meta` is not one row")
        self.meta = self.meta[0]


def _open(path):
    """Opens the file for reading only. SQLite itself reads the write-ahead log beside it, if there is one."""
    require(path.is_file(), "CHK-105", f"there is no `{path.name}`")
    try:
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return database
    except sqlite3.OperationalError:
        # A folder that cannot be written lets SQLite make no shared memory; without a log nothing is lost by that.
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            raise
        return sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True, isolation_level=None)


def _checked(table, columns, row):
    names = {name.rstrip("?") for name in columns}
    require(set(row.keys()) == names, "CHK-105", f"`{table}` has other columns: {sorted(names ^ set(row.keys()))}")
    for name, size in columns.items():
        value = row[name.rstrip("?")]
        if value is None:
            require(name.endswith("?"), "CHK-105", f"`{name}` of `{table}` is NULL")
        elif size is INTEGER:
            require(isinstance(value, int) and value >= 0, "CHK-105", f"`{name}` of `{table}` is no number")
        elif size is str:
            require(isinstance(value, str), "CHK-105", f"`{name}` of `{table}` is no text")
        else:
            sound = isinstance(value, bytes) and size in (0, len(value))
            require(sound, "CHK-105", f"`{name}` of `{table}` has another length")
    return row
