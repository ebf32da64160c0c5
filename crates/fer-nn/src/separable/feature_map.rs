//! Feature maps: the input and output of a chain of layers.

use crate::AlignedVec;

/// A feature map: `height` rows of `width` pixels of `channels` values.
#[derive(Debug, Default, Clone)]
pub struct FeatureMap {
    /// Number of pixels in a row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// Number of values of a pixel, which are adjacent in `data`.
    pub channels: usize,
    /// `[height][width][channels]`.
    pub data: AlignedVec<f32>,
}

impl FeatureMap {
    /// Sets the shape, and keeps the memory; the values are unspecified until the caller writes them.
    pub(super) fn reshape(&mut self, width: usize, height: usize, channels: usize) {
        (self.width, self.height, self.channels) = (width, height, channels);
        self.data.resize(width * height * channels);
    }

    /// Enlarges `coarse` twofold by nearest neighbour, each pixel to 2×2 pixels, and adds it to
    /// this map.
    ///
    /// # Panics
    /// If this map is not twice as wide and high as `coarse`, with as many channels.
    pub fn add_upsampled(&mut self, coarse: &Self) {
        let size = (2 * coarse.width, 2 * coarse.height, coarse.channels);
        assert_eq!((self.width, self.height, self.channels), size);
        let c = self.channels;
        let rows = self.data.chunks_exact_mut(self.width * c);
        for (y, row) in rows.enumerate() {
            let source = &coarse.data[y / 2 * coarse.width * c..][..coarse.width * c];
            for (pair, value) in row.chunks_exact_mut(2 * c).zip(source.chunks_exact(c)) {
                let (left, right) = pair.split_at_mut(c);
                for i in 0..c {
                    left[i] += value[i];
                    right[i] += value[i];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upsampling_adds_each_pixel_to_four() {
        let coarse = FeatureMap {
            width: 1,
            height: 1,
            channels: 2,
            data: vec![1.0, 2.0].into(),
        };
        let mut fine = FeatureMap {
            width: 2,
            height: 2,
            channels: 2,
            data: vec![10.0; 8].into(),
        };
        fine.add_upsampled(&coarse);
        assert_eq!(*fine.data, [11.0, 12.0].repeat(4));
    }
}
