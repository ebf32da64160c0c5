//! A living album: photos are renamed, tagged by exiftool and exiv2, rotated, linked, copied and remounted, and after
//! each change the whole database equals that of a fresh index, with the corrections that people made.

#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::print_stderr)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../daemon/harness.rs"]
#[allow(dead_code, reason = "the tests of the daemon use the rest")]
mod harness;
#[path = "../cli/testenv.rs"]
#[allow(dead_code, reason = "the tests of the commands use the rest")]
mod testenv;

mod album;
mod bursts;
mod matrix;
mod shots;
mod table;
mod tools;
