//! 3×3 convolutions of stride 1 by Winograd's minimal filtering (Lavin and Gray 2015). F(4×4, 3×3): a
//! tile of 4×4 output pixels costs 36 multiplications a channel pair instead of 144. F(2×2, 3×3): one
//! of 2×2 costs 16 instead of 36, with a kernel less than half as large and four times as many tiles,
//! which is better for a small image alone.
//!
//! With `V = Bᵀ x B` for an input tile and `U = G k Gᵀ` for the kernel, the output tile is
//! `Aᵀ (U ⊙ V) A`. The sums over channels are a matrix product at each point. The gradient of the kernel
//! is the adjoint: `Gᵀ (V ⊙ A dy Aᵀ) G`, summed over the tiles.

mod convolve;
mod gradient;
mod kernel;
mod points;
mod tiling;

pub use convolve::Convolve;
pub use gradient::KernelGradient;
pub use kernel::{gradient_of_kernel, transform_kernel};
pub use tiling::{Size, Tiling};
