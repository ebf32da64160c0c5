//! Plots accuracy over confidence: the reliability diagram (Niculescu-Mizil and Caruana 2005).

use plotters::coord::Shift;
use plotters::prelude::*;

use super::{Drawn, GRID, PALETTE, Plot, TEXT, text};
use crate::evaluate::{CalibrationBin, Figures};

/// A dot for each bin, larger for more rows; on the diagonal confidence equals accuracy.
#[derive(Debug, Clone, PartialEq)]
pub struct ReliabilityDiagram {
    title: String,
    bins: Vec<CalibrationBin>,
}

impl ReliabilityDiagram {
    /// The bins of some figures.
    pub fn new(title: &str, figures: &Figures) -> Self {
        Self {
            title: format!("{title}: expected calibration error {:.3}", figures.ece),
            bins: figures.calibration.clone(),
        }
    }
}

impl Plot for ReliabilityDiagram {
    fn size(&self) -> (u32, u32) {
        (620, 620)
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, text(18))
            .margin(14)
            .x_label_area_size(42)
            .y_label_area_size(58)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(GRID)
            .label_style(text(14))
            .axis_desc_style(text(15))
            .x_desc("confidence (mean probability of the predicted emotion)")
            .y_desc("accuracy")
            .draw()?;
        let diagonal = [(0.0, 0.0), (1.0, 1.0)];
        chart.draw_series(DashedLineSeries::new(diagonal, 5, 4, TEXT.stroke_width(1)))?;
        let colour = PALETTE[0];
        let points: Vec<_> = self
            .bins
            .iter()
            .map(|bin| (bin.confidence, bin.accuracy))
            .collect();
        chart.draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?;
        let most = self.bins.iter().map(|bin| bin.rows).max().unwrap_or(1);
        chart.draw_series(points.iter().zip(&self.bins).map(|(&point, bin)| {
            let share = bin.rows as f64 / most as f64;
            Circle::new(point, 3 + (9.0 * share.sqrt()) as i32, colour.filled())
        }))?;
        Ok(())
    }
}
