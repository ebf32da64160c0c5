-- What a person's corrections teach about the other faces (`store::learning`). The scores of a face follow the corrections
-- while a personal layer is in force; what the network gave is kept beside them, so that it can be had back.

ALTER TABLE faces ADD COLUMN network_scores BLOB CHECK (length(network_scores) = 32); -- eight little-endian f32;
                                                  -- NULL: the scores of the row are the network's own

CREATE TABLE learning (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    is_on        INTEGER NOT NULL DEFAULT 1,      -- 0: a person has switched it off
    forgotten_at INTEGER,                         -- Unix time, ms: corrections made until then teach nothing
    stamp        BLOB CHECK (length(stamp) = 32), -- hash of what was learned from last
    corrections  INTEGER NOT NULL DEFAULT 0,      -- how many that were
    network_loss REAL,                            -- mean log-loss on them, of the network's scores
    layer_loss   REAL,                            -- and of layers that were each fitted without the face
    classifier   TEXT,                            -- the emotion model whose features the layer in force takes
    layer        BLOB,                            -- fer_core::personal::PersonalLayer; NULL: none is in force
    applied      INTEGER                          -- photos up to this one follow the layer; NULL: all do
) STRICT;

INSERT INTO learning (id) VALUES (1);
