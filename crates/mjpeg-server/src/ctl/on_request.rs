//! `timelapse frame` and `timelapse finish`: of one time-lapse, or of those of a stream.

use http::Method;
use serde_json::{Map, Value};

use super::{
    client::{ApiClient, encoded},
    failure::CtlFailure,
    fields::{field, items},
    screen::{Screen, notice},
};
use crate::cli::ctl::recordings::AskedTimelapse;

/// Keeps the next picture.
pub(super) async fn frame(
    client: &mut ApiClient,
    screen: &Screen,
    args: &AskedTimelapse,
) -> Result<(), CtlFailure> {
    let kept = ask(client, args, "/frame", "/frame").await?;
    if screen.is_json {
        return screen.json(&kept);
    }
    if let Some(id) = &args.id {
        let number = field(&kept, "number");
        return screen.line(&format!("frame {number} of {id} is kept"));
    }
    for timelapse in items(&kept, "timelapses") {
        let (id, problem) = (field(timelapse, "id"), field(timelapse, "problem"));
        match &*problem {
            "" => screen.line(&format!("a frame of {id} is kept"))?,
            _ => notice(&format!("warning: {id}: no frame could be kept: {problem}")),
        }
    }
    Ok(())
}

/// Ends what there is.
pub(super) async fn finish(
    client: &mut ApiClient,
    screen: &Screen,
    args: &AskedTimelapse,
) -> Result<(), CtlFailure> {
    let ended = ask(client, args, "/finish", "/timelapses/finish").await?;
    if screen.is_json {
        return screen.json(&ended);
    }
    let mut all: Vec<&Value> = items(&ended, "timelapses").collect();
    match &args.id {
        Some(_) => all.push(&ended),
        None if all.is_empty() => notice("no such time-lapse of the stream is running"),
        None => {}
    }
    for timelapse in all {
        let (id, frames) = (field(timelapse, "id"), field(timelapse, "frames"));
        screen.line(&format!("{id} is finished; {frames} frames"))?;
    }
    Ok(())
}

/// Sends a request about one time-lapse, or about those of a stream.
async fn ask(
    client: &mut ApiClient,
    args: &AskedTimelapse,
    of_one: &str,
    of_stream: &str,
) -> Result<Value, CtlFailure> {
    let path = match (&args.id, &args.stream) {
        (Some(id), _) => format!("/timelapses/{}{of_one}", encoded(id)),
        (None, stream) => {
            let stream = stream.as_deref().unwrap_or_default();
            format!("/streams/{}{of_stream}", encoded(stream))
        }
    };
    client
        .send(Method::POST, &path, Some(&Map::new().into()))
        .await
}
