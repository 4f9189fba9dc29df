//! Tests of the public API, in one binary to link only once.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod auto_traits;
mod cameras;
mod check;
mod consumers;
mod corpus;
#[cfg(feature = "tokio-util")]
mod decoder;
mod floods;
mod frame;
mod limits;
mod made;
mod multipart;
mod naive;
mod no_eoi;
mod orientation;
mod parser;
mod part_contents;
mod pixels;
mod programs;
mod properties;
mod read;
mod relay;
mod repair;
mod repair_properties;
mod replay;
#[cfg(feature = "rtp")]
mod rtp;
mod slices;
#[cfg(feature = "small")]
mod small;
mod small_frames;
mod streams;
mod verify;
mod verify_corpus;
mod verify_made;
mod whole;
mod work;
