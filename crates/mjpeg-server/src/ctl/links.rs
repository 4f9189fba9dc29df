//! Links by which somebody may watch for a while: `links`.

use http::Method;
use serde_json::{Map, json};

use super::{
    client::{ApiClient, encoded},
    failure::CtlFailure,
    fields::{field, time},
    screen::{Screen, notice},
    table::{TextTable, Title},
    target::RelayTarget,
};
use crate::cli::ctl::links::CreateLink;

/// Makes a link and prints it.
pub(super) async fn create(
    client: &mut ApiClient,
    screen: &Screen,
    args: &CreateLink,
) -> Result<(), CtlFailure> {
    let mut wanted = Map::new();
    wanted.insert("stream".into(), args.name.as_str().into());
    wanted.insert("valid_s".into(), args.valid.0.as_secs_f64().into());
    if args.snapshot {
        wanted.insert("action".into(), "snapshot".into());
    }
    if let Some(fps) = args.fps {
        wanted.insert("fps".into(), fps.into());
    }
    let link = client
        .send(Method::POST, "/links", Some(&wanted.into()))
        .await?;
    if screen.is_json {
        return screen.json(&link);
    }
    let until = time(&link, "expires");
    notice(&format!(
        "link {}, good until {until} UTC:",
        field(&link, "id")
    ));
    let url = field(&link, "url");
    if url.contains("://") {
        return screen.whole_line(&url);
    }
    let path = url.trim_start_matches('/');
    match client.target() {
        target @ RelayTarget::Url(_) => screen.whole_line(&format!("{target}/{path}")),
        RelayTarget::Unix(_) => {
            notice("(put the URL of the relay in front)");
            screen.whole_line(&format!("/{path}"))
        }
    }
}

/// Lists the links that are still good.
pub(super) async fn list(client: &mut ApiClient, screen: &Screen) -> Result<(), CtlFailure> {
    let links = client.list("/links", "links").await?;
    if screen.is_json {
        return screen.json(&json!({ "links": links }));
    }
    if links.is_empty() {
        notice("there are no links");
        return Ok(());
    }
    let mut table = TextTable::new(&[
        Title::Text("ID"),
        Title::Text("STREAM"),
        Title::Text("ACTION"),
        Title::Text("EXPIRES (UTC)"),
        Title::Number("FPS"),
    ]);
    for link in &links {
        let text = |name: &str| -> String { field(link, name) };
        let expires = time(link, "expires");
        table.push([
            text("id"),
            text("stream"),
            text("action"),
            expires,
            text("fps"),
        ]);
    }
    screen.table(&table)
}

/// Revokes a link.
pub(super) async fn revoke(
    client: &mut ApiClient,
    screen: &Screen,
    id: &str,
) -> Result<(), CtlFailure> {
    let path = format!("/links/{}", encoded(id));
    client.send(Method::DELETE, &path, None).await?;
    screen.done(&format!("{id} is revoked"))
}
