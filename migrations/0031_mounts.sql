-- A disk or share may be mounted below a root, or behind a symbolic link in one. Its photos stay in the index while it is
-- absent, like those of a root, so the index must know which folders are mounts (`store::mounts`).

CREATE TABLE mounts (
    path BLOB PRIMARY KEY -- the folder, or the link to it
) STRICT, WITHOUT ROWID;
