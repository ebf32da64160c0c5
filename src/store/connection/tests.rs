use std::fs;

use super::super::Store;
use super::super::testing::{self, temp_store};
use super::*;

fn sentence<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::Store { problem, .. }) => problem,
        other => panic!("expected Error::Store, not {other:?}"),
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/index.sqlite3");
    let mut store = Store::open(&path).unwrap();
    testing::fill(&mut store, 3);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for name in ["index.sqlite3", "index.sqlite3-wal", "index.sqlite3-shm"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&folder.path().join("a")), 0o700);
}

#[test]
fn a_query_before_any_index_says_what_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.sqlite3");
    let sentence = sentence(Store::open_existing(&path));
    assert!(sentence.contains("fer-index index DIR"), "{sentence}");
    assert!(!path.exists());
}

#[test]
fn a_file_that_is_no_database_is_left_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "dear diary, ".repeat(100);
    fs::write(&path, &text).unwrap();
    for result in [Store::open(&path), Store::open_existing(&path)] {
        let sentence = sentence(result);
        assert!(sentence.contains("is not a database"), "{sentence}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn files_with_the_names_of_sqlites_companions_are_left_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    for ending in ["-wal", "-shm", "-journal"] {
        let path = folder.path().join(format!("index{ending}.sqlite3"));
        let notes = folder.path().join(format!("index{ending}.sqlite3{ending}"));
        fs::write(&notes, "dear diary").unwrap();
        let refusal = sentence(Store::open(&path));
        assert!(refusal.contains("in the way"), "{refusal}");
        assert_eq!(fs::read(&notes).unwrap(), b"dear diary");
        assert!(!path.exists());
        fs::remove_file(&notes).unwrap();
        drop(Store::open(&path).unwrap());
        fs::write(&notes, "dear diary").unwrap();
        for result in [Store::open(&path), Store::open_existing(&path)] {
            sentence(result);
        }
        assert_eq!(fs::read(&notes).unwrap(), b"dear diary");
    }
}

#[cfg(unix)]
#[test]
fn an_empty_file_of_another_program_does_not_become_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty");
    fs::write(&path, "").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&path, mode).unwrap();
    let refusal = sentence(Store::open(&path));
    assert!(refusal.contains("empty file"), "{refusal}");
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
}

#[test]
fn another_programs_database_is_left_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("places.sqlite");
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE bookmarks (url TEXT)")
        .unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();
    let sentence = sentence(Store::open(&path));
    assert!(sentence.contains("another program"), "{sentence}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_folder_that_cannot_be_created_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let sentence = sentence(Store::open(&file.join("index.sqlite3")));
    assert!(sentence.contains("cannot be created"), "{sentence}");
}

#[test]
fn a_folder_in_place_of_the_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let sentence = sentence(Store::open(folder.path()));
    assert!(sentence.contains("cannot be created"), "{sentence}");
}

#[cfg(unix)]
#[test]
#[allow(clippy::print_stderr)]
fn a_read_only_database_can_be_queried_but_not_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, mut store) = temp_store();
    testing::fill(&mut store, 3);
    let path = store.path().to_owned();
    drop(store);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    if fs::OpenOptions::new().write(true).open(&path).is_ok() {
        eprintln!("skipped: this user may write read-only files");
        return;
    }
    let sentence = sentence(Store::open(&path));
    assert!(sentence.contains("read-only"), "{sentence}");
    let store = Store::open_existing(&path).unwrap();
    assert_eq!(store.totals().unwrap().photos, 3);
    drop(folder);
}

#[cfg(unix)]
#[test]
fn a_path_of_any_bytes_is_a_uri() {
    use std::os::unix::ffi::OsStrExt as _;
    let path = Path::new(std::ffi::OsStr::from_bytes(b"/a b/%3f?#\xff.sqlite3"));
    assert_eq!(
        immutable(path),
        "file:/a%20b/%253f%3F%23%FF.sqlite3?immutable=1"
    );
}

#[test]
fn several_connections_may_open_a_new_database_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.sqlite3");
    thread::scope(|scope| {
        let opened: Vec<_> = (0..8).map(|_| scope.spawn(|| Store::open(&path))).collect();
        for store in opened {
            store.join().unwrap().unwrap();
        }
    });
}

#[test]
fn readers_never_wait_for_the_writer() {
    let (_folder, mut store) = temp_store();
    testing::fill(&mut store, 50);
    let path = store.path().to_owned();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let store = Store::open_existing(&path).unwrap();
                    let query = super::super::Query::for_emotion(crate::emotion::Emotion::Happy);
                    for _ in 0..100 {
                        let hits = store.query(&query).unwrap();
                        assert_eq!(Some(hits.len()), query.limit);
                    }
                })
            })
            .collect();
        while !readers.iter().all(thread::ScopedJoinHandle::is_finished) {
            testing::fill(&mut store, 50);
        }
        for reader in readers {
            reader.join().unwrap();
        }
    });
}
