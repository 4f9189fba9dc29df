//! Configurations that mean harm, or are none.

use std::time::{Duration, Instant};

use crate::{folder::Folder, process::run};

/// Migrates this text, within a few seconds.
fn migrated(from: &str, text: impl AsRef<[u8]>) -> (Option<i32>, String, String) {
    let folder = Folder::new();
    let file = folder.write("input", text);
    #[allow(clippy::disallowed_methods, reason = "this waits for a real process")]
    let since = Instant::now();
    let told = run(&["migrate", "--from", from, &file]);
    assert!(since.elapsed() < Duration::from_secs(60), "{from}");
    let (_, out, err) = &told;
    for text in [out, err] {
        let is_odd = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!text.contains(is_odd), "{text:?}");
    }
    told
}

#[test]
fn files_that_are_no_configurations_are_refused() {
    let folder = Folder::new();
    for (text, why) in [
        (vec![b'#'; (1 << 20) + 1], "is larger than 1 MiB"),
        (vec![0xFF, 0xFE, 0], "is no text in UTF-8"),
        (Vec::new(), "cannot tell which program reads this"),
    ] {
        let file = folder.write("input", text);
        let (code, out, err) = run(&["migrate", &file]);
        assert_eq!((code, &*out), (Some(1), ""), "{err}");
        assert!(err.contains(why) && err.contains("input"), "{err}");
    }
    let folder = folder.path().to_str().unwrap();
    let (code, _, err) = run(&["migrate", folder]);
    assert!(code == Some(1) && err.contains("is a folder"), "{err}");
    let (code, _, err) = run(&["migrate", "/no/such/file"]);
    assert!(code == Some(1) && err.contains("/no/such/file"), "{err}");
    let (code, _, err) = run(&["migrate", "/dev/zero"]);
    assert!(
        code == Some(1) && err.contains("is larger than 1 MiB"),
        "{err}"
    );
    for (from, expected) in [
        ("mjpg-streamer", "expected a command line"),
        ("ustreamer", "expected a command line"),
        ("go2rtc", "expected `streams:`"),
        ("frigate", "expected `cameras:`"),
        ("crowsnest", "no camera can be carried over"),
    ] {
        let (code, out, err) = migrated(from, "nothing: here\n");
        assert_eq!((code, &*out), (Some(1), ""), "{from}");
        assert!(err.contains(expected), "{from}: {err}");
    }
}

#[test]
fn yaml_of_one_mebibyte_is_read_and_its_aliases_stand_for_little() {
    let (code, out, _) = migrated(
        "go2rtc",
        format!(
            "#{}\nstreams:\n  a: tcp://cam:1",
            "x".repeat((1 << 20) - 40)
        ),
    );
    assert!(code == Some(0) && out.contains("tcp://cam:1"));
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x]\n");
    for n in 1..30 {
        let item = format!("*a{}", n - 1);
        bomb += &format!("a{n}: &a{n} [{}]\n", vec![item; 8].join(", "));
    }
    let (code, _, err) = migrated("go2rtc", bomb + "streams: {a: *a29}\n");
    assert!(
        code == Some(1) && err.contains("aliases stand for too much"),
        "{err}"
    );
    for (text, why) in [
        ("streams: &a [*a]".to_owned(), "within what it stands for"),
        (format!("streams: {}", "[".repeat(1000)), "no YAML"),
        (format!("a: {}x", "- ".repeat(1000)), "no YAML"),
        ("streams: {a: \u{7}b".into(), "no YAML"),
        ("\"".into(), "no YAML"),
    ] {
        for from in ["go2rtc", "frigate"] {
            let (code, out, err) = migrated(from, &text);
            assert_eq!((code, &*out), (Some(1), ""), "{text:?}");
            assert!(err.contains(why), "{text:?}: {err}");
        }
    }
    for depth in [62, 63, 64, 65] {
        let text = format!(
            "x: {}{}\nstreams: {{a: 'tcp://cam:1'}}",
            "[".repeat(depth),
            "]".repeat(depth)
        );
        let (code, _, err) = migrated("go2rtc", text);
        assert_eq!(code == Some(0), depth < 64, "{depth}: {err}");
        assert_eq!(
            err.contains("nested more than 64 times"),
            depth >= 64,
            "{depth}: {err}"
        );
    }
}

#[test]
fn text_that_would_take_long_does_not() {
    let long = 500_000;
    for (from, text) in [
        (
            "mjpg-streamer",
            format!("mjpg_streamer {}", "${".repeat(long)),
        ),
        (
            "mjpg-streamer",
            format!("mjpg_streamer {}", "-i x ".repeat(long / 3)),
        ),
        (
            "mjpg-streamer",
            "mjpg_streamer -i input_uvc.so \\\n".repeat(30_000),
        ),
        (
            "ustreamer",
            format!("A=x\n{}ustreamer -d $A", "A=\"$A$A\"\n".repeat(60)),
        ),
        ("ustreamer", format!("ustreamer {}", "-x ".repeat(long / 2))),
        ("ustreamer", "ustreamer\n".repeat(90_000)),
        ("crowsnest", "[cam 1]\ndevice: /dev/video0\n".repeat(30_000)),
        (
            "crowsnest",
            format!("[cam 1]\ndevice: /dev/{}\n", "v".repeat(long)),
        ),
        (
            "octopi",
            format!("camera_usb_options=\"{}\"", "-z 1 ".repeat(100_000)),
        ),
        (
            "go2rtc",
            format!("streams:\n  a: http://c/?{}", "a&".repeat(long / 2)),
        ),
        (
            "go2rtc",
            format!("streams:\n  a: {}", "${".repeat(long / 2)),
        ),
        (
            "go2rtc",
            format!("streams:\n{}", "  a: ffmpeg:a#video=mjpeg\n".repeat(30_000)),
        ),
        (
            "frigate",
            format!(
                "cameras:\n{}",
                "  a: {ffmpeg: {inputs: [{path: 'tcp://c:1'}]}}\n".repeat(20_000)
            ),
        ),
    ] {
        let (code, ..) = migrated(from, &text);
        assert!(code.is_some_and(|code| code < 2), "{from} {:.60}", text);
    }
}

