//! Command lines of mjpg-streamer.

mod options;

use anyhow::{Result, bail};

use self::options::{FILE_INPUT, HTTP_INPUT, HTTP_OUTPUT, PROGRAM, RASPICAM, SIZES, UVC};
use super::{
    command_line::{calls, words},
    crowsnest::rpicam,
    flags::{Flag, flags},
    found::{ForeignSource, FoundAddress, FoundCamera, FoundListen, Inventory, ViewerLogin},
    listens::{address, port},
    sources::{IF_MJPG, device, rate, size},
    uvc::{Webcam, is_true, turn},
};

/// Reads the command lines of a text.
///
/// # Errors
///
/// If there is none.
pub(super) fn read(text: &str, unit: Option<&str>) -> Result<Inventory> {
    let calls = calls(text, &["mjpg_streamer"]);
    if calls.is_empty() {
        bail!(
            "expected a command line: mjpg_streamer -i \"input_uvc.so -d /dev/video0\" \
             -o \"output_http.so -p 8080\""
        );
    }
    let mut found = Inventory::default();
    for args in &calls {
        call(args, unit.unwrap_or("camera"), &mut found);
    }
    Ok(found)
}

/// Adds the cameras of one call.
pub(super) fn call(args: &[String], name: &str, found: &mut Inventory) {
    let mut inputs = Vec::new();
    let mut outputs = Vec::new();
    for flag in flags(args, PROGRAM) {
        let value = flag.value.unwrap_or_default();
        match &*flag.name {
            "input" => inputs.push(value),
            "output" => outputs.push(value),
            _ if flag.is_known => {}
            name => found
                .notes
                .push(format!("mjpg_streamer -{name}: not known")),
        }
    }
    let ports = ports(&outputs, found);
    let first = found.cameras.len();
    for input in &inputs {
        if found.is_full() {
            break;
        }
        let place = format!(
            "mjpg_streamer, input {}",
            found.cameras.len() + found.lost.len() + 1
        );
        let mut camera = FoundCamera {
            name: name.into(),
            place,
            ..FoundCamera::default()
        };
        match read_input(&words(input), &mut camera) {
            Ok(()) => {
                camera.login = ports.iter().find_map(|port| port.login.clone());
                found.cameras.push(camera);
            }
            Err(why) => found.lose(camera.place, why),
        }
    }
    if inputs.is_empty() {
        found.lose("mjpg_streamer", "its command line has no -i with an input");
    }
    let count = found.cameras.len() - first;
    match (&*ports, count) {
        ([port], 1) if inputs.len() == 1 => found.cameras[first].listen = Some(port.at),
        (_, 0) => {}
        (ports, _) => found.listens.extend(ports.iter().map(|port| {
            let note = "?action=stream_0, stream_1 … count all streams of this file";
            FoundListen {
                at: FoundAddress::Tcp(port.at),
                default: Some(first),
                base_path: None,
                notes: if inputs.len() > 1 {
                    vec![note.into()]
                } else {
                    Vec::new()
                },
            }
        })),
    }
}

/// A port of the output over HTTP. No `Debug`: it may hold a password.
struct HttpPort {
    at: std::net::SocketAddr,
    login: Option<ViewerLogin>,
}

fn ports(outputs: &[String], found: &mut Inventory) -> Vec<HttpPort> {
    let mut ports = Vec::new();
    for output in outputs {
        let words = words(output);
        let plugin = words.first().map_or("", |plugin| plugin.as_str());
        if !plugin.contains("output_http") {
            let hint = match plugin.contains("output_file") {
                true => "; a time-lapse keeps pictures on the disk (docs/recordings.md)",
                false => "",
            };
            found.notes.push(format!("the output {plugin}{hint}"));
            continue;
        }
        let (mut host, mut number, mut login) = (None, 8080, None);
        for flag in flags(&words[1..], HTTP_OUTPUT) {
            let value = flag.value.unwrap_or_default();
            match &*flag.name {
                "port" => number = port(&value).unwrap_or(number),
                "listen" => host = Some(value),
                "credentials" => {
                    let (user, password) = value.split_once(':').unwrap_or((&value, ""));
                    login = Some(ViewerLogin::new(user, password));
                }
                "www" => found.notes.push(format!(
                    "output_http -w {value}: the relay has a page of its own; `page_dir` of a \
                     [[listen]] replaces it"
                )),
                "nocommands" => {}
                name => found
                    .notes
                    .push(format!("output_http -{name}: nothing here is the same")),
            }
        }
        let (at, note) = address(host.as_deref(), number);
        found.notes.extend(note);
        ports.push(HttpPort { at, login });
    }
    ports
}

fn read_input(words: &[String], camera: &mut FoundCamera) -> Result<(), String> {
    let plugin = words.first().map_or("", |plugin| plugin.as_str());
    let name = plugin.rsplit('/').next().unwrap_or_default();
    let options = words.get(1..).unwrap_or_default();
    match name.trim_end_matches(".so") {
        "input_uvc" | "input_opencv" => webcam(options, camera),
        "input_raspicam" => {
            raspicam(options, camera);
            Ok(())
        }
        "input_http" => {
            http(options, camera);
            Ok(())
        }
        "input_file" => file(options, camera),
        "input_testpicture" => {
            camera.source = ForeignSource::Url("test:".into());
            Ok(())
        }
        _ => Err(format!("the relay has nothing like the input {name}")),
    }
}

