//! Signed links in the hands of somebody who wants more.

use mjpeg_testkit::Viewer;
use serde_json::json;

use super::{
    super::{Controlled, camera},
    door, status,
};

#[tokio::test]
async fn link_that_was_tampered_with_or_revoked_opens_nothing() {
    let camera = camera().await;
    let yard = door(&camera).replace("door", "yard");
    let closed = "[auth]\nanonymous = []\n[[users]]\nname = \"alice\"\n";
    let mut relay = Controlled::start(&[closed, &door(&camera), &yard].concat());
    let wanted = json!({ "stream": "door", "valid_s": 600, "fps": 5 }).to_string();
    let made = relay.ask("POST", "/links", &wanted).await;
    assert_eq!(made.status, 201, "{made:?}");
    let url = format!("/{}", made.json["url"].as_str().unwrap());
    let (path, query) = url.split_once('?').unwrap();
    let fields: Vec<&str> = query.split('&').collect();
    let field = |name: &str| {
        let begin = format!("{name}=");
        *fields
            .iter()
            .find(|field| field.starts_with(&begin))
            .expect("it is signed")
    };
    let (sig, expires) = (field("sig"), field("expires"));
    let mut tampered = vec![
        url.replace("/door/", "/yard/"),
        url.replace("/door/", "/door/../yard/"),
        url.replace("/door/", "/yard/%2e%2e/door/"),
        url.replace("/stream", "/snapshot"),
        url.replace("/stream", "/state"),
        format!("/api/v1/streams?{query}"),
        format!("/api/v1/config?{query}"),
        format!("/api/v1/events?{query}"),
        format!("/api/v1/streams/door?{query}"),
        format!("/metrics?{query}"),
        format!("/?action=stream&{query}"),
        format!("/api/stream.mjpeg?src=yard&{query}"),
        url.replace(sig, "sig="),
        url.replace(sig, &sig.to_uppercase()),
        url.replace(sig, &format!("{sig}%00")),
        url.replace(sig, &sig[..sig.len() - 2]),
        url.replace(expires, "expires=99999999999"),
        url.replace(expires, &format!("{expires}0")),
        url.replace(expires, &format!("{expires}&expires=99999999999")),
        url.replace(expires, &format!("expires=99999999999&{expires}")),
        url.replace(field("fps"), "fps=50"),
        url.replace(field("fps"), &format!("fps=50&{}", field("fps"))),
        url.replace(field("fps"), &format!("{}&fps=50", field("fps"))),
    ];
    tampered.extend(fields.iter().map(|gone| {
        let left: Vec<&str> = fields
            .iter()
            .copied()
            .filter(|field| field != gone)
            .collect();
        format!("{path}?{}", left.join("&"))
    }));
    for url in &tampered {
        // Without a proxy on the way, whoever is on this machine may control, link or not.
        let raw = format!(
            "GET {url} HTTP/1.1\r\nHost: localhost\r\nVia: 1.1 proxy\r\nConnection: close\r\n\r\n"
        );
        let status = status(&relay, raw).await;
        // These are for everybody: of those streams that the client may see, here none.
        let lists = ["/api/v1/streams?", "/api/v1/events?"];
        let is_list = lists.iter().any(|list| url.starts_with(list));
        let is_refused = matches!(status, 401 | 403 | 404) || (status == 200 && is_list);
        assert!(is_refused, "{url}: {status}");
    }
    // It writes nothing, whatever its bearer sends.
    for method in ["POST", "PUT", "DELETE"] {
        let raw = format!(
            "{method} {url} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        );
        assert_eq!(status(&relay, raw).await, 401, "{method}");
    }
    let viewer = Viewer::open(relay.addr(), &url).await.unwrap();
    assert_eq!(viewer.head().status, 200, "{url}");

    let id = made.json["id"].as_str().unwrap();
    let revoked = relay.ask("DELETE", &format!("/links/{id}"), "").await;
    assert_eq!(revoked.status, 204);
    for is_new_process in [false, true] {
        if is_new_process {
            relay.restart();
        }
        for url in tampered
            .iter()
            .chain([&url])
            .filter(|url| url.contains("/door/"))
        {
            let raw = format!("GET {url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            assert_eq!(status(&relay, raw).await, 401, "{is_new_process} {url}");
        }
    }
}
