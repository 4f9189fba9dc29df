//! The relay behind the proxies.

use std::net::SocketAddr;

use mjpeg_auth::hash_token;
use serde_json::Value;

use crate::{
    folder::Folder,
    process,
    proxies::{
        curl::Server,
        proxy::{snippet, until},
    },
};

/// A relay with the configuration of the page, which serves metrics on the same port besides.
pub(super) struct Relay {
    pub(super) addr: SocketAddr,
    _server: process::Server,
    _folder: Folder,
}

impl Relay {
    pub(super) fn start(live: &str, still: &str, keeps_prefix: bool) -> Self {
        Self::start_with(live, still, keeps_prefix, "")
    }

    /// Starts one with further sections, which serves control, too, if there are any.
    pub(super) fn start_with(live: &str, still: &str, keeps_prefix: bool, more: &str) -> Self {
        let control = if more.is_empty() { "" } else { ", \"control\"" };
        let serve = format!("serve = [\"streams\", \"page\", \"metrics\"{control}]");
        let mut config = snippet("toml");
        for (printed, tested) in [
            (
                "address = \"127.0.0.1:8080\"",
                &*format!("address = \"127.0.0.1:0\"\n{serve}"),
            ),
            ("127.0.0.1:9180", "127.0.0.1:0"),
            ("# base_path", if keeps_prefix { "base_path" } else { "#" }),
        ] {
            assert!(config.contains(printed), "{printed:?} in {config}");
            config = config.replace(printed, tested);
        }
        // The still picture is never repeated, so it arrives at once or not at all.
        config += &format!(
            "[[streams]]
            name = 'live'
            source = '{live}'
            max_viewers_per_address = 1
            [[streams]]
            name = 'still'
            source = '{still}'
            stall_limit = '1h'
            keepalive = '1h'
            snapshot_wait = '0s'
            placeholder = 'none'
            {more}"
        );
        let folder = Folder::new();
        let file = folder.write("mjpeg.toml", config);
        let server = process::Server::start(&["run", "--config", &file], 1);
        Self {
            addr: server.addr(0),
            _server: server,
            _folder: folder,
        }
    }

    pub(super) fn get(&self, path: &str) -> (u16, Vec<u8>) {
        Server::plain(self.addr).get(path)
    }

    /// Viewers of the live stream.
    fn viewers(&self) -> u64 {
        let (_, body) = self.get("/api/v1/streams");
        let listed: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(listed["streams"][0]["name"], "live");
        listed["streams"][0]["viewers"].as_u64().unwrap()
    }

    pub(super) fn wait_for_viewers(&self, count: u64) {
        until(&format!("{count} viewers"), || self.viewers() == count);
    }
}

/// The section of somebody who may control the relay.
pub(super) fn operator() -> String {
    let hash = hash_token(TOKEN);
    format!("[[users]]\nname = 'operator'\ntoken_hash = '{hash}'\nmay = ['view', 'control']\n")
}

/// Theirs.
pub(super) const TOKEN: &str = "operators-only-0123456789";
