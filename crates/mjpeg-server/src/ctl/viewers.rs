//! Who is watching: `viewers` and `kick`.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    client::{ApiClient, encoded},
    failure::CtlFailure,
    fields::{field, time},
    screen::{Screen, notice},
    table::{TextTable, Title},
};

/// Lists the viewers of a stream, or of all streams that one may control.
pub(super) async fn list(
    client: &mut ApiClient,
    screen: &Screen,
    name: Option<&str>,
) -> Result<(), CtlFailure> {
    let viewers = match name {
        Some(name) => of_stream(client, name).await?,
        None => of_all(client).await?,
    };
    if screen.is_json {
        return screen.json(&json!({ "viewers": viewers }));
    }
    if viewers.is_empty() {
        notice("nobody is watching");
        return Ok(());
    }
    let mut table = TextTable::new(&[
        Title::Text("ID"),
        Title::Text("ADDRESS"),
        Title::Text("USER"),
        Title::Text("KEY"),
        Title::Text("SINCE (UTC)"),
        Title::Number("FPS"),
        Title::Number("SENT"),
        Title::Number("SKIPPED"),
    ]);
    for viewer in &viewers {
        let [id, address, user, key] = ["id", "address", "user", "key"].map(|it| field(viewer, it));
        let [fps, sent, skipped] = ["fps", "sent", "skipped"].map(|it| field(viewer, it));
        let since = time(viewer, "since");
        table.push([id, address, user, key, since, fps, sent, skipped]);
    }
    screen.table(&table)
}

/// Disconnects a viewer.
pub(super) async fn kick(
    client: &mut ApiClient,
    screen: &Screen,
    id: &str,
) -> Result<(), CtlFailure> {
    let path = format!("/viewers/{}", encoded(id));
    client.send(Method::DELETE, &path, None).await?;
    screen.done(&format!("{id} is being disconnected"))
}

async fn of_stream(client: &mut ApiClient, name: &str) -> Result<Vec<Value>, CtlFailure> {
    let path = format!("/streams/{}/viewers", encoded(name));
    client.list(&path, "viewers").await
}

async fn of_all(client: &mut ApiClient) -> Result<Vec<Value>, CtlFailure> {
    let mut viewers = Vec::new();
    for stream in client.list("/streams", "streams").await? {
        match of_stream(client, &field(&stream, "name")).await {
            Ok(more) => viewers.extend(more),
            // It was removed meanwhile, or is only for looking at.
            Err(error) if error.is(StatusCode::NOT_FOUND) || error.is(StatusCode::FORBIDDEN) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(viewers)
}