#[test]
fn nothing_of_a_file_becomes_a_reference_or_steers_a_terminal() {
    for reference in ["${env:HOME}", "${file:/etc/passwd}", "${credential:x}"] {
        for (from, text) in [
            (
                "go2rtc",
                format!("streams:\n  a: 'http://cam/video.mjpg?x={reference}'\n  b: test:\n"),
            ),
            (
                "frigate",
                format!(
                    "cameras:\n  a: {{ffmpeg: {{inputs: [{{path: 'http://cam/v.mjpg#{reference}'}}]}}}}"
                ),
            ),
            ("crowsnest", format!("[cam 1]\ndevice: /dev/{reference}\n")),
            (
                "mjpg-streamer",
                format!("mjpg_streamer -i 'input_http.so -r /{reference}' -o output_http.so"),
            ),
            (
                "mjpg-streamer",
                format!("mjpg_streamer -i 'input_file.so -f / -n {reference}' -o output_http.so"),
            ),
            (
                "go2rtc",
                format!("streams:\n  a: exec:ffmpeg {reference} -f mjpeg -\n"),
            ),
        ] {
            let (_, out, err) = migrated(from, &text);
            let sources = out.lines().filter(|line| !line.starts_with('#'));
            let is_reference =
                |line: &str| line.contains("${file:") || line.contains("${credential:");
            // go2rtc's own ${env:HOME} is a variable with a default.
            assert!(!sources.clone().any(is_reference), "{from}: {out}");
            let is_env = sources.clone().any(|line| line.contains("${env:HOME}"));
            assert!(!is_env, "{from}: {out}");
            assert!(!err.is_empty());
        }
    }
    for text in ["\u{1b}[2J", "\u{7}", "\u{202e}", "\u{9b}2J", "\u{200b}\r"] {
        let configuration = format!(
            "[cam {text}]\ndevice: /dev/video0{text}\ncustom_flags: --{text} {text} --user {text} \
             --passwd x\n{text}: {text}\n[{text}]\nx: y\nv4l2ctl: {text}\n[cam {text}2]\n"
        );
        let (_, out, err) = migrated("crowsnest", configuration);
        assert!(!out.is_empty() || !err.is_empty());
    }
}

#[test]
fn passwords_are_in_no_result_and_in_no_message() {
    let secret = "s3cr3t-of-a-camera";
    for (from, text) in [
        (
            "go2rtc",
            format!("streams:\n  a: http://me:{secret}@cam/video.mjpg"),
        ),
        (
            "go2rtc",
            format!("streams:\n  a: http://{secret}@cam/video.mjpg"),
        ),
        (
            "go2rtc",
            format!("streams:\n  a: http://cam/video.mjpg?user=a&pwd={secret}"),
        ),
        (
            "go2rtc",
            format!("streams:\n  a: 'http://cam/v.mjpg#header=Authorization: Bearer {secret}'"),
        ),
        (
            "go2rtc",
            format!("streams:\n  a: ffmpeg:rtsp://me:{secret}@cam/1#video=mjpeg"),
        ),
        (
            "go2rtc",
            format!("streams:\n  a: rtsp://me:{secret}@cam/h264"),
        ),
        (
            "go2rtc",
            format!("streams:\n  a: exec:curl -u me:{secret} http://cam/mjpeg"),
        ),
        (
            "go2rtc",
            format!(
                "streams:\n  a: 'exec:curl -H \"Authorization: Bearer {secret}\" http://cam/mjpeg'"
            ),
        ),
        ("go2rtc", format!("streams:\n  a: tcp://me:{secret}@cam")),
        (
            "go2rtc",
            format!("streams:\n  a: http://me:{secret}/x@cam:y/video.mjpg"),
        ),
        (
            "go2rtc",
            format!("streams:\n  a: test:\napi: {{username: me, password: {secret}}}"),
        ),
        (
            "frigate",
            format!(
                "cameras:\n  a: {{ffmpeg: {{inputs: [{{path: 'http://me:{secret}@c/v.mjpg'}}]}}}}"
            ),
        ),
        (
            "frigate",
            format!("mqtt: {{password: {secret}}}\ncameras: {{}}"),
        ),
        (
            "mjpg-streamer",
            format!(
                "mjpg_streamer -i 'input_http.so -c me:{secret}' -o 'output_http.so -c me:{secret}'"
            ),
        ),
        (
            "ustreamer",
            format!("ustreamer --user me --passwd {secret}"),
        ),
        (
            "crowsnest",
            format!("[cam 1]\ndevice: /dev/video0\ncustom_flags: --user me --passwd {secret}"),
        ),
    ] {
        let (_, out, err) = migrated(from, &text);
        assert!(
            !out.contains(secret) && !err.contains(secret),
            "{text}\n{out}\n{err}"
        );
    }
}
