use super::*;
use crate::raster::Orientation;

const HELLO: &str = r#"echo '{"fer_index_detector":1,"model":"fake 3"}'"#;

/// Reads a request and its pixels.
const READ: &str = r#"read -r line || exit 0; n=${line##*:}; head -c "${n%\}}" >/dev/null"#;

const FACE: &str =
    r#"echo '{"faces":[{"box":[10,20,30,40],"score":0.9},{"box":[60,20,9,9],"score":0.2}]}'"#;

fn start(script: &str, time_limit: Duration) -> Result<Command> {
    Command::start(CommandParams {
        command: ["sh", "-c", script].map(OsString::from).to_vec(),
        time_limit,
        threshold: 0.5,
        suppress_iou: 0.4,
        suppress_iom: 0.8,
    })
}

const LONG: Duration = Duration::from_secs(30);

fn photo() -> Raster {
    Raster::new(RgbImage::new(300, 200), Orientation::Upright)
}

fn boxes(command: &Command, photo: &Raster) -> Vec<[f32; 4]> {
    let faces = command.detect(photo).unwrap();
    faces
        .iter()
        .map(|face| face.bounding_box)
        .map(|b| [b.x, b.y, b.width, b.height])
        .collect()
}

fn failure(command: &Command) -> String {
    let skip = command.detect(&photo()).unwrap_err();
    assert_eq!(skip.reason, SkipReason::DetectorFailed);
    skip.detail
}

#[test]
fn faces_below_the_threshold_are_left_out_and_the_process_is_reused() {
    let script = format!("{HELLO}; while :; do {READ}; {FACE}; done");
    let command = start(&script, LONG).unwrap();
    assert_eq!(command.model(), "fake 3");
    for _ in 0..3 {
        assert_eq!(boxes(&command, &photo()), [[10.0, 20.0, 30.0, 40.0]]);
    }
    let idle = command.lock_idle().len();
    assert_eq!(idle, 1, "one thread needs one process");
}

#[test]
fn a_large_photo_is_sent_reduced_and_its_boxes_are_scaled_back() {
    let hello = HELLO.replace(r#""fake 3""#, r#""fake 3","max_pixels":15000"#);
    let script = format!("{hello}; while :; do {READ}; {FACE}; done");
    let command = start(&script, LONG).unwrap();
    assert_eq!(boxes(&command, &photo()), [[20.0, 40.0, 60.0, 80.0]]);
}

#[test]
fn a_program_that_ended_is_restarted() {
    let script = format!("{HELLO}; {READ}; {FACE}");
    let command = start(&script, LONG).unwrap();
    for _ in 0..3 {
        assert_eq!(boxes(&command, &photo()).len(), 1);
    }
}

#[test]
fn a_program_that_hangs_is_killed_and_the_next_photo_gets_a_new_one() {
    let marker = tempfile::NamedTempFile::new().unwrap();
    let path = marker.path().display();
    let script = format!(
        "{HELLO}; while :; do {READ}; if [ -e {path} ]; then exec sleep 1000; fi; {FACE}; done"
    );
    let command = start(&script, Duration::from_millis(800)).unwrap();
    let sentence = failure(&command);
    assert!(sentence.contains("did not answer"), "{sentence}");
    assert!(command.lock_idle().is_empty());
    drop(marker);
    let command = Command {
        params: CommandParams {
            time_limit: LONG,
            ..command.params.clone()
        },
        hello: command.hello.clone(),
        idle: Mutex::default(),
    };
    assert_eq!(boxes(&command, &photo()).len(), 1);
}

#[test]
fn malformed_answers_and_errors_skip_the_photo() {
    for (answer, expected) in [
        ("echo what", "is malformed"),
        (
            r#"echo '{"faces":[{"box":[1,2,0,4],"score":0.5}]}'"#,
            "is malformed",
        ),
        (r#"echo '{"error":"no memory"}'"#, "no memory"),
        ("exit 3", "ended"),
    ] {
        let script = format!("{HELLO}; while :; do {READ}; {answer}; done");
        let sentence = failure(&start(&script, LONG).unwrap());
        assert!(sentence.contains(expected), "{answer}: {sentence}");
    }
}

#[test]
fn a_program_that_does_not_speak_the_protocol_is_an_error_at_the_start() {
    for (script, expected) in [
        ("echo hello", "is malformed"),
        ("exit 1", "ended"),
        (
            r#"echo '{"fer_index_detector":9,"model":"m"}'"#,
            "version 9",
        ),
    ] {
        let sentence = start(script, LONG).unwrap_err().to_string();
        assert!(sentence.contains(expected), "{script}: {sentence}");
    }
    let params = CommandParams {
        command: vec!["/nowhere/detector".into()],
        time_limit: LONG,
        threshold: 0.5,
        suppress_iou: 0.4,
        suppress_iom: 0.8,
    };
    let sentence = Command::start(params).unwrap_err().to_string();
    assert!(sentence.contains("/nowhere/detector"), "{sentence}");
}

#[test]
fn an_answer_of_four_mebibytes_is_read_and_a_longer_one_cut() {
    let answer = r#"{"faces":[]}"#;
    let spaces = (4 << 20) - answer.len() - 1;
    for (spaces, is_read) in [(spaces, true), (spaces + 1, true), (spaces + 2, false)] {
        let pad = format!("head -c {spaces} /dev/zero | tr '\\0' ' '");
        let script = format!("{HELLO}; while :; do {READ}; {pad}; echo '{answer}'; done");
        let command = start(&script, LONG).unwrap();
        let detected = command.detect(&photo());
        assert_eq!(detected.is_ok(), is_read, "{spaces}");
    }
}
