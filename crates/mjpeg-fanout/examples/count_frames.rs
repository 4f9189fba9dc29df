//! A fan-out without any network: one consumer counts frames and saves every hundredth, another is slow and skips.
//!
//! ```text
//! cargo run -p mjpeg-fanout --example count_frames -- [FOLDER]
//! ```
//!
//! Without a folder nothing is saved.

use std::{
    env,
    error::Error,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use mjpeg_codec::{Frame, Stamp};
use mjpeg_fanout::Consumer;
use tokio::time::{Instant, sleep};

/// A grey picture of 8x8.
const JPEG: &[u8] = &[
    0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63,
    0, 0x2A, 0xFF, 0xD9,
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let (producer, consumer) = mjpeg_fanout::channel();
    let slow = tokio::spawn(take_slowly(consumer.clone()));
    let saving = tokio::spawn(count_and_save(consumer, folder));
    for _ in 0..400 {
        let now = Instant::now().into_std();
        producer.publish(Frame::parse(JPEG)?, Stamp::new(SystemTime::now(), now));
        sleep(Duration::from_millis(2)).await;
    }
    drop(producer);
    println!("counted {} of 400", saving.await??);
    println!("the slow one took {}", slow.await?);
    Ok(())
}

async fn count_and_save(mut frames: Consumer, folder: Option<PathBuf>) -> std::io::Result<u32> {
    let mut count = 0;
    while let Some(published) = frames.next().await {
        count += 1;
        if published.seq % 100 == 0
            && let Some(folder) = &folder
        {
            let file = folder.join(format!("{:06}.jpg", published.seq));
            std::fs::write(&file, published.frame.bytes())?;
            println!("saved {}", file.display());
        }
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
