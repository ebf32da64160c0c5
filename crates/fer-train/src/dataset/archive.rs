//! Finds a CSV file in an archive, as Kaggle distributes its data sets.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{Read, Seek};

/// Most bytes of a CSV file in an archive: FER2013 has 300 million.
const LIMIT: u64 = 1 << 30;

/// Most names in an error.
const NAMED: usize = 5;

/// The reasons why an archive has nothing to import.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveError {
    #[error(
        "the archive has no file {wanted}, but {}; if these are pictures by emotion, unpack it and give the folder",
        found.join(", ")
    )]
    Missing { wanted: String, found: Vec<String> },
    #[error(
        "the archive cannot be read: {0}; download it again, or unpack it and give the CSV file"
    )]
    Damaged(String),
}

/// The content of a file in a zip archive, in any of its folders: the one whose name comes first in `wanted`.
pub(super) fn from_zip(file: impl Read + Seek, wanted: &[&str]) -> Result<Vec<u8>, ArchiveError> {
    let mut archive = zip::ZipArchive::new(file).map_err(|e| damaged(&e))?;
    let names = archive.file_names().filter_map(Result::ok);
    let names: Vec<String> = names.map(Cow::into_owned).collect();
    let ranked = names
        .iter()
        .filter_map(|name| Some((rank(name, wanted)?, name)));
    let Some((_, name)) = ranked.min() else {
        return Err(missing(wanted, names));
    };
    read(archive.by_name(name).map_err(|e| damaged(&e))?)
}

/// Whether the first bytes are those of a tar archive.
pub(super) fn is_tar(start: &[u8]) -> bool {
    start.get(257..262) == Some(b"ustar".as_slice())
}

/// The content of a file in a tar archive, as for [`from_zip`].
pub(super) fn from_tar(archive: impl Read, wanted: &[&str]) -> Result<Vec<u8>, ArchiveError> {
    let mut archive = tar::Archive::new(archive);
    let (mut names, mut best) = (Vec::new(), None);
    for entry in archive.entries().map_err(|e| damaged(&e))? {
        let entry = entry.map_err(|e| damaged(&e))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if let Some(rank) = rank(&name, wanted)
            && best.as_ref().is_none_or(|(better, _)| rank < *better)
        {
            let size = entry.size();
            let content = read(entry)?;
            if (content.len() as u64) < size.min(LIMIT) {
                return Err(damaged(&"it ends too early"));
            }
            best = Some((rank, content));
            if rank == 0 {
                break;
            }
        }
        names.push(name);
    }
    match best {
        Some((_, content)) => Ok(content),
        None => Err(missing(wanted, names)),
    }
}

/// The position in `wanted` of the last part of a path, in upper or lower case.
fn rank(path: &str, wanted: &[&str]) -> Option<usize> {
    let name = path.rsplit('/').next().unwrap_or(path);
    wanted
        .iter()
        .position(|wanted| name.eq_ignore_ascii_case(wanted))
}

fn read(entry: impl Read) -> Result<Vec<u8>, ArchiveError> {
    let mut content = Vec::new();
    entry
        .take(LIMIT)
        .read_to_end(&mut content)
        .map_err(|e| damaged(&e))?;
    Ok(content)
}

fn damaged(problem: &dyn Display) -> ArchiveError {
    ArchiveError::Damaged(problem.to_string())
}

fn missing(wanted: &[&str], mut found: Vec<String>) -> ArchiveError {
    found.truncate(NAMED);
    ArchiveError::Missing {
        wanted: wanted.join(" or "),
        found,
    }
}
