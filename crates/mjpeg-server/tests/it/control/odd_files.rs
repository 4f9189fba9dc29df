//! What may stand where the API would write.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown, symlink},
};

use mjpeg_testkit::{FakeHttpCamera, Step, jpeg};
use tokio::time::{Duration, sleep};

use super::{Controlled, GATEWAY, INCLUDE, LOOPBACK};

#[tokio::test]
async fn links_folders_and_files_of_others_are_left_alone() {
    let relay = Controlled::start("");
    let outside = relay.folder.path().join("outside.toml");
    fs::write(&outside, "# mine\n").unwrap();
    symlink(&outside, relay.stored("link")).unwrap();
    symlink("/no/such/file", relay.stored("dangling")).unwrap();
    fs::create_dir(relay.stored("folder")).unwrap();
    fs::write(relay.stored("mine"), "# mine\n").unwrap();
    for name in ["link", "dangling", "folder", "mine"] {
        let refused = relay.add(name, "test:").await;
        assert_eq!(
            (refused.status, refused.code()),
            (409, "defined_in_file"),
            "{name}"
        );
    }
    assert_eq!(fs::read_to_string(&outside).unwrap(), "# mine\n");
    assert!(relay.names().await.is_empty());
}

/// Somebody puts a link in the place of a file that the API has written.
#[tokio::test]
async fn link_in_the_place_of_a_file_is_not_followed() {
    let relay = Controlled::start("");
    assert_eq!(relay.add("yard", "test:").await.status, 201);
    let outside = relay.folder.path().join("outside.toml");
    fs::rename(relay.stored("yard"), &outside).unwrap();
    let before = fs::metadata(&outside).unwrap().ino();
    symlink(&outside, relay.stored("yard")).unwrap();
    for (method, body) in [("PATCH", r#"{"max_fps": 5}"#), ("DELETE", "")] {
        let refused = relay.ask(method, "/streams/yard", body).await;
        assert_eq!(refused.status, 409, "{method}: {refused:?}");
    }
    assert_eq!(fs::metadata(&outside).unwrap().ino(), before);
    assert!(!fs::read_to_string(&outside).unwrap().contains("max_fps"));
    // It runs as it did.
    let read = relay.ask("GET", "/streams/yard", "").await;
    assert_eq!(
        (read.status, &read.json["config"]["max_fps"]),
        (200, &().into()),
        "{read:?}"
    );
}

/// Only root can give a file away.
#[tokio::test]
async fn file_of_another_user_is_left_alone() {
    let relay = Controlled::start("");
    assert_eq!(relay.add("yard", "test:").await.status, 201);
    let file = relay.stored("yard");
    if chown(&file, Some(NOBODY), None).is_err() {
        eprintln!("SKIPPED: only root can give a file away");
        return;
    }
    let text = fs::read_to_string(&file).unwrap();
    for (method, body) in [("PATCH", r#"{"max_fps": 5}"#), ("DELETE", "")] {
        let refused = relay.ask(method, "/streams/yard", body).await;
        let why = (refused.status, refused.code());
        assert_eq!(why, (409, "defined_in_file"), "{method}: {refused:?}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

const NOBODY: u32 = 65534;

#[tokio::test]
async fn name_that_is_no_file_name_is_refused() {
    let relay = Controlled::start("");
    for name in [
        "../up",
        "a/b",
        ".hidden",
        "",
        "a b",
        "ä",
        "a\\u0000",
        &"x".repeat(65),
    ] {
        let refused = relay.add(name, "test:").await;
        assert_eq!(
            (refused.status, refused.code()),
            (422, "invalid_spec"),
            "{name}"
        );
    }
    for name in ["api", "metrics", "login", "stream"] {
        let refused = relay.add(name, "test:").await;
        assert_eq!(
            (refused.status, refused.code()),
            (422, "invalid_spec"),
            "{name}"
        );
    }
    assert_eq!(
        fs::read_dir(relay.folder.path().join("streams.d"))
            .unwrap()
            .count(),
        0
    );
}

/// Somebody adds streams to a file of the API, before or after it is read again.
#[tokio::test]
async fn further_streams_in_a_file_of_the_api_are_not_lost() {
    let mut relay = Controlled::start("");
    assert_eq!(relay.add("yard", "test:").await.status, 201);
    let file = relay.stored("yard");
    let text = fs::read_to_string(&file).unwrap()
        + "\n# The gate, too.\n[[streams]]\nname = \"gate\"\nsource = \"test:\"\n";
    fs::write(&file, &text).unwrap();
    for is_read in [false, true] {
        for name in ["yard", "gate"].into_iter().take(1 + usize::from(is_read)) {
            let path = format!("/streams/{name}");
            for (method, body) in [
                ("PATCH", r#"{"max_fps": 5}"#),
                ("PUT", r#"{"source": "test:"}"#),
                ("DELETE", ""),
            ] {
                let refused = relay.ask(method, &path, body).await;
                let why = (refused.status, refused.code());
                assert_eq!(
                    why,
                    (409, "defined_in_file"),
                    "{method} {path}: {refused:?}"
                );
                let hint = refused.json["hint"].as_str().unwrap();
                assert!(hint.contains("a file of its own"), "{hint}");
            }
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        relay.reload(&[INCLUDE, GATEWAY].concat());
        assert_eq!(relay.names().await, ["yard", "gate"]);
    }
    // For this run, each of them can be changed.
    let path = "/streams/gate?persist=false";
    assert_eq!(
        relay.ask("PATCH", path, r#"{"max_fps": 5}"#).await.status,
        200
    );
    // Each in a file of its own, they are the API's again.
    let (yard, gate) = text.split_once("\n# The gate").unwrap();
    let (mark, _) = yard.split_once('\n').unwrap();
    let (_, gate) = gate.split_once('\n').unwrap();
    fs::write(&file, yard).unwrap();
    fs::write(relay.stored("gate"), format!("{mark}\n{gate}")).unwrap();
    relay.reload(&[INCLUDE, GATEWAY].concat());
    for name in ["yard", "gate"] {
        let path = format!("/streams/{name}");
        assert_eq!(relay.ask("DELETE", &path, "").await.status, 204);
        assert!(!relay.stored(name).exists());
    }
}

#[tokio::test]
async fn file_of_the_api_that_somebody_is_editing_is_left_alone() {
    let relay = Controlled::start("");
    assert_eq!(relay.add("yard", "test:").await.status, 201);
    let text = fs::read_to_string(relay.stored("yard")).unwrap() + "[[streams]]\nname = \"ga";
    fs::write(relay.stored("yard"), &text).unwrap();
    for (method, body) in [("PATCH", r#"{"max_fps": 5}"#), ("DELETE", "")] {
        let refused = relay.ask(method, "/streams/yard", body).await;
        assert_eq!((refused.status, refused.code()), (409, "defined_in_file"));
    }
    assert_eq!(fs::read_to_string(relay.stored("yard")).unwrap(), text);
}

/// Else the next start would find it in two files, and fail.
#[tokio::test]
async fn name_that_a_file_has_by_now_is_taken_before_it_is_read_again() {
    let mut relay = Controlled::start("");
    let own = "[[streams]]\nname = \"own\"\nsource = \"test:\"\naliases = [\"door\"]\n";
    let text = [INCLUDE, GATEWAY, own].concat();
    relay.folder.write("mjpeg.toml", &text);
    relay.folder.write(
        "streams.d/others.toml",
        "[[streams]]\nname = \"mine\"\nsource = \"test:\"\n",
    );
    for (name, file, line) in [
        ("own", "mjpeg.toml", 6),
        ("door", "mjpeg.toml", 8),
        ("mine", "others.toml", 2),
    ] {
        let refused = relay.add(name, "test:").await;
        let why = (refused.status, refused.code());
        assert_eq!(why, (409, "already_exists"), "{refused:?}");
        let error = &refused.json["errors"][0];
        assert!(error["file"].as_str().unwrap().ends_with(file), "{error}");
        assert_eq!(error["line"], line, "{error}");
        assert!(!relay.stored(name).exists());
        // This run has it until then.
        let body = format!(r#"{{"name": "{name}", "source": "test:"}}"#);
        let added = relay.ask("POST", "/streams?persist=false", &body).await;
        assert_eq!(added.status, 201, "{added:?}");
        let path = format!("/streams/{name}?persist=false");
        assert_eq!(relay.ask("DELETE", &path, "").await.status, 204);
    }
    assert_eq!(relay.add("yard", "test:").await.status, 201);
    relay.restart();
    assert_eq!(relay.names().await, ["own", "mine", "yard"]);
}

/// The name is taken while a camera is waited for.
#[tokio::test]
async fn name_is_judged_again_when_the_camera_is_there() {
    let camera = FakeHttpCamera::start(|_| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n\r\n";
        vec![
            Step::Wait(Duration::from_secs(1)),
            Step::Send(head.into()),
            Step::Send(jpeg::numbered(1)),
            Step::Close,
        ]
    });
    let relay = Controlled::start(LOOPBACK);
    let door = "[[streams]]\nname = \"door\"\nsource = \"test:\"\n";
    let body = format!(r#"{{"name": "door", "source": "{}"}}"#, camera.url("/"));
    let writing = async {
        while camera.requests().is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
        relay
            .folder
            .write("mjpeg.toml", [INCLUDE, GATEWAY, LOOPBACK, door].concat());
    };
    let (refused, ()) = tokio::join!(relay.ask("POST", "/streams", &body), writing);
    assert_eq!((refused.status, refused.code()), (409, "already_exists"));
    assert!(!relay.stored("door").exists() && relay.names().await.is_empty());
}
