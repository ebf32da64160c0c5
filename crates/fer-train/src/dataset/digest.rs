//! A hash of a data set, by which a run recognises the data that it was begun on.

use blake3::{Hash, Hasher};

use super::Dataset;

impl Dataset {
    /// A hash of classes, labels, parts, votes and pixels. Equal data sets have equal hashes, whatever their file is
    /// called and however it was written.
    pub fn digest(&self) -> Hash {
        let columns = self.columns();
        let mut hasher = Hasher::new();
        for part in [
            columns.emotions.as_bytes(),
            &columns.labels,
            &columns.usage,
            &columns.votes,
            &self.pixels,
        ] {
            // The length keeps bytes from moving from one part to the next.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use crate::dataset::{Dataset, Row, Usage};
    use crate::testing::signal;
    use fer_core::emotion::Emotion;

    #[test]
    fn every_part_of_a_data_set_changes_its_hash() {
        let original = signal(12);
        let changed = |change: fn(&mut Row)| {
            let mut rows = original.rows().to_vec();
            change(&mut rows[3]);
            let pixels = (0..12).flat_map(|row| original.pixels(row).to_vec());
            Dataset::new(original.emotions().to_vec(), rows, pixels.collect())
        };
        assert_eq!(changed(|_| ()).digest(), original.digest());
        let changes: [fn(&mut Row); 3] = [
            |row| row.label = Emotion::Sad,
            |row| row.usage = Usage::PrivateTest,
            |row| row.votes = None,
        ];
        for change in changes {
            assert_ne!(changed(change).digest(), original.digest());
        }
        assert_ne!(signal(11).digest(), original.digest());
        let mut pixels: Vec<u8> = (0..12)
            .flat_map(|row| original.pixels(row).to_vec())
            .collect();
        pixels[5] ^= 1;
        let rows = original.rows().to_vec();
        let other = Dataset::new(original.emotions().to_vec(), rows.clone(), pixels.clone());
        assert_ne!(other.digest(), original.digest());
        pixels[5] ^= 1;
        let more = Dataset::new(Emotion::ALL.to_vec(), rows, pixels);
        assert_ne!(more.digest(), original.digest());
    }
}
