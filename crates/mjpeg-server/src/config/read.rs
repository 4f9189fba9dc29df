//! Reads files into layers, and finds all that is wrong with them.

pub(crate) mod document;
pub(crate) mod nearest;
mod section;
