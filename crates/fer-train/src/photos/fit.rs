//! Minimises a smooth function by L-BFGS (Liu and Nocedal, Mathematical Programming 45, 1989).

/// Number of steps whose curvature is remembered.
const MEMORY: usize = 10;

/// The sufficient decrease of a step, as a share of the decrease that the gradient predicts (Armijo 1966).
const DECREASE: f64 = 1e-4;

/// Most halvings of a step.
const HALVINGS: usize = 30;

/// Minimises `function`, which returns its value and its gradient, from `start` in at most `steps` steps; ends when a
/// step lowers the value by less than a millionth.
pub fn minimise(
    start: Vec<f64>,
    steps: usize,
    function: impl Fn(&[f64]) -> (f64, Vec<f64>),
) -> Vec<f64> {
    let mut x = start;
    let (mut value, mut gradient) = function(&x);
    let mut memory: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
    for _ in 0..steps {
        let mut direction = descent(&gradient, &memory);
        let mut slope = dot(&gradient, &direction);
        if slope >= 0.0 {
            // Only rounding errors can make this a direction of ascent.
            memory.clear();
            direction = gradient.iter().map(|g| -g).collect();
            slope = -dot(&gradient, &gradient);
        }
        let first = if memory.is_empty() {
            1.0 / dot(&gradient, &gradient).sqrt().max(1.0)
        } else {
            1.0
        };
        let tried = (0..HALVINGS).find_map(|halvings| {
            let length = first * 0.5_f64.powi(halvings as i32);
            let next: Vec<f64> = (x.iter().zip(&direction))
                .map(|(x, d)| x + length * d)
                .collect();
            let (below, slopes) = function(&next);
            (below <= value + DECREASE * length * slope).then_some((next, below, slopes))
        });
        let Some((next, below, slopes)) = tried else {
            break;
        };
        let change: Vec<f64> = next.iter().zip(&x).map(|(a, b)| a - b).collect();
        let bend: Vec<f64> = slopes.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        if dot(&change, &bend) > 1e-12 {
            if memory.len() == MEMORY {
                memory.remove(0);
            }
            memory.push((change, bend));
        }
        let done = value - below < 1e-6 * value.abs();
        (x, value, gradient) = (next, below, slopes);
        if done {
            break;
        }
    }
    x
}

/// The direction of L-BFGS's two loops.
fn descent(gradient: &[f64], memory: &[(Vec<f64>, Vec<f64>)]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for (change, bend) in memory.iter().rev() {
        let share = dot(change, &direction) / dot(change, bend);
        add(&mut direction, -share, bend);
        shares.push(share);
    }
    if let Some((change, bend)) = memory.last() {
        let scale = dot(change, bend) / dot(bend, bend);
        for d in &mut direction {
            *d *= scale;
        }
    }
    for ((change, bend), share) in memory.iter().zip(shares.into_iter().rev()) {
        let back = dot(bend, &direction) / dot(change, bend);
        add(&mut direction, share - back, change);
    }
    direction
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], factor: f64, from: &[f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_of_a_narrow_valley_is_found() {
        // Rosenbrock's function, whose minimum is at (1, 1).
        let valley = |x: &[f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            let gradient = vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b];
            (a * a + 100.0 * b * b, gradient)
        };
        let found = minimise(vec![-1.2, 1.0], 200, valley);
        assert!(
            (found[0] - 1.0).abs() < 1e-2 && (found[1] - 1.0).abs() < 1e-2,
            "{found:?}"
        );
    }
}
