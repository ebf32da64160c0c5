//! Reads the sidecars of photos whose files are unchanged, and stores their keywords. No photo is read.

use std::path::PathBuf;

use crate::error::Result;
use crate::imaging::read_sidecars;
use crate::sidecar::Finder;
use crate::store::Store;

/// Maximum number of photos in a transaction.
const BATCH: usize = 256;

/// Reads the sidecars of these photos and stores them in place of those that the index has. `progress` is
/// called now and then.
///
/// # Errors
/// If the database cannot be written. A sidecar that cannot be read has no keywords.
pub fn refresh_sidecars(store: &mut Store, photos: &[PathBuf], progress: &dyn Fn()) -> Result<()> {
    for photos in photos.chunks(BATCH) {
        // Read before the transaction, which keeps other writers waiting.
        let finder = Finder::default();
        let read: Vec<_> = photos
            .iter()
            .map(|photo| (photo, read_sidecars(photo, &finder)))
            .collect();
        store.batch(|batch| {
            read.iter()
                .try_for_each(|(photo, sidecars)| batch.put_sidecars(photo, sidecars))
        })?;
        progress();
    }
    Ok(())
}
