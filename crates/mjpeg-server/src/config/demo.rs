//! The streams of `demo`.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use mjpeg_manager::StreamSpec;

/// Makes this many cameras, on the ports from the first one on; 0 takes free ports.
///
/// # Errors
///
/// When there are too few ports after the first one.
pub(crate) fn streams(cameras: u16, first: u16) -> Result<Vec<StreamSpec>> {
    let spec = |n| {
        let name = format!("camera{}", n + 1);
        let port = match first {
            0 => 0,
            first => first
                .checked_add(n)
                .context("the last camera's port would be above 65535; choose a lower --port")?,
        };
        let spec = StreamSpec::parse(&name, &format!("test:?name={name}"))?;
        Ok(spec.with_listen((Ipv4Addr::LOCALHOST, port).into()))
    };
    (0..cameras).map(spec).collect()
}

/// The first port of the demo if none is given. 8080, the usual second port of the web, is often
/// taken.
pub(crate) const DEMO_PORT: u16 = 8081;
