#![no_main]

#[path = "../../tests/hostile/targets.rs"]
#[allow(dead_code, reason = "each target uses one function of the list")]
mod targets;

libfuzzer_sys::fuzz_target!(init: fer_index_fuzz::watch_panics(), |bytes: &[u8]| targets::xmp(bytes));
