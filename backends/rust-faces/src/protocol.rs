//! The messages of fer-index's detector protocol, version 1.

use rust_faces::Face;
use serde_json::{json, Value};

use crate::models::Model;

/// The line before a picture's pixels.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    pub width: u32,
    pub height: u32,
    pub bytes: usize,
}

impl Request {
    pub fn parse(line: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(line).map_err(|e| format!("not a request: {e}"))?;
        let number = |name: &str| value[name].as_u64().ok_or(format!("no {name} in the request"));
        let side = |name: &str| number(name)?.try_into().map_err(|_| format!("{name} is too large"));
        Ok(Self {
            width: side("width")?,
            height: side("height")?,
            bytes: number("bytes")?.try_into().map_err(|_| "too many bytes")?,
        })
    }
}

/// The first line of the program.
pub fn hello(model: Model) -> Value {
    json!({
        "fer_index_detector": 1,
        "model": format!("rust-faces 1.0.0 {}", model.name()),
        "max_pixels": model.max_pixels(),
    })
}

/// The answer with the faces of a picture, without those whose sides are not positive.
pub fn faces_answer(faces: &[Face]) -> Value {
    let faces: Vec<Value> = faces
        .iter()
        .filter(|face| face.rect.width > 0.0 && face.rect.height > 0.0)
        .map(|face| {
            let rect = &face.rect;
            let landmarks = face.landmarks.as_ref().filter(|points| points.len() == 5);
            json!({
                "box": [rect.x, rect.y, rect.width, rect.height],
                "score": face.confidence.clamp(0.0, 1.0),
                "landmarks": landmarks,
            })
        })
        .collect();
    json!({ "faces": faces })
}

/// The answer for a picture that could not be processed.
pub fn error_answer(problem: &str) -> Value {
    json!({ "error": problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_three_numbers() {
        let request = Request::parse(r#"{"width":4,"height":3,"bytes":36}"#).unwrap();
        assert_eq!(request, Request { width: 4, height: 3, bytes: 36 });
        assert!(Request::parse("{}").is_err());
        assert!(Request::parse(r#"{"width":-4,"height":3,"bytes":36}"#).is_err());
    }
}
