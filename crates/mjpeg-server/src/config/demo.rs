//! The streams of `demo`, and their gateway.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use mjpeg_manager::StreamSpec;

use crate::{
    gateway::{
        config::{GatewayAddress, GatewayConfig},
        routes::Routes,
    },
    relay::Gateways,
};

/// Makes a gateway on this port for all cameras.
pub(crate) fn gateways(streams: &[StreamSpec], port: u16) -> Gateways {
    let address = GatewayAddress::Tcp((Ipv4Addr::LOCALHOST, port).into());
    let order = streams.iter().map(|spec| spec.name().clone());
    Gateways::new([GatewayConfig::new("demo", address)], Routes::new(order))
}

/// Makes this many cameras, on the ports after this one; 0 takes free ports.
///
/// # Errors
///
/// When there are too few ports after it.
pub(crate) fn streams(cameras: u16, gateway: u16) -> Result<Vec<StreamSpec>> {
    let spec = |n| {
        let name = format!("camera{}", n + 1);
        let port = match gateway {
            0 => 0,
            gateway => gateway
                .checked_add(n + 1)
                .context("the last camera's port would be above 65535; choose a lower --port")?,
        };
        let spec = StreamSpec::parse(&name, &format!("test:?name={name}"))?;
        Ok(spec.with_listen((Ipv4Addr::LOCALHOST, port).into()))
    };
    (0..cameras).map(spec).collect()
}

/// The port for all cameras if none is given.
pub(crate) const DEMO_PORT: u16 = 8080;
