//! Embeds the relay in a program: a made-up camera, one stream, ten of its frames, a clean end.
//!
//! ```text
//! cargo run -p mjpeg-server --example embed
//! ```
//!
//! A program with real cameras makes its specs with
//! `StreamSpec::parse("garage", "tcp://192.168.1.100:6001")`.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Context, Result};
use mjpeg_server::{
    Relay,
    mjpeg_manager::{ManagerConfig, StreamSpec},
};
use tokio::time::timeout;

#[tokio::main]
async fn main() -> Result<()> {
    let spec = StreamSpec::parse(NAME, "test:?name=garden")?
        // Port 0 takes a free port; the URL tells which.
        .with_listen((Ipv4Addr::LOCALHOST, 0).into());
    let relay = Relay::start([spec], ManagerConfig::default()).await?;
    for url in relay.urls() {
        println!("viewers open {url}");
    }

    // The program itself takes frames beside the viewers, without HTTP.
    let mut frames = relay.manager().subscribe(NAME)?;
    for _ in 0..10 {
        let published = timeout(Duration::from_secs(5), frames.next())
            .await
            .context("the camera sent no frame within 5 s")?
            .context("the stream was stopped")?;
        println!(
            "frame {}: {} bytes",
            published.seq,
            published.frame.bytes().len()
        );
    }

    let stream = relay.manager().get(NAME)?;
    if let Some((width, height)) = stream.size {
        println!("{NAME}: {width}x{height}, {:.1} fps", stream.fps);
    }
    let report = relay.shutdown().await;
    println!("streams stopped: {}", report.stopped);
    Ok(())
}

const NAME: &str = "garden";
