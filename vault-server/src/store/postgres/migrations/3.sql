-- The newest cosignature of each witness, as store/cosignature.sql has them.
CREATE TABLE cosignature (
    agency INTEGER NOT NULL REFERENCES agency (no),
    witness BYTEA NOT NULL,
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    time BIGINT NOT NULL,
    signature BYTEA NOT NULL,
    PRIMARY KEY (agency, witness)
);
