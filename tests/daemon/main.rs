//! The daemon as its users meet it: the real binary, real files, real inotify. Each promise of
//! `docs/reliability.md` has its test, small by default and in full size with `RELIABILITY=full`.

#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::print_stderr)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../cli/testenv.rs"]
#[allow(dead_code, reason = "what the tests of the commands need")]
mod testenv;

mod control;
mod crashes;
mod following;
mod freshness;
mod harness;
mod load;
mod lost_events;
mod offline;
mod soak;
