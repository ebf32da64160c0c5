//! Checks that the scores of faces follow from the personal layers in force, or are the network's own if there are none.

use super::super::learning;
use super::checkup::Checkup;
use super::{DerivedPart, DifferenceKind};

pub(super) fn check(checkup: &mut Checkup<'_>) -> rusqlite::Result<()> {
    checkup.begin("scores that follow corrections", "SELECT 0")?;
    for photo in learning::wrong(checkup.db)? {
        checkup.photo_differs(DerivedPart::Learned, DifferenceKind::Wrong, photo)?;
    }
    Ok(())
}
