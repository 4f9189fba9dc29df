//! The settings of `demo`.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use mjpeg_manager::{HttpOutlet, ManagerConfig, StreamSpec};

use super::settings::Settings;
use crate::cli::demo::Demo;

impl Settings {
    /// Makes the settings of `demo`.
    ///
    /// # Errors
    ///
    /// When there are too few ports after the first one.
    pub(crate) fn of_demo(demo: &Demo) -> Result<Self> {
        let first = demo.port.unwrap_or(DEMO_PORT);
        let spec = |n| {
            let name = format!("camera{}", n + 1);
            let port = match first {
                0 => 0,
                first => first.checked_add(n).context(
                    "the last camera's port would be above 65535; choose a lower --port",
                )?,
            };
            let spec = StreamSpec::parse(&name, &format!("test:?name={name}"))?;
            Ok(spec.with_listen((Ipv4Addr::LOCALHOST, port).into()))
        };
        Ok(Self {
            specs: (0..demo.cameras).map(spec).collect::<Result<_>>()?,
            manager: ManagerConfig::default(),
            http: HttpOutlet::default(),
        })
    }
}

/// The first port of the demo if none is given. 8080, the usual second port of the web, is often
/// taken.
pub(crate) const DEMO_PORT: u16 = 8081;
