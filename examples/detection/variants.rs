//! Makes the variants of a photo.

use fer_index::affine::{Affine, Point};
use fer_index::emotion::Emotion;
use fer_index::face::DetectedFace;
use fer_index::sample::sample;
use image::{Rgb, RgbImage, imageops};

use crate::count::Expected;

/// A photo with the face that is measured.
pub struct Subject {
    pub photo: RgbImage,
    pub face: DetectedFace,
    pub emotion: Emotion,
    /// Median grey of the skin, 0 to 255: how dark it is in this photo.
    pub skin: f32,
}

/// A picture to search, with the faces in it.
pub struct Variant {
    pub label: String,
    pub picture: RgbImage,
    pub faces: Vec<Expected>,
}

/// Makes variants of a photo, its subject, and the photo's number.
pub type Make = fn(&RgbImage, Option<&Subject>, usize) -> Vec<Variant>;

/// The sets by name.
pub const SETS: &[(&str, Make)] = &[
    ("plain", plain),
    ("closeup", closeup),
    ("turned", turned),
    ("beside", beside),
    ("nested", nested),
    ("cut", cut),
    ("light", light),
    ("skin", skin),
];

/// Grey around a picture that does not fill its frame.
const GREY: Rgb<u8> = Rgb([128; 3]);

/// Bounds of the skin's grey: of 98 faces of GENKI, 22 are darker, and 45 lighter.
const SKIN_DARK: f32 = 120.0;
const SKIN_LIGHT: f32 = 150.0;

/// Most samples along each side of a pixel, when a photo is scaled down.
const SAMPLES: u32 = 8;

/// The map that scales by `scale`, rotates clockwise by `degrees`, and moves `from` to `to`.
fn similarity(scale: f32, degrees: f32, from: Point, to: Point) -> Affine {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (a, b) = (scale * cos, scale * sin);
    Affine {
        x: [a, -b, to.x - (a * from.x - b * from.y)],
        y: [b, a, to.y - (b * from.x + a * from.y)],
    }
}

/// Draws the photo, moved by `map`, into `target`, where it covers it.
fn draw(photo: &RgbImage, map: &Affine, target: &mut RgbImage) {
    let Some(back) = map.inverse() else { return };
    let values = sample(photo, &back, target.dimensions(), SAMPLES);
    let (width, height) = (photo.width() as f32, photo.height() as f32);
    for ((x, y, pixel), value) in target.enumerate_pixels_mut().zip(values) {
        let p = back.apply(Point {
            x: x as f32 + 0.5,
            y: y as f32 + 0.5,
        });
        if (0.0..width).contains(&p.x) && (0.0..height).contains(&p.y) {
            *pixel = Rgb(value.map(|v| (v + 0.5) as u8));
        }
    }
}

/// The subject in a grey frame of `size`, moved by `map`.
fn framed(label: String, subject: &Subject, map: &Affine, (width, height): (u32, u32)) -> Variant {
    let mut picture = RgbImage::from_pixel(width, height, GREY);
    draw(&subject.photo, map, &mut picture);
    Variant {
        label,
        picture,
        faces: vec![Expected::new(&subject.face, subject.emotion, map)],
    }
}

/// The middle of a picture.
fn middle((width, height): (u32, u32)) -> Point {
    Point {
        x: width as f32 / 2.0,
        y: height as f32 / 2.0,
    }
}

/// The unchanged photo. Without a subject no face is expected, and with `FER_INDEX_LOST` the photo is written there if
/// none is found.
fn plain(photo: &RgbImage, subject: Option<&Subject>, _: usize) -> Vec<Variant> {
    let same = Affine::stretch(1.0, 1.0);
    let faces = subject.map(|s| Expected::new(&s.face, s.emotion, &same));
    vec![Variant {
        label: if subject.is_some() {
            "with a face"
        } else {
            "without"
        }
        .into(),
        picture: photo.clone(),
        faces: faces.into_iter().collect(),
    }]
}

/// Frames within the face's box, of several pixel sizes.
fn closeup(_: &RgbImage, subject: Option<&Subject>, _: usize) -> Vec<Variant> {
    let Some(subject) = subject else {
        return Vec::new();
    };
    let face = subject.face.bounding_box;
    let mut all = Vec::new();
    for share in [0.85, 0.7, 0.6] {
        for pixels in [240, 720] {
            let scale = pixels as f32 / (share * face.width.max(face.height));
            let size = (face.width * share * scale, face.height * share * scale);
            let size = (size.0 as u32, size.1 as u32);
            let map = similarity(scale, 0.0, face.centre(), middle(size));
            let label = format!("{share:.2} {pixels:4}");
            all.push(framed(label, subject, &map, size));
        }
    }
    all
}

