//! Every command accepts a path as it was printed, through any symbolic link, with composed or decomposed accents, and in
//! any case where the disk does not distinguish capitals.

use std::fs;
use std::os::unix::fs::symlink;

use crate::common::fixture;
use crate::testenv::TestEnv;

/// "Österreich" as a Mac writes it: the accent is a character of its own.
const DECOMPOSED: &str = "O\u{308}sterreich";
const COMPOSED: &str = "\u{d6}sterreich";

/// An album with a link to a folder on another disk, and a folder with the decomposed name of a Mac.
fn album() -> TestEnv {
    let env = TestEnv::new();
    for (folder, name, photo) in [
        ("disk/trip", "1.jpg", "astronaut.jpg"),
        (&format!("album/{DECOMPOSED}"), "2.jpg", "hopper.jpg"),
    ] {
        fs::create_dir_all(env.path(folder)).unwrap();
        fs::write(env.path(folder).join(name), fixture(photo)).unwrap();
    }
    symlink(env.path("disk/trip"), env.album("link")).unwrap();
    symlink(env.path("album"), env.path("short")).unwrap();
    env.run("index album --json").found();
    env
}

/// Runs a command line and returns the printed paths, which contain no spaces.
fn printed(env: &TestEnv, line: &str) -> Vec<String> {
    let run = env.run(line);
    assert!(run.code <= 1 && run.stderr.is_empty(), "{run:?}");
    run.text().lines().map(str::to_owned).collect()
}

#[test]
fn a_photo_behind_a_link_is_found_by_each_of_its_paths() {
    let env = album();
    let stored = env.album("link/1.jpg").display().to_string();
    let only = std::slice::from_ref(&stored);
    let all = printed(&env, "query --format paths --under album");
    assert!(all.contains(&stored), "{all:?}");
    for path in [
        stored.as_str(),
        "album/link/1.jpg",
        "short/link/1.jpg",
        "disk/trip/1.jpg",
        "album/../short/link/1.jpg",
    ] {
        let shown = env.run(&format!("show --json {path}")).found().json();
        assert_eq!(shown["paths"][0]["path"], *stored, "{path}: {shown}");
    }
    for folder in ["album/link", "short/link", "disk/trip", "disk/trip/"] {
        let under = format!("query --format paths --under {folder}");
        assert_eq!(printed(&env, &under), only, "{folder}");
    }
    assert_eq!(printed(&env, "query --format paths --album link"), only);
}

#[test]
fn indexing_a_folder_by_another_path_updates_its_rows_in_place() {
    let env = album();
    let before = printed(&env, "query --format paths --limit 100");
    assert_eq!(before.len(), 2);
    for command in ["index", "reindex"] {
        for path in ["album/link", "disk/trip", "short/link/1.jpg", "short"] {
            env.run(&format!("{command} {path} --json")).found();
            let after = printed(&env, "query --format paths --limit 100");
            assert_eq!(after, before, "{command} {path}");
        }
        let path = format!("album/{COMPOSED}");
        let summary = env.run(&format!("{command} {path} --json")).found().json();
        assert_eq!(summary["gone"], 0, "{summary}");
        assert_eq!(printed(&env, "query --format paths --limit 100"), before);
    }
    let run = env.run("index album/nowhere");
    assert!(run.refused().contains("is not there"));
}

#[test]
fn names_are_found_however_their_accents_are_written() {
    let env = album();
    let stored = env
        .album(format!("{DECOMPOSED}/2.jpg"))
        .display()
        .to_string();
    let only = std::slice::from_ref(&stored);
    for name in [COMPOSED, DECOMPOSED] {
        let shown = env.run(&format!("show --json album/{name}/2.jpg"));
        assert_eq!(shown.found().json()["paths"][0]["path"], *stored, "{name}");
        let lower = name.to_lowercase();
        for filter in [
            format!("--under album/{name}"),
            format!("--album {name}"),
            format!("--album {lower}"),
            format!("--text {name}"),
        ] {
            let found = printed(&env, &format!("query --format paths {filter}"));
            assert_eq!(found, only, "{filter}");
        }
    }
    let export = format!("export --xmp --all --under album/{COMPOSED}");
    assert_eq!(env.run(&export).code, 0);
    assert!(env.album(format!("{DECOMPOSED}/2.jpg.xmp")).exists());
}

/// Mounts a card with exFAT and runs commands on it, all in a mount namespace of their own, which ends with the script.
/// Each command's output goes to a file with its number, and its exit code to another.
#[cfg(target_os = "linux")]
const ON_A_CARD: &str = r#"
    truncate -s 16M card.img && mkfs.exfat card.img >&2 && device=$(losetup -f --show card.img) || exit 77
    mkdir card && mount.exfat-fuse "$device" card >&2
    is_mounted=$?
    losetup -d "$device"
    [ $is_mounted = 0 ] || exit 77
    trap 'umount card' EXIT
    mkdir -p card/DCIM/Private card/DCIM/Über
    mv album/private.jpg card/DCIM/Private/IMG_1.JPG
    mv album/other.jpg card/DCIM/Über/IMG_2.JPG
    number=0
    while read -r line; do
        number=$((number + 1))
        case "$line" in
        mv*) $line > "$number.out" 2>&1 ;;
        *) "$PROGRAM" $line > "$number.out" 2>&1 ;;
        esac
        echo $? > "$number.code"
    done
