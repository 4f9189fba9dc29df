//! Mounts streams in an axum app: they are looked up by name at run time, a gate protects one.
//!
//! ```text
//! cargo run -p mjpeg-http --example in_axum -- [ADDR:PORT] [SECONDS]
//! ```
//!
//! Open the printed URL in a browser and log in as `alice` with the password `secret`. By default
//! it listens on a free loopback port and ends after one second.

use std::{
    collections::HashMap,
    env,
    error::Error,
    net::SocketAddr,
    sync::{Arc, RwLock},
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    extract::{ConnectInfo, Path, Request, State},
    response::{Html, IntoResponse, Response},
    routing::{any, get},
};
use http::{StatusCode, header};
use mjpeg_codec::{Frame, Stamp};
use mjpeg_http::{Access, Gate, Grant, Inquiry, Peer, StreamService};
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};

const PAGE: &str = r#"<h1>Two cameras</h1>
<img src="/cameras/door/stream"> <img src="/cameras/yard/stream">"#;

/// A test picture of 160x120.
const JPEG: &[u8] = include_bytes!("picture.jpg");

/// The streams by name. They may change while the app runs.
type Cameras = Arc<RwLock<HashMap<String, StreamService>>>;

/// Admits everybody to every stream but `yard`, which needs a password.
struct YardNeedsPassword;

#[async_trait::async_trait]
impl Gate for YardNeedsPassword {
    async fn decide(&self, inquiry: &Inquiry) -> Access {
        if inquiry.stream.as_deref() != Some("yard") {
            return Access::Allow(Grant::default());
        }
        // Basic authentication: "alice:secret" in base64.
        match inquiry.headers.get(header::AUTHORIZATION) {
            Some(value) if value == "Basic YWxpY2U6c2VjcmV0" => {
                Access::Allow(Grant::default().with_identity("alice"))
            }
            _ => Access::deny(
                Response::builder()
                    .status(StatusCode::UNAUTHORIZED)
                    .header(header::WWW_AUTHENTICATE, "Basic realm=\"cameras\"")
                    .body("Log in first.\n".into())
                    .expect("valid header values"),
            ),
        }
    }
}

/// Passes a request on to the stream of this name. The app has removed `/cameras/NAME` from its
/// path.
async fn camera(
    State(cameras): State<Cameras>,
    Path(name): Path<String>,
    ConnectInfo(addr): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    let stream = cameras.read().ok().and_then(|all| all.get(&name).cloned());
    let Some(stream) = stream else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // Without it, gates see no address and limits per address do not apply.
    request.extensions_mut().insert(Peer::from(addr));
    let response = hyper::service::Service::call(&stream, request).await;
    response.into_response()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let addr = args.next().unwrap_or_else(|| "127.0.0.1:0".into());
    let seconds = args.next().as_deref().unwrap_or("1").parse()?;

    let (producer, consumer) = mjpeg_fanout::channel();
    let gate = Arc::new(YardNeedsPassword);
    let streams = ["door", "yard"].map(|name| {
        let builder = StreamService::builder(consumer.clone()).name(name);
        (name.to_owned(), builder.gate(gate.clone()).build())
    });
    let cameras: Cameras = Arc::new(RwLock::new(streams.clone().into()));
    // /cameras/door/stream, /cameras/yard/snapshot, …
    let app = Router::new()
        .route("/", get(async || Html(PAGE)))
        .nest_service("/cameras/{name}", any(camera).with_state(cameras))
        .into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind(addr).await?;
    println!("http://{}/ for {seconds} s", listener.local_addr()?);
    // A stream never ends by itself, so a graceful shutdown of the app needs this.
    let ending = async move {
        sleep(Duration::from_secs(seconds)).await;
        for (_, stream) in &streams {
            stream.close();
        }
    };
    let serving = tokio::spawn(async {
        axum::serve(listener, app)
            .with_graceful_shutdown(ending)
            .await
    });

    while !serving.is_finished() {
        let now = Instant::now().into_std();
        producer.publish(Frame::parse(JPEG)?, Stamp::new(SystemTime::now(), now));
        sleep(Duration::from_millis(100)).await;
    }
    Ok(serving.await??)
}
