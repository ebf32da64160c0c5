//! HEIC and AVIF: chroma formats, bits a sample, rotation and mirroring by the container.

use image::imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};

use super::{assert_shows, reference};
use crate::common::photo;

#[test]
fn hevc_of_every_chroma_format_and_depth_is_shown_in_its_colours() {
    for chroma in ["420", "422", "444"] {
        for bits in ["8", "10", "12"] {
            assert_shows(&format!("hevc-{chroma}-{bits}-q90.heic"), &reference(), 3.0);
        }
        // Smooth, so that wrong chroma modes would not lose the bitstream.
        assert_shows(&format!("hevc-{chroma}-8-q40.heic"), &reference(), 8.0);
    }
}

/// ISO/IEC 23008-12, 6.5.10 and 6.5.12: first turned counter-clockwise, then mirrored.
#[test]
fn every_rotation_and_mirroring_of_the_container_is_upright() {
    let stored = photo("matrix/side.png");
    for (rotation, turned) in [
        stored.clone(),
        rotate270(&stored),
        rotate180(&stored),
        rotate90(&stored),
    ]
    .into_iter()
    .enumerate()
    {
        for (mirror, expected) in [
            ("", turned.clone()),
            ("0", flip_vertical(&turned)),
            ("1", flip_horizontal(&turned)),
        ] {
            assert_shows(&format!("irot{rotation}-imir{mirror}.avif"), &expected, 4.0);
        }
    }
}
