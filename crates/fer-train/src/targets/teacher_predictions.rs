//! The predictions that teachers made before a run.

/// Probabilities that teachers predicted for rows of a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct TeacherPredictions {
    share: f32,
    /// For each row of the data set its index in `heads`; `None` for a row that was not predicted.
    indices: Vec<Option<usize>>,
    /// For each head of the student the probabilities, rows × classes.
    heads: Vec<Vec<f32>>,
}

impl TeacherPredictions {
    /// `heads` are the probabilities for `rows` of a data set of `len` rows; they will make up `share` of
    /// the targets.
    pub fn new(share: f32, len: usize, rows: &[usize], heads: Vec<Vec<f32>>) -> Self {
        let mut indices = vec![None; len];
        for (index, &row) in rows.iter().enumerate() {
            indices[row] = Some(index);
        }
        Self {
            share,
            indices,
            heads,
        }
    }

    /// The probabilities for `row` at the head with index `head`; `None` if the row was not predicted.
    pub fn row(&self, head: usize, row: usize, classes: usize) -> Option<&[f32]> {
        let index = (*self.indices.get(row)?)?;
        self.heads.get(head)?.get(index * classes..)?.get(..classes)
    }

    /// Share of the predictions in the targets.
    pub const fn share(&self) -> f32 {
        self.share
    }
}
