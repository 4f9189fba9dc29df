//! What may stand where the API would write.

use std::{
    fs,
    os::unix::fs::{MetadataExt, symlink},
};

use super::Controlled;

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
