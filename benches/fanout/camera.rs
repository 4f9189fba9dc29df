//! The camera: pictures of one size, at a fixed rate, to whoever connects.

use std::{io::Write, net::TcpStream, process::ExitCode, sync::Arc, thread};

use anyhow::{Context as _, Result, ensure};

use crate::fanout::{
    clock::{SECOND_NS, now_ns, sleep_until},
    exit,
    picture::{Pictures, Stamp},
    system::{LOOPBACK, listen},
};

xflags::xflags! {
    /// Sends JPEG pictures, one after another, to whoever connects. Prints its address.
    cmd camera {
        /// The length of each picture.
        required --bytes bytes: usize
        /// Pictures a second.
        required --fps fps: u64
        /// Leave a picture away that would come less than half an interval after the one before,
        /// because that was late.
        optional --even
    }
}

/// Runs the camera until it is killed.
pub fn main() -> ExitCode {
    exit(run(&Camera::from_env_or_exit()))
}

fn run(flags: &Camera) -> Result<()> {
    ensure!(flags.fps > 0, "--fps must be 1 at least");
    let pictures = Arc::new(Pictures::new(flags.bytes)?);
    let period_ns = SECOND_NS / flags.fps;
    let least_ns = if flags.even { period_ns / 2 } else { 0 };
    let (listener, addr) = listen(LOOPBACK)?;
    println!("{addr}");
    loop {
        let (stream, _) = listener.accept().context("accepting a connection")?;
        let pictures = Arc::clone(&pictures);
        // It ends when the peer does.
        thread::spawn(move || send(stream, &pictures, period_ns, least_ns));
    }
}

/// Sends until the peer has gone. Whatever the peer takes its time for, the schedule stays: a
/// picture whose time has passed when the one before it is out is left away, as in a camera, and
/// not numbered. So is one that would come less than `least_ns` after it.
fn send(mut stream: TcpStream, pictures: &Pictures, period_ns: u64, least_ns: u64) -> Result<()> {
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
        if due_ns < sent_ns + least_ns {
            due_ns += period_ns;
        }
    }
    Ok(())
}
