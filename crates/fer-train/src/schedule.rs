//! The learning rate over time.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// The shape of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleKind {
    /// Stays as it is.
    Constant,
    /// Multiplied by `factor` every `every` epochs.
    Step,
    /// Half a cosine down to zero (Loshchilov and Hutter, "SGDR", ICLR 2017).
    Cosine,
    /// Multiplied by `factor` whenever the validation loss has not fallen for `patience` epochs.
    Plateau,
}

/// A schedule with its settings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleRecipe {
    /// The shape after the warm-up.
    pub kind: ScheduleKind,
    /// Epochs over which the rate rises evenly from zero.
    pub warmup_epochs: f64,
    /// Epochs between steps.
    pub every: usize,
    /// Factor of a step or a plateau.
    pub factor: f64,
    /// Epochs without a better validation loss before a plateau's factor.
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
    /// The factor on the learning rate at `time` epochs (with fractions) of `epochs`, when the
    /// validation losses of the epochs before are `losses`.
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
    fn cosine_rises_then_falls_to_zero() {
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
    fn steps_multiply() {
        let schedule = ScheduleRecipe {
            kind: ScheduleKind::Step,
            every: 3,
            ..ScheduleRecipe::default()
        };
        assert!(close(schedule.factor(2.9, 9, &[]), 1.0));
        assert!(close(schedule.factor(6.0, 9, &[]), 0.01));
    }

    #[test]
    fn a_plateau_is_patience_epochs_without_progress() {
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
