//! Turns arguments into settings of the libraries.

mod cameras;
pub(crate) mod demo;
mod run;
pub(crate) mod settings;
mod viewers;
