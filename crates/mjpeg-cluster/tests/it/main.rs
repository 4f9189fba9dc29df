//! Tests through the public face.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod link;
