//! No command overwrites a file that fer-index did not write.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::json;

use crate::common::fixture;
use crate::testenv::{Run, TestEnv};

/// An indexed album with photos of two people.
fn album() -> TestEnv {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    env.index();
    env
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".fer-index-manifest")
        .collect();
    names.sort();
    names
}

/// Checks that a run succeeded and printed which files it renamed.
#[track_caller]
fn forced(run: Run) -> String {
    assert!(
        run.code == 0 && run.stderr.contains("is kept as"),
        "{run:?}"
    );
    run.stderr
}

#[test]
fn entries_that_the_user_added_to_a_folder_of_links_are_kept() {
    let env = album();
    for (option, folder) in [("--copy-into", "copies"), ("--link-into", "links")] {
        let line = format!("query --emotion happy --all {option} {folder}");
        let at = |name: &str| env.path(folder).join(name);
        env.run(&line).found();
        env.run(&line).found();
        let ours = ["001 astronaut.jpg", "002 hopper.jpg"];
        assert_eq!(names(&env.path(folder)), ours);

        // An edited copy, a link with another target, a file, a folder.
        fs::remove_file(at("001 astronaut.jpg")).unwrap();
        if option == "--copy-into" {
            fs::write(at("001 astronaut.jpg"), "brightened").unwrap();
        } else {
            symlink("elsewhere", at("001 astronaut.jpg")).unwrap();
        }
        fs::write(at("notes.txt"), "mine").unwrap();
        fs::create_dir(at("raw")).unwrap();
        fs::write(at("raw/a.dng"), "raw").unwrap();
        for line in [line.clone(), format!("query --limit 1 {option} {folder}")] {
            let sentence = env.run(&line).refused();
            for name in ["001 astronaut.jpg", "notes.txt", "raw", "--force"] {
                assert!(sentence.contains(name), "{sentence}");
            }
        }
        assert_eq!(
            names(&env.path(folder)),
            [&ours[..], &["notes.txt", "raw"]].concat()
        );

        for _ in 0..2 {
            env.run(&format!("{line} --force")).found();
            let expected = [
                "001 astronaut (2).jpg",
                "001 astronaut.jpg",
                "002 hopper.jpg",
            ];
            assert_eq!(
                names(&env.path(folder)),
                [&expected[..], &["notes.txt", "raw"]].concat()
            );
            let photo = fixture("astronaut.jpg");
            assert_eq!(fs::read(at("001 astronaut (2).jpg")).unwrap(), photo);
        }
        assert_eq!(fs::read(at("raw/a.dng")).unwrap(), b"raw");
        match fs::read_link(at("001 astronaut.jpg")) {
            Ok(target) => assert_eq!(target, Path::new("elsewhere")),
            Err(_) => assert_eq!(fs::read(at("001 astronaut.jpg")).unwrap(), b"brightened"),
        }
    }
}

#[test]
fn in_a_folder_of_version_0_1_only_entries_of_fer_index_are_replaced() {
    let env = album();
    let folder = env.path("best");
    fs::create_dir(&folder).unwrap();
    let mark = "fer-index replaces what is in this folder.\n";
    fs::write(folder.join(".fer-index-album"), mark).unwrap();
    symlink("../album/hopper.jpg", folder.join("001 hopper.jpg")).unwrap();
    fs::write(folder.join("002 astronaut.jpg"), fixture("astronaut.jpg")).unwrap();
    let theirs = ["003 mine.jpg", "notes.txt"];
    for name in theirs {
        fs::write(folder.join(name), "mine").unwrap();
    }
    symlink("../album/hopper.jpg", folder.join("004 other name.jpg")).unwrap();
    let line = "query --emotion happy --limit 1 --link-into best";
    let sentence = env.run(line).refused();
    for name in theirs {
        assert!(sentence.contains(name), "{sentence}");
    }
    assert!(!sentence.contains("hopper") && !sentence.contains("astronaut"));
    env.run(&format!("{line} --force")).found();
    let left = [
        "001 astronaut.jpg",
        "003 mine.jpg",
        "004 other name.jpg",
        "notes.txt",
    ];
    assert_eq!(names(&folder), left);
}

