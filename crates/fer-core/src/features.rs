//! The features of a face: the output of the emotion network's trunk, from which the heads compute their logits. From
//! corrected faces, the personal layer learns by features how to change the scores of similar faces.

/// Bytes before the quantised values: the least value and the step between two, as little-endian `f32`.
const HEADER: usize = 8;

/// The greatest quantised value.
const LEVELS: f32 = 255.0;

/// The features of a face, the mean of those of the face and of its mirror image, quantised to one byte each.
///
/// A linear head on the mean gives the mean of the logits, from which the program computes the scores of a face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features(Box<[u8]>);

impl Features {
    /// Quantises values linearly between their least and their greatest.
    pub fn of(values: &[f32]) -> Self {
        let least = values.iter().copied().fold(f32::INFINITY, f32::min);
        let greatest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let step = (greatest - least) / LEVELS;
        let (least, step) = if step.is_finite() && step > 0.0 {
            (least, step)
        } else {
            (if least.is_finite() { least } else { 0.0 }, 0.0)
        };
        let level = |value: &f32| ((value - least) / step.max(f32::MIN_POSITIVE)).round() as u8;
        let header = [least, step].into_iter().flat_map(f32::to_le_bytes);
        Self(header.chain(values.iter().map(level)).collect())
    }

    /// The features of a model that has none: no values.
    pub fn none() -> Self {
        Self::of(&[])
    }

    /// The inverse of [`Features::as_bytes`]; `None` if the bytes are not features.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (header, _) = bytes.split_at_checked(HEADER)?;
        let numbers = header.as_chunks::<4>().0.iter();
        let is_finite = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes).is_finite();
        let mut numbers = numbers.map(is_finite);
        numbers.all(|finite| finite).then(|| Self(bytes.into()))
    }

    /// The bytes as they are stored: the least value, the step, and a byte for each feature.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Number of features.
    pub fn len(&self) -> usize {
        self.0.len() - HEADER
    }

    /// Whether the model has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values, within half a step of those that were quantised.
    pub fn values(&self) -> impl Iterator<Item = f32> + '_ {
        let (header, levels) = self.0.split_at(HEADER);
        let number = |at: usize| {
            f32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let (least, step) = (number(0), number(4));
        levels
            .iter()
            .map(move |level| least + step * f32::from(*level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_within_half_a_step_and_the_ends_exactly() {
        let values: Vec<f32> = (0..240)
            .map(|i| (i as f32 * 0.37).sin() * 3.0 + 2.0)
            .collect();
        let features = Features::of(&values);
        assert_eq!((features.len(), features.as_bytes().len()), (240, 248));
        let least = values.iter().copied().fold(f32::INFINITY, f32::min);
        let greatest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let half = (greatest - least) / LEVELS / 2.0 + 1e-6;
        for (back, value) in features.values().zip(&values) {
            assert!((back - value).abs() <= half, "{back} {value}");
        }
        assert_eq!(Features::from_bytes(features.as_bytes()), Some(features));
    }

    #[test]
    fn equal_values_no_values_and_values_that_are_no_numbers_are_features() {
        assert!(
            Features::of(&[1.5; 3])
                .values()
                .all(|v| (v - 1.5).abs() < 1e-6)
        );
        assert!(Features::none().is_empty());
        let odd = Features::of(&[f32::NAN, f32::INFINITY, 1.0]);
        assert!(odd.values().all(f32::is_finite));
        assert_eq!(Features::from_bytes(odd.as_bytes()), Some(odd));
    }

    #[test]
    fn bytes_that_are_no_features_are_refused() {
        assert_eq!(Features::from_bytes(&[0; 7]), None);
        let mut bytes = Features::of(&[0.0, 1.0]).as_bytes().to_vec();
        bytes[4..8].copy_from_slice(&f32::NAN.to_le_bytes());
        assert_eq!(Features::from_bytes(&bytes), None);
    }
}
