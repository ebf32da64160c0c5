//! Passes mutated samples to every function that reads bytes from outside, for a second each, with as many targets at a
//! time as there are processors; `HOSTILE_SECONDS` sets another time. `fuzz/` does the same with coverage, for any
//! time.
//!
//! `HOSTILE_SAMPLES` names a folder into which the samples are written, from which `fuzz/run` starts.
//!
//! A failure names the target and the number of the input, from which the input can be made again.
#![allow(
    clippy::print_stderr,
    reason = "the numbers of inputs are read with --nocapture"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../cli/testenv.rs"]
#[allow(dead_code, reason = "each test uses a part of it")]
mod testenv;

mod album;
mod mutate;
mod samples;
mod targets;

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

use mutate::mutated;
use samples::samples;
use targets::{TARGETS, Target};

/// No mutated input may take longer, even on a busy machine and without optimisation. The time that the first samples
/// take to load data is not counted.
const MAX_TIME: Duration = Duration::from_mins(1);

fn seconds() -> Duration {
    let given = std::env::var("HOSTILE_SECONDS").ok();
    Duration::from_secs_f64(given.and_then(|text| text.parse().ok()).unwrap_or(1.0))
}

#[test]
fn no_input_makes_a_reader_panic_or_hang() {
    let threads = available_parallelism().map_or(1, NonZero::get);
    let (targets, failed) = (Mutex::new(TARGETS.iter()), Mutex::new(Vec::new()));
    let next = || targets.lock().unwrap().next();
    // Not rayon's threads: while a decoder waits for its own work there, its thread would run another target.
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(&(name, target)) = next() {
                    let outcome = attack(name, target);
                    failed.lock().unwrap().extend(outcome.err());
                }
            });
        }
    });
    let failed: Vec<String> = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

/// Passes mutated samples to one target; an error describes the first input that caused a panic or took too long.
fn attack(name: &str, target: Target) -> Result<(), String> {
    let samples = samples(name);
    assert!(!samples.is_empty(), "no samples for {name}");
    if let Ok(folder) = std::env::var("HOSTILE_SAMPLES") {
        let folder = Path::new(&folder).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, sample) in samples.iter().enumerate() {
            std::fs::write(folder.join(number.to_string()), sample).unwrap();
        }
    }
    let start = Instant::now();
    let mut number = 0;
    while number < samples.len() as u64 || start.elapsed() < seconds() {
        let input = mutated(name, number, &samples);
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| target(&input)));
        let time = began.elapsed();
        let is_slow = number >= samples.len() as u64 && time > MAX_TIME;
        if outcome.is_err() || is_slow {
            if let Ok(folder) = std::env::var("HOSTILE_KEEP") {
                std::fs::write(format!("{folder}/{name}-{number}"), &input).unwrap();
            }
            let length = input.len();
            return Err(format!("{name}, input {number}: {time:?}, {length} bytes"));
        }
        number += 1;
    }
    eprintln!("{name}: {number} inputs");
    Ok(())
}