#[test]
fn copies_may_be_indexed_and_the_only_copy_is_kept() {
    let env = album();
    let line = "query --emotion happy --limit 1 --copy-into album/best";
    env.run(line).found();
    env.index();
    // The copy is the photo's first file in the index, and must not be its own source.
    env.run(line).found();
    assert_eq!(names(&env.album("best")), ["001 astronaut.jpg"]);
    env.run("query --limit 1 --link-into album/best --camera none");
    assert_eq!(names(&env.album("best")), [""; 0]);
    env.run(line).found();
    env.index();
    fs::remove_file(env.album("astronaut.jpg")).unwrap();
    env.index();
    let sentence = env
        .run("query --text hopper --copy-into album/best")
        .refused();
    assert!(sentence.contains("its original is gone"), "{sentence}");
    let sentence = env.run(line).refused();
    assert!(sentence.contains("its original is gone"), "{sentence}");
    let copy = fs::read(env.album("best/001 astronaut.jpg")).unwrap();
    assert_eq!(copy, fixture("astronaut.jpg"));
}

#[test]
fn no_photo_is_overwritten_under_any_name_even_with_force() {
    let env = album();
    let photo = env.album("astronaut.jpg");
    fs::hard_link(&photo, env.path("hard.jpg")).unwrap();
    fs::hard_link(&photo, env.path("hard.png")).unwrap();
    symlink(&photo, env.path("link.jpg")).unwrap();
    symlink(&photo, env.path("link.png")).unwrap();
    let picture = image::RgbImage::new(3, 3);
    picture.save(env.path("new.png")).unwrap();
    // A damaged photo is no longer an image, but it is in the index.
    env.add("damaged.png", "not a picture");
    env.run("index album");
    let new = fs::read(env.path("new.png")).unwrap();
    for line in [
        "detect --draw album/astronaut.jpg album/astronaut.jpg",
        "detect --draw album/hopper.jpg album/astronaut.jpg",
        "detect --draw hard.jpg album/astronaut.jpg",
        "detect --draw link.jpg album/astronaut.jpg",
        "detect --draw link.jpg album/hopper.jpg",
        "detect --draw new.png album/hopper.jpg",
        "query --emotion happy --contact-sheet new.png",
        "query --emotion happy --contact-sheet hard.png",
        "query --emotion happy --contact-sheet link.png",
        "query --emotion happy --contact-sheet album/damaged.png",
        "stats --plot new.png",
    ] {
        for force in ["", " --force"] {
            env.run(&format!("{line}{force}")).refused();
            for name in ["astronaut.jpg", "hopper.jpg"] {
                assert_eq!(fs::read(env.album(name)).unwrap(), fixture(name), "{line}");
            }
            assert_eq!(fs::read(env.path("new.png")).unwrap(), new, "{line}");
            let damaged = fs::read(env.album("damaged.png")).unwrap();
            assert_eq!(damaged, b"not a picture", "{line}");
            assert!(env.path("link.jpg").is_symlink(), "{line}");
        }
    }
    let sentence = env.run("detect --draw album/hopper.jpg album/astronaut.jpg");
    assert!(sentence.refused().contains("is not replaced"));
    let all = [
        "album", "hard.jpg", "hard.png", "home", "link.jpg", "link.png", "new.png",
    ];
    assert_eq!(names(&env.path("")), all);
}

#[test]
fn what_fer_index_wrote_into_the_album_is_no_photo_of_it() {
    let env = album();
    for line in [
        "query --contact-sheet album/sheet.png",
        "detect album/hopper.jpg --draw album/faces.png",
        "detect album/hopper.jpg --draw album/faces.jpg",
        "stats --plot album/shares",
    ] {
        env.run(line).found();
    }
    assert_eq!(env.index()["skipped"], json!({"made by fer-index": 4}));
    assert_eq!(env.query("--order date").len(), 2);
    // A drawing that somebody has changed is indexed like any picture.
    let mut changed = fs::read(env.album("faces.jpg")).unwrap();
    changed.extend_from_slice(b"changed");
    fs::write(env.album("faces.jpg"), changed).unwrap();
    env.index();
    assert_eq!(env.query("--order date").len(), 3);
}

#[test]
fn pictures_with_the_same_name_get_separate_drawings() {
    let env = TestEnv::new();
    env.add("a/x.jpg", fixture("astronaut.jpg"));
    env.add("b/x.jpg", fixture("hopper.jpg"));
    fs::create_dir(env.path("out")).unwrap();
    let line = "detect --draw out album/a/x.jpg album/b/x.jpg";
    env.run(line).found();
    let [first, second] = ["x.jpg.png", "x.jpg (2).png"].map(|name| {
        let drawing = image::open(env.path("out").join(name)).unwrap();
        (drawing.width(), drawing.height())
    });
    assert_eq!((first, second), ((512, 512), (512, 600)));
    env.run(line).found();
    assert_eq!(names(&env.path("out")), ["x.jpg (2).png", "x.jpg.png"]);
    // A drawing that is an input is not replaced.
    fs::copy(env.path("out/x.jpg.png"), env.album("x.jpg.png")).unwrap();
    env.add("x.jpg", fixture("hopper.jpg"));
    let sentence = env
        .run("detect --draw album album/x.jpg album/x.jpg.png")
        .refused();
    assert!(sentence.contains("is an input"), "{sentence}");
}

