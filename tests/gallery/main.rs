//! Tests the gallery as a browser sees it: the real binary, over real HTTP.

#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../cli/testenv.rs"]
#[allow(dead_code)]
mod testenv;

mod abuse;
mod access;
mod albums;
mod answers;
mod browser;
mod command;
mod controls;
mod facts;
mod history;
mod http;
mod open_photo;
mod page;
mod pictures;
mod places;
mod proxy;
mod security;
mod seed;
mod selection;
mod server;
mod speed;
mod webdriver;
