//! URLs, and the same cameras built by methods.

use std::time::Duration;

use mjpeg_ingest::{HttpCamera, InvalidSource, Limits, Source};

#[test]
fn urls_are_kept_as_written_but_for_secrets() {
    for url in [
        "http://camera.local",
        "http://camera.local/",
        "http://10.0.0.1:8080?action=stream",
        "http://[::1]:81/a//b%20c?rate=1&snapshot",
        "http://cam/#fps=0.5",
        "http://cam/#fps=0.001",
        "http://cam/#poll_interval=1h",
        "http://[fe80::1%25eth0]:81/x",
        "http://cam/#poll_interval=1m&connect_timeout=10s&answer_timeout=1m&stall_limit=5m&login_retry=1h",
    ] {
        assert_eq!(url.parse::<Source>().unwrap().to_string(), url);
    }
    let label = |url: &str| url.parse::<Source>().unwrap().to_string();
    assert_eq!(label("http://u@cam/x#"), "http://***@cam/x");
    assert_eq!(label("http://u:p@[::1]/x"), "http://***@[::1]/x");
    let built = HttpCamera::new("http://Cam/x")
        .unwrap()
        .with_login("u", "p")
        .with_fps(5.0)
        .unwrap();
    let built = Source::http(built.with_header("X-A", "b").unwrap());
    assert_eq!(built.to_string(), "http://***@Cam/x#fps=5&header=x-a:***");
    assert!(!built.is_passive());
}

#[test]
fn bad_urls_say_what_is_wrong() {
    let error = |url: &str| url.parse::<Source>().expect_err(url);
    for host in ["", ":80", "a b", "[::1", "::1", "a[b"] {
        let error = error(&format!("http://{host}"));
        assert!(
            matches!(error, InvalidSource::BadHost(_)),
            "{host}: {error:?}"
        );
    }
    for port in ["", "0", "65536", "x"] {
        assert_eq!(
            error(&format!("http://a:{port}/")),
            InvalidSource::BadPort(port.into())
        );
    }
    assert_eq!(error("http://me:p/w@cam/"), InvalidSource::BadLogin);
    assert_eq!(error("http://%ff@cam/"), InvalidSource::BadLogin);
    assert_eq!(error("http://cam/a b"), InvalidSource::BadUrl);
    for (option, told) in [
        ("fps=0.000001", "fps=0.000001"),
        ("fps=61", "fps=61"),
        ("fps=nan", "fps=NaN"),
        // What is no number may be a secret in the wrong place.
        ("fps=hunter2", "fps"),
        ("poll_interval=hunter2", "poll_interval"),
        ("poll_interval=15ms", "poll_interval=15ms"),
        ("poll_interval=8d", "poll_interval=8d"),
        ("stall_limit=0", "stall_limit=0s"),
        ("connect_timeout=8d", "connect_timeout=8d"),
        ("answer_timeout=", "answer_timeout"),
        ("login_retry=soon", "login_retry"),
    ] {
        let url = format!("http://cam/#{option}");
        assert_eq!(error(&url), InvalidSource::BadOption(told.into()));
    }
    for host in [
        "[fe80::1%25]",
        "[fe80::1%25a/b]",
        "[fe80::1%25a b]",
        "cam%25eth0",
    ] {
        let found = format!("http://{host}/").parse::<Source>();
        assert!(
            matches!(found, Err(InvalidSource::BadHost(_))),
            "{host}: {found:?}"
        );
    }
    assert_eq!(
        error("http://cam/#x=1"),
        InvalidSource::BadOption("x".into())
    );
    for header in [
        "Content-Length:1",
        "Transfer-Encoding:x",
        "Connection:x",
        "a b:c",
        "A:%0a",
    ] {
        let error = error(&format!("http://cam/#header={header}"));
        assert!(
            matches!(error, InvalidSource::BadHeader(_)),
            "{header}: {error:?}"
        );
    }
    #[cfg(not(feature = "tls"))]
    for url in ["https://cam/", "http://cam/#insecure", "http://cam/#ca=/a"] {
        let (kind, feature) = ("https", "tls");
        assert_eq!(error(url), InvalidSource::NotBuilt { kind, feature });
    }
    #[cfg(feature = "tls")]
    {
        for bad in ["ca=a.pem", "ca", "insecure=1"] {
            assert!(
                matches!(
                    error(&format!("https://cam/#{bad}")),
                    InvalidSource::BadOption(_)
                ),
                "{bad}"
            );
        }
        let url = "https://cam/#fps=2&insecure&ca=/a/b.pem";
        assert_eq!(
            url.parse::<Source>().unwrap().to_string(),
            "https://cam/#fps=2&ca=/a/b.pem"
        );
    }
}

#[test]
fn limits_are_part_of_a_source_however_they_were_set() {
    let limits = Limits::new()
        .with_stall_limit(Duration::from_secs(90))
        .and_then(|limits| limits.with_login_retry(Duration::from_secs(3600)))
        .unwrap();
    let url = "http://me:pw@cam/x#poll_interval=30s&stall_limit=90s&login_retry=1h";
    let parsed: Source = url.parse().unwrap();
    let camera = HttpCamera::new("http://me:pw@cam/x").unwrap();
    let camera = camera.with_poll_interval(Duration::from_secs(30)).unwrap();
    let built = Source::http(camera.clone().with_limits(limits));
    assert_eq!(built, parsed);
    assert_eq!(Source::http(camera.clone()).with_limits(limits), parsed);
    assert_eq!(parsed.limits(), limits);
    assert_eq!(parsed.reveal(), url);
    assert_eq!(parsed.to_string(), url.replace("me:pw", "***"));
    let without = parsed.clone().with_limits(Limits::new());
    assert_ne!(without, parsed);
    assert_eq!(without, Source::http(camera));
    // An address of a link is written as RFC 6874 has it.
    for url in ["http://[FE80::1%25eth0]/", "http://[fe80::1%eth0]/"] {
        let source: Source = url.parse().unwrap();
        assert_eq!(source.reveal(), "http://[fe80::1%25eth0]/");
    }
}
