//! A decoding process whose detector crashes on certain pictures.

use std::io::Cursor;

use fer_index::detect::FaceDetector;
use fer_index::error::Skip;
use fer_index::face::{BoundingBox, DetectedFace};
use fer_index::pipeline::{Launch, serve};
use fer_index::raster::Raster;
use image::{ImageFormat, RgbImage};

/// What the stand-in does, by the width of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Death {
    Overflow = 201,
    Abort = 202,
    EndlessLoop = 203,
    Exhaustion = 204,
    Exit = 205,
    /// Waits forever, without using CPU time.
    Idleness = 206,
    /// Not a death: tries to reach files, the network and processes.
    Escape = 207,
}

impl Death {
    const ALL: [Self; 7] = [
        Self::Overflow,
        Self::Abort,
        Self::EndlessLoop,
        Self::Exhaustion,
        Self::Exit,
        Self::Idleness,
        Self::Escape,
    ];

    pub const fn width(self) -> u32 {
        self as u32
    }
}

/// A sound picture whose content differs for each width.
pub fn picture(width: u32) -> Vec<u8> {
    let mut png = Cursor::new(Vec::new());
    RgbImage::new(width, 50)
        .write_to(&mut png, ImageFormat::Png)
        .unwrap();
    png.into_inner()
}

/// A face that fills a picture.
pub const fn face(width: f32, height: f32) -> DetectedFace {
    DetectedFace {
        bounding_box: BoundingBox {
            x: 0.0,
            y: 0.0,
            width,
            height,
        },
        landmarks: None,
        score: 0.9,
    }
}

/// Starts this test program as a decoding process.
pub fn stand_in() -> Launch {
    Launch {
        program: std::env::current_exe().unwrap(),
        arguments: [
            "--exact",
            "stand_in::decoding_process",
            "--ignored",
            "--nocapture",
        ]
        .map(Into::into)
        .into(),
    }
}

/// Run by the other tests in a separate process.
#[test]
#[ignore = "is a decoding process; other tests start it"]
fn decoding_process() {
    serve(Some(Box::new(Dying))).unwrap();
}

/// Starts this test program as a decoding process that has little memory.
pub fn poor_stand_in() -> Launch {
    let mut launch = stand_in();
    launch.arguments[1] = "stand_in::poor_decoding_process".into();
    launch
}

/// Run by the other tests in a separate process. It has memory for small pictures only.
#[test]
#[ignore = "is a decoding process; other tests start it"]
fn poor_decoding_process() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmSize:"))
        .unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    let limit = Some((kilobytes << 10) + (48 << 20));
    setrlimit(
        Resource::As,
        Rlimit {
            current: limit,
            maximum: limit,
        },
    )
    .unwrap();
    serve(None).unwrap();
}

struct Dying;

impl FaceDetector for Dying {
    fn model(&self) -> &'static str {
        "dying 1"
    }

    fn detect(&self, photo: &Raster) -> Result<Vec<DetectedFace>, Skip> {
        let mut faces = vec![face(photo.width() as f32, 50.0)];
        let death = Death::ALL.into_iter().find(|d| d.width() == photo.width());
        match death {
            None => {}
            Some(Death::Overflow) => {
                std::hint::black_box(overflow(0));
            }
            Some(Death::Abort) => std::process::abort(),
            Some(Death::EndlessLoop) => loop {
                std::hint::spin_loop();
            },
            Some(Death::Idleness) => loop {
                std::thread::park();
            },
            Some(Death::Exhaustion) => {
                let mut all: Vec<Vec<u8>> = Vec::new();
                loop {
                    all.push(Vec::with_capacity(64 << 20));
                    std::hint::black_box(&all);
                }
            }
            Some(Death::Exit) => std::panic::resume_unwind(Box::new("unwound")),
            Some(Death::Escape) => faces[0].score = 0.5 + escapes(),
        }
        Ok(faces)
    }
}

/// Calls itself until the stack is full.
#[allow(unconditional_recursion, reason = "it is to overflow")]
fn overflow(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    overflow(frame[7] + 1) + frame[3]
}

/// A hundredth for each access that was not refused.
fn escapes() -> f32 {
    let open = [
        std::fs::File::open("/etc/passwd").is_ok(),
        std::fs::read_dir("/").is_ok(),
        std::fs::write("/tmp/fer-index-escape", "x").is_ok(),
        std::net::TcpListener::bind("127.0.0.1:0").is_ok(),
        std::net::UdpSocket::bind("127.0.0.1:0").is_ok(),
        std::os::unix::net::UnixStream::pair().is_ok(),
        std::process::Command::new("/bin/true").status().is_ok(),
        std::thread::Builder::new().spawn(|| ()).is_ok(),
        std::env::set_current_dir("/").is_ok(),
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::CONT)
            .is_ok(),
    ];
    open.into_iter().filter(|succeeded| *succeeded).count() as f32 / 100.0
}
