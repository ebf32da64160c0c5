//! Describes the network's input, and compares a model file's description with it: a model that was trained on faces
//! cut or scaled differently would give wrong scores without an error.

use serde_json::{Value, json};

use super::{FACE_SIDE, FRAME_LANDMARKS};
use crate::network::{DEVIATION_FLOOR, PixelScaling};

/// The input that this program gives to a network with this scaling, as JSON: side in pixels, colour, normalisation
/// of the grey values, and the positions of eyes, nose and corners of the mouth (left before right)
/// in the frame.
pub fn input(scaling: PixelScaling) -> Value {
    let mut input = json!({
        "side": FACE_SIDE,
        "colour": "grey",
        "normalisation": scaling.description(),
        "landmarks": FRAME_LANDMARKS.points().map(|point| [point.x, point.y]),
    });
    if scaling == PixelScaling::Standardised {
        input["deviation_floor"] = json!(DEVIATION_FLOOR);
    }
    input
}

/// Compares a model's description of its input with [`input`] for its scaling; keys that it does not have are not
/// compared.
///
/// # Errors
/// A sentence that names the first difference.
pub fn check(theirs: &str, scaling: PixelScaling) -> Result<(), String> {
    let theirs: Value = serde_json::from_str(theirs)
        .map_err(|e| format!("the \"input\" in its metadata is not JSON: {e}"))?;
    let ours = input(scaling);
    let (Some(ours), Some(theirs)) = (ours.as_object(), theirs.as_object()) else {
        return Err("the \"input\" in its metadata is not a JSON object".to_owned());
    };
    for (key, theirs) in theirs {
        let ours = ours.get(key).unwrap_or(&Value::Null);
        if !equal(ours, theirs) {
            return Err(format!(
                "it was trained on faces whose {key} is {theirs}, but this version of fer-index uses \
                 {ours}; train the model again with this version"
            ));
        }
    }
    Ok(())
}

/// Whether the values are equal, numbers to the precision of `f32`.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let [a, b] = [a, b].map(|number| number.as_f64().unwrap_or(f64::NAN));
            (a - b).abs() <= 1e-6 * a.abs()
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_input_fits_and_a_different_one_is_named() {
        let scaling = PixelScaling::default();
        check(&input(scaling).to_string(), scaling).unwrap();
        check(r#"{"side": 48.0}"#, scaling).unwrap();
        let unit = input(PixelScaling::Unit).to_string();
        check(&unit, PixelScaling::Unit).unwrap();
        let message = check(&unit, scaling).unwrap_err();
        assert!(message.contains("divided by 255"), "{message}");
        let differences = [
            (
                r#"{"side": 64}"#,
                "side is 64, but this version of fer-index uses 48",
            ),
            (r#"{"colour": "rgb"}"#, "colour is \"rgb\""),
            (
                r#"{"mean": 127}"#,
                "mean is 127, but this version of fer-index uses null",
            ),
            (r#"{"landmarks": [[1, 2]]}"#, "landmarks is [[1,2]]"),
            ("[]", "JSON object"),
            ("{", "\"input\" in its metadata is not JSON: "),
        ];
        for (description, expected) in differences {
            let message = check(description, scaling).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
