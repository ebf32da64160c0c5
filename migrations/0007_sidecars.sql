-- What tells a changed file from an unchanged one also when a program wrote it and put its old time
-- back: the time at which its status last changed. And sidecars as files of their own, so that one
-- that changes is read again, and each copy of a photo has its own.

ALTER TABLE files ADD COLUMN ctime_ns INTEGER NOT NULL DEFAULT 0; -- 0: unknown

-- One row per file of a photo and sidecar beside it. The sidecar lies in the photo's folder, so its
-- name is enough, and a renamed folder costs nothing here.
CREATE TABLE sidecars (
    photo_path BLOB NOT NULL REFERENCES files (path) ON DELETE CASCADE ON UPDATE CASCADE,
    name       BLOB NOT NULL,
    size       INTEGER NOT NULL,
    mtime_ns   INTEGER NOT NULL,
    ctime_ns   INTEGER NOT NULL,
    inode      INTEGER NOT NULL,
    keywords   TEXT NOT NULL,                     -- one a line, without those that were exported
    PRIMARY KEY (photo_path, name)
) STRICT, WITHOUT ROWID;
