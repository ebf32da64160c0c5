//! Thumbnails: small upright copies of photos, cached in a folder that only its owner can read.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use walkdir::WalkDir;

use crate::atomic;
use crate::photo::ContentHash;

/// JPEG quality of the copies, 1 to 100; artefacts are not visible at their size.
const QUALITY: u8 = 85;

/// A picture as a JPEG without metadata.
///
/// # Panics
/// If it has no pixels.
pub fn jpeg_of(picture: &RgbImage) -> Vec<u8> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode_image(picture)
        .expect("a picture with pixels can be encoded into memory");
    jpeg
}

/// A cache of thumbnails by content hash, so that a thumbnail cannot be out of date.
///
/// The folder may be deleted at any time; missing thumbnails are made again.
#[derive(Debug, Clone)]
pub struct Thumbnails {
    folder: PathBuf,
}

impl Thumbnails {
    /// Longest side of a thumbnail in pixels: enough for rows of 240 points on a screen with two pixels per
    /// point.
    const SIDE: u32 = 720;

    /// A cache in `folder`, which is created with the first thumbnail.
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The thumbnail of the photo with this content hash. If it is not cached, `copy` makes a copy of the photo of at
    /// most this width and height. If the folder cannot be written, the thumbnail is returned without being cached.
    ///
    /// # Errors
    /// The error of `copy`.
    pub fn get<E>(
        &self,
        hash: &ContentHash,
        copy: impl FnOnce((u32, u32)) -> Result<RgbImage, E>,
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
        let jpeg = jpeg_of(&copy((Self::SIDE, Self::SIDE))?);
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
        let hash = ContentHash::of(b"photo");
        let gone = |_| Err("gone");
        assert_eq!(thumbnails.get(&hash, gone), Err("gone"));
        let made = thumbnails.get(&hash, |(width, height)| {
            Ok::<_, &str>(phone_photo().fitted(width, height))
        });
        assert_eq!(thumbnails.get(&hash, gone), made);

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
        let made = Thumbnails::new(file).get(&ContentHash::of(b"photo"), |(width, height)| {
            Ok::<_, ()>(phone_photo().fitted(width, height))
        });
        assert!(image::load_from_memory(&made.unwrap()).is_ok());
    }
}
