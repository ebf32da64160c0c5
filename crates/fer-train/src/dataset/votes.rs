//! FER+'s votes: the emotions that ten people chose for a face.

use fer_core::emotion::Emotion;

/// The votes of FER+'s taggers for one face (Barsoum et al., ICMI 2016).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Votes {
    /// Votes for each emotion, in the order of [`Emotion::ALL`].
    pub emotions: [u8; Emotion::COUNT],
    /// Votes for "unknown".
    pub unknown: u8,
    /// Votes for "not a face".
    pub not_face: u8,
}

impl Votes {
    /// Number of votes that name an emotion.
    pub fn usable(&self) -> u32 {
        self.emotions.iter().map(|&n| u32::from(n)).sum()
    }

    /// Each emotion's share of the usable votes; `None` without such a vote.
    pub fn shares(&self) -> Option<[f32; Emotion::COUNT]> {
        let usable = self.usable();
        (usable > 0).then(|| self.emotions.map(|n| f32::from(n) / usable as f32))
    }

    /// The label under the majority protocol of FER+'s authors: the emotion with more than half of the votes that
    /// remain when categories with a single vote are dropped. `None` without such an emotion.
    pub fn majority(&self) -> Option<Emotion> {
        let kept = |n: u8| if n > 1 { u32::from(n) } else { 0 };
        let total = self.emotions.iter().map(|&n| kept(n)).sum::<u32>()
            + kept(self.unknown)
            + kept(self.not_face);
        Emotion::ALL
            .into_iter()
            .find(|emotion| 2 * kept(self.emotions[emotion.index()]) > total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn votes(angry: u8, sad: u8, neutral: u8, unknown: u8) -> Votes {
        let mut votes = Votes {
            unknown,
            ..Votes::default()
        };
        votes.emotions[Emotion::Angry.index()] = angry;
        votes.emotions[Emotion::Sad.index()] = sad;
        votes.emotions[Emotion::Neutral.index()] = neutral;
        votes
    }

    #[test]
    fn the_majority_drops_single_votes_and_needs_more_than_half() {
        assert_eq!(votes(1, 4, 4, 1).majority(), None);
        assert_eq!(votes(1, 5, 3, 1).majority(), Some(Emotion::Sad));
        assert_eq!(votes(0, 5, 0, 5).majority(), None);
        assert_eq!(votes(1, 1, 1, 1).majority(), None);
        assert_eq!(votes(0, 2, 0, 8).majority(), None);
    }

    #[test]
    fn shares_leave_out_unknown() {
        let shares = votes(1, 3, 0, 6).shares().unwrap();
        assert!((shares[Emotion::Sad.index()] - 0.75).abs() < 1e-6);
        assert_eq!(votes(0, 0, 0, 10).shares(), None);
    }
}
