//! Plots the shares of emotions in groups of faces as stacked bars.

use fer_core::emotion::Emotion;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Drawn, Name, Plot, font};

const INK: RGBColor = RGBColor(40, 40, 40);

/// Colours in the order of [`Emotion::ALL`]: a palette for colour-blind readers (Okabe and Ito 2008), with
/// grey for neutral.
const COLOURS: [RGBColor; Emotion::COUNT] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(240, 228, 66),
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(190, 190, 190),
    RGBColor(86, 180, 233),
];

const LEFT: i32 = 230;
const TOP: i32 = 90;
const BAR: i32 = 560;
const ROW: i32 = 30;

/// The most bars of a plot; more would make it too tall to read.
const MAX_BARS: usize = 60;

/// A group of faces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmotionBar {
    /// The name beside the bar.
    pub name: String,
    /// Number of faces by emotion, in the order of [`Emotion::ALL`].
    pub faces: [u64; Emotion::COUNT],
}

impl EmotionBar {
    fn total(&self) -> u64 {
        self.faces.iter().sum()
    }

    /// The share of faces that show an emotion, 0 to 1.
    fn share(&self, emotion: Emotion) -> f64 {
        self.faces[emotion.index()] as f64 / self.total().max(1) as f64
    }
}

/// One bar for each group.
#[derive(Debug)]
pub struct EmotionBars<'a> {
    bars: &'a [EmotionBar],
}

impl<'a> EmotionBars<'a> {
    /// A plot of these bars; of more than 60, only the last 60.
    pub fn new(bars: &'a [EmotionBar]) -> Self {
        Self {
            bars: &bars[bars.len().saturating_sub(MAX_BARS)..],
        }
    }
}

impl Plot for EmotionBars<'_> {
    fn size(&self) -> (u32, u32) {
        let height = TOP + ROW * self.bars.len() as i32 + 16;
        ((LEFT + BAR + 110) as u32, height as u32)
    }

    fn names(&self) -> Vec<Name> {
        let name = |(index, row): (i32, &EmotionBar)| Name {
            text: end_of(&row.name, 30),
            right: LEFT - 10,
            middle: TOP + ROW * index + (ROW - 6) / 2,
        };
        (0..).zip(self.bars).map(name).collect()
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let text = |size: u32| (font::FAMILY, size).into_font().color(&INK);
        area.draw(&Text::new(
            "Faces by the emotion they show most",
            (16, 12),
            text(20),
        ))?;
        for (index, emotion) in (0..).zip(Emotion::ALL) {
            let x = 16 + index * 108;
            let box_ = [(x, 50), (x + 14, 64)];
            area.draw(&Rectangle::new(box_, COLOURS[emotion.index()].filled()))?;
            area.draw(&Text::new(emotion.name(), (x + 20, 49), text(14)))?;
        }
        let left = text(14).pos(Pos::new(HPos::Left, VPos::Center));
        for (index, row) in (0..).zip(self.bars) {
            let top = TOP + ROW * index;
            let middle = top + (ROW - 6) / 2;
            let mut start = 0.0;
            for emotion in Emotion::ALL {
                let end = start + row.share(emotion);
                let x = |share: f64| LEFT + (share * f64::from(BAR)).round() as i32;
                let bar = [(x(start), top), (x(end), top + ROW - 6)];
                area.draw(&Rectangle::new(bar, COLOURS[emotion.index()].filled()))?;
                start = end;
            }
            let total = match row.total() {
                1 => "1 face".to_owned(),
                faces => format!("{faces} faces"),
            };
            area.draw(&Text::new(total, (LEFT + BAR + 8, middle), left.clone()))?;
        }
        Ok(())
    }
}

/// The last `most` characters of `text`, with an ellipsis where it is longer.
fn end_of(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let end: String = text.chars().skip(count - most + 1).collect();
    format!("…{end}")
}
