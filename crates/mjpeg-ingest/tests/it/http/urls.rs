//! URLs, and the same cameras built by methods.

use mjpeg_ingest::{HttpCamera, InvalidSource, Source};

#[test]
fn urls_are_kept_as_written_but_for_secrets() {
    for url in [
        "http://camera.local",
        "http://camera.local/",
        "http://10.0.0.1:8080?action=stream",
        "http://[::1]:81/a//b%20c?x=1&y",
        "http://cam/#fps=0.5",
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
    for fps in ["fps=0.1", "fps=61", "fps=x", "fps=nan"] {
        let url = format!("http://cam/#{fps}");
        assert_eq!(error(&url), InvalidSource::BadOption(fps.into()));
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
