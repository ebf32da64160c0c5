//! The tree of folders that the page offers as a filter.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// A folder that the filter offers.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Folder {
    path: String,
    name: String,
    /// The depth in the tree: how many other listed folders contain this one.
    depth: usize,
}

/// Returns the folders that contain photos and the folders between them; parents come before their children. A folder
/// whose path is not valid Unicode cannot be put in an address and is left out.
pub(super) fn tree(with_photos: &[PathBuf]) -> Vec<Folder> {
    let Some(top) = with_photos
        .iter()
        .cloned()
        .reduce(|top, next| common(&top, &next))
    else {
        return Vec::new();
    };
    let all: BTreeSet<&Path> = with_photos
        .iter()
        .flat_map(|folder| folder.ancestors().take_while(|path| path.starts_with(&top)))
        .collect();
    let above = top.components().count();
    all.into_iter()
        .filter_map(|path| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            Some(Folder {
                path: path.to_str()?.to_owned(),
                name: name.to_str()?.to_owned(),
                depth: path.components().count() - above,
            })
        })
        .collect()
}

fn common(a: &Path, b: &Path) -> PathBuf {
    let pairs = a.components().zip(b.components());
    pairs
        .take_while(|(a, b)| a == b)
        .map(|(part, _)| part)
        .collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn outline(folders: &[&str]) -> Vec<String> {
        let folders: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
        let line = |folder: &Folder| format!("{}{}", "-".repeat(folder.depth), folder.name);
        tree(&folders).iter().map(line).collect()
    }

    #[test]
    fn folders_are_a_tree_from_what_they_share() {
        assert_eq!(outline(&[]), [] as [&str; 0]);
        assert_eq!(outline(&["/home/me/a"]), ["a"]);
        let folders = ["/p/2020/beach", "/p/2019", "/p/2020/zoo/apes", "/p/2019b"];
        let lines = [
            "p", "-2019", "-2019b", "-2020", "--beach", "--zoo", "---apes",
        ];
        assert_eq!(outline(&folders), lines);
        assert_eq!(outline(&["/a", "/b/c"]), ["/", "-a", "-b", "--c"]);
    }

    #[test]
    fn a_path_that_is_no_text_is_left_out() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        let odd = PathBuf::from(OsStr::from_bytes(b"/p/caf\xe9"));
        let names: Vec<_> = tree(&["/p/a".into(), odd])
            .into_iter()
            .map(|f| f.name)
            .collect();
        assert_eq!(names, ["p", "a"]);
    }
}
