//! Benchmarks live beside this file; see README.md. What is in the library is the load benchmark of
//! the fan-out, whose programs are in `bin/`.

#[cfg(target_os = "linux")]
pub mod fanout;
