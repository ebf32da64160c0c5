//! The emotion CNN, defined with candle.
//!
//! Weights live under candle paths: `stem.conv.weight`, `stem.bn.{weight,bias,running_mean,
//! running_var}`, `blocks.0.{conv1,bn1,conv2,bn2}`, `blocks.1.projection.{conv,bn}`,
//! `blocks.0.se.{squeeze,excite}`; or `layers.N.{weight,bias}`; and `heads.NAME.{weight,bias}`.

mod folded;
mod layer;
mod random;
mod residual;
mod sequential;
mod spec;
mod trunk;

use std::sync::PoisonError;

use candle_core::{Result, Tensor, bail};
use candle_nn::{VarBuilder, VarMap};

use layer::{Dense, Mode, dropout};
use random::SplitMix64;
use residual::Residual;
use sequential::Sequential;

pub use folded::{FoldedNetwork, Workspace};
pub use spec::{
    BlockSpec, HeadSpec, LayerSpec, NetworkSpec, Padding, ResidualSpec, SequentialSpec, TrunkSpec,
};

/// The least standard deviation that [`standardise`] divides by, in grey values of 0 to 255: an
/// even face stays even instead of becoming amplified noise.
const DEVIATION_FLOOR: f32 = 0.03 * 255.0;

/// Brings the grey values (0 to 255) of one face to mean 0 and (unbiased) deviation 1: what the
/// network takes, in training as later.
pub fn standardise(face: &mut [f32]) {
    let n = face.len() as f32;
    let mean = face.iter().sum::<f32>() / n;
    let squares: f32 = face.iter().map(|v| (v - mean) * (v - mean)).sum();
    let deviation = (squares / (n - 1.0).max(1.0)).sqrt().max(DEVIATION_FLOOR);
    for value in face {
        *value = (*value - mean) / deviation;
    }
}

/// Whether a weight is learned by gradient; the running statistics of batch norm are not.
pub fn is_trainable(name: &str) -> bool {
    !name.ends_with(".running_mean") && !name.ends_with(".running_var")
}

/// Draws the weights of a new network: He initialisation (He et al. 2015) for convolutions, the
/// usual small one for dense layers, identity for batch norm. Equal seeds give equal weights.
///
/// # Errors
/// If a weight cannot be set, which candle does not do to its own.
pub fn initialise(weights: &VarMap, seed: u64) -> Result<()> {
    let mut random = SplitMix64::new(seed);
    let data = weights.data().lock();
    let data = data.unwrap_or_else(PoisonError::into_inner);
    let mut named: Vec<_> = data.iter().collect();
    named.sort_by_key(|(name, _)| name.as_str());
    for (name, var) in named {
        let deviation = match *var.dims() {
            [height, width, input, _] => (2.0 / (height * width * input) as f32).sqrt(),
            [_, input] => (1.0 / (3 * input) as f32).sqrt(),
            _ if name.ends_with(".weight") || name.ends_with(".running_var") => {
                var.set(&var.ones_like()?)?;
                continue;
            }
            _ => {
                var.set(&var.zeros_like()?)?;
                continue;
            }
        };
        let values = (0..var.elem_count())
            .map(|_| deviation * random.normal())
            .collect();
        var.set(&Tensor::from_vec(values, var.shape(), var.device())?)?;
    }
    Ok(())
}

/// An emotion CNN with its weights.
#[derive(Debug)]
pub struct Network {
    spec: NetworkSpec,
    body: Body,
    heads: Vec<Dense>,
}

/// What turns a face into features.
#[derive(Debug)]
enum Body {
    Residual(Residual),
    Sequential(Sequential),
}

impl Network {
    /// Takes (or, over a `VarMap`, makes) the weights that the architecture needs; call
    /// [`initialise`] on weights just made.
    ///
    /// # Errors
    /// If a weight is missing or of another shape, or the architecture is not possible.
    pub fn new(spec: &NetworkSpec, vb: &VarBuilder) -> Result<Self> {
        if spec.heads.is_empty() {
            bail!("a network needs a head");
        }
        let (body, features) = match &spec.trunk {
            TrunkSpec::Residual(trunk) => {
                let residual = Residual::new(trunk, vb)?;
                let features = residual.features();
                (Body::Residual(residual), features)
            }
            TrunkSpec::Sequential(trunk) => {
                let sequential = Sequential::new(trunk, vb)?;
                let features = sequential.features();
                (Body::Sequential(sequential), features)
            }
        };
        let head = |head: &HeadSpec| {
            let vb = vb.pp("heads").pp(&head.name);
            Dense::new(features, head.emotions.len(), &vb)
        };
        Ok(Self {
            spec: spec.clone(),
            body,
            heads: spec.heads.iter().map(head).collect::<Result<_>>()?,
        })
    }

    /// The architecture.
    pub const fn spec(&self) -> &NetworkSpec {
        &self.spec
    }

    /// Logits of standardised faces `x[n, 48, 48, 1]`, one `[n, emotions]` tensor per head in the
    /// order of the description, ready for `backward`.
    ///
    /// Normalises by the batch and moves the running statistics towards it; `seed` decides what
    /// dropout drops, so it must differ from step to step.
    ///
    /// # Errors
    /// If `x` is shaped otherwise.
    pub fn forward_train(&self, x: &Tensor, seed: u64) -> Result<Vec<Tensor>> {
        self.forward(x, Mode::Train { seed })
    }

