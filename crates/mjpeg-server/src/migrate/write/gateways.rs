//! Ports: those of streams, and those that serve all of them.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use super::{
    carried::CarriedCamera,
    comments::{bullets, quoted},
};
use crate::migrate::found::{FoundAddress, FoundListen, Inventory};

/// The ports that are written.
pub(super) struct WrittenPorts {
    /// Each as its lines.
    listens: Vec<(Vec<String>, Vec<String>)>,
    /// The streams' own, by their places.
    own: Vec<Option<SocketAddr>>,
}

impl WrittenPorts {
    /// Gives each port to the first who wants it. Streams without one get a port that serves all.
    pub(super) fn new(found: &Inventory, carried: &[Option<CarriedCamera<'_>>]) -> Self {
        let mut taken: BTreeSet<SocketAddr> = BTreeSet::new();
        let mut listens = Vec::new();
        let mut has_gateway = false;
        for listen in &found.listens {
            let mut lines = Vec::new();
            match &listen.at {
                FoundAddress::Tcp(at) if is_free(&taken, at) => {
                    taken.insert(*at);
                    lines.push(format!("address = {}", address(at)));
                    has_gateway = true;
                }
                FoundAddress::Tcp(_) => continue,
                FoundAddress::Unix { path, mode } => {
                    has_gateway = true;
                    lines.push(format!("unix = {}", quoted(path)));
                    lines.extend(mode.iter().map(|mode| format!("mode = {}", quoted(mode))));
                }
            }
            let default = listen.default.and_then(|at| carried.get(at)?.as_ref());
            lines.extend(default.map(|one| format!("default = {}", quoted(&one.name))));
            let base_path = listen.base_path.iter();
            lines.extend(base_path.map(|path| format!("base_path = {}", quoted(path))));
            listens.push((listen.notes.clone(), lines));
        }
        let mut own = Vec::new();
        for one in carried {
            let wanted = one.as_ref().and_then(|one| one.camera.listen);
            let free = wanted.filter(|at| is_free(&taken, at));
            taken.extend(free);
            own.push(free);
        }
        let without = carried
            .iter()
            .zip(&own)
            .any(|(one, own)| one.is_some() && own.is_none());
        warn_of_private(found, carried, &mut listens);
        if without && !has_gateway {
            let at = free_port(&taken);
            let mut note = "a port for all cameras, with a page".to_owned();
            if at.ip().is_loopback() {
                let port = at.port();
                note += &format!(", for this machine; `address = {port}` opens it to others");
            }
            listens.push((vec![note], vec![format!("address = {}", address(&at))]));
        }
        Self { listens, own }
    }

    /// The value of the own port of the stream at this place.
    pub(super) fn own_port(&self, at: usize) -> Option<String> {
        let own = self.own.get(at).copied().flatten();
        own.map(|own| address(&own))
    }

    pub(super) fn write(&self, out: &mut String) {
        for (notes, lines) in &self.listens {
            out.push('\n');
            bullets(out, notes);
            *out += "[[listen]]\n";
            for line in lines {
                *out += line;
                out.push('\n');
            }
        }
    }
}

/// Says of ports that others reach which cameras only this machine could see before.
fn warn_of_private(
    found: &Inventory,
    carried: &[Option<CarriedCamera<'_>>],
    listens: &mut [(Vec<String>, Vec<String>)],
) {
    let is_public = |listen: &&FoundListen| matches!(&listen.at, FoundAddress::Tcp(at) if !at.ip().is_loopback());
    let is_private = |one: &&CarriedCamera<'_>| {
        let listen = one.camera.listen;
        one.camera.login.is_none() && listen.is_some_and(|at| at.ip().is_loopback())
    };
    let private = carried.iter().flatten().filter(is_private);
    let private: Vec<&str> = private.map(|one| &*one.name).collect();
    if private.is_empty() || !found.listens.iter().any(|listen| is_public(&listen)) {
        return;
    }
    for (notes, _) in listens {
        notes.push(format!(
            "all cameras are there. Only this machine could see {}: give them `view`",
            private.join(", ")
        ));
    }
}

/// Whether nobody listens there, at all addresses or at this one.
fn is_free(taken: &BTreeSet<SocketAddr>, at: &SocketAddr) -> bool {
    !taken.iter().any(|other| {
        let is_all = other.ip().is_unspecified() || at.ip().is_unspecified();
        other.port() == at.port() && (is_all || other.ip() == at.ip())
    })
}

/// A port for all streams. It is open to others only if another one is.
fn free_port(taken: &BTreeSet<SocketAddr>) -> SocketAddr {
    let is_local = taken.iter().all(|at| at.ip().is_loopback());
    let ip: IpAddr = match is_local {
        true => Ipv4Addr::LOCALHOST.into(),
        false => Ipv6Addr::UNSPECIFIED.into(),
    };
    let mut ports = (8080..=u16::MAX).map(|port| SocketAddr::new(ip, port));
    let free = ports.find(|at| is_free(taken, at));
    free.unwrap_or(SocketAddr::new(ip, 80))
}

/// An address as it is written: a port alone where it is all interfaces.
fn address(at: &SocketAddr) -> String {
    match at.ip() {
        ip if ip.is_unspecified() => at.port().to_string(),
        _ => quoted(&at.to_string()),
    }
}