/// The whole photo, rotated about its middle.
fn turned(photo: &RgbImage, subject: Option<&Subject>, _: usize) -> Vec<Variant> {
    let Some(subject) = subject else {
        return Vec::new();
    };
    let (width, height) = photo.dimensions();
    let diagonal = (width as f32).hypot(height as f32).ceil() as u32;
    let turn = |degrees: u32| {
        let size = match degrees {
            0 | 180 => (width, height),
            90 | 270 => (height, width),
            _ => (diagonal, diagonal),
        };
        let map = similarity(1.0, degrees as f32, middle((width, height)), middle(size));
        framed(format!("{degrees:3}"), subject, &map, size)
    };
    (0..24).map(|step| turn(step * 15)).collect()
}

/// The photo, and beside it the same photo on its side, like two people on a beach towel.
fn beside(photo: &RgbImage, subject: Option<&Subject>, index: usize) -> Vec<Variant> {
    let Some(subject) = subject else {
        return Vec::new();
    };
    let mirrored = imageops::flip_horizontal(photo);
    let mirror = Affine {
        x: [-1.0, 0.0, photo.width() as f32],
        y: [0.0, 1.0, 0.0],
    };
    let mut all = Vec::new();
    for (name, degrees) in [("90", 90.0), ("270", 270.0), ("180", 180.0), ("60", 60.0)] {
        let side = 320.0 + 40.0 * (index % 3) as f32;
        let scale = side / photo.width().max(photo.height()) as f32;
        let place = |degrees, x| {
            let to = Point { x, y: side / 2.0 };
            similarity(scale, degrees, middle(photo.dimensions()), to)
        };
        let size = (2 * side as u32, side as u32);
        let upright = place(0.0, side / 2.0);
        let mut variant = framed(name.into(), subject, &upright, size);
        let lying = place(degrees, side * 1.5);
        draw(&mirrored, &lying, &mut variant.picture);
        // Left and right are exchanged in the mirror image, so its landmarks are not compared.
        let mut face = subject.face.through(&mirror);
        face.landmarks = subject.face.landmarks.map(|l| {
            let m = l.map(|point| mirror.apply(point));
            fer_index::face::Landmarks {
                left_eye: m.right_eye,
                right_eye: m.left_eye,
                left_mouth: m.right_mouth,
                right_mouth: m.left_mouth,
                ..m
            }
        });
        let lying = Expected::new(&face, subject.emotion, &lying);
        variant.faces.push(lying);
        all.push(variant);
    }
    all
}

/// A small face within the box of a large one: the subject again, with some of its surroundings, in a lower corner
/// (a child before a parent) and in an upper one (a picture in the picture).
fn nested(photo: &RgbImage, subject: Option<&Subject>, index: usize) -> Vec<Variant> {
    let Some(subject) = subject else {
        return Vec::new();
    };
    let factor = 640.0 / photo.width().max(photo.height()) as f32;
    let face = subject.face.bounding_box;
    let size = |factor: f32| {
        let side = |side: u32| (side as f32 * factor) as u32;
        (side(photo.width()), side(photo.height()))
    };
    let large = Affine::stretch(factor, factor);
    let mut all = Vec::new();
    for share in [0.15_f32, 0.25, 0.33, 0.4, 0.5] {
        for (name, down) in [("lower", 1.0), ("upper", -1.0)] {
            let across = if index.is_multiple_of(2) { 1.0 } else { -1.0 };
            let mut variant = framed(format!("{name} {share:.2}"), subject, &large, size(factor));
            let inset = 0.5 - share / 2.0;
            let to = large.apply(Point {
                x: face.centre().x + across * inset * face.width,
                y: face.centre().y + down * inset * face.height,
            });
            let small = similarity(factor * share, 0.0, face.centre(), to);
            let mut cut = photo.clone();
            let reach = 0.62;
            let (w, h) = (face.width * reach, face.height * reach);
            let left = (face.centre().x - w).max(0.0);
            let upper = (face.centre().y - h).max(0.0);
            let cut = imageops::crop(
                &mut cut,
                left as u32,
                upper as u32,
                (2.0 * w) as u32,
                (2.0 * h) as u32,
            );
            let from_cut = Affine {
                x: [1.0, 0.0, left.floor()],
                y: [0.0, 1.0, upper.floor()],
            };
            draw(
                &cut.to_image(),
                &from_cut.then(&small),
                &mut variant.picture,
            );
            variant
                .faces
                .push(Expected::new(&subject.face, subject.emotion, &small));
            all.push(variant);
        }
    }
    all
}

