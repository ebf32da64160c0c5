//! Tests of the command line: the real binary, run on real files in a temporary folder.

#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod bad_files;
mod bad_requests;
mod changes;
mod conversation;
mod corrections;
mod dates;
mod detect;
mod exclusions;
mod interrupted;
mod json;
#[cfg(feature = "train")]
mod models;
#[cfg(unix)]
#[cfg(feature = "train")]
mod outputs;
mod pictures;
#[cfg(unix)]
mod previews;
mod queries;
mod results;
mod settings;
mod sidecars;
mod testenv;
#[cfg(unix)]
#[cfg(feature = "train")]
mod untouched;
mod updates;
mod words;
