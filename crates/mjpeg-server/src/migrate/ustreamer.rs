//! Command lines of ustreamer.

use anyhow::{Result, bail};

use super::{
    command_line::calls,
    flags::{Flag, KnownFlag, flags},
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
    let calls = calls(text, &["ustreamer", "ustreamer.bin"]);
    if calls.is_empty() {
        bail!("expected a command line: ustreamer --device /dev/video0 --port 8080 …");
    }
    let mut found = Inventory::default();
    for args in &calls {
        if found.is_full() {
            break;
        }
        let mut camera = FoundCamera {
            name: unit.unwrap_or("camera").into(),
            place: format!(
                "ustreamer, command line {}",
                found.cameras.len() + found.lost.len() + 1
            ),
            ..FoundCamera::default()
        };
        let mut webcam = Webcam {
            device: Some("/dev/video0".into()),
            size: Some("size=640x480".into()),
            ..Webcam::default()
        };
        let served = apply(args, &mut webcam, &mut camera);
        let path = webcam.device.as_deref().unwrap_or_default();
        match device(path, &webcam.options()) {
            Ok(url) => camera.source = ForeignSource::Url(url),
            Err(why) => {
                found.lose(camera.place, why);
                continue;
            }
        }
        if !served
            .format
            .is_some_and(|format| ["MJPEG", "JPEG"].contains(&&*format))
        {
            camera.condition = Some(IF_MJPG.into());
        }
        match served.unix {
            Some(path) => found.listens.push(FoundListen {
                at: FoundAddress::Unix {
                    path,
                    mode: served.mode,
                },
                default: Some(found.cameras.len()),
                base_path: None,
                notes: Vec::new(),
            }),
            None => {
                let host = served.host.as_deref().unwrap_or("127.0.0.1");
                let (at, note) = address(Some(host), served.port.unwrap_or(8080));
                camera.listen = Some(at);
                camera.notes.extend(note);
            }
        }
        found.cameras.push(camera);
    }
    Ok(found)
}

/// What options say besides what becomes of the camera.
#[derive(Default)]
pub(super) struct ServedOptions {
    pub(super) format: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    unix: Option<String>,
    mode: Option<String>,
    user: Option<String>,
    password: Option<String>,
}

/// Reads options.
pub(super) fn apply(
    args: &[String],
    webcam: &mut Webcam,
    camera: &mut FoundCamera,
) -> ServedOptions {
    let mut served = ServedOptions::default();
    for flag in flags(args, FLAGS) {
        let value = flag.value.as_deref().unwrap_or_default();
        let is_read = serve(&flag.name, value, &mut served) || picture(&flag.name, value, webcam);
        if !is_read {
            note(&flag, value, camera);
        }
    }
    // crowsnest sets what its keys say, and its flags come after them.
    if let (Some(host), Some(port)) = (&served.host, camera.listen.map(|at| at.port())) {
        let (at, note) = address(Some(host), port);
        camera.listen = Some(at);
        camera.notes.extend(note);
    }
    // A user without a password closes it to others, too.
    if let Some(user) = served.user.take().filter(|user| !user.is_empty()) {
        let password = served.password.take().unwrap_or_default();
        camera.login = Some(ViewerLogin::new(&user, &password));
    }
    webcam.orient(camera);
    served
}

/// Reads an option about viewers. Returns whether it is one.
fn serve(name: &str, value: &str, served: &mut ServedOptions) -> bool {
    match name {
        "format" => served.format = Some(value.to_ascii_uppercase()),
        "host" => served.host = Some(value.into()),
        "port" => served.port = port(value),
        "unix" => served.unix = Some(value.into()),
        "unix-mode" => {
            let octal = value.trim().trim_start_matches('0');
            let is_octal = octal.chars().all(|c| ('0'..='7').contains(&c));
            if !is_octal || octal.is_empty() || octal.len() > 3 {
                return false;
            }
            served.mode = Some(format!("0{octal:0>3}"));
        }
        "user" => served.user = Some(value.into()),
        "passwd" => served.password = Some(value.into()),
        // What the relay does anyway, or by itself.
        "tcp-nodelay" | "device-timeout" | "device-error-delay" | "persistent" | "buffers"
        | "workers" | "image-default" | "unix-rm" | "no-log-colors" | "min-frame-size" => {}
        "allow-origin" if value == "*" => {}
        _ => return false,
    }
    true
}

