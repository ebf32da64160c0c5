//! Starting, querying and stopping the daemon.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::common::{fixture, skip};
use crate::harness::{
    Daemon, add_non_images, assert_intact, faces, files, index_times, numbered, portrait, report,
    status, wait_until,
};
use crate::testenv::{Run, TestEnv};

#[test]
fn status_shows_the_daemon_while_it_runs_and_the_database_always() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    env.add("broken.jpg", "Dear diary");
    let sentence = env.run("status").refused();
    assert!(sentence.contains("nothing is indexed yet"), "{sentence}");

    let daemon = Daemon::start(&env);
    wait_until("both files", || files(&env) == 2);
    wait_until("nothing is left to do", || {
        status(&env)["daemon"]["queue"] == 0
    });
    let shown = status(&env);
    assert_eq!(shown["running"], true);
    assert_eq!(shown["daemon"]["pid"], daemon.pid());
    assert_eq!(shown["daemon"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(shown["daemon"]["trouble"], json!(null));
    assert!(shown["daemon"]["photos_per_second"].as_f64().unwrap() > 0.0);
    assert_eq!(
        shown["roots"][0]["path"],
        env.path("album").to_str().unwrap()
    );
    assert_eq!(shown["roots"][0]["state"], "watching");
    assert!(shown["roots"][0]["reconciled_at"].is_string());
    assert_eq!(
        (&shown["photos"], &shown["faces"], &shown["files"]),
        (&json!(1), &json!(1), &json!(2))
    );
    assert_eq!(shown["skipped"], json!({"not an image": 1}));
    assert_eq!(shown["models"][0]["photos"], 1);
    let text = env.run("status").found();
    assert!(
        text.text().contains("running") && text.text().contains("watching"),
        "{text:?}"
    );

    let mode = |ending| {
        let file = format!("{}.{ending}", env.database().display());
        fs::metadata(file).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((mode("sock"), mode("lock")), (0o600, 0o600));

    let (ended, took) = daemon.stop();
    assert!(
        ended.success() && took < Duration::from_secs(5),
        "{ended} {took:?}"
    );
    let shown = status(&env);
    assert_eq!(
        (&shown["running"], &shown["daemon"]),
        (&json!(false), &json!(null))
    );
    assert_eq!(
        (&shown["photos"], &shown["roots"][0]["state"]),
        (&json!(1), &json!("idle"))
    );
}

#[test]
fn status_tells_of_a_daemon_that_does_not_answer_and_of_the_index() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    let daemon = Daemon::start(&env);
    wait_until("the photo", || files(&env) == 1);
    daemon.signal("STOP");
    let text = env.run("status");
    let pid = format!("(process {}, version", daemon.pid());
    assert!(text.code == 2 && text.text().contains(&pid), "{text:?}");
    assert!(text.text().contains("does not answer"), "{text:?}");
    assert!(text.text().contains("1 photo, "), "{text:?}");
    let json = env.run("status --json");
    assert_eq!(json.code, 2, "{json:?}");
    let told = json.json();
    assert_eq!(
        (&told["running"], &told["daemon"]),
        (&json!(true), &json!(null))
    );
    assert!(
        told["unanswered"].as_str().unwrap().contains(&pid),
        "{told}"
    );
    assert_eq!(told["photos"], 1);
    daemon.signal("CONT");
    assert_eq!(env.run("status").code, 0);
}

#[test]
fn a_root_that_was_never_there_is_no_root_of_the_index() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    fs::create_dir_all(env.config_file().parent().unwrap()).unwrap();
    let configure = |names: &[&str]| {
        let paths: Vec<_> = names.iter().map(|name| env.path(name)).collect();
        fs::write(env.config_file(), format!("album.roots = {paths:?}\n")).unwrap();
    };
    configure(&["album", "albun"]);
    let daemon = Daemon::follow(&env, "", &[]);
    wait_until("the photo", || files(&env) == 1);
    let mistyped = env.path("albun").display().to_string();
    let roots = || -> Vec<(String, String)> {
        let roots = status(&env)["roots"].clone();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let root = |root: &serde_json::Value| (text(&root["path"]), text(&root["state"]));
        roots.as_array().unwrap().iter().map(root).collect()
    };
    assert!(
        roots().contains(&(mistyped.clone(), "offline".into())),
        "{:?}",
        roots()
    );
    let log = daemon.log();
    assert!(
        log.contains("albun is not there; it is followed once it is"),
        "{log}"
    );
    // It may also be a folder that is made later.
    fs::create_dir(env.path("albun")).unwrap();
    fs::write(env.path("albun/1.jpg"), fixture("astronaut.jpg")).unwrap();
    wait_until("the photo in the new folder", || files(&env) == 2);
    configure(&["album", "abum"]);
    daemon.signal("HUP");
    wait_until("the settings are read", || {
        daemon.log().contains("abum is not there")
    });
    configure(&["album"]);
    daemon.signal("HUP");
    wait_until("one root is followed", || roots().len() == 2);
    daemon.stop();
    let left: Vec<_> = roots().into_iter().map(|(path, _)| path).collect();
    assert_eq!(left, [env.path("album").display().to_string(), mistyped]);
}