    /// Logits as [`Network::forward_train`] gives them, but by the running statistics, without
    /// dropout and without a graph for `backward`.
    ///
    /// # Errors
    /// If `x` is shaped otherwise.
    pub fn forward_eval(&self, x: &Tensor) -> Result<Vec<Tensor>> {
        self.forward(x, Mode::Evaluate)
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Vec<Tensor>> {
        let features = match &self.body {
            Body::Residual(residual) => residual.forward(x, mode)?,
            Body::Sequential(sequential) => sequential.forward(x, mode)?,
        };
        let features = dropout(&features, self.spec.dropout, mode)?;
        self.heads
            .iter()
            .map(|head| head.forward(&features, mode))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;

    fn network() -> (Network, VarMap) {
        let spec = NetworkSpec::residual(8, &[(8, 1), (12, 2), (20, 2)], 0.3);
        let weights = VarMap::new();
        let vb = VarBuilder::from_varmap(&weights, DType::F32, &Device::Cpu);
        let network = Network::new(&spec, &vb).unwrap();
        initialise(&weights, 3).unwrap();
        (network, weights)
    }

    fn faces(n: usize) -> Tensor {
        let mut random = SplitMix64::new(5);
        let values = (0..n * 48 * 48).map(|_| random.normal()).collect();
        Tensor::from_vec(values, (n, 48, 48, 1), &Device::Cpu).unwrap()
    }

    fn loss(logits: &[Tensor]) -> Tensor {
        let sums = logits.iter().map(|y| y.sqr().unwrap().mean_all().unwrap());
        sums.reduce(|a, b| (a + b).unwrap()).unwrap()
    }

    #[test]
    fn the_trunk_at_once_agrees_with_its_layers() {
        let (mut network, weights) = network();
        let x = faces(19);
        let run = |network: &Network| {
            initialise(&weights, 3).unwrap();
            let loss = loss(&network.forward_train(&x, 1).unwrap());
            (
                loss.backward().unwrap(),
                weights.data().lock().unwrap()["stem.bn.running_var"]
                    .copy()
                    .unwrap(),
            )
        };
        let (at_once, running) = run(&network);
        let Body::Residual(residual) = &mut network.body else {
            panic!("a residual network")
        };
        residual.by_layer();
        let (by_layer, running_by_layer) = run(&network);
        let difference = |a: &Tensor, b: &Tensor| {
            let largest = (a - b).unwrap().abs().unwrap().max_all().unwrap();
            largest.to_scalar::<f32>().unwrap()
        };
        assert!(difference(&running, &running_by_layer) < 1e-6);
        for (name, var) in weights.data().lock().unwrap().iter() {
            if !is_trainable(name) {
                assert!(at_once.get(var).is_none(), "{name}");
                continue;
            }
            let (a, b) = (at_once.get(var).unwrap(), by_layer.get(var).unwrap());
            let difference = difference(a, b);
            assert!(difference < 1e-5, "{name} differs by {difference}");
        }
    }

    #[test]
    fn folding_changes_nothing() {
        for reduction in [None, Some(4)] {
            let mut spec = NetworkSpec::residual(16, &[(16, 1), (40, 2), (33, 2), (33, 1)], 0.3);
            let TrunkSpec::Residual(trunk) = &mut spec.trunk else {
                panic!("a residual network")
            };
            trunk.squeeze_excitation = reduction;
            let weights = VarMap::new();
            let vb = VarBuilder::from_varmap(&weights, DType::F32, &Device::Cpu);
            let network = Network::new(&spec, &vb).unwrap();
            initialise(&weights, 3).unwrap();
            // Statistics other than those of a new network.
            network.forward_train(&faces(20), 1).unwrap();
            let x = faces(5);
            let expected = network.forward_eval(&x).unwrap();
            let faces = x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            for batch in [1, 64] {
                let folded = FoldedNetwork::new(&network, batch).unwrap();
                let mut workspace = Workspace::default();
                folded.infer(&mut workspace, &faces[..48 * 48]);
                let logits = folded.infer(&mut workspace, &faces);
                for (logits, expected) in logits.iter().zip(&expected) {
                    let expected = expected.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                    assert_eq!(logits.len(), expected.len());
                    for (a, b) in logits.iter().zip(expected) {
                        assert!((a - b).abs() < 1e-4, "{a} instead of {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_step_does_not_depend_on_the_number_of_threads() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| {
                let (network, weights) = network();
                let gradients = loss(&network.forward_train(&faces(37), 1).unwrap())
                    .backward()
                    .unwrap();
                let data = weights.data().lock().unwrap();
                let of = |name: &str| {
                    let gradient = gradients.get(&data[name]).unwrap();
                    gradient.flatten_all().unwrap().to_vec1::<f32>().unwrap()
                };
                [
                    of("stem.conv.weight"),
                    of("blocks.1.conv1.weight"),
                    of("stem.bn.bias"),
                ]
            })
        };
        let once = run(1);
        assert!(once.iter().flatten().all(|g| g.is_finite()));
        assert_eq!(once, run(2));
        assert_eq!(once, run(3));
    }

    #[test]
    fn a_backward_pass_after_another_forward_pass_is_refused() {
        let (network, _) = network();
        let first = loss(&network.forward_train(&faces(2), 1).unwrap());
        network.forward_train(&faces(2), 2).unwrap();
        assert!(first.backward().is_err());
    }

    #[test]
    fn standardised_faces_have_mean_0_and_deviation_1() {
        let mut face: Vec<f32> = (0..48 * 48).map(|i| (i * 7 % 256) as f32).collect();
        standardise(&mut face);
        let n = face.len() as f32;
        let squares: f32 = face.iter().map(|v| v * v).sum();
        assert!(face.iter().sum::<f32>().abs() / n < 1e-4);
        assert!((squares / (n - 1.0) - 1.0).abs() < 1e-4);
        let mut even = vec![7.0; 48 * 48];
        even[0] = 8.0;
        standardise(&mut even);
        assert!(even[0] < 0.2, "noise must not be amplified: {}", even[0]);
    }
}
