-- Since version 3. The newest cosignature of each witness over a checkpoint of the log: name and key as the root has them
-- (`Verifier`), and what a note of it shows to whoever knows the agency's id.
CREATE TABLE cosignature (
    agency INTEGER NOT NULL REFERENCES agency (no),
    witness BLOB NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    time INTEGER NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (agency, witness)
) STRICT, WITHOUT ROWID;