"#;

/// Runs command lines of the program, or of `mv`, on the card, which has `DCIM/Private/IMG_1.JPG` and `DCIM/Über/IMG_2.JPG`, and returns the exit code
/// and the output of each; `None`, with a message, if no card can be mounted.
#[cfg(target_os = "linux")]
#[allow(clippy::print_stderr)]
fn on_a_card(env: &TestEnv, lines: &[&str]) -> Option<Vec<(String, String)>> {
    env.add("private.jpg", fixture("astronaut.jpg"));
    env.add("other.jpg", fixture("hopper.jpg"));
    fs::write(env.path("lines"), lines.join("\n") + "\n").unwrap();
    let mut script = std::process::Command::new("unshare");
    script.args(["-m", "--propagation", "private", "sh", "-c", ON_A_CARD]);
    env.place(&mut script);
    script.env("PROGRAM", env.command("").get_program());
    script.stdin(fs::File::open(env.path("lines")).unwrap());
    let ran = script.output();
    if !ran.as_ref().is_ok_and(|ran| ran.status.success()) {
        eprintln!("SKIPPED: no exFAT card can be mounted here: {ran:?}");
        return None;
    }
    let read = |name: String| fs::read_to_string(env.path(name)).unwrap();
    let outcome = |number| {
        let code = read(format!("{number}.code"));
        (code.trim().to_owned(), read(format!("{number}.out")))
    };
    Some((1..=lines.len()).map(outcome).collect())
}

#[cfg(target_os = "linux")]
#[test]
fn a_path_in_another_case_is_the_one_that_the_disk_lists() {
    let env = TestEnv::new();
    let lines = [
        "index card --json",
        "index card/dcim --json",
        "query --format paths",
        "show --json card/dcim/private/img_1.jpg",
        "query --format paths --under card/DCIM/über",
        "forget card/dcim/PRIVATE --json",
        "index card --json",
        "index card/dcim/private",
        "query --format paths",
        "forget --undo card/dcim/private",
        "index card --json",
        "query --format paths",
        "forget card/dcim/private/img_1.jpg --json",
        "query --format paths",
    ];
    let Some(ran) = on_a_card(&env, &lines) else {
        return;
    };
    let [private, other] = ["DCIM/Private/IMG_1.JPG", "DCIM/Über/IMG_2.JPG"]
        .map(|name| env.path("card").join(name).display().to_string());
    let sorted = |number: usize| {
        let mut lines: Vec<_> = ran[number].1.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let number = |run: usize, name: &str| {
        let value: serde_json::Value = serde_json::from_str(&ran[run].1).unwrap();
        value[name].as_i64().unwrap()
    };
    assert_eq!(number(0, "photos"), 2, "{ran:?}");
    assert_eq!((number(1, "photos"), number(1, "unchanged")), (0, 2));
    assert_eq!(sorted(2), [private.clone(), other.clone()]);
    assert!(ran[3].1.contains(&private), "{ran:?}");
    assert_eq!(sorted(4), std::slice::from_ref(&other));
    assert_eq!((number(5, "photos"), number(5, "files")), (1, 1));
    assert_eq!(number(6, "photos"), 0, "{ran:?}");
    assert!(
        ran[7].0 == "2" && ran[7].1.contains("was forgotten"),
        "{ran:?}"
    );
    assert_eq!(sorted(8), std::slice::from_ref(&other));
    assert_eq!(ran[9].0, "0", "{ran:?}");
    assert_eq!(sorted(11), [private, other.clone()]);
    assert_eq!(number(12, "files"), 1);
    assert_eq!(sorted(13), [other]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_root_whose_name_is_written_in_another_case_remains_one_root() {
    let env = TestEnv::new();
    let lines = [
        "index card/DCIM --json",
        "mv card/DCIM card/other",
        "mv card/other card/dcim",
        "index card/dcim --json",
        "query --format paths",
        "status --json",
        "index card/DCIM --json",
        "query --format paths",
    ];
    let Some(ran) = on_a_card(&env, &lines) else {
        return;
    };
    let json = |number: usize| serde_json::from_str::<serde_json::Value>(&ran[number].1).unwrap();
    assert_eq!(
        (&json(3)["photos"], &json(3)["known"]),
        (&0.into(), &2.into())
    );
    let root = env.path("card/dcim").display().to_string();
    for number in [4, 7] {
        let paths: Vec<_> = ran[number].1.lines().collect();
        let are_there = paths.iter().all(|path| path.starts_with(&root));
        assert!(paths.len() == 2 && are_there, "{number}: {ran:?}");
    }
    assert_eq!(json(5)["roots"].as_array().unwrap().len(), 1, "{ran:?}");
    assert_eq!(json(6)["unchanged"], 2, "{ran:?}");
}
