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
        ("1,0 0 0".to_owned(), "2 columns where the header has 3"),
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
fn the_line_of_an_error_is_that_of_an_editor_however_lines_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = good_lines();
    lines[2] = line("7", "0", "Training");
    lines.insert(1, String::new());
    let path = folder.path().join("fer2013.csv");
    for end in ["\n", "\r\n", "\r"] {
        fs::write(&path, [HEADER.to_owned(), lines.join(end)].join(end)).unwrap();
        let message = import(&path, &ImportOptions::default()).unwrap_err();
        assert!(message.to_string().contains("line 5: label"), "{message}");
    }
}

#[test]
fn a_wrong_header_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        folder.path(),
        "fer2013.csv",
        "emotion,Usage,pixel",
        &good_lines(),
    );
    let message = import(&path, &ImportOptions::default())
        .unwrap_err()
        .to_string();
    assert!(message.contains("line 1: the columns"), "{message}");
}

#[test]
fn an_import_of_no_rows_is_an_error() {
    let message = import_lines(&[], &ImportOptions::default()).unwrap_err();
    assert!(message.contains("no rows; give"), "{message}");
    let options = ImportOptions {
        emotions: vec![Emotion::Happy],
        ..ImportOptions::default()
    };
    let sad = [line("4", "7", "Training")];
    let message = import_lines(&sad, &options).unwrap_err();
    assert!(message.contains("--emotions"), "{message}");
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

fn named(name: &str, bytes: &[u8], options: &ImportOptions) -> Result<Dataset, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    import(&path, options).map_err(|e| e.to_string())
}

/// The good lines with other separators, spaces in the header and the columns in another order.
fn rewritten(separator: &str, header: [&str; 3]) -> String {
    let lines = good_lines().into_iter().map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        [fields[0], fields[2], fields[1]].join(separator)
    });
    let header = header.join(separator);
    std::iter::once(header)
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn other_orders_spaces_and_semicolons_give_the_same_data_set() {
    let options = ImportOptions::default();
    let expected = import_lines(&good_lines(), &options).unwrap();
    for text in [
        rewritten(",", ["emotion", " Usage", " pixels"]),
        rewritten(";", ["Emotion", "usage", "Pixels"]),
    ] {
        assert_eq!(
            named("icml_face_data.csv", text.as_bytes(), &options).unwrap(),
            expected
        );
    }
}

#[test]
fn a_file_that_lacks_a_column_says_what_to_do() {
    let cut = |columns: &[usize]| {
        let all = std::iter::once(HEADER.to_owned()).chain(good_lines());
        let lines = all.map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            columns
                .iter()
                .map(|&c| fields[c])
                .collect::<Vec<_>>()
                .join(",")
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let plain = ImportOptions::default();
    let message = named("train.csv", cut(&[0, 1]).as_bytes(), &plain).unwrap_err();
    assert!(
        message.contains("line 1: the column \"Usage\""),
        "{message}"
    );
    assert!(message.contains("--train-fraction"), "{message}");
    let message = named("test.csv", cut(&[1]).as_bytes(), &plain).unwrap_err();
    assert!(
        message.contains("\"emotion\"") && message.contains("icml_face_data.csv"),
        "{message}"
    );
    let message = named("other.csv", b"a,b\n1,2\n", &plain).unwrap_err();
    assert!(message.contains("\"pixels\""), "{message}");

    let divided = ImportOptions {
        train_fraction: Some(0.5),
        ..plain
    };
    let dataset = named("train.csv", cut(&[0, 1]).as_bytes(), &divided).unwrap();
    assert_eq!(dataset.rows().len(), 5);
    assert!(!dataset.indices(Usage::PublicTest).is_empty());
}

/// A tar archive of these files.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name, *content).unwrap();
    }
    archive.into_inner().unwrap()
}