#[test]
fn an_output_is_replaced_unless_somebody_changed_it() {
    let env = album();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/emotion.safetensors");
    fs::copy(model, env.path("model.safetensors")).unwrap();
    let average = "model average model.safetensors model.safetensors --out";
    for (line, file, kept) in [
        (
            "query --contact-sheet sheet.html",
            "sheet.html",
            Some("sheet (1).html"),
        ),
        ("query --contact-sheet sheet.png", "sheet.png", None),
        ("detect album/hopper.jpg --draw d.png", "d.png", None),
        ("detect album/hopper.jpg --draw d.jpg", "d.jpg", None),
        ("stats --plot shares", "shares.png", None),
        (
            &format!("{average} mean.safetensors"),
            "mean.safetensors",
            Some("mean (1).safetensors"),
        ),
        (
            "model pack model.safetensors --out packed.safetensors",
            "packed.safetensors",
            Some("packed (1).safetensors"),
        ),
    ] {
        let path = env.path(file);
        // A file with the name of an old temporary file is treated like any other.
        let stale = env.path(format!("{file}.partial"));
        fs::write(&stale, "mine").unwrap();
        env.run(line).found();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let first = fs::read(&path).unwrap();
        env.run(line).found();
        let second = fs::read(&path).unwrap();
        assert_eq!(second.len(), first.len(), "{line}");
        let mut changed = second;
        changed.push(b'\n');
        fs::write(&path, &changed).unwrap();
        let sentence = env.run(line).refused();
        assert!(sentence.contains(file), "{sentence}");
        assert_eq!(fs::read(&path).unwrap(), changed);
        let insisted = env.run(&format!("{line} --force"));
        match kept {
            Some(kept) => {
                forced(insisted);
                assert_eq!(fs::read(env.path(kept)).unwrap(), changed);
                env.run(line).found();
            }
            // A drawing that somebody changed counts as a photo, which is never renamed.
            None => assert!(insisted.refused().contains("photo or picture")),
        }
        let mode = fs::metadata(env.path(kept.unwrap_or(file)))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{line}");
        assert_eq!(fs::read(&stale).unwrap(), b"mine");
    }
    let sentence = env
        .run(&format!("{average} model.safetensors --force"))
        .refused();
    assert!(sentence.contains("is an input"), "{sentence}");
    let database = env.database();
    let sentence = env
        .run(&format!("{average} {} --force", database.display()))
        .refused();
    assert!(sentence.contains("is an input"), "{sentence}");
}

#[test]
fn a_renamed_file_gets_its_name_back_if_the_work_fails() {
    let env = album();
    fs::write(env.path("sheet.gif"), "mine").unwrap();
    // Not an image, although its name says so.
    let run = env.run("query --contact-sheet sheet.gif --force");
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(fs::read(env.path("sheet.gif")).unwrap(), b"mine");
    assert_eq!(names(&env.path("")), ["album", "home", "sheet.gif"]);
}

