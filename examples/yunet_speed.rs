//! Runs the detector's network on a picture repeatedly and prints the CPU time of each run, for
//! `benches/compare/detector.py`.
//!
//!     cargo run --release --example yunet_speed -- PICTURE.png 50
//!
//! The picture is not scaled, and the network runs on one thread, five times before the timing
//! starts. The output is JSON: the CPU milliseconds of each of the 50 runs, and the faces with
//! their scores. Linux only.

use std::error::Error;

use fer_index::detect::Yunet;

const WARM_UP: usize = 5;

/// CPU milliseconds that this process has used so far.
fn cpu() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e6)
}

#[allow(
    clippy::print_stdout,
    reason = "`detector.py` reads the standard output"
)]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [picture, runs] = arguments.as_slice() else {
        return Err("usage: yunet_speed PICTURE RUNS".into());
    };
    let picture = image::open(picture)?.into_rgb8();
    let runs: usize = runs.parse()?;
    let network = Yunet::new()?;
    let (mut ms, mut faces) = (Vec::new(), Vec::new());
    for run in 0..WARM_UP + runs {
        let start = cpu()?;
        faces = network.candidates(&picture, 0.5);
        if run >= WARM_UP {
            ms.push(cpu()? - start);
        }
    }
    let faces: Vec<_> = faces
        .iter()
        .map(|face| (face.score, face.bounding_box))
        .map(|(score, b)| [score, b.x, b.y, b.width, b.height])
        .collect();
    println!("{}", serde_json::json!({ "ms": ms, "faces": faces }));
    Ok(())
}
