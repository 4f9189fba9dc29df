//! The cameras of this machine that V4L2 knows, for people and as JSON. (Linux.)

use std::path::Path;

use mjpeg_manager::mjpeg_ingest::{
    Source, V4l2Camera, V4l2Control, V4l2Device, V4l2Format, V4l2Size, escaped,
};
use serde_json::{Value, json};

/// The cameras that V4L2 knows, as JSON: what the API and `devices --json` show.
pub(crate) fn as_json(all: &[V4l2Device]) -> Value {
    json!({ "devices": all.iter().map(device_json).collect::<Vec<_>>() })
}

/// The cameras that V4L2 knows, as lines of text.
pub(crate) fn as_text(all: &[V4l2Device]) -> String {
    if all.is_empty() {
        return NONE.into();
    }
    let texts: Vec<_> = all.iter().map(device_text).collect();
    texts.join("\n")
}

fn device_text(device: &V4l2Device) -> String {
    let path = device.path.display().to_string();
    let about = format!(
        "{path}  {} ({}, {})",
        device.card, device.driver, device.bus
    );
    let mut text = format!("{}\n", escaped(&about));
    if let Some(url) = url(device) {
        text += &format!("  source    {}\n", escaped(&url));
    }
    for format in &device.formats {
        let title = match format.is_jpeg {
            true => format.code.clone(),
            false => format!("({})", format.code),
        };
        let sizes: Vec<_> = format.sizes.iter().map(V4l2Size::to_string).collect();
        text += &lines(&title, &sizes);
    }
    let controls: Vec<_> = device.controls.iter().map(control_text).collect();
    text + &lines("controls", &controls)
}

/// A title in front of the first of some lines.
fn lines(title: &str, lines: &[String]) -> String {
    let titles = [title].into_iter().chain(std::iter::repeat(""));
    let lines = titles.zip(lines);
    lines
        .map(|(title, line)| format!("  {title:8}  {}\n", escaped(line)))
        .collect()
}

fn control_text(control: &V4l2Control) -> String {
    let now = control.value.unwrap_or(control.default);
    let inactive = if control.is_active {
        ""
    } else {
        "; without effect now"
    };
    format!(
        "{}={now} ({} to {}, step {}, default {}{inactive})",
        control.name, control.minimum, control.maximum, control.step, control.default
    )
}

/// The source that reads the camera, if it makes JPEG images.
fn url(device: &V4l2Device) -> Option<String> {
    device.formats.iter().find(|format| format.is_jpeg)?;
    let path = device.stable_path.as_ref().unwrap_or(&device.path);
    let camera = V4l2Camera::new(path).ok()?;
    Some(Source::v4l2(camera).reveal().to_owned())
}

fn device_json(device: &V4l2Device) -> Value {
    let shown = |path: &Path| path.display().to_string();
    json!({
        "path": shown(&device.path),
        "stable_path": device.stable_path.as_deref().map(shown),
        "source": url(device),
        "card": device.card,
        "driver": device.driver,
        "bus": device.bus,
        "formats": device.formats.iter().map(format_json).collect::<Vec<_>>(),
        "controls": device.controls.iter().map(control_json).collect::<Vec<_>>(),
    })
}

fn format_json(format: &V4l2Format) -> Value {
    let size = |size: &V4l2Size| {
        let up_to = size.up_to.map(|(width, height)| [width, height]);
        json!({
            "width": size.width,
            "height": size.height,
            "up_to": up_to,
            "rates": size.rates,
        })
    };
    json!({
        "code": format.code,
        "description": format.description,
        "is_jpeg": format.is_jpeg,
        "sizes": format.sizes.iter().map(size).collect::<Vec<_>>(),
    })
}

fn control_json(control: &V4l2Control) -> Value {
    json!({
        "name": control.name,
        "minimum": control.minimum,
        "maximum": control.maximum,
        "step": control.step,
        "default": control.default,
        "value": control.value,
        "is_active": control.is_active,
    })
}

const NONE: &str = "no camera that V4L2 knows, or none that may be opened (is this user in the \
                    group video?)\n";
