//! Runs an ONNX model with tract on one thread, and prints the CPU milliseconds of each run and the
//! sum of each output as JSON: `yunet-tract MODEL.onnx INPUT HEIGHT WIDTH RUNS`. The file INPUT
//! holds `3 × HEIGHT × WIDTH` little-endian `f32`. Linux only.

use std::fs;

use tract_onnx::prelude::*;

const WARM_UP: usize = 5;

/// CPU milliseconds that this process has used so far.
fn cpu() -> TractResult<f64> {
    let text = fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e6)
}

fn main() -> TractResult<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, input, height, width, runs] = arguments.as_slice() else {
        panic!("usage: yunet-tract MODEL.onnx INPUT HEIGHT WIDTH RUNS");
    };
    let (height, width, runs): (usize, usize, usize) = (height.parse()?, width.parse()?, runs.parse()?);
    let model = tract_onnx::onnx()
        .model_for_path(model)?
        .with_input_fact(0, f32::fact([1, 3, height, width]).into())?
        .into_optimized()?
        .into_runnable()?;
    let bytes = fs::read(input)?;
    let values = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b));
    let image = tract_ndarray::Array4::from_shape_vec((1, 3, height, width), values.collect())?;
    let image: Tensor = image.into();
    let (mut ms, mut sums) = (Vec::new(), Vec::new());
    for run in 0..WARM_UP + runs {
        let start = cpu()?;
        let outputs = model.run(tvec!(image.clone().into()))?;
        if run >= WARM_UP {
            ms.push(cpu()? - start);
        }
        sums = outputs
            .iter()
            .map(|o| Ok(o.to_plain_array_view::<f32>()?.iter().map(|v| f64::from(*v)).sum()))
            .collect::<TractResult<Vec<f64>>>()?;
    }
    println!("{{\"ms\": {ms:?}, \"sums\": {sums:?}}}");
    Ok(())
}
