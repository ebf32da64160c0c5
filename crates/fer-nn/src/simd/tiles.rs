//! Divides columns into blocks of whole registers, and rows into register tiles of the greatest
//! height for which there are registers.

use super::Simd;
use super::portable::Scalar;

/// A computation on columns of row-major values, written once for every block width.
pub trait Columns {
    /// Computes a block of `V * S::LANES` columns from `column` on.
    ///
    /// # Safety
    /// The processor must support the instruction set `S`, and all columns of the block must exist.
    unsafe fn work<S: Simd, const V: usize>(&mut self, column: usize);
}

/// Computes columns 0 to `count - 1` in blocks of two registers, then of one register, then of one
/// value.
///
/// # Safety
/// The processor must support the instruction set `S`, and columns 0 to `count - 1` must exist.
#[inline(always)]
pub unsafe fn each_column<S: Simd>(work: &mut impl Columns, count: usize) {
    let mut column = 0;
    // SAFETY: the caller guarantees `S` and `count` columns. Each loop's condition ensures that its
    // block ends at `count` at most. `Scalar` needs no instruction set.
    unsafe {
        while column + 2 * S::LANES <= count {
            work.work::<S, 2>(column);
            column += 2 * S::LANES;
        }
        while column + S::LANES <= count {
            work.work::<S, 1>(column);
            column += S::LANES;
        }
        while column < count {
            work.work::<Scalar, 1>(column);
            column += 1;
        }
    }
}

/// A computation on rows, written once for every height of a register tile.
pub trait Rows {
    /// Computes a tile of `N` rows from `row` on, `V` registers wide.
    ///
    /// # Safety
    /// The processor must support the instruction set `S`, and all rows of the tile must exist.
    unsafe fn work<S: Simd, const N: usize, const V: usize>(&mut self, row: usize);
}

/// Computes rows 0 to `count - 1` in tiles of at most [`Simd::ROWS`] rows.
///
/// # Safety
/// The processor must support the instruction set `S`, and rows 0 to `count - 1` must exist.
#[inline(always)]
pub unsafe fn each_row<S: Simd, const V: usize>(work: &mut impl Rows, count: usize) {
    let mut row = 0;
    macro_rules! take {
        ($n:literal) => {{
            // SAFETY: the caller guarantees `S` and `count` rows; the match arm ensures that at least
            // `$n` rows are left.
            unsafe { work.work::<S, $n, V>(row) };
            row += $n;
        }};
    }
    while row < count {
        match (count - row).min(S::ROWS) {
            12.. => take!(12),
            9.. => take!(9),
            8 => take!(8),
            6.. => take!(6),
            4.. => take!(4),
            2.. => take!(2),
            _ => take!(1),
        }
    }
}