#[test]
fn status_folds_a_root_below_a_watched_one() {
    let env = TestEnv::new();
    env.add("trip/a.jpg", fixture("astronaut.jpg"));
    env.run("index album/trip").found();
    let roots = || -> Vec<String> {
        let roots = status(&env)["roots"].clone();
        let path = |root: &serde_json::Value| root["path"].as_str().unwrap().to_owned();
        roots.as_array().unwrap().iter().map(path).collect()
    };
    let [album, trip] = ["album", "album/trip"].map(|name| env.path(name).display().to_string());
    assert_eq!(roots(), [trip.as_str()]);
    let daemon = Daemon::start(&env);
    assert_eq!(roots(), [album.as_str()]);
    daemon.stop();
    assert_eq!(roots(), [album, trip]);
}

#[test]
fn one_daemon_per_database() {
    let env = TestEnv::new();
    let daemon = Daemon::start(&env);
    let sentence = env.run("watch album").refused();
    let pid = format!("process {}", daemon.pid());
    assert!(
        sentence.contains(&pid) && sentence.contains("version"),
        "{sentence}"
    );
    daemon.kill();
    // A killed daemon leaves its lock file and socket, which must not prevent a new start.
    assert_eq!(status(&env)["running"], false);
    Daemon::start(&env).stop();
    let sentence = env.run("watch nowhere").refused();
    assert!(sentence.contains("is not there"), "{sentence}");
}

#[test]
fn it_stops_within_5_s_while_it_works() {
    let env = TestEnv::new();
    let portrait = portrait();
    for n in 0..300 {
        env.add(format!("{n}.jpg"), numbered(&portrait, n));
    }
    let daemon = Daemon::spawn(&env, &[]);
    wait_until("it works", || files(&env) > 0);
    let (ended, took) = daemon.stop();
    assert!(
        ended.success() && took < Duration::from_secs(5),
        "{ended} {took:?}"
    );
    assert!(
        files(&env) < 300,
        "the daemon finished before it was stopped"
    );
}

/// A daemon that never finishes a photo, since its detector reads the request and does not answer.
fn busy_daemon(env: &TestEnv) -> Daemon {
    env.add("hopper.jpg", fixture("hopper.jpg"));
    let detector = env.path("detector");
    let script = "echo '{\"fer_index_detector\":1,\"model\":\"slow 1\"}'; read line\n\
                  touch \"$0.busy\"; exec cat >/dev/null";
    fs::write(&detector, script).unwrap();
    fs::create_dir_all(env.config_file().parent().unwrap()).unwrap();
    let settings = format!(
        "[detector]\nbackend = 'command'\ncommand = ['sh', '{}']\ncommand_seconds = 600\n",
        detector.display()
    );
    fs::write(env.config_file(), settings).unwrap();
    let daemon = Daemon::spawn(env, &[]);
    wait_until("it is busy", || env.path("detector.busy").exists());
    daemon
}

