//! Links.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

use async_trait::async_trait;
use mjpeg_control::{
    ControlConfig, Error, ErrorCode, IssuedLink, LinkIssuer, LinkRequest, LinkUse,
};

use crate::support::{GUARD, Relay};

#[derive(Default)]
struct Signed(Mutex<Vec<(IssuedLink, LinkRequest)>>);

#[async_trait]
impl LinkIssuer for Signed {
    async fn create(&self, wanted: LinkRequest) -> Result<IssuedLink, Error> {
        if wanted.valid > Duration::from_secs(3600) {
            return Err(Error::new(
                ErrorCode::InvalidSpec,
                "a link is good for an hour at most",
            ));
        }
        let mut links = self.0.lock().unwrap();
        let expires = UNIX_EPOCH + wanted.valid;
        let id = format!("link{}", links.len());
        let mut link = IssuedLink::new(id, wanted.stream.clone(), wanted.action, expires);
        link.fps = wanted.fps;
        link.url = Some("door/stream?sig=secret".into());
        links.push((link.clone(), wanted));
        Ok(link)
    }

    async fn list(&self) -> Result<Vec<IssuedLink>, Error> {
        let links = self.0.lock().unwrap();
        Ok(links.iter().map(|(link, _)| link.clone()).collect())
    }

    async fn revoke(&self, id: &str) -> Result<(), Error> {
        let mut links = self.0.lock().unwrap();
        let at = links.iter().position(|(link, _)| link.id == id);
        let at = at.ok_or_else(|| Error::new(ErrorCode::NotFound, "there is no such link"))?;
        links.remove(at);
        Ok(())
    }
}

#[tokio::test]
async fn links_are_made_listed_and_revoked() {
    let links = Arc::new(Signed::default());
    let relay = Relay::with(ControlConfig::default(), Some(Arc::clone(&links) as _)).await;
    relay.run("door", "tcp://127.0.0.1:9").await;
    let body = r#"{"stream":"door","valid_s":60,"action":"snapshot","fps":2.5}"#;
    let answer = relay.root("POST", "/links", body).await;
    assert_eq!(answer.status(), 201, "{}", answer.text());
    assert_eq!(answer.json()["url"], "door/stream?sig=secret");
    assert_eq!(answer.json()["expires"], "1970-01-01T00:01:00.000Z");
    let wanted = links.0.lock().unwrap()[0].1.clone();
    assert_eq!((wanted.action, wanted.fps), (LinkUse::Snapshot, Some(2.5)));
    assert_eq!(wanted.by.as_deref(), Some("root"));
    let body = r#"{"stream":"door","valid_s":0.5}"#;
    assert_eq!(relay.root("POST", "/links", body).await.status(), 201);

    let first = relay.get("/links?limit=1").await.json();
    assert_eq!(
        (&first["links"][0]["id"], &first["next"]),
        (&"link0".into(), &"link0".into())
    );
    // The signature is shown once.
    assert!(first["links"][0].get("url").is_none());
    let second = relay.get("/links?limit=1&cursor=link0").await.json();
    assert_eq!(second["links"][0]["action"], "stream");
    assert!(second.get("next").is_none());
    relay
        .get("/links?cursor=none")
        .await
        .is_problem(422, "invalid_spec");
    assert_eq!(relay.root("DELETE", "/links/link0", "").await.status(), 204);
    relay
        .root("DELETE", "/links/link0", "")
        .await
        .is_problem(404, "not_found");

    for body in [
        r#"{"valid_s":60}"#,
        r#"{"stream":"door"}"#,
        r#"{"stream":"door","valid_s":0}"#,
        r#"{"stream":"door","valid_s":-1}"#,
        r#"{"stream":"door","valid_s":1e300}"#,
        r#"{"stream":"door","valid_s":"60"}"#,
        r#"{"stream":"door","valid_s":7200}"#,
        r#"{"stream":"door","valid_s":60,"action":"control"}"#,
        r#"{"stream":"door","valid_s":60,"fps":0}"#,
        r#"{"stream":"door","valid_s":60,"sig":"x"}"#,
    ] {
        relay
            .root("POST", "/links", body)
            .await
            .is_problem(422, "invalid_spec");
    }
    let body = r#"{"stream":"none","valid_s":60}"#;
    relay
        .root("POST", "/links", body)
        .await
        .is_problem(404, "not_found");
    relay
        .send("GET", "/links", &[GUARD], "")
        .await
        .is_problem(403, "forbidden");
}

#[tokio::test]
async fn without_links_there_is_nothing_of_them() {
    let relay = Relay::start().await;
    for (method, path) in [
        ("GET", "/links"),
        ("POST", "/links"),
        ("DELETE", "/links/a"),
    ] {
        relay
            .root(method, path, "")
            .await
            .is_problem(404, "not_found");
    }
    assert!(!relay.get("/openapi.json").await.text().contains("/links"));
}
