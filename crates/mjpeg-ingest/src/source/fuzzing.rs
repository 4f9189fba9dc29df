//! The oracles shared by fuzz targets and their replays. They panic when a promise does not hold.

pub use super::{http::fuzzing::ingest_response, http_listen::fuzzing::ingest_push};
