//! Judges a camera: says in plain words what it is, what is odd about it and what to set.
//!
//! It opens no connection. [`ProbeTally`](tally::ProbeTally) collects what the pictures are like,
//! [`ProbeEvidence`](evidence::ProbeEvidence) what else is known, and
//! [`ProbeReport::new`](report::ProbeReport::new) makes a report of it.

mod answers;
mod error_code;
pub(crate) mod evidence;
mod failures;
pub(crate) mod finding;
mod pictures;
pub(crate) mod report;
mod rhythm;
mod second;
pub(crate) mod tally;
