-- People whose names must not be stored: hashes with the key of `forgotten_key`, by which a name is recognised but not
-- read (`store::forgotten_people`).

CREATE TABLE forgotten_people (
    mark  BLOB PRIMARY KEY CHECK (length(mark) = 32), -- of the name as it is compared
    words INTEGER NOT NULL                            -- how many it has: a text is searched for no longer names
) STRICT, WITHOUT ROWID;
