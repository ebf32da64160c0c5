//! Tests of the command line: the real binary, run on real files in a temporary folder.

#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;

#[cfg(unix)]
mod absent_disks;
mod backups;
mod bad_files;
mod bad_requests;
mod bench;
mod changes;
mod closer_search;
mod conversation;
mod corrections;
mod dates;
mod detect;
mod doctor;
mod everything;
mod exclusions;
mod facts;
mod forgotten;
mod forgotten_lost;
mod forgotten_versions;
mod imported;
mod interrupted;
mod json;
mod kin;
mod kin_order;
mod learning;
#[cfg(unix)]
mod meanwhile;
#[cfg(feature = "train")]
mod models;
#[cfg(unix)]
mod odd_paths;
#[cfg(unix)]
#[cfg(feature = "train")]
mod outputs;
mod people;
mod picasa;
mod pictures;
#[cfg(unix)]
mod previews;
#[cfg(unix)]
mod privacy;
mod queries;
mod raw_pairs;
mod replaced;
mod results;
mod scripts;
mod settings;
mod sidecars;
mod tagged;
mod takeout;
mod testenv;
#[cfg(feature = "train")]
mod training;
#[cfg(unix)]
mod typed_paths;
#[cfg(unix)]
#[cfg(feature = "train")]
mod untouched;
mod updates;
mod words;
