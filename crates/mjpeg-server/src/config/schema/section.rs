//! The sections of a file, and their keys.

use std::sync::LazyLock;

use super::key::Key;
use crate::config::keys::{
    auth::{AuthKeys, UserKeys},
    cluster::ClusterKeys,
    control::ControlKeys,
    listen::ListenKeys,
    process::ProcessKeys,
    stream::{OwnKeys, StreamKeys},
    webhook::WebhookKeys,
};

/// A part of the file that has keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Process,
    Listen,
    Defaults,
    Stream,
    Auth,
    User,
    Control,
    Webhook,
    Cluster,
}

impl Section {
    pub(crate) const ALL: [Self; 9] = [
        Self::Process,
        Self::Listen,
        Self::Defaults,
        Self::Stream,
        Self::Auth,
        Self::User,
        Self::Control,
        Self::Webhook,
        Self::Cluster,
    ];

    /// How the section begins in a file.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Process => "the top of the file",
            Self::Listen => "[[listen]]",
            Self::Defaults => "[defaults]",
            Self::Stream => "[[streams]]",
            Self::Auth => "[auth]",
            Self::User => "[[users]]",
            Self::Control => "[control]",
            Self::Webhook => "[[webhooks]]",
            Self::Cluster => "[cluster]",
        }
    }

    /// The keys of the section, in the order of their declaration.
    pub(crate) fn keys(self) -> impl Iterator<Item = &'static Key> {
        let (own, shared): (&[Key], &[Key]) = match self {
            Self::Process => (&PROCESS, &[]),
            Self::Listen => (&LISTEN, &[]),
            Self::Defaults => (&[], &STREAM),
            Self::Stream => (&OWN, &STREAM),
            Self::Auth => (&AUTH, &[]),
            Self::User => (&USER, &[]),
            Self::Control => (&CONTROL, &[]),
            Self::Webhook => (&WEBHOOK, &[]),
            Self::Cluster => (&CLUSTER, &[]),
        };
        own.iter().chain(shared)
    }

    /// The key of this name.
    pub(crate) fn key(self, name: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.name == name)
    }

    /// The section in which a key is known.
    pub(crate) fn of_key(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|section| section.key(name).is_some())
    }
}

static PROCESS: LazyLock<Vec<Key>> = LazyLock::new(Key::of::<ProcessKeys>);
static LISTEN: LazyLock<Vec<Key>> = LazyLock::new(Key::of::<ListenKeys>);
static OWN: LazyLock<Vec<Key>> = LazyLock::new(Key::of::<OwnKeys>);
static STREAM: LazyLock<Vec<Key>> = LazyLock::new(Key::of::<StreamKeys>);
static AUTH: LazyLock<Vec<Key>> = LazyLock::new(Key::of::<AuthKeys>);
static USER: LazyLock<Vec<Key>> = LazyLock::new(Key::of::<UserKeys>);
static CONTROL: LazyLock<Vec<Key>> = LazyLock::new(Key::of::<ControlKeys>);
static WEBHOOK: LazyLock<Vec<Key>> = LazyLock::new(Key::of::<WebhookKeys>);
static CLUSTER: LazyLock<Vec<Key>> = LazyLock::new(Key::of::<ClusterKeys>);
