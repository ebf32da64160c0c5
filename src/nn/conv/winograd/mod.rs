//! 3×3 convolutions of stride 1 by Winograd's minimal filtering F(4×4, 3×3) (Lavin and Gray 2015):
//! a tile of 4×4 output pixels costs 36 multiplications a channel pair instead of 144.
//!
//! With `V = Bᵀ x B` for an input tile and `U = G k Gᵀ` for the kernel, the output tile is
//! `Aᵀ (U ⊙ V) A`. The sums over channels are 36 matrix products. The gradient of the kernel is the
//! adjoint: `Gᵀ (V ⊙ A dy Aᵀ) G`, summed over the tiles.

mod convolve;
mod gradient;
mod kernel;
mod points;
mod tiling;

pub use convolve::Convolve;
pub use gradient::KernelGradient;
pub use kernel::{gradient_of_kernel, transform_kernel};
pub use tiling::Tiling;

/// Side of an output tile.
const OUT: usize = 4;
/// Side of an input tile.
const IN: usize = 6;
/// Points at which the products are taken.
pub const POINTS: usize = IN * IN;
