//! The oracle that a fuzz target and the replay test share. It panics when a promise is broken.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use mjpeg_manager::{
    HttpOutlet, Manager, ManagerConfig, StreamSpec,
    mjpeg_http::{Access, Action, Gate, Grant, Inquiry, Peer},
};
use serde_json::{Map, Value};
use tokio::{runtime::Builder, time::timeout};
use tower_service::Service;

use crate::{
    config::ControlConfig,
    configurator::{
        Configurator, ConfiguredStream, EditedStream, Reloaded, StreamEdit, StreamOrigin,
        StreamRemoval,
    },
    control::ControlApi,
    error::Error,
    policy::{ControlAccess, GatewayPolicy},
    service::ControlBody,
    wall::message::{ClientMessage, MAX_TILES, ServerMessage},
};

/// Checks that a request is answered as the gate decides: nothing is read from or done to the
/// configuration, and nothing but public reads succeeds, unless the gate lets the caller control.
///
/// The first byte of the input says what holds; then come lines as in HTTP, and the body.
pub fn control_request(data: &[u8]) {
    let Some((&how, text)) = data.split_first() else {
        return;
    };
    let Some(request) = request(text) else {
        return;
    };
    let mut runtime = Builder::new_current_thread();
    // Everything is in memory, so time advances when no task can proceed.
    let runtime = runtime.enable_time().start_paused(true).build();
    runtime
        .expect("no resources are needed for timers alone")
        .block_on(ask(how, request));
}

