use super::*;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != NAME)
        .collect();
    names.sort();
    names
}

/// An index without photos.
fn index(folder: &Path) -> Store {
    Store::open(&folder.join("data/index.sqlite3")).unwrap()
}

#[test]
fn links_are_relative_and_survive_a_move_with_their_photos() {
    let root = tempfile::tempdir().unwrap();
    let (pictures, best) = (
        root.path().join("all/pictures"),
        root.path().join("all/best/of"),
    );
    fs::create_dir_all(&pictures).unwrap();
    for name in ["a.jpg", "b.jpg"] {
        fs::write(pictures.join(name), name).unwrap();
    }
    let photos = ["b.jpg", "a.jpg"].map(|name| pictures.canonicalize().unwrap().join(name));
    let photos: Vec<_> = photos.iter().map(PathBuf::as_path).collect();
    fill_folder(
        &best,
        &photos,
        Placement::Linked,
        false,
        &index(root.path()),
    )
    .unwrap();
    assert_eq!(names(&best), ["001 b.jpg", "002 a.jpg"]);
    let target = fs::read_link(best.join("001 b.jpg")).unwrap();
    assert_eq!(target, Path::new("../../pictures/b.jpg"));
    fs::rename(root.path().join("all"), root.path().join("moved")).unwrap();
    let moved = root.path().join("moved/best/of");
    assert_eq!(
        fs::read_to_string(moved.join("002 a.jpg")).unwrap(),
        "a.jpg"
    );
    // The moved folder is still recognised.
    let photo = root.path().join("moved/pictures/a.jpg");
    let index = index(root.path());
    fill_folder(&moved, &[&photo], Placement::Linked, false, &index).unwrap();
    assert_eq!(names(&moved), ["001 a.jpg"]);
}

#[test]
fn a_second_run_replaces_only_entries_of_the_first() {
    let root = tempfile::tempdir().unwrap();
    let index = index(root.path());
    let photo = root.path().join("a.jpg");
    fs::write(&photo, "a").unwrap();
    let album = root.path().join("album");
    let fill = |folder: &Path, photos: &[&Path], placement, force| {
        fill_folder(folder, photos, placement, force, &index)
    };
    fill(&album, &[&photo, &photo], Placement::Linked, false).unwrap();
    assert_eq!(names(&album), ["001 a.jpg", "002 a.jpg"]);
    fill(&album, &[&photo], Placement::Copied, false).unwrap();
    assert_eq!(names(&album), ["001 a.jpg"]);
    assert!(!album.join("001 a.jpg").is_symlink());

    // The index has no other file with the copy's content, so it is kept.
    let refusal = fill(&album, &[&photo], Placement::Linked, false).unwrap_err();
    assert!(
        refusal.to_string().contains("original is gone"),
        "{refusal}"
    );
    fill(&album, &[&photo], Placement::Linked, true).unwrap();
    assert_eq!(names(&album), ["001 a (2).jpg", "001 a.jpg"]);
    assert_eq!(fs::read_to_string(album.join("001 a.jpg")).unwrap(), "a");

    let foreign = root.path().join("mine");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("diary.txt"), "dear").unwrap();
    let error = fill(&foreign, &[&photo], Placement::Linked, false).unwrap_err();
    assert!(error.to_string().contains("diary.txt"), "{error}");
    assert_eq!(names(&foreign), ["diary.txt"]);

    // If a photo is missing, the folder stays unchanged or is not created.
    let (gone, new) = (root.path().join("gone.jpg"), root.path().join("new"));
    fill(&album, &[&gone], Placement::Copied, true).unwrap_err();
    assert_eq!(names(&album), ["001 a (2).jpg", "001 a.jpg"]);
    fill(&new, &[&gone], Placement::Copied, false).unwrap_err();
    assert_eq!(names(root.path()), ["a.jpg", "album", "data", "mine"]);
}

