//! Hosts that stand for an address without a look-up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use percent_encoding::percent_decode_str;

use crate::dial_policy::{AddressNotAllowed, DialPolicy};

/// Judges a host that stands for addresses without a look-up, however it is written: as the
/// standards have it, as `inet_aton` reads it, percent-encoded, or as a name of this machine.
pub(super) fn check_literal(host: &str, policy: &DialPolicy) -> Result<(), AddressNotAllowed> {
    // Resolvers decode nothing. Who writes an address like that means the address.
    let decoded = percent_decode_str(host).decode_utf8_lossy();
    for text in [host, &decoded] {
        policy.permitted(literal_addresses(text), |&addr| addr)?;
    }
    Ok(())
}

/// The addresses that a host stands for; none for most names.
fn literal_addresses(host: &str) -> Vec<IpAddr> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let without_zone = match host.split_once('%') {
        Some((addr, _zone)) if addr.contains(':') => addr,
        _ => host,
    };
    if let Ok(addr) = without_zone.parse() {
        return vec![addr];
    }
    if let Some(addr) = inet_aton(host) {
        return vec![addr.into()];
    }
    if is_localhost(host) {
        return vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    }
    Vec::new()
}

/// Reads an IPv4 address as `inet_aton` of POSIX does, which resolvers go by: one to four numbers,
/// each decimal, octal (`0…`) or hexadecimal (`0x…`); the last one fills the bytes that are left.
fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let (first, last) = match text.rsplit_once('.') {
        Some((first, last)) => (Some(first), last),
        None => (None, text),
    };
    let (mut bits, mut bits_left) = (0, 32);
    for part in first.into_iter().flat_map(|first| first.split('.')) {
        bits_left = u32::checked_sub(bits_left, 8).filter(|&left| left > 0)?;
        bits |= u32::from(u8::try_from(number(part)?).ok()?) << bits_left;
    }
    let last = number(last)?;
    let fits = u64::from(last) < 1 << bits_left;
    fits.then(|| Ipv4Addr::from_bits(bits | last))
}

/// Reads a number as `strtoul` does.
fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    // No sign.
    let is_number = digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_number.then(|| u32::from_str_radix(digits, radix).ok())?
}

/// Whether this is a name of this machine itself (RFC 6761 section 6.3).
fn is_localhost(host: &str) -> bool {
    let top = host.rsplit('.').next().unwrap_or(host);
    top.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_resolvers_read_them() {
        for (host, addr) in [
            ("127.0.0.1", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("017700000001", "127.0.0.1"),
            ("0x7F000001", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("127.0.1", "127.0.0.1"),
            ("192.168.257", "192.168.1.1"),
            ("0300.0xA8.0.0x1", "192.168.0.1"),
            ("0", "0.0.0.0"),
            ("0.0", "0.0.0.0"),
            ("4294967295", "255.255.255.255"),
            ("10.16777215", "10.255.255.255"),
            ("10.1.65535", "10.1.255.255"),
            ("::1", "::1"),
            ("::1%eth0", "::1"),
        ] {
            let addr: IpAddr = addr.parse().unwrap();
            assert_eq!(literal_addresses(host), [addr], "{host}");
        }
    }

    #[test]
    fn names_and_what_is_out_of_bounds_are_no_addresses() {
        for host in [
            "",
            ".",
            "camera",
            "camera.local",
            "localhost.example",
            "notlocalhost",
            "4294967296",
            "256.1",
            "10.16777216",
            "10.1.65536",
            "1.2.3.256",
            "1.2.3.4.5",
            "1..2",
            ".1",
            "08",
            "0x",
            "0x1g",
            "+1",
            "1.-2",
            "1%eth0",
        ] {
            let addresses = literal_addresses(host);
            assert!(addresses.is_empty(), "{host}: {addresses:?}");
        }
    }
}
