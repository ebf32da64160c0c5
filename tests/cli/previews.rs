//! Photos in the terminal: the binary on a pseudo-terminal that replies like real terminals.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Stdio;
use std::{ffi::OsStr, thread};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::testenv::{Run, TestEnv};

/// The last query of the program; its reply ends the exchange.
const LAST_QUERY: &[u8] = b"\x1b[c";

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|seen| seen == part)
}

/// Runs a command line on a terminal that sends this reply; returns what it wrote there as standard output.
fn run_on_terminal(env: &TestEnv, line: &str, reply: &'static [u8]) -> Run {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let name = Path::new(OsStr::from_bytes(name.as_bytes()));
    let terminal = || {
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(name)
            .unwrap()
    };
    let mut command = env.command(line);
    command.stdout(terminal()).stderr(Stdio::piped());
    let mut controller = File::from(controller);
    let screen = thread::spawn(move || {
        let mut written = Vec::new();
        let mut replied = false;
        let mut bytes = [0; 4096];
        // Fails once the other end is closed.
        while let Ok(count @ 1..) = controller.read(&mut bytes) {
            written.extend_from_slice(&bytes[..count]);
            if !replied && contains(&written, LAST_QUERY) {
                replied = true;
                controller.write_all(reply).unwrap();
            }
        }
        written
    });
    let mut child = command.spawn().unwrap();
    drop(command); // and with it the terminal's last opening on this side
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    Run {
        code: child.wait().unwrap().code().unwrap(),
        stdout: screen.join().unwrap(),
        stderr,
    }
}

const PREVIEW: &str = "query --emotion happy --all --preview";

#[test]
fn photos_are_shown_with_the_protocol_of_the_terminal() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    env.index();
    for (reply, start) in [
        (
            &b"\x1b_Gi=31;OK\x1b\\\x1b[6;20;10t\x1b[?62;52c"[..],
            &b"\x1b_Ga=T,f=100,q=2,r=8,"[..],
        ),
        (
            b"\x1bP>|iTerm2 3.6.9\x1b\\\x1b[?64;1;2;4c",
            b"\x1b]1337;File=inline=1;size=",
        ),
        (b"\x1b[?62;4;22c", b"\x1bP9;1;0q"),
    ] {
        let run = run_on_terminal(&env, PREVIEW, reply).found();
        let shown = run
            .stdout
            .windows(start.len())
            .filter(|seen| *seen == start)
            .count();
        assert_eq!(shown, 2, "{}", String::from_utf8_lossy(&run.stdout[..300]));
    }
}

#[test]
fn a_terminal_without_pictures_gets_the_table_and_a_message() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.index();
    // One terminal without a graphics protocol, and one that does not reply.
    for reply in [&b"\x1b[?65;1;9c"[..], b""] {
        let run = run_on_terminal(&env, PREVIEW, reply);
        assert_eq!(run.code, 0);
        assert!(run.stderr.contains("no previews: "), "{run:?}");
        let shown = String::from_utf8_lossy(&run.stdout);
        assert!(
            shown.contains("hopper.jpg") && !shown.contains("1337"),
            "{shown:?}"
        );
    }
    let piped = env.run(&format!("{PREVIEW} --format table"));
    assert!(
        piped.text().contains("hopper.jpg") && !piped.text().contains('\x1b'),
        "{piped:?}"
    );
    assert!(piped.stderr.contains("no previews: "), "{piped:?}");
}

/// Runs a command line whose standard error is a terminal; returns what it wrote there.
fn on_terminal_as_stderr(env: &TestEnv, line: &str, no_color: &str) -> String {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let name = Path::new(OsStr::from_bytes(name.as_bytes()));
    let terminal = OpenOptions::new().write(true).open(name).unwrap();
    let mut command = env.command(line);
    command
        .env("NO_COLOR", no_color)
        .env("TERM", "xterm-256color");
    command.stdout(Stdio::null()).stderr(terminal);
    let mut controller = File::from(controller);
    let screen = thread::spawn(move || {
        let mut written = Vec::new();
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = controller.read(&mut bytes) {
            written.extend_from_slice(&bytes[..count]);
        }
        String::from_utf8(written).unwrap()
    });
    command.status().unwrap();
    drop(command);
    screen.join().unwrap()
}

#[test]
fn no_color_is_respected_in_messages() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.index();
    for line in ["query --near paris", "query --colour", "undo 1"] {
        let coloured = on_terminal_as_stderr(&env, line, "");
        assert!(coloured.contains("\x1b["), "{line}: {coloured:?}");
        let plain = on_terminal_as_stderr(&env, line, "1");
        assert!(!plain.contains('\x1b'), "{line}: {plain:?}");
    }
    let progress = on_terminal_as_stderr(&env, "reindex album", "1");
    assert!(!progress.contains("\x1b[3"), "{progress:?}");
}

/// A text with each number as 0: durations, dates and scores differ between runs and models.
fn without_numbers(text: &str) -> String {
    let mut plain = String::new();
    for c in text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
    {
        if !(c == '0' && plain.ends_with('0')) {
            plain.push(c);
        }
    }
    // The number of blanks before an aligned number varies with its length.
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The parts of a text without its numbers, sorted: which of two emotions with nearly the same score is named first
/// depends on the processor.
fn parts_of(text: &str) -> Vec<String> {
    let plain = without_numbers(text);
    let mut parts: Vec<_> = plain.split(", ").map(str::to_owned).collect();
    parts.sort();
    parts
}

#[test]
fn the_picture_of_the_output_shows_what_is_printed() {
    let env = TestEnv::new();
    let photos = env.path("home/Pictures");
    std::fs::create_dir(&photos).unwrap();
    for name in ["astronaut", "camera", "chelsea", "coffee", "hopper"] {
        let name = format!("{name}.jpg");
        std::fs::write(photos.join(&name), crate::common::fixture(&name)).unwrap();
    }
    let printed = |line: &str| {
        let run = run_on_terminal(&env, line, b"").found();
        let text = String::from_utf8(run.stdout).unwrap();
        text.replace(&photos.display().to_string(), "/home/ada/Pictures")
    };
    let index = printed(&format!("index {}", photos.display()));
    let classify = printed(&format!("classify {}/astronaut.jpg", photos.display()));
    let expected = format!(
        "$ fer-index index ~/Pictures\n{index}\n$ fer-index classify ~/Pictures/astronaut.jpg\n{classify}"
    );
    let picture = include_str!("../../docs/output.svg");
    let shown: String = picture
        .lines()
        .filter_map(|line| {
            let text = line.strip_prefix("<text ")?.strip_suffix("</text>")?;
            Some(format!("{}\n", text.split_once('>')?.1))
        })
        .collect();
    assert_eq!(parts_of(&shown), parts_of(&expected));
}
