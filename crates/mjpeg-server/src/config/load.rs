//! From files and flags to a plan.

use std::path::{Path, PathBuf};

use super::{
    edits::{Edits, Written, apply, authors},
    files::{Files, TextFile, shown},
    plan::{RelayPlan, unusable::Whose},
    read::document::Document,
    registry,
    report::{Finding, Report},
    resolve::{Resolved, overrides::Overrides, resolve, streams},
    value::placeholder::PlaceholderChoice,
};

/// A configuration, and what was found in it.
pub(crate) struct Loaded {
    pub(crate) report: Report,
    pub(crate) resolved: Resolved,
    /// None if there are errors.
    pub(crate) plan: Option<RelayPlan>,
    pub(crate) written: Written,
}

/// Reads a configuration. Without a file, the overrides are all there is.
pub(crate) fn load(path: Option<&Path>, overrides: &Overrides) -> Loaded {
    load_edited(path, overrides, &Edits::default())
}

/// Reads a configuration, with what the API has set.
pub(crate) fn load_edited(path: Option<&Path>, overrides: &Overrides, edits: &Edits) -> Loaded {
    let mut report = Report::default();
    let document = path.map(|path| Document::read(path, &edits.files, &mut report));
    let document = document.unwrap_or_default();
    // A program that writes files often empties them first. Viewers must not pay for that.
    if document.is_blank && overrides.streams.is_empty() && !report.has_errors() {
        let mut finding = Finding::error("this file is empty")
            .with_help("add a [[streams]] table, or at least a [[listen]]");
        finding.about = path.map(shown);
        report.add(finding);
    }
    let mut own = streams::own(&document, overrides, &mut report);
    registry::add(&edits.registry, &document, overrides, &mut own, &mut report);
    let run = apply(&edits.run, &mut own, &mut report);
    let resolved = resolve(&document, overrides, &own, &mut report);
    for stream in &resolved.settings.streams {
        if let PlaceholderChoice::File(path) = &stream.keys.placeholder.0 {
            report.watched.insert(path.clone());
        }
    }
    let plan = RelayPlan::new(&resolved.settings).map_err(|unusable| {
        for setting in unusable {
            let layer = match setting.whose {
                Whose::Listen(at) => &resolved.listens[at],
                Whose::Stream(at) => &resolved.streams[at],
                Whose::User(at) => &resolved.users[at],
                Whose::Cluster => resolved.cluster.as_ref().unwrap_or(&resolved.process),
            };
            report.add_once(Finding::error(setting.message).about(layer, setting.key));
        }
    });
    let plan = plan.ok().filter(|_| !report.has_errors());
    let read = |file: &&TextFile| report.watched.contains(&file.path);
    let texts = report.files.iter().filter(read);
    let texts = texts.map(|file| (file.path.clone(), file.text.clone()));
    let written = Written {
        own: authors(&own, &run, &report),
        run,
        files: Files(Some(texts.collect())),
        includes: document.includes,
        registry: edits.registry.clone(),
    };
    report.sort();
    Loaded {
        report,
        resolved,
        plan,
        written,
    }
}

/// The file that is used where none is named: the first that exists.
pub(crate) fn found() -> Option<PathBuf> {
    let paths = SEARCHED.into_iter().map(PathBuf::from);
    paths.into_iter().find(|path| path.exists())
}

/// Where a file is looked for, in this order.
pub(crate) const SEARCHED: [&str; 2] = ["./mjpeg.toml", "/etc/mjpeg-server/mjpeg.toml"];

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::*;
    use crate::config::{
        report::Level,
        schema::{key::Key, section::Section},
    };

    /// Loads a file with this content.
    fn loaded(name: &str, text: &str) -> Loaded {
        let path = env::temp_dir().join(format!("mjpeg-load-{}-{name}", process::id()));
        fs::write(&path, text).unwrap();
        let loaded = load(Some(&path), &Overrides::default());
        fs::remove_file(&path).unwrap();
        loaded
    }

    const SECRETS: &str = r#"
