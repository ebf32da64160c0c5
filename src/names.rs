//! Determines the kind of a file by its name, before it is opened.

use std::ffi::OsStr;
use std::path::Path;

/// Extensions of pictures. An MPO is a JPEG followed by further pictures.
const PICTURES: &[&str] = &[
    "avif", "bmp", "dib", "gif", "heic", "heif", "hif", "jfif", "jpe", "jpeg", "jpg", "jxl", "mpo",
    "png", "tif", "tiff", "webp",
];

/// Extensions of camera raw files.
const RAW: &[&str] = &[
    "3fr", "arw", "cr2", "cr3", "crw", "dcr", "dng", "erf", "fff", "iiq", "kdc", "mef", "mos",
    "mrw", "nef", "nrw", "orf", "pef", "raf", "raw", "rw2", "rwl", "sr2", "srf", "srw", "x3f",
];

/// Extensions of files that are not photos: documents, sounds, videos, archives, programs, databases, and files that
/// photo programs store beside photos.
///
/// This includes thumbnails and previews beside photos: they are pictures, but copies of photos in the album.
#[rustfmt::skip]
const OTHERS: &[&str] = &[
    "360", "3g2", "3gp", "7z", "a", "aac", "aae", "aax", "abw", "accdb", "ai", "aif", "aiff", "amr", "ape",
    "apk", "app", "ar", "arp", "asc", "asf", "asm", "ass", "avi", "azw", "azw3", "bak", "bat", "bib",
    "bin", "bridgesort", "bup", "bz2", "c", "cab", "cbr", "cbz", "cc", "cfg", "chm", "class", "cmd",
    "cof", "comask", "conf", "cop", "cos", "cot", "cpp", "crdownload", "crt", "cs", "css", "csv", "cue",
    "dat", "db", "db-journal", "db-shm", "db-wal", "deb", "dll", "dmg", "doc", "docm", "docx", "dop",
    "drf", "dvr-ms", "dylib", "eip", "eml", "eot", "eps", "epub", "exe", "f4v", "fit", "flac", "flv",
    "fodt", "gitignore", "go", "gpx", "gz", "h", "hpp", "htm", "html", "icc", "ico", "ics", "identifier", "idx", "iml",
    "ind", "indd", "inf", "info", "ini", "insv", "ipa", "ipynb", "iso", "ithmb", "jar", "java", "js", "json",
    "jsonl", "jsx", "key", "kml", "kmz", "kt", "lck", "lnk", "lock", "log", "lrcat", "lrf", "lrprev",
    "lrtemplate", "lrv", "lua", "lz", "lz4", "lzma", "m", "m2ts", "m3u", "m3u8", "m4a", "m4b", "m4p",
    "m4v", "map", "md", "md5", "mdb", "mid", "midi", "mjs", "mka", "mkv", "mobi", "moff", "mov", "mp", "mp2",
    "mp3", "mp4", "mpc", "mpeg", "mpg", "msg", "msi", "mts", "mui", "mv", "mxf", "nfo", "nks", "nksc", "numbers",
    "o", "odg", "odp", "ods", "odt", "oga", "ogg", "ogv", "on1", "opus", "orig", "otf", "ova", "pages",
    "part", "pcap", "pdb", "pdf", "pem", "php", "pif", "pkg", "pl", "plist", "pp3", "pps", "ppsx", "ppt",
    "pptx", "properties", "ps", "ps1", "psb", "psd", "pst", "py", "pyc", "qcow2", "r", "ra", "rar", "rb",
    "rm", "rmvb", "rpm", "rs", "rst", "rtf", "sav", "scss", "sfv", "sh", "sha1", "sha256", "so", "sql",
    "sqlite", "sqlite-journal", "sqlite-shm", "sqlite-wal", "sqlite3", "srt", "sub", "svg", "svgz", "swf",
    "swift", "swp", "sys", "tar", "tbz2", "tex", "tgz", "thm", "tmp", "toml", "torrent", "ts", "tsv",
    "tsx", "ttc", "ttf", "txt", "txz", "url", "vbs", "vcf", "vcs", "vdi", "vhd", "vmdk", "vob", "wasm",
    "wav", "webm", "webmanifest", "wma", "wmf", "wmv", "woff", "woff2", "wpd", "wps", "xcf", "xls", "xlsm",
    "xlsx", "xmp", "xz", "xml", "yaml", "yml", "z", "zip", "zst",
];

