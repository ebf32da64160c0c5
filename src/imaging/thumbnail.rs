//! Thumbnails: small upright copies of photos, cached in a folder that only its owner can read.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use walkdir::WalkDir;

use super::{Limits, copy};
use crate::atomic;
use crate::error::Skip;
use crate::photo::ContentHash;

/// JPEG quality of the copies, 1 to 100; artefacts are not visible at their size.
const QUALITY: u8 = 85;

/// An upright JPEG of a photo without metadata, in sRGB, reduced to at most `width` × `height` pixels. A smaller photo is
/// not enlarged.
///
/// # Errors
/// Those of [`decode`](super::decode).
///
/// # Panics
/// If a bound is zero.
pub fn reduced(bytes: &[u8], limits: &Limits, width: u32, height: u32) -> Result<Vec<u8>, Skip> {
    Ok(encoded(&copy(bytes, limits, width, height)?))
}

fn encoded(picture: &RgbImage) -> Vec<u8> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode_image(picture)
        .expect("a picture with pixels can be encoded into memory");
    jpeg
}

/// A cache of thumbnails by content hash, so that none is ever out of date.
///
/// The folder may be deleted at any time; missing thumbnails are made again.
#[derive(Debug, Clone)]
pub struct Thumbnails {
    folder: PathBuf,
}

impl Thumbnails {
    /// Longest side of a thumbnail in pixels: enough for rows of 240 points on a screen with two pixels per
    /// point.
    pub const SIDE: u32 = 720;

    /// A cache in `folder`, which is created with the first thumbnail.
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The thumbnail of the photo with this content hash. If it is not cached, `original` supplies the file's
    /// bytes. If the folder cannot be written, the thumbnail is returned without being cached.
    ///
    /// # Errors
    /// The error of `original`, or a skip if the bytes cannot be decoded.
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
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "a thumbnail cannot be read");
            }
        }
        let jpeg = reduced(&original()?, limits, Self::SIDE, Self::SIDE)?;
        if let Err(error) = atomic::write_private(&path, &jpeg) {
            tracing::warn!(path = %path.display(), %error, "a thumbnail cannot be saved");
        }
        Ok(jpeg)
    }

    /// Deletes the thumbnails of contents that are not `known`.
    ///
    /// # Errors
    /// Those of `known`; [`Error::Io`](crate::error::Error::Io) if a thumbnail cannot be deleted.
    pub fn retain(
        &self,
        mut known: impl FnMut(&ContentHash) -> crate::error::Result<bool>,
    ) -> crate::error::Result<()> {
        let files = WalkDir::new(&self.folder).min_depth(2).max_depth(2);
        for file in files.into_iter().filter_map(Result::ok) {
            let name = file
                .file_name()
                .to_str()
                .and_then(|name| name.strip_suffix(".jpg"));
            let hash = name.and_then(|name| blake3::Hash::from_hex(name).ok());
            let Some(hash) = hash.map(|hash| ContentHash::from_bytes(*hash.as_bytes())) else {
                continue;
            };
            if self.path(&hash) == file.path() && !known(&hash)? {
                fs::remove_file(file.path()).map_err(|source| crate::error::Error::Io {
                    path: file.path().to_owned(),
                    source,
                })?;
            }
        }
        Ok(())
    }

    /// The path of a thumbnail, in a subfolder by the first byte, so that no folder has more than a few
    /// thousand files.
    fn path(&self, hash: &ContentHash) -> PathBuf {
        let name = hash.to_string();
        self.folder.join(&name[..2]).join(format!("{name}.jpg"))
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::raster::{Orientation, Raster};

    /// A photo that is red above and blue below, stored rotated, as a phone that is held upright does.
    fn phone_photo() -> Raster {
        let stored = RgbImage::from_fn(1600, 900, |x, _| {
            Rgb(if x < 800 { [250, 0, 0] } else { [0, 0, 250] })
        });
        Raster::new(stored, Orientation::Rotate90)
    }

    #[test]
    fn a_copy_is_upright_and_fits() {
        let copy = phone_photo().fitted(320, 320);
        assert_eq!(copy.dimensions(), (180, 320));
        assert!(copy.get_pixel(90, 40)[0] > 200);
        assert!(copy.get_pixel(90, 280)[2] > 200);
    }

    #[test]
    fn a_small_photo_is_not_enlarged() {
        let raster = Raster::new(RgbImage::new(30, 1), Orientation::Upright);
        assert_eq!(raster.fitted(320, 320).dimensions(), (30, 1));
        let raster = Raster::new(RgbImage::new(5000, 1), Orientation::Upright);
        assert_eq!(raster.fitted(320, 320).dimensions(), (320, 1));
    }

    #[test]
    fn a_thumbnail_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let thumbnails = Thumbnails::new(folder.path().join("cache/thumbnails"));
        let photo = encoded(&phone_photo().fitted(1600, 1600));
        let hash = ContentHash::of(&photo);
        let get = |original: Result<Vec<u8>, Skip>| {
            thumbnails.get(&hash, &Limits::default(), || original)
        };
        let gone = || Skip::new(crate::error::SkipReason::Unreadable, "gone");
        assert_eq!(get(Err(gone())), Err(gone()));
        let made = get(Ok(photo)).unwrap();
        assert_eq!(get(Err(gone())).unwrap(), made);

        #[cfg(unix)]
        for entry in WalkDir::new(folder.path()).min_depth(1) {
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
    fn a_thumbnail_is_returned_even_if_it_cannot_be_saved() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let photo = encoded(&phone_photo().fitted(400, 400));
        let made: Result<_, Skip> =
            Thumbnails::new(file).get(&ContentHash::of(&photo), &Limits::default(), || Ok(photo));
        assert!(image::load_from_memory(&made.unwrap()).is_ok());
    }
}
