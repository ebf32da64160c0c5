//! Schedules of the learning rate.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// The shape of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleKind {
    /// A factor of 1.
    Constant,
    /// Multiplies by `factor` every `every` epochs.
    Step,
    /// Falls to zero along half a cosine period (Loshchilov and Hutter, "SGDR", ICLR 2017).
    Cosine,
    /// Multiplies by `factor` whenever the validation loss has had no new minimum for more than `patience`
    /// epochs.
    Plateau,
}

/// The settings of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleRecipe {
    /// The shape after the warm-up.
    pub kind: ScheduleKind,
    /// Epochs over which the rate rises linearly from zero.
    pub warmup_epochs: f64,
    /// Epochs between the steps of [`ScheduleKind::Step`].
    pub every: usize,
    /// The factor of [`ScheduleKind::Step`] and [`ScheduleKind::Plateau`].
    pub factor: f64,
    /// Epochs that [`ScheduleKind::Plateau`] waits for a lower validation loss.
    pub patience: usize,
}

impl Default for ScheduleRecipe {
    fn default() -> Self {
        Self {
            kind: ScheduleKind::Constant,
            warmup_epochs: 0.0,
            every: 10,
            factor: 0.1,
            patience: 5,
        }
    }
}

impl ScheduleRecipe {
    /// The factor of the learning rate after `time` of `epochs` epochs (`time` has fractions); `losses` are
    /// the validation losses of the finished epochs.
    pub fn factor(&self, time: f64, epochs: usize, losses: &[f64]) -> f64 {
        if time < self.warmup_epochs {
            return time / self.warmup_epochs;
        }
        match self.kind {
            ScheduleKind::Constant => 1.0,
            ScheduleKind::Step => self.factor.powf((time as usize / self.every.max(1)) as f64),
            ScheduleKind::Cosine => {
                let span = (epochs as f64 - self.warmup_epochs).max(f64::EPSILON);
                let progress = ((time - self.warmup_epochs) / span).min(1.0);
                0.5 * (1.0 + (PI * progress).cos())
            }
            ScheduleKind::Plateau => self.factor.powf(self.plateaus(losses) as f64),
        }
    }

    /// How often the loss had no new minimum for more than `patience` epochs.
    fn plateaus(&self, losses: &[f64]) -> usize {
        let (mut best, mut waited, mut plateaus) = (f64::INFINITY, 0, 0);
        for &loss in losses {
            if loss < best {
                (best, waited) = (loss, 0);
            } else {
                waited += 1;
                if waited > self.patience {
                    (plateaus, waited) = (plateaus + 1, 0);
                }
            }
        }
        plateaus
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn cosine_warms_up_and_then_falls_to_zero() {
        let schedule = ScheduleRecipe {
            kind: ScheduleKind::Cosine,
            warmup_epochs: 2.0,
            ..ScheduleRecipe::default()
        };
        let factor = |time| schedule.factor(time, 12, &[]);
        assert!(close(factor(0.0), 0.0) && close(factor(1.0), 0.5) && close(factor(2.0), 1.0));
        assert!(close(factor(7.0), 0.5) && close(factor(12.0), 0.0));
    }

    #[test]
    fn each_step_multiplies_by_the_factor() {
        let schedule = ScheduleRecipe {
            kind: ScheduleKind::Step,
            every: 3,
            ..ScheduleRecipe::default()
        };
        assert!(close(schedule.factor(2.9, 9, &[]), 1.0));
        assert!(close(schedule.factor(6.0, 9, &[]), 0.01));
    }

    #[test]
    fn a_plateau_is_more_than_patience_epochs_without_a_new_minimum() {
        let schedule = ScheduleRecipe {
            kind: ScheduleKind::Plateau,
            factor: 0.5,
            patience: 1,
            ..ScheduleRecipe::default()
        };
        assert!(close(schedule.factor(3.0, 9, &[1.0, 0.9, 0.95]), 1.0));
        assert!(close(schedule.factor(4.0, 9, &[1.0, 0.9, 0.95, 0.91]), 0.5));
        assert!(close(
            schedule.factor(5.0, 9, &[1.0, 0.9, 0.95, 0.91, 0.8]),
            0.5
        ));
    }
}
