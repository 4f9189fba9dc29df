//! Addresses to listen at.

use std::{
    borrow::Cow,
    fmt,
    net::{Ipv6Addr, SocketAddr},
    str::FromStr,
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

/// `ADDR:PORT`, or a port alone on all interfaces, IPv6 and IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ListenAddr(pub(crate) SocketAddr);

impl ListenAddr {
    pub(crate) fn all_interfaces(port: u16) -> Self {
        Self((Ipv6Addr::UNSPECIFIED, port).into())
    }

    /// Whether only this machine can connect.
    pub(crate) fn is_local(&self) -> bool {
        self.0.ip().to_canonical().is_loopback()
    }
}

impl FromStr for ListenAddr {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        if let Ok(port) = text.parse() {
            return Ok(Self::all_interfaces(port));
        }
        text.parse().map(Self).map_err(|_| NotAnAddress)
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text is not repeated: it may be the end of a password with an `@` in it.
#[derive(Debug, thiserror::Error)]
#[error("expected a port (8081), or an address and port (127.0.0.1:8081, [::1]:8081)")]
pub(crate) struct NotAnAddress;

impl Serialize for ListenAddr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ListenAddr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AddrVisitor)
    }
}

struct AddrVisitor;

impl Visitor<'_> for AddrVisitor {
    type Value = ListenAddr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address and port (\"127.0.0.1:8081\", \"[::1]:8081\") or a port")
    }

    fn visit_i64<E: Error>(self, port: i64) -> Result<ListenAddr, E> {
        let port = u16::try_from(port).map_err(|_| E::custom(NotAnAddress))?;
        Ok(ListenAddr::all_interfaces(port))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ListenAddr, E> {
        text.parse().map_err(E::custom)
    }
}

impl JsonSchema for ListenAddr {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ListenAddr".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "minimum": 0,
            "maximum": u16::MAX,
            "x-type": "address and port, or a port",
        })
    }
}
