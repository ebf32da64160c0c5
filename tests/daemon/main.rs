//! Tests of the daemon with the real binary, real files and real inotify. Each promise of
//! `docs/reliability.md` has a test, small by default and in full size with `RELIABILITY=full`.

#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::print_stderr)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../cli/testenv.rs"]
#[allow(dead_code, reason = "the tests of the commands use the rest")]
mod testenv;

#[path = "../gallery/server.rs"]
#[allow(dead_code, reason = "the tests of the gallery use the rest")]
mod gallery_server;
#[path = "../gallery/http.rs"]
#[allow(dead_code, reason = "the tests of the gallery use the rest")]
mod http;

mod changes;
mod control;
mod crashes;
mod following;
mod freshness;
mod harness;
mod linked_roots;
mod load;
mod lost_events;
mod mount_points;
mod nested_roots;
mod offline;
mod renamed;
mod replaced;
mod soak;
