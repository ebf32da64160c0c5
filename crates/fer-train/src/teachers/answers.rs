//! What teachers answered before a run.

/// The teachers' answers to rows of a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    share: f32,
    /// For each row of the data set the place of its answer.
    places: Vec<Option<usize>>,
    /// For each head of the pupil the answers, rows × classes.
    heads: Vec<Vec<f32>>,
}

impl Answers {
    /// `heads` are the answers to `rows` of a data set of `len`, and are to have `share` in the targets.
    pub fn new(share: f32, len: usize, rows: &[usize], heads: Vec<Vec<f32>>) -> Self {
        let mut places = vec![None; len];
        for (place, &row) in rows.iter().enumerate() {
            places[row] = Some(place);
        }
        Self {
            share,
            places,
            heads,
        }
    }

    /// The answer of the head at `head` to a row that was asked about.
    pub fn answer(&self, head: usize, row: usize, classes: usize) -> Option<&[f32]> {
        let place = (*self.places.get(row)?)?;
        self.heads.get(head)?.get(place * classes..)?.get(..classes)
    }

    /// Share of the answers in the targets.
    pub const fn share(&self) -> f32 {
        self.share
    }
}
