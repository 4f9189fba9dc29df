//! The relay as a whole: `reload` and `info`.

use http::Method;
use serde_json::Value;

use super::{
    client::ApiClient,
    failure::CtlFailure,
    fields::{field, items, text, time},
    screen::{Screen, notice},
};

/// Lets the relay read its configuration again, and prints what has changed or would.
pub(super) async fn reload(
    client: &mut ApiClient,
    screen: &Screen,
    dry_run: bool,
) -> Result<(), CtlFailure> {
    let path = match dry_run {
        true => "/reload?dry_run=true",
        false => "/reload",
    };
    let reloaded = client.send(Method::POST, path, None).await?;
    if screen.is_json {
        return screen.json(&reloaded);
    }
    for warning in items(&reloaded, "warnings") {
        notice(&format!("warning: {}", text(warning)));
    }
    let mut changes = items(&reloaded, "changes").map(text).peekable();
    if changes.peek().is_none() {
        return screen.line("nothing differs");
    }
    changes.try_for_each(|change| screen.whole_line(&change))
}

/// Prints what the relay is, and how much it does.
pub(super) async fn info(client: &mut ApiClient, screen: &Screen) -> Result<(), CtlFailure> {
    let info = client.get("/info").await?;
    if screen.is_json {
        return screen.json(&info);
    }
    let number = |name: &str| info.get(name).and_then(Value::as_u64).unwrap_or(0);
    let refused = |name: &str| match number(name) {
        0 => String::new(),
        count => format!(", {count} refused"),
    };
    let (streams, viewers) = (number("streams"), number("viewers"));
    for (title, text) in [
        (
            "program",
            format!("{} {}", field(&info, "program"), field(&info, "version")),
        ),
        ("at", client.target().to_string()),
        ("since", format!("{} UTC", time(&info, "since"))),
        (
            "streams",
            format!("{streams}{}", refused("streams_refused")),
        ),
        (
            "viewers",
            format!(
                "{viewers} of at most {}{}",
                number("max_viewers"),
                refused("viewers_refused")
            ),
        ),
    ] {
        screen.whole_line(&format!("{title:<9}{text}"))?;
    }
    Ok(())
}