/// Reads an option about pictures. Returns whether it is one.
fn picture(name: &str, value: &str, webcam: &mut Webcam) -> bool {
    match name {
        "device" => webcam.device = Some(value.into()),
        "input" => webcam.input = value.parse().ok(),
        "resolution" => match size(value) {
            Some(size) => webcam.size = Some(size),
            None => return false,
        },
        "desired-fps" if value == "0" => webcam.fps = None,
        "desired-fps" => match rate(value) {
            Some(fps) => webcam.fps = Some(fps),
            None => return false,
        },
        "rotate" => match turn(value) {
            Some(turn) => webcam.rotate = turn,
            None => return false,
        },
        "flip-horizontal" => webcam.is_mirrored = is_true(value),
        "flip-vertical" => webcam.is_flipped = is_true(value),
        "brightness" | "contrast" | "saturation" | "hue" | "gamma" | "sharpness" | "gain" => {
            return value == "default" || webcam.control(name, value);
        }
        "backlight-compensation" => {
            return value == "default" || webcam.control("backlight_compensation", value);
        }
        _ => return false,
    }
    true
}

fn note(flag: &Flag, value: &str, camera: &mut FoundCamera) {
    let name = &flag.name;
    let why = match &**name {
        "encoder" | "quality" => "the relay passes on pictures as the camera has compressed them",
        "static" => "the relay has a page of its own; `page_dir` of a [[listen]] replaces it",
        "allow-origin" => "every page may read the stream; `origins` of a [[listen]] restricts it",
        "slowdown" => "`on_demand = true` goes further: nobody watching, no camera",
        "exit-on-no-clients" => "`on_demand = true` closes the camera instead",
        "drop-same-frames" => "a picture is repeated only to keep a viewer (`keepalive`)",
        "server-timeout" => "the same is `write_stall`",
        "sink" | "raw-sink" | "h264-sink" => "the relay writes no shared memory",
        "dv-timings" | "tv-standard" => "set it with v4l2-ctl",
        _ if !flag.is_known => "not known",
        _ if CONTROLS.contains(&&**name) && !value.is_empty() => {
            "set it by the control's own name, which `mjpeg-server devices` shows"
        }
        _ => "nothing here is the same",
    };
    camera.notes.push(format!("--{name}: {why}"));
}

const CONTROLS: [&str; 5] = ["white-balance", "color-effect", "brightness", "hue", "gain"];

const FLAGS: &[KnownFlag] = &[
    (&["device", "d"], true),
    (&["input", "i"], true),
    (&["resolution", "r"], true),
    (&["format", "m"], true),
    (&["tv-standard", "a"], true),
    (&["io-method", "I"], true),
    (&["desired-fps", "f"], true),
    (&["min-frame-size", "z"], true),
    (&["persistent", "n"], false),
    (&["dv-timings", "t"], false),
    (&["buffers", "b"], true),
    (&["workers", "w"], true),
    (&["quality", "q"], true),
    (&["encoder", "c"], true),
    (&["blank", "k"], true),
    (&["last-as-blank", "K"], true),
    (&["slowdown", "l"], false),
    (&["host", "s"], true),
    (&["port", "p"], true),
    (&["unix", "U"], true),
    (&["unix-rm", "D"], false),
    (&["unix-mode", "M"], true),
    (&["systemd", "S"], false),
    (&["drop-same-frames", "e"], true),
    (&["fake-resolution", "R"], true),
    (&["device-timeout"], true),
    (&["device-error-delay"], true),
    (&["format-swap-rgb"], true),
    (&["m2m-device"], true),
    (&["image-default"], false),
    (&["brightness"], true),
    (&["contrast"], true),
    (&["saturation"], true),
    (&["hue"], true),
    (&["gamma"], true),
    (&["sharpness"], true),
    (&["backlight-compensation"], true),
    (&["white-balance"], true),
    (&["gain"], true),
    (&["color-effect"], true),
    (&["rotate"], true),
    (&["flip-vertical"], true),
    (&["flip-horizontal"], true),
    (&["user"], true),
    (&["passwd"], true),
    (&["static"], true),
    (&["allow-origin"], true),
    (&["instance-id"], true),
    (&["tcp-nodelay"], false),
    (&["server-timeout"], true),
    (&["sink", "jpeg-sink"], true),
    (&["raw-sink"], true),
    (&["h264-sink"], true),
    (&["exit-on-no-clients"], true),
    (&["exit-on-parent-death"], false),
    (&["process-name-prefix"], true),
    (&["notify-parent"], false),
    (&["log-level"], true),
    (&["perf"], false),
    (&["verbose"], false),
    (&["debug"], false),
    (&["no-log-colors"], false),
];
