//! Forward pass of the network: reads its weights and decodes the cells of its three strides.

use crate::error::{Error, Result};
use crate::face::{BoundingBox, DetectedFace, Landmarks, Point};
use crate::network::{WeightError, Weights};
use fer_nn::Level;
use fer_nn::separable::{FeatureMap, Layer, Separable, Source, Stem, Workspace, run};
use image::RgbImage;

/// The input is padded to multiples of this, the stride of the coarsest map.
const GRID: u32 = 32;

/// Strides of the three maps: pixels of the input per cell.
const STRIDES: [f32; 3] = [8.0, 16.0, 32.0];

/// Values of a cell: class logit, objectness logit, box (dx, dy, log width, log height), five landmarks.
const CELL: usize = 16;

/// The network's weights, packed for the kernels.
#[derive(Debug)]
pub(super) struct Network {
    stem: Stem,
    /// Strides 2 and 4, up to the map of stride 8.
    fine: [Separable; 7],
    /// Stride 16.
    middle: [Separable; 2],
    /// Stride 32.
    coarse: [Separable; 2],
    /// Strides 8, 16, 32.
    lateral: [Separable; 3],
    /// Strides 8, 16, 32; the four heads of a stride are merged into one unit.
    heads: [Separable; 3],
}

/// Line buffers and feature maps, reused between pictures.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    workspace: Workspace,
    backbone: [FeatureMap; 3],
    /// Strides 16 and 32.
    neck: [FeatureMap; 2],
}

impl Network {
    /// Reads the weights from a safetensors file.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let weights = Weights::parse(bytes).map_err(unusable)?;
        // All inputs are outputs of rectifiers, so none is negative.
        let unit = |name: &str, relu| -> Result<Separable> {
            let part = |part: &str| values(&weights, &format!("{name}.{part}"));
            Ok(Separable::new(
                (&part("pw.w")?, &part("pw.b")?),
                (&part("dw.w")?, &part("dw.b")?),
                true,
                relu,
            ))
        };
        let backbone = |name: &str| unit(&format!("backbone__{name}"), true);
        let lateral = |level: u8| unit(&format!("neck__lateral_convs__{level}"), true);
        let head = |level: u8| -> Result<Separable> {
            let merged = |part: &str| -> Result<Vec<f32>> {
                let mut all = Vec::new();
                for kind in ["cls", "obj", "bbox", "kps"] {
                    let name = format!("bbox_head__multi_level_{kind}__{level}.{part}");
                    all.extend(values(&weights, &name)?);
                }
                Ok(all)
            };
            Ok(Separable::new(
                (&merged("pw.w")?, &merged("pw.b")?),
                (&merged("dw.w")?, &merged("dw.b")?),
                true,
                false,
            ))
        };
        let stem_bias = values(&weights, "backbone__model0.pw.b")?;
        let stem = values(&weights, "backbone__model0.pw.w")?;
        Ok(Self {
            stem: Stem::new(&rgb_innermost(&stem), &stem_bias),
            fine: [
                backbone("model0_dp")?,
                backbone("model1_dp1")?,
                backbone("model1_dp2")?,
                backbone("model2_dp1")?,
                backbone("model2_dp2")?,
                backbone("model3_dp1")?,
                backbone("model3_dp2")?,
            ],
            middle: [backbone("model4_dp1")?, backbone("model4_dp2")?],
            coarse: [backbone("model5_dp1")?, backbone("model5_dp2")?],
            lateral: [lateral(0)?, lateral(1)?, lateral(2)?],
            heads: [head(0)?, head(1)?, head(2)?],
        })
    }

    /// Candidates in a picture that score at least `threshold`, in its pixels, before non-maximum suppression and
    /// unsorted.
    pub fn faces(
        &self,
        level: Level,
        picture: &RgbImage,
        threshold: f32,
        buffers: &mut Buffers,
    ) -> Vec<DetectedFace> {
        let mut faces = Vec::new();
        self.run(level, picture, buffers, |cells, stride| {
            read_cells(cells, stride, threshold, &mut faces);
        });
        faces
    }

    /// Runs the network and passes the cells of each stride, with the stride, to `read`.
    fn run(
        &self,
        level: Level,
        picture: &RgbImage,
        buffers: &mut Buffers,
        mut read: impl FnMut(&FeatureMap, f32),
    ) {
        use Layer::MaxPool;
        let Buffers {
            workspace,
            backbone: [c3, c4, c5],
            neck: [p4, p5],
        } = buffers;
        let [s, m1a, m1b, m2a, m2b, m3a, m3b] = self.fine.each_ref().map(Layer::Separable);
        let [m4a, m4b] = self.middle.each_ref().map(Layer::Separable);
        let [m5a, m5b] = self.coarse.each_ref().map(Layer::Separable);
        let padded = |side: u32| side.next_multiple_of(GRID) as usize;
        let image = Source::Image {
            stem: &self.stem,
            rgb: picture.as_raw(),
            width: picture.width() as usize,
            padded: (padded(picture.width()), padded(picture.height())),
        };
        let fine = [s, MaxPool, m1a, m1b, m2a, m2b, MaxPool, m3a, m3b];
        run(level, image, &fine, workspace, c3);
        run(level, Source::Map(c3), &[MaxPool, m4a, m4b], workspace, c4);
        run(level, Source::Map(c4), &[MaxPool, m5a, m5b], workspace, c5);

        let [l3, l4, l5] = self.lateral.each_ref().map(Layer::Separable);
        let [h3, h4, h5] = self.heads.each_ref().map(Layer::Separable);
        run(level, Source::Map(c5), &[l5], workspace, p5);
        c4.add_upsampled(p5);
        run(level, Source::Map(c4), &[l4], workspace, p4);
        c3.add_upsampled(p4);

        // Only its head reads the finest map of the neck, so that map is never in memory as a whole.
        let heads = [(&*c3, &[l3, h3][..]), (&*p4, &[h4]), (&*p5, &[h5])];
        // Nothing reads the backbone's map of stride 16 any more, and the cells fit into its memory.
        let cells = c4;
        for ((map, layers), stride) in heads.into_iter().zip(STRIDES) {
            run(level, Source::Map(map), layers, workspace, cells);
            read(cells, stride);
        }
    }
}

