use super::*;
use crate::testing::{CASES, Noise, assert_close};

/// Calls `f` with the indices of source value, weight and target value of every product.
fn each_product(g: &Geometry, images: usize, mut f: impl FnMut(usize, usize, usize)) {
    let (ci, co) = (g.channels_in, g.channels_out);
    for image in 0..images {
        for (out, tap) in (0..g.pixels_out()).flat_map(|o| (0..g.taps()).map(move |t| (o, t))) {
            let Some(source) = g.source(out, tap) else {
                continue;
            };
            for (i, o) in (0..ci).flat_map(|i| (0..co).map(move |o| (i, o))) {
                f(
                    image * g.image_in() + source * ci + i,
                    (tap * ci + i) * co + o,
                    image * g.image_out() + out * co + o,
                );
            }
        }
    }
}

/// A single image of these sizes is too small for tiles of 4×4 pixels.
const SMALL: Geometry = Geometry {
    height: 6,
    width: 7,
    channels_in: 19,
    channels_out: 37,
    kernel: 3,
    stride: 1,
    padding: 1,
};

fn geometry(noise: &mut Noise) -> Geometry {
    let (kernel, stride, padding) = noise.one_of(&[
        (3, 1, 1),
        (3, 1, 1),
        (3, 2, 1),
        (1, 1, 0),
        (1, 2, 0),
        (5, 1, 2),
        (3, 1, 0),
    ]);
    Geometry {
        height: noise.size(kernel, 14),
        width: noise.size(kernel, 14),
        channels_in: noise.size(1, 36),
        channels_out: noise.size(1, 70),
        kernel,
        stride,
        padding,
    }
}

#[test]
fn a_convolution_and_its_gradients_agree_with_naive_loops_at_every_level() {
    let mut sizes = Vec::new();
    for seed in 0..=CASES {
        let mut noise = Noise::new(seed);
        let (g, images) = if seed == CASES {
            (SMALL, 1)
        } else {
            (geometry(&mut noise), noise.number(1, 4))
        };
        sizes.extend(
            Convolution::new(g, images)
                .winograd
                .map(|tiling| tiling.size),
        );
        let (x, kernel) = (
            noise.values(images * g.image_in()),
            noise.values(g.kernel_len()),
        );
        let dy = noise.values(images * g.image_out());
        let (bias, before) = (noise.values(g.channels_out), noise.values(dy.len()));
        let mut sums = vec![0.0; dy.len()];
        let mut dx = noise.values(x.len());
        let dx_before = dx.clone();
        let mut dkernel = vec![0.0; kernel.len()];
        each_product(&g, images, |source, weight, target| {
            sums[target] += x[source] * kernel[weight];
            dx[source] += dy[target] * kernel[weight];
            dkernel[weight] += x[source] * dy[target];
        });
        let expected: Vec<f32> = (0..sums.len())
            .map(|i| (sums[i] + bias[i % g.channels_out] + before[i]).max(0.0))
            .collect();

        for level in Level::supported() {
            let what = format!("{level:?}, {images} × {g:?}");
            let convolution = Convolution {
                level,
                ..Convolution::new(g, images)
            };
            let mut panels = Panels::default();
            convolution.pack(&kernel, &mut panels);
            let mut y = vec![f32::NAN; dy.len()];
            convolution.forward(&panels, &x, &mut y, Epilogue::default());
            assert_close(&y, &sums, &what);
            let epilogue = Epilogue {
                bias: Some(&bias),
                add: Add::Images(&before),
                relu: true,
            };
            convolution.forward(&panels, &x, &mut y, epilogue);
            assert_close(&y, &expected, &format!("{what}, epilogue"));

            convolution.pack_backward(&kernel, &mut panels);
            let mut found = dx_before.clone();
            convolution.input_gradient(&panels, &dy, &mut found, true);
            assert_close(&found, &dx, &format!("{what}, gradient of the input"));

            let mut sum = vec![f32::NAN; convolution.kernel_sum_len()];
            convolution.kernel_gradient(&x, &dy, &mut sum, false);
            let mut found = vec![f32::NAN; kernel.len()];
            convolution.finish_kernel_gradient(&mut [sum], &mut found);
            assert_close(&found, &dkernel, &format!("{what}, gradient of the kernel"));
        }
    }
    for size in [Size::Two, Size::Four] {
        assert!(sizes.contains(&size), "{size:?} was not tried");
    }
}

/// With panels of fewer taps than the plan, the register tiles would read past their end.
#[test]
#[should_panic(expected = "self.panels.taps()")]
fn panels_of_a_smaller_kernel_panic() {
    let geometry = Geometry {
        height: 4,
        width: 4,
        channels_in: 1,
        channels_out: 1,
        kernel: 3,
        stride: 1,
        padding: 1,
    };
    let pointwise = Geometry {
        kernel: 1,
        padding: 0,
        ..geometry
    };
    let mut panels = Panels::default();
    Convolution::new(pointwise, 1).pack(&[1.0], &mut panels);
    let mut y = [0.0; 16];
    Convolution::new(geometry, 1).forward(&panels, &[0.0; 16], &mut y, Epilogue::default());
}
