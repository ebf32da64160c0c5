//! The files that `detect --draw` writes, one for each picture.

use std::collections::HashSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, RgbImage};

use crate::error::{Error, Result};
use crate::output::{self, Form, numbered};

/// Where the drawing of each picture goes: to `place`, or in the folder of that name to a file named
/// like the picture. Of pictures of one name each gets a file of its own, by a number.
///
/// # Errors
/// [`Error::Usage`] if several pictures would go to one file, or a file is neither PNG nor JPEG.
pub(super) fn plan(place: &Path, pictures: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if !place.is_dir() {
        if pictures.len() > 1 {
            return Err(Error::Usage(format!(
                "--draw {} must be an existing folder where there are several pictures",
                place.display()
            )));
        }
        form(place)?;
        return Ok(vec![place.to_owned()]);
    }
    let mut taken = HashSet::new();
    let paths = pictures.iter().map(|picture| {
        let mut name = picture.file_name().unwrap_or_default().to_owned();
        name.push(".png");
        let path = place.join(name);
        let others = (2..).map(|number| numbered(&path, number));
        // In lower case: on some systems `A.png` and `a.png` are one file.
        let is_free = |path: &PathBuf| taken.insert(path.to_string_lossy().to_lowercase());
        [path.clone()].into_iter().chain(others).find(is_free)
    });
    Ok(paths.map(Option::unwrap_or_default).collect())
}

/// Writes a drawing.
///
/// # Errors
/// If the file cannot be written, or one that is not ours is in the way.
pub(super) fn save(drawing: &RgbImage, path: &Path) -> Result<()> {
    let (form, format) = form(path)?;
    let mut bytes = Cursor::new(Vec::new());
    drawing.write_to(&mut bytes, format).map_err(|error| {
        Error::Usage(format!(
            "the drawing {} cannot be made: {error}",
            path.display()
        ))
    })?;
    output::write(path, form, bytes.get_ref())
}

fn form(path: &Path) -> Result<(Form, ImageFormat)> {
    match ImageFormat::from_path(path) {
        Ok(format @ ImageFormat::Png) => Ok((Form::Png, format)),
        Ok(format @ ImageFormat::Jpeg) => Ok((Form::Jpeg, format)),
        _ => Err(Error::Usage(format!(
            "a drawing is a PNG or JPEG file; give {} the ending .png or .jpg",
            path.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_one_name_get_files_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let pictures = ["a/x.jpg", "b/x.jpg", "c/X.JPG", "d/x.jpg (2)"].map(PathBuf::from);
        let planned = plan(folder.path(), &pictures).unwrap();
        let names: Vec<_> = planned
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "x.jpg.png",
                "x.jpg (2).png",
                "X.JPG (3).png",
                "x.jpg (2) (2).png"
            ]
        );
    }
}
