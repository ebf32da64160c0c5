//! Safetensors files with tensors of bytes, which have a row for each face, and metadata that name the format.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use fer_core::error::{Error, Result};
use fer_core::output::{self, Form};

/// Key of the format's name in the metadata.
const FORMAT: &str = "format";

/// Writes a file of this format, with one more entry of metadata.
///
/// # Errors
/// If the file cannot be written, or a file that this program did not write is in the way.
///
/// # Panics
/// If the number of a tensor's bytes disagrees with its shape.
pub(crate) fn save<const TENSORS: usize>(
    path: &Path,
    format: &str,
    (key, value): (&str, String),
    tensors: [(&str, Vec<usize>, &[u8]); TENSORS],
) -> Result<()> {
    let tensors = tensors.map(|(name, shape, data)| {
        let view = TensorView::new(Dtype::U8, shape, data);
        (name, view.expect("a tensor has the bytes of its shape"))
    });
    let metadata = HashMap::from([
        (FORMAT.to_owned(), format.to_owned()),
        (key.to_owned(), value),
    ]);
    let bytes =
        safetensors::serialize(tensors, Some(metadata)).map_err(|e| Error::input(path, e))?;
    output::write(path, Form::Tensors, &ordered(bytes))
}

/// The JSON at the start of a safetensors file.
#[derive(Serialize, Deserialize)]
struct Header {
    #[serde(rename = "__metadata__")]
    metadata: BTreeMap<String, String>,
    #[serde(flatten)]
    tensors: BTreeMap<String, Value>,
}

/// Sorts the metadata of a safetensors file by name. The crate writes them in a random order, so each writing of the
/// same model would give it another name, which is a hash of its bytes. A file without metadata is returned unchanged.
pub(crate) fn ordered(file: Vec<u8>) -> Vec<u8> {
    let parts = file.split_first_chunk().and_then(|(length, rest)| {
        rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
    });
    let json = parts.and_then(|(json, tensors)| {
        let header: Header = serde_json::from_slice(json).ok()?;
        Some((serde_json::to_vec(&header).ok()?, tensors))
    });
    let Some((mut json, tensors)) = json else {
        return file;
    };
    json.resize(json.len().next_multiple_of(8), b' ');
    [&(json.len() as u64).to_le_bytes(), json.as_slice(), tensors].concat()
}

/// Reads and parses a file; `is_other` ends the error message for a file of another kind.
///
/// # Errors
/// If the file cannot be read or parsed.
pub(crate) fn load<T>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> Option<T>,
    is_other: &str,
) -> Result<T> {
    let bytes = std::fs::read(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })?;
    parse(&bytes).ok_or_else(|| Error::Usage(format!("{} {is_other}", path.display())))
}

/// The content of a file.
pub(crate) struct TensorFile<'a> {
    metadata: HashMap<String, String>,
    tensors: SafeTensors<'a>,
}

impl<'a> TensorFile<'a> {
    /// `None` if the bytes are not a file of this format.
    pub fn parse(bytes: &'a [u8], format: &str) -> Option<Self> {
        let (_, header) = SafeTensors::read_metadata(bytes).ok()?;
        let metadata = header.metadata().clone()?;
        if metadata.get(FORMAT)? != format {
            return None;
        }
        let tensors = SafeTensors::deserialize(bytes).ok()?;
        Some(Self { metadata, tensors })
    }

    /// An entry of the metadata.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// The bytes of a tensor.
    pub fn bytes(&self, name: &str) -> Option<&'a [u8]> {
        let tensor = self.tensors.tensor(name).ok()?;
        (tensor.dtype() == Dtype::U8).then(|| tensor.data())
    }
}