#[test]
fn a_photo_that_takes_too_long_is_left_for_the_next_start() {
    let env = TestEnv::new();
    let daemon = busy_daemon(&env);
    let (ended, took) = daemon.stop();
    assert!(
        ended.success() && took < Duration::from_secs(5),
        "{ended} {took:?}"
    );
    fs::remove_file(env.config_file()).unwrap();
    let _daemon = Daemon::start(&env);
    wait_until("the photo", || files(&env) == 1);
}

#[test]
fn a_second_signal_stops_it_without_waiting() {
    let env = TestEnv::new();
    let daemon = busy_daemon(&env);
    daemon.signal("TERM");
    wait_until("it is stopping", || daemon.log().contains("stopping"));
    let (ended, took) = daemon.stop();
    assert!(
        ended.success() && took < Duration::from_secs(2),
        "{ended} {took:?}"
    );
}

#[test]
fn settings_are_read_again_on_sighup() {
    let env = TestEnv::new();
    let other = env.path("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("1.jpg"), fixture("hopper.jpg")).unwrap();
    fs::create_dir_all(env.config_file().parent().unwrap()).unwrap();
    let configure = |roots: &str| {
        fs::write(env.config_file(), format!("album.roots = [{roots}]\n")).unwrap();
    };
    configure("'~/../album'");
    let log = fs::File::create(env.path("daemon.log")).unwrap();
    let mut child = env.command("watch").stderr(log).spawn().unwrap();
    wait_until("it is ready", || status(&env)["daemon"]["is_ready"] == true);
    let hang_up = || {
        let pid = child.id().to_string();
        Command::new("kill")
            .args(["-s", "HUP", &pid])
            .status()
            .unwrap();
    };
    configure("'~/../album', 'nonsense");
    hang_up();
    wait_until("the error is logged", || {
        let log = fs::read_to_string(env.path("daemon.log")).unwrap();
        log.contains("the settings stay as they were")
    });
    assert_eq!(files(&env), 0);
    configure("'~/../album', '~/../other'");
    hang_up();
    wait_until("the other folder's photo", || files(&env) == 1);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn sighup_also_applies_the_limit_of_watches_and_tells_of_another_database() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    for folder in ["a", "b"] {
        fs::create_dir(env.album(folder)).unwrap();
    }
    fs::create_dir_all(env.config_file().parent().unwrap()).unwrap();
    let configure = |first: &str| {
        let settings = format!("{first}\n[album]\nroots = ['~/../album']\n");
        fs::write(env.config_file(), settings).unwrap();
    };
    configure("");
    let daemon = Daemon::follow(&env, "", &[("FER_INDEX_WATCH_POLL_SECONDS", "1")]);
    let folders = || {
        let daemon = status(&env)["daemon"].clone();
        let count = |name: &str| daemon[name].as_i64().unwrap();
        (count("watched_folders"), count("polled_folders"))
    };
    let all = folders();
    assert_eq!(all.1, 0, "{all:?}");
    configure("watch.max_watches = 2");
    daemon.signal("HUP");
    wait_until("the limit is in force", || {
        let (watched, polled) = folders();
        watched < all.0 && watched + polled == all.0
    });
    // Changes are still found, and so are those after all folders are watched again.
    env.add("a/1.jpg", fixture("astronaut.jpg"));
    env.add("b/1.jpg", fixture("chelsea.jpg"));
    wait_until("the photos", || files(&env) == 3);
    configure("");
    daemon.signal("HUP");
    wait_until("all are watched", || folders() == all);
    env.add("b/2.jpg", numbered(&portrait(), 1));
    wait_until("the photo in a watched folder", || files(&env) == 4);
    env.run("query --fresh --format paths").found();

    configure("database = '~/other.sqlite3'");
    daemon.signal("HUP");
    wait_until("it is told", || {
        daemon
            .log()
            .contains("takes effect when it is started again")
    });
    let line = format!("status --json --database {}", env.database().display());
    assert_eq!(env.run(&line).found().json()["running"], true);
}

#[test]
fn reindex_and_corrections_beside_the_daemon() {
    let env = TestEnv::new();
    let portrait = portrait();
    for n in 0..4 {
        env.add(format!("{n}.jpg"), numbered(&portrait, n));
    }
    let daemon = Daemon::start(&env);
    wait_until("all photos", || files(&env) == 4);
    let face = env.show("3.jpg")["faces"][0]["id"].as_i64().unwrap();
    env.run(&format!("correct {face} -e sad")).found();
    let (before, faces_before) = (index_times(&env), faces(&env));

    // Both write at the same time: the daemon indexes new files, `reindex` processes the others again. On
    // a terminal, which `script` provides, it shows its progress.
    add_non_images(&env, "meanwhile", 0..500);
    let plain = env.command("reindex album");
    let words: Vec<_> = plain
        .get_args()
        .map(|word| word.to_string_lossy())
        .collect();
    let line = format!("{} {}", plain.get_program().display(), words.join(" "));
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &line, "/dev/null"]);
    env.place(&mut terminal);
    let shown = Run::of(&mut terminal);
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(shown.text().contains(" photos, "), "no progress: {shown:?}");
    assert!(shown.text().contains("photos processed"), "{shown:?}");
    wait_until("all files", || files(&env) == 504);
    assert_intact(&env.database());
    assert!(!daemon.log().contains("ERROR"), "{}", daemon.log());
    let again = index_times(&env);
    for (old, new) in before.iter().zip(&again) {
        assert!(
            old.0 == new.0 && old.1 < new.1,
            "each photo was processed again"
        );
    }
    assert_eq!(
        faces(&env),
        faces_before,
        "and the faces kept their numbers"
    );
    assert_eq!(env.show("3.jpg")["faces"][0]["correction"], "sad");
}

