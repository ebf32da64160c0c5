//! Compares the network with candle's own operations, and its fused trunk with the layers.

use std::collections::HashMap;

use candle_core::{DType, Device, Var};

use fer_core::emotion::Emotion;
use fer_core::network::{LayerSpec, Padding, ResidualSpec, SequentialSpec, Workspace};

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
fn the_fused_trunk_agrees_with_its_layers() {
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
    let (fused, running) = run(&network);
    let Body::Residual(residual) = &mut network.body else {
        panic!("a residual network")
    };
    residual.disable_fusion();
    let (by_layer, running_by_layer) = run(&network);
    let difference = |a: &Tensor, b: &Tensor| {
        let largest = (a - b).unwrap().abs().unwrap().max_all().unwrap();
        largest.to_scalar::<f32>().unwrap()
    };
    assert!(difference(&running, &running_by_layer) < 1e-6);
    for (name, var) in weights.data().lock().unwrap().iter() {
        if !is_trainable(name) {
            assert!(fused.get(var).is_none(), "{name}");
            continue;
        }
        let (a, b) = (fused.get(var).unwrap(), by_layer.get(var).unwrap());
        let difference = difference(a, b);
        assert!(difference < 1e-5, "{name} differs by {difference}");
    }
}

/// The network in candle's own operations, NCHW, with running statistics.
struct Reference<'a>(&'a HashMap<String, Var>);

impl Reference<'_> {
    fn weight(&self, name: &str) -> Tensor {
        self.0[name].as_detached_tensor()
    }

    fn conv(&self, x: &Tensor, conv: &str, norm: &str, stride: usize) -> Result<Tensor> {
        let kernel = self
            .weight(&format!("{conv}.weight"))
            .permute((3, 2, 0, 1))?;
        let padding = kernel.dims()[2] / 2;
        let z = x.conv2d(&kernel.contiguous()?, padding, stride, 1, 1)?;
        let channel = |name: &str| {
            self.weight(&format!("{norm}.{name}"))
                .reshape((1, (), 1, 1))
        };
        let deviation = (channel("running_var")? + 1e-5)?.sqrt()?;
        z.broadcast_sub(&channel("running_mean")?)?
            .broadcast_div(&deviation)?
            .broadcast_mul(&channel("weight")?)?
            .broadcast_add(&channel("bias")?)
    }

    fn dense(&self, x: &Tensor, name: &str) -> Result<Tensor> {
        x.matmul(&self.weight(&format!("{name}.weight")).t()?)?
            .broadcast_add(&self.weight(&format!("{name}.bias")))
    }

    fn logits(&self, spec: &NetworkSpec, x: &Tensor) -> Result<Vec<Tensor>> {
        let x = x.permute((0, 3, 1, 2))?.contiguous()?;
        let features = match &spec.trunk {
            TrunkSpec::Residual(trunk) => self.residual(trunk, &x)?,
            TrunkSpec::Sequential(trunk) => self.sequential(trunk, x)?,
        };
        spec.heads
            .iter()
            .map(|head| self.dense(&features, &format!("heads.{}", head.name)))
            .collect()
    }

    fn residual(&self, trunk: &ResidualSpec, x: &Tensor) -> Result<Tensor> {
        let mut x = self.conv(x, "stem.conv", "stem.bn", 2)?.relu()?;
        for (i, block) in trunk.blocks.iter().enumerate() {
            let path = |name: &str| format!("blocks.{i}.{name}");
            let y = self.conv(&x, &path("conv1"), &path("bn1"), block.stride)?;
            let mut y = self.conv(&y.relu()?, &path("conv2"), &path("bn2"), 1)?;
            if trunk.squeeze_excitation.is_some() {
                let inner = self.dense(&y.mean((2, 3))?, &path("se.squeeze"))?.relu()?;
                let gate = self.dense(&inner, &path("se.excite"))?.neg()?.exp()?;
                let gate = (gate + 1.0)?.recip()?;
                y = y.broadcast_mul(&gate.unsqueeze(2)?.unsqueeze(3)?)?;
            }
            let projection = path("projection.conv");
            if self.0.contains_key(&format!("{projection}.weight")) {
                x = self.conv(&x, &projection, &path("projection.bn"), block.stride)?;
            }
            x = (x + y)?.relu()?;
        }
        x.mean((2, 3))
    }

    fn sequential(&self, trunk: &SequentialSpec, mut x: Tensor) -> Result<Tensor> {
        for (i, layer) in trunk.layers.iter().enumerate() {
            x = match *layer {
                LayerSpec::Convolution {
                    kernel, padding, ..
                } => {
                    let weight = self.weight(&format!("layers.{i}.weight"));
                    let weight = weight.permute((3, 2, 0, 1))?.contiguous()?;
                    let padding = match padding {
                        Padding::Valid => 0,
                        Padding::Same => kernel / 2,
                    };
                    let bias = self.weight(&format!("layers.{i}.bias"));
                    x.conv2d(&weight, padding, 1, 1, 1)?
                        .broadcast_add(&bias.reshape((1, (), 1, 1))?)?
                }
                LayerSpec::Relu => x.relu()?,
                LayerSpec::MaxPool => x.max_pool2d(2)?,
                LayerSpec::Dropout { .. } => x,
                LayerSpec::Flatten => x.permute((0, 2, 3, 1))?.flatten_from(1)?,
                LayerSpec::Dense { .. } => self.dense(&x, &format!("layers.{i}"))?,
            };
        }
        Ok(x)
    }
}

