//! Webhooks as they are run.

use crate::{
    config::{keys::auth::EVERY_STREAM, settings::WebhookSettings},
    webhooks::webhook::{Webhook, WebhookStreams},
};

pub(super) fn webhook(settings: &WebhookSettings) -> Webhook {
    let streams = settings.keys.streams.iter();
    let is_all = streams.clone().any(|stream| stream == EVERY_STREAM);
    Webhook {
        name: settings.name.to_string(),
        url: settings.to.clone(),
        secret: settings.secret.0.clone().into(),
        events: settings
            .keys
            .events
            .iter()
            .map(|word| word.as_str())
            .collect(),
        streams: match is_all {
            true => WebhookStreams::All,
            false => WebhookStreams::Some(streams.cloned().collect()),
        },
    }
}
