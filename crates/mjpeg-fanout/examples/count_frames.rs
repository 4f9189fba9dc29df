//! One producer and two consumers without any network: a fast one that sees every frame, a slow one that skips.

use std::time::{Duration, SystemTime};

use mjpeg_codec::Frame;
use tokio::time::{Instant, sleep};

/// A grey picture of 8x8.
const JPEG: &[u8] = &[
    0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63,
    0, 0x2A, 0xFF, 0xD9,
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (producer, consumer) = mjpeg_fanout::channel();
    let pauses = [
        ("fast", Duration::ZERO),
        ("slow", Duration::from_millis(70)),
    ];
    let consumers = pauses.map(|(name, pause)| {
        let mut consumer = consumer.clone();
        tokio::spawn(async move {
            let mut taken = 0;
            while let Some(published) = consumer.next().await {
                taken += 1;
                println!(
                    "{name} took frame {}, {} bytes",
                    published.seq,
                    published.frame.bytes.len()
                );
                sleep(pause).await;
            }
            (name, taken)
        })
    });

    for _ in 0..20 {
        producer.publish(
            Frame::parse(JPEG)?,
            SystemTime::now(),
            Instant::now().into_std(),
        );
        sleep(Duration::from_millis(20)).await;
    }
    drop(producer);
    for task in consumers {
        let (name, taken) = task.await?;
        println!("{name} took {taken} of 20");
    }
    Ok(())
}
