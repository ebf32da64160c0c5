//! The `fer-index` command; see `fer-index --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    fer_index::cli::main()
}
