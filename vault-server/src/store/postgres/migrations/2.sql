-- Invites that are open, as store/invite.sql has them.
CREATE TABLE invite (
    id BYTEA PRIMARY KEY,
    agency INTEGER NOT NULL REFERENCES agency (no),
    opener BYTEA NOT NULL,
    kind SMALLINT NOT NULL,
    until BIGINT NOT NULL,
    request BYTEA,
    answer BYTEA,
    enrolment BYTEA
);

CREATE INDEX invite_agency ON invite (agency);

ALTER TABLE invite ALTER COLUMN request SET STORAGE EXTERNAL, ALTER COLUMN answer SET STORAGE EXTERNAL;
