//! Plots a confusion matrix as a heat map.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Drawn, Plot, TEXT, text};
use crate::evaluate::Figures;

const CELL: i32 = 76;
const LEFT: i32 = 110;
const TOP: i32 = 96;

/// Rows are the true emotions, columns the predicted ones; the shade of a cell is its share of the row.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfusionMatrix {
    title: String,
    names: Vec<&'static str>,
    counts: Vec<Vec<usize>>,
}

impl ConfusionMatrix {
    /// The matrix of some figures.
    pub fn new(title: &str, figures: &Figures) -> Self {
        Self {
            title: title.to_owned(),
            names: figures.emotions.iter().map(|e| e.emotion).collect(),
            counts: figures.confusion.clone(),
        }
    }
}

impl Plot for ConfusionMatrix {
    fn size(&self) -> (u32, u32) {
        let side = CELL * self.names.len() as i32;
        ((LEFT + side + 16) as u32, (TOP + side + 16) as u32)
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let anchored = |size, h, v| text(size).pos(Pos::new(h, v));
        let centred = anchored(15, HPos::Center, VPos::Center);
        area.draw(&Text::new(self.title.as_str(), (16, 12), text(20)))?;
        let note = "rows: true emotion, columns: predicted emotion";
        area.draw(&Text::new(note, (16, 42), text(14)))?;
        for (row, (name, counts)) in self.names.iter().zip(&self.counts).enumerate() {
            let at = |index: usize| CELL * index as i32 + CELL / 2;
            let label = (LEFT - 10, TOP + at(row));
            area.draw(&Text::new(
                *name,
                label,
                anchored(15, HPos::Right, VPos::Center),
            ))?;
            let label = (LEFT + at(row), TOP - 10);
            area.draw(&Text::new(
                *name,
                label,
                anchored(15, HPos::Center, VPos::Bottom),
            ))?;
            let total = counts.iter().sum::<usize>().max(1) as f64;
            for (column, count) in counts.iter().enumerate() {
                let share = *count as f64 / total;
                let (x, y) = (LEFT + CELL * column as i32, TOP + CELL * row as i32);
                let cell = [(x, y), (x + CELL - 2, y + CELL - 2)];
                area.draw(&Rectangle::new(cell, shade(share).filled()))?;
                let colour = if share > 0.5 { WHITE } else { TEXT };
                let (middle, style) = (x + CELL / 2, centred.color(&colour));
                let count = count.to_string();
                area.draw(&Text::new(count, (middle, y + CELL / 2 - 9), style.clone()))?;
                let percent = format!("{:.0} %", 100.0 * share);
                area.draw(&Text::new(percent, (middle, y + CELL / 2 + 11), style))?;
            }
        }
        Ok(())
    }
}

/// A colour between near-white (0) and blue (1).
fn shade(share: f64) -> RGBColor {
    let mix = |from: f64, to: f64| (from + share * (to - from)).round() as u8;
    RGBColor(mix(246.0, 0.0), mix(248.0, 82.0), mix(251.0, 147.0))
}
