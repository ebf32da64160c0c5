#!/usr/bin/env bash
# A program that follows a folder with notify on Linux is not told when the file system on which the folder is, such as
# an external disk, is unmounted. inotify itself reports it (IN_UNMOUNT, then IN_IGNORED, after which it watches the folder
# no more), but notify passes neither on. So the program goes on as if it followed the folder, and when the disk is mounted
# at the same place again, nothing that happens on it is reported, until the program calls `watch` anew. Linux marks an
# open /proc/self/mountinfo for poll(2) whenever something is mounted or unmounted.
#
# Seen with notify 8.2.2 on Linux 6.18:
#   a file made before:              reported
#   unmounted:                       nothing reported
#   mounted again, and a file made:  nothing reported
#   watched anew, and a file made:   reported
#
# Needs root (it mounts a tmpfs in a temporary folder) and cargo; changes nothing outside of that folder but cargo's cache of
# packages.
set -euo pipefail

folder=$(mktemp -d)
trap 'umount -l "$folder/disk" 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
export CARGO_TARGET_DIR="$folder/target"

mkdir src disk
cat > Cargo.toml <<'TOML'
[package]
name = "follow"
version = "0.0.0"
edition = "2021"

[dependencies]
notify = "=8.2.2"
TOML
cat > src/main.rs <<'RUST'
use notify::{RecursiveMode::NonRecursive, Watcher};
use std::{fs, path::Path, process::Command, sync::mpsc, thread::sleep, time::Duration};

fn run(words: &[&str]) {
    assert!(Command::new(words[0]).args(&words[1..]).status().unwrap().success(), "{words:?}");
}

fn main() {
    let disk = Path::new("disk").canonicalize().unwrap();
    let (sender, events) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(sender).unwrap();
    let reported = |what: &str| {
        sleep(Duration::from_secs(1));
        let count = events.try_iter().count();
        println!("{what:<33}{}", if count > 0 { "reported" } else { "nothing reported" });
    };
    run(&["mount", "-t", "tmpfs", "none", "disk"]);
    watcher.watch(&disk, NonRecursive).unwrap();
    fs::write(disk.join("1"), "").unwrap();
    reported("a file made before:");
    run(&["umount", "disk"]);
    reported("unmounted:");
    run(&["mount", "-t", "tmpfs", "none", "disk"]);
    fs::write(disk.join("2"), "").unwrap();
    reported("mounted again, and a file made:");
    watcher.watch(&disk, NonRecursive).unwrap();
    fs::write(disk.join("3"), "").unwrap();
    reported("watched anew, and a file made:");
}
RUST

cargo run --quiet | tee seen
cat > expected <<'TEXT'
a file made before:              reported
unmounted:                       nothing reported
mounted again, and a file made:  nothing reported
watched anew, and a file made:   reported
TEXT
diff expected seen
