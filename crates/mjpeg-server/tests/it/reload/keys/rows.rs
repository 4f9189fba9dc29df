//! A change of each key.

use super::Place::{self, Listen, Stream, Top};

/// A change of a key.
pub(super) struct Row {
    pub(super) place: Place,
    pub(super) key: &'static str,
    /// What the reference says.
    pub(super) reload: &'static str,
    pub(super) value: &'static str,
    /// What else changes, so that it is valid or can be seen.
    pub(super) also: &'static [(Place, &'static str, &'static str)],
    /// A part of a line in the log.
    pub(super) line: &'static str,
    /// What the viewer of the stream `watched` sees.
    pub(super) sequence: Sequence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sequence {
    /// No frame is missed.
    Whole,
    /// The camera is connected again.
    Reconnects,
    /// Another camera is connected.
    Moves,
    /// It has fewer frames.
    Skips,
    /// The reload is refused, and no frame is missed.
    Refused,
}

const KEEP: &str = "viewers keep their response";
const NEW: &str = "new viewers only";
const RESTART: &str = "restart";

const fn row(
    place: Place,
    key: &'static str,
    reload: &'static str,
    [value, line]: [&'static str; 2],
    sequence: Sequence,
) -> Row {
    Row {
        place,
        key,
        reload,
        value,
        also: &[],
        line,
        sequence,
    }
}

const fn also(mut row: Row, also: &'static [(Place, &'static str, &'static str)]) -> Row {
    row.also = also;
    row
}

const MAIN: Place = Listen("1 main");
const UNIX: Place = Listen("2 unix");
const WATCHED: Place = Stream("watched");
const OTHER: Place = Stream("other");
const OFF: Place = Stream("off");
const STILL: Place = Stream("still");
const LAZY: Place = Stream("lazy");

use Sequence::{Moves, Reconnects, Refused, Skips, Whole};

pub(super) const ROWS: &[Row] = &[
    row(
        Top,
        "include",
        KEEP,
        ["[\"more/*.toml\"]", "+ stream more"],
        Whole,
    ),
    row(
        Top,
        "worker_threads",
        RESTART,
        ["2", "~ worker_threads 1 -> 2 (restart)"],
        Whole,
    ),
    row(
        Top,
        "max_viewers_total",
        NEW,
        ["1", "max_viewers_total 20000 -> 1"],
        Whole,
    ),
    row(
        Top,
        "max_replay_memory_total",
        KEEP,
        [
            "\"64MiB\"",
            "max_replay_memory_total \"512MiB\" -> \"64MiB\"",
        ],
        Whole,
    ),
    row(
        Top,
        "max_replays_total",
        NEW,
        ["1", "max_replays_total 16 -> 1"],
        Whole,
    ),
    row(
        Top,
        "max_clip_storage",
        RESTART,
        [
            "\"1MiB\"",
            "max_clip_storage \"1GiB\" -> \"1MiB\" (restart)",
        ],
        Whole,
    ),
    row(
        Top,
        "max_timelapse_storage",
        RESTART,
        [
            "\"1MiB\"",
            "max_timelapse_storage \"10GiB\" -> \"1MiB\" (restart)",
        ],
        Whole,
    ),
    row(Top, "max_walls", NEW, ["0", "max_walls 200 -> 0"], Whole),
    also(
        row(
            Top,
            "max_walls_per_address",
            NEW,
            ["0", "max_walls_per_address 16 -> 0"],
            Whole,
        ),
        &[(MAIN, "trusted_proxies", "[\"127.0.0.1\"]")],
    ),
    row(
        Top,
        "notsent_lowat",
        NEW,
        ["\"32KiB\"", "\"16KiB\" -> \"32KiB\""],
        Whole,
    ),
    row(
        Top,
        "state_dir",
        RESTART,
        [
            "\"{folder}\"",
            "~ state_dir not set -> \"{folder}\" (restart)",
        ],
        Whole,
    ),
    row(Top, "watch", KEEP, ["true", "~ watch false -> true"], Whole),
    row(
        Top,
        "log",
        KEEP,
        [
            "\"mjpeg_http=debug\"",
            "log \"info\" -> \"info,mjpeg_http=debug\"",
        ],
        Whole,
    ),
    row(
        Top,
        "log_format",
        RESTART,
        ["\"json\"", "~ log_format \"text\" -> \"json\" (restart)"],
        Whole,
    ),
    row(
        MAIN,
        "name",
        KEEP,
        ["\"door\"", "~ listen door: name \"listen1\" -> \"door\""],
        Whole,
    ),
    row(
        MAIN,
        "address",
        KEEP,
        ["\"{free}\"", "+ listen listen1: {free}"],
        Whole,
    ),
    row(
        UNIX,
        "unix",
        KEEP,
        ["\"{folder}/other.sock\"", "+ listen listen2: unix:"],
        Whole,
    ),
    row(
        UNIX,
        "mode",
        KEEP,
        ["\"0640\"", "listen2: mode \"0600\" -> \"0640\""],
        Whole,
    ),
    also(
        row(
            UNIX,
            "fd",
            KEEP,
            ["\"passed\"", "no listening socket named"],
            Refused,
        ),
        &[(UNIX, "unix", ""), (UNIX, "mode", "")],
    ),
    row(
        MAIN,
        "serve",
        NEW,
        ["[\"streams\"]", "listen1: serve [\"streams\", \"page\""],
        Whole,
    ),
    row(
        MAIN,
        "default",
        NEW,
        ["\"watched\"", "default not set -> \"watched\""],
        Whole,
    ),
    row(
        MAIN,
        "base_path",
        NEW,
        ["\"/cams\"", "base_path \"\" -> \"/cams\""],
        Whole,
    ),
    row(
        MAIN,
        "hosts",
        NEW,
        ["[\"cams.example\"]", "hosts [] -> [\"cams.example\"]"],
        Whole,
    ),
    row(
        MAIN,
        "tls",
        NEW,
        [
            "{ certificate = \"{folder}/tls/cert.pem\", key = \"{folder}/tls/key.pem\" }",
            "{folder}/tls/cert.pem",
        ],
        Whole,
    ),
    row(
        MAIN,
        "trusted_proxies",
        NEW,
        ["[\"10.0.0.0/8\"]", "[] -> [\"10.0.0.0/8\"]"],
        Whole,
    ),
    also(
        row(
            MAIN,
            "origins",
            NEW,
            ["[\"http://a.example\"]", "listen1: origins [\"*\"] -> "],
            Whole,
        ),
        &[(UNIX, "origins", "[\"http://a.example\"]")],
    ),
    row(
        MAIN,
        "page_dir",
        NEW,
        ["\"{folder}/page\"", "page_dir not set -> \"{folder}/page\""],
        Whole,
    ),
    row(
        MAIN,
        "frame_ancestors",
        NEW,
        ["[\"'self'\"]", "frame_ancestors [\"*\"] -> [\"'self'\"]"],
        Whole,
    ),
    row(
        OTHER,
        "name",
        "another name is another stream: the viewers of the old one end",
        ["\"another\"", "+ stream another"],
        Whole,
    ),
    row(
        WATCHED,
        "source",
        KEEP,
        ["\"{second}\"", "~ stream watched: source \""],
        Moves,
    ),
    row(
        OFF,
        "fallback",
        KEEP,
        ["[\"{second}\"]", "~ stream off: fallback [] -> [\""],
        Whole,
    ),
    row(
        WATCHED,
        "listen",
        KEEP,
        ["\"{free}\"", "listen not set -> \"{free}\""],
        Whole,
    ),
    row(
        WATCHED,
        "aliases",
        KEEP,
        ["[\"alias\"]", "aliases [] -> [\"alias\"]"],
        Whole,
    ),
    row(
        WATCHED,
        "start",
        RESTART,
        ["\"require\"", "-> \"require\" (restart)"],
        Whole,
    ),
    row(
        WATCHED,
        "connect_timeout",
        KEEP,
        ["\"4s\"", "\"5s\" -> \"4s\""],
        Reconnects,
    ),
    row(
        WATCHED,
        "answer_timeout",
        KEEP,
        ["\"20s\"", "\"30s\" -> \"20s\""],
        Reconnects,
    ),
    row(
        WATCHED,
        "stall_limit",
        KEEP,
        ["\"20s\"", "\"10s\" -> \"20s\""],
        Reconnects,
    ),
    row(
        WATCHED,
        "poll_interval",
        KEEP,
        ["\"1s\"", "\"500ms\" -> \"1s\""],
        Whole,
    ),
    row(
        WATCHED,
        "login_retry",
        KEEP,
        ["\"1m\"", "\"5m\" -> \"1m\""],
        Reconnects,
    ),
    also(
        row(
            OTHER,
            "on_demand",
            KEEP,
            ["true", "on_demand false -> true"],
            Whole,
        ),
        &[(OTHER, "linger", "\"1ms\"")],
    ),
    row(
        WATCHED,
        "linger",
        KEEP,
        ["\"1m\"", "linger \"10s\" -> \"1m\""],
        Whole,
    ),
    row(WATCHED, "repair", KEEP, ["[]", "\"eoi\"] -> []"], Whole),
    row(WATCHED, "rotate", KEEP, ["90", "rotate 0 -> 90"], Whole),
    row(
        WATCHED,
        "mirror",
        KEEP,
        ["true", "mirror false -> true"],
        Whole,
    ),
    row(
        WATCHED,
        "check_frames",
        KEEP,
        ["true", "check_frames false -> true"],
        Whole,
    ),
    row(
        WATCHED,
        "pass_unsupported",
        KEEP,
        ["true", "false -> true"],
        Whole,
    ),
    row(
        WATCHED,
        "frozen_after",
        KEEP,
        ["\"1m\"", "\"30s\" -> \"1m\""],
        Whole,
    ),
    row(
        WATCHED,
        "detect_dark",
        KEEP,
        ["8", "detect_dark \"none\" -> 8"],
        Whole,
    ),
    row(
        WATCHED,
        "detect_covered",
        KEEP,
        ["4", "detect_covered \"none\" -> 4"],
        Whole,
    ),
    row(
        WATCHED,
        "detect_still",
        KEEP,
        ["\"10s\"", "detect_still \"none\" -> \"10s\""],
        Whole,
    ),
    row(
        WATCHED,
        "detect_motion",
        KEEP,
        ["1.5", "detect_motion \"none\" -> 1.5"],
        Whole,
    ),
    row(
        WATCHED,
        "detect_mask",
        KEEP,
        ["[\"0,0,100,10\"]", "detect_mask [] -> [\"0,0,100,10\"]"],
        Whole,
    ),
    row(
        WATCHED,
        "detect_hold",
        KEEP,
        ["\"1s\"", "detect_hold \"3s\" -> \"1s\""],
        Whole,
    ),
    row(
        OFF,
        "placeholder",
        KEEP,
        ["\"{folder}/picture.jpg\"", "placeholder \"none\" -> "],
        Whole,
    ),
    row(
        WATCHED,
        "placeholder_after",
        KEEP,
        ["\"1m\"", "\"10s\" -> \"1m\""],
        Whole,
    ),
    row(
        OFF,
        "snapshot_wait",
        NEW,
        ["\"1ms\"", "snapshot_wait \"1h\" -> \"1ms\""],
        Whole,
    ),
    row(
        LAZY,
        "snapshot_connect_wait",
        NEW,
        ["\"1ms\"", "\"1h\" -> \"1ms\""],
        Whole,
    ),
    row(
        STILL,
        "snapshot_fresh",
        NEW,
        ["true", "snapshot_fresh false -> true"],
        Whole,
    ),
    row(
        STILL,
        "snapshot_max_age",
        NEW,
        ["\"1ms\"", "\"none\" -> \"1ms\""],
        Whole,
    ),
    row(
        WATCHED,
        "max_snapshots",
        NEW,
        ["0", "max_snapshots 1000 -> 0"],
        Whole,
    ),
    row(
        WATCHED,
        "max_viewers",
        NEW,
        ["1", "max_viewers 10000 -> 1"],
        Whole,
    ),
    row(
        WATCHED,
        "max_viewers_per_address",
        NEW,
        ["1", "\"none\" -> 1"],
        Whole,
    ),
    row(
        OTHER,
        "max_duration",
        "viewers keep their response, except those that have had it for longer",
        ["\"1ms\"", "\"none\" -> \"1ms\""],
        Whole,
    ),
    row(
        WATCHED,
        "max_fps",
        KEEP,
        ["10", "max_fps \"none\" -> 10"],
        Skips,
    ),
    row(
        WATCHED,
        "max_kbps",
        KEEP,
        ["8", "max_kbps \"none\" -> 8"],
        Skips,
    ),
    row(
        STILL,
        "keepalive",
        KEEP,
        ["\"100ms\"", "keepalive \"1h\" -> \"100ms\""],
        Whole,
    ),
    row(
        WATCHED,
        "write_stall",
        KEEP,
        ["\"1m\"", "\"30s\" -> \"1m\""],
        Whole,
    ),
    row(
        WATCHED,
        "max_inflight",
        KEEP,
        ["\"32MiB\"", "\"64MiB\" -> \"32MiB\""],
        Whole,
    ),
    row(
        WATCHED,
        "replay",
        KEEP,
        ["\"10s\"", "replay \"none\" -> \"10s\""],
        Whole,
    ),
    row(
        WATCHED,
        "max_replay_memory",
        KEEP,
        ["\"1MiB\"", "max_replay_memory \"256MiB\" -> \"1MiB\""],
        Whole,
    ),
    row(
        WATCHED,
        "max_replays",
        NEW,
        ["1", "max_replays 4 -> 1"],
        Whole,
    ),
    also(
        row(
            WATCHED,
            "clip_on",
            KEEP,
            ["[\"offline\"]", "clip_on [] -> [\"offline\"]"],
            Whole,
        ),
        &[(WATCHED, "replay", "\"60s\"")],
    ),
    row(
        WATCHED,
        "clip_before",
        KEEP,
        ["\"5s\"", "clip_before \"10s\" -> \"5s\""],
        Whole,
    ),
    row(
        WATCHED,
        "clip_after",
        KEEP,
        ["\"5s\"", "clip_after \"20s\" -> \"5s\""],
        Whole,
    ),
    row(
        WATCHED,
        "max_clip_duration",
        KEEP,
        ["\"5m\"", "max_clip_duration \"2m\" -> \"5m\""],
        Whole,
    ),
    row(
        OTHER,
        "view",
        "within 1 s, viewers without the right end",
        ["[]", "view not set -> []"],
        Whole,
    ),
    row(
        WATCHED,
        "webkit_fetch_mixed",
        NEW,
        ["true", "false -> true"],
        Whole,
    ),
    row(
        WATCHED,
        "requires",
        KEEP,
        ["{ site = 'a' }", "requires {} -> {"],
        Whole,
    ),
];
