//! Sources as URLs.

use mjpeg_ingest::{InvalidSource, Source};

#[test]
fn urls_are_kept_as_written() {
    for url in [
        "tcp://192.168.1.100:6001",
        "tcp://camera.local:80",
        "tcp://[::1]:6001",
        "tcp://[fe80::1%eth0]:1",
    ] {
        assert_eq!(url.parse::<Source>().unwrap().to_string(), url);
    }
    assert_eq!(
        "tcp://host:1/".parse::<Source>().unwrap().to_string(),
        "tcp://host:1"
    );
    assert_eq!(Source::tcp("::1", 5).to_string(), "tcp://[::1]:5");
}

#[test]
fn bad_urls_say_what_is_wrong() {
    let error = |url: &str| url.parse::<Source>().unwrap_err();
    assert_eq!(error("192.168.1.100:6001"), InvalidSource::NoScheme);
    assert_eq!(
        error("rtsp://host:1"),
        InvalidSource::UnknownScheme("rtsp".into())
    );
    assert_eq!(error("tcp://host"), InvalidSource::NoPort);
    for port in ["", "0", "65536", "x", "-1"] {
        assert_eq!(
            error(&format!("tcp://host:{port}")),
            InvalidSource::BadPort(port.into())
        );
    }
    for host in ["", "a b", "user@host", "a/b", "::1", "[::1"] {
        assert!(
            matches!(error(&format!("tcp://{host}:1")), InvalidSource::BadHost(_)),
            "{host:?}"
        );
    }
}
