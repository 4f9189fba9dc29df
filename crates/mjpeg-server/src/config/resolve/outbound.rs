//! What the program itself sends requests to: webhooks, and the hook that decides about rights.

use std::collections::BTreeMap;

use mjpeg_manager::StreamName;

use crate::{
    config::{
        keys::{
            auth::{AuthKeys, EVERY_STREAM},
            webhook::WebhookKeys,
        },
        layer::Layer,
        report::{Finding, Report},
        settings::{HookSettings, WebhookSettings},
        value::secret_text::SecretText,
    },
    outbound::url::OutboundUrl,
    secrets::{expanded, expanded_text, secret_files},
};

/// Makes the settings of the webhooks. What is wrong is reported.
pub(super) fn webhooks(
    written: &[Layer],
    streams: &BTreeMap<String, usize>,
    report: &mut Report,
) -> Vec<(Layer, WebhookSettings)> {
    let mut webhooks: Vec<(Layer, WebhookSettings)> = Vec::new();
    for (at, own) in written.iter().enumerate() {
        let layer = Layer::built_in::<WebhookKeys>().under(own);
        let keys: WebhookKeys = layer.read();
        if at == MOST_WEBHOOKS {
            let finding = Finding::error(format!("there may be at most {MOST_WEBHOOKS} webhooks"));
            report.add(finding.at(layer.place.clone()));
            break;
        }
        check_streams(&layer, &keys.streams, streams, report);
        let name = keys.name.as_ref().map(|name| name.0.clone());
        let name = name.or_else(|| format!("webhook{}", at + 1).parse().ok());
        if webhooks
            .iter()
            .any(|(_, known)| Some(&known.name) == name.as_ref())
        {
            let finding = Finding::error("two webhooks have the same name");
            report.add(finding.about(&layer, "name"));
        }
        let url = url(&layer, "url", keys.url.as_ref(), report);
        let secret = secret(&layer, keys.secret.as_ref(), report);
        if let (Some(name), Some(url), Some(secret)) = (name, url, secret) {
            let settings = WebhookSettings {
                name,
                to: url,
                secret,
                keys,
            };
            webhooks.push((layer, settings));
        }
    }
    webhooks
}

/// Makes the settings of the hook that decides about rights, if there is one. What is wrong is
/// reported.
pub(super) fn hook(auth: &Layer, report: &mut Report) -> Option<HookSettings> {
    let keys: AuthKeys = auth.read();
    let ask = url(auth, "hook", Some(keys.hook.as_ref()?), report)?;
    if ask.is_overheard() {
        let message = "the hook is asked without encryption: passwords and tokens of clients can \
                       be read on the way";
        let help = "use https://, or run it on this machine";
        let finding = Finding::warning(message).with_help(help);
        report.add(finding.about(auth, "hook"));
    }
    Some(HookSettings {
        ask,
        limit: keys.hook_timeout.0,
    })
}

fn check_streams(
    layer: &Layer,
    wanted: &[String],
    known: &BTreeMap<String, usize>,
    report: &mut Report,
) {
    for stream in wanted {
        if stream == EVERY_STREAM || known.contains_key(stream) {
            continue;
        }
        let finding = match stream.parse::<StreamName>() {
            Ok(_) => Finding::warning(format!("no stream is named {stream}")),
            Err(error) => {
                Finding::error(format!("`{stream}`: {error}")).with_help("\"*\" is all streams")
            }
        };
        report.add(finding.about(layer, "streams"));
    }
}

/// Reads the URL of a key, with what it takes from elsewhere.
fn url(
    layer: &Layer,
    key: &str,
    written: Option<&SecretText>,
    report: &mut Report,
) -> Option<OutboundUrl> {
    let Some(SecretText(text)) = written else {
        missing(layer, key, report);
        return None;
    };
    report.watched.extend(secret_files(text));
    let url = expanded(text)
        .map_err(|error| format!("{error:#}"))
        .and_then(|text| {
            text.parse::<OutboundUrl>()
                .map_err(|error| error.to_string())
        });
    url.map_err(|error| report.add(Finding::error(error).about(layer, key)))
        .ok()
}

/// Reads a secret, with what it takes from elsewhere.
fn secret(layer: &Layer, written: Option<&SecretText>, report: &mut Report) -> Option<SecretText> {
    let Some(SecretText(text)) = written else {
        missing(layer, "secret", report);
        return None;
    };
    report.watched.extend(secret_files(text));
    let finding = match expanded_text(text) {
        Ok(secret) if secret.is_empty() => Finding::error("the secret is empty"),
        Ok(secret) => {
            if secret.len() < SHORT_BYTES {
                let finding = Finding::warning("so short a secret can be guessed");
                let help = "make one of 32 random bytes: openssl rand -hex 32";
                report.add(finding.with_help(help).about(layer, "secret"));
            }
            return Some(SecretText(secret));
        }
        Err(error) => Finding::error(format!("{error:#}")),
    };
    report.add(finding.about(layer, "secret"));
    None
}

fn missing(layer: &Layer, key: &str, report: &mut Report) {
    if !layer.broken.contains(key) {
        let finding = Finding::error(format!("this webhook has no `{key}`"));
        report.add(finding.at(layer.place.clone()).with_key(key));
    }
}

/// Each has a queue and a connection of its own.
const MOST_WEBHOOKS: usize = 32;

/// Shorter than what a dozen words or 16 random bytes make.
const SHORT_BYTES: usize = 16;
