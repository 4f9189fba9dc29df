//! Whom a trusted proxy names as its client, in `X-Forwarded-For`.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

/// The last address that is not a trusted proxy: each proxy adds the address it was called from at
/// the right, and what is left of that may be made up. `None` if there is no such address, or
/// something else comes before it.
pub(crate) fn client(
    headers: &HeaderMap,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Option<SocketAddr> {
    let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
    let entries = lines.flat_map(|line| line.as_bytes().rsplit(|&b| b == b','));
    for entry in entries.take(MOST_ENTRIES) {
        let addr = address(str::from_utf8(entry).ok()?.trim())?;
        if !is_trusted(addr.ip()) {
            return Some(addr);
        }
    }
    None
}

/// An address as proxies write it: with or without a port, IPv6 with or without brackets. The port
/// is 0 if there is none.
fn address(text: &str) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|ip| ip.strip_suffix(']'));
    let (ip, port) = match bare.unwrap_or(text).parse::<IpAddr>() {
        Ok(ip) => (ip, 0),
        Err(_) => {
            let addr: SocketAddr = text.parse().ok()?;
            (addr.ip(), addr.port())
        }
    };
    Some((ip.to_canonical(), port).into())
}

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// More than any row of proxies; the request head is limited besides.
const MOST_ENTRIES: usize = 32;
