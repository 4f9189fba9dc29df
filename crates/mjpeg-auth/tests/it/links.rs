//! Signed links.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

use mjpeg_auth::{Auth, LinkAction, LinkError, LinkSpec, Links};
use tokio::time::Instant;

use crate::{Site, closed, user};

fn in_secs(secs: u64) -> SystemTime {
    SystemTime::now() + Duration::from_secs(secs)
}

fn stream(stream: &str, secs: u64) -> LinkSpec {
    LinkSpec::new(stream, LinkAction::Stream, in_secs(secs))
}

fn snapshot(stream: &str) -> LinkSpec {
    LinkSpec::new(stream, LinkAction::Snapshot, in_secs(3600))
}

fn serve(links: &Links) -> Site {
    let auth = Auth::with_links(closed([user("alice")]), links.clone());
    Site::serve(&auth.unwrap())
}

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("mjpeg-auth-{}-{number}", process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn mode(&self, file: &str) -> u32 {
        fs::metadata(self.0.join(file))
            .unwrap()
            .permissions()
            .mode()
            & 0o7777
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn link_admits_to_one_stream_and_one_action_by_get_and_head() {
    let links = Links::new([1; 32]);
    let site = serve(&links);
    let link = links.create(snapshot("door")).unwrap();
    let query = link.query();
    let ask = async |path: &str| site.status(&format!("{path}{query}"), "").await;
    assert_eq!(ask("/door/snapshot?").await, 200);
    assert_eq!(ask("/door/?action=snapshot&").await, 200);
    assert_eq!(ask("/door/snapshot?max_age=3&").await, 200);
    assert_eq!(ask("/yard/snapshot?").await, 401);
    assert_eq!(ask("/door/stream?").await, 401);
    let stream = links.create(stream("door", 3600)).unwrap();
    let query = stream.query();
    let host = format!(
        "HTTP/1.1\r\nHost: cam:{}\r\nConnection: close\r\n",
        site.addr.port()
    );
    let send = async |request: &str| site.send(&format!("{request}\r\n")).await.status;
    assert_eq!(
        send(&format!("HEAD /door/stream?{query} {host}")).await,
        200
    );
    let post = format!("POST /door/stream?{query} {host}Content-Length: 0\r\n");
    assert_eq!(send(&post).await, 401);
    assert_eq!(
        site.status(&format!("/door/snapshot?{query}"), "").await,
        401
    );
    // It says who has it in the list of viewers.
    let _viewer = site.watch(query, &[]).await;
    let viewers = site.door.viewers();
    let identity = viewers[0].identity.as_deref();
    assert_eq!(identity, Some(&*format!("link:{}", stream.id())));
}

#[tokio::test]
async fn no_parameter_can_be_changed_added_or_repeated() {
    let links = Links::new([1; 32]);
    let site = serve(&links);
    let other = links.create(snapshot("door")).unwrap();
    let link = links.create(snapshot("door").with_max_fps(2.5)).unwrap();
    let query = link.query();
    let status = async |query: &str| site.status(&format!("/door/snapshot?{query}"), "").await;
    assert_eq!(status(query).await, 200);
    let part = |name: &str| {
        let mut parts = query.split('&');
        parts
            .find(|part| part.starts_with(name))
            .unwrap()
            .to_owned()
    };
    let [id, expires, fps, sig] = ["link=", "expires=", "fps=", "sig="].map(part);
    assert_eq!(fps, "fps=2.5");
    let other_sig = other.query().rsplit('=').next().unwrap();
    let later = format!("expires={}", expires[8..].parse::<u64>().unwrap() + 1);
    for (from, to) in [
        (&id, format!("link={}", other.id())),
        (&id, String::new()),
        (&expires, later),
        (&expires, format!("expires=0{}", &expires[8..])),
        (&expires, String::new()),
        (&fps, "fps=25".into()),
        (&fps, "fps=2.50".into()),
        (&fps, String::new()),
        (&fps, "fps=".into()),
        (&fps, format!("{fps}&fps=25")),
        (&expires, format!("{expires}&{expires}")),
        (&id, format!("{id}&{id}")),
        (&sig, format!("{sig}&{sig}")),
        (&sig, String::new()),
        (&sig, "sig=".into()),
        (&sig, format!("{sig}AA")),
        (&sig, sig[..sig.len() - 2].into()),
        (&sig, format!("sig={other_sig}")),
    ] {
        let changed = query.replace(from.as_str(), &to);
        assert_eq!(status(&changed).await, 401, "{changed}");
    }
    // A link without a rate gets none added.
    for added in ["&fps=1", "&fps="] {
        let query = format!("{}{added}", other.query());
        assert_eq!(status(&query).await, 401, "{query}");
    }
    // Of another key.
    let forged = Links::new([2; 32]).create(snapshot("door")).unwrap();
    assert_eq!(status(forged.query()).await, 401);
}

/// Whoever knows the key can sign what was never created.
#[tokio::test]
async fn signature_alone_is_no_link() {
    let (links, same_key) = (Links::new([1; 32]), Links::new([1; 32]));
    let site = serve(&links);
    let link = same_key.create(snapshot("door")).unwrap();
    let path = format!("/door/snapshot?{}", link.query());
    assert_eq!(site.status(&path, "").await, 401);
}

#[tokio::test]
async fn response_ends_when_the_link_expires_and_it_admits_nobody_afterwards() {
    let links = Links::new([1; 32]);
    let site = serve(&links);
    let link = links.create(stream("door", 2)).unwrap();
    let since = Instant::now();
    let mut viewer = site.watch(link.query(), &[]).await;
    while viewer.next_frame().await.unwrap().is_some() {
        assert!(since.elapsed() < Duration::from_secs(20), "it does not end");
    }
    let took = since.elapsed();
    // Whole seconds count.
    assert!((500..4000).contains(&took.as_millis()), "{took:?}");
    assert_eq!(
        site.status(&format!("/door/stream?{}", link.query()), "")
            .await,
        401
    );
    assert!(links.list_valid().is_empty());
}

#[tokio::test]
async fn revoked_link_ends_its_viewers_at_the_recheck_and_cannot_be_replayed() {
    let links = Links::new([1; 32]);
    let site = serve(&links);
    let [link, other] = [3600, 3600].map(|secs| links.create(stream("door", secs)).unwrap());
    let mut viewer = site.watch(link.query(), &[]).await;
    let mut stays = site.watch(other.query(), &[]).await;
    let listed: Vec<_> = links
        .list_valid()
        .iter()
        .map(|link| link.id().to_owned())
        .collect();
    assert_eq!(listed, [link.id(), other.id()]);
    assert!(links.revoke(link.id()).unwrap());
    assert!(!links.revoke(link.id()).unwrap());
    assert_eq!(site.door.recheck().await.ended, 1);
    while viewer.next_frame().await.is_ok_and(|frame| frame.is_some()) {}
    crate::publish(&site.producers[0], 2);
    stays
        .next_frame()
        .await
        .unwrap()
        .expect("the other link is valid");
    assert_eq!(
        site.status(&format!("/door/stream?{}", link.query()), "")
            .await,
        401
    );
}

#[tokio::test]
async fn rate_of_a_link_limits_its_viewers() {
    let links = Links::new([1; 32]);
    let site = serve(&links);
    let link = links
        .create(stream("door", 3600).with_max_fps(2.0))
        .unwrap();
    let mut viewer = site.watch(link.query(), &[]).await;
    let since = Instant::now();
    crate::publish(&site.producers[0], 2);
    viewer.next_frame().await.unwrap().expect("a frame");
    let took = since.elapsed();
    assert!(took >= Duration::from_millis(300), "{took:?}");
}

#[test]
fn links_have_bounds() {
    let links = Links::new([1; 32]);
    let now = SystemTime::now();
    let until = |time| links.create(LinkSpec::new("door", LinkAction::Stream, time));
    assert!(matches!(until(now), Err(LinkError::Expiry)));
    let year = Duration::from_secs(367 * 24 * 60 * 60);
    assert!(matches!(until(now + year), Err(LinkError::Expiry)));
    for fps in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let link = links.create(stream("door", 60).with_max_fps(fps));
        assert!(matches!(link, Err(LinkError::MaxFps)), "{fps}");
    }
    for _ in 0..1000 {
        links.create(stream("door", 60)).unwrap();
    }
    let refused = links.create(stream("door", 60));
    assert!(matches!(refused, Err(LinkError::TooMany { most: 1000 })));
    let id = links.list_valid()[0].id().to_owned();
    links.revoke(&id).unwrap();
    links.create(stream("door", 60)).unwrap();
}

#[tokio::test]
async fn links_and_revocations_outlive_the_process() {
    let folder = Folder::new();
    let odd = "a&b=c\nlink=x #%";
    let (kept, revoked) = {
        let links = Links::open(&folder.0).unwrap();
        let kept = links.create(snapshot("door").with_max_fps(2.5)).unwrap();
        let revoked = links.create(snapshot("door")).unwrap();
        links.create(snapshot(odd)).unwrap();
        assert!(links.revoke(revoked.id()).unwrap());
        (kept, revoked)
    };
    for file in ["link.key", "links"] {
        assert_eq!(folder.mode(file), 0o600, "{file}");
    }
    assert_eq!(fs::read(folder.0.join("link.key")).unwrap().len(), 32);
    // No temporary file is left.
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 2);
    let links = Links::open(&folder.0).unwrap();
    let listed = links.list_valid();
    let streams: Vec<_> = listed.iter().map(|link| link.stream()).collect();
    assert_eq!(streams, ["door", odd]);
    assert_eq!(listed[0].max_fps(), Some(2.5));
    let site = serve(&links);
    for (link, status) in [(&kept, 200), (&revoked, 401)] {
        let path = format!("/door/snapshot?{}", link.query());
        assert_eq!(site.status(&path, "").await, status);
    }
    // The signature is not kept.
    let text = fs::read_to_string(folder.0.join("links")).unwrap();
    assert!(!text.contains(kept.query().rsplit('=').next().unwrap()));
}

