//! What was found about a camera, for people.

use mjpeg_manager::mjpeg_ingest::escaped;
use serde_json::Value;

/// Writes the JSON of a probe as text, in which nothing steers the terminal.
pub(crate) fn rendered(report: &Value) -> String {
    let mut text = ProbeText(String::new());
    let verdict = match word(report, "verdict").as_str() {
        "clean" => "nothing is wrong with it".into(),
        "relayable" => "it can be relayed".into(),
        "not_relayable" => "it cannot be relayed like this".into(),
        other => other.to_owned(),
    };
    text.line(&format!("{}: {verdict}", word(report, "source")));
    text.line("");
    for (title, value) in [
        ("kind", kind(report)),
        ("address", word(report, "peer")),
        ("answers as", word(report, "content_type")),
        ("made by", word(report, "server")),
        ("redirects to", word(report, "redirected_to")),
        ("login", word(report, "login")),
        ("encryption", word(report, "tls")),
        ("pictures", pictures(&report["pictures"])),
        ("rhythm", rhythm(&report["pictures"])),
        ("second client", second(report)),
        ("relayed", word(report, "relayed")),
    ] {
        if !value.is_empty() {
            text.line(&format!("  {title:<14} {value}"));
        }
    }
    let findings = report["findings"].as_array();
    for finding in findings.into_iter().flatten() {
        text.line("");
        let (level, code) = (word(finding, "level"), word(finding, "code"));
        text.line(&format!("{level} ({code}): {}", word(finding, "text")));
        text.line(&format!("  {}", word(finding, "advice")));
        let set = finding["set"].as_object();
        for (key, value) in set.into_iter().flatten() {
            text.line(&format!("  Set {key} = {value}"));
        }
    }
    let configuration = word(report, "configuration");
    if !configuration.is_empty() {
        text.line("");
        text.line("Configuration:");
        text.line("");
        configuration.lines().for_each(|line| text.line(line));
    }
    text.0
}

/// Text whose lines are escaped.
struct ProbeText(String);

impl ProbeText {
    fn line(&mut self, line: &str) {
        self.0 += &escaped(line);
        self.0.push('\n');
    }
}

fn kind(report: &Value) -> String {
    let words = match word(report, "kind").as_str() {
        "multipart" => "a stream of pictures over HTTP (multipart)",
        "concatenated" => "a stream of pictures one after another",
        "snapshots" => "single pictures over HTTP, one per request",
        "unknown" => "unknown: no answer holds a picture",
        other => return other.to_owned(),
    };
    words.into()
}

fn pictures(pictures: &Value) -> String {
    let Some(width) = pictures["width"].as_u64() else {
        return String::new();
    };
    let (height, coding) = (&pictures["height"], word(pictures, "coding"));
    let kilobytes = pictures["mean_bytes"].as_f64().unwrap_or_default() / 1e3;
    format!("{width}x{height}, {coding}, {kilobytes:.1} kB on average")
}

fn rhythm(pictures: &Value) -> String {
    let count = &pictures["count"];
    let Some(fps) = pictures["fps"].as_f64() else {
        return match count.as_u64() {
            Some(1) => "one picture while it was looked at".into(),
            _ => String::new(),
        };
    };
    let number = |name: &str| pictures[name].as_u64().unwrap_or_default();
    format!(
        "{fps:.1} pictures per second, jitter {} ms, longest gap {} ms ({count} pictures)",
        number("jitter_ms"),
        number("longest_gap_ms")
    )
}

fn second(report: &Value) -> String {
    let words = match word(report, "second_client").as_str() {
        "accepted" => "gets pictures, too",
        "refused" => "is refused",
        "silent" => "gets no pictures",
        "takes_over" => "takes the place of the first",
        "slows" => "slows the first one down",
        _ => "",
    };
    words.into()
}

fn word(object: &Value, name: &str) -> String {
    object[name].as_str().unwrap_or_default().to_owned()
}
