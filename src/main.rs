//! The `fer-index` command; see `fer-index --help`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    fer_index::cli::main()
}
