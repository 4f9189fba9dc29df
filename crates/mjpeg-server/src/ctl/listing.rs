//! What is known of streams: `list` and `show`.

use mjpeg_manager::StreamName;
use serde_json::{Value, json};

use super::{
    client::{ApiClient, encoded},
    failure::CtlFailure,
    fields::{entries, field, items, text, time},
    screen::{Screen, notice},
    table::{TextTable, Title},
};

/// Lists the streams in the relay's order.
pub(super) async fn list(
    client: &mut ApiClient,
    screen: &Screen,
    only_names: bool,
) -> Result<(), CtlFailure> {
    let streams = client.list("/streams", "streams").await?;
    if only_names {
        let names = streams.iter().map(|stream| field(stream, "name"));
        // A shell may read them as anything, so that only what is a name is printed.
        let mut names = names.filter(|name| name.parse::<StreamName>().is_ok());
        return names.try_for_each(|name| screen.whole_line(&name));
    }
    if screen.is_json {
        return screen.json(&json!({ "streams": streams }));
    }
    if streams.is_empty() {
        notice("there are no streams");
        return Ok(());
    }
    let mut table = TextTable::new(&[
        Title::Text("NAME"),
        Title::Text("STATE"),
        Title::Number("FPS"),
        Title::Number("VIEWERS"),
        Title::Number("FRAMES"),
        Title::Text("SOURCE"),
    ]);
    let shown = ["name", "state", "fps", "viewers", "frames", "source"];
    for stream in &streams {
        table.push(shown.map(|name| field(stream, name)));
    }
    screen.table(&table)
}

/// Shows all that is known of a stream.
pub(super) async fn show(
    client: &mut ApiClient,
    screen: &Screen,
    name: &str,
) -> Result<(), CtlFailure> {
    let stream = client.get(&format!("/streams/{}", encoded(name))).await?;
    if screen.is_json {
        return screen.json(&stream);
    }
    for (title, text) in facts(&stream) {
        if !text.is_empty() {
            screen.whole_line(&format!("{title:<12}{text}"))?;
        }
    }
    let mut keys = entries(&stream, "config").peekable();
    if keys.peek().is_some() {
        screen.whole_line(&format!("configured  {}", origin(&stream)))?;
    }
    keys.try_for_each(|(key, value)| screen.whole_line(&format!("  {key} = {value}")))
}

/// Who has configured a stream.
fn origin(stream: &Value) -> String {
    match field(stream, "origin").as_str() {
        "file" => "in a file".into(),
        "api" => "by the API".into(),
        "run" => "by the API, for this run".into(),
        "command_line" => "on the command line".into(),
        other => other.into(),
    }
}

/// What people want to know of a stream, each with its title.
fn facts(stream: &Value) -> Vec<(&'static str, String)> {
    let has_text = stream.get("text").is_some_and(Value::is_string);
    let since = time(stream, "since");
    let state = field(stream, if has_text { "text" } else { "state" });
    let state = match since.is_empty() {
        true => state,
        false => format!("{state} (since {since} UTC)"),
    };
    let size: Vec<String> = items(stream, "size").map(Value::to_string).collect();
    let mut facts = vec![
        ("name", field(stream, "name")),
        ("state", state),
        ("source", field(stream, "source")),
    ];
    let others = items(stream, "sources").filter(|it| it.get("is_active") == Some(&false.into()));
    for other in others {
        let text = format!("{}, {}", field(other, "source"), field(other, "text"));
        facts.push(("fallback", text));
    }
    let error = stream.get("last_error").unwrap_or(&Value::Null);
    let error = match error.is_null() {
        true => String::new(),
        false => format!("{} ({} UTC)", field(error, "message"), time(error, "at")),
    };
    facts.extend([
        ("last error", error),
        ("frozen", time(stream, "frozen_since")),
        (
            "shows",
            items(stream, "detected")
                .map(text)
                .collect::<Vec<_>>()
                .join(", "),
        ),
        ("listens", field(stream, "listen")),
        ("picture", size.join("x")),
        ("fps", field(stream, "fps")),
        ("frames", field(stream, "frames")),
        ("viewers", field(stream, "viewers")),
        ("reconnects", field(stream, "reconnects")),
    ]);
    for name in ["discarded", "repaired", "failures"] {
        let counts: Vec<String> = entries(stream, name)
            .filter(|(_, count)| count != "0")
            .map(|(reason, count)| format!("{reason} {count}"))
            .collect();
        facts.push((name, counts.join(", ")));
    }
    for warning in items(stream, "warnings") {
        facts.push(("warning", text(warning)));
    }
    facts
}
