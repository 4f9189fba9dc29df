//! Sources: a URL, its options, and the keys that are the same as those.

use mjpeg_manager::mjpeg_ingest::{DialPolicy, HttpCamera, InvalidSource, Limits, Source};

use crate::{
    config::{
        keys::stream::StreamKeys,
        layer::Layer,
        report::{Finding, Report},
        value::time::Time,
    },
    secrets::{expanded, secret_files},
};

/// Makes the sources of one stream.
pub(super) struct Sources<'r> {
    pub(super) merged: &'r Layer,
    pub(super) own: &'r Layer,
    pub(super) report: &'r mut Report,
    /// Which addresses the sources may connect to: the API may set only some.
    pub(super) dial: DialPolicy,
    /// What options in the URL of the first source set.
    pub(super) from_url: Vec<(&'static str, Time)>,
}

impl Sources<'_> {
    /// Makes a source from the URL of this key. What is wrong is reported.
    pub(super) fn resolve(&mut self, key: &str, url: &str) -> Option<Source> {
        self.report.watched.extend(secret_files(url));
        let url = match expanded(url) {
            Ok(url) => url,
            Err(error) => {
                let finding = Finding::error(format!("{error:#}"));
                self.report.add(finding.about(self.merged, key));
                return None;
            }
        };
        let options = options(&url);
        for (option, _) in &options {
            let key_of = key_of(option);
            if key_of.is_some_and(|key| self.own.entries.contains_key(key)) {
                let message = format!(
                    "the key `{}` beats the option #{option} of the URL",
                    key_of.unwrap_or_default()
                );
                let help = "leave one of them out";
                let finding = Finding::warning(message).with_help(help);
                self.report.add(finding.about(self.merged, key));
            }
        }
        match self.source(&url, &options) {
            Ok(source) => {
                if key == "source" {
                    self.note(&source, &options);
                }
                self.warn_unused(&url);
                Some(source)
            }
            Err(error) => {
                let finding = Finding::error(error.to_string());
                self.report.add(finding.about(self.merged, key));
                None
            }
        }
    }

    fn source(&self, url: &str, options: &[(&str, &str)]) -> Result<Source, InvalidSource> {
        let keys: StreamKeys = self.merged.read();
        let source = if is_http(url) {
            let camera = HttpCamera::new(url)?;
            let is_set = self.is_set("poll_interval", options);
            Source::http(match is_set {
                true => camera.with_poll_interval(keys.poll_interval.0)?,
                false => camera,
            })
        } else {
            url.parse()?
        };
        let mut limits = source.limits();
        type With = fn(Limits, std::time::Duration) -> Result<Limits, InvalidSource>;
        let with: [(&str, Time, With); 4] = [
            (
                "connect_timeout",
                keys.connect_timeout,
                Limits::with_connect_timeout,
            ),
            (
                "answer_timeout",
                keys.answer_timeout,
                Limits::with_answer_timeout,
            ),
            ("stall_limit", keys.stall_limit, Limits::with_stall_limit),
            ("login_retry", keys.login_retry, Limits::with_login_retry),
        ];
        for (key, time, with) in with {
            if self.is_set(key, options) {
                limits = with(limits, time.0)?;
            }
        }
        // A refused address costs an attempt, not the start of the relay.
        Ok(source
            .with_limits(limits)
            .with_dial_policy(self.dial.clone()))
    }

    /// Whether the key's value goes before what the URL says. What nobody set is left to the
    /// libraries, so that labels of sources show only what is special.
    fn is_set(&self, key: &str, options: &[(&str, &str)]) -> bool {
        let is_option = options
            .iter()
            .any(|(option, _)| key_of(option) == Some(key));
        self.own.entries.contains_key(key) || (!is_option && !self.merged.is_built_in(key))
    }

    /// Notes the values of the URL's options that hold.
    fn note(&mut self, source: &Source, options: &[(&str, &str)]) {
        let limits = source.limits();
        for (option, value) in options {
            let Some(key) = key_of(option).filter(|key| !self.own.entries.contains_key(*key))
            else {
                continue;
            };
            let fps = || value.parse::<f64>().ok().filter(|fps| fps.is_normal());
            let time = match (key, *option) {
                ("connect_timeout", _) => limits.connect_timeout(),
                ("answer_timeout", _) => limits.answer_timeout(),
                ("stall_limit", _) => limits.stall_limit(),
                ("login_retry", _) => limits.login_retry(),
                (_, "fps") => fps().map(|fps| std::time::Duration::from_secs_f64(1.0 / fps)),
                _ => value.parse::<Time>().ok().map(|time| time.0),
            };
            if let Some(time) = time {
                self.from_url.push((key, Time(time)));
            }
        }
    }

    fn warn_unused(&mut self, url: &str) {
        if self.own.entries.contains_key("poll_interval") && !is_http(url) {
            let finding = Finding::warning("`poll_interval` is only for cameras that speak HTTP");
            self.report
                .add_once(finding.about(self.merged, "poll_interval"));
        }
    }
}

fn is_http(url: &str) -> bool {
    url.starts_with("http:") || url.starts_with("https:")
}

/// The options of a URL, names and values.
fn options(url: &str) -> Vec<(&str, &str)> {
    let is_network = [
        "tcp:",
        "tcp-listen:",
        "http-listen:",
        "push:",
        "rtsp:",
        "rtsps:",
        "v4l2:",
    ]
    .iter()
    .any(|scheme| url.starts_with(scheme));
    let Some((_, options)) = url.split_once('#').filter(|_| is_network || is_http(url)) else {
        return Vec::new();
    };
    let options = options.split('&').filter(|option| !option.is_empty());
    options
        .map(|option| option.split_once('=').unwrap_or((option, "")))
        .collect()
}

/// The key that is the same as an option.
fn key_of(option: &str) -> Option<&'static str> {
    Some(match option {
        "connect_timeout" => "connect_timeout",
        "answer_timeout" => "answer_timeout",
        "stall_limit" => "stall_limit",
        "login_retry" => "login_retry",
        "poll_interval" | "fps" => "poll_interval",
        _ => return None,
    })
}
