//! Reads a camera for a while and prints what happens.
//!
//! ```text
//! cargo run -p mjpeg-ingest --example watch_camera -- tcp://192.168.1.100:6001 60
//! ```
//!
//! The second argument is a time in seconds. Without arguments it watches a closed port of this
//! machine for two seconds, which shows what a camera that is off looks like.

use std::{env, error::Error, time::Duration};

use mjpeg_ingest::{Event, Ingest, IngestConfig, Source};
use tokio::time::timeout;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let source: Source = args
        .next()
        .as_deref()
        .unwrap_or("tcp://127.0.0.1:9")
        .parse()?;
    let seconds = args.next().as_deref().unwrap_or("2").parse()?;

    println!("watching {source} for {seconds} s");
    let mut camera = Ingest::new(source, IngestConfig::default());
    let watching = async {
        while let Some(event) = camera.next().await {
            match event {
                Event::Connecting => println!("connecting"),
                Event::Online { peer } => println!("connected to {peer}"),
                Event::Frame(captured) => {
                    let frame = captured.frame;
                    println!(
                        "frame {}x{}, {} bytes",
                        frame.width(),
                        frame.height(),
                        frame.bytes().len()
                    );
                }
                Event::Discarded { reason, bytes } => println!("{bytes} bytes discarded: {reason}"),
                Event::Offline { error, retry_in } => {
                    println!("offline: {}; next attempt in {retry_in:?}", error.chain())
                }
                _ => {}
            }
        }
    };
    // The timeout is the normal end.
    let _ = timeout(Duration::from_secs(seconds), watching).await;
    Ok(())
}
