//! The structure of a JPEG image, with the terms of ITU-T T.81: markers, segments, tables.

pub(crate) mod frame_header;
pub(crate) mod marker;
#[cfg(any(feature = "rtp", feature = "small"))]
pub(crate) mod quantization;
pub(crate) mod search;
pub(crate) mod segment;
pub(crate) mod tables;
pub(crate) mod walk;
