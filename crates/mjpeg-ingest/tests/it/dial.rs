//! Which addresses sources may connect to.

mod policy;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use mjpeg_ingest::{
    AddressNotAllowed, Backoff, Connect, ConnectError, Connection, DialPolicy, Error, Event,
    FailureKind, FailureReason, Ingest, IngestConfig, InvalidSource, Source, ipnet::IpNet,
};
use mjpeg_testkit::{Camera, Script, jpeg};
use tokio::time::timeout;

fn ip(text: &str) -> IpAddr {
    text.parse().expect(text)
}

/// A restricted policy with these exceptions.
fn restricted(allowed: &[&str]) -> DialPolicy {
    let networks = allowed
        .iter()
        .map(|text| text.parse::<IpNet>().expect(text));
    DialPolicy::restricted().with_allowed(networks)
}

fn refusal(source: &Source) -> Option<IpAddr> {
    match source.check_literal() {
        Ok(()) => None,
        Err(InvalidSource::AddressNotAllowed(refused)) => Some(refused.addr()),
        Err(error) => panic!("{source}: {error}"),
    }
}

#[test]
fn source_with_another_policy_is_another_source() {
    let plain = Source::tcp("camera.local", 6001);
    let judged = plain.clone().with_dial_policy(restricted(&[]));
    assert_ne!(judged, plain);
    assert_eq!(
        judged,
        Source::tcp("camera.local", 6001).with_dial_policy(restricted(&[]))
    );
    assert_ne!(
        judged,
        plain.clone().with_dial_policy(restricted(&["::1/128"]))
    );
    assert_eq!(judged.clone().with_dial_policy(DialPolicy::new()), plain);
    // The text is the same, and others read it without the policy.
    assert_eq!(judged.reveal(), plain.reveal());
    assert_eq!(judged.to_string(), plain.to_string());
    assert_eq!(judged.dial_policy(), &restricted(&[]));
}

/// Hosts that stand for an address of this machine or its links.
const LOCAL_HOSTS: &[(&str, &str)] = &[
    ("127.0.0.1", "127.0.0.1"),
    ("127.0.0.1.", "127.0.0.1"),
    ("127.1", "127.0.0.1"),
    ("127.0.1", "127.0.0.1"),
    ("2130706433", "127.0.0.1"),
    ("0x7f000001", "127.0.0.1"),
    ("0X7F.1", "127.0.0.1"),
    ("0177.0.0.1", "127.0.0.1"),
    ("017700000001", "127.0.0.1"),
    ("0x7f.0.0.01.", "127.0.0.1"),
    ("0", "0.0.0.0"),
    ("169.254.169.254", "169.254.169.254"),
    ("2852039166", "169.254.169.254"),
    ("[::1]", "::1"),
    ("[0:0:0:0:0:0:0:1]", "::1"),
    ("[::]", "::"),
    ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
    ("[::ffff:7f00:1]", "::ffff:127.0.0.1"),
    ("[::127.0.0.1]", "::127.0.0.1"),
    ("[64:ff9b::a9fe:a9fe]", "64:ff9b::a9fe:a9fe"),
    ("[fe80::1%25eth0]", "fe80::1"),
    ("[fe80::1%25eb0]", "fe80::1"),
    ("localhost", "127.0.0.1"),
    ("LocalHost", "127.0.0.1"),
    ("localhost.", "127.0.0.1"),
    ("camera.localhost", "127.0.0.1"),
];

