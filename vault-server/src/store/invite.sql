-- Since version 2. Invites that are open, by their random ids: who opened them, of what kind, until which day; what the two
-- sides say to each other is sealed, and `enrolment` is what an administrator is to append.
CREATE TABLE invite (
    id BLOB PRIMARY KEY,
    agency INTEGER NOT NULL REFERENCES agency (no),
    opener BLOB NOT NULL,
    kind INTEGER NOT NULL,
    until INTEGER NOT NULL,
    request BLOB,
    answer BLOB,
    enrolment BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX invite_agency ON invite (agency);
