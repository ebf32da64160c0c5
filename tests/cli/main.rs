//! The program as a user meets it: the real binary, run on real files in a folder of its own.

#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod bad_files;
mod bad_requests;
mod corrections;
mod detect;
mod interrupted;
mod json;
mod models;
mod pictures;
#[cfg(unix)]
mod previews;
mod queries;
mod results;
mod settings;
mod testenv;
mod updates;
mod words;
