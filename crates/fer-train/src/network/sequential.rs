//! The sequential trunk: layers one after another.

use candle_core::{Result, Tensor, bail};
use candle_nn::{Init, VarBuilder};

use super::layer::{Dense, dropout};
use crate::op;
use fer_core::classify::FACE_SIDE;
use fer_core::network::{LayerSpec, SequentialSpec};

/// A sequential trunk with its weights, which have the paths `layers.N`.
#[derive(Debug)]
pub struct Sequential {
    /// Each layer with its index in the architecture, which names its weights.
    layers: Vec<(usize, Layer)>,
    features: usize,
}

/// A layer.
#[derive(Debug)]
pub enum Layer {
    /// Convolution with a bias.
    Convolution {
        /// `[kernel, kernel, input, output]`.
        kernel: Tensor,
        /// `[output]`.
        bias: Tensor,
        /// Width of the zero padding.
        padding: usize,
        /// Whether a rectifier follows; it is fused with the bias.
        relu: bool,
    },
    /// The rectifier max(x, 0).
    Relu,
    /// Max-pooling over 2 × 2 windows.
    MaxPool,
    /// Dropout with this rate.
    Dropout(f32),
    /// Flattens an image to a vector.
    Flatten,
    /// Fully connected.
    Dense(Dense),
}

impl Sequential {
    /// Reads the weights of the layers.
    ///
    /// # Errors
    /// If a weight is missing or of another shape, or a layer does not fit the output before it.
    pub fn new(spec: &SequentialSpec, vb: &VarBuilder) -> Result<Self> {
        let shapes = spec.shapes(FACE_SIDE).map_err(candle_core::Error::msg)?;
        let inputs = std::iter::once(vec![FACE_SIDE, FACE_SIDE, 1]).chain(shapes.clone());
        let mut layers: Vec<(usize, Layer)> = Vec::with_capacity(spec.layers.len());
        for (index, (layer, input)) in spec.layers.iter().zip(inputs).enumerate() {
            if let (LayerSpec::Relu, Some((_, Layer::Convolution { relu, .. }))) =
                (layer, layers.last_mut())
            {
                *relu = true;
                continue;
            }
            let channels = input.last().copied().unwrap_or(1);
            let layer = Layer::new(layer, channels, &vb.pp("layers").pp(index))?;
            layers.push((index, layer));
        }
        match shapes.last().map(Vec::as_slice) {
            Some(&[features]) => Ok(Self { layers, features }),
            _ => bail!("the last layer must give a vector; end with `flatten` or `dense`"),
        }
    }

    /// Number of features: the values of the last layer.
    pub const fn features(&self) -> usize {
        self.features
    }

    /// Every weight with its name in a model file.
    pub fn weights(&self) -> Vec<(String, Tensor)> {
        let of = |(index, layer): &(usize, Layer)| layer.weights(&format!("layers.{index}"));
        self.layers.iter().flat_map(of).collect()
    }

    /// Features `[n, features]` of faces `x[n, side, side, 1]`.
    ///
    /// `seed` seeds the masks of the dropout layers.
    pub fn forward(&self, x: &Tensor, seed: u64) -> Result<Tensor> {
        let mut layers = self.layers.iter().enumerate();
        layers.try_fold(x.clone(), |x, (index, (_, layer))| {
            // Each dropout layer needs another mask.
            let number = (index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            layer.forward(&x, seed.wrapping_add(number))
        })
    }
}

impl Layer {
    fn new(spec: &LayerSpec, input: usize, vb: &VarBuilder) -> Result<Self> {
        let zeros = |shape: &[usize], name| vb.get_with_hints(shape, name, Init::Const(0.0));
        Ok(match *spec {
            LayerSpec::Convolution {
                channels,
                kernel,
                padding,
            } => Self::Convolution {
                kernel: zeros(&[kernel, kernel, input, channels], "weight")?,
                bias: zeros(&[channels], "bias")?,
                padding: padding.zeros(kernel),
                relu: false,
            },
            LayerSpec::Relu => Self::Relu,
            LayerSpec::MaxPool => Self::MaxPool,
            LayerSpec::Dropout { rate } => Self::Dropout(rate),
            LayerSpec::Flatten => Self::Flatten,
            LayerSpec::Dense { values } => Self::Dense(Dense::new(input, values, vb)?),
        })
    }

    fn weights(&self, name: &str) -> Vec<(String, Tensor)> {
        match self {
            Self::Convolution { kernel, bias, .. } => vec![
                (format!("{name}.weight"), kernel.detach()),
                (format!("{name}.bias"), bias.detach()),
            ],
            Self::Dense(dense) => dense.weights(name).into(),
            Self::Relu | Self::MaxPool | Self::Dropout(_) | Self::Flatten => Vec::new(),
        }
    }

    fn forward(&self, x: &Tensor, seed: u64) -> Result<Tensor> {
        match self {
            Self::Convolution {
                kernel,
                bias,
                padding,
                relu,
            } => op::add_bias(&op::conv2d(x, kernel, 1, *padding)?, bias, *relu),
            Self::Relu => x.relu(),
            Self::MaxPool => op::max_pool2d(x),
            Self::Dropout(rate) => dropout(x, *rate, seed),
            Self::Flatten => x.flatten_from(1),
            Self::Dense(dense) => dense.forward(x),
        }
    }
}
