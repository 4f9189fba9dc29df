//! crowsnest.conf.

use super::{
    command_line::words,
    found::{ForeignSource, FoundCamera, Inventory},
    listens::{address, port},
    sources::{IF_MJPG, device, rate, size},
    ustreamer,
    uvc::{Webcam, is_true},
};

/// Reads a configuration.
pub(super) fn read(text: &str) -> Inventory {
    let mut found = Inventory::default();
    let sections = sections(text);
    let global = sections.iter().find(|section| section.name == "crowsnest");
    let is_open = global.is_some_and(|section| section.is_true("no_proxy"));
    for section in &sections {
        let Some(cam) = section.name.strip_prefix("cam ") else {
            if section.name != "crowsnest" {
                let note = format!("the section [{}] is not known", section.name);
                found.notes.push(note);
            }
            continue;
        };
        if found.is_full() {
            break;
        }
        match camera(section, cam.trim(), is_open) {
            Ok(camera) => found.cameras.push(camera),
            Err(why) => found.lose(format!("[{}]", section.name), why),
        }
    }
    if let Some(global) = global {
        for (key, _) in &global.keys {
            if key != "no_proxy" {
                found.notes.push(format!(
                    "[crowsnest] {key}: docs/logs.md says how the relay logs"
                ));
            }
        }
    }
    found
}

/// A section with its keys, in their order. No `Debug`: values may hold passwords.
struct IniSection {
    name: String,
    keys: Vec<(String, String)>,
}

impl IniSection {
    /// The value of a key; none if it is empty.
    fn value(&self, key: &str) -> Option<&str> {
        let known = self.keys.iter().rfind(|(name, _)| name == key);
        known
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    fn is_true(&self, key: &str) -> bool {
        self.value(key).is_some_and(is_true)
    }
}

fn sections(text: &str) -> Vec<IniSection> {
    let mut sections: Vec<IniSection> = Vec::new();
    for line in text.lines() {
        let line = without_comment(line).trim();
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            sections.push(IniSection {
                name: name.trim().into(),
                keys: Vec::new(),
            });
        } else if let Some((key, value)) = line.split_once([':', '='])
            && let Some(section) = sections.last_mut()
        {
            let key = key.trim().to_ascii_lowercase();
            section.keys.push((key, value.trim().into()));
        }
    }
    sections
}

/// A line up to a `#` or `;` that begins it or follows a blank.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if "#;".contains(c) && before.is_whitespace() {
            return &line[..at];
        }
        before = c;
    }
    line
}

fn camera(section: &IniSection, name: &str, is_open: bool) -> Result<FoundCamera, String> {
    let is_number = name.chars().all(|c| c.is_ascii_digit());
    let mut camera = FoundCamera {
        name: if is_number {
            format!("cam{name}")
        } else {
            name.into()
        },
        place: format!("[{}]", section.name),
        ..FoundCamera::default()
    };
    let mut webcam = Webcam {
        device: section.value("device").map(Into::into),
        ..Webcam::default()
    };
    // crowsnest stands behind a web server on the same machine, unless it is told otherwise.
    let is_open = is_open || section.is_true("no_proxy");
    let host = if is_open { "" } else { "localhost" };
    match section.value("port").map(port) {
        Some(Some(port)) => camera.listen = Some(address(Some(host), port).0),
        Some(None) => camera.notes.push("port: this is no port".into()),
        None => {}
    }
    pictures(section, &mut webcam, &mut camera);
    let flags = words(section.value("custom_flags").unwrap_or_default());
    let mode = section.value("mode").unwrap_or("ustreamer");
    let format = match mode {
        "ustreamer" | "mjpg" | "multi" => ustreamer::apply(&flags, &mut webcam, &mut camera).format,
        _ if flags.is_empty() => None,
        _ => {
            camera
                .notes
                .push(format!("custom_flags: they are for {mode}"));
            None
        }
    };
    source(&webcam, format.as_deref(), &mut camera)?;
    if mode != "ustreamer" {
        let note = format!("mode: {mode}: M-JPEG is served, and nothing else of it (WebRTC, RTSP)");
        camera.notes.push(note);
    }
    Ok(camera)
}

fn pictures(section: &IniSection, webcam: &mut Webcam, camera: &mut FoundCamera) {
    for (key, value) in section.keys.iter().filter(|(_, value)| !value.is_empty()) {
        match &**key {
            "resolution" => {
                webcam.size = size(value);
                if webcam.size.is_none() {
                    camera.notes.push(format!("resolution: {value} is no size"));
                }
            }
            "max_fps" => {
                webcam.fps = rate(value);
                if webcam.fps.is_none() {
                    camera.notes.push(format!("max_fps: {value} is no rate"));
                }
            }
            "v4l2ctl" => {
                for pair in value.split(',') {
                    let set = pair.split_once('=');
                    if !set.is_some_and(|(name, value)| webcam.control(name.trim(), value)) {
                        camera.notes.push(format!("v4l2ctl: {}", pair.trim()));
                    }
                }
            }
            "enable_rtsp" if is_true(value) => {
                camera
                    .notes
                    .push("enable_rtsp: the relay serves no RTSP".into());
            }
            "mode" | "port" | "device" | "custom_flags" | "no_proxy" | "enable_rtsp"
            | "rtsp_port" => {}
            _ => camera.notes.push(format!("{key}: not known")),
        }
    }
}

/// Sets the source of a webcam, or of a camera of the Raspberry Pi.
fn source(webcam: &Webcam, format: Option<&str>, camera: &mut FoundCamera) -> Result<(), String> {
    let path = webcam.device.as_deref().ok_or("it has no device")?;
    if path.starts_with("/base/") {
        camera.source = rpicam(webcam);
        camera.notes.push(
            "rpicam-vid reads the first camera of the machine; --camera N chooses another one. \
             Before Debian 12 it is called libcamera-vid"
                .into(),
        );
        return Ok(());
    }
    camera.source = ForeignSource::Url(device(path, &webcam.options())?);
    let is_jpeg = format.is_some_and(|format| ["MJPEG", "JPEG"].contains(&format));
    if !is_jpeg {
        camera.condition = Some(IF_MJPG.into());
    }
    if !webcam.controls.is_empty() {
        let note = "a control that the camera does not have is an error here";
        camera.notes.push(note.into());
    }
    Ok(())
}

/// A program that writes the pictures of a camera that libcamera has.
pub(super) fn rpicam(webcam: &Webcam) -> ForeignSource {
    let mut command: Vec<String> = ["rpicam-vid", "-n", "-t", "0", "--codec", "mjpeg"]
        .map(Into::into)
        .into();
    let size = webcam
        .size
        .as_deref()
        .and_then(|size| size.strip_prefix("size="));
    if let Some((width, height)) = size.and_then(|size| size.split_once('x')) {
        command.extend(["--width", width, "--height", height].map(Into::into));
    }
    if let Some(fps) = webcam.fps {
        command.extend(["--framerate".into(), fps.to_string()]);
    }
    command.extend(["-o", "-"].map(Into::into));
    ForeignSource::Command(command)
}
