//! Counts the rows of a data set.

use serde::Serialize;

use super::{Dataset, Usage};

/// The number of rows of one part whose pixels occur in another part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DuplicateCounts {
    /// The part whose rows are counted.
    pub of: &'static str,
    /// The part that has the same pixels.
    pub also_in: &'static str,
    /// The number of rows.
    pub rows: usize,
}

/// The counts of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Names of the classes.
    pub emotions: Vec<&'static str>,
    /// For each part its name and the number of rows of each class.
    pub parts: Vec<(&'static str, Vec<usize>)>,
    /// Number of rows with FER+ votes.
    pub with_votes: usize,
    /// Duplicates between the parts, for pairs of parts that have any.
    pub duplicates: Vec<DuplicateCounts>,
}

impl Dataset {
    /// Counts the rows of each part and class, and the duplicates between parts.
    pub fn summary(&self) -> Summary {
        let parts = Usage::ALL
            .into_iter()
            .map(|usage| {
                let of_class = |emotion| {
                    let rows = self.rows.iter();
                    rows.filter(|row| row.usage == usage && row.label == emotion)
                        .count()
                };
                let counts = self.emotions.iter().map(|&e| of_class(e)).collect();
                (usage.name(), counts)
            })
            .collect();
        let mut duplicates = Vec::new();
        for also_in in Usage::ALL {
            let repeated = self.duplicated_in(also_in);
            for of in Usage::ALL.into_iter().filter(|&of| of > also_in) {
                let rows = self.indices(of).iter().filter(|&&i| repeated[i]).count();
                if rows > 0 {
                    duplicates.push(DuplicateCounts {
                        of: of.name(),
                        also_in: also_in.name(),
                        rows,
                    });
                }
            }
        }
        Summary {
            emotions: self.emotions.iter().map(|e| e.name()).collect(),
            parts,
            with_votes: self.rows.iter().filter(|row| row.votes.is_some()).count(),
            duplicates,
        }
    }
}
