//! A stream mounted in an axum app, beside a page of its own.
//!
//! ```text
//! cargo run -p mjpeg-http --example in_axum -- [ADDR:PORT] [SECONDS]
//! ```
//!
//! Open the printed URL in a browser. Without arguments it takes a free port of this machine and ends after one second.

use std::{
    env,
    error::Error,
    time::{Duration, SystemTime},
};

use axum::{Router, response::Html, routing::get};
use mjpeg_codec::{Frame, Stamp};
use mjpeg_http::{HttpConfig, StreamService};
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};

const PAGE: &str = r#"<h1>The camera</h1><img src="/camera/stream">"#;

/// A test picture of 160x120.
const JPEG: &[u8] = include_bytes!("picture.jpg");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let addr = args.next().unwrap_or_else(|| "127.0.0.1:0".into());
    let seconds = args.next().as_deref().unwrap_or("1").parse()?;

    let (producer, consumer) = mjpeg_fanout::channel();
    let stream = StreamService::new(consumer, HttpConfig::default());
    // All its URLs are there: /camera/stream, /camera/snapshot, …
    let app = Router::new()
        .route("/", get(async || Html(PAGE)))
        .nest_service("/camera", stream.clone());
    let listener = TcpListener::bind(addr).await?;
    println!("http://{}/ for {seconds} s", listener.local_addr()?);
    // A stream never ends by itself, so the app's graceful end needs this.
    let ending = async move {
        sleep(Duration::from_secs(seconds)).await;
        stream.close();
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