#[test]
fn files_that_others_may_have_written_are_refused() {
    let refused = |folder: &Folder| match Links::open(&folder.0) {
        Err(LinkError::Untrusted { file, problem }) => format!("{file}: {problem}"),
        other => panic!("{other:?}"),
    };
    let folder = Folder::new();
    drop(Links::open(&folder.0).unwrap());
    let key = folder.0.join("link.key");
    let mode = |path: &PathBuf, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&key, 0o640);
    assert_eq!(
        refused(&folder),
        "link.key: others may access it; chmod 600"
    );
    mode(&key, 0o600);
    let elsewhere = folder.0.join("elsewhere");
    fs::rename(&key, &elsewhere).unwrap();
    symlink(&elsewhere, &key).unwrap();
    assert_eq!(refused(&folder), "link.key: it is a symbolic link");
    fs::remove_file(&key).unwrap();
    fs::create_dir(&key).unwrap();
    mode(&key, 0o700);
    assert_eq!(refused(&folder), "link.key: it is no file");
    fs::remove_dir(&key).unwrap();
    for (bytes, problem) in [(31, "it is no key of 32 bytes"), (33, "it is too large")] {
        fs::write(&key, vec![7; bytes]).unwrap();
        mode(&key, 0o600);
        assert_eq!(refused(&folder), format!("link.key: {problem}"));
    }
    fs::rename(&elsewhere, &key).unwrap();
    let list = folder.0.join("links");
    for bad in [
        "nonsense\n",
        "link=a&stream=b&action=push&expires=1\n",
        "link=a\n",
        "\u{0}",
    ] {
        fs::write(&list, bad).unwrap();
        mode(&list, 0o600);
        assert_eq!(
            refused(&folder),
            "links: it has a line that is no link",
            "{bad}"
        );
    }
    fs::remove_file(&list).unwrap();
    symlink("/etc/hostname", &list).unwrap();
    assert_eq!(refused(&folder), "links: it is a symbolic link");
}

#[test]
fn link_that_cannot_be_kept_is_not_made_and_a_revoked_one_is_revoked_all_the_same() {
    let folder = Folder::new();
    let links = Links::open(&folder.0).unwrap();
    let link = links.create(stream("door", 60)).unwrap();
    fs::remove_dir_all(&folder.0).unwrap();
    assert!(matches!(
        links.create(stream("door", 60)),
        Err(LinkError::Io { .. })
    ));
    assert_eq!(links.list_valid().len(), 1);
    assert!(matches!(links.revoke(link.id()), Err(LinkError::Io { .. })));
    assert!(links.list_valid().is_empty());
}
