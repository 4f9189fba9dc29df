//! The command of each viewer: it reads a stream and leaves behind what it saw.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::launch::Launch;

/// Writes each packet to a file and decodes each picture; a complaint of the decoder is a fault
/// too.
pub(super) fn ffmpeg(launch: &Launch, input: &[&str]) -> Result<Command> {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-hide_banner", "-loglevel", "error", "-nostdin"])
        .args(input)
        .args(["-i", &launch.url])
        .args(["-map", "0:v", "-c", "copy", "-f", "image2"])
        .arg(launch.folder.join("%03d.jpg"))
        .args(["-map", "0:v", "-vsync", "passthrough", "-f", "null", "-"]);
    Ok(command)
}

pub(super) fn ffprobe(launch: &Launch, input: &[&str]) -> Result<Command> {
    let mut command = Command::new("ffprobe");
    command
        .args(["-hide_banner", "-loglevel", "error"])
        .args(input)
        .args(["-show_packets", "-show_data", "-of", "json", &launch.url]);
    Ok(command)
}

pub(super) fn vlc(launch: &Launch) -> Result<Command> {
    // It refuses to run as root.
    let mut command = if launch.root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "vlc"]);
        command
    } else {
        Command::new("vlc")
    };
    command
        .env("HOME", &launch.folder)
        .args([
            "--intf=dummy",
            "--no-audio",
            "--vout=dummy",
            "--demux=mjpeg",
        ])
        .args([
            "--no-drop-late-frames",
            "--no-skip-frames",
            "--play-and-exit",
        ])
        .args([
            "--video-filter=scene",
            "--scene-ratio=1",
            "--scene-format=jpg",
        ])
        .arg(format!("--scene-path={}", launch.folder.display()))
        .args(["--scene-prefix=", &launch.url, "vlc://quit"]);
    Ok(command)
}

pub(super) fn gstreamer(launch: &Launch) -> Result<Command> {
    let mut command = Command::new("gst-launch-1.0");
    command
        .env("HOME", &launch.folder)
        .args(["--quiet", "souphttpsrc"])
        .arg(format!("location={}", launch.url))
        .args(["!", "multipartdemux", "!", "multifilesink"])
        .arg(format!(
            "location={}",
            launch.folder.join("%05d.jpg").display()
        ));
    Ok(command)
}

pub(super) fn curl(launch: &Launch) -> Result<Command> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--no-buffer", "--output"]);
    command.arg(launch.folder.join("body")).arg(&launch.url);
    Ok(command)
}

/// A Python script that takes the URL and a folder for what it sees.
pub(super) fn script(launch: &Launch, text: &str) -> Result<Command> {
    let file = launch.folder.join("viewer.py");
    fs::write(&file, text)?;
    let mut command = Command::new(&launch.python);
    command.arg(file).arg(&launch.url).arg(&launch.folder);
    Ok(command)
}