/// The subject at 20 to 110 % of a square frame, cut by 0 to 40 % of its box at each side, in frames of several sizes.
/// Only pictures with eyes and mouth in the frame count.
fn cut(_: &RgbImage, subject: Option<&Subject>, index: usize) -> Vec<Variant> {
    let Some(subject) = subject else {
        return Vec::new();
    };
    let face = subject.face.bounding_box;
    let mut all = Vec::new();
    for pixels in [64, 200, 640, 1500, 3000, 6000] {
        for share in [0.2, 0.4, 0.6, 0.8, 1.0, 1.1] {
            let scale = share * pixels as f32 / face.height;
            // The number of pictures grows with the square, so large frames are cut by one side in turn.
            for (side, (x, y)) in [(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)]
                .into_iter()
                .enumerate()
            {
                for cut in [0.0, 0.1, 0.2, 0.3, 0.4] {
                    if pixels > 640 && !(index + side).is_multiple_of(4) {
                        continue;
                    }
                    let side = pixels as f32;
                    let (w, h) = (face.width * scale, face.height * scale);
                    let to = Point {
                        x: side / 2.0 + x * (side / 2.0 - w * (0.5 - cut)),
                        y: side / 2.0 + y * (side / 2.0 - h * (0.5 - cut)),
                    };
                    let map = similarity(scale, 0.0, face.centre(), to);
                    let Some(marks) = subject.face.landmarks else {
                        continue;
                    };
                    let within =
                        |p: Point| (0.0..side).contains(&p.x) && (0.0..side).contains(&p.y);
                    if marks.points().iter().all(|p| within(map.apply(*p))) {
                        let label = format!("{pixels:4} {share:.1}");
                        all.push(framed(label, subject, &map, (pixels, pixels)));
                    }
                }
            }
        }
    }
    all
}

/// The name of a light, and its change of a pixel value.
type Light = (&'static str, fn(f32) -> f32);

/// A value of a pixel after the exposure was changed, which changes linear light.
fn stops(value: f32, stops: f32) -> f32 {
    255.0
        * (value / 255.0)
            .powf(2.2)
            .mul_add(stops.exp2(), 0.0)
            .min(1.0)
            .powf(1.0 / 2.2)
}

/// The subject in another light.
fn lit(label: String, subject: &Subject, change: impl Fn(f32) -> f32) -> Variant {
    let same = Affine::stretch(1.0, 1.0);
    let mut picture = subject.photo.clone();
    for value in picture.iter_mut() {
        *value = (change(f32::from(*value)) + 0.5) as u8;
    }
    Variant {
        label,
        picture,
        faces: vec![Expected::new(&subject.face, subject.emotion, &same)],
    }
}

/// Faded prints and dark photos.
fn light(_: &RgbImage, subject: Option<&Subject>, _: usize) -> Vec<Variant> {
    let lights: [Light; 7] = [
        ("110-170", |v| 110.0 + v * 60.0 / 255.0),
        ("40-90", |v| 40.0 + v * 50.0 / 255.0),
        ("170-240", |v| 170.0 + v * 70.0 / 255.0),
        ("-3 EV", |v| stops(v, -3.0)),
        ("-5 EV", |v| stops(v, -5.0)),
        ("-7 EV", |v| stops(v, -7.0)),
        ("+2 EV", |v| stops(v, 2.0)),
    ];
    let Some(subject) = subject else {
        return Vec::new();
    };
    let variant = |(name, change): Light| lit(name.into(), subject, change);
    lights.into_iter().map(variant).collect()
}

/// Photos in the dark, by how dark the skin is.
fn skin(_: &RgbImage, subject: Option<&Subject>, _: usize) -> Vec<Variant> {
    let Some(subject) = subject else {
        return Vec::new();
    };
    let shade = match subject.skin {
        ..SKIN_DARK => "dark",
        SKIN_DARK..SKIN_LIGHT => "middle",
        _ => "light",
    };
    let variant = |by: i8| {
        let label = format!("{shade:6} {by:2} EV");
        lit(label, subject, |value| stops(value, f32::from(by)))
    };
    [0, -3, -5, -7].map(variant).into()
}
