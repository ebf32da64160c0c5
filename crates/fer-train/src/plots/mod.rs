//! Plots of training runs and evaluations, as PNG and SVG.

mod confusion_matrix;
mod emotion_bars;
mod font;
mod reliability_diagram;
mod training_curves;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, RgbImage};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use fer_core::error::{Error, Result};
use fer_core::font::{lacks_some_of, system};
use fer_core::output::{self, Form};

pub use confusion_matrix::ConfusionMatrix;
pub use emotion_bars::{EmotionBar, EmotionBars};
pub use reliability_diagram::ReliabilityDiagram;
pub use training_curves::{Curve, TrainingCurves};

const TEXT: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(225, 225, 225);

/// A palette for colour-blind readers (Okabe and Ito 2008), with dark grey instead of yellow.
const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(60, 60, 60),
];

/// The result of drawing on a backend.
pub type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// The files of a plot: `stem` with `.png` and `.svg` appended, even if it contains a dot.
pub fn plot_files(stem: &Path) -> [PathBuf; 2] {
    [".png", ".svg"].map(|ending| {
        let mut name = stem.as_os_str().to_owned();
        name.push(ending);
        name.into()
    })
}

/// A name from the user's photos that labels data in a plot; it may be in any script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Its right edge, in pixels.
    pub right: i32,
    /// The height of its middle, in pixels.
    pub middle: i32,
}

/// The size of a [`Name`], in pixels.
const NAME_SIZE: i32 = 14;

/// A plot that any backend can draw.
pub trait Plot {
    /// Width and height in pixels.
    fn size(&self) -> (u32, u32);

    /// Draws the plot on a white area of that size.
    ///
    /// # Errors
    /// If the backend fails.
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB>;

    /// The names of the plotted data, which [`Self::draw`] does not draw.
    fn names(&self) -> Vec<Name> {
        Vec::new()
    }

    /// Writes the [`plot_files`] of `stem`.
    ///
    /// # Errors
    /// If a file cannot be written, or a file is in the way that this program did not write.
    fn save(&self, stem: &Path) -> Result<()> {
        font::register();
        let (width, height) = self.size();
        let failed = |problem: String| {
            Error::Internal(format!("{} cannot be drawn: {problem}", stem.display()))
        };

        let mut pixels = RgbImage::new(width, height);
        // The viewer of an SVG chooses fonts itself; in the bitmap, names in other scripts are set with fonts of this
        // machine.
        let (foreign, names): (Vec<Name>, Vec<Name>) = self
            .names()
            .into_iter()
            .partition(|name| lacks_some_of(&name.text));
        self.render(
            BitMapBackend::with_buffer(&mut pixels, (width, height)),
            &names,
        )
        .map_err(failed)?;
        for name in &foreign {
            draw_foreign(&mut pixels, name);
        }
        let mut png = Cursor::new(Vec::new());
        pixels
            .write_to(&mut png, ImageFormat::Png)
            .map_err(|e| failed(e.to_string()))?;

        let mut svg = String::new();
        self.render(
            SVGBackend::with_string(&mut svg, (width, height)),
            &self.names(),
        )
        .map_err(failed)?;
        let [png_file, svg_file] = plot_files(stem);
        output::write(&png_file, Form::Png, png.get_ref())?;
        output::write(&svg_file, Form::Markup, svg.as_bytes())
    }

    /// Draws the plot and these names on a backend and completes its output.
    ///
    /// # Errors
    /// The error message of the backend.
    fn render<DB: DrawingBackend>(&self, backend: DB, names: &[Name]) -> Result<(), String> {
        let area = backend.into_drawing_area();
        area.fill(&WHITE)
            .and_then(|()| self.draw(&area))
            .and_then(|()| {
                let style = (font::FAMILY, NAME_SIZE).into_font().color(&TEXT);
                let style = style.pos(Pos::new(HPos::Right, VPos::Center));
                names.iter().try_for_each(|name| {
                    let at = (name.right, name.middle);
                    area.draw(&Text::new(name.text.as_str(), at, style.clone()))
                })
            })
            .and_then(|()| area.present())
            .map_err(|e| e.to_string())
    }
}

