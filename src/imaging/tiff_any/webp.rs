//! A strip or tile that is a WebP, as libtiff writes them (compression 50001).

use std::io::Cursor;

use image_webp::WebPDecoder;

use crate::error::Skip;
use crate::imaging::limits::Task;

/// Unpacks the `length` bytes of samples of a strip or tile of this width. A WebP has red, green and blue, and perhaps an
/// opacity; the strip has one more or one less if its pixels are all opaque.
///
/// # Errors
/// If the WebP is damaged or has another size.
pub(super) fn unpacked(
    task: &Task<'_>,
    data: &[u8],
    width: usize,
    length: usize,
) -> Result<Vec<u8>, Skip> {
    let mut decoder = WebPDecoder::new(Cursor::new(data)).map_err(|error| task.damaged(error))?;
    let (wide, high) = decoder.dimensions();
    let pixels = wide as usize * high as usize;
    let samples = length / pixels.max(1);
    if wide as usize != width || !matches!(samples, 3 | 4) || pixels * samples != length {
        return Err(task.damaged("a WebP in it has another size than stated"));
    }
    let coded = if decoder.has_alpha() { 4 } else { 3 };
    let mut bytes = vec![0; pixels * coded];
    decoder
        .read_image(&mut bytes)
        .map_err(|error| task.damaged(error))?;
    if coded != samples {
        let whole = |pixel: &[u8]| [pixel[0], pixel[1], pixel[2], 255];
        let pixels = bytes.chunks_exact(coded).map(whole);
        return Ok(pixels
            .flat_map(|pixel| pixel.into_iter().take(samples))
            .collect());
    }
    Ok(bytes)
}
