//! Runs the emotion network COUNT times on one thread; `benches/compare/cnn.py` measures the time.
//!
//!     cargo run --release -p fer-train --example cnn_speed -- MODEL infer 1000
//!     cargo run --release -p fer-train --example cnn_speed -- MODEL pair 1000
//!     cargo run --release -p fer-train --example cnn_speed -- MODEL train 10
//!
//! `infer` predicts one face at a time and prints its logits; `pair` predicts two at a time, like a face and its mirror
//! image. `train` takes steps of 128 faces (forward, backward, SGD with Nesterov momentum) from new weights.

use std::error::Error;

use candle_core::{Device, Tensor};
use candle_nn::ops::log_softmax;
use fer_core::classify::FACE_SIDE;
use fer_core::network::{NetworkSpec, Workspace};
use fer_train::network::{Network, initialise, is_trainable, read_network};
use fer_train::optimizer::{Optimizer, OptimizerRecipe};
use fer_train::weights;

type Failure = Box<dyn Error + Send + Sync>;

/// Faces per training step.
const BATCH: usize = 128;

/// A synthetic face: a repeating ramp of grey values.
fn face() -> impl Iterator<Item = f32> {
    (0..FACE_SIDE * FACE_SIDE).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0)
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, work, count] = arguments.as_slice() else {
        return Err("give MODEL infer|pair|train COUNT".into());
    };
    let network = read_network(&std::fs::read(model)?, model)?;
    let count = count.parse()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| match work.as_str() {
        "infer" => infer(&network, 1, count),
        "pair" => infer(&network, 2, count),
        "train" => train(network.spec(), count),
        _ => Err("the second argument must be infer, pair or train".into()),
    })
}

#[allow(clippy::print_stdout, reason = "the caller compares the logits")]
fn infer(network: &Network, images: usize, times: usize) -> Result<(), Failure> {
    let network = network.fold(images)?;
    let mut workspace = Workspace::default();
    let face: Vec<f32> = (0..images).flat_map(|_| face()).collect();
    for _ in 0..times {
        network.infer(&mut workspace, &face);
    }
    println!("{:?}", network.infer(&mut workspace, &face));
    Ok(())
}

fn train(spec: &NetworkSpec, steps: usize) -> Result<(), Failure> {
    let (weights, network) = weights::build_network(spec)?;
    initialise(&weights, 1)?;
    let faces: Vec<f32> = (0..BATCH).flat_map(|_| face()).collect();
    let faces = Tensor::from_vec(faces, (BATCH, FACE_SIDE, FACE_SIDE, 1), &Device::Cpu)?;
    let trainable = weights::sorted_variables(&weights)
        .into_iter()
        .filter(|(name, _)| is_trainable(name));
    let mut optimizer = Optimizer::new(OptimizerRecipe::default(), trainable.collect())?;
    for step in 0..steps {
        let logits = network.forward_train(&faces, step as u64)?;
        let first = |logits: &Tensor| log_softmax(logits, 1)?.narrow(1, 0, 1)?.mean_all();
        let losses: Vec<Tensor> = logits.iter().map(first).collect::<Result<_, _>>()?;
        let loss = Tensor::stack(&losses, 0)?.sum_all()?.neg()?;
        optimizer.step(&loss.backward()?, 0.01)?;
    }
    Ok(())
}