#[test]
fn outputs_do_not_follow_links() {
    let env = album();
    fs::create_dir(env.path("mine")).unwrap();
    fs::write(env.path("notes.html"), "mine").unwrap();
    symlink("notes.html", env.path("sheet.html")).unwrap();
    symlink("nowhere.html", env.path("dangling.html")).unwrap();
    symlink("mine", env.path("folder")).unwrap();
    for line in [
        "query --contact-sheet sheet.html",
        "query --contact-sheet dangling.html",
        "query --link-into folder",
        "query --copy-into folder",
        "query --copy-into notes.html",
    ] {
        for force in ["", " --force"] {
            let sentence = env.run(&format!("{line}{force}")).refused();
            assert!(sentence.contains("is not replaced"), "{sentence}");
        }
    }
    assert_eq!(fs::read(env.path("notes.html")).unwrap(), b"mine");
    assert_eq!(names(&env.path("mine")), [""; 0]);
    let all = [
        "album",
        "dangling.html",
        "folder",
        "home",
        "mine",
        "notes.html",
        "sheet.html",
    ];
    assert_eq!(names(&env.path("")), all);

    // The target of a link is unchanged if it is not a sidecar.
    fs::write(env.path("a.xmp"), "mine").unwrap();
    symlink("../a.xmp", env.album("astronaut.jpg.xmp")).unwrap();
    let run = env.run("export --xmp --min-score 0.1");
    assert!(
        run.code == 2 && run.stderr.contains("astronaut.jpg.xmp"),
        "{run:?}"
    );
    assert_eq!(fs::read(env.path("a.xmp")).unwrap(), b"mine");
    fs::create_dir_all(env.config_file().parent().unwrap()).unwrap();
    fs::write(env.path("dotfile"), "threads = 1\n").unwrap();
    symlink(env.path("dotfile"), env.config_file()).unwrap();
    // Settings are written through a link, as programs for dotfiles make them, and it stays.
    env.run("model use --built-in").found();
    assert!(env.config_file().is_symlink());
    let settings = fs::read_to_string(env.path("dotfile")).unwrap();
    assert!(
        settings.starts_with("threads = 1\n") && settings.contains("model ="),
        "{settings}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn an_edited_service_file_is_kept() {
    let env = TestEnv::new();
    let run = |words: &str| {
        let mut command = env.command(words);
        // An empty PATH, so that no supervisor is found.
        Run::of(command.env("PATH", "/nowhere"))
    };
    let file = env.path("home/.config/systemd/user/fer-index.service");
    run("service install").found();
    let mut command = env.command("service install --threads 2");
    command.env("PATH", "/nowhere");
    command.env("FER_INDEX_ALBUM_ROOTS", "~/a:album");
    Run::of(command.env("FER_INDEX_THUMBNAILS", "small")).found();
    let installed = fs::read_to_string(&file).unwrap();
    // The service starts in another folder.
    for path in ["~/a:{}/album", "{}/small"] {
        let path = path.replace("{}", env.path("").to_str().unwrap().trim_end_matches('/'));
        assert!(installed.contains(&path), "{path}: {installed}");
    }
    let edited = installed + "# mine\n";
    fs::write(&file, &edited).unwrap();
    for line in ["service install", "service uninstall"] {
        let sentence = run(line).refused();
        assert!(sentence.contains("--force"), "{sentence}");
        assert_eq!(fs::read_to_string(&file).unwrap(), edited);
    }
    forced(run("service install --force"));
    let kept = file.with_file_name("fer-index (1).service");
    assert_eq!(fs::read_to_string(kept).unwrap(), edited);
    run("service uninstall").found();
    assert!(!file.exists());
}

#[test]
fn train_refuses_a_folder_with_a_file_in_the_way() {
    let env = TestEnv::new();
    // A data set small enough for a test, written directly, since `dataset import` requires complete rows.
    let row = |emotion: usize, usage: &str| {
        let pixels: Vec<_> = (0..48 * 48)
            .map(|i| ((i * (emotion + 1)) % 256).to_string())
            .collect();
        format!("{emotion},{},{usage}\n", pixels.join(" "))
    };
    let mut csv = "emotion,pixels,Usage\n".to_owned();
    for n in 0..21 {
        let usage = ["Training", "PublicTest", "PrivateTest"][n / 7];
        csv += &row(n % 7, usage);
    }
    fs::write(env.path("fer2013.csv"), csv).unwrap();
    fs::write(env.path("fer2013.safetensors"), "mine").unwrap();
    let import = "dataset import fer2013.csv";
    assert!(env.run(import).refused().contains("in the way"));
    let run = env.run(&format!("{import} --out fer2013.csv --force"));
    assert!(run.refused().contains("is an input"));
    forced(env.run(&format!("{import} --force")));
    env.run(import).found();
    assert_eq!(
        fs::read(env.path("fer2013 (1).safetensors")).unwrap(),
        b"mine"
    );

    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/recipes/teacher-narrow.toml");
    let train = format!(
        "train --recipe {} --set targets.min_votes=0 --set network.heads=[{{name=\"fer2013\",emotions=[{}]}}] \
         --out run",
        recipe.display(),
        r#""angry","disgust","fear","happy","sad","surprise","neutral""#,
    );
    fs::create_dir(env.path("run")).unwrap();
    fs::write(env.path("run/loss.png"), "mine").unwrap();
    let sentence = env.run(&train).refused();
    assert!(sentence.contains("loss.png"), "{sentence}");
    // Nothing but the lock of the folder.
    assert_eq!(names(&env.path("run")), [".lock", "loss.png"]);
    fs::remove_file(env.path("run/loss.png")).unwrap();
    let evaluate = "evaluate --plots run";
    env.run(evaluate).found();
    env.run(evaluate).found();
    fs::write(env.path("run/confusion-labels.svg"), "mine").unwrap();
    let sentence = env.run(evaluate).refused();
    assert!(sentence.contains("confusion-labels.svg"), "{sentence}");
}