/// Endings that exiftool appends to the whole name of a photo or sidecar: its backup before a change, and the file
/// that it writes.
const EXIFTOOL: [&str; 2] = ["_original", "_exiftool_tmp"];

/// The file in which fer-index lists the links or copies that it made in a folder.
pub const MANIFEST: &str = ".fer-index-manifest";

/// The kind of a file by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// It has the extension of a picture.
    Picture,
    /// It has the extension of another kind of file, and is never opened.
    Other,
    /// It has no extension, or an unknown one, so its first bytes must be read.
    Unknown,
}

impl FileKind {
    /// The kind of this file. Extensions are compared without regard to case.
    pub fn of(path: &Path) -> Self {
        if is_of_sqlite(path) {
            return Self::Other;
        }
        let Some(extension) = path.extension() else {
            return Self::Unknown;
        };
        // No known extension has a letter outside of ASCII.
        let extension = extension.to_str().unwrap_or_default();
        if is_picture(extension) {
            Self::Picture
        } else if is_other(extension) {
            Self::Other
        } else {
            Self::Unknown
        }
    }

    /// Whether the file may be a photo, by its name.
    pub fn may_be_photo(self) -> bool {
        self != Self::Other
    }
}

/// Whether the name is that of a camera raw file.
pub fn is_raw(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| has_extension_of(RAW, extension))
}

fn is_picture(extension: &str) -> bool {
    has_extension_of(PICTURES, extension) || has_extension_of(RAW, extension)
}

fn has_extension_of(extensions: &[&str], extension: &str) -> bool {
    extensions
        .iter()
        .any(|known| known.eq_ignore_ascii_case(extension))
}

fn is_other(extension: &str) -> bool {
    let is_exiftool = EXIFTOOL.iter().any(|ending| {
        let before = extension.strip_suffix(ending);
        before.is_some_and(|before| is_picture(before) || has_extension_of(OTHERS, before))
    });
    is_exiftool || has_extension_of(OTHERS, extension)
}

/// Whether the name ends like those of the files that SQLite keeps beside a database, as photo managers have them. They
/// change with every write of the program.
fn is_of_sqlite(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let endings: [&[u8]; 3] = [b"-wal", b"-shm", b"-journal"];
    endings.iter().any(|ending| name.ends_with(ending))
}

/// Whether this is the name of a hidden file or folder.
pub fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_say_in_any_case_what_a_file_is() {
        for (name, expected) in [
            ("a.JPeG", FileKind::Picture),
            ("a.nef", FileKind::Picture),
            ("DSC_0001.MPO", FileKind::Picture),
            ("a.xmp", FileKind::Other),
            ("a.jpg.XMP", FileKind::Other),
            ("MVI_1.THM", FileKind::Other),
            ("digikam4.db-wal", FileKind::Other),
            ("jpg", FileKind::Unknown),
            (".jpg", FileKind::Unknown),
            ("IMG_0001", FileKind::Unknown),
            ("a.jpg_large", FileKind::Unknown),
            ("a.JPG_", FileKind::Unknown),
            ("a.jpg_exiftool_tmp", FileKind::Other),
            ("a.JPG_original", FileKind::Other),
            ("a.jpg.xmp_original", FileKind::Other),
            ("a.trip_original", FileKind::Unknown),
            // The film of a Pixel's photo in an export, and what Windows keeps of a download.
            ("PXL_20230922_144936660.MP", FileKind::Other),
            ("a.jpg:Zone.Identifier", FileKind::Other),
            ("a.ünlü", FileKind::Unknown),
        ] {
            assert_eq!(FileKind::of(Path::new(name)), expected, "{name}");
        }
    }

    #[test]
    fn no_extension_is_in_both_lists_or_twice() {
        let mut all = [PICTURES, RAW, OTHERS].concat();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