/// Sets a name in a script that the built-in font lacks.
fn draw_foreign(pixels: &mut RgbImage, name: &Name) {
    let line = system::set(&system::readable(&name.text), NAME_SIZE as f32);
    let (left, top) = (name.right - line.width as i32, name.middle - NAME_SIZE / 2);
    for (x, y, covered) in line.pixels {
        let at = u32::try_from(left + x)
            .ok()
            .zip(u32::try_from(top + y).ok());
        if let Some(pixel) = at.and_then(|(x, y)| pixels.get_pixel_mut_checked(x, y)) {
            let ink = [TEXT.0, TEXT.1, TEXT.2];
            for (below, above) in pixel.0.iter_mut().zip(ink) {
                let (under, over) = (f32::from(*below), f32::from(above));
                *below = (under + (over - under) * covered.min(1.0)).round() as u8;
            }
        }
    }
}

/// The style of text of `size` pixels.
fn text(size: u32) -> TextStyle<'static> {
    (font::FAMILY, size).into_font().color(&TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{Figures, Sample};
    use crate::metrics::{EpochMetrics, PassMetrics};
    use fer_core::emotion::Emotion;

    /// Saves a plot and returns the share of pixels that are not white, and the SVG.
    fn saved(plot: &impl Plot) -> (f64, String) {
        let folder = tempfile::tempdir().unwrap();
        let stem = folder.path().join("plot");
        plot.save(&stem).unwrap();
        let picture = image::open(stem.with_extension("png")).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), plot.size());
        let inked = picture.pixels().filter(|p| p.0 != [255; 3]).count();
        let svg = std::fs::read_to_string(stem.with_extension("svg")).unwrap();
        (
            inked as f64 / f64::from(picture.width() * picture.height()),
            svg,
        )
    }

    fn figures() -> Figures {
        let samples = [[0.9, 0.1], [0.3, 0.7], [0.6, 0.4]].map(|probabilities| Sample {
            row: 0,
            truth: 0,
            probabilities: probabilities.to_vec(),
        });
        Figures::new(&[Emotion::Happy, Emotion::Sad], &samples)
    }

    #[test]
    fn curves_of_several_runs_have_a_legend() {
        let history = |start: f64| {
            let measure = |loss| PassMetrics {
                loss,
                ..PassMetrics::default()
            };
            let epochs = (1..=4).map(|epoch| EpochMetrics {
                epoch,
                learning_rate: 0.1,
                train: measure(start / f64::from(epoch as u32)),
                validation: measure(start),
                images_per_second: 1.0,
                seconds: 1.0,
            });
            epochs.collect::<Vec<_>>()
        };
        let (one, two) = (history(1.0), history(2.0));
        let runs = [
            ("l2=1e-4".to_owned(), one.as_slice()),
            ("l2=1e-3".to_owned(), two.as_slice()),
        ];
        let (inked, svg) = saved(&TrainingCurves::loss(&runs));
        assert!((0.01..0.5).contains(&inked), "{inked}");
        assert!(svg.contains("l2=1e-3") && svg.contains("Loss"), "{svg}");
    }

    #[test]
    fn a_run_without_epochs_can_be_drawn() {
        assert!(saved(&TrainingCurves::loss(&[(String::new(), &[])])).0 > 0.0);
    }

    #[test]
    fn a_confusion_matrix_names_its_emotions() {
        let (inked, svg) = saved(&ConfusionMatrix::new("On two", &figures()));
        assert!(inked > 0.3, "{inked}");
        assert!(svg.contains("happy") && svg.contains("67 %"), "{svg}");
    }

    #[test]
    fn a_reliability_diagram_shows_its_error() {
        let (inked, svg) = saved(&ReliabilityDiagram::new("On two", &figures()));
        assert!((0.005..0.3).contains(&inked), "{inked}");
        assert!(svg.contains("calibration error"), "{svg}");
    }
}
