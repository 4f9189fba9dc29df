//! The command of each viewer. It reads a stream and leaves behind what it saw.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::setting::Launch;

/// Writes each packet to a file, and decodes each picture because the decoder's complaints count as
/// faults too.
pub(super) fn ffmpeg(launch: &Launch<'_>, input: &[&str]) -> Result<Command> {
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

pub(super) fn ffprobe(launch: &Launch<'_>, input: &[&str]) -> Result<Command> {
    let mut command = Command::new("ffprobe");
    command
        .args(["-hide_banner", "-loglevel", "error"])
        .args(input)
        .args(["-show_packets", "-show_data", "-of", "json", &launch.url]);
    Ok(command)
}

pub(super) fn vlc(launch: &Launch<'_>) -> Result<Command> {
    // VLC refuses to run as root.
    let mut command = if launch.machine.is_root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "vlc"]);
        command
    } else {
        Command::new("vlc")
    };
    command
        .env("HOME", &launch.folder)
        .args(["--intf=dummy", "--vout=dummy", "--no-audio"])
        .args(["--demux=mjpeg", "--no-drop-late-frames"])
        .args(["--no-skip-frames", "--play-and-exit"])
        .args(["--video-filter=scene", "--scene-ratio=1"])
        .args(["--scene-format=jpg", "--scene-prefix="])
        .arg(format!("--scene-path={}", launch.folder.display()))
        .args([&launch.url, "vlc://quit"]);
    Ok(command)
}

pub(super) fn gstreamer(launch: &Launch<'_>) -> Result<Command> {
    let files = launch.folder.join("%05d.jpg");
    let mut command = Command::new("gst-launch-1.0");
    command
        .env("HOME", &launch.folder)
        .args(["--quiet", "souphttpsrc"])
        .arg(format!("location={}", launch.url))
        .args(["!", "multipartdemux", "!", "multifilesink"])
        .arg(format!("location={}", files.display()));
    Ok(command)
}

pub(super) fn curl(launch: &Launch<'_>) -> Result<Command> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--no-buffer", "--output"]);
    command.arg(launch.folder.join("body")).arg(&launch.url);
    Ok(command)
}

/// Runs a Python script with the URL and a folder for the pictures that it sees.
pub(super) fn script(launch: &Launch<'_>, text: &str) -> Result<Command> {
    let file = launch.folder.join("viewer.py");
    fs::write(&file, text)?;
    let mut command = Command::new(&launch.machine.python);
    command.arg(file).arg(&launch.url).arg(&launch.folder);
    Ok(command)
}
