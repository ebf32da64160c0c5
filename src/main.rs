//! The `fer-index` program; [`fer_index::cli`] is its command line.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    fer_index::cli::main()
}
