//! Names and writes the files of `detect --draw`, one for each picture.

use std::collections::HashSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, RgbImage};

use crate::error::{Error, Result};
use crate::output::{self, Form, numbered};

/// The path of the drawing of each picture: `target`, or if `target` is a folder, a file in it that is named after the
/// picture. Pictures with the same name get numbers.
///
/// # Errors
/// [`Error::Usage`] if there are several pictures and `target` is not a folder, or `target` is neither PNG nor JPEG.
pub(super) fn plan(target: &Path, pictures: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if !target.is_dir() {
        if pictures.len() > 1 {
            return Err(Error::Usage(format!(
                "--draw {} must be an existing folder if there are several pictures",
                target.display()
            )));
        }
        form(target)?;
        return Ok(vec![target.to_owned()]);
    }
    let mut taken = HashSet::new();
    let paths = pictures.iter().map(|picture| {
        let mut name = picture.file_name().unwrap_or_default().to_owned();
        name.push(".png");
        let path = target.join(name);
        let others = (2..).map(|number| numbered(&path, number));
        // Compared in lower case: on some systems `A.png` and `a.png` are the same file.
        let is_free = |path: &PathBuf| taken.insert(path.to_string_lossy().to_lowercase());
        [path.clone()].into_iter().chain(others).find(is_free)
    });
    Ok(paths.map(Option::unwrap_or_default).collect())
}

/// Writes a drawing.
///
/// # Errors
/// If the file cannot be written, or a file that fer-index did not write is in the way.
pub(super) fn save(drawing: &RgbImage, path: &Path) -> Result<()> {
    let (form, format) = form(path)?;
    let mut bytes = Cursor::new(Vec::new());
    drawing.write_to(&mut bytes, format).map_err(|error| {
        Error::Usage(format!(
            "cannot encode the drawing {}: {error}",
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
    fn drawings_of_pictures_with_the_same_name_are_numbered() {
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
