//! How each program is made to read a stream, and to leave behind what it saw.

use std::fs;
use std::process::Command;

use anyhow::Result;

use super::Session;

/// Hands on each packet as a file, and decodes each picture: what it complains about then is a fault too.
pub(super) fn ffmpeg(session: &Session, input: &[&str]) -> Result<Command> {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-hide_banner", "-loglevel", "error", "-nostdin"])
        .args(input)
        .args(["-i", &session.url])
        .args(["-map", "0:v", "-c", "copy", "-f", "image2"])
        .arg(session.folder.join("%03d.jpg"))
        .args(["-map", "0:v", "-vsync", "passthrough", "-f", "null", "-"]);
    Ok(command)
}

pub(super) fn ffprobe(session: &Session, input: &[&str]) -> Result<Command> {
    let mut command = Command::new("ffprobe");
    command
        .args(["-hide_banner", "-loglevel", "error"])
        .args(input)
        .args(["-show_packets", "-show_data", "-of", "json", &session.url]);
    Ok(command)
}

pub(super) fn vlc(session: &Session) -> Result<Command> {
    // It refuses to run as root.
    let mut command = if session.root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "vlc"]);
        command
    } else {
        Command::new("vlc")
    };
    command
        .env("HOME", &session.folder)
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
        .arg(format!("--scene-path={}", session.folder.display()))
        .args(["--scene-prefix=", &session.url, "vlc://quit"]);
    Ok(command)
}

pub(super) fn gstreamer(session: &Session) -> Result<Command> {
    let mut command = Command::new("gst-launch-1.0");
    command
        .env("HOME", &session.folder)
        .args(["--quiet", "souphttpsrc"])
        .arg(format!("location={}", session.url))
        .args(["!", "multipartdemux", "!", "multifilesink"])
        .arg(format!(
            "location={}",
            session.folder.join("%05d.jpg").display()
        ));
    Ok(command)
}

pub(super) fn curl(session: &Session) -> Result<Command> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--no-buffer", "--output"]);
    command.arg(session.folder.join("body")).arg(&session.url);
    Ok(command)
}

/// A Python script that takes the URL and a folder for what it sees.
pub(super) fn script(session: &Session, text: &str) -> Result<Command> {
    let file = session.folder.join("viewer.py");
    fs::write(&file, text)?;
    let mut command = Command::new(&session.python);
    command.arg(file).arg(&session.url).arg(&session.folder);
    Ok(command)
}
