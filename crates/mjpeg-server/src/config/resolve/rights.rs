//! Users and rights: who may do what, and whether strangers are kept out of what is not theirs.

use std::collections::{BTreeMap, BTreeSet};

use mjpeg_manager::{StreamName, mjpeg_ingest::DialPolicy};

use crate::config::{
    keys::{
        auth::{AuthKeys, EVERY_STREAM, UserKeys},
        control::ControlKeys,
        listen::ListenKeys,
        stream::{OwnKeys, StreamKeys},
    },
    layer::Layer,
    read::{document::Document, nearest::nearest},
    report::{Finding, Report},
    value::choice::{RightWord, Serve},
};

/// Who may do what, as it was written.
pub(super) struct WrittenRights {
    pub(super) auth: Layer,
    pub(super) users: Vec<Layer>,
    pub(super) control: Layer,
}

impl WrittenRights {
    pub(super) fn new(document: &Document) -> Self {
        let users = document.users.iter();
        Self {
            auth: Layer::built_in::<AuthKeys>().under(&document.auth),
            users: users
                .map(|own| Layer::built_in::<UserKeys>().under(own))
                .collect(),
            control: Layer::built_in::<ControlKeys>().under(&document.control),
        }
    }

    /// Which addresses the API's sources may connect to.
    pub(super) fn dial_policy(&self) -> DialPolicy {
        self.control.read::<ControlKeys>().dial_policy()
    }

    /// Finds what is wrong with the users, and with what listeners and streams say of them.
    pub(super) fn check(
        &self,
        listens: &[Layer],
        streams: &[Layer],
        names: &BTreeMap<String, usize>,
        report: &mut Report,
    ) {
        let auth: AuthKeys = self.auth.read();
        if auth.anonymous.contains(&RightWord::Control) {
            let finding = Finding::error("nobody may control this without credentials");
            let help = "give the right to a user; on loopback and Unix sockets none is needed";
            report.add(finding.about(&self.auth, "anonymous").with_help(help));
        }
        self.check_sources(report);
        let users = self.check_users(&auth, names, report);
        check_views(streams, &users, report);
        let users: Vec<UserKeys> = self.users.iter().map(Layer::read).collect();
        for layer in listens {
            check_listener(layer, &auth, &users, report);
        }
    }

    fn check_sources(&self, report: &mut Report) {
        let control: ControlKeys = self.control.read();
        for kind in &control.sources {
            if SOURCE_KINDS.contains(&&**kind) {
                continue;
            }
            let finding = Finding::error(format!("there is no kind of source `{kind}`"));
            let help = match nearest(kind, SOURCE_KINDS) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("the kinds are {}", SOURCE_KINDS.join(", ")),
            };
            report.add(finding.about(&self.control, "sources").with_help(help));
        }
    }

    /// Checks the users, and returns their names.
    fn check_users(
        &self,
        auth: &AuthKeys,
        names: &BTreeMap<String, usize>,
        report: &mut Report,
    ) -> BTreeSet<String> {
        let mut known = BTreeSet::new();
        for layer in &self.users {
            let keys: UserKeys = layer.read();
            match &keys.name {
                Some(name) if !known.insert(name.0.0.clone()) => {
                    let finding = Finding::error(format!("two users are called {}", name.0));
                    report.add(finding.about(layer, "name"));
                }
                Some(_) => {}
                None if layer.broken.contains("name") => {}
                None => {
                    let finding = Finding::error("this user has no `name`");
                    report.add(finding.at(layer.place.clone()).with_key("name"));
                }
            }
            let is_broken = ["password_hash", "token_hash", "certificate"]
                .iter()
                .any(|key| layer.broken.contains(*key));
            let can_log_in = keys.password_hash.is_some()
                || keys.token_hash.is_some()
                || keys.certificate.is_some();
            if !can_log_in && !auth.remote_user && !is_broken {
                let finding = Finding::warning("this user cannot log in");
                let help = "add a `password_hash` or a `token_hash`: mjpeg-server hash-password";
                report.add(
                    finding
                        .at(layer.place.clone())
                        .with_key("password_hash")
                        .with_help(help),
                );
            }
            for stream in &keys.streams {
                if stream == EVERY_STREAM || names.contains_key(stream) {
                    continue;
                }
                let finding = match stream.parse::<StreamName>() {
                    Ok(_) => Finding::warning(format!("no stream is named {stream}")),
                    Err(error) => Finding::error(format!("`{stream}`: {error}"))
                        .with_help("\"*\" is all streams"),
                };
                report.add(finding.about(layer, "streams"));
            }
        }
        known
    }
}

/// Checks what streams say of users.
fn check_views(streams: &[Layer], users: &BTreeSet<String>, report: &mut Report) {
    for layer in streams {
        let keys: StreamKeys = layer.read();
        let Some(view) = keys.view else { continue };
        for name in view.iter().filter(|name| !users.contains(&name.0.0)) {
            let mut finding = Finding::error(format!("no user is named {}", name.0));
            if let Some(meant) = nearest(&name.0.0, users.iter().map(String::as_str)) {
                finding = finding.with_help(format!("did you mean `{meant}`?"));
            }
            report.add_once(finding.about(layer, "view"));
        }
        let own: OwnKeys = layer.read();
        if own.listen.is_some_and(|listen| !listen.is_local()) {
            let message = "this stream is not for everybody, and its own port has no encryption: \
                           passwords and pictures can be read on the way";
            let finding = Finding::warning(message);
            let help = "leave `listen` out, or let it be on 127.0.0.1";
            report.add(finding.about(layer, "listen").with_help(help));
        }
    }
}

/// Checks that a listener opens to strangers only what is theirs.
fn check_listener(layer: &Layer, auth: &AuthKeys, users: &[UserKeys], report: &mut Report) {
    let keys: ListenKeys = layer.read();
    // Only the operator of a socket from systemd knows where it is.
    let is_local = keys.unix.is_some() || keys.address.is_some_and(|address| address.is_local());
    // What tokens say is not known here.
    let has = |right| auth.jwt.is_some() || users.iter().any(|user| user.may.contains(&right));
    if keys.serve.contains(&Serve::Control) && !has(RightWord::Control) {
        let open = match () {
            () if !is_local => Some(("serve", "others can reach this listener")),
            () if !keys.trusted_proxies.is_empty() => Some((
                "trusted_proxies",
                "a reverse proxy lets others reach this listener",
            )),
            () if !keys.base_path.is_empty() => Some((
                "base_path",
                "a reverse proxy lets others reach this listener",
            )),
            () => None,
        };
        if let Some((key, why)) = open {
            let message = format!("\"control\" needs a user who may control, because {why}");
            let help = "add one to [[users]], with may = [\"view\", \"control\"]";
            report.add(Finding::error(message).about(layer, key).with_help(help));
        }
    }
    if keys.serve.contains(&Serve::Metrics) && !is_local {
        let anonymous = auth.anonymous.contains(&RightWord::Metrics);
        let finding = match () {
            () if anonymous => Some("everybody who reaches this listener may read the metrics"),
            () if !has(RightWord::Metrics) => {
                Some("nobody has the right to read the metrics here: no user may")
            }
            () => None,
        };
        if let Some(message) = finding {
            report.add(Finding::warning(message).about(layer, "serve"));
        }
    }
}

/// The kinds of sources that there are, as their URLs begin.
const SOURCE_KINDS: [&str; 13] = [
    "tcp",
    "tcp-listen",
    "http-listen",
    "push",
    "unix",
    "file",
    "exec",
    "http",
    "https",
    "rtsp",
    "rtsps",
    "test",
    "v4l2",
];
