//! What changes of that which requests are sent to. Their URLs and secrets are not shown, so it is
//! only said that they have changed.

use super::{ChangeKind, ItemChange, KeyChange, Subject};
use crate::{
    config::{
        schema::section::Section,
        settings::{Settings, WebhookSettings},
    },
    reload::keys,
};

impl KeyChange {
    /// What changes of `[auth]` without being seen: the hook's URL.
    pub(super) fn add_hook(old: &Settings, new: &Settings, changes: &mut Vec<Self>) {
        let asked = |settings: &Settings| settings.hook.as_ref().map(|hook| hook.ask.clone());
        let differs = asked(old) != asked(new);
        if differs && !changes.iter().any(|change| change.key == "hook") {
            let values = keys::values(&new.auth);
            changes.extend(Self::within(Section::Auth, "hook", &values));
        }
    }
}

impl ItemChange {
    /// What changes of the node that the relay is. That needs a restart.
    pub(super) fn add_cluster(old: &Settings, new: &Settings, changes: &mut Vec<Self>) {
        let whole = |change| Self {
            change,
            what: Subject::Cluster,
            name: None,
            at: Some("restart".into()),
            keys: Vec::new(),
        };
        let (was, now) = match (&old.cluster, &new.cluster) {
            (None, None) => return,
            (None, Some(_)) => return changes.push(whole(ChangeKind::Added)),
            (Some(_), None) => return changes.push(whole(ChangeKind::Removed)),
            (Some(was), Some(now)) => (was, now),
        };
        let (before, after) = (keys::values(&was.keys), keys::values(&now.keys));
        let mut keys = KeyChange::of(Section::Cluster, &before, &after);
        for (key, differs) in [
            ("secret", was.secret != now.secret),
            (
                "engine_password",
                was.engine_password != now.engine_password,
            ),
        ] {
            if differs && !keys.iter().any(|change| change.key == key) {
                keys.extend(KeyChange::within(Section::Cluster, key, &after));
            }
        }
        changes.extend(Self::of_keys(Subject::Cluster, None, keys));
    }

    /// What changes of the webhooks, by their names.
    pub(super) fn add_webhooks(old: &Settings, new: &Settings, changes: &mut Vec<Self>) {
        let find = |webhooks: &[WebhookSettings], wanted: &WebhookSettings| {
            let mut webhooks = webhooks.iter();
            webhooks.find(|known| known.name == wanted.name).cloned()
        };
        let whole = |change, webhook: &WebhookSettings| Self {
            change,
            what: Subject::Webhook,
            name: Some(webhook.name.to_string()),
            at: (change == ChangeKind::Added).then(|| webhook.to.to_string()),
            keys: Vec::new(),
        };
        for webhook in &new.webhooks {
            let Some(was) = find(&old.webhooks, webhook) else {
                changes.push(whole(ChangeKind::Added, webhook));
                continue;
            };
            let (before, now) = (keys::of_webhook(&was), keys::of_webhook(webhook));
            let mut keys = KeyChange::of(Section::Webhook, &before, &now);
            for (key, differs) in [
                ("url", was.to != webhook.to),
                ("secret", was.secret != webhook.secret),
            ] {
                if differs {
                    keys.extend(KeyChange::within(Section::Webhook, key, &now));
                }
            }
            let name = Some(webhook.name.to_string());
            changes.extend(Self::of_keys(Subject::Webhook, name, keys));
        }
        let gone = old.webhooks.iter();
        let gone = gone.filter(|webhook| find(&new.webhooks, webhook).is_none());
        changes.extend(gone.map(|webhook| whole(ChangeKind::Removed, webhook)));
    }
}
