//! Networks of reverse proxies.

use std::{fmt, net::IpAddr, str::FromStr};

use mjpeg_manager::mjpeg_http::ipnet::IpNet;

/// An address, or a network such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NetworkValue(pub(crate) IpNet);

impl FromStr for NetworkValue {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        let network = address.or_else(|_| text.parse());
        network.map(Self).map_err(|_| NotANetwork)
    }
}

impl fmt::Display for NetworkValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("expected an address (10.0.0.5, fd00::5) or a network (10.0.0.0/24)")]
pub(crate) struct NotANetwork;
