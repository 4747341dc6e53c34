-- The server's store, version 3: these tables, and those of invite.sql and cosignature.sql. Nothing in it but what the format shows in clear (docs/format.md sections 6, 7, 18).
-- Rows stand in the order of their arrival: a link's number is its agency's, shifted left by 32, plus its leaf; a
-- record's or blob's is its link's, shifted left by 15, plus its place in the link. Log entries, link ids of parcels and
-- the edge of the tree follow from these and have no table.

CREATE TABLE server (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    session_key BLOB NOT NULL
) STRICT;

CREATE TABLE agency (
    no INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    log_seed BLOB NOT NULL
) STRICT;

CREATE TABLE stream (
    no INTEGER PRIMARY KEY,
    agency INTEGER NOT NULL REFERENCES agency (no),
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    links INTEGER NOT NULL,
    head BLOB NOT NULL,
    last INTEGER NOT NULL,
    UNIQUE (agency, kind, id)
) STRICT;

-- Who has a live grant in a case: what reading asks for.
CREATE TABLE holder (
    member BLOB NOT NULL,
    stream INTEGER NOT NULL REFERENCES stream (no),
    PRIMARY KEY (stream, member)
) STRICT, WITHOUT ROWID;

CREATE TABLE link (
    no INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES stream (no),
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    signature BLOB NOT NULL,
    bytes BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX link_place ON link (stream, seq);
-- What a case's state is made of is few among its links.
CREATE INDEX link_event ON link (stream, seq) WHERE kind IN (2, 3);

-- Bytes apart from the link and erasable: ciphertext and wrap, or what is left of them. The largest column is the last.
CREATE TABLE record (
    no INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES stream (no),
    name INTEGER NOT NULL,
    hash BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    erased INTEGER NOT NULL,
    header BLOB NOT NULL,
    signature BLOB NOT NULL,
    ciphertext_hash BLOB,
    wrap_hash BLOB,
    wrap BLOB,
    ciphertext BLOB
) STRICT;

-- The first eight bytes of the record's id: all versions of a record stand beside each other.
CREATE INDEX record_name ON record (stream, name);

-- What else a link names. NULL once erased.
CREATE TABLE blob (
    no INTEGER PRIMARY KEY,
    bytes BLOB
) STRICT;

-- Full tiles of the log, 8,192 bytes each.
CREATE TABLE tile (
    agency INTEGER NOT NULL REFERENCES agency (no),
    level INTEGER NOT NULL,
    "index" INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (agency, level, "index")
) STRICT;
