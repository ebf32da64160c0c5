//! The commands; the only place that prints.
#![allow(clippy::print_stdout)]

pub mod dataset;
pub mod evaluate;
pub mod train;
