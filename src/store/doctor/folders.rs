//! Checks which folders directly contain photos.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::path::decode;
use super::checkup::Checkup;

pub(super) fn check(checkup: &mut Checkup<'_>) -> rusqlite::Result<()> {
    checkup.begin("folders", "SELECT count(*) FROM files")?;
    let db = checkup.db;
    let mut expected: BTreeSet<PathBuf> = BTreeSet::new();
    let mut files =
        db.prepare("SELECT path FROM files WHERE photo_id IS NOT NULL ORDER BY path")?;
    let mut rows = files.query([])?;
    while let Some(row) = rows.next()? {
        checkup.advance(1);
        let path = decode(row.get_ref(0)?.as_blob()?);
        if let Some(folder) = path.parent().filter(|folder| !expected.contains(*folder)) {
            expected.insert(Path::to_owned(folder));
        }
    }
    let stored: BTreeSet<PathBuf> = db
        .prepare("SELECT path FROM folders")?
        .query_map([], |row| Ok(decode(row.get_ref(0)?.as_blob()?)))?
        .collect::<rusqlite::Result<_>>()?;
    for folder in expected.difference(&stored) {
        checkup.folder_is_missing(folder.clone());
    }
    for folder in stored.difference(&expected) {
        checkup.folder_is_extra(folder.clone());
    }
    Ok(())
}
