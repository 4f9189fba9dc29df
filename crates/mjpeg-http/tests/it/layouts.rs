//! Which layout a request gets: by the headers that browsers were observed to send, and by
//! ustreamer's parameters.

use std::time::Duration;

use mjpeg_http::StreamConfig;
use mjpeg_testkit::{Viewer, jpeg};
use tokio::time::timeout;

use crate::{Served, publish_number};

const CHROMIUM_IMG: &str =
    "image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
const FIREFOX_IMG: &str = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5";
const WEBKIT_IMG: &str =
    "image/webp,image/avif,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5";
const ADDRESS_BAR: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const FIREFOX_VIDEO: &str = "video/webm,video/ogg,video/*;q=0.9,application/ogg;q=0.7,*/*;q=0.5";
/// What Java sends where a program says nothing.
const JAVA: &str = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2";
const FIREFOX_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
const WEBKIT_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/60.5 Safari/605.1.15";
const CHROMIUM_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

/// Whether the response to such a request has the advance layout.
async fn is_advance(served: &Served, path: &str, headers: &[(&str, &str)]) -> bool {
    let mut viewer = Viewer::open_with(served.addr, path, headers).await.unwrap();
    assert_eq!(viewer.head().status, 200);
    let part = viewer.next_part().await.unwrap().unwrap();
    assert_eq!(part.body, jpeg::numbered(1));
    let (length, origin) = (
        part.header("content-length").is_some(),
        part.header("access-control-allow-origin"),
    );
    match (length, origin) {
        (true, None) => false,
        (false, Some("*")) => true,
        other => panic!("neither layout: {other:?}"),
    }
}

