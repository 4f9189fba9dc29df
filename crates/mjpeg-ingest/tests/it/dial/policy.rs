//! Which addresses a policy permits.

use std::net::IpAddr;

use mjpeg_ingest::{DialPolicy, ipnet::IpNet};

use super::{ip, restricted};

#[test]
fn each_range_is_refused_from_its_first_to_its_last_address() {
    let policy = restricted(&[]);
    // The addresses before and behind a range are permitted, where there are any.
    for (before, first, last, behind) in [
        ("", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
        (
            "126.255.255.255",
            "127.0.0.0",
            "127.255.255.255",
            "128.0.0.0",
        ),
        (
            "169.253.255.255",
            "169.254.0.0",
            "169.254.255.255",
            "169.255.0.0",
        ),
        (
            "223.255.255.255",
            "224.0.0.0",
            "239.255.255.255",
            "240.0.0.0",
        ),
        ("255.255.255.254", "255.255.255.255", "255.255.255.255", ""),
        // Unspecified and loopback, and 0.0.0.0/8 as IPv4-compatible addresses.
        ("", "::", "::ff:ffff", "::100:0"),
        (
            "::126.255.255.255",
            "::127.0.0.0",
            "::127.255.255.255",
            "::128.0.0.0",
        ),
        (
            "::255.255.255.254",
            "::255.255.255.255",
            "::255.255.255.255",
            "::1:0:0",
        ),
        (
            "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "fe80::",
            "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "fec0::",
        ),
        (
            "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "ff00::",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "",
        ),
        // What NAT64 of the local network translates, but for addresses at their usual place.
        (
            "64:ff9b:0:ffff:ffff:ffff:ffff:ffff",
            "64:ff9b:1:0:0:1::",
            "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
            "64:ff9b:2::",
        ),
    ] {
        for refused in [first, last] {
            let refusal = policy.check(ip(refused)).expect_err(refused);
            assert_eq!(refusal.addr(), ip(refused));
        }
        for permitted in [before, behind].into_iter().filter(|text| !text.is_empty()) {
            assert_eq!(policy.check(ip(permitted)), Ok(()));
        }
    }
    for permitted in [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.100",
        "100.64.0.1",
        "8.8.8.8",
        "fc00::1",
        "fdff::1",
        "2a00::1",
    ] {
        assert_eq!(policy.check(ip(permitted)), Ok(()));
    }
    for addr in ["127.0.0.1", "::1", "169.254.169.254", "ff02::1", "0.0.0.0"] {
        assert_eq!(DialPolicy::new().check(ip(addr)), Ok(()));
    }
}

/// An IPv6 address that leads to this IPv4 address.
type Form = fn([u8; 4]) -> String;

#[test]
fn ipv4_address_is_judged_in_whatever_ipv6_address_it_is() {
    let policy = restricted(&[]);
    let hex = |[a, b, c, d]: [u8; 4]| format!("{a:02x}{b:02x}:{c:02x}{d:02x}");
    let forms: [(&str, Form); 8] = [
        ("mapped", |v4| format!("::ffff:{}", IpAddr::from(v4))),
        ("compatible", |v4| format!("::{}", IpAddr::from(v4))),
        ("translated", |v4| format!("::ffff:0:{}", IpAddr::from(v4))),
        ("nat64", |v4| format!("64:ff9b::{}", IpAddr::from(v4))),
        ("local nat64", |v4| {
            format!("64:ff9b:1::{}", IpAddr::from(v4))
        }),
        ("6to4", |[a, b, c, d]| {
            format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}:1::1")
        }),
        ("teredo client", |v4| {
            let [a, b, c, d] = v4.map(|byte| !byte);
            format!("2001:0:808:808::{a:02x}{b:02x}:{c:02x}{d:02x}")
        }),
        ("teredo server", |[a, b, c, d]| {
            format!("2001:0:{a:02x}{b:02x}:{c:02x}{d:02x}::f7f7:f7f7")
        }),
    ];
    for (name, form) in forms {
        for refused in [
            [0, 0, 0, 0],
            [127, 0, 0, 0],
            [127, 0, 0, 1],
            [127, 255, 255, 255],
            [169, 254, 0, 0],
            [169, 254, 169, 254],
            [169, 254, 255, 255],
            [224, 0, 0, 0],
            [239, 255, 255, 255],
            [255, 255, 255, 255],
        ] {
            let addr = ip(&form(refused));
            let outcome = policy.check(addr);
            assert!(outcome.is_err(), "{name}: {addr} leads to {}", hex(refused));
            // An exception for the IPv4 address holds in each form.
            let exception = IpNet::from(IpAddr::from(refused));
            let excepted = DialPolicy::restricted().with_allowed([exception]);
            let is_own_refusal = name == "compatible" && refused == [0, 0, 0, 0];
            assert_eq!(
                excepted.check(addr).is_err(),
                is_own_refusal,
                "{name}: {addr}"
            );
        }
        for permitted in [[1, 0, 0, 0], [10, 0, 0, 1], [192, 168, 1, 1], [8, 8, 8, 8]] {
            assert_eq!(policy.check(ip(&form(permitted))), Ok(()), "{name}");
        }
    }
    // Documentation and ORCHID begin like Teredo, and are none.
    assert_eq!(policy.check(ip("2001:1:7f00:1::80ff:fffe")), Ok(()));
}

#[test]
fn exceptions_are_networks_and_hold_no_further() {
    let policy = restricted(&["127.0.0.16/28", "fe80::/64", "::ffff:169.254.1.0/120"]);
    for (addr, is_permitted) in [
        ("127.0.0.15", false),
        ("127.0.0.16", true),
        ("127.0.0.31", true),
        ("127.0.0.32", false),
        ("::ffff:127.0.0.16", true),
        ("fe80::1", true),
        ("fe80:0:0:1::1", false),
        ("::1", false),
        // A mapped network is that of the IPv4 addresses.
        ("169.254.1.0", true),
        ("::ffff:169.254.1.255", true),
        ("169.254.2.0", false),
    ] {
        assert_eq!(policy.check(ip(addr)).is_ok(), is_permitted, "{addr}");
    }
    // All IPv6 addresses, of which a mapped one is none.
    let v6 = restricted(&["::/0"]);
    assert_eq!(v6.check(ip("::1")), Ok(()));
    assert!(v6.check(ip("::ffff:127.0.0.1")).is_err());
    assert!(v6.check(ip("127.0.0.1")).is_err());
}

#[test]
fn policies_are_equal_if_they_permit_the_same_networks() {
    let one = restricted(&["127.0.0.1/32", "fe80::/10"]);
    for equal in [
        restricted(&["fe80::1/10", "127.0.0.1/32", "127.0.0.1/32"]),
        restricted(&["fe80::/10"]).with_allowed(["::ffff:127.0.0.1/128".parse().unwrap()]),
        one.clone(),
    ] {
        assert_eq!(equal, one);
    }
    assert_ne!(one, restricted(&["127.0.0.1/32"]));
    assert_ne!(restricted(&[]), DialPolicy::default());
    let everything = DialPolicy::new().with_allowed(["127.0.0.1/32".parse().unwrap()]);
    assert_eq!(everything, DialPolicy::default());
}
