//! Pictures that are read from the end of their file, which is given back meanwhile: of what is not compressed, the file
//! takes as much memory as the pixels.

use std::borrow::Cow;

use super::bmp;
use super::limits::Task;
use super::lost::Pixels;
use super::tiff_any::Unpacked;
use crate::error::Skip;

/// What is known of a picture after its file has been read once.
pub(super) enum Source {
    Pixels(Pixels),
    Bmp(bmp::Rows),
    Tiff(Unpacked),
}

impl Source {
    /// The pixels as stored.
    pub fn pixels(self, task: &Task<'_>, file: FileEnd<'_>) -> Result<Pixels, Skip> {
        match self {
            Self::Pixels(pixels) => Ok(pixels),
            Self::Bmp(rows) => rows.pixels(task, file).map(Pixels::whole),
            Self::Tiff(unpacked) => unpacked.pixels(task, file).map(Pixels::whole),
        }
    }
}

/// The bytes of a file up to the first one that is not needed any more.
pub(super) struct FileEnd<'a>(Cow<'a, [u8]>);

impl<'a> FileEnd<'a> {
    pub fn of(bytes: Cow<'a, [u8]>) -> Self {
        Self(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Keeps so many of the bytes and gives the memory of the others back, unless somebody else has them too.
    pub fn keep(&mut self, length: usize) {
        match &mut self.0 {
            Cow::Borrowed(bytes) => *bytes = &bytes[..length.min(bytes.len())],
            Cow::Owned(bytes) => {
                bytes.truncate(length);
                give_back(bytes);
            }
        }
    }
}

/// Gives the memory behind the end of a vector back, if it is worth the call.
pub(super) fn give_back<T>(vector: &mut Vec<T>) {
    /// In bytes.
    const WORTH: usize = 4 << 20;
    if (vector.capacity() - vector.len()) * size_of::<T>() >= WORTH {
        vector.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_file_is_given_back_if_nobody_else_has_it() {
        let whole: Vec<u8> = (0..16 << 20).map(|at| at as u8).collect();
        let mut borrowed = FileEnd::of(Cow::Borrowed(&whole));
        let mut owned = FileEnd::of(Cow::Owned(whole.clone()));
        for length in [15 << 20, 9 << 20, 10 << 20, 5] {
            for file in [&mut borrowed, &mut owned] {
                file.keep(length);
                assert_eq!(file.bytes(), &whole[..file.bytes().len()]);
                assert!(file.bytes().len() <= length);
            }
            let Cow::Owned(bytes) = &owned.0 else {
                unreachable!("it was owned");
            };
            assert!(bytes.capacity() < bytes.len() + (4 << 20));
        }
    }
}
