//! TCP connections, from `/proc`.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::{Context as _, Result};

/// An established TCP connection over IPv4.
#[derive(Debug, PartialEq, Eq)]
pub struct Connection {
    /// This end.
    pub local: SocketAddrV4,
    /// The other end.
    pub peer: SocketAddrV4,
    /// Bytes in the send queue, unsent or unacknowledged (`SIOCOUTQ`).
    pub queued_bytes: u64,
}

/// The established connections in the network namespace of a process.
pub fn established(id: u32) -> Result<Vec<Connection>> {
    let path = format!("/proc/{id}/net/tcp");
    let table = fs::read_to_string(&path)
        .with_context(|| format!("reading {path}; the kits need Linux"))?;
    Ok(table.lines().filter_map(connection).collect())
}

/// Reads a line of `/proc/net/tcp`. `None` for the heading and for other states.
fn connection(line: &str) -> Option<Connection> {
    let mut fields = line.split_whitespace().skip(1);
    let (local, peer) = (address(fields.next()?)?, address(fields.next()?)?);
    let established = fields.next()? == "01";
    let (queued, _) = fields.next()?.split_once(':')?;
    let queued_bytes = u64::from_str_radix(queued, 16).ok()?;
    established.then_some(Connection {
        local,
        peer,
        queued_bytes,
    })
}

/// The kernel prints the four bytes of the address as one number in native byte order.
fn address(text: &str) -> Option<SocketAddrV4> {
    let (ip, port) = text.split_once(':')?;
    let ip = u32::from_str_radix(ip, 16).ok()?.to_ne_bytes();
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(SocketAddrV4::new(Ipv4Addr::from(ip), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn only_established_connections_are_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n\
            0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n\
            1: 01014E0A:1F90 02014E0A:CB2E 06 00000001:00000000 01:00000014 00000000     0\n\
            2: 01014E0A:1F90 02014E0A:CB30 01 0000A5C8:00000000 01:00000014 00000000     0\n";
        let found: Vec<_> = table.lines().filter_map(connection).collect();
        let expected = Connection {
            local: SocketAddrV4::new(Ipv4Addr::new(10, 78, 1, 1), 8080),
            peer: SocketAddrV4::new(Ipv4Addr::new(10, 78, 1, 2), 0xCB30),
            queued_bytes: 0xA5C8,
        };
        assert_eq!(found, [expected]);
    }
}