#[test]
fn literal_is_judged_however_it_is_written() {
    let judged = |url: &str| {
        let source: Source = url.parse().expect(url);
        assert_eq!(
            source.check_literal(),
            Ok(()),
            "{url} by the default policy"
        );
        refusal(&source.with_dial_policy(restricted(&[])))
    };
    for &(host, addr) in LOCAL_HOSTS {
        assert_eq!(
            judged(&format!("tcp://{host}:80")),
            Some(ip(addr)),
            "{host}"
        );
        #[cfg(feature = "http")]
        for url in [
            format!("http://{host}"),
            format!("http://me:pw@{host}:81/a?b#fps=1"),
        ] {
            assert_eq!(judged(&url), Some(ip(addr)), "{url}");
        }
        #[cfg(feature = "tls")]
        assert_eq!(
            judged(&format!("https://{host}/")),
            Some(ip(addr)),
            "{host}"
        );
    }
    // No resolver decodes them.
    for host in [
        "%3127.0.0.1",
        "127%2e0%2E0%2e1",
        "%6cocalhost",
        "[::ffff:127%2e0.0.1]",
    ] {
        assert!(judged(&format!("tcp://{host}:80")).is_some(), "{host}");
        #[cfg(feature = "http")]
        {
            // In brackets, a zone may begin there.
            let url = format!("http://{host}/");
            let is_source = url.parse::<Source>().is_ok();
            assert_eq!(is_source, host.starts_with('['), "{host}");
            assert!(!is_source || judged(&url).is_some(), "{host}");
        }
    }
    for host in [
        "192.168.1.100",
        "3232235876",
        "[fd00::1]",
        "camera.local",
        "localhost.example",
        "notlocalhost",
    ] {
        assert_eq!(judged(&format!("tcp://{host}:80")), None, "{host}");
        #[cfg(feature = "http")]
        assert_eq!(judged(&format!("http://{host}/")), None, "{host}");
    }
    for url in [
        "tcp-listen://127.0.0.1:1",
        "file:///localhost",
        "unix:///127.0.0.1",
    ] {
        if url.starts_with("unix") && !cfg!(unix) {
            continue;
        }
        assert_eq!(judged(url), None, "{url} dials nobody");
    }
}

#[test]
fn literal_of_an_exception_is_none_to_refuse() {
    for (host, allowed, refused) in [
        ("2130706433", "127.0.0.1/32", None),
        ("[::ffff:127.0.0.1]", "127.0.0.0/8", None),
        ("127.1", "127.0.0.2/32", Some("127.0.0.1")),
        ("[fe80::1%25eth0]", "fe80::/10", None),
        // One address of a name is enough, as it is when the name is dialled.
        ("localhost", "127.0.0.1/32", None),
        ("localhost", "::1/128", None),
        ("localhost", "127.0.0.2/32", Some("127.0.0.1")),
    ] {
        let source: Source = format!("tcp://{host}:80").parse().unwrap();
        let source = source.with_dial_policy(restricted(&[allowed]));
        assert_eq!(refusal(&source), refused.map(ip), "{host}, {allowed}");
    }
}

#[test]
fn refusal_shows_the_address_and_no_secret() {
    let text = "the address 127.0.0.1 is not one that this source may reach (allow)";
    let refused = restricted(&[]).check(ip("127.0.0.1")).unwrap_err();
    let invalid = InvalidSource::from(refused);
    assert_eq!(refused.to_string(), text);
    assert_eq!(invalid.to_string(), text);
    assert_eq!(format!("{invalid:?}"), format!("InvalidSource({text})"));
    let error = Error::from(ConnectError::from(refused));
    assert_eq!(error.chain().to_string(), text);
    assert_eq!(error.reason(), FailureReason::AddressNotAllowed);
    assert_eq!(error.reason().as_str(), "address_not_allowed");
    // Strangers learn what they learn of any camera that is off.
    assert_eq!(error.kind(), FailureKind::Unreachable);
    assert_eq!(error.retry_in(), None);
}

#[test]
fn kind_is_what_the_url_begins_with() {
    let mut urls = vec!["tcp://a:1", "tcp-listen://:1", "file:///a"];
    if cfg!(unix) {
        urls.push("unix:///a");
    }
    if cfg!(all(feature = "exec", unix)) {
        urls.push("exec:a:b c");
    }
    if cfg!(feature = "test-picture") {
        urls.push("test:?name=a:b");
    }
    if cfg!(feature = "http") {
        urls.push("http://me:pw@a/");
    }
    if cfg!(feature = "tls") {
        urls.push("https://a/");
    }
    if cfg!(feature = "rtsp") {
        urls.push("rtsp://me:pw@a/");
    }
    if cfg!(all(feature = "rtsp", feature = "tls")) {
        urls.push("rtsps://me:pw@a/");
    }
    for url in urls {
        let source: Source = url.parse().expect(url);
        assert_eq!(Some(source.kind()), url.split(':').next());
    }
    let custom = || Source::custom("screen: 1", crate::pipe::Noise);
    assert_eq!(custom().kind(), "custom");
    for (text, kind) in [
        ("rtsp://me:pw@camera/1", "rtsp"),
        ("no scheme at all", "custom"),
        (": nothing", "custom"),
        ("my secret: it", "custom"),
    ] {
        assert_eq!(custom().with_text(text).kind(), kind);
    }
}