/// The values of the weight of this name.
fn values(weights: &Weights, name: &str) -> Result<Vec<f32>> {
    let weight = weights.get(name).map_err(unusable)?;
    Ok(weight.values.clone())
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "the signature that map_err takes"
)]
fn unusable(error: WeightError) -> Error {
    Error::Model(format!("the detector's weights cannot be used: {error}"))
}

/// Reorders filters from `[out][bgr][9]`, the layout of the file, to `[out][9][rgb]`.
fn rgb_innermost(weights: &[f32]) -> Vec<f32> {
    weights
        .chunks_exact(27)
        .flat_map(|filter| (0..9).flat_map(move |tap| [2, 1, 0].map(|c| filter[c * 9 + tap])))
        .collect()
}

/// Decodes the cells of one stride and adds those that score at least `threshold` to `faces`.
fn read_cells(cells: &FeatureMap, stride: f32, threshold: f32, faces: &mut Vec<DetectedFace>) {
    let sigmoid = |logit: f32| 1.0 / (1.0 + (-logit).exp());
    for (index, cell) in cells.data.chunks_exact(CELL).enumerate() {
        let score = (sigmoid(cell[0]) * sigmoid(cell[1])).sqrt();
        if score < threshold {
            continue;
        }
        let (column, row) = ((index % cells.width) as f32, (index / cells.width) as f32);
        let at = |dx: f32, dy: f32| Point {
            x: (column + dx) * stride,
            y: (row + dy) * stride,
        };
        let centre = at(cell[2], cell[3]);
        let (width, height) = (cell[4].exp() * stride, cell[5].exp() * stride);
        let points: [Point; 5] = std::array::from_fn(|k| at(cell[6 + 2 * k], cell[7 + 2 * k]));
        faces.push(DetectedFace {
            bounding_box: BoundingBox {
                x: centre.x - width / 2.0,
                y: centre.y - height / 2.0,
                width,
                height,
            },
            landmarks: Some(Landmarks::from_points(points)),
            score,
        });
    }
}
