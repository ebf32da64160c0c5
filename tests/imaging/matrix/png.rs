//! PNG: bits a sample, palettes, grey with transparency, interlaced rows.

use image::{Rgb, RgbImage};

use super::assert_shows;
use crate::common::{fixture, photo};
use crate::{decode, upright};

/// A picture computed from the red values of `side.png`, of which the files have the upper bits.
fn of_red(bits: u32, pixel: impl Fn(u32) -> [u32; 3]) -> RgbImage {
    let mut picture = photo("matrix/side.png");
    for Rgb(channels) in picture.pixels_mut() {
        *channels = pixel(u32::from(channels[0]) >> (8 - bits)).map(|channel| channel as u8);
    }
    picture
}

#[test]
fn png_of_every_depth_is_shown() {
    for bits in [1, 2, 4] {
        let grey = of_red(bits, |level| [level * 255 / ((1 << bits) - 1); 3]);
        assert_shows(&format!("png-grey-{bits}.png"), &grey, 0.0);
    }
    for bits in [1, 2, 4, 8] {
        let colours = of_red(bits, |index| [index, 255 - index, 7 * index % 256]);
        assert_shows(&format!("png-palette-{bits}.png"), &colours, 0.0);
    }
    assert_shows("png-grey-16.png", &of_red(8, |level| [level; 3]), 0.0);
    // The darker, the more opaque, on white.
    let faded = of_red(8, |level| {
        [(level * (255 - level) + 255 * level + 127) / 255; 3]
    });
    assert_shows("png-grey-alpha.png", &faded, 0.0);
}

#[test]
fn a_png_that_lacks_only_its_end_is_whole() {
    for name in ["png-palette-8", "png-interlaced", "png-grey-16"] {
        let file = fixture(&format!("matrix/{name}.png"));
        assert_eq!(&file[file.len() - 8..][..4], b"IEND");
        let whole = decode(&file);
        for missing in [4, 12] {
            let cut = decode(&file[..file.len() - missing]);
            assert!(cut.lost.is_none(), "{name} without {missing} bytes");
            assert!(upright(&cut) == upright(&whole), "{name}");
        }
    }
}

#[test]
fn interlaced_png_is_shown() {
    let side = photo("matrix/side.png");
    assert_shows("png-interlaced.png", &side, 0.0);
    assert_shows("png-interlaced-16.png", &side, 0.0);
}
