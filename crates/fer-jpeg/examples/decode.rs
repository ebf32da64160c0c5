//! Decodes a JPEG repeatedly, for measuring the CPU time of the process: `decode EIGHTHS ROUNDS FILE`; with 0 rounds
//! writes it as PPM, for comparing it with what `djpeg -scale EIGHTHS/8` writes.

use std::error::Error;
use std::io::Write;

use fer_jpeg::{Channels, Header};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [eighths, rounds, path] = &arguments[..] else {
        return Err("usage: decode EIGHTHS ROUNDS FILE".into());
    };
    let (eighths, rounds): (usize, u32) = (eighths.parse()?, rounds.parse()?);
    let bytes = std::fs::read(path)?;
    let decode = || Header::read(&bytes)?.decode(eighths, Channels::Colour, &|| false);
    for _ in 0..rounds {
        decode()?;
    }
    if rounds == 0 {
        let (_, pixels) = decode()?;
        let mut out = std::io::stdout().lock();
        write!(out, "P6\n{} {}\n255\n", pixels.width, pixels.height)?;
        out.write_all(&pixels.data)?;
    }
    Ok(())
}
