//! The configuration of Frigate.

use anyhow::{Result, ensure};

use super::{
    found::{ForeignSource, FoundCamera, Inventory},
    go2rtc::{ForeignStreams, Judged},
    marks::Marks,
    sources::{self, IF_MJPG, SourceVerdict, device, rate, size},
    uvc::Webcam,
    yaml::{YamlNode, parse},
};

/// Reads a configuration.
///
/// # Errors
///
/// If it is no YAML, or has neither cameras nor streams of go2rtc.
pub(super) fn read(text: &str, marks: &mut Marks) -> Result<Inventory> {
    let root = parse(text)?;
    let cameras = root.get("cameras").filter(|cameras| cameras.is_map());
    let restreams = root.get("go2rtc").and_then(|go2rtc| go2rtc.get("streams"));
    ensure!(
        cameras.is_some() || restreams.is_some(),
        "expected `cameras:` with `ffmpeg: inputs:` each, or `go2rtc: streams:`"
    );
    let streams = ForeignStreams::read(restreams, "{", is_variable, marks);
    let mut found = Inventory::default();
    let mut used = Vec::new();
    for (name, camera) in cameras.into_iter().flat_map(YamlNode::entries) {
        if found.is_full() {
            break;
        }
        let place = format!("cameras: {name}");
        match one(
            name,
            place.clone(),
            camera,
            &root,
            &streams,
            marks,
            &mut used,
        ) {
            Ok(camera) => found.cameras.push(camera),
            Err(why) => found.lose(place, why),
        }
    }
    // Those that no camera uses are there for somebody else.
    for name in streams
        .names()
        .filter(|name| !used.iter().any(|used| used == name))
    {
        if found.is_full() {
            break;
        }
        let place = format!("go2rtc: streams: {name}");
        match streams.judge(name) {
            Ok(judged) => found.cameras.push(judged.camera(name, place)),
            Err(why) => found.lose(place, why),
        }
    }
    others(&root, &mut found);
    Ok(found)
}

/// Frigate replaces only variables that begin so.
fn is_variable(name: &str) -> bool {
    name.starts_with("FRIGATE_")
}

fn one(
    name: &str,
    place: String,
    camera: &YamlNode,
    root: &YamlNode,
    streams: &ForeignStreams,
    marks: &mut Marks,
    used: &mut Vec<String>,
) -> Result<FoundCamera, String> {
    let ffmpeg = camera.get("ffmpeg").ok_or("it has no ffmpeg: inputs:")?;
    let inputs = ffmpeg
        .get("inputs")
        .map(YamlNode::items)
        .unwrap_or_default();
    let mut best: Option<Judged> = None;
    let mut reasons: Vec<String> = Vec::new();
    for input in inputs.into_iter().take(MOST_INPUTS) {
        let path = input.text_of("path").ok_or("an input of it has no path")?;
        if path.len() > MOST_PATH_BYTES {
            return Err("a path of it is longer than 4 KiB".into());
        }
        let path = marks.mark(path.trim(), "{", is_variable)?;
        let args = input_args(input, ffmpeg, root);
        let judged = match restream(&path, streams) {
            Some(stream) => {
                used.push(stream.into());
                streams.judge(stream)
            }
            None => input_verdict(&path, &args, camera),
        };
        match judged {
            Ok(judged) => {
                let is_better = best
                    .as_ref()
                    .is_none_or(|best| best.condition.is_some() && judged.condition.is_none());
                if is_better {
                    best = Some(judged);
                }
            }
            Err(why) if !reasons.contains(&why) => reasons.push(why),
            Err(_) => {}
        }
    }
    let Some(best) = best else {
        return Err(match reasons.is_empty() {
            true => "it has no inputs".into(),
            false => reasons.join("; "),
        });
    };
    let mut camera_found = best.camera(name, place);
    if camera.text_of("enabled") == Some("false") {
        camera_found.keys.push(("on_demand", "true".into()));
        let note = "it is not enabled in Frigate: it is connected only while somebody watches";
        camera_found.notes.push(note.into());
    }
    Ok(camera_found)
}

