//! Writes emotions into generated sidecars and removes them again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fer_index::emotion::{Emotion, EmotionSet};
use fer_index::export::write_sidecar;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::forms::{KEYWORDS, has_emotion, sample};
use crate::readers::{self, Facts};

/// The keywords of Happy, of each property.
pub const HAPPY: [&str; 3] = ["Happy", "Emotion|Happy", "Emotion/Happy"];

pub fn happy() -> EmotionSet {
    EmotionSet::from_iter([Emotion::Happy])
}

/// Writes these emotions into an existing sidecar, and checks that a dry run returns the same before.
pub fn write(path: &Path, emotions: EmotionSet) -> Result<bool, String> {
    let photo = Path::new("/nowhere.jpg");
    let before = fs::read(path).unwrap();
    let dry = write_sidecar(path, photo, emotions, true).map_err(|error| error.to_string());
    assert_eq!(fs::read(path).unwrap(), before);
    let wet = write_sidecar(path, photo, emotions, false).map_err(|error| error.to_string());
    assert_eq!(dry, wet);
    wet
}

#[test]
fn in_every_form_the_keywords_come_and_go_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(18);
    let mut samples = BTreeMap::new();
    for number in 0..200 {
        let path = folder.path().join(format!("{number:03}.xmp"));
        let sample = sample(&mut random);
        fs::write(&path, &sample.bytes).unwrap();
        samples.insert(path, sample);
    }
    let facts = |of: &str| -> Option<BTreeMap<_, Facts>> {
        readers::exiftool(folder.path()).inspect(|_| eprintln!("read {of}"))
    };
    let before = facts("before");
    for (path, sample) in &samples {
        let text = String::from_utf8_lossy(&sample.bytes);
        assert_eq!(write(path, happy()), Ok(true), "{text}");
        assert_eq!(write(path, happy()), Ok(false), "{text}");
    }
    let with = facts("with emotions");
    let mut compared = 0;
    for (path, sample) in &samples {
        let after = fs::read(path).unwrap();
        let (Some(before), Some(with)) = (&before, &with) else {
            break;
        };
        let [before, with] = [before, with].map(|read| &read[path]);
        let text = String::from_utf8_lossy(&after);
        if before.is_nothing() {
            assert!(with.is_nothing(), "{text}");
            continue; // exiftool recognises XMP only by certain prefixes
        }
        compared += 1;
        let has_happy = has_emotion(sample.keywords.each_ref().map(|words| !words.is_empty()));
        for (((of_sample, happy), has_happy), (_, prefix, name)) in sample
            .keywords
            .iter()
            .zip(HAPPY)
            .zip(has_happy)
            .zip(KEYWORDS)
        {
            let mut expected = of_sample.clone();
            assert_eq!(before.keywords(prefix, name), sorted(&expected), "{text}");
            expected.extend(has_happy.then(|| happy.to_owned()));
            assert_eq!(with.keywords(prefix, name), sorted(&expected), "{text}");
        }
        assert_eq!(before.rest(), with.rest(), "{text}");
    }
    eprintln!("exiftool read {compared} of {}", samples.len());
    assert!(with.is_none() || compared > 100);
    for (path, sample) in &samples {
        assert_eq!(write(path, EmotionSet::EMPTY), Ok(true));
        let after = fs::read(path).unwrap();
        if sample.is_reversible {
            let [before, after] =
                [&sample.bytes, &after].map(|bytes| String::from_utf8_lossy(bytes));
            assert_eq!(after, before);
        }
    }
    let (Some(before), Some(without)) = (before, facts("without emotions")) else {
        return;
    };
    for path in samples.keys() {
        let [before, without] = [&before, &without].map(|read| &read[path]);
        assert_eq!(before.rest(), without.rest(), "{}", path.display());
        for (_, prefix, name) in KEYWORDS {
            assert_eq!(
                before.keywords(prefix, name),
                without.keywords(prefix, name)
            );
        }
    }
}

fn sorted(words: &[String]) -> Vec<String> {
    let mut words = words.to_vec();
    words.sort();
    words
}
