//! Sources as URLs.

use mjpeg_ingest::{InvalidSource, Source};

#[test]
fn urls_are_kept_as_written() {
    for url in [
        "tcp://192.168.1.100:6001",
        "tcp://camera.local:80",
        "tcp://[::1]:6001",
        "tcp://[fe80::1%eth0]:1",
        "tcp-listen://0.0.0.0:6001",
        "tcp-listen://[::1]:6001",
        "unix:///run/camera.sock",
        "file:///a%20b.mjpeg?fps=12.5&once",
    ] {
        assert_eq!(url.parse::<Source>().unwrap().to_string(), url);
    }
    assert_eq!(
        "tcp://host:1/".parse::<Source>().unwrap().to_string(),
        "tcp://host:1"
    );
    let anywhere: Source = "tcp-listen://:6001".parse().unwrap();
    assert_eq!(anywhere.to_string(), "tcp-listen://[::]:6001");
    assert!(anywhere.is_passive() && !Source::tcp("a", 1).is_passive());
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
    for addr in ["camera.local:1", "localhost:6001"] {
        let url = format!("tcp-listen://{addr}");
        assert!(
            matches!(error(&url), InvalidSource::BadListenAddress(_)),
            "{addr}"
        );
    }
    assert_eq!(error("tcp-listen://:0"), InvalidSource::BadPort("0".into()));
    for path in ["unix://a", "file://a/b", "file://", "file:///%ff"] {
        assert!(matches!(error(path), InvalidSource::BadPath(_)), "{path}");
    }
    #[cfg(feature = "test-picture")]
    for bad in ["size=8x8", "size=1", "fps=0", "x=y", "name"] {
        let parsed = format!("test:?{bad}").parse::<Source>();
        assert_eq!(parsed.is_ok(), bad == "name", "{bad}");
    }
    for option in [
        "fps=0",
        "fps=x",
        "fps=nan",
        "fps=1001",
        "once=maybe",
        "loop=1",
    ] {
        let url = format!("file:///a?{option}");
        assert_eq!(error(&url), InvalidSource::BadOption(option.into()));
    }
}
