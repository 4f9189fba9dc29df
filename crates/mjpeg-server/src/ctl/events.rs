//! What happens to streams: `events`.

use std::time::Duration;

use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::{
    client::{ApiClient, encoded},
    failure::CtlFailure,
    fields::field,
    screen::{Screen, notice},
    sse::{EventReader, MOST_BYTES, SentEvent},
};

/// Prints the events that the relay still knows, the oldest first.
pub(super) async fn past(
    client: &mut ApiClient,
    screen: &Screen,
    name: Option<&str>,
) -> Result<(), CtlFailure> {
    let names = match name {
        Some(name) => vec![name.to_owned()],
        None => {
            let streams = client.list("/streams", "streams").await?;
            streams.iter().map(|stream| field(stream, "name")).collect()
        }
    };
    let mut events = Vec::new();
    for of_stream in names {
        let path = format!("/streams/{}/events", encoded(&of_stream));
        match client.list(&path, "events").await {
            Ok(more) => events.extend(more),
            // Of all streams: it was removed meanwhile, or is only for looking at.
            Err(error)
                if name.is_none()
                    && (error.is(StatusCode::NOT_FOUND) || error.is(StatusCode::FORBIDDEN)) => {}
            Err(error) => return Err(error),
        }
    }
    // Those of one stream keep their order.
    events.sort_by_key(|event| field(event, "at"));
    events.iter().try_for_each(|event| print(screen, event))
}

/// Prints events as they happen, until the reader has seen enough.
pub(super) async fn follow(
    client: &mut ApiClient,
    screen: &Screen,
    name: Option<&str>,
) -> Result<(), CtlFailure> {
    let stream = match name {
        Some(name) => Some(resolved(client, name).await?),
        None => None,
    };
    let mut follower = EventFollower {
        screen,
        stream,
        reader: EventReader::default(),
    };
    let mut body = client.subscribe(None).await?;
    loop {
        follower.read(body).await?;
        body = follower.again(client).await?;
    }
}

/// The stream's own name, if this is a further one of it.
async fn resolved(client: &mut ApiClient, name: &str) -> Result<String, CtlFailure> {
    match client.get(&format!("/streams/{}", encoded(name))).await {
        Ok(stream) => Ok(field(&stream, "name")),
        // It is there, and what may be seen of it is.
        Err(error) if error.is(StatusCode::FORBIDDEN) => Ok(name.into()),
        Err(error) => Err(error),
    }
}

struct EventFollower<'a> {
    screen: &'a Screen,
    /// The only stream whose events are printed.
    stream: Option<String>,
    reader: EventReader,
}

impl EventFollower<'_> {
    /// Prints events until the connection ends.
    async fn read(&mut self, mut body: Incoming) -> Result<(), CtlFailure> {
        self.reader.restart();
        loop {
            let Ok(Some(Ok(frame))) = timeout(SILENCE, body.frame()).await else {
                return Ok(());
            };
            let Ok(bytes) = frame.into_data() else {
                continue;
            };
            let events = self.reader.push(&bytes).map_err(|_| {
                CtlFailure::BadAnswer(format!("an event has more than {MOST_BYTES} bytes"))
            })?;
            events
                .into_iter()
                .try_for_each(|event| self.print(&event))?;
        }
    }

    fn print(&self, event: &SentEvent) -> Result<(), CtlFailure> {
        let value: Value = serde_json::from_str(&event.data)
            .map_err(|_| CtlFailure::BadAnswer("an event is not JSON".into()))?;
        if event.kind == "gap" {
            return match self.screen.is_json {
                true => self.screen.json_line(&value),
                false => {
                    notice(&gap(&value));
                    Ok(())
                }
            };
        }
        let is_wanted = |stream: &String| value.get("stream") == Some(&stream.as_str().into());
        match self.stream.as_ref().is_none_or(is_wanted) {
            true => print(self.screen, &value),
            false => Ok(()),
        }
    }

    /// Connects again, however long that takes. The relay begins after the last event.
    async fn again(&self, client: &mut ApiClient) -> Result<Incoming, CtlFailure> {
        notice("the connection to the relay has ended; trying again until it is back");
        let retry = self.reader.retry_ms().map_or(RETRY, Duration::from_millis);
        let retry = retry.clamp(LEAST_RETRY, MOST_RETRY);
        loop {
            sleep(retry).await;
            match client.subscribe(self.reader.last_id()).await {
                Ok(body) => {
                    notice("connected again");
                    return Ok(body);
                }
                Err(error) if error.is_temporary() => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn gap(value: &Value) -> String {
    match value.get("missed").and_then(Value::as_u64) {
        Some(count) => format!("{count} events were missed"),
        // It was restarted, or how many is not for this user.
        None => "events may have been missed".into(),
    }
}

fn print(screen: &Screen, event: &Value) -> Result<(), CtlFailure> {
    if screen.is_json {
        return screen.json_line(event);
    }
    let [at, stream, change] = ["at", "stream", "change"].map(|name| field(event, name));
    // What it is about: a state in words, a source, or a clip.
    let clip = event.get("clip").map(|clip| field(clip, "id"));
    let about = ["text", "state", "source"].map(|name| field(event, name));
    let about = about.into_iter().chain(clip).find(|text| !text.is_empty());
    let line = format!("{at}  {stream}  {change}  {}", about.unwrap_or_default());
    screen.line(line.trim_end())
}

/// The relay says every 15 s that it is there.
const SILENCE: Duration = Duration::from_secs(60);
/// When nobody says how long.
const RETRY: Duration = Duration::from_secs(3);
const LEAST_RETRY: Duration = Duration::from_millis(100);
const MOST_RETRY: Duration = Duration::from_secs(60);
