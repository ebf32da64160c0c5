//! Decodes photos that are shown to people: on the calling thread or in decoding processes, as the settings say.

use image::RgbImage;

use super::analyse::pictures;
#[cfg(unix)]
use super::process::Decoders;
use crate::error::Skip;
use crate::face::DetectedFace;
use crate::imaging::{self, Limits};
use crate::likeness::FacePicture;
use crate::photo::Capture;

/// Decodes photos without looking for faces.
#[derive(Debug)]
pub enum Decoder {
    /// On the calling thread.
    Local(Limits),
    /// In processes of their own.
    #[cfg(unix)]
    Isolated(Box<Decoders>),
}

/// What the index stores of a photo whose faces were corrected.
pub(super) struct CutFaces {
    pub capture: Capture,
    /// Width and height of the upright photo.
    pub size: (u32, u32),
    /// The pictures of the faces.
    pub pictures: Vec<FacePicture>,
}

impl Decoder {
    /// The limits for decoding a photo.
    pub const fn limits(&self) -> &Limits {
        match self {
            Self::Local(limits) => limits,
            #[cfg(unix)]
            Self::Isolated(decoders) => decoders.limits(),
        }
    }

    /// An upright copy of a photo in sRGB, reduced to at most `size` (width and height in pixels); never enlarged.
    ///
    /// # Errors
    /// If the bytes are not a photo that can be decoded.
    pub fn copy(&self, photo: &[u8], size: (u32, u32)) -> Result<RgbImage, Skip> {
        match self {
            Self::Local(limits) => imaging::copy(photo, limits, size.0, size.1),
            #[cfg(unix)]
            Self::Isolated(decoders) => decoders.copy(photo, size),
        }
    }

    /// The pictures of `faces` in a photo, by which they are recognised in others.
    pub(super) fn cut(&self, photo: &[u8], faces: &[DetectedFace]) -> Result<CutFaces, Skip> {
        match self {
            Self::Local(limits) => {
                let decoded = imaging::decode(photo, limits)?;
                Ok(CutFaces {
                    capture: decoded.capture(),
                    size: (decoded.raster.width(), decoded.raster.height()),
                    pictures: pictures(&decoded, faces),
                })
            }
            #[cfg(unix)]
            Self::Isolated(decoders) => decoders.cut(photo, faces),
        }
    }
}
