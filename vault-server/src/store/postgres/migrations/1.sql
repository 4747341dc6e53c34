-- The shared store, version 1: the tables of store/schema.sql, and what several processes have in common. Nothing in it
-- but what the format shows in clear (docs/format.md sections 6, 7, 18), and which challenges were used.

CREATE TABLE server (
    id SMALLINT PRIMARY KEY CHECK (id = 1),
    session_key BYTEA NOT NULL
);

-- Challenges that began a session, until they are too old to begin another: 8 random bytes, and when they were made in
-- seconds since 1970.
CREATE TABLE challenge (
    random BYTEA NOT NULL,
    made BIGINT NOT NULL,
    PRIMARY KEY (made, random)
);

-- Numbers have no gaps and are given under a lock: a link's begins with its agency's.
CREATE TABLE agency (
    no INTEGER PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    log_seed BYTEA NOT NULL
);

-- Room in a page for the next state of a row, which every append writes.
CREATE TABLE stream (
    no BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency INTEGER NOT NULL REFERENCES agency (no),
    kind SMALLINT NOT NULL,
    id BYTEA NOT NULL,
    links BIGINT NOT NULL,
    head BYTEA NOT NULL,
    last BIGINT NOT NULL,
    UNIQUE (agency, kind, id)
) WITH (fillfactor = 70);

-- Who has a live grant in a case: what reading asks for.
CREATE TABLE holder (
    member BYTEA NOT NULL,
    stream BIGINT NOT NULL REFERENCES stream (no),
    PRIMARY KEY (stream, member)
);

CREATE TABLE link (
    no BIGINT PRIMARY KEY,
    stream BIGINT NOT NULL REFERENCES stream (no),
    seq BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    id BYTEA NOT NULL,
    signature BYTEA NOT NULL,
    bytes BYTEA NOT NULL
);

CREATE UNIQUE INDEX link_place ON link (stream, seq);
-- What a case's state is made of is few among its links.
CREATE INDEX link_event ON link (stream, seq) WHERE kind IN (2, 3);

-- Bytes apart from the link and erasable: ciphertext and wrap, or what is left of them.
CREATE TABLE record (
    no BIGINT PRIMARY KEY,
    stream BIGINT NOT NULL REFERENCES stream (no),
    name BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    epoch BIGINT NOT NULL,
    erased BOOLEAN NOT NULL,
    header BYTEA NOT NULL,
    signature BYTEA NOT NULL,
    ciphertext_hash BYTEA,
    wrap_hash BYTEA,
    wrap BYTEA,
    ciphertext BYTEA
);

-- The first eight bytes of the record's id: all versions of a record stand beside each other.
CREATE INDEX record_name ON record (stream, name);

-- What else a link names. NULL once erased.
CREATE TABLE blob (
    no BIGINT PRIMARY KEY,
    bytes BYTEA
);

-- Full tiles of the log, 8,192 bytes each.
CREATE TABLE tile (
    agency INTEGER NOT NULL REFERENCES agency (no),
    level SMALLINT NOT NULL,
    "index" BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (agency, level, "index")
);

-- What is random does not get smaller.
ALTER TABLE record ALTER COLUMN wrap SET STORAGE EXTERNAL, ALTER COLUMN ciphertext SET STORAGE EXTERNAL;
ALTER TABLE blob ALTER COLUMN bytes SET STORAGE EXTERNAL;
ALTER TABLE tile ALTER COLUMN bytes SET STORAGE EXTERNAL;
