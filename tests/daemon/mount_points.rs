//! Mount points that are not empty while nothing is mounted at them.

use std::fs;

use crate::common::{fixture, skip};
use crate::harness::{Daemon, faces, files, portrait, wait_until};
use crate::offline::Mounted;
use crate::testenv::{Run, TestEnv};

const SAYS: &str = "nothing is mounted at";

/// Indexes a folder, in which no photo must count as gone, and returns the messages.
fn kept(env: &TestEnv, line: &str) -> String {
    let run: Run = env.run(&format!("{line} --json"));
    assert_eq!(run.json()["gone"], 0, "{run:?}");
    run.stderr
}

#[test]
fn a_file_in_an_empty_mount_point_deletes_no_photo_of_its_disk() {
    let env = TestEnv::new();
    let (disk, point) = (env.path("disk"), env.album("usb"));
    fs::create_dir_all(disk.join("trip")).unwrap();
    fs::write(disk.join("trip/1.jpg"), portrait()).unwrap();
    fs::write(disk.join("2.jpg"), fixture("chelsea.jpg")).unwrap();
    env.add("usb/NOT_MOUNTED", "");
    env.add("stays.jpg", fixture("hopper.jpg"));
    let Some(mounted) = Mounted::bind(&disk, &point) else {
        skip("this user may not mount");
        return;
    };
    env.index();
    let before = faces(&env);
    assert_eq!(files(&env), 3);
    drop(mounted);
    assert!(kept(&env, "index album").contains(SAYS));
    assert!(kept(&env, "index album/usb").contains(SAYS));
    assert!(env.query("").contains(&"usb/2.jpg".to_owned()));
    let copied = env.run("query --copy-into copies");
    assert!(
        copied.stderr.contains("its disk is not there"),
        "{copied:?}"
    );

    // Photos in the folder are indexed beside the note, and are no reason to take it for the disk.
    env.add("usb/local.jpg", fixture("coffee.jpg"));
    for _ in 0..2 {
        kept(&env, "index album");
        assert_eq!(files(&env), 5);
    }
    let daemon = Daemon::start(&env);
    assert!(daemon.log().contains(SAYS), "{}", daemon.log());
    env.add("usb/more.jpg", fixture("camera.jpg"));
    wait_until("another new photo", || files(&env) == 6);
    let mounted = Mounted::bind(&disk, &point).unwrap();
    wait_until("the disk", || daemon.log().contains("usb is back"));
    wait_until("only its photos", || files(&env) == 3);
    assert_eq!(faces(&env)[..before.len()], before);
    drop(mounted);
    wait_until("the folder", || files(&env) == 6);
    assert_eq!(daemon.log().matches(SAYS).count(), 2, "{}", daemon.log());
    daemon.stop();

    // Whoever copies the photos of the disk into the folder puts it in the place of the disk.
    for name in ["2.jpg", "trip/1.jpg"] {
        fs::create_dir_all(env.album("usb/trip")).unwrap();
        fs::copy(disk.join(name), env.album("usb").join(name)).unwrap();
    }
    assert!(!kept(&env, "index album").contains(SAYS));
    fs::remove_file(env.album("usb/2.jpg")).unwrap();
    assert_eq!(env.run("index album --json").json()["gone"], 1);
    assert_eq!(files(&env), 5);
}

#[test]
fn a_root_that_took_the_place_of_its_disk_loses_deleted_photos_as_any_other() {
    let env = TestEnv::new();
    let (disk, point) = (env.path("disk"), env.path("point"));
    let names = ["astronaut.jpg", "coffee.jpg", "camera.jpg"];
    fs::create_dir(&disk).unwrap();
    fs::create_dir(&point).unwrap();
    for name in names {
        fs::write(disk.join(name), fixture(name)).unwrap();
    }
    let Some(mounted) = Mounted::bind(&disk, &point) else {
        skip("this user may not mount");
        return;
    };
    env.run("index point").found();
    drop(mounted);
    for name in names {
        fs::copy(disk.join(name), point.join(name)).unwrap();
    }
    env.run("index point").found();
    for name in &names[..2] {
        fs::remove_file(point.join(name)).unwrap();
    }
    assert_eq!(env.run("index point --json").found().json()["gone"], 2);
}