/// Checks that a message of a wall's client is either not understood, or within its bounds: tiles
/// are numbered from 0 to 127, each once, and rates are possible.
///
/// The first byte of the input says whether the rest is text or bytes.
pub fn wall_message(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else {
        return;
    };
    let message = match str::from_utf8(rest) {
        Ok(text) if how % 2 == 0 => ClientMessage::of_text(text),
        _ => ClientMessage::of_bytes(rest),
    };
    match message {
        Ok(ClientMessage::Tiles(tiles)) => {
            let mut numbers: Vec<u16> = tiles.iter().map(|tile| tile.tile).collect();
            numbers.sort_unstable();
            assert!(numbers.windows(2).all(|two| two[0] < two[1]), "each once");
            assert!(
                numbers
                    .iter()
                    .all(|number| usize::from(*number) < MAX_TILES)
            );
            let mut rates = tiles.iter().filter_map(|tile| tile.fps);
            assert!(rates.all(|fps| fps.is_finite() && fps > 0.0));
        }
        Ok(ClientMessage::Ack { tile, seq }) => {
            assert!(usize::from(tile) < MAX_TILES);
            assert_eq!(
                rest,
                [&[0, tile as u8, 0, 0][..], &seq.to_be_bytes()].concat()
            );
        }
        Ok(ClientMessage::Ping(id)) => {
            let pong = ServerMessage::Pong { id }.to_json();
            assert_eq!(pong, format!(r#"{{"type":"pong","id":{id}}}"#));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Reads the request; `None` if hyper would not have read it either.
fn request(text: &[u8]) -> Option<Request<Full<Bytes>>> {
    let mut lines = text.split(|byte| *byte == b'\n');
    let mut first = lines.next()?.splitn(2, |byte| *byte == b' ');
    let method = Method::from_bytes(first.next()?).ok()?;
    let target = Uri::try_from(first.next()?).ok()?;
    let mut read = text.iter().position(|byte| *byte == b'\n')? + 1;
    let mut request = Request::new(Full::default());
    (*request.method_mut(), *request.uri_mut()) = (method, target);
    for line in lines {
        read += line.len() + 1;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        request.headers_mut().append(name, value);
    }
    let body = text.get(read..).unwrap_or_default();
    *request.body_mut() = Full::new(Bytes::copy_from_slice(body));
    Some(request)
}

async fn ask(how: u8, mut request: Request<Full<Bytes>>) {
    let (may_control, has_peer, is_remote) = (how & 1 > 0, how & 2 > 0, how & 4 > 0);
    let access = match how >> 3 & 3 {
        0 => ControlAccess::Closed,
        1 => ControlAccess::LocalOnly,
        _ => ControlAccess::Users,
    };
    if has_peer {
        let host = if is_remote {
            [192, 0, 2, 1]
        } else {
            [127, 0, 0, 1]
        };
        request.extensions_mut().insert(Peer::from((host, 1)));
    }
    let http = HttpOutlet::default();
    let manager = Manager::with_outlets(ManagerConfig::default(), [http.factory()]);
    let door = StreamSpec::fed("door".parse().expect("a name"));
    let _door = manager.start_fed(door).await.expect("it needs nothing");
    let watched = Arc::new(Watched::default());
    let configurator = Arc::clone(&watched) as Arc<dyn Configurator>;
    let config = ControlConfig::default();
    let control = ControlApi::new(manager, http, configurator, None, config);
    let policy = GatewayPolicy::new(Arc::new(Says(may_control))).with_access(access);
    let mut service = control.service(policy);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let Ok::<_, Infallible>(response) = service.call(request).await;

    let is_out_of_reach = match access {
        ControlAccess::Users => !may_control,
        ControlAccess::LocalOnly => !may_control || !has_peer || is_remote,
        ControlAccess::Closed => true,
    };
    let is_success = response.status().is_success();
    if is_out_of_reach {
        assert!(!watched.0.load(Ordering::Relaxed), "{method} {path}");
        let is_read = method == Method::GET || method == Method::HEAD;
        assert!(
            !is_success || is_read && is_public(&path),
            "{method} {path}"
        );
    }
    check(response).await;
}

fn is_public(path: &str) -> bool {
    matches!(path, "/api/v1/streams" | "/api/v1/events") || path.ends_with("/health")
}

/// Checks what holds for every answer.
async fn check(response: Response<ControlBody>) {
    let (parts, mut body) = response.into_parts();
    assert!(parts.status.as_u16() < 600 && parts.status != 500);
    for name in parts.headers.keys() {
        assert!(!name.as_str().starts_with("access-control-"));
    }
    assert_eq!(parts.headers["cache-control"], "no-store");
    assert_eq!(parts.headers["x-content-type-options"], "nosniff");
    let kind = parts.headers.get(CONTENT_TYPE).cloned();
    let mut text = Vec::new();
    // Events have no end.
    while let Ok(Some(Ok(frame))) = timeout(Duration::from_secs(1), body.frame()).await {
        text.extend(frame.into_data().unwrap_or_default());
    }
    let is_text = |byte: &u8| !byte.is_ascii_control() || *byte == b'\n';
    assert!(text.iter().all(is_text), "it steers a terminal");
    if !parts.status.is_success() && !text.is_empty() {
        assert_eq!(kind.expect("a kind"), "application/problem+json");
        let problem: Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(problem["status"], parts.status.as_u16());
        let detail = problem["detail"].as_str().expect("a text");
        assert!(!detail.is_empty() && !detail.contains(char::is_control));
    }
}

/// Lets everybody see everything, and says whether they may control it.
struct Says(bool);

#[async_trait]
impl Gate for Says {
    async fn decide(&self, inquiry: &Inquiry) -> Access {
        if self.0 || inquiry.action != Action::Control {
            return Access::Allow(Grant::default());
        }
        let mut refusal = Response::new(Bytes::from_static(b"no\n"));
        *refusal.status_mut() = http::StatusCode::FORBIDDEN;
        Access::deny(refusal)
    }
}

/// Notes whether it was read or changed.
#[derive(Default)]
struct Watched(AtomicBool);

impl Watched {
    fn stream(&self) -> ConfiguredStream {
        self.0.store(true, Ordering::Relaxed);
        ConfiguredStream::new(Map::new(), StreamOrigin::Api, "1")
    }
}

#[async_trait]
impl Configurator for Watched {
    fn stream(&self, name: &str) -> Option<ConfiguredStream> {
        (name == "door").then(|| self.stream())
    }

    async fn set(&self, edit: StreamEdit) -> Result<EditedStream, Error> {
        let stream = self.stream();
        assert!(!edit.keys.contains_key("name"));
        Ok(EditedStream::new(stream, edit.name.as_str() != "door"))
    }

    async fn remove(&self, _: StreamRemoval) -> Result<(), Error> {
        self.stream();
        Ok(())
    }

    async fn reload(&self, _: bool) -> Result<Reloaded, Error> {
        self.stream();
        Ok(Reloaded::default())
    }

    async fn shown(&self) -> Result<Value, Error> {
        self.stream();
        Ok(Value::Null)
    }
}
