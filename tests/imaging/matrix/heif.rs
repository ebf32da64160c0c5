//! HEIC and AVIF: chroma formats, bits per sample, colour descriptions, rotation and mirroring by the container,
//! derived pictures, and several pictures in a file.

use fer_index::error::SkipReason;
use fer_index::imaging::{self, Limits};
use image::imageops::{flip_horizontal, flip_vertical, overlay, rotate90, rotate180, rotate270};
use image::{DynamicImage, Rgb, RgbImage};

use super::{assert_shows, fading, picture_hash, reference};
use crate::common::{difference, fixture, photo};
use crate::{decode, upright};

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

#[test]
fn avif_of_every_chroma_format_and_depth_is_shown_in_its_colours() {
    let side = photo("matrix/side.png");
    let grey = DynamicImage::from(DynamicImage::from(side.clone()).into_luma8()).into_rgb8();
    for bits in ["8", "10", "12"] {
        for chroma in ["420", "422", "444"] {
            assert_shows(&format!("avif-{chroma}-{bits}.avif"), &side, 4.0);
        }
        assert_shows(&format!("avif-400-{bits}.avif"), &grey, 4.0);
    }
}

/// The matrices of RGB itself, BT.709, BT.601 and BT.2020.
#[test]
fn every_matrix_and_range_of_a_colour_description_is_heeded() {
    let side = photo("matrix/side.png");
    for matrix in ["0", "1", "6", "9"] {
        for range in ["full", "limited"] {
            assert_shows(&format!("avif-matrix{matrix}-{range}.avif"), &side, 2.5);
        }
    }
}

#[test]
fn a_matrix_that_is_not_heeded_is_named() {
    let file = fixture("matrix/avif-matrix1-full.avif");
    let description = memchr::memmem::find(&file, b"nclx").unwrap();
    for (matrix, why) in [(8, "YCgCo"), (14, "matrix")] {
        let mut file = file.clone();
        file[description + 9] = matrix;
        let skip = imaging::decode(&file, &Limits::default()).unwrap_err();
        assert_eq!(skip.reason, SkipReason::UnsupportedFormat, "{skip}");
        assert!(skip.detail.contains(why), "{skip}");
    }
}

#[test]
fn a_grid_of_avif_is_one_picture() {
    let whole = photo("formats/reference.png");
    assert_shows("avif-grid.avif", &whole, 4.0);
}

#[test]
fn an_overlay_is_drawn_on_its_canvas() {
    let layer = photo("matrix/side.png");
    let mut canvas = RgbImage::from_pixel(72, 56, Rgb([0x40, 0x80, 0xc0]));
    overlay(&mut canvas, &layer, 4, 8);
    overlay(&mut canvas, &rotate180(&layer), 40, -20);
    assert_shows("heif-overlay.heic", &rotate270(&canvas), 4.0);

    let mut canvas = RgbImage::from_pixel(56, 40, Rgb([255; 3]));
    overlay(&mut canvas, &faded(), 8, 0);
    assert_shows("heif-overlay-clear.heic", &canvas, 5.0);
}

/// The picture with a gradient to white from the bottom to the top.
fn faded() -> RgbImage {
    let mut picture = photo("matrix/side.png");
    for (_, y, Rgb(channels)) in picture.enumerate_pixels_mut() {
        let opacity = (y as f32 + 0.5) / 40.0;
        *channels = channels
            .map(|channel| (f32::from(channel) * opacity + 255.0 * (1.0 - opacity)).round() as u8);
    }
    picture
}

#[test]
fn transparency_thumbnails_depth_and_gains_are_told_from_the_picture() {
    let picture = photo("matrix/side.png");
    let mirrored = flip_horizontal(&picture);
    assert_shows("heif-alpha.heic", &faded(), 5.0);
    assert_shows("heif-thumbnail-depth-gains.heic", &picture, 4.0);
    assert_shows("heif-tone-map.heic", &picture, 4.0);
    assert_shows("heif-second.heic", &picture, 4.0);
    assert_shows("heif-identity.heic", &rotate270(&mirrored), 4.0);
}

#[test]
fn colours_that_were_multiplied_by_the_opacity_are_not_multiplied_again() {
    let file = fixture("matrix/avif-premultiplied.avif");
    assert_shows("avif-premultiplied.avif", &fading(), 1.5);
    // Without the reference that states this, the colours are darker, and it is another picture.
    let mut other = file.clone();
    let at = memchr::memmem::find(&other, b"prem").unwrap();
    other[at..at + 4].copy_from_slice(b"none");
    assert!(difference(&upright(&decode(&other)), &fading()) > 15.0);
    assert_ne!(picture_hash(&other), picture_hash(&file));
}

