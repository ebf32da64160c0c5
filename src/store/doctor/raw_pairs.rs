//! Checks which raw files are beside a picture of the same shot.

use std::collections::BTreeSet;

use super::super::path::decode;
use super::super::raw_pairs;
use super::super::record::PhotoId;
use super::checkup::Checkup;
use super::{DerivedPart, DifferenceKind};
use crate::names::is_raw;

pub(super) fn check(checkup: &mut Checkup<'_>) -> rusqlite::Result<()> {
    checkup.begin("raw files", "SELECT count(*) FROM files")?;
    let db = checkup.db;
    let mut raws: BTreeSet<PhotoId> = BTreeSet::new();
    raw_pairs::each(db, |raw| {
        raws.insert(raw);
    })?;
    let mut files = db.prepare("SELECT path, photo_id FROM files WHERE photo_id IS NOT NULL")?;
    let mut rows = files.query([])?;
    while let Some(row) = rows.next()? {
        checkup.advance(1);
        if is_raw(&decode(row.get_ref(0)?.as_blob()?)) {
            raws.insert(row.get(1)?);
        }
    }
    for raw in raws {
        let stored = raw_pairs::picture_of(db, raw)?;
        let expected = raw_pairs::expected(db, raw)?;
        let kind = match (stored, expected) {
            (stored, expected) if stored == expected => continue,
            (None, _) => DifferenceKind::Missing,
            (_, None) => DifferenceKind::Extra,
            _ => DifferenceKind::Wrong,
        };
        checkup.photo_differs(DerivedPart::RawPairs, kind, raw)?;
    }
    Ok(())
}