[[streams]]
name = "a"
source = "http://hunter2:hunter2@cam/x?password=hunter2#header=X-Key:hunter2"
fallback = ["exec:curl -u me:hunter2 'hunter2'", 'rtsp://me:hunter2@cam/'] # hunter2
max_fps = "x"
[[streams]]
"name" = 'b'
password = """
hunter2
"""
source = '''tcp://hunter2@cam'''
linger = "http://hunter2@x"
"#;

    #[test]
    fn no_damage_to_a_file_shows_a_secret_of_it() {
        let check = |text: &str| {
            let report = loaded("damage", text).report;
            let said = report.rendered() + &format!("{:?}", report.lines(Level::Error));
            assert!(!said.contains("hunter2"), "{text}\n{said}");
        };
        check(SECRETS);
        for at in (0..SECRETS.len()).filter(|at| SECRETS.is_char_boundary(*at)) {
            check(&SECRETS[..at]);
            let (before, after) = SECRETS.split_at(at);
            let mut rest = after.chars();
            let removed = rest.next();
            check(&(before.to_owned() + rest.as_str()));
            for other in ["\"", "'", "\n", "=", "\u{1b}"] {
                if removed.is_some_and(|c| !c.is_ascii_alphanumeric()) {
                    check(&(before.to_owned() + other + rest.as_str()));
                }
            }
        }
    }

    #[test]
    fn settings_are_equal_where_they_mean_the_same_and_show_no_secret() {
        let stream = |source: &str, more: &str| {
            format!("[[streams]]\nname = \"a\"\nsource = \"{source}\"\n{more}")
        };
        let settings = |text: &str| loaded("equal", text).resolved.settings;
        let url = "http://me:hunter2@cam/";
        let fallback = format!("fallback = ['{url}']");
        let plain = settings(&stream(url, &fallback));
        let shown = toml::to_string(&plain).unwrap() + &format!("{plain:?}");
        assert!(
            !shown.contains("hunter2") && shown.contains("http://***@cam/"),
            "{shown}"
        );
        let stream = |source: &str, more: &str| stream(source, &format!("{fallback}\n{more}"));
        for (text, is_equal) in [
            (stream(url, "max_viewers = 10000"), true),
            (stream(url, "linger = \"10000ms\""), true),
            (stream(url, "[defaults]\nstall_limit = \"11s\""), false),
            (stream("http://me:hunter3@cam/", ""), false),
            (stream(url, "max_viewers = 1"), false),
        ] {
            assert_eq!(settings(&text) == plain, is_equal, "{text}");
        }
    }

    /// Another value than the default.
    fn other(key: &Key) -> String {
        let word = match &*key.name {
            "fallback" => "['tcp://cam:2']",
            "start" => "'require'",
            "repair" => "[]",
            "rotate" => "90",
            "detect_mask" => "['0,0,50,50']",
            "placeholder" | "snapshot_max_age" => "'none'",
            "serve" => "['metrics']",
            "trusted_proxies" => "['10.0.0.1']",
            "hosts" => "['cam.example']",
            "origins" | "frame_ancestors" => "[]",
            "default" => "'a'",
            "base_path" => "'/x'",
            "address" => "8082",
            "anonymous" => "['view']",
            "may" => "['control']",
            "streams" => "['a']",
            "sources" => "['tcp']",
            "allow" => "['10.0.0.0/8']",
            "view" => "[]",
            "clip_on" => "['frozen']",
            "max_clip_duration" => "'1m'",
            "tls" => "{ certificate = '/a', key = '/b' }",
            "requires" => "{ site = 'a' }",
            "jwt" => "{ issuer = 'i', audience = 'a', jwks = 'https://keys.example/' }",
            _ => match (key.default().as_deref(), key.kind().as_str()) {
                (Some("true"), _) => "false",
                (Some("false"), _) => "true",
                (_, kind) if kind.starts_with("time") => "'1234ms'",
                (_, "size") => "'3KiB'",
                (_, kind) if kind.contains("number") => "7",
                _ => return key.example().unwrap_or_default(),
            },
        };
        word.into()
    }

    const CLUSTER: &str = "name = 'plant'\nnode = 'a'\nengine = ['http://127.0.0.1:1']\n\
                           listen = '127.0.0.1:1'";

    #[test]
    fn every_key_reaches_the_libraries() {
        let planned = |listen: &str, process: &str, stream: &str| {
            let text = format!(
                "{process}\n[[listen]]\n{listen}\n[[streams]]\n{stream}\n[[streams]]\nname = 'b'\n\
                 source = 'test:'"
            );
            let loaded = loaded("effect", &text);
            let Loaded { plan, report, .. } = loaded;
            plan.unwrap_or_else(|| panic!("{}", report.rendered()))
        };
        let plan = |listen: &str, process: &str, stream: &str| {
            format!("{:?}", planned(listen, process, stream))
        };
        let (listen, stream) = ("address = 8081", "name = 'a'\nsource = 'http://cam/'");
        // Those are the program's own.
        let own = ["watch", "log", "log_format", "state_dir"];
        let of_libraries = |key: &&Key| !own.contains(&&*key.name);
        for key in Section::Process.keys().filter(of_libraries) {
            let set = format!("{} = {}", key.name, other(key));
            assert_ne!(
                plan(listen, &set, stream),
                plan(listen, "", stream),
                "{set}"
            );
        }
        for key in Section::Listen.keys() {
            let set = format!("{} = {}", key.name, other(key));
            let base = match &*key.name {
                "address" | "fd" | "unix" => "",
                "mode" => "unix = '/run/x'",
                _ => listen,
            };
            let before = if base.is_empty() { listen } else { base };
            let after = format!("{base}\n{set}");
            assert_ne!(plan(&after, "", stream), plan(before, "", stream), "{set}");
        }
        for key in Section::Auth.keys() {
            let base = match &*key.name {
                "hook_timeout" => format!("{stream}\n[auth]\nhook = 'http://h/'"),
                _ => format!("{stream}\n[auth]"),
            };
            let set = format!("{base}\n{} = {}", key.name, other(key));
            assert_ne!(plan(listen, "", &set), plan(listen, "", &base), "{set}");
        }
        let webhook = format!("{stream}\n[[webhooks]]\nurl = 'http://h/'\nsecret = 'x'");
        for key in Section::Webhook.keys() {
            let set = match &*key.name {
                "url" => webhook.replace("http://h/", "http://h/other"),
                "secret" => webhook.replace("'x'", "'y'"),
                "events" => format!("{webhook}\nevents = ['online']"),
                name => format!("{webhook}\n{name} = {}", other(key)),
            };
            // They may show the same.
            let [set_plan, base] = [&set, &webhook].map(|text| planned(listen, "", text));
            assert_ne!(set_plan.webhooks, base.webhooks, "{set}");
        }
        let user = format!("{stream}\n[[users]]\nname = 'alice'");
        for key in Section::User.keys() {
            let value = match &*key.name {
                "name" => "'bob'".to_owned(),
                "password_hash" => format!("'{}'", mjpeg_auth::hash_password("x")),
                "token_hash" => format!("'sha256:{}'", "0".repeat(64)),
                "certificate" => format!("'{}'", "0".repeat(64)),
                _ => other(key),
            };
            let set = match &*key.name {
                "name" => user.replace("'alice'", &value),
                name => format!("{user}\n{name} = {value}"),
            };
            assert_ne!(plan(listen, "", &set), plan(listen, "", &user), "{set}");
        }
        #[cfg(feature = "cluster")]
        for key in Section::Cluster.keys() {
            let value = match &*key.name {
                "name" | "node" => "'other'".to_owned(),
                "engine" => "['http://127.0.0.1:2']".into(),
                "engine_tls" => "{ ca = '/a' }".into(),
                "listen" => "'127.0.0.1:2'".into(),
                "advertise" => "'127.0.0.1:3'".into(),
                "engine_loss" => "'drop'".into(),
                "labels" => "{ site = 'a' }".into(),
                "tls" => "{ certificate = '/a', key = '/b', ca = '/c' }".into(),
                // They are secret, or not for the libraries.
                "engine_user" | "engine_password" | "references" | "secret" => continue,
                _ => other(key),
            };
            let base = format!("{stream}\n[cluster]\n{CLUSTER}");
            let is_other = |line: &&str| !line.starts_with(&format!("{} =", key.name));
            let rest: Vec<&str> = CLUSTER.lines().filter(is_other).collect();
            let set = format!(
                "{stream}\n[cluster]\n{}\n{} = {value}",
                rest.join("\n"),
                key.name
            );
            assert_ne!(plan(listen, "", &set), plan(listen, "", &base), "{set}");
        }
        for key in Section::Stream.keys().filter(|key| {
            // Without a cluster, it means nothing.
            !key.is_required() && (cfg!(feature = "cluster") || key.name != "requires")
        }) {
            let set = format!("{} = {}", key.name, other(key));
            let base = match &*key.name {
                "linger" => format!("{stream}\non_demand = true"),
                "max_replay_memory" => format!("{stream}\nreplay = '1s'"),
                "requires" => format!("{stream}\n[cluster]\n{CLUSTER}"),
                "clip_on" => format!("{stream}\nreplay = '1m'"),
                "clip_before" | "clip_after" | "max_clip_duration" => {
                    format!("{stream}\nreplay = '1m'\nclip_on = ['offline']")
                }
                "snapshot_max_age" => format!("{stream}\nsnapshot_max_age = '1s'"),
                _ => stream.into(),
            };
            let after = match &*key.name {
                "snapshot_max_age" => stream.into(),
                "requires" => format!("{stream}\n{set}\n[cluster]\n{CLUSTER}"),
                _ => format!("{base}\n{set}"),
            };
            assert_ne!(plan(listen, "", &after), plan(listen, "", &base), "{set}");
        }
    }
}