#[test]
fn promise_12_works_without_a_network() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    let plain = env.command("index album");
    let mut alone = Command::new("unshare");
    alone
        .arg("-n")
        .arg(plain.get_program())
        .args(plain.get_args());
    env.place(&mut alone);
    if !Command::new("unshare")
        .args(["-n", "true"])
        .status()
        .is_ok_and(|s| s.success())
    {
        skip("this user may not create a network namespace");
        return;
    }
    Run::of(&mut alone).found();
    assert_eq!(env.query("--emotion happy --all"), ["hopper.jpg"]);
}

/// The kinds of the open sockets of a process: the names of the tables in `/proc/net` that list them.
fn sockets(pid: u32) -> Vec<String> {
    let folder = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let inodes: Vec<String> = folder
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .filter_map(|target| {
            let inode = target.to_str()?.strip_prefix("socket:[")?;
            Some(inode.strip_suffix(']')?.to_owned())
        })
        .collect();
    let kind = |inode: &String| {
        let tables = [
            "unix", "tcp", "tcp6", "udp", "udp6", "raw", "raw6", "netlink",
        ];
        let holds = |table: &&&str| {
            let text = fs::read_to_string(format!("/proc/{pid}/net/{table}"));
            text.is_ok_and(|text| text.split_whitespace().any(|word| word == inode))
        };
        (*tables.iter().find(holds).unwrap_or(&"unknown")).to_owned()
    };
    inodes.iter().map(kind).collect()
}

#[test]
fn promise_12_the_daemon_has_only_unix_sockets() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    let daemon = Daemon::start(&env);
    wait_until("it works", || {
        let kinds = sockets(daemon.pid());
        assert!(kinds.iter().all(|kind| kind == "unix"), "{kinds:?}");
        files(&env) == 1
    });
    let kinds = sockets(daemon.pid());
    assert!(
        !kinds.is_empty(),
        "the daemon's own socket was not found, so the test shows nothing"
    );
    report("12", format!("sockets of a daemon at work: {kinds:?}"));
}

