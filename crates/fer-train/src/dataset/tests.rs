use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::*;

const HEADER: &str = "emotion,pixels,Usage";
const VOTES_HEADER: &str =
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF";

/// A line of `fer2013.csv` with pixels of one value.
fn line(label: &str, pixel: &str, usage: &str) -> String {
    format!("{label},{},{usage}", vec![pixel; PIXELS].join(" "))
}

fn good_lines() -> Vec<String> {
    [
        ("0", "10", "Training"),
        ("3", "20", "Training"),
        ("6", "20", "Training"),
        ("3", "20", "PublicTest"),
        ("4", "30", "PrivateTest"),
    ]
    .map(|(label, pixel, usage)| line(label, pixel, usage))
    .to_vec()
}

fn file(folder: &Path, name: &str, header: &str, lines: &[String]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, format!("{header}\n{}\n", lines.join("\n"))).unwrap();
    path
}

fn import_lines(lines: &[String], options: &ImportOptions) -> Result<Dataset, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "fer2013.csv", HEADER, lines);
    import(&path, options).map_err(|e| e.to_string())
}

fn import_votes(votes: &[&str]) -> Result<Dataset, String> {
    let folder = tempfile::tempdir().unwrap();
    let votes: Vec<String> = votes.iter().map(|&line| line.to_owned()).collect();
    let ferplus = file(folder.path(), "fer2013new.csv", VOTES_HEADER, &votes);
    let options = ImportOptions {
        ferplus: Some(ferplus),
        ..ImportOptions::default()
    };
    import_lines(&good_lines(), &options)
}

const GOOD_VOTES: [&str; 5] = [
    "Training,a.png,4,0,0,1,3,2,0,0,0,0",
    "Training,b.png,6,0,1,1,0,0,0,0,2,0",
    "Training,,0,0,0,0,0,0,0,0,0,10",
    "PublicTest,a.png,5,4,0,0,0,0,0,0,0,0",
    "PrivateTest,c.png,0,0,0,0,0,0,0,10,0,0",
];

#[test]
fn each_error_of_a_row_is_reported_with_its_line() {
    let one_short = vec!["0"; PIXELS - 1].join(" ");
    let cases = [
        (line("7", "0", "Training"), "label \"7\""),
        ("happy,0,Training".to_owned(), "label \"happy\""),
        (format!("1,{one_short},Training"), "2303 pixels"),
        (line("1", "256", "Training"), "pixel 1 is \"256\""),
        (line("1", "-1", "Training"), "pixel 1 is \"-1\""),
        (line("1", "0", "Test"), "Usage \"Test\""),
        ("1,0 0 0".to_owned(), "2 columns"),
        (line("1", "0", "Training,extra"), "4 columns"),
    ];
    for (broken, expected) in cases {
        let mut lines = good_lines();
        lines[2] = broken;
        let message = import_lines(&lines, &ImportOptions::default()).unwrap_err();
        assert!(
            message.contains("fer2013.csv: line 4:") && message.contains(expected),
            "{expected}: {message}"
        );
    }
}

#[test]
fn a_wrong_header_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        folder.path(),
        "fer2013.csv",
        "emotion,Usage,pixels",
        &good_lines(),
    );
    let message = import(&path, &ImportOptions::default())
        .unwrap_err()
        .to_string();
    assert!(message.contains("line 1: the header"), "{message}");
}

#[test]
fn each_error_of_a_vote_line_is_reported_with_its_line() {
    let cases = [
        ("PublicTest,b.png,6,0,1,1,0,0,0,0,2,0", "has Training"),
        (
            "Training,b.png,x,0,1,1,0,0,0,0,2,0",
            "\"x\" in column neutral",
        ),
        ("Training,b.png,6,0,1,1,0,0,0,0,3,0", "11 votes"),
        ("Training,b.png,0,0,0,0,0,0,0,0,0,0", "0 votes"),
        ("Training,b.png,6,0,1,1", "6 columns"),
    ];
    for (broken, expected) in cases {
        let mut votes = GOOD_VOTES;
        votes[1] = broken;
        let message = import_votes(&votes).unwrap_err();
        assert!(
            message.contains("fer2013new.csv: line 3:") && message.contains(expected),
            "{expected}: {message}"
        );
    }
    let message = import_votes(&GOOD_VOTES[..4]).unwrap_err();
    assert!(
        message.contains("4 rows where fer2013.csv has 5"),
        "{message}"
    );
    let more = [GOOD_VOTES.as_slice(), &GOOD_VOTES[4..]].concat();
    let message = import_votes(&more).unwrap_err();
    assert!(
        message.contains("line 7: fer2013.csv has fewer lines"),
        "{message}"
    );
}