/// The picture hash includes the data and transforms of the pictures from which a picture is derived, and nothing else
/// of the file.
#[test]
fn the_sources_of_a_derived_picture_are_part_of_its_hash() {
    for name in ["overlay", "overlay-clear", "identity"] {
        let file = fixture(&format!("matrix/heif-{name}.heic"));
        let hash = picture_hash(&file);
        let longer = [&file, b"\0\0\0\x08free".as_slice()].concat();
        assert_eq!(picture_hash(&longer), hash, "{name}");
        let behind = |mark: &[u8]| {
            let at = file.windows(4).position(|part| part == mark);
            at.map(|at| at + 4)
        };
        let data = behind(b"mdat").map(|at| at + 100);
        for at in [data, behind(b"irot"), behind(b"imir")]
            .into_iter()
            .flatten()
        {
            let mut other = file.clone();
            other[at] ^= 1;
            assert_ne!(picture_hash(&other), hash, "{name}, {at}");
        }
    }
    // The transparency of a layer, which is stored last but one.
    let mut other = fixture("matrix/heif-overlay-clear.heic");
    let hash = picture_hash(&other);
    let at = other.len() - 100;
    other[at] ^= 1;
    assert_ne!(picture_hash(&other), hash);
}

/// Every orientation of EXIF with every rotation and mirroring of the container, in either order: those of the
/// container count, in the order of the file.
#[test]
fn of_exif_and_the_container_the_container_counts() {
    let stored = photo("matrix/side.png");
    let turns = [RgbImage::clone, rotate270, rotate180, rotate90];
    let mirrors = [flip_vertical, flip_horizontal];
    for (name, is_turned_first) in [("turned-mirrored", true), ("mirrored-turned", false)] {
        let file = fixture(&format!("matrix/heif-{name}.heic"));
        let behind = |mark: &[u8]| {
            let at = file.windows(mark.len()).position(|part| part == mark);
            at.unwrap() + mark.len()
        };
        let (turn_at, mirror_at) = (behind(b"irot"), behind(b"imir"));
        let exif_at = behind(b"\x01\x12\0\x03\0\0\0\x01\0");
        for (turn, turned) in turns.iter().enumerate() {
            for (mirror, mirrored) in mirrors.iter().enumerate() {
                let expected = if is_turned_first {
                    mirrored(&turned(&stored))
                } else {
                    turned(&mirrored(&stored))
                };
                for orientation in 1..=8 {
                    let mut file = file.clone();
                    file[turn_at] = turn as u8;
                    file[mirror_at] = mirror as u8;
                    file[exif_at] = orientation;
                    let decoded = decode(&file);
                    let difference = difference(&upright(&decoded), &expected);
                    let case = format!("{name} {turn} {mirror} {orientation}");
                    assert!(difference < 4.0, "{case}: {difference:.2}");
                }
            }
        }
    }
}

/// Cut and with flipped bits in its boxes, a file is shown or skipped with a reason.
#[test]
fn damaged_heif_never_crashes() {
    for name in [
        "overlay",
        "overlay-clear",
        "identity",
        "alpha",
        "thumbnail-depth-gains",
        "tone-map",
        "film",
    ] {
        let whole = fixture(&format!("matrix/heif-{name}.heic"));
        for at in 0..whole.len().min(1000) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            let cut = &whole[..whole.len() * at / 1000];
            for bytes in [&flipped, cut] {
                if let Err(skip) = imaging::decode(bytes, &Limits::default()) {
                    assert_ne!(skip.reason, SkipReason::Crashed, "{name} {at}: {skip}");
                }
            }
        }
    }
}

/// An overlay whose source is the overlay itself.
#[test]
fn a_picture_that_is_made_of_itself_is_refused() {
    let overlay = fixture("matrix/heif-overlay.heic");
    // Its sources, pictures 1 and 2, are named last in the box of references.
    let names = [0, 3, 0, 2, 0, 1, 0, 2];
    let at = overlay.windows(8).position(|part| part == names).unwrap();
    let mut cyclic = overlay.clone();
    cyclic[at + 5] = 3;
    let skip = imaging::decode(&cyclic, &Limits::default()).unwrap_err();
    assert_eq!(skip.reason, SkipReason::UnsupportedFormat);
    assert_eq!(skip.detail, "HEIC: a long chain of derived pictures");
}
