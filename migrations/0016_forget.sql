-- What a person wants to be forgotten must not come back, and its name must not be kept for that. So files, folders and
-- contents are stored as hashes with a key of this database, by which they are recognised but not read.

CREATE TABLE forgotten_key (
    key BLOB NOT NULL CHECK (length(key) = 32)
) STRICT;

INSERT INTO forgotten_key VALUES (randomblob(32));

CREATE TABLE forgotten (
    mark BLOB PRIMARY KEY CHECK (length(mark) = 32), -- of a path or of a content (`store::forgotten`)
    named BLOB NOT NULL                              -- the mark of the path that was named; they are allowed again together
) STRICT, WITHOUT ROWID;

CREATE INDEX forgotten_by_name ON forgotten (named);
