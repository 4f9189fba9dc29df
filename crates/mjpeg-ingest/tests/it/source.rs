//! Sources as URLs.

#[cfg(feature = "http")]
use mjpeg_ingest::HttpCamera;
#[cfg(feature = "test-picture")]
use mjpeg_ingest::TestCamera;
use mjpeg_ingest::{InvalidSource, Recording, Source};

#[test]
fn urls_are_kept_as_written() {
    for url in [
        "tcp://192.168.1.100:6001",
        "tcp://camera.local:80",
        "tcp://[::1]:6001",
        "tcp://[fe80::1%eth0]:1",
        "tcp://camera.local:80#connect_timeout=10s&stall_limit=5m",
        "tcp-listen://0.0.0.0:6001",
        "tcp-listen://[::1]:6001",
        "tcp-listen://[::1]:6001#stall_limit=90s",
        "unix:///run/camera.sock",
        "unix:///run/camera.sock#connect_timeout=1s&stall_limit=5m",
        "file:///a%20b.mjpeg?fps=12.5&once",
        "file:///a.mjpeg?fps=0.01#stall_limit=10m",
        "file:///a.mjpeg#connect_timeout=20s",
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
    let zone: Source = "tcp://[fe80::1%25eth0]:1".parse().unwrap();
    assert_eq!(zone, Source::tcp("fe80::1%eth0", 1));
}

#[test]
fn bad_urls_say_what_is_wrong() {
    let error = |url: &str| url.parse::<Source>().unwrap_err();
    assert_eq!(error("192.168.1.100:6001"), InvalidSource::NoScheme);
    assert_eq!(
        error("rtmp://host:1"),
        InvalidSource::UnknownScheme("rtmp".into())
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
    for (option, told) in [
        ("stall_limit=0", "stall_limit=0s"),
        ("stall_limit=hunter2", "stall_limit"),
        ("answer_timeout=5s", "answer_timeout"),
        ("fps=5", "fps"),
        ("x", "x"),
    ] {
        let bad = InvalidSource::BadOption(told.into());
        assert_eq!(error(&format!("tcp://host:1#{option}")), bad);
        assert_eq!(error(&format!("tcp-listen://:1#{option}")), bad);
        assert_eq!(error(&format!("unix:///a#{option}")), bad);
        assert_eq!(error(&format!("file:///a?once#{option}")), bad);
        #[cfg(all(feature = "exec", unix))]
        assert_eq!(error(&format!("exec:a b #{option}")), bad);
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

/// Sources that all differ, each as a URL.
fn different() -> Vec<String> {
    let mut urls = vec![
        "tcp://camera.local:80",
        "tcp://camera.local:81",
        "tcp://[fe80::1%eth0]:1",
        "tcp://camera.local:80#stall_limit=5m",
        "tcp://camera.local:80#connect_timeout=5m",
        "tcp-listen://0.0.0.0:6001",
        "tcp-listen://[::1]:6001",
        "tcp-listen://[::1]:6001#stall_limit=90s",
        "file:///a%20b.mjpeg",
        "file:///a%20b.mjpeg#stall_limit=5m",
        "file:///a%20b.mjpeg?fps=12.5",
        "file:///a%20b.mjpeg?once",
        "file:///what%3Fonce%23%25.mjpeg",
    ];
    if cfg!(unix) {
        urls.extend([
            "unix:///run/camera.sock",
            "unix:///run/camera.sock#stall_limit=5m",
            "unix:///run/a%3Fb%20c.sock",
            "unix:///run/a%23stall_limit=5m",
        ]);
    }
    if cfg!(feature = "test-picture") {
        urls.extend([
            "test:",
            "test:?name=a%20%26%2B%C3%A4",
            "test:?size=320x240",
            "test:?fps=0.1",
        ]);
    }
    if cfg!(all(feature = "exec", unix)) {
        urls.extend([
            "exec:ffmpeg -i rtsp://me:secret@cam/1 -f mjpeg -",
            "exec:'a b' \"c'd\" '#e' ''",
            "exec:a b c",
            "exec:a b c #stall_limit=5m",
            "exec:a b c #connect_timeout=1s&stall_limit=5m",
            "exec:a b c#stall_limit=5m",
            "exec:a b c '#stall_limit=5m'",
            "exec:a b 'c #stall_limit=5m'",
            "exec:a b c \\ #stall_limit=5m",
            "exec:a '#' #stall_limit=5m",
        ]);
    }
    if cfg!(feature = "http") {
        urls.extend([
            "http://cam/",
            "http://cam:8080/?action=stream&pwd=secret",
            "http://[::1]/a//b%20c",
            "http://me:secret@cam/",
            "http://me%40home:p%2Fw%3A%25%23secret@cam/",
            "http://cam/#fps=0.5",
            "http://cam/#header=X-Key:%20a%26b%23secret",
            "http://cam/#header=A:secret&header=A:2",
            "http://cam/#header=A:2&header=A:secret",
        ]);
    }
    if cfg!(feature = "tls") {
        urls.extend([
            "https://cam/",
            "https://cam/#insecure",
            "https://cam/#ca=/a%26b%20c%23.pem",
            "https://cam/#ca-pem=-----BEGIN%20X-----%0Asecret%ff%0A",
        ]);
    }
    urls.into_iter().map(Into::into).collect()
}

#[test]
fn revealed_text_parses_to_an_equal_source() {
    let sources: Vec<Source> = different()
        .iter()
        .map(|url| url.parse().expect(url))
        .collect();
    for (index, source) in sources.iter().enumerate() {
        let text = source.reveal();
        let parsed: Source = text.parse().expect(text);
        assert_eq!(&parsed, source);
        assert_eq!(parsed.reveal(), text, "always the same text");
        let equal = sources.iter().filter(|other| *other == source).count();
        assert_eq!(equal, 1, "{index}: {text}");
    }
}

#[test]
fn secrets_are_revealed_on_request_only() {
    let with_secret = different().into_iter().filter(|url| url.contains("secret"));
    for url in with_secret {
        let source: Source = url.parse().unwrap();
        assert!(source.reveal().contains("secret"), "{url}");
        let shown = format!("{source} {source:?}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[test]
fn sources_that_are_written_differently_and_mean_the_same_are_equal() {
    let mut pairs = vec![
        ("tcp://host:1", "tcp://host:1/"),
        ("tcp-listen://:6001", "tcp-listen://[::]:6001"),
        ("file:///a?fps=5&once", "file:///a?once=1&fps=5.0"),
        ("file:///a", "file:///%61?fps=30&once=0"),
    ];
    if cfg!(feature = "test-picture") {
        pairs.push(("test:", "test:?size=640x480"));
    }
    if cfg!(all(feature = "exec", unix)) {
        pairs.push(("exec:a 'b'", "exec:a   b"));
        pairs.push(("exec:a b #stall_limit=60s", "exec:a  b\t#stall_limit=1m "));
    }
    if cfg!(feature = "http") {
        pairs.push(("http://cam", "http://CAM:80/"));
        pairs.push((
            "http://cam/#header=A:1&header=B:2",
            "http://cam/#header=b:2&header=a:%201",
        ));
    }
    for (one, other) in pairs {
        let (one, other): (Source, Source) = (one.parse().unwrap(), other.parse().unwrap());
        assert_eq!(one, other);
    }
}

#[test]
fn custom_sources_are_equal_to_their_clones_or_by_their_text() {
    let custom = || Source::custom("noise:", crate::pipe::Noise);
    let (one, other) = (custom(), custom());
    assert_eq!(one, one.clone());
    assert_ne!(one, other);
    assert_eq!(one.reveal(), "noise:");
    let text = "noise://user:secret@host";
    let (one, other) = (one.with_text(text), other.with_text(text));
    assert_eq!(one, other);
    assert_ne!(one, custom().with_text("noise://host"));
    assert_ne!(one, custom());
    assert_eq!((one.reveal(), one.to_string()), (text, "noise:".into()));
    let tcp = Source::tcp("host", 1);
    assert_ne!(Source::custom("tcp://host:1", crate::pipe::Noise), tcp);
}

#[test]
fn builders_make_what_urls_make_and_refuse_what_is_out_of_bounds() {
    let recording = Recording::new("/a b").with_fps(12.5).unwrap();
    let recording = recording.with_repeat(false);
    assert_eq!(
        Source::file(recording),
        "file:///a%20b?fps=12.5&once".parse().unwrap()
    );
    let relative = Source::file(Recording::new("a.mjpeg"));
    assert_eq!(relative, relative.reveal().parse().unwrap());
    for fps in [0.001, 1000.0] {
        assert_eq!(Recording::new("/a").with_fps(fps).unwrap().fps(), fps);
    }
    for fps in [0.0, 0.0009, 1000.1, -1.0, f64::INFINITY, f64::NAN] {
        let bad = InvalidSource::BadOption(format!("fps={fps}"));
        assert_eq!(Recording::new("/a").with_fps(fps).unwrap_err(), bad);
        #[cfg(feature = "test-picture")]
        assert_eq!(TestCamera::new().with_fps(fps).unwrap_err(), bad);
        #[cfg(feature = "http")]
        {
            // A camera may be asked as rarely as once a day.
            let camera = HttpCamera::new("http://cam/").unwrap();
            let refused = camera.with_fps(fps).err();
            assert_eq!(refused, Some(bad).filter(|_| fps != 0.0009));
        }
    }
    #[cfg(feature = "test-picture")]
    {
        let camera = TestCamera::new().with_name("a door");
        let camera = camera.with_size(16, 8192).unwrap();
        assert_eq!(
            Source::test(camera.clone()),
            "test:?name=a+door&size=16x8192".parse().unwrap()
        );
        for (width, height) in [(15, 16), (16, 15), (8193, 16), (16, 8193)] {
            let bad = InvalidSource::BadOption(format!("size={width}x{height}"));
            assert_eq!(camera.clone().with_size(width, height).unwrap_err(), bad);
        }
    }
}

#[test]
fn error_says_what_to_do_about_a_kind_that_is_not_built_in() {
    let error = |url: &str| url.parse::<Source>().unwrap_err().to_string();
    let rtmp = error("rtmp://host/1");
    assert!(
        rtmp.starts_with("unknown kind of source \"rtmp\""),
        "{rtmp}"
    );
    assert!(rtmp.contains("exec:ffmpeg -i URL"), "{rtmp}");
    assert!(!error("ftp://host/1").contains("ffmpeg"));
    for (is_built, url, feature) in [
        (cfg!(feature = "http"), "http://host/", "http"),
        (cfg!(feature = "test-picture"), "test:", "test-picture"),
        (cfg!(feature = "exec"), "exec:a", "exec"),
        (cfg!(feature = "v4l2"), "v4l2:///dev/video0", "v4l2"),
    ] {
        if is_built {
            continue;
        }
        let error = error(url);
        assert!(
            error.ends_with(&format!("enable the feature `{feature}`")),
            "{error}"
        );
    }
}

/// Wherever the secret stands in a wrong URL.
#[test]
fn no_error_shows_a_part_of_a_url_that_may_be_secret() {
    for url in [
        "hunter2",
        "tcp://me:hunter2@cam:1",
        "tcp://me@cam:hunter2",
        "tcp://me:hunter2",
        "tcp-listen://me:hunter2@0.0.0.0:1",
        "unix://me:hunter2@host/a",
        "file://me:hunter2@host/a",
        "file:///a?token=hunter2",
        "file:///a?fps=hunter2",
        "file:///a?hunter2",
        "test:hunter2",
        "test:?size=hunter2",
        "ftp+hunter2-and-more://cam",
        "http:/me:hunter2@cam/",
        "http://me:hunter2:x/",
        "http://cam/#fps=hunter2",
        "http://cam/#hunter2",
        "http://cam/#header=hunter2",
        "http://cam/#header=A%20B:hunter2",
        "exec:'hunter2",
        "exec:a #hunter2",
        "exec:a #stall_limit=hunter2",
        "unix:///a#hunter2",
        "file:///a#hunter2=1",
    ] {
        let Err(error) = url.parse::<Source>() else {
            panic!("{url} is no source");
        };
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2"), "{url}: {shown}");
    }
    let error = "file:///a?fps=0".parse::<Source>().unwrap_err();
    assert!(
        error.to_string().starts_with("\"fps\" is not an option"),
        "{error}"
    );
}

#[cfg(all(feature = "v4l2", target_os = "linux"))]
#[test]
fn cameras_of_this_machine_are_written_as_urls() {
    use mjpeg_ingest::V4l2Camera;

    for url in [
        "v4l2:///dev/video0",
        "v4l2:///dev/video0?size=1280x720&fps=30",
        "v4l2:///dev/v4l/by-path/pci-0000:00:14.0-usb-0:1:1.0-video-index0?fps=7.5&input=1",
        "v4l2:///dev/video0?exposure_auto=1&exposure_time_absolute=-50#stall_limit=1m",
        "v4l2://?list",
    ] {
        let source: Source = url.parse().unwrap();
        assert_eq!((source.to_string(), source.kind()), (url.into(), "v4l2"));
        assert_eq!(source.reveal(), url);
    }
    let camera = V4l2Camera::new("/dev/video0").unwrap();
    let camera = camera.with_size(640, 480).unwrap().with_input(2);
    let camera = camera.with_control("gain", 3).unwrap();
    assert_eq!(
        Source::v4l2(camera),
        "v4l2:///dev/video0?size=640x480&input=2&gain=3"
            .parse()
            .unwrap()
    );
    let error = |url: &str| url.parse::<Source>().unwrap_err();
    for path in [
        "/",
        "/dev",
        "/dev/",
        "/etc/passwd",
        "/dev/../etc/passwd",
        "/dev/%2e%2e/x",
    ] {
        let error = error(&format!("v4l2://{path}"));
        assert!(
            matches!(error, InvalidSource::BadDevice(_)),
            "{path}: {error}"
        );
    }
    assert!(matches!(error("v4l2://video0"), InvalidSource::BadPath(_)));
    for option in [
        "size=0x480",
        "size=640",
        "size=65536x1",
        "fps=0",
        "fps=1001",
        "fps=nan",
        "input=-1",
        "list",
        "list=1",
        "Brightness=1",
        "bright%00ness=1",
        "brightness=dark",
        "brightness=2147483648",
        "brightness",
    ] {
        let error = error(&format!("v4l2:///dev/video0?{option}"));
        assert!(
            matches!(error, InvalidSource::BadOption(_)),
            "{option}: {error}"
        );
    }
    let (most, more) = ("&gain=1".repeat(63), "&gain=1".repeat(64));
    assert!(
        format!("v4l2:///dev/video0?gain=1{most}")
            .parse::<Source>()
            .is_ok()
    );
    error(&format!("v4l2:///dev/video0?gain=1{more}"));
}
