//! Faces that occur more than once.

use std::collections::HashSet;

use super::{Dataset, Usage};

impl Dataset {
    /// For each row, whether a row of `usage` other than itself has the same pixels.
    pub fn repeated_in(&self, usage: Usage) -> Vec<bool> {
        let mut seen = HashSet::new();
        let mut twice = HashSet::new();
        for index in self.indices(usage) {
            if !seen.insert(self.pixels(index)) {
                twice.insert(self.pixels(index));
            }
        }
        (0..self.rows.len())
            .map(|index| {
                let others = if self.rows[index].usage == usage {
                    &twice
                } else {
                    &seen
                };
                others.contains(self.pixels(index))
            })
            .collect()
    }
}
