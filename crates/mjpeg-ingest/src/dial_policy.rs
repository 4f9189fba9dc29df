//! Which addresses a source may connect to.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use ipnet::{IpNet, Ipv4Net};

/// Which addresses a source may connect to; see
/// [`Source::with_dial_policy`](crate::Source::with_dial_policy).
///
/// By default, all of them. For sources that come from somebody who must not reach the services of
/// this machine through it, there is a [restricted](Self::restricted) policy.
///
/// Two policies are equal if they permit the same networks, in whatever order they were added.
/// Clones share their networks.
///
/// ```
/// use mjpeg_ingest::DialPolicy;
///
/// let policy = DialPolicy::restricted().with_allowed(["127.0.0.1/32".parse()?]);
/// assert!(policy.check([192, 168, 1, 100].into()).is_ok());
/// assert!(policy.check([127, 0, 0, 1].into()).is_ok());
/// assert!(policy.check([127, 0, 0, 2].into()).is_err());
/// assert!(policy.check([169, 254, 169, 254].into()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialPolicy {
    /// The exceptions of a restricted policy, sorted; `None` permits all addresses.
    allowed: Option<Arc<[IpNet]>>,
}

/// An address that a [`DialPolicy`] refuses. The caller is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address {addr} is not one that this source may reach (allow)")]
pub struct AddressNotAllowed {
    addr: IpAddr,
}

impl AddressNotAllowed {
    /// The address.
    pub fn addr(&self) -> IpAddr {
        self.addr
    }
}

impl DialPolicy {
    /// Makes a policy that permits all addresses.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a policy that refuses addresses which mean this machine, its links or many machines.
    ///
    /// It refuses:
    ///
    /// * loopback addresses, `127.0.0.0/8` and `::1`;
    /// * unspecified ones, `0.0.0.0/8` and `::`, which lead to this machine too;
    /// * link-local ones, `169.254.0.0/16` and `fe80::/10`: there, clouds serve credentials;
    /// * multicast ones, `224.0.0.0/4` and `ff00::/8`, and broadcast, `255.255.255.255`;
    /// * IPv6 addresses that lead to any of these IPv4 addresses: IPv4-mapped (`::ffff:0:0/96`),
    ///   compatible (`::/96`) and translated ones (`::ffff:0:0:0/96`), NAT64 (`64:ff9b::/96`,
    ///   `64:ff9b:1::/96`), 6to4 (`2002::/16`) and Teredo (`2001::/32`);
    /// * the rest of `64:ff9b:1::/48`: where the IPv4 address is in it differs from network to
    ///   network.
    ///
    /// It permits all others, private networks (`192.168.0.0/16`, `fc00::/7` and the like)
    /// included. So it does not protect the other machines of a network, nor this one at the
    /// address that it has there.
    pub fn restricted() -> Self {
        Self {
            allowed: Some(Arc::default()),
        }
    }

    /// Permits these networks as well. Without meaning for a policy that permits all addresses.
    ///
    /// An IPv4 network holds for the IPv6 addresses that lead to it, too. An IPv4-mapped address is
    /// an IPv4 address, so `::/0` does not permit it.
    pub fn with_allowed(mut self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        if let Some(allowed) = self.allowed {
            let mut all = allowed.to_vec();
            all.extend(networks.into_iter().map(canonical));
            all.sort_unstable();
            all.dedup();
            self.allowed = Some(all.into());
        }
        self
    }

    /// Decides whether this address may be connected to.
    ///
    /// # Errors
    ///
    /// If it may not.
    pub fn check(&self, addr: IpAddr) -> Result<(), AddressNotAllowed> {
        let Some(allowed) = &self.allowed else {
            return Ok(());
        };
        let is_allowed = |addr: IpAddr| allowed.iter().any(|network| network.contains(&addr));
        let permits_v4 = |v4: Ipv4Addr| !is_local_v4(v4) || is_allowed(v4.into());
        let is_permitted = match addr.to_canonical() {
            IpAddr::V4(v4) => permits_v4(v4),
            IpAddr::V6(v6) => {
                let leads_on = || embedded(v6).into_iter().flatten().all(permits_v4);
                is_allowed(v6.into()) || !is_local_v6(v6) && leads_on()
            }
        };
        if is_permitted {
            Ok(())
        } else {
            Err(AddressNotAllowed { addr })
        }
    }

    /// Leaves out what has a refused address. If nothing is left, the first refusal is the error;
    /// an empty list stays one.
    pub(crate) fn permitted<T>(
        &self,
        found: Vec<T>,
        addr: impl Fn(&T) -> IpAddr,
    ) -> Result<Vec<T>, AddressNotAllowed> {
        let mut refusal = Ok(());
        let mut permitted = Vec::with_capacity(found.len());
        for one in found {
            match self.check(addr(&one)) {
                Ok(()) => permitted.push(one),
                Err(refused) => refusal = refusal.and(Err(refused)),
            }
        }
        if permitted.is_empty() {
            refusal?;
        }
        Ok(permitted)
    }
}

/// Writes a network the one way that it is compared and searched.
fn canonical(network: IpNet) -> IpNet {
    let network = network.trunc();
    let mapped = match network {
        IpNet::V6(v6) => v6
            .addr()
            .to_ipv4_mapped()
            .zip(v6.prefix_len().checked_sub(96)),
        IpNet::V4(_) => None,
    };
    let v4 = mapped.and_then(|(addr, prefix_len)| Ipv4Net::new(addr, prefix_len).ok());
    v4.map_or(network, IpNet::V4)
}

/// Whether the address means this machine, its links or many machines.
fn is_local_v4(addr: Ipv4Addr) -> bool {
    addr.is_loopback()
        // Linux takes `0.0.0.0` for loopback. No other address of this network is anybody's
        // (RFC 1122 section 3.2.1.3).
        || addr.octets()[0] == 0
        || addr.is_link_local()
        || addr.is_multicast()
        || addr.is_broadcast()
}

fn is_local_v6(addr: Ipv6Addr) -> bool {
    // NAT64 of the local network (RFC 8215), unless the IPv4 address is at its usual place.
    let is_opaque = matches!(addr.segments(), [0x64, 0xff9b, 1, middle @ .., _, _]
        if middle != [0, 0, 0]);
    addr.is_loopback()
        || addr.is_unspecified()
        || addr.is_unicast_link_local()
        || addr.is_multicast()
        || is_opaque
}

/// The IPv4 addresses that packets to this address may be passed on to.
fn embedded(addr: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let segments = addr.segments();
    let v4_at = |at: usize| {
        Ipv4Addr::from_bits(u32::from(segments[at]) << 16 | u32::from(segments[at + 1]))
    };
    match segments {
        // IPv4-compatible (RFC 4291), IPv4-translated (RFC 2765), NAT64 (RFC 6052, RFC 8215).
        [0, 0, 0, 0, 0, 0, _, _]
        | [0, 0, 0, 0, 0xffff, 0, _, _]
        | [0x64, 0xff9b, 0, 0, 0, 0, _, _]
        | [0x64, 0xff9b, 1, 0, 0, 0, _, _] => [Some(v4_at(6)), None],
        // 6to4 (RFC 3056).
        [0x2002, ..] => [Some(v4_at(1)), None],
        // Teredo (RFC 4380): the server, and the client with its bits inverted.
        [0x2001, 0, ..] => [Some(v4_at(2)), Some(!v4_at(6))],
        _ => [None, None],
    }
}
