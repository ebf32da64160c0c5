//! Element-wise updates of a tensor in place, each in one pass over its values.

use candle_core::{CpuStorage, InplaceOp2, InplaceOp3, Layout, Result, Tensor, bail};

/// The range of a contiguous tensor in its storage.
fn span(layout: &Layout) -> Result<std::ops::Range<usize>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(start..end),
        None => bail!("the tensor must be contiguous"),
    }
}

fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    Ok(&storage.as_slice::<f32>()?[span(layout)?])
}

fn values_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match storage {
        CpuStorage::F32(values) => Ok(&mut values[span(layout)?]),
        _ => bail!("the tensor must hold f32"),
    }
}

struct Update<F>(F);

impl<F: Fn(f32, f32) -> f32> InplaceOp2 for Update<F> {
    fn name(&self) -> &'static str {
        "update"
    }

    fn cpu_fwd(
        &self,
        x: &mut CpuStorage,
        x_layout: &Layout,
        a: &CpuStorage,
        a_layout: &Layout,
    ) -> Result<()> {
        let x = values_mut(x, x_layout)?;
        for (x, a) in x.iter_mut().zip(values(a, a_layout)?) {
            *x = self.0(*x, *a);
        }
        Ok(())
    }
}

impl<F: Fn(f32, f32, f32) -> f32> InplaceOp3 for Update<F> {
    fn name(&self) -> &'static str {
        "update"
    }

    fn cpu_fwd(
        &self,
        x: &mut CpuStorage,
        x_layout: &Layout,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<()> {
        let x = values_mut(x, x_layout)?;
        let others = values(a, a_layout)?.iter().zip(values(b, b_layout)?);
        for (x, (a, b)) in x.iter_mut().zip(others) {
            *x = self.0(*x, *a, *b);
        }
        Ok(())
    }
}

/// Replaces each value of `x` by `f(x, a)` with the value of `a` at the same index.
///
/// # Errors
/// If the tensors are not contiguous `f32` of one shape.
pub fn update_with(x: &Tensor, a: &Tensor, f: impl Fn(f32, f32) -> f32) -> Result<()> {
    same_shape(x, a)?;
    x.inplace_op2(a, &Update(f))
}

/// Replaces each value of `x` by `f(x, a, b)` with the values of `a` and `b` at the same index.
///
/// # Errors
/// If the tensors are not contiguous `f32` of one shape.
pub fn update_with_two(
    x: &Tensor,
    a: &Tensor,
    b: &Tensor,
    f: impl Fn(f32, f32, f32) -> f32,
) -> Result<()> {
    same_shape(x, a)?;
    same_shape(x, b)?;
    x.inplace_op3(a, b, &Update(f))
}

fn same_shape(x: &Tensor, a: &Tensor) -> Result<()> {
    if x.shape() != a.shape() {
        bail!("cannot update {:?} from {:?}", x.shape(), a.shape());
    }
    Ok(())
}
