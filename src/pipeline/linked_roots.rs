//! Removes roots that lead into another root by a symbolic link, or by a spelling that their folder no longer has.

use std::path::Path;

use crate::error::Result;
use crate::real_path::real_path;
use crate::store::{Root, Store};

/// Removes each stored root whose path leads into another root that was reconciled and is there, with the files below it: the
/// index has them in that other root, and nobody follows them here. Such a root remains where a folder was replaced by a
/// symbolic link, where only the case of its name was changed on a disk that does not distinguish capitals, and where an
/// earlier version did not resolve a link to a disk that was not mounted.
///
/// A root below another root stays: there the album itself leads through the link.
///
/// # Errors
/// If the database cannot be read or written.
pub fn drop_linked_roots(store: &mut Store) -> Result<()> {
    let roots = store.roots()?;
    let is_below =
        |path: &Path, root: &Root, other: &Root| other != root && path.starts_with(&other.path);
    for root in &roots {
        let Ok(real) = real_path(&root.path) else {
            continue;
        };
        let is_there =
            |other: &Root| other.reconciled_at.is_some() && other.offline_since.is_none();
        let is_followed = |other: &Root| is_below(&real, root, other) && is_there(other);
        if real != root.path
            && roots.iter().any(is_followed)
            && !roots.iter().any(|other| is_below(&root.path, root, other))
        {
            tracing::info!(
                "{} leads to {}, under which the index has its photos",
                root.path.display(),
                real.display()
            );
            store.forget_root(&root.path)?;
        }
    }
    Ok(())
}
