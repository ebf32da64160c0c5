use candle_core::{DType, Var};

use super::*;

fn random(shape: &[usize]) -> Var {
    Var::randn(0f32, 1f32, shape, &Device::Cpu).unwrap()
}

fn assert_close(what: &str, ours: &Tensor, reference: &Tensor) {
    let difference = (ours - reference).unwrap().abs().unwrap();
    let largest = difference.max_all().unwrap().to_scalar::<f32>().unwrap();
    let scale = reference.abs().unwrap().max_all().unwrap();
    let scale = scale.to_scalar::<f32>().unwrap().max(1.0);
    assert!(
        largest <= 2e-5 * scale,
        "{what} differs by {largest} at a scale of {scale}"
    );
}

/// Compares the value and the gradient of every variable under a random weighting of the output.
fn compare(what: &str, ours: &Tensor, reference: &Tensor, variables: &[(&str, &Var)]) {
    assert_close(what, ours, reference);
    let weighting = Tensor::randn(0f32, 1f32, ours.shape(), &Device::Cpu).unwrap();
    let gradients = |y: &Tensor| (y * &weighting).unwrap().sum_all().unwrap().backward();
    let (ours, reference) = (gradients(ours).unwrap(), gradients(reference).unwrap());
    for (name, variable) in variables {
        let what = format!("{what}: gradient of {name}");
        assert_close(
            &what,
            ours.get(variable).unwrap(),
            reference.get(variable).unwrap(),
        );
    }
}

#[test]
fn convolution_agrees_with_candle() {
    // Batch, height, width, channels in and out, kernel, stride, padding.
    for case in [
        [3, 7, 9, 5, 6, 3, 1, 1],
        [2, 8, 8, 4, 7, 3, 2, 1],
        [2, 9, 7, 3, 4, 3, 2, 1],
        [5, 6, 5, 8, 3, 1, 1, 0],
        [3, 7, 8, 2, 9, 1, 2, 0],
        [2, 11, 10, 1, 16, 5, 1, 2],
        [1, 9, 12, 3, 5, 5, 2, 0],
        [2, 12, 12, 32, 48, 3, 1, 1],
        [2, 6, 6, 33, 65, 3, 1, 1],
        [17, 3, 3, 64, 32, 3, 1, 1],
        [9, 10, 7, 17, 19, 3, 1, 1],
    ] {
        let [n, h, w, ci, co, k, stride, padding] = case;
        let (x, kernel) = (random(&[n, h, w, ci]), random(&[k, k, ci, co]));
        let ours = conv2d(&x, &kernel, stride, padding).unwrap();
        let oihw = kernel.permute((3, 2, 0, 1)).unwrap().contiguous().unwrap();
        let nchw = x.permute((0, 3, 1, 2)).unwrap().contiguous().unwrap();
        // candle's own gradient fails on some sizes at stride 2, so take every second pixel.
        let (oh, ow) = (ours.dims()[1], ours.dims()[2]);
        let every = |n| Tensor::arange_step(0, (n * stride) as u32, stride as u32, x.device());
        let reference = nchw
            .conv2d(&oihw, padding, 1, 1, 1)
            .and_then(|y| y.index_select(&every(oh)?, 2)?.index_select(&every(ow)?, 3))
            .and_then(|y| y.permute((0, 2, 3, 1))?.contiguous())
            .unwrap();
        compare(
            &format!("{case:?}"),
            &ours,
            &reference,
            &[("x", &x), ("kernel", &kernel)],
        );
    }
}

#[test]
fn batch_norm_agrees_with_its_definition() {
    for (relu, add) in [(false, false), (true, false), (false, true), (true, true)] {
        let shape = [5, 4, 7, 6];
        let (z, residual) = (random(&shape), random(&shape));
        let (gamma, beta) = (random(&[6]), random(&[6]));
        let (ours, statistics) =
            batch_norm(&z, &gamma, &beta, add.then_some(&residual), relu, 1e-3).unwrap();
        let rows = z.reshape((140, 6)).unwrap();
        let mean = rows.mean_keepdim(0).unwrap();
        let centred = rows.broadcast_sub(&mean).unwrap();
        let variance = centred.sqr().unwrap().mean_keepdim(0).unwrap();
        let reference = centred
            .broadcast_div(&(&variance + 1e-3).unwrap().sqrt().unwrap())
            .and_then(|x| x.broadcast_mul(&gamma)?.broadcast_add(&beta))
            .and_then(|y| y.reshape(&shape))
            .and_then(|y| if add { y + residual.as_tensor() } else { Ok(y) })
            .and_then(|y| if relu { y.relu() } else { Ok(y) })
            .unwrap();
        let mut variables = vec![("z", &z), ("gamma", &gamma), ("beta", &beta)];
        if add {
            variables.push(("residual", &residual));
        }
        let what = format!("relu {relu}, residual {add}");
        compare(&what, &ours, &reference, &variables);
        let ours = Tensor::new(statistics.variance, &Device::Cpu).unwrap();
        assert_close("variance", &ours, &variance.squeeze(0).unwrap());
    }
}

#[test]
fn pooling_agrees_with_candle() {
    let x = random(&[3, 7, 6, 5]);
    let average = global_average_pool(&x).unwrap();
    compare("average", &average, &x.mean((1, 2)).unwrap(), &[("x", &x)]);
    let x = random(&[3, 6, 8, 5]);
    // candle's own max_pool2d quarters its gradient.
    let reference = x
        .reshape((3, 3, 2, 4, 2, 5))
        .and_then(|x| x.max(4)?.max(2))
        .unwrap();
    compare(
        "maximum",
        &max_pool2d(&x).unwrap(),
        &reference,
        &[("x", &x)],
    );
}

/// Central differences of a loss that goes through every operation.
#[test]
fn gradients_agree_with_finite_differences() {
    let x = random(&[2, 6, 6, 2]);
    let kernel = random(&[3, 3, 2, 4]);
    let (gamma, beta) = (random(&[4]), random(&[4]));
    let weighting = Tensor::randn(0f32, 1f32, (2, 4), &Device::Cpu).unwrap();
    let loss = || {
        let z = conv2d(&x, &kernel, 1, 1)?;
        let (y, _) = batch_norm(&z, &gamma, &beta, None, false, 1e-5)?;
        (global_average_pool(&max_pool2d(&y)?)? * &weighting)?.sum_all()
    };
    let gradients = loss().unwrap().backward().unwrap();
    for variable in [&x, &kernel, &gamma, &beta] {
        let before = variable.as_tensor().copy().unwrap();
        let direction = variable.rand_like(-1.0, 1.0).unwrap();
        let at = |step: f64| {
            variable
                .set(&(&before + (&direction * step).unwrap()).unwrap())
                .unwrap();
            let loss = loss().unwrap().to_dtype(DType::F64).unwrap();
            loss.to_scalar::<f64>().unwrap()
        };
        let numeric = (at(1e-3) - at(-1e-3)) / 2e-3;
        variable.set(&before).unwrap();
        let analytic = (gradients.get(variable).unwrap() * &direction)
            .and_then(|d| d.sum_all()?.to_scalar::<f32>())
            .unwrap();
        let difference = (numeric - f64::from(analytic)).abs();
        assert!(
            difference < 2e-2 * (1.0 + numeric.abs()),
            "{numeric} {analytic}"
        );
    }
}
