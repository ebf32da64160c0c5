//! The gallery as a browser meets it: the real binary, over real HTTP.

#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../cli/testenv.rs"]
#[allow(dead_code)]
mod testenv;

mod answers;
mod browser;
mod command;
mod http;
mod pictures;
mod security;
mod seed;
mod server;
mod webdriver;