fn assert_agrees_with_candle(spec: &NetworkSpec) {
    let weights = VarMap::new();
    let vb = VarBuilder::from_varmap(&weights, DType::F32, &Device::Cpu);
    let network = Network::new(spec, &vb).unwrap();
    initialise(&weights, 3).unwrap();
    // Moves the running statistics away from their initial values.
    network.forward_train(&faces(20), 1).unwrap();
    let x = faces(5);
    let expected = Reference(&weights.data().lock().unwrap())
        .logits(spec, &x)
        .unwrap();
    let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let expected: Vec<Vec<f32>> = expected.iter().map(flat).collect();
    let agree = |logits: &[Vec<f32>]| {
        assert_eq!(logits.len(), expected.len());
        for (logits, expected) in logits.iter().zip(&expected) {
            assert_eq!(logits.len(), expected.len());
            for (a, b) in logits.iter().zip(expected) {
                assert!((a - b).abs() < 1e-4, "{a} instead of {b}");
            }
        }
    };
    let logits = network.forward_eval(&x).unwrap();
    agree(&logits.iter().map(flat).collect::<Vec<_>>());
    let folded = network.fold(1).unwrap();
    let (mut workspace, faces) = (Workspace::default(), flat(&x));
    folded.infer(&mut workspace, &faces[..48 * 48]);
    agree(folded.infer(&mut workspace, &faces));
}

#[test]
fn a_residual_network_infers_like_candle() {
    for reduction in [None, Some(4)] {
        let mut spec = NetworkSpec::residual(16, &[(16, 1), (40, 2), (33, 2), (33, 1)], 0.3);
        let TrunkSpec::Residual(trunk) = &mut spec.trunk else {
            panic!("a residual network")
        };
        trunk.squeeze_excitation = reduction;
        assert_agrees_with_candle(&spec);
    }
}

#[test]
fn a_sequential_network_infers_like_candle() {
    let convolution = |channels, kernel, padding| LayerSpec::Convolution {
        channels,
        kernel,
        padding,
    };
    let layers = vec![
        convolution(8, 3, Padding::Valid),
        LayerSpec::Relu,
        convolution(20, 5, Padding::Same),
        LayerSpec::MaxPool,
        LayerSpec::Relu,
        convolution(12, 3, Padding::Same),
        LayerSpec::MaxPool,
        LayerSpec::Dropout { rate: 0.5 },
        LayerSpec::Flatten,
        LayerSpec::Dense { values: 24 },
        LayerSpec::Relu,
    ];
    assert_agrees_with_candle(&NetworkSpec {
        trunk: TrunkSpec::Sequential(SequentialSpec { layers }),
        ..NetworkSpec::residual(8, &[(8, 1)], 0.3)
    });
}

#[test]
fn gradients_do_not_depend_on_the_number_of_threads() {
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
fn a_backward_pass_after_a_later_forward_pass_is_refused() {
    let (network, _) = network();
    let first = loss(&network.forward_train(&faces(2), 1).unwrap());
    network.forward_train(&faces(2), 2).unwrap();
    assert!(first.backward().is_err());
}

#[test]
fn a_head_on_all_blocks_reads_them_in_order_and_is_not_trained() {
    let mut spec = NetworkSpec::residual(8, &[(8, 1), (12, 2), (20, 2)], 0.3);
    spec.heads[1].input = HeadInput::Blocks;
    let weights = VarMap::new();
    let vb = VarBuilder::from_varmap(&weights, DType::F32, &Device::Cpu);
    let network = Network::new(&spec, &vb).unwrap();
    initialise(&weights, 3).unwrap();
    let error = network.forward_train(&faces(2), 1).unwrap_err().to_string();
    assert!(error.contains("photo-head"), "{error}");

    let folded = network.fold(2).unwrap();
    let mut workspace = Workspace::default();
    let pair: Vec<f32> = faces(2).flatten_all().unwrap().to_vec1().unwrap();
    let logits = folded.infer(&mut workspace, &pair)[1].clone();
    let (one, other) = logits.split_at(Emotion::COUNT);
    let levels = folded.levels(&workspace);
    let head = network.weights().unwrap();
    let weight = head
        .values("heads.ferplus.weight", &[Emotion::COUNT, 40])
        .unwrap();
    let last = &levels[20..];
    let features = workspace.features();
    for (channel, mean) in last.iter().enumerate() {
        assert!((mean - f32::midpoint(features[channel], features[20 + channel])).abs() < 1e-6);
    }
    for (row, pair) in weight.chunks_exact(40).zip(one.iter().zip(other)) {
        let expected: f32 = row.iter().zip(&levels).map(|(w, x)| w * x).sum();
        let found = f32::midpoint(*pair.0, *pair.1);
        assert!((found - expected).abs() < 1e-4, "{found} {expected}");
    }
}
