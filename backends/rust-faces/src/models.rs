//! The models that `rust-faces` runs, and what must be there for them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rust_faces::{BlazeFace, BlazeFaceParams, FaceDetector, MtCnn, MtCnnParams};

/// A model that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    BlazeFace640,
    BlazeFace320,
    MtCnn,
}

impl Model {
    const ALL: [Self; 3] = [Self::BlazeFace640, Self::BlazeFace320, Self::MtCnn];

    pub const fn name(self) -> &'static str {
        match self {
            Self::BlazeFace640 => "blazeface-640",
            Self::BlazeFace320 => "blazeface-320",
            Self::MtCnn => "mtcnn",
        }
    }

    pub fn parse(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|model| model.name() == name);
        found.ok_or(format!("{name} is no model; there are blazeface-640, blazeface-320 and mtcnn"))
    }

    /// Names of its files, as `rust-faces` itself would store them.
    const fn files(self) -> &'static [&'static str] {
        match self {
            Self::BlazeFace640 => &["blazeface-640.onnx"],
            Self::BlazeFace320 => &["blazeface-320.onnx"],
            Self::MtCnn => &["mtcnn-pnet.onnx", "mtcnn-rnet.onnx", "mtcnn-onet.onnx"],
        }
    }

    /// Most pixels of a picture: a square of the side that the model is named after, or VGA.
    pub const fn max_pixels(self) -> u32 {
        match self {
            Self::BlazeFace640 => 640 * 480,
            Self::BlazeFace320 => 320 * 240,
            Self::MtCnn => 640 * 480,
        }
    }

    /// Whether all of its files lie in `folder`: the crate panics on a missing one.
    pub fn check_files(self, folder: &Path) -> Result<(), String> {
        let missing = self.files().iter().map(|name| folder.join(name)).find(|path| !path.is_file());
        match missing {
            Some(path) => Err(format!(
                "there is no {}; the README tells where it is from, and --models names another folder",
                path.display()
            )),
            None => Ok(()),
        }
    }

    /// Loads it from `folder`.
    pub fn load(self, folder: &Path, threshold: f32) -> Result<Box<dyn FaceDetector>, String> {
        let environment = ort::Environment::builder().with_name("fer-index").build();
        let environment = Arc::new(environment.map_err(|error| error.to_string())?);
        let paths: Vec<PathBuf> = self.files().iter().map(|name| folder.join(name)).collect();
        let text = |index: usize| paths[index].to_str().ok_or("the model folder's name is not UTF-8");
        if self == Self::MtCnn {
            // Not through the crate's builder: that panics on files, and downloads otherwise.
            let mut params = MtCnnParams::default();
            params.thresholds[2] = threshold;
            let model = MtCnn::from_file(environment, text(0)?, text(1)?, text(2)?, params);
            return Ok(Box::new(model.map_err(|error| error.to_string())?));
        }
        let params = BlazeFaceParams {
            score_threshold: threshold,
            // Pictures come at their size; a larger target is never enlarged to.
            target_size: 4096,
            ..BlazeFaceParams::default()
        };
        Ok(Box::new(BlazeFace::from_file(environment, text(0)?, params)))
    }
}

/// Whether ONNX Runtime's library is where `ORT_DYLIB_PATH` says: the crate panics where it is not.
pub fn check_library() -> Result<(), String> {
    let path = std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from).ok_or(
        "ORT_DYLIB_PATH must name libonnxruntime.so; the README tells where it is from",
    )?;
    if path.is_file() {
        return Ok(());
    }
    Err(format!("there is no {}, which ORT_DYLIB_PATH names", path.display()))
}
