//! Writes three seconds of the test picture as concatenated JPEG frames.
//!
//! `cargo run --example test_picture -- [FILE]`; players open the file as `.mjpeg`.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use mjpeg_picture::TestPicture;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).map_or_else(
        || std::env::temp_dir().join("test_picture.mjpeg"),
        PathBuf::from,
    );
    let picture = TestPicture::new("front door", 640, 480)?;
    let start = SystemTime::now();

    let mut file = BufWriter::new(File::create(&path)?);
    let mut total_bytes = 0;
    for frame_number in 0..FRAMES {
        let wall = start + Duration::from_secs(1) * frame_number / FRAMES_PER_SECOND;
        let jpeg = picture.render(frame_number.into(), wall);
        file.write_all(&jpeg)?;
        total_bytes += jpeg.len();
    }
    file.flush()?;

    eprintln!(
        "wrote {FRAMES} frames, {total_bytes} bytes, to {}",
        path.display()
    );
    Ok(())
}

const FRAMES_PER_SECOND: u32 = 15;
const FRAMES: u32 = 3 * FRAMES_PER_SECOND;