/// The arguments of an input: its own, else the camera's, else those of all.
fn input_args(input: &YamlNode, ffmpeg: &YamlNode, root: &YamlNode) -> String {
    let all = root.get("ffmpeg");
    let nodes = [Some(input), Some(ffmpeg), all].into_iter().flatten();
    let args = nodes
        .filter_map(|node| node.get("input_args"))
        .map(args_text);
    args.take(1).collect()
}

/// Arguments as one text, whether they are written as a text or a list.
fn args_text(node: &YamlNode) -> String {
    let items = node.items().into_iter().filter_map(YamlNode::text);
    items.take(MOST_INPUTS).collect::<Vec<_>>().join(" ")
}

/// The stream of Frigate's own go2rtc that a URL means.
fn restream<'a>(url: &'a str, streams: &ForeignStreams) -> Option<&'a str> {
    let (_, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_once('/')?;
    let (host, port) = authority.rsplit('@').next()?.rsplit_once(':')?;
    let is_own = ["127.0.0.1", "localhost", "[::1]"].contains(&host);
    let name = match port {
        "8554" => path.split('?').next()?,
        "1984" => path.split_once("src=")?.1.split('&').next()?,
        _ => return None,
    };
    (is_own && streams.has(name)).then_some(name)
}

fn input_verdict(path: &str, args: &str, camera: &YamlNode) -> Result<Judged, String> {
    if path.starts_with('/') {
        return webcam(path, args);
    }
    let mut judged = Judged::default();
    let verdict = match sources::network(path) {
        // Frigate is told what the camera sends.
        SourceVerdict::Perhaps(source, _) if path.starts_with("http") && args.contains("jp") => {
            SourceVerdict::Relayed(source)
        }
        verdict => verdict,
    };
    (judged.source, judged.condition) = match verdict {
        SourceVerdict::Relayed(source) => (source, None),
        SourceVerdict::Perhaps(source, condition) => (source, Some(condition)),
        SourceVerdict::Lost(why) => return Err(why),
    };
    let fps = camera
        .get("detect")
        .and_then(|detect| detect.text_of("fps"));
    if args.contains("preset-http-jpeg")
        && let Some(fps) = fps.and_then(rate).filter(|fps| *fps <= 60)
        && let ForeignSource::Url(url) = &mut judged.source
    {
        url.push_str(&format!("#fps={fps}"));
    }
    Ok(judged)
}

/// A device with arguments of ffmpeg.
fn webcam(path: &str, args: &str) -> Result<Judged, String> {
    let words: Vec<&str> = args.split_whitespace().collect();
    let of = |name: &str| {
        let at = words.iter().position(|word| *word == name)?;
        words.get(at + 1).copied()
    };
    let webcam = Webcam {
        size: of("-video_size").or_else(|| of("-s")).and_then(size),
        fps: of("-framerate").or_else(|| of("-r")).and_then(rate),
        ..Webcam::default()
    };
    let url = device(path, &webcam.options())?;
    let is_mjpeg = of("-input_format").is_some_and(|format| format == "mjpeg");
    Ok(Judged {
        source: ForeignSource::Url(url),
        condition: (!is_mjpeg).then(|| IF_MJPG.into()),
        ..Judged::default()
    })
}

/// Says what the relay does not do.
fn others(root: &YamlNode, found: &mut Inventory) {
    let known = ["cameras", "go2rtc", "ffmpeg", "version"];
    let keys = root
        .entries()
        .map(|(key, _)| key)
        .filter(|key| !known.contains(key));
    let keys: Vec<&str> = keys.take(MOST_INPUTS).collect();
    if !keys.is_empty() {
        found.notes.push(format!(
            "{}: the relay detects no objects and records no video. Frigate can read its cameras \
             from the relay, so that each is connected once (docs/clients.md)",
            keys.join(", ")
        ));
    }
    if root
        .get("go2rtc")
        .is_some_and(|go2rtc| go2rtc.entries().any(|(key, _)| key != "streams"))
    {
        found
            .notes
            .push("go2rtc: of it, only streams are carried over".into());
    }
}

/// The most inputs of a camera.
const MOST_INPUTS: usize = 32;

/// The longest path.
const MOST_PATH_BYTES: usize = 4096;
