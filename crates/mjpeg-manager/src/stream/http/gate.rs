//! The gate that all streams of an outlet share.

use std::{fmt, sync::Arc};

use mjpeg_http::Gate;

/// A gate, with a `Debug` that reveals nothing about it.
#[derive(Clone)]
pub(super) struct OutletGate(pub(super) Arc<dyn Gate>);

impl fmt::Debug for OutletGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}