#[test]
fn the_service_is_installed_and_uninstalled() {
    let env = TestEnv::new();
    let run = |words: &str| {
        let mut command = env.command(words);
        // An empty PATH, so that no supervisor is found.
        Run::of(command.env("PATH", "/nowhere"))
    };
    assert_eq!(run("service status").code, 1);
    let shown = run("service install --threads 2").found();
    let file = env.path("home/.config/systemd/user/fer-index.service");
    assert!(
        shown
            .text()
            .contains("systemctl --user enable --now fer-index"),
        "{shown:?}"
    );
    assert!(
        shown
            .text()
            .contains("no user manager of systemd answers (systemctl cannot be run:"),
        "{shown:?}"
    );
    let unit = fs::read_to_string(&file).unwrap();
    let line = format!(
        "ExecStart={} watch --threads 2",
        env!("CARGO_BIN_EXE_fer-index")
    );
    assert!(unit.contains(&line), "{unit}");
    for word in [
        "Type=notify",
        "WatchdogSec=",
        "Nice=19",
        "IOSchedulingClass=idle",
        "MemoryMax=",
    ] {
        assert!(unit.contains(word), "{word}");
    }
    let verified = Command::new("systemd-analyze")
        .args(["--user", "verify"])
        .arg(&file)
        .env("XDG_RUNTIME_DIR", env.path("."))
        .output();
    match verified {
        Ok(verdict) => assert!(
            verdict.status.success() && verdict.stderr.is_empty(),
            "{verdict:?}"
        ),
        Err(error) => eprintln!("SKIPPED: systemd-analyze cannot be run: {error}"),
    }
    assert!(run("service status").found().text().contains("installed"));
    run("service uninstall").found();
    assert!(!file.exists());
    assert_eq!(run("service uninstall").code, 1);
}

#[test]
fn a_daemon_whose_database_is_deleted_stops_and_leaves_the_new_one_alone() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    let mut daemon = Daemon::start(&env);
    wait_until("the photo", || files(&env) == 1);
    let folder = env.database().parent().unwrap().to_owned();
    fs::rename(&folder, env.path("deleted")).unwrap();
    env.index();
    wait_until("the end of the daemon", || !daemon.is_running());
    let log = daemon.log();
    assert!(log.contains("was deleted or replaced"), "{log}");
    env.add("new.jpg", fixture("hopper.jpg"));
    let next = Daemon::start(&env);
    wait_until("the new photo", || files(&env) == 2);
    drop(daemon);
    assert_eq!(status(&env)["daemon"]["is_ready"], true);
    next.stop();
}

#[test]
fn a_database_in_the_album_is_never_opened_as_a_photo() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    let database = env.album("index");
    let settings = [("FER_INDEX_DATABASE", database.to_str().unwrap())];
    let daemon = Daemon::spawn(&env, &settings);
    // Each run is another process that writes to the files beside the database.
    let run = |line: &str| env.run(&format!("{line} --database album/index"));
    let count = |what: &str| {
        let run = run("status --json");
        // It fails until the daemon has made the database.
        (run.code == 0).then(|| run.json()[what].clone())
    };
    wait_until("the photo", || count("photos") == Some(1.into()));
    run("correct 1 --emotion sad").found();
    let summary = run("index album --json").found().json();
    assert_eq!(
        (&summary["unchanged"], &summary["skipped"]),
        (&1.into(), &json!({}))
    );
    env.add("new.jpg", fixture("hopper.jpg"));
    wait_until("the new photo", || count("photos") == Some(2.into()));
    assert_eq!(count("files"), Some(2.into()));
    assert_eq!(count("skipped"), Some(json!({})));
    let refused = run("index album/index-wal").refused();
    assert!(refused.contains("belongs to the index"), "{refused}");
    daemon.stop();
}
