-- The local store, version 1. docs/format.md section 12.1 says how every signed byte is rebuilt from these columns.
-- Whatever can be rebuilt (hashes, link ids of records, headers) has no column.

CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    agency BLOB NOT NULL,
    pos INTEGER NOT NULL,
    commit_order BLOB NOT NULL,
    mac BLOB NOT NULL
) STRICT;

CREATE TABLE stream (
    no INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    head BLOB NOT NULL,
    mac BLOB NOT NULL,
    UNIQUE (kind, id)
) STRICT;

-- Members and devices under local numbers.
CREATE TABLE actor (
    no INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE
) STRICT;

-- Release commitments under local numbers.
CREATE TABLE release (
    no INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL UNIQUE
) STRICT;

-- One row a link, in commit order. Class to body are a record link's alone; bytes every other link's.
CREATE TABLE link (
    pos INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES stream (no),
    seq INTEGER NOT NULL,
    class INTEGER,
    is_primary INTEGER,
    version INTEGER,
    agency_seq INTEGER,
    signer INTEGER REFERENCES actor (no),
    member INTEGER REFERENCES actor (no),
    device INTEGER REFERENCES actor (no),
    section INTEGER,
    epoch INTEGER,
    month INTEGER,
    release INTEGER REFERENCES release (no),
    seen BLOB,
    amends BLOB,
    record_id BLOB,
    commitment BLOB,
    record_signature BLOB,
    signature BLOB NOT NULL,
    wrap BLOB,
    bytes BLOB,
    body BLOB
) STRICT;

-- Not unique, so that it may carry what lists and counts need: they then read no row.
CREATE INDEX link_stream ON link (stream, seq, class, is_primary, version);
-- A handle is 40 bits: the first five bytes of the id.
CREATE INDEX link_record ON link (substr(record_id, 1, 5)) WHERE record_id IS NOT NULL;

-- The sealed parts of events.
CREATE TABLE sealed (
    pos INTEGER NOT NULL REFERENCES link (pos),
    part INTEGER NOT NULL,
    class INTEGER NOT NULL,
    version INTEGER NOT NULL,
    member INTEGER NOT NULL REFERENCES actor (no),
    device INTEGER NOT NULL REFERENCES actor (no),
    amends BLOB,
    record_id BLOB NOT NULL,
    commitment BLOB NOT NULL,
    record_signature BLOB NOT NULL,
    wrap BLOB,
    body BLOB,
    PRIMARY KEY (pos, part)
) STRICT;

CREATE INDEX sealed_record ON sealed (substr(record_id, 1, 5));

-- Newer wraps, by record and then by the rewrap link that brought them.
CREATE TABLE rewrap (
    record_pos INTEGER NOT NULL REFERENCES link (pos),
    record_part INTEGER NOT NULL,
    pos INTEGER NOT NULL REFERENCES link (pos),
    wrap BLOB,
    PRIMARY KEY (record_pos, record_part, pos)
) STRICT, WITHOUT ROWID;

-- What stays of an erased record beside its columns.
CREATE TABLE erased (
    pos INTEGER NOT NULL REFERENCES link (pos),
    part INTEGER NOT NULL,
    padded_length INTEGER NOT NULL,
    ciphertext_hash BLOB NOT NULL,
    wrap_hash BLOB NOT NULL,
    PRIMARY KEY (pos, part)
) STRICT, WITHOUT ROWID;

-- Keyring files, segment starts and manifests, by the hash that a link signs.
CREATE TABLE blob (
    hash BLOB NOT NULL UNIQUE,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE local (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The local index of external ids.
CREATE TABLE external (
    key BLOB PRIMARY KEY,
    pos INTEGER NOT NULL REFERENCES link (pos),
    content BLOB
) STRICT, WITHOUT ROWID;
