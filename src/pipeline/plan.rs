//! What is to be done: the folder as it is, held against the index.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::album::{Filter, FoundFile, ScanProblem, ScannedFolder, scan};
use crate::error::Result;
use crate::store::{KnownFile, Models, Store};

/// The difference between the disk and the index.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Files to read: new, changed, or seen by other models.
    pub read: Vec<FoundFile>,
    /// How many files are as the index has them.
    pub unchanged: u64,
    /// Files of the index that are no longer there.
    pub gone: Vec<PathBuf>,
    /// Folders that could not be looked into.
    pub problems: Vec<ScanProblem>,
    /// Folders that were compared.
    pub roots: Vec<PathBuf>,
    /// Folders that hold nothing at all where the index knows of photos, as when a disk is not
    /// mounted: nothing in them counts as gone.
    pub offline: Vec<PathBuf>,
}

/// Scans the folders and compares; with `again` every file is to be read.
pub(super) fn plan(
    store: &Store,
    roots: &[PathBuf],
    filter: &Filter,
    models: &Models,
    again: bool,
) -> Result<Plan> {
    let folders = roots
        .iter()
        .map(|root| scan(root, filter))
        .collect::<Result<Vec<_>>>()?;
    let mut plan = Plan::default();
    for folder in without_nested(folders) {
        let known = store.files_under(&folder.root, models)?;
        plan.compare(folder, known, again);
    }
    for root in &plan.offline {
        tracing::warn!(
            "{} is empty, as if it was not mounted; what is known of its photos stays",
            root.display()
        );
    }
    Ok(plan)
}

/// Drops folders that lie in another one, so that no file is done twice.
fn without_nested(mut folders: Vec<ScannedFolder>) -> Vec<ScannedFolder> {
    folders.sort_by(|a, b| a.root.cmp(&b.root));
    folders.dedup_by(|inner, outer| inner.root.starts_with(&outer.root));
    folders
}

impl Plan {
    /// Adds what differs between a folder and what is `known` of it; with `again` every file is to
    /// be read.
    pub fn compare(
        &mut self,
        folder: ScannedFolder,
        mut known: HashMap<PathBuf, KnownFile>,
        again: bool,
    ) {
        if folder.is_empty && !known.is_empty() {
            self.offline.push(folder.root);
            return;
        }
        for file in folder.files {
            match known.remove(&file.path) {
                Some(old) if !again && old.is_current && old.meta == file.meta => {
                    self.unchanged += 1;
                }
                _ => self.read.push(file),
            }
        }
        // What lies in a folder that could not be looked into is not gone.
        let hidden = |path: &Path| {
            folder
                .problems
                .iter()
                .any(|problem| path.starts_with(&problem.path))
        };
        let mut gone: Vec<_> = known.into_keys().filter(|path| !hidden(path)).collect();
        gone.sort();
        self.gone.append(&mut gone);
        self.problems.extend(folder.problems);
        self.roots.push(folder.root);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Skip, SkipReason};
    use crate::file::FileMeta;
    use crate::store::PhotoId;

    fn meta(size: u64) -> FileMeta {
        FileMeta {
            size,
            mtime_ns: 1,
            inode: 2,
            device: 3,
        }
    }

    fn found(path: &str, size: u64) -> FoundFile {
        FoundFile {
            path: path.into(),
            meta: meta(size),
        }
    }

    fn known(path: &str, size: u64, is_current: bool) -> (PathBuf, KnownFile) {
        (
            path.into(),
            KnownFile {
                meta: meta(size),
                outcome: Ok(PhotoId(1)),
                is_current,
            },
        )
    }

    fn compared(again: bool) -> Plan {
        let problem = ScanProblem {
            path: "/a/locked".into(),
            skip: Skip::new(SkipReason::PermissionDenied, ""),
        };
        let folder = ScannedFolder {
            root: "/a".into(),
            files: vec![
                found("/a/changed", 2),
                found("/a/new", 1),
                found("/a/same", 1),
                found("/a/stale", 1),
            ],
            problems: vec![problem],
            is_empty: false,
        };
        let index = [
            known("/a/changed", 1, true),
            known("/a/same", 1, true),
            known("/a/stale", 1, false),
            known("/a/gone", 1, true),
            known("/a/locked/x", 1, true),
        ];
        let mut plan = Plan::default();
        plan.compare(folder, index.into(), again);
        plan
    }

    #[test]
    fn new_changed_and_stale_files_are_read_and_hidden_ones_are_not_gone() {
        let plan = compared(false);
        let read: Vec<_> = plan
            .read
            .iter()
            .map(|file| file.path.to_str().unwrap())
            .collect();
        assert_eq!(read, ["/a/changed", "/a/new", "/a/stale"]);
        assert_eq!(
            (plan.unchanged, plan.gone),
            (1, vec![PathBuf::from("/a/gone")])
        );
    }

    #[test]
    fn again_reads_everything() {
        let plan = compared(true);
        assert_eq!((plan.read.len(), plan.unchanged), (4, 0));
    }

    #[test]
    fn an_empty_folder_takes_nothing_along() {
        let folder = ScannedFolder {
            root: "/a".into(),
            files: vec![],
            problems: vec![],
            is_empty: true,
        };
        let mut plan = Plan::default();
        plan.compare(folder.clone(), [known("/a/1.jpg", 1, true)].into(), false);
        assert_eq!(plan.offline, [PathBuf::from("/a")]);
        assert_eq!((&plan.gone, &plan.roots), (&vec![], &vec![]));
        let mut plan = Plan::default();
        plan.compare(folder, HashMap::new(), false);
        assert_eq!(plan.roots, [PathBuf::from("/a")]);
    }

    #[test]
    fn nested_folders_are_done_once() {
        let folder = |root: &str| ScannedFolder {
            root: root.into(),
            files: vec![],
            problems: vec![],
            is_empty: false,
        };
        let left = without_nested(vec![
            folder("/a/b"),
            folder("/a"),
            folder("/ab"),
            folder("/a"),
        ]);
        assert_eq!(left, [folder("/a"), folder("/ab")]);
    }
}
