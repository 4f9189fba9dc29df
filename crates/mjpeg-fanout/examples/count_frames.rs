//! A fan-out without a network: one consumer is slow and skips frames, a recorder takes every frame
//! and saves every hundredth.
//!
//! ```text
//! cargo run -p mjpeg-fanout --example count_frames -- [FOLDER]
//! ```
//!
//! Without a folder nothing is saved.

use std::{env, error::Error, path::PathBuf, time::Duration};

use mjpeg_codec::Frame;
use mjpeg_fanout::{Consumer, Recorder, RecorderConfig};
use tokio::time::sleep;

/// A grey picture of 8x8.
const JPEG: &[u8] = &[
    0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63,
    0, 0x2A, 0xFF, 0xD9,
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let (producer, consumer) = mjpeg_fanout::channel();
    let slow = tokio::spawn(take_slowly(consumer));
    let saving = tokio::spawn(save(producer.record(RecorderConfig::default()), folder));
    for _ in 0..400 {
        producer.publish_now(Frame::parse(JPEG)?);
        sleep(Duration::from_millis(2)).await;
    }
    drop(producer);
    println!("recorded {} of 400", saving.await??);
    println!("the slow consumer took {}", slow.await?);
    Ok(())
}

async fn save(mut recorder: Recorder, folder: Option<PathBuf>) -> std::io::Result<u32> {
    let mut count = 0;
    while let Some(published) = recorder.next().await {
        count += 1;
        if published.seq % 100 == 0
            && let Some(folder) = &folder
        {
            let file = folder.join(format!("{:06}.jpg", published.seq));
            std::fs::write(&file, published.frame.bytes())?;
            println!("saved {}", file.display());
        }
    }
    if recorder.lost() > 0 {
        println!("lost {}", recorder.lost());
    }
    Ok(count)
}

async fn take_slowly(mut frames: Consumer) -> u32 {
    let mut taken = 0;
    while frames.next().await.is_some() {
        taken += 1;
        sleep(Duration::from_millis(70)).await;
    }
    taken
}
