//! Finds rows with equal pixels.

use std::collections::HashSet;

use super::{Dataset, Usage};

impl Dataset {
    /// For each row, whether another row, one of the part `usage`, has the same pixels.
    pub fn duplicated_in(&self, usage: Usage) -> Vec<bool> {
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
