//! Small upright copies of photos, made once and kept in a folder for their owner's eyes only.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use image::codecs::jpeg::JpegEncoder;

use super::{Limits, decode};
use crate::atomic;
use crate::error::Skip;
use crate::photo::ContentHash;
use crate::raster::Raster;

/// Quality of the copies, 1 to 100: no artefact is seen at their size.
const QUALITY: u8 = 85;

/// An upright JPEG of a photo's pixels and nothing else (no EXIF), at most `width` × `height`
/// pixels and not enlarged.
///
/// # Panics
/// If a bound or a side of the photo is zero: decoding gives no such photo.
pub fn reduced(raster: &Raster, width: u32, height: u32) -> Vec<u8> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode_image(&raster.fitted(width, height))
        .expect("memory takes every byte of a picture that has some");
    jpeg
}

/// The folder of the copies, by content: a copy is never out of date.
///
/// It may be deleted at any time; what is missing is made again.
#[derive(Debug, Clone)]
pub struct Thumbnails {
    folder: PathBuf,
}

impl Thumbnails {
    /// No copy is wider or higher, in pixels: rows of 240 on a screen of two pixels a point.
    pub const SIDE: u32 = 720;

    /// Keeps copies in `folder`, which is made with the first.
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The copy of the photo with this content; `original` brings the file's bytes where there is
    /// none yet. A folder that cannot be written costs time, not the copy.
    ///
    /// # Errors
    /// What `original` says, or why the bytes are no photo.
    pub fn get<E: From<Skip>>(
        &self,
        hash: &ContentHash,
        limits: &Limits,
        original: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Vec<u8>, E> {
        let path = self.path(hash);
        match fs::read(&path) {
            Ok(jpeg) if !jpeg.is_empty() => return Ok(jpeg),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => tracing::debug!(path = %path.display(), %error, "cannot be read"),
        }
        let decoded = decode(&original()?, limits)?;
        let jpeg = reduced(&decoded.raster, Self::SIDE, Self::SIDE);
        if let Err(error) = atomic::write_private(&path, &jpeg) {
            tracing::warn!(path = %path.display(), %error, "a thumbnail cannot be kept");
        }
        Ok(jpeg)
    }

    /// Two levels, so that no folder holds more than some thousand files.
    fn path(&self, hash: &ContentHash) -> PathBuf {
        let name = hash.to_string();
        self.folder.join(&name[..2]).join(format!("{name}.jpg"))
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;
    use crate::raster::Orientation;

    /// Red at the top, blue below, stored on its side as a phone held upright does.
    fn phone_photo() -> Raster {
        let stored = RgbImage::from_fn(1600, 900, |x, _| {
            Rgb(if x < 800 { [250, 0, 0] } else { [0, 0, 250] })
        });
        Raster::new(stored, Orientation::Rotate90)
    }

    #[test]
    fn a_copy_is_upright_and_fits() {
        let jpeg = reduced(&phone_photo(), 320, 320);
        let copy = image::load_from_memory(&jpeg).unwrap().into_rgb8();
        assert_eq!(copy.dimensions(), (180, 320));
        assert!(copy.get_pixel(90, 40)[0] > 200);
        assert!(copy.get_pixel(90, 280)[2] > 200);
    }

    #[test]
    fn a_small_photo_is_not_enlarged() {
        let raster = Raster::new(RgbImage::new(30, 1), Orientation::Upright);
        let copy = image::load_from_memory(&reduced(&raster, 320, 320)).unwrap();
        assert_eq!((copy.width(), copy.height()), (30, 1));
        let raster = Raster::new(RgbImage::new(5000, 1), Orientation::Upright);
        let copy = image::load_from_memory(&reduced(&raster, 320, 320)).unwrap();
        assert_eq!((copy.width(), copy.height()), (320, 1));
    }

    #[test]
    fn a_copy_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let thumbnails = Thumbnails::new(folder.path().join("cache/thumbnails"));
        let photo = reduced(&phone_photo(), 1600, 1600);
        let hash = ContentHash::of(&photo);
        let get = |original: Result<Vec<u8>, Skip>| {
            thumbnails.get(&hash, &Limits::default(), || original)
        };
        let gone = || Skip::new(crate::error::SkipReason::Unreadable, "gone");
        assert_eq!(get(Err(gone())), Err(gone()));
        let made = get(Ok(photo)).unwrap();
        assert_eq!(get(Err(gone())).unwrap(), made);

        #[cfg(unix)]
        for entry in walkdir::WalkDir::new(folder.path()).min_depth(1) {
            use std::os::unix::fs::PermissionsExt as _;
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            let private = if entry.file_type().is_dir() {
                0o700
            } else {
                0o600
            };
            assert_eq!(mode, private, "{}", entry.path().display());
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_costs_no_copy() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let photo = reduced(&phone_photo(), 400, 400);
        let made: Result<_, Skip> =
            Thumbnails::new(file).get(&ContentHash::of(&photo), &Limits::default(), || Ok(photo));
        assert!(image::load_from_memory(&made.unwrap()).is_ok());
    }
}
