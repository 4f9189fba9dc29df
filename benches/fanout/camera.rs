//! The camera. It sends pictures of one size at a fixed rate to each connection.

use std::{io::Write, net::TcpStream, process::ExitCode, sync::Arc, thread};

use anyhow::{Context as _, Result, ensure};
use kit::program;

use crate::fanout::{
    clock::{SECOND_NS, now_ns, sleep_until},
    picture::{Pictures, Stamp},
    system::{LOOPBACK, listen},
};

xflags::xflags! {
    /// Sends JPEG pictures at a fixed rate to each connection. Prints its address.
    cmd camera {
        /// The length of each picture.
        required --bytes bytes: usize
        /// Pictures per second.
        required --fps fps: u64
        /// Skip a picture that would follow a late one within half an interval.
        optional --even
    }
}

/// Runs the camera until it is killed.
pub fn main() -> ExitCode {
    program::exit(run(&Camera::from_env_or_exit()).map(|()| true))
}

fn run(flags: &Camera) -> Result<()> {
    ensure!(flags.fps > 0, "--fps must be at least 1");
    let pictures = Arc::new(Pictures::new(flags.bytes)?);
    let period_ns = SECOND_NS / flags.fps;
    let min_gap_ns = if flags.even { period_ns / 2 } else { 0 };
    let (listener, addr) = listen(LOOPBACK)?;
    println!("{addr}");
    loop {
        let (stream, _) = listener.accept().context("accepting a connection")?;
        let pictures = Arc::clone(&pictures);
        // The thread ends when the peer disconnects.
        thread::spawn(move || send(stream, &pictures, period_ns, min_gap_ns));
    }
}

/// Sends until the peer disconnects. A slow peer does not change the schedule. As in a camera, a
/// picture is skipped, and not numbered, if its time has passed when the previous one has been
/// written, or if it would follow that one within `min_gap_ns`.
fn send(mut stream: TcpStream, pictures: &Pictures, period_ns: u64, min_gap_ns: u64) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut picture = Vec::with_capacity(pictures.len());
    let mut due_ns = now_ns();
    for number in 1.. {
        picture.clear();
        picture.extend_from_slice(&pictures.followed(number)[..pictures.len()]);
        sleep_until(due_ns)?;
        let sent_ns = now_ns();
        Stamp { number, sent_ns }.write(&mut picture);
        stream.write_all(&picture)?;
        due_ns += period_ns;
        let late = now_ns().saturating_sub(due_ns);
        due_ns += late / period_ns * period_ns;
        if due_ns < sent_ns + min_gap_ns {
            due_ns += period_ns;
        }
    }
    Ok(())
}
