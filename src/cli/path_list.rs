//! Paths as arguments, or as a list on standard input.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::{Error, Result};

/// The flag `--null` of commands that read a list of paths.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct ListArgs {
    /// With - in place of a path: the paths on standard input are separated by zero bytes, as `find
    /// -print0` writes them, instead of line breaks
    #[arg(long = "null", short = '0')]
    null: bool,
}

impl ListArgs {
    /// The paths, with those of the list on standard input in place of `-`.
    pub fn expand(self, given: &[PathBuf]) -> Result<Vec<PathBuf>> {
        let lists = given.iter().filter(|path| is_list(path)).count();
        match lists {
            0 if self.null => Err(Error::Usage(
                "--null applies to a list of paths on standard input; write - in place of the paths"
                    .to_owned(),
            )),
            0 => Ok(given.to_vec()),
            1 => {
                let separator = if self.null { b'\0' } else { b'\n' };
                let list = read(separator)?;
                let mut paths = Vec::new();
                for path in given {
                    if is_list(path) {
                        paths.extend_from_slice(&list);
                    } else {
                        paths.push(path.clone());
                    }
                }
                Ok(paths)
            }
            _ => Err(Error::Usage(
                "standard input can be read only once; write - only once".to_owned(),
            )),
        }
    }
}

/// Whether a path is `-`, which means the list on standard input.
pub(super) fn is_list(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn read(separator: u8) -> Result<Vec<PathBuf>> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|source| Error::Io {
        path: "standard input".into(),
        source,
    })?;
    let names = bytes.split(|byte| *byte == separator);
    let names = names.filter(|name| !name.is_empty());
    names.map(|name| Ok(path(name)?.into())).collect()
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "on other systems it can fail")]
fn path(name: &[u8]) -> Result<OsString> {
    use std::os::unix::ffi::OsStringExt as _;
    Ok(OsString::from_vec(name.to_vec()))
}

#[cfg(not(unix))]
fn path(name: &[u8]) -> Result<OsString> {
    let name = name.strip_suffix(b"\r").unwrap_or(name);
    match std::str::from_utf8(name) {
        Ok(name) => Ok(name.into()),
        Err(_) => Err(Error::Usage(
            "the list on standard input is not UTF-8; write the paths as arguments".to_owned(),
        )),
    }
}
