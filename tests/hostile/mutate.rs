//! Changes samples at random, the same way for the same number.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Longest input, in bytes.
const MAX_BYTES: usize = 1 << 18;

/// Numbers at which lengths, counts and offsets break.
const NUMBERS: [u32; 10] = [
    0,
    1,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
];

/// An input for a target. The first inputs are the samples themselves.
pub fn mutated(target: &str, number: u64, samples: &[Vec<u8>]) -> Vec<u8> {
    if let Some(sample) = samples.get(number as usize) {
        return sample.clone();
    }
    let hash = blake3::hash(format!("{target} {number}").as_bytes());
    let mut random = ChaCha8Rng::from_seed(*hash.as_bytes());
    let mut bytes = samples[random.random_range(0..samples.len())].clone();
    for _ in 0..random.random_range(1..=8) {
        if bytes.is_empty() {
            break;
        }
        let at = random.random_range(0..bytes.len());
        let length = random.random_range(1..=64).min(bytes.len() - at);
        match random.random_range(0..8) {
            0 => bytes[at] ^= 1 << random.random_range(0..8),
            1 => bytes[at] = random.random(),
            2 => {
                let number = NUMBERS[random.random_range(0..NUMBERS.len())];
                let number = if random.random() {
                    number.to_be_bytes()
                } else {
                    number.to_le_bytes()
                };
                let width = [1, 2, 4][random.random_range(0..3)].min(bytes.len() - at);
                bytes[at..at + width].copy_from_slice(&number[4 - width..]);
            }
            3 => drop(bytes.drain(at..at + length)),
            4 => {
                let part = bytes[at..at + length].to_vec();
                let times = random.random_range(1..=16);
                bytes.splice(at..at, part.repeat(times));
            }
            5 => bytes.truncate(at),
            6 => {
                let other = &samples[random.random_range(0..samples.len())];
                if let Some(from) = other.len().checked_sub(1) {
                    let from = random.random_range(0..=from);
                    let part = &other[from..(from + length).min(other.len())];
                    bytes.splice(at..at, part.iter().copied());
                }
            }
            _ => bytes[at..at + length].fill(random.random()),
        }
    }
    bytes.truncate(MAX_BYTES);
    bytes
}