fn ingest(source: Source) -> Ingest {
    let quick = Backoff::try_new(Duration::from_millis(10), Duration::from_millis(50)).unwrap();
    Ingest::new(source, IngestConfig::default().with_backoff(quick))
}

async fn event(ingest: &mut Ingest) -> Event {
    let event = timeout(Duration::from_secs(20), ingest.next()).await;
    event.expect("in time").expect("a camera never ends")
}

/// The address that an attempt was refused for.
async fn refused_address(ingest: &mut Ingest) -> IpAddr {
    loop {
        match event(ingest).await {
            Event::Connecting => {}
            Event::Offline { error, retry_in } => match &*error {
                Error::Connect(ConnectError::AddressNotAllowed(refused)) => {
                    assert!(retry_in >= Duration::from_millis(10), "{retry_in:?}");
                    return AddressNotAllowed::addr(refused);
                }
                error => panic!("{}", error.chain()),
            },
            event => panic!("{event:?}"),
        }
    }
}

async fn next_number(ingest: &mut Ingest) -> u32 {
    loop {
        match event(ingest).await {
            Event::Frame(captured) => {
                return jpeg::number_of(captured.frame.bytes()).expect("a numbered frame");
            }
            Event::Offline { error, .. } => panic!("offline: {}", error.chain()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn camera_at_a_refused_address_is_never_connected_to() {
    let camera = Camera::start(Script::frames([jpeg::numbered(1)])).await;
    let port = camera.addr().port();
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "127.1",
        "[::ffff:127.0.0.1]",
    ] {
        let source: Source = format!("tcp://{host}:{port}").parse().unwrap();
        let mut refused = ingest(source.clone().with_dial_policy(restricted(&[])));
        for _ in 0..3 {
            let addr = refused_address(&mut refused).await;
            // The resolver may put ::1 first.
            assert!(addr.to_canonical().is_loopback(), "{addr}");
        }
        // The source as it was made has no policy, and clones do not share one.
        assert_eq!(source.dial_policy(), &DialPolicy::default());
    }
    assert_eq!(camera.connections(), 0);
    for host in ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"] {
        let source: Source = format!("tcp://{host}:{port}").parse().unwrap();
        let policy = restricted(&["127.0.0.1/32"]);
        let mut permitted = ingest(source.with_dial_policy(policy));
        assert_eq!(next_number(&mut permitted).await, 1, "{host}");
    }
    assert_eq!(camera.connections(), 4);
}

/// Remembers by which policy it was to connect.
struct Remembers(Arc<Mutex<Option<DialPolicy>>>);

#[async_trait]
impl Connect for Remembers {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        panic!("there are limits")
    }

    async fn connect_within(&self, config: &IngestConfig) -> Result<Connection, ConnectError> {
        let policy = config.dial_policy().clone();
        policy.check(ip("127.0.0.1"))?;
        *self.0.lock().unwrap() = Some(policy);
        Err(ConnectError::Finished)
    }
}

#[tokio::test]
async fn custom_source_is_told_its_policy() {
    let told = Arc::new(Mutex::new(None));
    let custom = || Source::custom("custom", Remembers(Arc::clone(&told)));
    let mut refused = ingest(custom().with_dial_policy(restricted(&[])));
    assert_eq!(refused_address(&mut refused).await, ip("127.0.0.1"));
    let policy = restricted(&["127.0.0.0/8"]);
    let source = custom().with_dial_policy(policy.clone());
    assert_eq!(source.check_literal(), Ok(()));
    let mut told_ingest = ingest(source);
    while told_ingest.next().await.is_some() {}
    assert_eq!(told.lock().unwrap().take(), Some(policy));
}
