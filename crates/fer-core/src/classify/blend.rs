//! Combines the probabilities of all heads into the emotion scores of an album.

use crate::emotion::Emotion;
use crate::network::HeadSpec;

/// Blends the heads' probabilities into scores that add up to one. Each head's ensemble weights ([`HeadSpec::album`])
/// shift the logits of its emotions, which means multiplying the probabilities by the shift's exponential, and weight
/// the head.
pub fn blend<'a>(
    answers: impl Iterator<Item = (&'a HeadSpec, &'a [f32])>,
) -> [f32; Emotion::COUNT] {
    let mut scores = [0.0; Emotion::COUNT];
    for (head, probabilities) in answers {
        let ensemble = &head.album;
        let shift = |emotion: &Emotion| ensemble.shift.get(emotion).copied().unwrap_or(0.0).exp();
        let shifted = || {
            let pairs = head.emotions.iter().zip(probabilities);
            pairs.map(|(emotion, p)| (emotion, p * shift(emotion)))
        };
        let sum: f32 = shifted().map(|(_, p)| p).sum();
        for (emotion, p) in shifted() {
            scores[emotion.index()] += ensemble.weight * p / sum.max(f32::MIN_POSITIVE);
        }
    }
    let sum: f32 = scores.iter().sum();
    scores.map(|score| score / sum.max(f32::MIN_POSITIVE))
}

/// Replaces logits by their softmax.
pub fn softmax(logits: &mut [f32]) {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for logit in &mut *logits {
        *logit = (*logit - largest).exp();
    }
    let sum: f32 = logits.iter().sum();
    for p in logits {
        *p /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::EnsembleWeights;

    #[test]
    fn scores_follow_weights_and_shifts() {
        let mut label = HeadSpec::fer2013();
        let mut votes = HeadSpec::ferplus();
        votes.album = EnsembleWeights {
            weight: 3.0,
            shift: [(Emotion::Sad, 2f32.ln())].into(),
        };
        let mut happy = [0.0; 7];
        happy[Emotion::Happy.index()] = 1.0;
        let mut half = [0.0; 8];
        half[Emotion::Sad.index()] = 0.5;
        half[Emotion::Neutral.index()] = 0.5;
        let scores = blend([(&label, &happy[..]), (&votes, &half[..])].into_iter());
        let near = |emotion: Emotion, p: f32| (scores[emotion.index()] - p).abs() < 1e-6;
        assert!(
            near(Emotion::Happy, 0.25) && near(Emotion::Sad, 0.5),
            "{scores:?}"
        );
        assert!(near(Emotion::Neutral, 0.25), "{scores:?}");

        label.album.weight = 0.0;
        let scores = blend([(&label, &happy[..]), (&votes, &half[..])].into_iter());
        assert!(scores[Emotion::Happy.index()] < 1e-6, "{scores:?}");
    }

    #[test]
    fn softmax_does_not_overflow() {
        let mut logits = [1000.0, 1000.0, 0.0];
        softmax(&mut logits);
        assert!((logits[0] - 0.5).abs() < 1e-6 && logits[2] < 1e-6);
    }
}
