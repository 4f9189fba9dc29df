//! Cameras that redirect.

use mjpeg_testkit::{FakeHttpCamera, Step};

use super::{answer, next_number, open, part, send, stream_head, until_offline};

fn redirect(location: &str) -> Vec<Step> {
    vec![answer(
        "302 Found",
        &format!("Location: {location}\r\n"),
        b"moved",
    )]
}

fn stream() -> Vec<Step> {
    vec![stream_head(), send(part(1)), Step::Stall]
}

#[tokio::test]
async fn relative_redirects_are_followed_on_the_same_connection_and_with_the_login() {
    let camera =
        FakeHttpCamera::start(
            |asked| match (asked.path(), asked.header("authorization")) {
                ("/a/start", _) => redirect("../b/next?x=1"),
                ("/b/next?x=1", _) => redirect("/video"),
                ("/video", None) => vec![answer(
                    "401 No",
                    "WWW-Authenticate: Basic realm=\"x\"\r\n",
                    b"",
                )],
                ("/video", Some("Basic bWU6cHc=")) => stream(),
                other => panic!("{other:?}"),
            },
        );
    let mut ingest = open(
        &camera
            .url("/a/start#header=X-Key:1")
            .replacen("//", "//me:pw@", 1),
    );
    assert_eq!(next_number(&mut ingest).await, 1);
    assert!(
        camera
            .requests()
            .iter()
            .all(|asked| asked.header("x-key") == Some("1"))
    );
    assert_eq!(camera.camera().connections(), 1);
}

#[tokio::test]
async fn redirects_elsewhere_are_followed_without_secrets() {
    let other = FakeHttpCamera::start(|asked| match asked.path() {
        "/open" => stream(),
        _ => vec![answer(
            "401 No",
            "WWW-Authenticate: Basic realm=\"x\"\r\n",
            b"",
        )],
    });
    for (path, is_open) in [("/open", true), ("/closed", false)] {
        let there = other.url(path);
        let first = FakeHttpCamera::start(move |asked| match asked.header("authorization") {
            // It has received the login when it redirects.
            Some(_) => redirect(&there),
            None => vec![answer(
                "401 No",
                "WWW-Authenticate: Basic realm=\"x\"\r\n",
                b"",
            )],
        });
        let mut ingest = open(&first.url("/#header=X-Key:1").replacen("//", "//me:pw@", 1));
        if is_open {
            assert_eq!(next_number(&mut ingest).await, 1);
        } else {
            let (_, error) = until_offline(&mut ingest).await;
            let there = other.url("");
            assert!(
                error.starts_with(&format!(
                    "the camera redirects to {there}, which asks for a user"
                )),
                "{error}"
            );
        }
        assert_eq!(first.camera().open(), 0, "one connection at a time");
    }
    for asked in other.requests() {
        assert_eq!(
            (asked.header("authorization"), asked.header("x-key")),
            (None, None)
        );
    }
}

/// The same camera under another name is another origin: the first connection is closed before the
/// second is opened.
#[tokio::test]
async fn camera_that_redirects_to_itself_has_one_connection_at_a_time() {
    let camera = FakeHttpCamera::start(|asked| match asked.header("host") {
        Some(host) if host.starts_with("127.0.0.1:") => redirect(&format!(
            "http://{}/",
            host.replace("127.0.0.1", "localhost")
        )),
        _ => stream(),
    });
    assert_eq!(next_number(&mut open(&camera.url("/"))).await, 1);
    assert_eq!(
        (camera.camera().connections(), camera.camera().most_open()),
        (2, 1)
    );
}