#[test]
fn votes_are_joined_by_line_and_dropped_where_the_image_is_uncertain() {
    let dataset = import_votes(&GOOD_VOTES).unwrap();
    let votes = |row: usize| dataset.rows()[row].votes;
    assert_eq!(votes(0), None, "a later row has the same name");
    assert_eq!(votes(2), None, "no name");
    assert_eq!(votes(3).unwrap().emotions[Emotion::Neutral.index()], 5);
    assert_eq!(votes(3).unwrap().emotions[Emotion::Happy.index()], 4);
    assert_eq!(votes(4).unwrap().majority(), Some(Emotion::Contempt));
    assert_eq!(votes(1).unwrap().unknown, 2);
}

#[test]
fn compressed_files_are_read_like_plain_ones_and_cut_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plain = file(folder.path(), "plain", HEADER, &good_lines());
    let text = fs::read(&plain).unwrap();
    let gzipped = folder.path().join("gzipped");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&text).unwrap();
    fs::write(&gzipped, encoder.finish().unwrap()).unwrap();
    let xz = folder.path().join("xz");
    let mut encoder =
        lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    encoder.write_all(&text).unwrap();
    fs::write(&xz, encoder.finish().unwrap()).unwrap();

    let options = ImportOptions::default();
    let expected = import(&plain, &options).unwrap();
    let cut = folder.path().join("cut");
    for compressed in [gzipped, xz] {
        assert_eq!(import(&compressed, &options).unwrap(), expected);
        let bytes = fs::read(&compressed).unwrap();
        fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
        assert!(import(&cut, &options).is_err());
    }
}

#[test]
fn the_data_set_file_is_read_back_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.safetensors");
    let dataset = import_votes(&GOOD_VOTES).unwrap();
    dataset.save(&path).unwrap();
    assert_eq!(Dataset::load(&path).unwrap(), dataset);
    fs::write(&path, b"no tensors").unwrap();
    assert!(
        Dataset::load(&path)
            .unwrap_err()
            .to_string()
            .contains("dataset import")
    );
}

#[test]
fn duplicates_between_parts_are_counted() {
    let dataset = import_lines(&good_lines(), &ImportOptions::default()).unwrap();
    assert_eq!(
        dataset.duplicated_in(Usage::Training),
        [false, true, true, true, false]
    );
    let leak = DuplicateCounts {
        of: "PublicTest",
        also_in: "Training",
        rows: 1,
    };
    assert_eq!(dataset.summary().duplicates, [leak]);
}

#[test]
fn an_import_of_some_emotions_keeps_only_their_rows() {
    let options = ImportOptions {
        emotions: vec![Emotion::Sad, Emotion::Happy],
        ..ImportOptions::default()
    };
    let dataset = import_lines(&good_lines(), &options).unwrap();
    assert_eq!(dataset.emotions(), [Emotion::Happy, Emotion::Sad]);
    assert_eq!(dataset.rows().len(), 3);
    assert_eq!(dataset.pixels(2)[0], 30);
}

#[test]
fn a_new_division_is_stratified_and_repeatable() {
    let lines: Vec<String> = (0..40)
        .map(|i| line(if i % 4 == 0 { "1" } else { "5" }, "0", "Training"))
        .collect();
    let split = |seed| {
        let options = ImportOptions {
            train_fraction: Some(0.8),
            seed,
            ..ImportOptions::default()
        };
        import_lines(&lines, &options).unwrap()
    };
    let dataset = split(3);
    assert_eq!(dataset, split(3));
    assert_ne!(dataset, split(4));
    let counts = |usage| {
        let rows = dataset.indices(usage);
        let disgusted = rows
            .iter()
            .filter(|&&row| dataset.rows()[row].label == Emotion::Disgust);
        (rows.len(), disgusted.count())
    };
    assert_eq!(counts(Usage::Training), (32, 8));
    assert_eq!(counts(Usage::PublicTest), (8, 2));

    let folds = dataset.folds(&dataset.indices(Usage::Training), 4, 1);
    assert!(folds.iter().all(|fold| fold.len() == 8));
    let mut all = folds.concat();
    all.sort_unstable();
    assert_eq!(all, dataset.indices(Usage::Training));
}
