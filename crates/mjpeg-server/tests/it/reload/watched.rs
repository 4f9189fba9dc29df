//! The files are watched.

use std::{fs, os::unix::fs::symlink, time::Duration};

use super::{GATEWAY, Reloadable, Watcher, camera, get, has, stream};

const WATCHED: &str = "watch = true\ninclude = [\"streams.d/*.toml\"]\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_are_replaced_are_read_again() {
    let one = camera(0, Duration::from_millis(20)).await;
    let stay = stream("stay", &one.url(), "");
    let port = one.addr().port().to_string();
    let mut relay = Reloadable::start(&[WATCHED, GATEWAY, &stay].concat(), 2);
    let addr = relay.addr(0);
    let mut stays = Watcher::open(addr, "/stay/").await;
    stays.follow(3).await;

    // As editors do.
    let limited = stream("stay", &one.url(), "max_viewers = 1");
    relay
        .folder
        .write("mjpeg.toml.new", [WATCHED, GATEWAY, &limited].concat());
    let path = relay.folder.path().join("mjpeg.toml");
    fs::rename(relay.folder.path().join("mjpeg.toml.new"), &path).unwrap();
    let log = relay.outcome();
    assert!(
        has(&log, "~ stream stay: max_viewers 10000 -> 1"),
        "{log:#?}"
    );

    // A folder that was not there, with a secret in a file.
    relay.folder.write("secret", &port);
    let secret = relay.folder.path().join("secret");
    let source = format!("tcp://127.0.0.1:${{file:{}}}", secret.display());
    relay
        .folder
        .write("streams.d/new.toml", stream("new", &source, ""));
    let log = relay.outcome();
    assert!(has(&log, "+ stream new: tcp://127.0.0.1:"), "{log:#?}");
    assert_eq!(get(addr, "/new/snapshot").await.head.status, 200);

    let other = camera(200, Duration::from_millis(20)).await;
    let mut new = Watcher::open(addr, "/new/").await;
    relay
        .folder
        .write("secret", other.addr().port().to_string());
    let log = relay.outcome();
    assert!(has(&log, "~ stream new: source"), "{log:#?}");
    new.follow_until(200).await;

    // An error is told once, and a file that is written again as it was is no change.
    relay.folder.write("streams.d/new.toml", "nonsense");
    let log = relay.outcome();
    assert!(has(&log, "configuration not reloaded"), "{log:#?}");
    relay.folder.write("streams.d/new.toml", "nonsense");
    relay.folder.write("streams.d/unrelated.txt", "");
    fs::remove_file(relay.folder.path().join("streams.d/new.toml")).unwrap();
    let log = relay.outcome();
    assert!(has(&log, "- stream new") && !has(&log, "ERROR"), "{log:#?}");
    stays.follow(5).await;

    // The last one that it hears of by itself.
    relay.folder.write("mjpeg.toml", [GATEWAY, &stay].concat());
    let log = relay.outcome();
    assert!(has(&log, "~ watch true -> false"), "{log:#?}");
    relay
        .folder
        .write("mjpeg.toml", [GATEWAY, &limited].concat());
    let log = relay.hang_up();
    let reloads = log
        .iter()
        .filter(|line| line.contains("configuration reloaded"));
    assert_eq!(reloads.count(), 1, "{log:#?}");
    stays.follow(5).await;
}

/// Kubernetes mounts a ConfigMap as links to a folder, which is another link that it replaces.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn link_to_the_folder_is_replaced() {
    let one = camera(0, Duration::from_millis(20)).await;
    let mut relay = Reloadable::start_linked(&[GATEWAY, &stream("stay", &one.url(), "")].concat());
    let mut stays = Watcher::open(relay.addr(0), "/stay/").await;
    stays.follow(3).await;
    let folder = relay.folder.path().to_owned();
    let limited = stream("stay", &one.url(), "max_viewers = 1");
    relay
        .folder
        .write("..2/mjpeg.toml", [GATEWAY, &limited].concat());
    symlink("..2", folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    fs::remove_dir_all(folder.join("..1")).unwrap();
    let log = relay.outcome();
    assert!(
        has(&log, "~ stream stay: max_viewers 10000 -> 1"),
        "{log:#?}"
    );
    stays.follow(5).await;
}

/// The file that is written is in a folder of which only a link tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_behind_a_link_is_written() {
    let one = camera(0, Duration::from_millis(20)).await;
    let mut relay = Reloadable::start_linked(&[GATEWAY, &stream("stay", &one.url(), "")].concat());
    let mut stays = Watcher::open(relay.addr(0), "/stay/").await;
    stays.follow(3).await;
    let limited = stream("stay", &one.url(), "max_viewers = 1");
    relay
        .folder
        .write("..1/mjpeg.toml", [GATEWAY, &limited].concat());
    let log = relay.outcome();
    assert!(
        has(&log, "~ stream stay: max_viewers 10000 -> 1"),
        "{log:#?}"
    );
    stays.follow(5).await;
}