#[tokio::test]
async fn pictures_get_headers_ahead_and_programs_the_length() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    publish_number(&producer, 1);
    let by_destination =
        |to: &'static str, accept: &'static str| vec![("Sec-Fetch-Dest", to), ("Accept", accept)];
    let with_agent =
        |accept: &'static str, agent: &'static str| vec![("Accept", accept), ("User-Agent", agent)];
    for (headers, expected) in [
        (vec![("Accept", CHROMIUM_IMG)], true),
        (vec![("Accept", FIREFOX_IMG)], true),
        (vec![("Accept", WEBKIT_IMG)], true),
        (vec![("Accept", ADDRESS_BAR)], true),
        (vec![("accept", &format!(" {WEBKIT_IMG}"))], true),
        (with_agent(CHROMIUM_IMG, CHROMIUM_AGENT), true),
        (with_agent(FIREFOX_IMG, FIREFOX_AGENT), true),
        (with_agent(WEBKIT_IMG, WEBKIT_AGENT), true),
        (with_agent(ADDRESS_BAR, FIREFOX_AGENT), true),
        // Safari 13 and before.
        (
            with_agent(
                "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5",
                WEBKIT_AGENT,
            ),
            true,
        ),
        // `<img crossorigin>`: only pages send an origin.
        (vec![("Accept", "image/*"), ("Origin", "http://page")], true),
        // Programs, whatever they call themselves.
        (vec![("Accept", JAVA)], false),
        (with_agent(JAVA, "Java/17.0.9"), false),
        (with_agent(JAVA, CHROMIUM_AGENT), false),
        (with_agent(ADDRESS_BAR, "Java/17.0.9"), false),
        (vec![("Accept", "image/*")], false),
        (vec![("Accept", "image/jpeg")], false),
        (vec![("Accept", "image/jpeg, */*")], false),
        (with_agent("image/*", CHROMIUM_AGENT), false),
        (
            with_agent(
                "image/*,*/*;q=0.8",
                "App/1 CFNetwork/1408.0.4 Darwin/22.5.0",
            ),
            false,
        ),
        (
            with_agent(
                "image/webp,image/*,*/*;q=0.8",
                "App/1 CFNetwork/1408.0.4 Darwin/22.5.0",
            ),
            false,
        ),
        (
            with_agent("text/html, */*", "Mozilla/3.0 (compatible; Indy Library)"),
            false,
        ),
        (with_agent("text/html", "Lynx/2.9"), false),
        (by_destination("image", CHROMIUM_IMG), true),
        (by_destination("document", ADDRESS_BAR), true),
        (by_destination("iframe", ADDRESS_BAR), true),
        (by_destination("object", "*/*"), true),
        (by_destination("embed", "*/*"), true),
        (by_destination("empty", "*/*"), false),
        // The destination takes precedence over `Accept`.
        (by_destination("empty", CHROMIUM_IMG), false),
        (by_destination("video", FIREFOX_VIDEO), false),
        (vec![("Accept", "*/*")], false),
        (vec![("Accept", FIREFOX_VIDEO)], false),
        (
            vec![("Accept", "multipart/x-mixed-replace, image/jpeg")],
            false,
        ),
        (vec![], false),
        (vec![("User-Agent", CHROMIUM_AGENT)], false),
    ] {
        assert_eq!(
            is_advance(&served, "/", &headers).await,
            expected,
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn parameters_of_ustreamer_override_it() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    publish_number(&producer, 1);
    let img = [("Accept", CHROMIUM_IMG)];
    assert!(is_advance(&served, "/stream?advance_headers=1", &[]).await);
    assert!(is_advance(&served, "/?action=stream&advance_headers", &[]).await);
    assert!(!is_advance(&served, "/stream?advance_headers=0", &img).await);
    // Axis's name for a program that needs the length.
    let length = "/axis-cgi/mjpg/video.cgi?showlength=1";
    assert!(!is_advance(&served, length, &img).await);
    assert!(is_advance(&served, "/axis-cgi/mjpg/video.cgi?showlength=0", &img).await);
    // An invalid value is ignored.
    assert!(is_advance(&served, "/stream?advance_headers=perhaps", &img).await);
}

/// A reader that shows a frame only when something follows it gets the last one again soon after
/// the camera falls silent.
#[tokio::test]
async fn last_frame_is_repeated_soon_where_the_layout_needs_it() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    publish_number(&producer, 1);
    let soon = Duration::from_secs(2);
    for (path, repeated) in [
        ("/", true),
        ("/?dual_final_frames=0", false),
        ("/?advance_headers=1", false),
        ("/?advance_headers=1&dual_final_frames=1", true),
    ] {
        let mut viewer = Viewer::open(served.addr, path).await.unwrap();
        viewer.next_part().await.unwrap().unwrap();
        let next = timeout(soon, viewer.next_part()).await;
        assert_eq!(next.is_ok(), repeated, "{path}");
        if let Ok(next) = next {
            assert_eq!(next.unwrap().unwrap().body, jpeg::numbered(1));
            let third = timeout(soon, viewer.next_part()).await;
            assert!(third.is_err(), "{path}: once only");
        }
    }
}

#[tokio::test]
async fn fetch_of_webkit_gets_another_type_if_so_configured() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let kind = async |config: StreamConfig, headers: &[(&str, &str)]| {
        let served = Served::start(consumer.clone(), config);
        let viewer = Viewer::open_with(served.addr, "/", headers).await.unwrap();
        let kind = viewer.head().header("content-type").unwrap();
        kind.strip_suffix(";boundary=boundarydonotcross")
            .unwrap()
            .to_owned()
    };
    let on = || StreamConfig::default().with_webkit_fetch_mixed(true);
    let webkit = [("User-Agent", WEBKIT_AGENT), ("Accept", "*/*")];
    let replace = "multipart/x-mixed-replace";
    assert_eq!(kind(StreamConfig::default(), &webkit).await, replace);
    assert_eq!(kind(on(), &webkit).await, "multipart/mixed");
    assert_eq!(kind(on(), &[("User-Agent", CHROMIUM_AGENT)]).await, replace);
    let img = [("User-Agent", WEBKIT_AGENT), ("Accept", WEBKIT_IMG)];
    assert_eq!(kind(on(), &img).await, replace);
}
