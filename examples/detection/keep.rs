//! Stores variants of photos as files with labels, so that other programs can be measured on them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::variants::Variant;

/// A folder of variants with a table of their faces, as `fer-index evaluate album` reads it.
pub struct Kept {
    folder: PathBuf,
    labels: Mutex<csv::Writer<File>>,
}

impl Kept {
    /// Starts the table `labels.csv` in an existing folder.
    pub fn new(folder: PathBuf) -> csv::Result<Self> {
        let mut labels = csv::Writer::from_path(folder.join("labels.csv"))?;
        labels.write_record([
            "file",
            "state",
            "xmin",
            "ymin",
            "xmax",
            "ymax",
            "left_eye_x",
            "left_eye_y",
            "right_eye_x",
            "right_eye_y",
            "emotion",
        ])?;
        let labels = Mutex::new(labels);
        Ok(Self { folder, labels })
    }

    /// Writes a variant of a photo, with a row for each face.
    pub fn add(&self, set: &str, variant: &Variant, photo: &Path) -> crate::Result<()> {
        let state = format!("{set} {}", variant.label.trim());
        let file = format!("{state} {}.png", stem(photo)).replace('/', "-");
        variant.picture.save(self.folder.join(&file))?;
        let mut labels = self.labels.lock().map_err(|_| "another thread failed")?;
        for face in &variant.faces {
            let Some((numbers, emotion)) = face.label() else {
                continue;
            };
            let mut row = vec![file.clone(), state.clone()];
            row.extend(numbers.map(|n| format!("{n:.2}")));
            row.push(emotion.to_string());
            labels.write_record(row)?;
        }
        Ok(labels.flush()?)
    }
}

/// The name of a file without its extension.
pub fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into()
}
