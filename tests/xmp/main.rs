//! Writes emotions into the sidecars of other programs, and reads these before and after with exiftool and exiv2:
//! nothing is lost, nothing is doubled, and both accept what is written.

#![cfg(unix)]
#![allow(missing_docs, clippy::print_stderr)]

#[path = "../common/mod.rs"]
mod common;

mod files;
mod forms;
mod generated;
mod others;
mod readers;
