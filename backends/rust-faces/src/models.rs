//! The models that `rust-faces` runs, and the checks of their files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rust_faces::{BlazeFace, BlazeFaceParams, FaceDetector, MtCnn, MtCnnParams};

/// A model that `--model` can name.
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
        found.ok_or(format!("there is no model {name}; use blazeface-640, blazeface-320 or mtcnn"))
    }

    /// Names of its files, as `rust-faces` stores them.
    const fn files(self) -> &'static [&'static str] {
        match self {
            Self::BlazeFace640 => &["blazeface-640.onnx"],
            Self::BlazeFace320 => &["blazeface-320.onnx"],
            Self::MtCnn => &["mtcnn-pnet.onnx", "mtcnn-rnet.onnx", "mtcnn-onet.onnx"],
        }
    }

    /// Most pixels of a picture: those of 4:3 with the longer side in the model's name, or VGA.
    pub const fn max_pixels(self) -> u32 {
        match self {
            Self::BlazeFace640 => 640 * 480,
            Self::BlazeFace320 => 320 * 240,
            Self::MtCnn => 640 * 480,
        }
    }

    /// Checks that all of its files are in `folder`, since the crate panics if one is missing.
    pub fn check_files(self, folder: &Path) -> Result<(), String> {
        let missing = self.files().iter().map(|name| folder.join(name)).find(|path| !path.is_file());
        match missing {
            Some(path) => Err(format!(
                "there is no {}; download it as the README says, or name another folder with --models",
                path.display()
            )),
            None => Ok(()),
        }
    }

    /// Loads the model from `folder`.
    pub fn load(self, folder: &Path, threshold: f32) -> Result<Box<dyn FaceDetector>, String> {
        let environment = ort::Environment::builder().with_name("fer-index").build();
        let environment = Arc::new(environment.map_err(|error| error.to_string())?);
        let paths: Vec<PathBuf> = self.files().iter().map(|name| folder.join(name)).collect();
        let text = |index: usize| paths[index].to_str().ok_or("the model folder's name is not UTF-8");
        if self == Self::MtCnn {
            // Not with the crate's builder, which panics if it is given files and downloads them if not.
            let mut params = MtCnnParams::default();
            params.thresholds[2] = threshold;
            let model = MtCnn::from_file(environment, text(0)?, text(1)?, text(2)?, params);
            return Ok(Box::new(model.map_err(|error| error.to_string())?));
        }
        let params = BlazeFaceParams {
            score_threshold: threshold,
            // Pictures are not enlarged, so a large target keeps their size.
            target_size: 4096,
            ..BlazeFaceParams::default()
        };
        Ok(Box::new(BlazeFace::from_file(environment, text(0)?, params)))
    }
}

/// Checks that `ORT_DYLIB_PATH` names a file, since the crate panics without ONNX Runtime's library.
pub fn check_library() -> Result<(), String> {
    let path = std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from).ok_or(
        "ORT_DYLIB_PATH must name libonnxruntime.so; the README says where to get it",
    )?;
    if path.is_file() {
        return Ok(());
    }
    Err(format!("there is no {}; set ORT_DYLIB_PATH to libonnxruntime.so", path.display()))
}
