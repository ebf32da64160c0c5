//! Looks for faces in a picture so many times, for `benches/compare/detector.py` to compare.
//!
//!     cargo run --release --example yunet_speed -- PICTURE.png 50
//!
//! Prints the CPU milliseconds of each run of the detector's network on the picture as it is (one
//! thread, after five runs that do not count), and the faces with their scores. Linux only.

use std::error::Error;

use fer_index::detect::Yunet;

const WARM_UP: usize = 5;

/// CPU milliseconds of this process.
fn cpu() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e6)
}

#[allow(clippy::print_stdout, reason = "the caller reads it")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [picture, runs] = arguments.as_slice() else {
        return Err("PICTURE RUNS".into());
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