#[tokio::test]
async fn loops_and_long_ways_are_errors() {
    let circle =
        FakeHttpCamera::start(|asked| redirect(if asked.path() == "/a" { "/b" } else { "/a" }));
    let (_, error) = until_offline(&mut open(&circle.url("/a"))).await;
    assert_eq!(error, "the camera redirects in a circle");
    assert_eq!(circle.requests().len(), 2);
    // /5 is reached after five redirects, /6 is not.
    for (last, error) in [
        ("/5", None),
        (
            "/6",
            Some("the camera redirects more than 5 times (max_redirects)"),
        ),
    ] {
        let long = FakeHttpCamera::start(move |asked| {
            if asked.path() == last {
                return stream();
            }
            let n: u32 = asked.path()[1..].parse().unwrap();
            redirect(&format!("/{}", n + 1))
        });
        let mut ingest = open(&long.url("/0"));
        match error {
            None => assert_eq!(next_number(&mut ingest).await, 1),
            Some(error) => assert_eq!(until_offline(&mut ingest).await.1, error),
        }
    }
}

#[tokio::test]
async fn redirects_to_what_is_no_http_are_errors() {
    for location in ["rtsp://cam/1", "http://", "rtsp://cam/1?session=hunter2"] {
        let camera = FakeHttpCamera::start(move |_| redirect(location));
        let (_, error) = until_offline(&mut open(&camera.url("/"))).await;
        assert!(
            error.starts_with("the camera redirects to ") && error.contains("not an http://"),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }
    #[cfg(not(feature = "tls"))]
    {
        let camera = FakeHttpCamera::start(|_| redirect("https://127.0.0.1/"));
        let (_, error) = until_offline(&mut open(&camera.url("/"))).await;
        assert!(error.contains("built without"), "{error}");
    }
}

#[tokio::test]
async fn locations_may_hold_what_a_browser_would_encode() {
    for (location, path) in [
        ("/my video?n=a b", "/my%20video?n=a%20b"),
        ("/k\u{fc}che", "/k%C3%BCche"),
        ("live{1}", "/live%7B1%7D"),
    ] {
        let camera = FakeHttpCamera::start(move |asked| match asked.path() {
            "/" => redirect(location),
            there if there == path => stream(),
            other => panic!("{other}"),
        });
        assert_eq!(next_number(&mut open(&camera.url("/"))).await, 1);
    }
}

#[tokio::test]
async fn login_by_cookie_may_lead_back_to_where_it_began() {
    // A login page sets a cookie and sends back; another camera redirects to itself.
    for login in ["/login", "/video"] {
        let camera = FakeHttpCamera::start(move |asked| {
            let cookie = asked.header("cookie").unwrap_or_default();
            match (asked.path(), cookie) {
                ("/video", "lang=en; sid=abc") => stream(),
                (path, _) if path == login => vec![answer(
                    "302 Found",
                    "Set-Cookie: lang=en\r\nSet-Cookie: sid=abc; Path=/; HttpOnly\r\nLocation: /video\r\n",
                    b"",
                )],
                _ => redirect(login),
            }
        });
        assert_eq!(next_number(&mut open(&camera.url("/video"))).await, 1);
        assert_eq!(camera.camera().connections(), 1);
    }
    // A cookie that is set anew each time does not make a circle endless.
    let count = std::sync::atomic::AtomicU32::new(0);
    let circle = FakeHttpCamera::start(move |_| {
        let n = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let headers = format!("Set-Cookie: n={n}\r\nLocation: /\r\n");
        vec![answer("302 Found", &headers, b"")]
    });
    let (_, error) = until_offline(&mut open(&circle.url("/"))).await;
    assert_eq!(
        error,
        "the camera redirects more than 5 times (max_redirects)"
    );
}

#[tokio::test]
async fn cookies_are_for_their_host_and_their_session() {
    let other = FakeHttpCamera::start(|_| stream());
    let there = other.url("/").replace("127.0.0.1", "localhost");
    let camera = FakeHttpCamera::start(move |asked| match asked.header("cookie") {
        None => vec![answer(
            "302 Found",
            &format!("Set-Cookie: sid=abc\r\nLocation: {there}\r\n"),
            b"",
        )],
        Some(cookie) => panic!("{cookie}"),
    });
    for _ in 0..2 {
        assert_eq!(next_number(&mut open(&camera.url("/"))).await, 1);
    }
    assert!(
        other
            .requests()
            .iter()
            .all(|asked| asked.header("cookie").is_none())
    );
}
