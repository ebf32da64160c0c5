//! 3×3 convolutions of stride 1 by Winograd's minimal filtering (Lavin and Gray 2015).
//!
//! With F(4×4, 3×3), a tile of 4×4 output pixels costs 36 multiplications per pair of channels
//! instead of 144. With F(2×2, 3×3), a tile of 2×2 pixels costs 16 instead of 36; its transformed
//! kernel is less than half as large and an image has four times as many tiles, which is faster for
//! a single small image.
//!
//! With `V = Bᵀ x B` for an input tile and `U = G k Gᵀ` for the kernel, the output tile is
//! `Aᵀ (U ⊙ V) A`. Each element of `U` and `V` belongs to one interpolation point (in the code, a
//! point), so the sums over channels are one matrix product for each point. The gradient of the
//! kernel is the adjoint: `Gᵀ (V ⊙ A dy Aᵀ) G`, summed over the tiles.

mod convolve;
mod gradient;
mod kernel;
mod tiling;
mod transform;

pub use convolve::Convolve;
pub use gradient::KernelGradient;
pub use kernel::{gradient_of_kernel, transform_kernel};
pub use tiling::{Size, Tiling};
