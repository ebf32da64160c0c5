//! Numerical kernels: what candle lacks or does slowly on a CPU.
