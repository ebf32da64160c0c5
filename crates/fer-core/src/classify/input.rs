//! What a model is shown, as its file tells it: a face cut or scaled otherwise would be read wrongly
//! without a word.

use serde_json::{Value, json};

use super::{FACE_SIDE, FRAME_LANDMARKS};
use crate::network::DEVIATION_FLOOR;

/// What this program shows a network, as JSON: side in pixels, colour, how grey values are
/// normalised, and where eyes, nose and mouth corners (left before right) lie in the frame.
pub fn input() -> Value {
    json!({
        "side": FACE_SIDE,
        "colour": "grey",
        "normalisation": "mean 0, deviation 1 of each face",
        "deviation_floor": DEVIATION_FLOOR,
        "landmarks": FRAME_LANDMARKS.points().map(|point| [point.x, point.y]),
    })
}

/// Compares a model's account of its input with [`input`].
///
/// # Errors
/// A sentence about the first difference.
pub fn check(theirs: &str) -> Result<(), String> {
    let theirs: Value = serde_json::from_str(theirs).map_err(|e| format!("input: {e}"))?;
    let ours = input();
    let (Some(ours), Some(theirs)) = (ours.as_object(), theirs.as_object()) else {
        return Err("its input is not described by a JSON object".to_owned());
    };
    for (key, theirs) in theirs {
        let ours = ours.get(key).unwrap_or(&Value::Null);
        if !equal(ours, theirs) {
            return Err(format!(
                "it was trained on faces whose {key} is {theirs}, and this fer-index makes {ours}"
            ));
        }
    }
    Ok(())
}

/// Whether the values are equal to the precision of `f32`.
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
    fn our_own_account_fits_and_any_other_is_named() {
        check(&input().to_string()).unwrap();
        check(r#"{"side": 48.0}"#).unwrap();
        let refusals = [
            (r#"{"side": 64}"#, "side is 64, and this fer-index makes 48"),
            (r#"{"colour": "rgb"}"#, "colour is \"rgb\""),
            (
                r#"{"mean": 127}"#,
                "mean is 127, and this fer-index makes null",
            ),
            (r#"{"landmarks": [[1, 2]]}"#, "landmarks is [[1,2]]"),
            ("[]", "JSON object"),
            ("{", "input: "),
        ];
        for (account, expected) in refusals {
            let refusal = check(account).unwrap_err();
            assert!(refusal.contains(expected), "{refusal}");
        }
    }
}
