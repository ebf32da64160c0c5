//! Work cut to whole registers: columns two registers wide, rows in tiles as high as there are
//! registers for.

use super::Simd;
use super::portable::Scalar;

/// Work on the columns of row-major values, written once for every width.
pub trait Columns {
    /// Works on `V` registers of columns from `column` on.
    ///
    /// # Safety
    /// The processor must have the unit `S`, and the columns must exist.
    unsafe fn work<S: Simd, const V: usize>(&mut self, column: usize);
}

/// Takes all of `count` columns, two registers at a time, then one, then single values.
///
/// # Safety
/// The processor must have the unit `S`, and the columns must exist.
#[inline(always)]
pub unsafe fn each_column<S: Simd>(work: &mut impl Columns, count: usize) {
    let mut column = 0;
    // SAFETY: a block is only taken where that many columns are left.
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

/// Work on rows of a register tile, written once for every height.
pub trait Rows {
    /// Works on `N` rows from `row` on, `V` registers wide.
    ///
    /// # Safety
    /// The processor must have the unit `S`, and the rows must exist.
    unsafe fn work<S: Simd, const N: usize, const V: usize>(&mut self, row: usize);
}

/// Takes all of `count` rows, in tiles as high as the unit has registers for.
///
/// # Safety
/// The processor must have the unit `S`, and the rows must exist.
#[inline(always)]
pub unsafe fn each_row<S: Simd, const V: usize>(work: &mut impl Rows, count: usize) {
    let mut row = 0;
    macro_rules! take {
        ($n:literal) => {{
            // SAFETY: at least so many rows are left.
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