#[test]
fn drafts_of_killed_runs_are_removed_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let index = index(root.path());
    let photo = root.path().join("a.jpg");
    fs::write(&photo, "a").unwrap();
    let album = root.path().join("album");
    fs::create_dir(&album).unwrap();
    let photos = [photo];
    let filling = || Fill {
        folder: &album,
        draft: atomic::unused_name(&album).unwrap(),
        survey: Survey::of(&album, &index, 1).unwrap(),
    };
    // The first run is killed after making the entries, and so is the next one.
    for _ in 0..2 {
        let filling = filling();
        assert!(filling.survey.in_the_way.is_empty(), "{:?}", filling.survey);
        let names = filling.names(&photos, 0);
        filling.prepare(&photos, &names, Placement::Linked).unwrap();
    }
    assert_eq!(names(&album).len(), 2);
    fs::create_dir(album.join(".fer-index-0123456789abcdef.partial")).unwrap();
    let photos = [photos[0].as_path()];
    fill_folder(&album, &photos, Placement::Linked, false, &index).unwrap_err();
    fs::remove_dir(album.join(".fer-index-0123456789abcdef.partial")).unwrap();
    fill_folder(&album, &photos, Placement::Linked, false, &index).unwrap();
    assert_eq!(names(&album), ["001 a.jpg"]);
}

#[test]
fn adding_photos_keeps_all_existing_entries() {
    let root = tempfile::tempdir().unwrap();
    let index = index(root.path());
    let photos = ["a.jpg", "b.jpg", "c.jpg"].map(|name| {
        let path = root.path().canonicalize().unwrap().join(name);
        fs::write(&path, name).unwrap();
        path
    });
    let [a, b, c] = [0, 1, 2].map(|at: usize| photos[at].as_path());
    let album = root.path().join("album");
    assert!(!is_filled(&album));
    add_to_folder(&album, &[a], &index).unwrap_err();
    assert!(!album.exists());
    fill_folder(&album, &[b, a], Placement::Linked, false, &index).unwrap();
    assert!(is_filled(&album));
    fs::write(album.join("007 note.txt"), "mine").unwrap();
    // A photo whose file is gone keeps its link.
    fs::remove_file(b).unwrap();
    add_to_folder(&album, &[a, c], &index).unwrap();
    let all = ["001 b.jpg", "002 a.jpg", "007 note.txt", "008 c.jpg"];
    assert_eq!(names(&album), all);
    add_to_folder(&album, &[c], &index).unwrap();
    assert_eq!(names(&album), all);
    // All links are still known as those of fer-index.
    let refusal = fill_folder(&album, &[c], Placement::Linked, false, &index).unwrap_err();
    assert!(
        refusal.to_string().contains("since: 007 note.txt;"),
        "{refusal}"
    );
    fs::remove_file(album.join("007 note.txt")).unwrap();
    fill_folder(&album, &[c], Placement::Linked, false, &index).unwrap();
    assert_eq!(names(&album), ["001 c.jpg"]);

    // Nothing is added to a folder that fer-index did not fill.
    let foreign = root.path().join("mine");
    fs::create_dir(&foreign).unwrap();
    add_to_folder(&foreign, &[c], &index).unwrap_err();
    assert_eq!(names(&foreign), [] as [&str; 0]);
}

#[test]
fn an_error_names_the_photo_or_the_folder_whichever_is_at_fault() {
    let temporary = tempfile::tempdir().unwrap();
    let (album, folder) = (temporary.path().join("album"), temporary.path().join("to"));
    fs::create_dir_all(&album).unwrap();
    fs::create_dir_all(&folder).unwrap();
    let photo = album.join("a.jpg");
    fs::write(&photo, "a").unwrap();
    let missing = album.join("b.jpg");
    let error = |photo: &Path, draft: &str, placement| {
        let filling = Fill {
            folder: &folder,
            draft: folder.join(draft),
            survey: Survey::default(),
        };
        let mut new = Manifest::default();
        let made = filling.make_entry(photo, OsStr::new("1"), placement, &mut new);
        match made.unwrap_err() {
            Error::Io { path, .. } => path,
            other => panic!("{other}"),
        }
    };
    // Nothing can be written into a folder that is not there.
    for placement in [Placement::Copied, Placement::Linked] {
        assert_eq!(error(&photo, "not there", placement), folder);
    }
    assert_eq!(error(&missing, "", Placement::Copied), missing);
}
