//! No counter of the libraries is forgotten.

use serde_json::Value;

use crate::metrics::relay::{TestRelay, live};

/// Every counter of the libraries, and the sample that shows it.
#[rustfmt::skip]
const SHOWN: &[(&str, &str)] = &[
    ("streams", "mjpeg_streams"),
    ("streams_refused", "mjpeg_streams_refused_total"),

    ("state", "mjpeg_stream_up"),
    ("frozen_since", "mjpeg_stream_frozen"),
    ("detected", r#"mjpeg_stream_detected{reason="dark"}"#),
    ("detections", r#"mjpeg_stream_detections_total{reason="motion"}"#),
    ("undetectable", "mjpeg_stream_undetectable_total"),
    ("frames", "mjpeg_stream_frames_total"),
    ("bytes", "mjpeg_stream_frame_bytes_total"),
    ("received_bytes", "mjpeg_stream_received_bytes_total"),
    ("discarded", "mjpeg_stream_discarded_total"),
    ("repaired", "mjpeg_stream_repaired_frames_total"),
    ("reconnects", "mjpeg_stream_reconnects_total"),
    ("failures", "mjpeg_stream_failures_total"),
    ("panics", "mjpeg_stream_panics_total"),

    ("viewers", "mjpeg_stream_viewers"),
    ("viewers_refused_stream", r#"mjpeg_stream_refused_total{reason="stream_full"}"#),
    ("viewers_refused_total", r#"mjpeg_stream_refused_total{reason="relay_full"}"#),
    ("viewers_refused_address", r#"mjpeg_stream_refused_total{reason="address_full"}"#),
    ("snapshots_refused", r#"mjpeg_stream_refused_total{reason="snapshots_full"}"#),
    ("snapshots_refused_total", r#"mjpeg_stream_refused_total{reason="snapshots_relay_full"}"#),
    ("viewers_refused_kicked", r#"mjpeg_stream_refused_total{reason="kicked"}"#),
    ("denied", r#"mjpeg_stream_refused_total{reason="denied"}"#),
    ("loops", r#"mjpeg_stream_refused_total{reason="loop"}"#),
    ("gate_timeouts", "mjpeg_stream_gate_timeouts_total"),
    ("viewers_replaced", r#"mjpeg_stream_viewers_cut_total{reason="replaced"}"#),
    ("kicked", r#"mjpeg_stream_viewers_cut_total{reason="kicked"}"#),
    ("write_stalls", r#"mjpeg_stream_viewers_cut_total{reason="write_stall"}"#),
    ("send_timeouts", r#"mjpeg_stream_viewers_cut_total{reason="send_timeout"}"#),
    ("viewer_input_cuts", r#"mjpeg_stream_viewers_cut_total{reason="input"}"#),
    ("lag_cuts", r#"mjpeg_stream_viewers_cut_total{reason="lag"}"#),
    ("in_flight_cuts", r#"mjpeg_stream_viewers_cut_total{reason="in_flight"}"#),
    ("duration_ends", r#"mjpeg_stream_viewers_cut_total{reason="duration"}"#),
    ("parts", "mjpeg_stream_frames_sent_total"),
    ("sent_bytes", "mjpeg_stream_sent_bytes_total"),
    ("keepalives", "mjpeg_stream_frames_repeated_total"),
    ("skipped", "mjpeg_stream_frames_skipped_total"),
    ("snapshots", "mjpeg_stream_snapshots_total"),
    ("snapshots_not_modified", "mjpeg_stream_snapshots_not_modified_total"),
    ("snapshots_unavailable", "mjpeg_stream_snapshots_unavailable_total"),
    ("replay.frames", "mjpeg_stream_replay_frames"),
    ("replay.bytes", "mjpeg_stream_replay_memory_bytes"),
    ("replay.recorded", "mjpeg_stream_replay_recorded_total"),
    ("replay.lost", "mjpeg_stream_replay_lost_total"),
    ("replay.evicted", "mjpeg_stream_replay_evicted_total"),
    ("replay.span", "mjpeg_stream_replay_span_seconds"),
    ("clips", "mjpeg_stream_clips_total"),
    ("replays_refused", r#"mjpeg_stream_refused_total{reason="replays_full"}"#),
    ("ages", "mjpeg_stream_frame_age_seconds_count"),

    ("connections", "mjpeg_listener_connections"),
    ("accepted", "mjpeg_listener_accepted_total"),
    ("requests", "mjpeg_listener_requests_total"),
    ("accept_errors", "mjpeg_listener_accept_errors_total"),
    ("header_timeouts", r#"mjpeg_listener_closed_total{reason="header_timeout"}"#),
    ("handshake_errors", r#"mjpeg_listener_closed_total{reason="handshake_error"}"#),
    ("handshake_timeouts", r#"mjpeg_listener_closed_total{reason="handshake_timeout"}"#),
    ("handshakes_displaced", r#"mjpeg_listener_closed_total{reason="handshake_displaced"}"#),
    ("bad_requests", r#"mjpeg_listener_closed_total{reason="bad_request"}"#),
];

/// What of a stream's description is no figure.
const NO_FIGURES: &[&str] = &[
    "name",
    "source",
    "sources",
    "on_demand",
    "mode",
    "listen",
    "peer",
    "since",
    "size",
    "last_error",
    // A figure over time, which Prometheus makes itself of the frames.
    "fps",
    // Its own counters are.
    "replay",
];

#[tokio::test]
async fn every_counter_of_the_libraries_is_shown() {
    let relay = TestRelay::start(live()).await;
    let figures = relay.scrape();
    let (manager, http) = (relay.relay.manager(), relay.relay.http());
    let read = [
        serde_json::to_value(manager.stats()).unwrap(),
        serde_json::to_value(manager.get("door").unwrap()).unwrap(),
        serde_json::to_value(http.stats("door").unwrap()).unwrap(),
        serde_json::to_value(http.listener_stats("door").unwrap()).unwrap(),
    ];
    let replay = read[1]["replay"].as_object().expect("it keeps frames");
    let replay = replay.keys().map(|name| format!("replay.{name}"));
    let counters = read.iter().filter_map(Value::as_object).flatten();
    let counters = counters.map(|(name, _)| name.clone());
    for name in counters.chain(replay) {
        let name = name.as_str();
        let shown = SHOWN.iter().find(|(counter, _)| *counter == name);
        if NO_FIGURES.contains(&name) {
            continue;
        }
        let (_, sample) = shown.unwrap_or_else(|| panic!("no metric shows `{name}`"));
        let (sample, reason) = sample.split_once('{').unwrap_or((sample, ""));
        let reason = reason
            .trim_start_matches("reason=")
            .trim_matches(['"', '}']);
        let is_shown = figures.samples().any(|one| {
            one.name == sample && (reason.is_empty() || one.label("reason") == Some(reason))
        });
        assert!(is_shown, "`{name}` should be {sample} {reason}");
    }
    relay.shutdown().await;
}
