//! Writes a network as an ONNX file, which other programs can run.
//!
//! The graph takes grey faces `faces [n, 1, 48, 48]` of 0 to 255, cut as [`fer_core::classify::crop_face`] cuts them,
//! and returns `scores [n, 8]` in the order of [`Emotion::ALL`]: the program's own scores, including mirror images and
//! ensemble weights.

mod graph;
mod protobuf;
#[cfg(test)]
mod tests;

use fer_core::emotion::Emotion;
use fer_core::error::Result;
use fer_core::network::ModelFile;

use graph::Graph;
use protobuf::Message;

/// The version of ONNX's operators that the file uses.
pub const OPSET: i64 = 13;

/// The version of the file format that belongs to [`OPSET`].
const IR_VERSION: i64 = 7;

/// The ONNX file of a model.
///
/// # Errors
/// If a weight is missing or of another shape.
pub fn export(model: &ModelFile) -> Result<Vec<u8>> {
    let graph = Graph::of(&model.spec, &model.weights).map_err(|error| model.unusable(&error))?;
    let opset = Message::default().text(1, "").int(2, OPSET);
    let names: Vec<&str> = Emotion::ALL.iter().map(|emotion| emotion.name()).collect();
    let entry = |key: &str, value: &str| Message::default().text(1, key).text(2, value);
    let metadata = [
        entry("emotions", &names.join(",")),
        entry(
            "input",
            &fer_core::classify::input(model.spec.pixels).to_string(),
        ),
    ];
    let file = Message::default()
        .int(1, IR_VERSION)
        .text(2, "fer-index")
        .text(3, env!("CARGO_PKG_VERSION"))
        .message(7, &graph)
        .message(8, &opset)
        .messages(14, &metadata);
    Ok(file.into_bytes())
}
