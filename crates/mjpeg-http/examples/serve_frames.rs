//! Serves a still picture as a stream.
//!
//! ```text
//! cargo run -p mjpeg-http --example serve_frames -- [ADDR:PORT] [SECONDS]
//! ```
//!
//! Open the printed URL in a browser. By default it listens on a free loopback port and ends after
//! one second.

use std::{
    env,
    error::Error,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use mjpeg_codec::{Frame, Stamp};
use mjpeg_http::{Listener, ListenerConfig, StreamConfig, StreamService};
use tokio::time::{Instant, sleep};

/// A test picture of 160x120.
const JPEG: &[u8] = include_bytes!("picture.jpg");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let addr: SocketAddr = args.next().as_deref().unwrap_or("127.0.0.1:0").parse()?;
    let seconds: u64 = args.next().as_deref().unwrap_or("1").parse()?;

    let (producer, consumer) = mjpeg_fanout::channel();
    let listener = Listener::bind(addr, ListenerConfig::default())?;
    println!("http://{}/ for {seconds} s", listener.address());
    let service = StreamService::new(consumer, StreamConfig::default());
    let serving =
        tokio::spawn(listener.serve(service.clone(), sleep(Duration::from_secs(seconds))));
    while !serving.is_finished() {
        producer.publish(
            Frame::parse(JPEG)?,
            Stamp::new(SystemTime::now(), Instant::now().into_std()),
        );
        sleep(Duration::from_millis(100)).await;
    }
    service.drain(Duration::from_secs(1)).await;
    println!("{:?}", service.stats());
    Ok(())
}
