//! octopi.txt, from which OctoPi makes command lines of mjpg-streamer.

use super::{
    command_line::variables,
    found::{FoundCamera, Inventory},
    mjpg_streamer,
};

/// Reads a configuration. What is not set is as OctoPi has it.
pub(super) fn read(text: &str) -> Inventory {
    let set = variables(text);
    let of = |key: &str, default: &str| -> String {
        set.get(key).map_or_else(|| default.into(), Clone::clone)
    };
    let camera = of("camera", "auto");
    let options = match &*camera {
        "raspi" => format!(
            "input_raspicam.so {}",
            of("camera_raspi_options", "-fps 10")
        ),
        _ => {
            let usb = of("camera_usb_options", "-r 640x480 -f 10");
            // OctoPi finds the device itself.
            let has_device = usb
                .split_whitespace()
                .any(|word| ["-d", "--device"].contains(&word));
            let device = if has_device { "" } else { "-d /dev/video0 " };
            format!("input_uvc.so {device}{usb}")
        }
    };
    let webroot = of("camera_http_webroot", "");
    let http = of("camera_http_options", "-n");
    let www = match webroot.is_empty() || webroot == DEFAULT_WEBROOT {
        true => String::new(),
        false => format!("-w {webroot} "),
    };
    let output = format!("output_http.so -l 127.0.0.1 {www}{http}");
    let mut found = Inventory::default();
    let args = ["-i".into(), options, "-o".into(), output];
    mjpg_streamer::call(&args, "webcam", &mut found);
    for camera in &mut found.cameras {
        describe(camera, &of("camera", "auto"));
    }
    for key in set.keys() {
        let is_read = [
            "camera",
            "camera_usb_options",
            "camera_raspi_options",
            "camera_http_webroot",
            "camera_http_options",
        ];
        if !is_read.contains(&&**key) {
            found.notes.push(format!("{key}: nothing here is the same"));
        }
    }
    found
}

fn describe(camera: &mut FoundCamera, choice: &str) {
    camera.place = format!("camera=\"{choice}\"");
    if choice == "auto" {
        camera.notes.push(
            "camera=\"auto\": this is the first USB webcam; `mjpeg-server devices` lists all. For a \
             camera of the Raspberry Pi, set camera=\"raspi\" and migrate again"
                .into(),
        );
    }
    if !matches!(choice, "auto" | "usb" | "raspi") {
        camera
            .notes
            .push("camera: expected auto, usb or raspi".into());
    }
    camera.notes.push(
        "OctoPi's web server offers it as /webcam/; it finds the relay at the same port".into(),
    );
}

const DEFAULT_WEBROOT: &str = "./www-octopi";
