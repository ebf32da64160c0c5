//! Sharpness-aware minimisation (SAM).

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};

use super::elementwise::update_with;

/// Sharpness-aware minimisation (Foret et al., ICLR 2021): moves the weights by `radius` along the
/// gradient, computes there the gradient for the optimiser, and restores the weights. This prefers flat
/// minima, which noisy labels disturb less.
pub struct Sam {
    radius: f64,
    /// Every variable that a forward pass or the ascent changes, running statistics included.
    state: Vec<Var>,
    /// The variables that the optimiser trains.
    trained: Vec<Var>,
}

impl Sam {
    /// Moves the variables in `trained`; restores those in `state` afterwards.
    pub const fn new(radius: f64, state: Vec<Var>, trained: Vec<Var>) -> Self {
        Self {
            radius,
            state,
            trained,
        }
    }

    /// Calls `gradients` at the point to which the gradients `here` lead, and restores the weights.
    ///
    /// # Errors
    /// If candle cannot update a weight, or the error of `gradients`.
    pub fn gradients(
        &self,
        here: &GradStore,
        gradients: impl FnOnce() -> Result<GradStore>,
    ) -> Result<GradStore> {
        let copy = |variable: &Var| variable.as_detached_tensor().copy();
        let before = self.state.iter().map(copy).collect::<Result<Vec<_>>>()?;
        self.ascend(here)?;
        let found = gradients()?;
        for (variable, value) in self.state.iter().zip(&before) {
            variable.set(value)?;
        }
        Ok(found)
    }

    /// Moves the trained weights by `radius` along the gradient.
    fn ascend(&self, gradients: &GradStore) -> Result<()> {
        let slopes: Vec<(&Var, Tensor)> = self
            .trained
            .iter()
            .filter_map(|variable| Some((variable, gradients.get(variable)?)))
            .map(|(variable, slope)| Ok((variable, slope.contiguous()?)))
            .collect::<Result<_>>()?;
        let mut square = 0.0;
        for (_, slope) in &slopes {
            square += f64::from(slope.sqr()?.sum_all()?.to_scalar::<f32>()?);
        }
        let scale = (self.radius / (square.sqrt() + 1e-12)) as f32;
        for (variable, slope) in slopes {
            update_with(variable, &slope, |w, g| w + scale * g)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn value(variable: &Var) -> Vec<f32> {
        variable.to_vec1().unwrap()
    }

    #[test]
    fn the_gradient_is_taken_at_the_ascended_point_and_the_weights_are_restored() {
        let w = Var::new(&[3f32, 4.0], &Device::Cpu).unwrap();
        let fixed = Var::new(&[2f32, 2.0], &Device::Cpu).unwrap();
        let counter = Var::new(&[0f32], &Device::Cpu).unwrap();
        // The gradient at w is w itself, whose length is 5, so a radius of 5 doubles w.
        let gradients = || {
            let loss = (w.sqr()? * 0.5)?.add(&fixed.sqr()?)?.sum_all()?;
            counter.set(&Tensor::new(&[7f32], &Device::Cpu)?)?;
            loss.backward()
        };
        let all = vec![w.clone(), fixed.clone(), counter.clone()];
        let sam = Sam::new(5.0, all, vec![w.clone()]);
        let here = gradients().unwrap();
        counter
            .set(&Tensor::new(&[1f32], &Device::Cpu).unwrap())
            .unwrap();
        let found = sam.gradients(&here, gradients).unwrap();
        let slope: Vec<f32> = found.get(&w).unwrap().to_vec1().unwrap();
        assert!(
            (slope[0] - 6.0).abs() < 1e-5 && (slope[1] - 8.0).abs() < 1e-5,
            "{slope:?}"
        );
        assert_eq!(value(&w), [3.0, 4.0]);
        assert_eq!(value(&fixed), [2.0, 2.0]);
        assert_eq!(value(&counter), [1.0]);
    }
}
