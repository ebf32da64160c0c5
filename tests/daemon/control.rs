//! Starting, asking, stopping.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::common::fixture;
use crate::harness::{
    Daemon, add_cheap, assert_whole, faces, files, looks, numbered, portrait, status, tell, until,
};
use crate::testenv::{Run, TestEnv};

#[test]
fn status_tells_what_the_daemon_does_and_the_database_what_it_did() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    env.add("broken.jpg", "Dear diary");
    let sentence = env.run("status").refused();
    assert!(sentence.contains("nothing is indexed yet"), "{sentence}");

    let daemon = Daemon::start(&env);
    until("both files", || files(&env) == 2);
    until("nothing is left to do", || {
        status(&env)["daemon"]["queue"] == 0
    });
    let told = status(&env);
    assert_eq!(told["running"], true);
    assert_eq!(told["daemon"]["pid"], daemon.pid());
    assert_eq!(told["daemon"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(told["daemon"]["trouble"], json!(null));
    assert!(told["daemon"]["photos_per_second"].as_f64().unwrap() > 0.0);
    assert_eq!(
        told["roots"][0]["path"],
        env.path("album").to_str().unwrap()
    );
    assert_eq!(told["roots"][0]["state"], "watching");
    assert!(told["roots"][0]["reconciled_at"].is_string());
    assert_eq!(
        (&told["photos"], &told["faces"], &told["files"]),
        (&json!(1), &json!(1), &json!(2))
    );
    assert_eq!(told["skipped"], json!({"not an image": 1}));
    assert_eq!(told["models"][0]["photos"], 1);
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
    let told = status(&env);
    assert_eq!(
        (&told["running"], &told["daemon"]),
        (&json!(false), &json!(null))
    );
    assert_eq!(
        (&told["photos"], &told["roots"][0]["state"]),
        (&json!(1), &json!("idle"))
    );
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
    // A killed daemon leaves its lock file and socket, and nobody minds.
    assert_eq!(status(&env)["running"], false);
    Daemon::start(&env).stop();
    let sentence = env.run("watch nowhere").refused();
    assert!(sentence.contains("is not there"), "{sentence}");
}

#[test]
fn it_stops_within_5_s_in_the_middle_of_work() {
    let env = TestEnv::new();
    let portrait = portrait();
    for n in 0..300 {
        env.add(format!("{n}.jpg"), numbered(&portrait, n));
    }
    let daemon = Daemon::spawn(&env, &[]);
    until("it works", || files(&env) > 0);
    let (ended, took) = daemon.stop();
    assert!(
        ended.success() && took < Duration::from_secs(5),
        "{ended} {took:?}"
    );
    assert!(files(&env) < 300, "it was done before it was stopped");
}

/// A daemon in the middle of a photo that never ends: its detector hears it and says nothing.
fn busy_for_ever(env: &TestEnv) -> Daemon {
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
    until("it is busy", || env.path("detector.busy").exists());
    daemon
}

#[test]
fn a_photo_that_takes_too_long_is_left_for_the_next_start() {
    let env = TestEnv::new();
    let daemon = busy_for_ever(&env);
    let (ended, took) = daemon.stop();
    assert!(
        ended.success() && took < Duration::from_secs(5),
        "{ended} {took:?}"
    );
    fs::remove_file(env.config_file()).unwrap();
    let _daemon = Daemon::start(&env);
    until("the photo", || files(&env) == 1);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let env = TestEnv::new();
    let daemon = busy_for_ever(&env);
    daemon.signal("TERM");
    until("it is stopping", || daemon.log().contains("stopping"));
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
    until("it is ready", || status(&env)["daemon"]["is_ready"] == true);
    let hang_up = || {
        let pid = child.id().to_string();
        Command::new("kill")
            .args(["-s", "HUP", &pid])
            .status()
            .unwrap();
    };
    configure("'~/../album', 'nonsense");
    hang_up();
    until("the mistake is told", || {
        let log = fs::read_to_string(env.path("daemon.log")).unwrap();
        log.contains("the settings stay as they were")
    });
    assert_eq!(files(&env), 0);
    configure("'~/../album', '~/../other'");
    hang_up();
    until("the other folder's photo", || files(&env) == 1);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn reindex_and_corrections_beside_the_daemon() {
    let env = TestEnv::new();
    let portrait = portrait();
    for n in 0..4 {
        env.add(format!("{n}.jpg"), numbered(&portrait, n));
    }
    let daemon = Daemon::start(&env);
    until("all photos", || files(&env) == 4);
    let face = env.show("3.jpg")["faces"][0]["id"].as_i64().unwrap();
    env.run(&format!("correct {face} -e sad")).found();
    let (before, faces_before) = (looks(&env), faces(&env));

    // Both write at once: the daemon what is new, the other what is known. On a terminal, which
    // `script` is, it shows how far it is.
    add_cheap(&env, "meanwhile", 0..500);
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
    assert!(shown.text().contains("looked at"), "{shown:?}");
    until("all files", || files(&env) == 504);
    assert_whole(&env.database());
    assert!(!daemon.log().contains("ERROR"), "{}", daemon.log());
    let again = looks(&env);
    for (old, new) in before.iter().zip(&again) {
        assert!(old.0 == new.0 && old.1 < new.1, "each was looked at again");
    }
    assert_eq!(faces(&env), faces_before, "and its face is the same");
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
        eprintln!("SKIPPED: this user may not leave the network");
        return;
    }
    Run::of(&mut alone).found();
    assert_eq!(env.query("--emotion happy --all"), ["hopper.jpg"]);
}

/// The kinds of sockets that a process has: a table of `/proc/net` for each.
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
fn promise_12_the_daemon_has_no_socket_but_its_own() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    let daemon = Daemon::start(&env);
    until("it works", || {
        let kinds = sockets(daemon.pid());
        assert!(kinds.iter().all(|kind| kind == "unix"), "{kinds:?}");
        files(&env) == 1
    });
    let kinds = sockets(daemon.pid());
    assert!(!kinds.is_empty(), "its own is not seen: the test is blind");
    tell(
        "12",
        format!("a daemon at work has no socket but {kinds:?}"),
    );
}

#[test]
fn the_service_is_installed_and_taken_back() {
    let env = TestEnv::new();
    let run = |words: &str| {
        let mut command = env.command(words);
        // No supervisor is to be met.
        Run::of(command.env("PATH", "/nowhere"))
    };
    assert_eq!(run("service status").code, 1);
    let told = run("service install --threads 2").found();
    let file = env.path("home/.config/systemd/user/fer-index.service");
    assert!(
        told.text()
            .contains("systemctl --user enable --now fer-index"),
        "{told:?}"
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
        Err(error) => eprintln!("SKIPPED: systemd-analyze cannot be asked: {error}"),
    }
    assert!(run("service status").found().text().contains("installed"));
    run("service uninstall").found();
    assert!(!file.exists());
    assert_eq!(run("service uninstall").code, 1);
}