fn webcam(options: &[String], camera: &mut FoundCamera) -> Result<(), String> {
    let mut webcam = Webcam {
        device: Some("/dev/video0".into()),
        size: Some("size=640x480".into()),
        ..Webcam::default()
    };
    let mut is_raw = false;
    for flag in flags(options, UVC) {
        is_raw |= ["yuv", "uyvy", "fourcc"].contains(&&*flag.name);
        if !uvc_flag(&flag, &mut webcam, camera) {
            camera.notes.push(uvc_note(&flag));
        }
    }
    webcam.orient(camera);
    let path = webcam.device.as_deref().unwrap_or_default();
    camera.source = ForeignSource::Url(device(path, &webcam.options())?);
    if is_raw {
        camera
            .notes
            .push("-y: the relay takes the camera's format MJPG instead".into());
        camera.condition = Some(IF_MJPG.into());
    }
    Ok(())
}

/// Reads an option of a webcam. Returns whether it means something here.
fn uvc_flag(flag: &Flag, webcam: &mut Webcam, camera: &mut FoundCamera) -> bool {
    let value = flag.value.as_deref().unwrap_or_default();
    match &*flag.name {
        "device" => {
            webcam.device = Some(value.into());
            true
        }
        "resolution" => {
            let named = SIZES
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(value));
            webcam.size = size(named.map_or(value, |(_, size)| size));
            webcam.size.is_some()
        }
        "fps" => {
            webcam.fps = rate(value);
            webcam.fps.is_some()
        }
        "yuv" | "uyvy" | "fourcc" => true,
        "softfps" => rate(value).is_some_and(|fps| {
            camera.keys.push(("max_fps", fps.to_string()));
            true
        }),
        "rot" => turn(value).is_some_and(|turn| {
            webcam.rotate = turn;
            true
        }),
        "hf" => {
            webcam.is_mirrored = is_true(value);
            true
        }
        "vf" => {
            webcam.is_flipped = is_true(value);
            true
        }
        "brightness" | "contrast" | "sharpness" | "saturation" | "gain" => {
            webcam.control(&flag.name, value)
        }
        // What the relay does anyway.
        "no_dynctrl" | "timeout" | "minimum_size" => true,
        _ => false,
    }
}

fn uvc_note(flag: &Flag) -> String {
    let why = match &*flag.name {
        "quality" => "the relay passes on pictures as the camera has compressed them",
        "every_frame" => "`max_fps` limits what viewers get",
        "ex" | "wb" | "bk" | "pl" | "cb" | "cagc" | "br" => {
            "set it by the control's own name, which `mjpeg-server devices` shows"
        }
        "led" | "tvnorm" => "set it with v4l2-ctl",
        _ if !flag.is_known => "not known",
        _ => "the relay cannot use this value",
    };
    format!("input_uvc -{}: {why}", flag.name)
}

fn raspicam(options: &[String], camera: &mut FoundCamera) {
    let (mut width, mut height) = ("640".to_owned(), "480".to_owned());
    let mut webcam = Webcam {
        fps: Some(5),
        ..Webcam::default()
    };
    for flag in flags(options, RASPICAM) {
        let value = flag.value.unwrap_or_default();
        match &*flag.name {
            "x" => width = value,
            "y" => height = value,
            "fps" => webcam.fps = rate(&value).or(webcam.fps),
            "rot" => webcam.rotate = turn(&value).unwrap_or_default(),
            "hf" => webcam.is_mirrored = true,
            "vf" => webcam.is_flipped = true,
            name => camera
                .notes
                .push(format!("input_raspicam -{name}: see rpicam-vid --help")),
        }
    }
    webcam.size = size(&format!("{width}x{height}"));
    webcam.orient(camera);
    camera.source = rpicam(&webcam);
    camera
        .notes
        .push("rpicam-vid takes the pictures. Before Debian 12 it is called libcamera-vid".into());
}

fn http(options: &[String], camera: &mut FoundCamera) {
    let (mut host, mut port) = ("localhost".to_owned(), "8080".to_owned());
    let (mut path, mut login) = ("/?action=stream".to_owned(), String::new());
    for flag in flags(options, HTTP_INPUT) {
        let value = flag.value.unwrap_or_default();
        match &*flag.name {
            "host" => host = value,
            "port" => port = value,
            "request" => path = value,
            "credentials" => login = url_login(&value) + "@",
            "boundary" => {}
            name => camera.notes.push(format!("input_http -{name}: not known")),
        }
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    // A browser's name for the query would end the URL.
    let path = path.replace('#', "%23");
    camera.source = ForeignSource::Url(format!("http://{login}{host}:{port}{slash}{path}"));
}

/// A user name and a password as URLs have them.
fn url_login(value: &str) -> String {
    let encoded = |c: char| match c {
        '@' | '/' | '?' | '#' | '%' | '[' | ']' | '\\' | ' ' => format!("%{:02X}", u32::from(c)),
        c => c.to_string(),
    };
    value.chars().map(encoded).collect()
}

fn file(options: &[String], camera: &mut FoundCamera) -> Result<(), String> {
    let (mut folder, mut name) = (String::new(), None);
    for flag in flags(options, FILE_INPUT) {
        match &*flag.name {
            "folder" => folder = flag.value.unwrap_or_default(),
            "name" => name = flag.value,
            other => camera
                .notes
                .push(format!("input_file -{other}: nothing here is the same")),
        }
    }
    let name = name.ok_or(
        "it shows all pictures of a folder. The relay shows one file that a program replaces \
         (file:///path), or pictures that a program sends (docs/push.md)",
    )?;
    let path = format!("{}/{name}", folder.trim_end_matches('/'));
    let encoded = path
        .replace('%', "%25")
        .replace('?', "%3F")
        .replace('#', "%23");
    camera.source = ForeignSource::Url(format!("file://{encoded}"));
    Ok(())
}
