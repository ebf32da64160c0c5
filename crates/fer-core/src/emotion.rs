//! The eight emotions, sets of them, and a probability for each.

use std::fmt;
use std::ops::Index;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An apparent facial expression.
///
/// The first seven are FER2013's labels in that data set's order, the eighth is FER+'s addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Emotion {
    /// Anger.
    Angry = 0,
    /// Disgust.
    Disgust = 1,
    /// Fear.
    Fear = 2,
    /// Happiness.
    Happy = 3,
    /// Sadness.
    Sad = 4,
    /// Surprise.
    Surprise = 5,
    /// No marked expression.
    Neutral = 6,
    /// Contempt; only FER+ labels it.
    Contempt = 7,
}

impl Emotion {
    /// Number of emotions.
    pub const COUNT: usize = 8;

    /// Every emotion, in index order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Angry,
        Self::Disgust,
        Self::Fear,
        Self::Happy,
        Self::Sad,
        Self::Surprise,
        Self::Neutral,
        Self::Contempt,
    ];

    /// Position in [`Emotion::ALL`]; the database stores emotions by this number.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The emotion at `index` of [`Emotion::ALL`].
    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }

    /// The name used on the command line, in JSON and in model metadata.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Angry => "angry",
            Self::Disgust => "disgust",
            Self::Fear => "fear",
            Self::Happy => "happy",
            Self::Sad => "sad",
            Self::Surprise => "surprise",
            Self::Neutral => "neutral",
            Self::Contempt => "contempt",
        }
    }
}

impl fmt::Display for Emotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The error of parsing a word that names no emotion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown emotion \"{word}\"; use one of {}", Emotion::ALL.map(Emotion::name).join(", "))]
pub struct UnknownEmotion {
    /// The word, as the user wrote it.
    pub word: String,
}

impl FromStr for Emotion {
    type Err = UnknownEmotion;

    /// Accepts each emotion's name and its usual synonyms (`anger`, `happiness`, …), in upper or
    /// lower case.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Ok(match word.trim().to_ascii_lowercase().as_str() {
            "angry" | "anger" => Self::Angry,
            "disgust" | "disgusted" => Self::Disgust,
            "fear" | "afraid" | "fearful" | "scared" => Self::Fear,
            "happy" | "happiness" | "joy" | "smile" | "smiling" => Self::Happy,
            "sad" | "sadness" => Self::Sad,
            "surprise" | "surprised" => Self::Surprise,
            "neutral" | "calm" => Self::Neutral,
            "contempt" | "contemptuous" => Self::Contempt,
            _ => {
                return Err(UnknownEmotion {
                    word: word.to_owned(),
                });
            }
        })
    }
}

/// A set of emotions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EmotionSet(u8);

impl EmotionSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// The set of one emotion.
    pub const fn of(emotion: Emotion) -> Self {
        Self(1 << emotion.index())
    }

    /// Whether the set contains `emotion`.
    pub const fn contains(self, emotion: Emotion) -> bool {
        self.0 & Self::of(emotion).0 != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The emotions of the set, in the order of [`Emotion::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Emotion> {
        Emotion::ALL
            .into_iter()
            .filter(move |emotion| self.contains(*emotion))
    }
}

impl FromIterator<Emotion> for EmotionSet {
    fn from_iter<T: IntoIterator<Item = Emotion>>(emotions: T) -> Self {
        Self(
            emotions
                .into_iter()
                .fold(0, |bits, emotion| bits | Self::of(emotion).0),
        )
    }
}

/// Least human score at which a face counts as a human one. It is lower than 0.5, at which the head is undecided,
/// because missing a person is worse than counting an animal. If it changes, a migration must add the photos of faces
/// between the old and the new value to `dirty_ranks`.
pub const MIN_HUMAN_SCORE: f32 = 0.3;

/// A model's results for a face: a probability for each of the eight emotions, which add up to one, and the human
/// score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EmotionScores {
    probabilities: [f32; Emotion::COUNT],
    human: Option<f32>,
}

impl EmotionScores {
    /// Scores from probabilities in the order of [`Emotion::ALL`].
    pub const fn new(probabilities: [f32; Emotion::COUNT]) -> Self {
        Self {
            probabilities,
            human: None,
        }
    }

    /// The scores with a human score, 0 to 1; `None` if the model does not compute one.
    #[must_use]
    pub const fn with_human(self, human: Option<f32>) -> Self {
        Self { human, ..self }
    }

    /// The human score, 0 to 1; `None` if the model does not compute one.
    pub const fn human(&self) -> Option<f32> {
        self.human
    }

    /// Whether the face counts as a human one: its human score is at least [`MIN_HUMAN_SCORE`], or absent.
    pub fn is_human(&self) -> bool {
        self.human.is_none_or(|human| human >= MIN_HUMAN_SCORE)
    }

    /// The probabilities in the order of [`Emotion::ALL`].
    pub const fn as_array(&self) -> &[f32; Emotion::COUNT] {
        &self.probabilities
    }

    /// The emotions with their probabilities, in the order of [`Emotion::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Emotion, f32)> + '_ {
        Emotion::ALL.into_iter().zip(self.probabilities)
    }

    /// The most probable emotion and its probability; of several equal ones, the first in index
    /// order.
    pub fn top(&self) -> (Emotion, f32) {
        let first = (Emotion::Angry, self.probabilities[0]);
        self.iter().fold(
            first,
            |best, next| {
                if next.1 > best.1 { next } else { best }
            },
        )
    }
}

impl Index<Emotion> for EmotionScores {
    type Output = f32;

    fn index(&self, emotion: Emotion) -> &f32 {
        &self.probabilities[emotion.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for emotion in Emotion::ALL {
            assert_eq!(emotion.name().parse(), Ok(emotion));
            assert_eq!(Emotion::from_index(emotion.index()), Some(emotion));
        }
        assert_eq!("Happiness".parse(), Ok(Emotion::Happy));
    }

    #[test]
    fn an_unknown_word_lists_the_known_ones() {
        let message = "bored".parse::<Emotion>().unwrap_err().to_string();
        assert!(
            message.contains("bored") && message.contains("happy"),
            "{message}"
        );
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: EmotionSet = [Emotion::Sad, Emotion::Angry, Emotion::Sad]
            .into_iter()
            .collect();
        assert!(set.iter().eq([Emotion::Angry, Emotion::Sad]));
        assert!(!set.contains(Emotion::Happy) && EmotionSet::EMPTY.is_empty());
    }

    #[test]
    fn top_is_stable_on_ties() {
        let mut p = [0.0; Emotion::COUNT];
        (p[2], p[5]) = (0.5, 0.5);
        assert_eq!(EmotionScores::new(p).top(), (Emotion::Fear, 0.5));
    }
}