/// A zip archive of these files, deflated if `deflate`.
fn zip(files: &[(&str, &[u8])], deflate: bool) -> Vec<u8> {
    use zip::CompressionMethod::{Deflated, Stored};
    let method = if deflate { Deflated } else { Stored };
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn archives_as_they_are_downloaded_are_read() {
    let options = ImportOptions::default();
    let expected = import_lines(&good_lines(), &options).unwrap();
    let text = format!("{HEADER}\n{}\n", good_lines().join("\n"));
    let other = rewritten(",", ["emotion", " Usage", " pixels"]);
    let (text, other) = (text.as_bytes(), other.as_bytes());
    let one: [(&str, &[u8]); 2] = [("fer2013/readme", b"x"), ("fer2013/fer2013.csv", text)];
    // The contest's archive has three files, of which two lack a column.
    let contest: [(&str, &[u8]); 3] = [
        ("train.csv", b"emotion,pixels\n"),
        ("test.csv", b"pixels\n"),
        ("icml_face_data.csv", other),
    ];
    for files in [one.as_slice(), &contest] {
        let packed = tar(files);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&packed).unwrap();
        let zipped = encoder.finish().unwrap();
        for bytes in [packed, zipped, zip(files, true), zip(files, false)] {
            assert_eq!(named("archive", &bytes, &options).unwrap(), expected);
        }
    }
    let pictures: [(&str, &[u8]); 1] = [("train/angry/1.jpg", b"x")];
    for bytes in [tar(&pictures), zip(&pictures, true)] {
        let message = named("archive", &bytes, &options).unwrap_err();
        for words in ["fer2013.csv", "train/angry/1.jpg", "give the folder"] {
            assert!(message.contains(words), "{message}");
        }
    }
}

#[test]
fn an_archive_that_ends_too_early_is_an_error() {
    let text = format!("{HEADER}\n{}\n", good_lines().join("\n"));
    let files: [(&str, &[u8]); 1] = [("fer2013.csv", text.as_bytes())];
    for whole in [tar(&files), zip(&files, true)] {
        for tenths in 1..10 {
            let cut = &whole[..whole.len() * tenths / 10];
            let read = named("archive", cut, &ImportOptions::default());
            assert!(read.is_err(), "{tenths}");
        }
    }
}

#[test]
fn folders_of_pictures_are_read_and_resized() {
    let folder = tempfile::tempdir().unwrap();
    let picture = |path: &str, side: u32, value: u8| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::GrayImage::from_pixel(side, side, image::Luma([value]))
            .save(path)
            .unwrap();
    };
    picture("train/Angry/a.png", 48, 10);
    picture("train/happy/b.PNG", 96, 20);
    picture("test/happy/c.png", 48, 30);
    fs::write(folder.path().join("train/happy/notes.txt"), "no picture").unwrap();
    let dataset = import(folder.path(), &ImportOptions::default()).unwrap();
    let facts: Vec<_> = dataset
        .rows()
        .iter()
        .map(|row| (row.label, row.usage))
        .collect();
    let expected = [
        (Emotion::Angry, Usage::Training),
        (Emotion::Happy, Usage::Training),
        (Emotion::Happy, Usage::PublicTest),
    ];
    assert_eq!(facts, expected);
    assert_eq!(dataset.emotions(), [Emotion::Angry, Emotion::Happy]);
    assert!((0..3).all(|i| {
        dataset
            .pixels(i)
            .iter()
            .all(|&p| usize::from(p) == 10 * (i + 1))
    }));

    let part = folder.path().join("train");
    let message = import(&part, &ImportOptions::default())
        .unwrap_err()
        .to_string();
    assert!(message.contains("--train-fraction"), "{message}");
    let message = import(&part.join("happy"), &ImportOptions::default())
        .unwrap_err()
        .to_string();
    assert!(message.contains("train/angry"), "{message}");

    let inner = folder.path().join("faces/images");
    fs::create_dir_all(&inner).unwrap();
    fs::create_dir(folder.path().join("__MACOSX")).unwrap();
    for part in ["train", "test"] {
        fs::rename(folder.path().join(part), inner.join(part)).unwrap();
    }
    let nested = import(folder.path(), &ImportOptions::default()).unwrap();
    assert_eq!(nested.rows(), dataset.rows());
}
