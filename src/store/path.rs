//! Encodes paths as bytes that keep the order of paths and every name, UTF-8 or not.

use std::path::{Path, PathBuf};

/// The bytes under which a path is stored.
#[cfg(unix)]
pub(super) fn encode(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_vec()
}

/// The inverse of [`encode`].
#[cfg(unix)]
pub(super) fn decode(bytes: &[u8]) -> PathBuf {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(OsStr::from_bytes(bytes))
}

/// The bytes under which a path is stored: UTF-16, which can represent Windows names that are not
/// Unicode, with the high byte first, so that they sort in the order of a scan.
#[cfg(windows)]
pub(super) fn encode(path: &Path) -> Vec<u8> {
    use std::os::windows::ffi::OsStrExt as _;
    path.as_os_str()
        .encode_wide()
        .flat_map(u16::to_be_bytes)
        .collect()
}

/// The inverse of [`encode`].
#[cfg(windows)]
pub(super) fn decode(bytes: &[u8]) -> PathBuf {
    use std::ffi::OsString;
    use std::os::windows::ffi::OsStringExt as _;
    let wide: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    PathBuf::from(OsString::from_wide(&wide))
}

/// A folder and everything below it, as three stored paths: `exact`, and the range from `low` up to
/// but not including `high`.
#[derive(Debug)]
pub(super) struct Subtree {
    /// The folder itself (or a file).
    pub exact: Vec<u8>,
    /// The folder followed by a separator.
    pub low: Vec<u8>,
    /// The first bytes after everything that begins with `low`.
    pub high: Vec<u8>,
}

impl Subtree {
    /// The tree below `folder`; trailing separators do not matter.
    pub fn of(folder: &Path) -> Self {
        // Rebuilt from its components, so that `a//b/./` becomes `a/b`.
        let folder: PathBuf = folder.components().collect();
        let exact = encode(&folder);
        let separator = encode(Path::new(std::path::MAIN_SEPARATOR_STR));
        let mut low = exact.clone();
        if !low.ends_with(&separator) {
            low.extend(separator);
        }
        let mut high = low.clone();
        if let Some(last) = high.last_mut() {
            *last += 1; // the last byte of a separator, never 255
        }
        Self { exact, low, high }
    }

    /// Whether a stored path is in the tree.
    pub fn contains(&self, path: &[u8]) -> bool {
        path == self.exact || (path >= self.low.as_slice() && path < self.high.as_slice())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn any_bytes_are_preserved() {
        let path = Path::new(OsStr::from_bytes(b"/album/caf\xe9 \xff\n.jpg"));
        assert_eq!(decode(&encode(path)), path);
    }

    #[test]
    fn a_subtree_ends_on_a_component() {
        let inside = |folder: &str, path: &str| {
            Subtree::of(Path::new(folder)).contains(&encode(Path::new(path)))
        };
        for folder in ["/a/b", "/a/b/", "/a//b/.", "/", "/a/b/c.jpg"] {
            assert!(inside(folder, "/a/b/c.jpg"), "{folder}");
        }
        for path in ["/a/bc/d.jpg", "/a/b.jpg", "/a/b0", "/a", "/a/a/b/c.jpg"] {
            assert!(!inside("/a/b", path), "{path}");
        }
    }
}
