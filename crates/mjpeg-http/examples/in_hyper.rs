//! Mounts a stream in a plain hyper server and reads it with a client.
//!
//! ```text
//! cargo run -p mjpeg-http --example in_hyper
//! ```

use std::{
    error::Error,
    time::{Duration, SystemTime},
};

use http::{Request, Response};
use http_body_util::{Either, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use mjpeg_codec::{Frame, Stamp};
use mjpeg_http::{StreamConfig, StreamService};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};

/// A test picture of 160x120.
const JPEG: &[u8] = include_bytes!("picture.jpg");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (producer, consumer) = mjpeg_fanout::channel();
    let stream = StreamService::new(consumer, StreamConfig::default());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let server = async {
        loop {
            let (socket, _) = listener.accept().await?;
            let stream = stream.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let stream = stream.clone();
                async move {
                    // The stream keeps its usual URLs; `/about` is our own.
                    if request.uri().path() == "/about" {
                        let about = Full::from("A relay of our own.\n");
                        return Ok(Response::new(Either::Left(about)));
                    }
                    let response = hyper::service::Service::call(&stream, request).await;
                    response.map(|response| response.map(Either::Right))
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        }
    };
    let camera = async {
        loop {
            let now = Instant::now().into_std();
            producer.publish(Frame::parse(JPEG)?, Stamp::new(SystemTime::now(), now));
            sleep(Duration::from_millis(100)).await;
        }
    };
    let client = async {
        for path in ["/about", "/snapshot", "/stream"] {
            let mut socket = TcpStream::connect(addr).await?;
            let asked = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
            socket.write_all(asked.as_bytes()).await?;
            let mut received = Vec::new();
            // The stream never ends, so read it for half a second.
            let reading = socket.read_to_end(&mut received);
            let _ = timeout(Duration::from_millis(500), reading).await;
            println!("{path}: {} bytes", received.len());
        }
        Ok::<_, Box<dyn Error>>(())
    };
    tokio::select! {
        ended = server => ended,
        ended = camera => ended,
        done = client => done,
    }
}
