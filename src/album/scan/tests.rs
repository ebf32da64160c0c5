use super::*;
use crate::album::AlbumFilterSettings;
use std::fs;

fn filter() -> AlbumFilter {
    let settings = AlbumFilterSettings {
        exclude: vec!["@eaDir".into()],
        follow_symlinks: true,
        ..AlbumFilterSettings::default()
    };
    AlbumFilter::new(&settings).unwrap()
}

/// Collects what a scan finds.
#[derive(Default)]
struct Found {
    root: PathBuf,
    folders: usize,
    files: Vec<FoundFile>,
    sidecars: Vec<OsString>,
    problems: Vec<ScanProblem>,
    is_empty: bool,
    on_folder: Option<fn(&Path)>,
}

impl Visitor for Found {
    fn folder(&mut self, folder: &Path) {
        self.folders += 1;
        if let Some(act) = self.on_folder {
            act(folder);
        }
    }

    fn file(&mut self, file: FoundFile, sidecars: Vec<SidecarFile>) {
        self.files.push(file);
        self.sidecars
            .extend(sidecars.into_iter().map(|sidecar| sidecar.name));
    }

    fn problem(&mut self, problem: ScanProblem) {
        self.problems.push(problem);
    }
}

impl Found {
    fn of(root: &Path, on_folder: Option<fn(&Path)>) -> Self {
        let mut found = Self {
            root: root.to_path_buf(),
            on_folder,
            ..Self::default()
        };
        found.is_empty = scan(root, &filter(), &mut found);
        found
    }

    fn names(&self) -> Vec<&str> {
        let files = self.files.iter();
        files
            .map(|file| {
                file.path
                    .strip_prefix(&self.root)
                    .unwrap()
                    .to_str()
                    .unwrap()
            })
            .collect()
    }
}

#[test]
fn pictures_are_found_in_order_and_other_files_are_ignored() {
    let dir = tempfile::tempdir().unwrap();
    for path in [
        "b/2.JPG",
        "b.png",
        "b0.png",
        "a.png",
        "b/1.heic",
        "b/notes.txt",
        "@eaDir/a.jpg",
        ".x/a.jpg",
    ] {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    let found = Found::of(dir.path(), None);
    assert_eq!(
        found.names(),
        ["a.png", "b.png", "b/1.heic", "b/2.JPG", "b0.png"]
    );
    assert_eq!(found.problems, []);
    assert_eq!(found.files[0].meta.size, 1);
}

#[test]
fn photos_come_with_their_sidecars() {
    let dir = tempfile::tempdir().unwrap();
    for path in [
        "1.jpg",
        "1.jpg.xmp",
        "1.nef",
        "1.xmp",
        "2.jpg",
        "3.xmp",
        "a/2.xmp",
    ] {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    let found = Found::of(dir.path(), None);
    assert_eq!(found.names(), ["1.jpg", "1.nef", "2.jpg"]);
    assert_eq!(found.sidecars, ["1.jpg.xmp", "1.xmp"]);
    let one = Found::of(&dir.path().join("1.jpg"), None);
    assert_eq!(one.sidecars, ["1.jpg.xmp"]);
    let raw = Found::of(&dir.path().join("1.nef"), None);
    assert_eq!(raw.sidecars, ["1.xmp"]);
}

#[cfg(unix)]
#[test]
fn link_loops_end_and_dangling_links_are_ignored() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("a")).unwrap();
    fs::write(dir.path().join("a/1.jpg"), "x").unwrap();
    std::os::unix::fs::symlink("..", dir.path().join("a/up")).unwrap();
    std::os::unix::fs::symlink("nowhere", dir.path().join("a/2.jpg")).unwrap();
    std::os::unix::fs::symlink("1.jpg", dir.path().join("a/3.jpg")).unwrap();
    let found = Found::of(dir.path(), None);
    assert_eq!(found.names(), ["a/1.jpg", "a/3.jpg"]);
    assert_eq!(found.problems, []);
}

#[cfg(unix)]
#[test]
fn links_that_fer_index_made_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("1.jpg"), "x").unwrap();
    let best = dir.path().join("best");
    fs::create_dir(&best).unwrap();
    std::os::unix::fs::symlink("../1.jpg", best.join("001 1.jpg")).unwrap();
    fs::write(best.join("copy.jpg"), "x").unwrap();
    assert_eq!(
        Found::of(dir.path(), None).names(),
        ["1.jpg", "best/001 1.jpg", "best/copy.jpg"]
    );
    fs::write(best.join(crate::names::MANIFEST), "").unwrap();
    assert_eq!(
        Found::of(dir.path(), None).names(),
        ["1.jpg", "best/copy.jpg"]
    );
    // Somebody who names the folder itself wants what it links to.
    assert_eq!(Found::of(&best, None).names(), ["001 1.jpg", "copy.jpg"]);
}

#[cfg(unix)]
#[test]
fn folders_that_link_to_each_other_are_scanned_once() {
    let dir = tempfile::tempdir().unwrap();
    for (name, other) in [("a", "b"), ("b", "a")] {
        fs::create_dir(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(name).join("1.jpg"), "x").unwrap();
        let target = dir.path().join(other);
        std::os::unix::fs::symlink(target, dir.path().join(name).join("other")).unwrap();
    }
    let found = Found::of(&dir.path().join("a"), None);
    assert_eq!(found.names(), ["1.jpg", "other/1.jpg"]);
}

#[test]
fn every_folder_is_visited_before_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("a/b")).unwrap();
    fs::create_dir(dir.path().join("@eaDir")).unwrap();
    let found = Found::of(
        dir.path(),
        Some(|folder| fs::write(folder.join("late.jpg"), "x").unwrap()),
    );
    assert_eq!(found.folders, 3);
    let late = ["a/b/late.jpg", "a/late.jpg", "late.jpg"];
    assert_eq!(found.names(), late);
    assert!(!found.is_empty);
}

#[test]
fn only_a_root_without_any_entry_is_empty() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Found::of(dir.path(), None).is_empty);
    fs::create_dir(dir.path().join("empty")).unwrap();
    assert!(!Found::of(dir.path(), None).is_empty);
}

#[test]
fn outermost_drops_folders_within_folders() {
    let folders = ["/b/c", "/a", "/b", "/b", "/bc"].map(PathBuf::from);
    assert_eq!(
        outermost(folders.into()),
        ["/a", "/b", "/bc"].map(PathBuf::from)
    );
}

#[test]
fn a_missing_root_is_a_usage_error() {
    let path = Path::new("/nowhere/at/all");
    let error = resolve_root(path).unwrap_err();
    assert!(matches!(error, Error::Usage(_)), "{error}");
    assert_eq!(Found::of(path, None).problems[0].path, path);
}

#[test]
fn a_root_that_is_a_file_is_found_whatever_its_name() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(Found::of(file.path(), None).files.len(), 1);
}
