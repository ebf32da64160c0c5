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
        suppress_inside: 0.8,
    })
}

const PATIENT: Duration = Duration::from_secs(30);

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
fn a_program_is_asked_and_its_weak_faces_are_left_out() {
    let script = format!("{HELLO}; while :; do {READ}; {FACE}; done");
    let command = start(&script, PATIENT).unwrap();
    assert_eq!(command.model(), "fake 3");
    for _ in 0..3 {
        assert_eq!(boxes(&command, &photo()), [[10.0, 20.0, 30.0, 40.0]]);
    }
    let idle = command.lock_idle().len();
    assert_eq!(idle, 1, "one process is kept for one thread");
}

#[test]
fn a_large_photo_is_sent_smaller_and_boxes_come_back_in_its_pixels() {
    let hello = HELLO.replace(r#""fake 3""#, r#""fake 3","max_pixels":15000"#);
    let script = format!("{hello}; while :; do {READ}; {FACE}; done");
    let command = start(&script, PATIENT).unwrap();
    assert_eq!(boxes(&command, &photo()), [[20.0, 40.0, 60.0, 80.0]]);
}

#[test]
fn a_program_that_dies_is_started_again() {
    let script = format!("{HELLO}; {READ}; {FACE}");
    let command = start(&script, PATIENT).unwrap();
    for _ in 0..3 {
        assert_eq!(boxes(&command, &photo()).len(), 1);
    }
}

#[test]
fn a_program_that_hangs_is_given_up_and_the_next_photo_gets_a_new_one() {
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
            time_limit: PATIENT,
            ..command.params.clone()
        },
        hello: command.hello.clone(),
        idle: Mutex::default(),
    };
    assert_eq!(boxes(&command, &photo()).len(), 1);
}

#[test]
fn nonsense_and_refusals_skip_the_photo() {
    for (answer, expected) in [
        ("echo what", "makes no sense"),
        (
            r#"echo '{"faces":[{"box":[1,2,0,4],"score":0.5}]}'"#,
            "makes no sense",
        ),
        (r#"echo '{"error":"no memory"}'"#, "no memory"),
        ("exit 3", "ended"),
    ] {
        let script = format!("{HELLO}; while :; do {READ}; {answer}; done");
        let sentence = failure(&start(&script, PATIENT).unwrap());
        assert!(sentence.contains(expected), "{answer}: {sentence}");
    }
}

#[test]
fn a_program_that_is_none_stops_the_start() {
    for (script, expected) in [
        ("echo hello", "makes no sense"),
        ("exit 1", "ended"),
        (
            r#"echo '{"fer_index_detector":9,"model":"m"}'"#,
            "version 9",
        ),
    ] {
        let sentence = start(script, PATIENT).unwrap_err().to_string();
        assert!(sentence.contains(expected), "{script}: {sentence}");
    }
    let params = CommandParams {
        command: vec!["/nowhere/detector".into()],
        time_limit: PATIENT,
        threshold: 0.5,
        suppress_iou: 0.4,
        suppress_inside: 0.8,
    };
    let sentence = Command::start(params).unwrap_err().to_string();
    assert!(sentence.contains("/nowhere/detector"), "{sentence}");
}
