//! Webhooks that a reload adds, changes and removes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{METRICS, STREAM, disturb, figure, start, webhook};
use crate::{
    control::{Controlled, INCLUDE},
    process::run,
    receiver::{Reaction, Receiver},
};

/// What a reload does about each key is tried below.
#[test]
fn each_key_of_a_webhook_is_known_here() {
    let (_, schema, _) = run(&["config", "--schema"]);
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let keys = &schema["properties"]["webhooks"]["items"]["properties"];
    let known = ["name", "url", "secret", "events", "streams"];
    let declared: BTreeSet<&str> = keys.as_object().unwrap().keys().map(|it| &**it).collect();
    assert_eq!(declared, known.into());
    for key in known {
        assert_eq!(
            keys[key]["x-reload"], "viewers keep their response",
            "{key}"
        );
    }
}

#[tokio::test]
async fn webhooks_come_go_and_change_and_what_waits_goes_to_the_new_url() {
    let mut dead = Receiver::always(Reaction::Status(503)).await;
    let mut alive = Receiver::always(Reaction::Status(200)).await;
    let base = [INCLUDE, METRICS, STREAM].concat();
    let mut relay = start(STREAM);
    let with = |receiver: &Receiver, keys: &str| base.clone() + &webhook(receiver, keys);
    let is_told = |log: &[String], text: &str| {
        assert!(
            log.iter().any(|line| line.contains(text)),
            "{text}: {log:#?}"
        );
        for secret in ["s3cret", "battery", "another secret"] {
            assert!(!log.iter().any(|line| line.contains(secret)), "{log:#?}");
        }
    };

    let log = relay.reload(&with(&dead, ""));
    is_told(&log, "+ webhook webhook1: http://127.0.0.1:");
    disturb(&relay).await;
    let waiting = dead.next().await;
    assert_eq!(waiting.kind(), "paused");

    // The URL: what waits goes to the new one, at once.
    let log = relay.reload(&with(&alive, ""));
    is_told(&log, "~ webhook webhook1: url \"***\": *** changed");
    assert_eq!(alive.next().await.body, waiting.body);
    while alive.next().await.kind() != "online" {}

    // The secret.
    let changed = with(&alive, "").replace("battery", "another secret");
    let log = relay.reload(&changed);
    is_told(&log, "~ webhook webhook1: secret \"***\": *** changed");
    let signature = |received: &crate::receiver::Received| {
        let header = |name| received.header(name).unwrap().to_owned();
        (header("x-timestamp"), header("x-signature"))
    };
    disturb(&relay).await;
    while alive.next().await.kind() != "online" {}

    // Events and streams.
    let keys = "events = [\"online\"]\nstreams = [\"yard\"]";
    let log = relay.reload(&with(&alive, keys));
    is_told(&log, "~ webhook webhook1: events ");
    is_told(&log, "~ webhook webhook1: streams ");
    disturb(&relay).await;
    let received = alive.next().await;
    assert_eq!(received.kind(), "online");
    assert!(signature(&received).1.starts_with("sha256="));

    // With another name it is another one.
    let log = relay.reload(&with(&alive, "name = \"phone\""));
    is_told(&log, "+ webhook phone");
    is_told(&log, "- webhook webhook1");
    assert_eq!(figure(&relay, "sent", "webhook1").await, None);
    assert_eq!(figure(&relay, "sent", "phone").await, Some(0));

    // A bad one changes nothing.
    let bad = with(&alive, "name = \"phone\"").replace("http://", "gopher://");
    let log = relay.reload(&bad);
    is_told(&log, "configuration not reloaded");
    disturb(&relay).await;
    assert_eq!(alive.next().await.kind(), "paused");
    while alive.next().await.kind() != "online" {}

    let log = relay.reload(&base);
    is_told(&log, "- webhook phone");
    disturb(&relay).await;
    disturb(&relay).await;
    assert!(alive.come().is_none() && dead.come().is_none());
}

/// `check`, `config`, the API: what they show of webhooks and the hook.
#[tokio::test]
async fn configuration_is_shown_without_the_secrets_of_webhooks_and_hook() {
    let receiver = Receiver::always(Reaction::Status(200)).await;
    let hook = format!(
        "[auth]\nhook = \"http://me:s3cret@{}/s3cret\"\n",
        receiver.addr
    );
    let text = [STREAM, &hook, &webhook(&receiver, "")].concat();
    let relay = Controlled::start(&text);
    let shown = relay.ask("GET", "/config", "").await.json;
    let url = format!("http://{}/***", receiver.addr);
    assert_eq!(shown["webhooks"][0]["to"], Value::from(url));
    assert_eq!(shown["webhooks"][0]["secret"], "***");
    assert_eq!(shown["auth"]["hook"], "***");
    let file = relay.folder.path().join("mjpeg.toml");
    let (_, origins, _) = run(&["config", "--show-origin", "-c", file.to_str().unwrap()]);
    assert!(
        origins.contains("[[webhooks]]\nname = \"webhook1\""),
        "{origins}"
    );
    for text in [shown.to_string(), origins] {
        assert!(
            !text.contains("s3cret") && !text.contains("battery"),
            "{text}"
        );
    }
}
