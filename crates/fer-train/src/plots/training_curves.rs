//! Plots accuracy or loss over the epochs of one or more runs.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::{Drawn, GRID, PALETTE, Plot, text};
use crate::metrics::EpochMetrics;

/// The values of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The name in the legend; empty for a single run.
    pub name: String,
    /// Values on the training rows, from epoch 1.
    pub training: Vec<f64>,
    /// Values on the validation rows, from epoch 1.
    pub validation: Vec<f64>,
}

/// The curves of several runs in one plot: training dashed, validation solid.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingCurves {
    title: String,
    runs: Vec<Curve>,
}

impl TrainingCurves {
    /// Loss of each named run.
    pub fn loss(runs: &[(String, &[EpochMetrics])]) -> Self {
        Self::new("Loss".to_owned(), runs, |measure| measure.loss)
    }

    /// Accuracy of a head in each named run.
    pub fn accuracy(runs: &[(String, &[EpochMetrics])], head: &str) -> Self {
        Self::new(format!("Accuracy ({head})"), runs, |measure| {
            measure.accuracy.get(head).copied().unwrap_or(0.0)
        })
    }

    fn new(
        title: String,
        runs: &[(String, &[EpochMetrics])],
        value: impl Fn(&crate::metrics::PassMetrics) -> f64,
    ) -> Self {
        let runs = runs
            .iter()
            .map(|(name, history)| Curve {
                name: name.clone(),
                training: history.iter().map(|m| value(&m.train)).collect(),
                validation: history.iter().map(|m| value(&m.validation)).collect(),
            })
            .collect();
        Self { title, runs }
    }

    /// The range of the values with a margin.
    fn range(&self) -> (f64, f64) {
        let values = self
            .runs
            .iter()
            .flat_map(|run| run.training.iter().chain(&run.validation))
            .copied()
            .filter(|value| value.is_finite());
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(v), high.max(v))
        });
        if low > high {
            return (0.0, 1.0);
        }
        let margin = (0.05 * (high - low)).max(1e-3);
        (low - margin, high + margin)
    }
}

impl Plot for TrainingCurves {
    fn size(&self) -> (u32, u32) {
        (900, 560)
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let epochs = self.runs.iter().map(|run| run.validation.len()).max();
        let last = epochs.unwrap_or(0).max(2) as f64;
        let (low, high) = self.range();
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, text(22))
            .margin(14)
            .x_label_area_size(42)
            .y_label_area_size(58)
            .build_cartesian_2d(1.0..last, low..high)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(GRID)
            .label_style(text(14))
            .axis_desc_style(text(15))
            .x_desc("epoch (training dashed, validation solid)")
            .x_label_formatter(&|epoch| format!("{epoch:.0}"))
            .y_label_formatter(&|value| format!("{value:.2}"))
            .draw()?;
        for (run, colour) in self.runs.iter().zip(PALETTE.iter().cycle()) {
            let points = |values: &[f64]| -> Vec<(f64, f64)> {
                let epochs = (1..).map(f64::from);
                epochs.zip(values.iter().copied()).collect()
            };
            let training = points(&run.training).into_iter();
            chart.draw_series(DashedLineSeries::new(
                training,
                5,
                4,
                colour.stroke_width(1),
            ))?;
            let validation = LineSeries::new(points(&run.validation), colour.stroke_width(2));
            let drawn = chart.draw_series(validation)?;
            if !run.name.is_empty() {
                let style = colour.stroke_width(2);
                drawn
                    .label(&run.name)
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
            }
        }
        if self.runs.iter().any(|run| !run.name.is_empty()) {
            chart
                .configure_series_labels()
                .background_style(WHITE.mix(0.85))
                .border_style(GRID)
                .label_font(text(14))
                .position(SeriesLabelPosition::MiddleRight)
                .draw()?;
        }
        Ok(())
    }
}
