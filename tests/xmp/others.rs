//! The sidecars of other programs: one, or all in a folder that `FER_INDEX_SIDECARS` names. `docs/formats.md` lists
//! those that were tested, with their sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use fer_index::emotion::EmotionSet;

use crate::forms::{KEYWORDS, has_emotion};
use crate::generated::{HAPPY, happy, write};
use crate::readers::{self, Facts};

/// The sidecars in a folder and those below it.
fn sidecars(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sidecars(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("xmp"))
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The results of both programs for the sidecars in a folder.
struct Read {
    exiftool: BTreeMap<PathBuf, Facts>,
    exiv2: BTreeMap<PathBuf, Facts>,
}

impl Read {
    fn of(folder: &Path) -> Option<Self> {
        let exiftool = readers::exiftool(folder)?;
        let exiv2 = sidecars(folder).into_iter().map(|path| {
            let facts = readers::exiv2(&path)?;
            Some((path, facts))
        });
        Some(Self {
            exiftool,
            exiv2: exiv2.collect::<Option<_>>()?,
        })
    }

    fn each(&self, path: &Path) -> [&Facts; 2] {
        [&self.exiftool[path], &self.exiv2[path]]
    }
}

/// Exports into copies of these sidecars and back, and prints how many were changed and why others were not.
fn round_trip(sources: &[PathBuf]) {
    let folder = tempfile::tempdir().unwrap();
    let mut copies = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let copy = folder.path().join(format!("{number:04}.xmp"));
        fs::copy(source, &copy).unwrap();
        copies.push(copy);
    }
    let Some(before) = Read::of(folder.path()) else {
        return;
    };
    let (mut changed, mut same_again) = (Vec::new(), 0);
    let mut refused: BTreeMap<String, Vec<&Path>> = BTreeMap::new();
    for (copy, source) in copies.iter().zip(sources) {
        let bytes = fs::read(copy).unwrap();
        match write(copy, happy()) {
            Ok(is_changed) => {
                assert!(is_changed, "{}", source.display());
                assert_eq!(write(copy, happy()), Ok(false), "{}", source.display());
                changed.push((copy, source, bytes));
            }
            Err(reason) => {
                assert_eq!(fs::read(copy).unwrap(), bytes, "{}", source.display());
                let reason = reason
                    .rsplit(" is left as it is: ")
                    .next()
                    .unwrap_or_default();
                refused.entry(reason.to_owned()).or_default().push(source);
            }
        }
    }
    let with = Read::of(folder.path()).unwrap();
    for (copy, source, bytes) in &changed {
        let source = source.display();
        for (before, with) in before.each(copy).into_iter().zip(with.each(copy)) {
            assert_eq!(before.complaints(), with.complaints(), "{source}");
            assert_eq!(before.rest(), with.rest(), "{source}");
            let has_any =
                KEYWORDS.map(|(_, prefix, name)| !before.keywords(prefix, name).is_empty());
            let lists = KEYWORDS.iter().zip(HAPPY).zip(has_emotion(has_any));
            for (((_, prefix, name), happy), has_happy) in lists {
                let mut expected = before.keywords(prefix, name);
                let is_new = has_happy && !expected.contains(&happy.to_owned());
                if !before.is_nothing() && is_new {
                    expected.push(happy.to_owned());
                    expected.sort();
                }
                assert_eq!(
                    with.keywords(prefix, name),
                    expected,
                    "{source}: {prefix}:{name}"
                );
            }
        }
        assert_eq!(write(copy, EmotionSet::EMPTY), Ok(true), "{source}");
        same_again += usize::from(fs::read(copy).unwrap() == *bytes);
    }
    let without = Read::of(folder.path()).unwrap();
    for (copy, source, _) in &changed {
        for (before, without) in before.each(copy).into_iter().zip(without.each(copy)) {
            assert_eq!(before.rest(), without.rest(), "{}", source.display());
        }
    }
    eprintln!(
        "{} sidecars: {} changed, of which {same_again} had the same bytes after the keywords went; \
         left as they were: {refused:#?}",
        sources.len(),
        changed.len(),
    );
}

/// The folder that `FER_INDEX_SIDECARS` names, or the fixture, whose namespaces are declared on its outermost element.
#[test]
fn the_sidecars_of_other_programs_keep_all() {
    let fixtures = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/xmp");
    let named = std::env::var_os("FER_INDEX_SIDECARS").map(PathBuf::from);
    let sources = sidecars(&named.unwrap_or_else(fixtures));
    assert!(!sources.is_empty());
    round_trip(&sources);
}
