//! Each kind of source, against a real counterpart: sockets, files, programs.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use mjpeg_ingest::{Backoff, Event, Ingest, IngestConfig, Source};
use mjpeg_testkit::jpeg;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixListener},
    time::{Instant, sleep, timeout},
};

pub(crate) fn ingest(source: Source) -> Ingest {
    let quick = Backoff::try_new(Duration::from_millis(10), Duration::from_millis(50)).unwrap();
    let config = IngestConfig::default()
        .with_backoff(quick)
        .with_connect_timeout(Duration::from_millis(800));
    Ingest::new(source, config)
}

#[cfg(feature = "test-picture")]
#[tokio::test]
async fn test_picture_moves_at_its_rate_and_size() {
    let url = "test:?name=a%20door&size=320x200&fps=50";
    let source: Source = url.parse().unwrap();
    assert_eq!(source.to_string(), url);
    let mut ingest = ingest(source);
    let begun = Instant::now();
    let mut last = None;
    for _ in 0..6 {
        let frame = loop {
            if let Some(Event::Frame(captured)) = ingest.next().await {
                break captured.frame;
            }
        };
        assert_eq!((frame.width(), frame.height()), (320, 200));
        assert!(
            last.replace(frame.bytes().clone()) != Some(frame.into_bytes()),
            "it moves"
        );
    }
    assert!(
        begun.elapsed() >= Duration::from_millis(90),
        "{:?}",
        begun.elapsed()
    );
}

/// Returns the next frame's number; an error or the end as a text.
pub(crate) async fn next(ingest: &mut Ingest) -> Result<u32, String> {
    let found = async {
        loop {
            match ingest.next().await {
                Some(Event::Frame(captured)) => {
                    return Ok(jpeg::number_of(captured.frame.bytes()).expect("a numbered frame"));
                }
                Some(Event::Offline { error, .. }) => return Err(error.chain().to_string()),
                Some(_) => {}
                None => return Err("ended".to_owned()),
            }
        }
    };
    let found = timeout(Duration::from_secs(10), found).await;
    found.expect("a frame, or an error, in time")
}

/// A folder of its own, deleted when dropped.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mjpeg-ingest-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) async fn free_addr() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    listener.local_addr().unwrap()
}

/// Connects as soon as the address is listened at.
async fn push_to(addr: SocketAddr) -> TcpStream {
    loop {
        match TcpStream::connect(addr).await {
            Ok(stream) => return stream,
            Err(_) => sleep(Duration::from_millis(5)).await,
        }
    }
}

/// Connects, and sends one picture.
async fn push(addr: SocketAddr, number: u32) -> TcpStream {
    let mut stream = push_to(addr).await;
    stream.write_all(&jpeg::numbered(number)).await.unwrap();
    stream
}

#[tokio::test]
async fn senders_that_connect_are_read_one_after_another() {
    let addr = free_addr().await;
    let mut ingest = ingest(format!("tcp-listen://{addr}").parse().unwrap());
    let sender = async {
        for n in 0..3 {
            push_to(addr)
                .await
                .write_all(&jpeg::numbered(n))
                .await
                .unwrap();
        }
    };
    let reader = async {
        for n in 0..3 {
            assert_eq!(next(&mut ingest).await, Ok(n));
            let Some(Event::Offline { error, retry_in }) = ingest.next().await else {
                panic!("the sender has hung up");
            };
            assert_eq!(error.to_string(), "the camera closed the connection");
            assert!(
                retry_in.is_zero(),
                "to wait for the next one needs no backoff"
            );
        }
    };
    tokio::join!(sender, reader);
}

#[tokio::test]
async fn waiting_for_a_sender_is_no_failure_and_ends_with_the_ingest() {
    let addr = free_addr().await;
    let mut ingest = ingest(Source::tcp_listen(addr));
    assert!(matches!(ingest.next().await, Some(Event::Connecting)));
    // Longer than an attempt to connect may take.
    let waited = timeout(Duration::from_millis(1200), ingest.next()).await;
    assert!(waited.is_err(), "{waited:?}");
    let pushed = push_to(addr);
    let (mut stream, online) = tokio::join!(pushed, ingest.next());
    assert!(matches!(online, Some(Event::Online { .. })));
    ingest.control().pause();
    assert!(matches!(ingest.next().await, Some(Event::Paused)));
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0, "hung up");
    assert!(
        TcpStream::connect(addr).await.is_err(),
        "paused, and nobody listens"
    );
    ingest.control().resume();
    let (stream, frame) = tokio::join!(
        async {
            let mut stream = push_to(addr).await;
            stream.write_all(&jpeg::numbered(7)).await.unwrap();
            stream
        },
        next(&mut ingest)
    );
    assert_eq!(frame, Ok(7));
    drop(ingest);
    assert!(TcpStream::connect(addr).await.is_err(), "nobody listens");
    drop(stream);
}

#[tokio::test]
async fn newer_sender_takes_the_place_of_a_silent_one_only() {
    let addr = free_addr().await;
    let mut ingest = ingest(Source::tcp_listen(addr));
    let first = async {
        let mut stream = push_to(addr).await;
        stream.write_all(&jpeg::numbered(1)).await.unwrap();
        stream
    };
    let (mut first, frame) = tokio::join!(first, next(&mut ingest));
    assert_eq!(frame, Ok(1));
    // The first sender is alive, so the second is disconnected, and its frame never comes.
    let second = async {
        let mut second = TcpStream::connect(addr).await.unwrap();
        second.write_all(&jpeg::numbered(2)).await.unwrap();
        sleep(Duration::from_millis(100)).await;
        first.write_all(&jpeg::numbered(3)).await.unwrap();
        let ended = timeout(Duration::from_secs(5), second.read(&mut [0; 8])).await;
        assert!(!matches!(ended.expect("hung up on"), Ok(n) if n > 0));
    };
    let reader = async {
        assert_eq!(next(&mut ingest).await, Ok(3));
        next(&mut ingest).await
    };
    tokio::select! {
        () = second => {}
        other = reader => panic!("{other:?}"),
    }
    // The first sender is silent now, and still connected.
    let third = async {
        let mut third = TcpStream::connect(addr).await.unwrap();
        third.write_all(&jpeg::numbered(4)).await.unwrap();
        third
    };
    let begun = Instant::now();
    let (_third, replaced) = tokio::join!(third, next(&mut ingest));
    let replaced = replaced.unwrap_err();
    assert!(
        replaced.ends_with("has taken the place of a sender that was silent"),
        "{replaced}"
    );
    // It had been silent for some time before.
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert_eq!(next(&mut ingest).await, Ok(4));
}

#[tokio::test]
async fn port_that_is_taken_is_told_and_tried_again() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = taken.local_addr().unwrap();
    let mut ingest = ingest(Source::tcp_listen(addr));
    let error = next(&mut ingest).await.unwrap_err();
    assert!(
        error.starts_with(&format!("cannot listen at {addr}: ")),
        "{error}"
    );
    drop(taken);
    let sender = async { push_to(addr).await.write_all(&jpeg::numbered(5)).await };
    let (_, frame) = tokio::join!(sender, async {
        loop {
            if let Ok(frame) = next(&mut ingest).await {
                return frame;
            }
        }
    });
    assert_eq!(frame, 5);
}

#[tokio::test]
async fn unix_socket_is_dialled() {
    let folder = Folder::new("unix");
    let path = folder.0.join("camera socket");
    let url = format!("unix://{}", path.display()).replace(' ', "%20");
    let mut ingest = ingest(url.parse().unwrap());
    let error = next(&mut ingest).await.unwrap_err();
    assert!(
        error.starts_with(&format!("cannot open {}: ", path.display())),
        "{error}"
    );
    let listener = UnixListener::bind(&path).unwrap();
    let camera = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&jpeg::numbered(9)).await.unwrap();
        stream
    };
    let (_stream, frame) = tokio::join!(camera, next(&mut ingest));
    assert_eq!(frame, Ok(9));
}

#[tokio::test]
async fn unix_socket_has_its_own_silence_limit() {
    let folder = Folder::new("silent");
    let path = folder.0.join("camera");
    let _listener = UnixListener::bind(&path).unwrap();
    let url = format!("unix://{}#stall_limit=200ms", path.display());
    let error = next(&mut ingest(url.parse().unwrap())).await.unwrap_err();
    assert_eq!(error, "the camera sent nothing for 200ms (stall_limit)");
}

fn recording(folder: &Folder, bytes: &[u8]) -> String {
    let path = folder.0.join("a.mjpeg");
    std::fs::write(&path, bytes).unwrap();
    format!("file://{}", path.display())
}

#[tokio::test]
async fn recording_is_played_at_its_rate_and_ends() {
    let folder = Folder::new("once");
    let frames: Vec<u8> = (0..6).flat_map(jpeg::numbered).collect();
    let url = recording(&folder, &frames);
    let mut ingest = ingest(format!("{url}?fps=50&once").parse().unwrap());
    let begun = Instant::now();
    for n in 0..6 {
        assert_eq!(next(&mut ingest).await, Ok(n));
    }
    // Six frames span five intervals; a slow machine takes longer.
    assert!(
        begun.elapsed() >= Duration::from_millis(98),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(next(&mut ingest).await.unwrap_err(), "ended");
}

#[tokio::test]
async fn recording_is_played_again_and_again_with_all_its_bytes() {
    let folder = Folder::new("loop");
    let junk = b"what a broken camera sent";
    let bytes = [
        &junk[..],
        &jpeg::numbered(0),
        junk,
        &jpeg::numbered(1),
        junk,
    ]
    .concat();
    let url = recording(&folder, &bytes);
    let mut ingest = ingest(format!("{url}?fps=1000").parse().unwrap());
    let (mut numbers, mut discarded) = (Vec::new(), 0);
    while numbers.len() < 7 {
        match ingest.next().await.unwrap() {
            Event::Frame(captured) => {
                numbers.push(jpeg::number_of(captured.frame.bytes()).unwrap())
            }
            Event::Discarded { bytes, .. } => discarded += bytes,
            Event::Offline { error, .. } => panic!("{error}"),
            _ => {}
        }
    }
    assert_eq!(numbers, [0, 1, 0, 1, 0, 1, 0]);
    assert_eq!(discarded, 10 * junk.len() as u64);
}

#[tokio::test]
async fn what_is_no_recording_is_told_and_tried_again() {
    let folder = Folder::new("none");
    let url = recording(&folder, &[b'x'; 3_000_000]);
    let none = ingest(url.parse().unwrap());
    let folder_itself = ingest(format!("file://{}", folder.0.display()).parse().unwrap());
    let missing = ingest("file:///no/such/file".parse().unwrap());
    for (mut ingest, what) in [
        (none, "there is no JPEG image in "),
        (folder_itself, "not a regular file"),
        (missing, "cannot open /no/such/file: "),
    ] {
        for _ in 0..2 {
            let error = next(&mut ingest).await.unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }
}

/// Puts a picture into the place of another, as programs do that write a picture per minute.
fn replace(folder: &Folder, bytes: &[u8]) {
    let new = folder.0.join("new");
    std::fs::write(&new, bytes).unwrap();
    std::fs::rename(new, folder.0.join("a.mjpeg")).unwrap();
}

/// Pulls until the numbers are as wanted; no error may come in between.
async fn until_number(ingest: &mut Ingest, wanted: u32) {
    let waiting = async {
        loop {
            match ingest.next().await.expect("it is repeated") {
                Event::Frame(captured)
                    if jpeg::number_of(captured.frame.bytes()) == Some(wanted) =>
                {
                    return;
                }
                Event::Offline { error, .. } => panic!("{}", error.chain()),
                _ => {}
            }
        }
    };
    timeout(Duration::from_secs(30), waiting)
        .await
        .expect("in time");
}

#[tokio::test]
async fn file_that_is_replaced_is_followed() {
    let folder = Folder::new("replaced");
    let url = recording(&folder, &jpeg::numbered(1));
    let mut ingest = ingest(format!("{url}?fps=50").parse().unwrap());
    until_number(&mut ingest, 1).await;
    for number in 2..5 {
        replace(&folder, &jpeg::numbered(number));
        until_number(&mut ingest, number).await;
    }
    // In place, with other lengths.
    for number in 5..8 {
        recording(&folder, &jpeg::of_length(number, 2000 * number as usize));
        until_number(&mut ingest, number).await;
    }
}

#[tokio::test]
async fn file_that_is_half_written_or_missing_for_a_while_is_looked_at_again() {
    let folder = Folder::new("half");
    let whole = jpeg::of_length(2, 4000);
    let url = recording(&folder, &jpeg::numbered(1));
    let mut ingest = ingest(format!("{url}?fps=50").parse().unwrap());
    until_number(&mut ingest, 1).await;
    for state in [Some(&whole[..2000]), Some(&[]), None] {
        match state {
            Some(bytes) => drop(recording(&folder, bytes)),
            None => std::fs::remove_file(folder.0.join("a.mjpeg")).unwrap(),
        }
        let waiting = async {
            loop {
                // What was read before may still come.
                assert_eq!(
                    next(&mut ingest).await,
                    Ok(1),
                    "no error, and no half picture"
                );
            }
        };
        let waited: Result<(), _> = timeout(Duration::from_millis(700), waiting).await;
        assert!(waited.is_err());
        recording(&folder, &jpeg::numbered(1));
        until_number(&mut ingest, 1).await;
    }
    replace(&folder, &whole);
    until_number(&mut ingest, 2).await;
}

/// As a camera does that uploads its picture over a slow link.
#[tokio::test]
async fn file_that_is_written_for_long_is_waited_for() {
    let folder = Folder::new("upload");
    let whole = jpeg::of_length(2, 4000);
    let url = recording(&folder, &jpeg::numbered(1));
    let mut ingest = ingest(format!("{url}?fps=50").parse().unwrap());
    until_number(&mut ingest, 1).await;
    let writing = async {
        // Longer than a camera may be silent.
        for share in 1..=11 {
            recording(&folder, &whole[..whole.len() * share / 12]);
            sleep(Duration::from_secs(1)).await;
        }
        recording(&folder, &whole);
    };
    tokio::join!(writing, until_number(&mut ingest, 2));
}

#[tokio::test]
async fn file_that_stays_away_is_told() {
    let folder = Folder::new("gone");
    let url = recording(&folder, &jpeg::numbered(1));
    let mut ingest = ingest(format!("{url}?fps=50").parse().unwrap());
    until_number(&mut ingest, 1).await;
    std::fs::remove_file(folder.0.join("a.mjpeg")).unwrap();
    let error = loop {
        if let Err(error) = next(&mut ingest).await {
            break error;
        }
    };
    assert!(error.starts_with("cannot open "), "{error}");
}

/// What is shown is what the file holds when its time has come, not when the one before was shown.
#[tokio::test]
async fn picture_is_read_when_it_is_due() {
    let folder = Folder::new("slow");
    let url = recording(&folder, &jpeg::numbered(1));
    let mut ingest = ingest(format!("{url}?fps=1").parse().unwrap());
    until_number(&mut ingest, 1).await;
    // Longer than it would take to read ahead, and shorter than the interval.
    let early = timeout(Duration::from_millis(300), next(&mut ingest)).await;
    assert!(early.is_err(), "{early:?}");
    replace(&folder, &jpeg::numbered(2));
    assert_eq!(next(&mut ingest).await, Ok(2));
}

#[tokio::test]
async fn connection_without_a_picture_displaces_nobody() {
    let addr = free_addr().await;
    let mut ingest = ingest(Source::tcp_listen(addr));
    let (mut sender, frame) = tokio::join!(push(addr, 1), next(&mut ingest));
    assert_eq!(frame, Ok(1));
    let scanners = async {
        let silent = push_to(addr).await;
        let mut asking = push_to(addr).await;
        asking.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
        let mut half = push_to(addr).await;
        half.write_all(&jpeg::of_length(9, 4000)[..2000])
            .await
            .unwrap();
        // Much longer than a silent sender has.
        sleep(Duration::from_secs(3)).await;
        sender.write_all(&jpeg::numbered(2)).await.unwrap();
        (silent, asking, half, sender)
    };
    let (_open, frame) = tokio::join!(scanners, next(&mut ingest));
    assert_eq!(frame, Ok(2));
}

#[tokio::test]
async fn sender_that_never_sent_a_picture_gives_way_at_once() {
    let addr = free_addr().await;
    let mut ingest = ingest(Source::tcp_listen(addr));
    let scanner = async {
        let mut scanner = push_to(addr).await;
        scanner.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
        scanner
    };
    let connected = async { while !matches!(ingest.next().await, Some(Event::Online { .. })) {} };
    let (_scanner, ()) = tokio::join!(scanner, connected);
    let begun = Instant::now();
    let (_sender, replaced) = tokio::join!(push(addr, 1), next(&mut ingest));
    assert!(replaced.unwrap_err().contains("has taken the place"));
    assert_eq!(
        next(&mut ingest).await,
        Ok(1),
        "with the bytes that were read before"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn slow_sender_keeps_its_place_for_as_long_as_its_rhythm_is() {
    let addr = free_addr().await;
    let mut ingest = ingest(Source::tcp_listen(addr));
    let (mut slow, frame) = tokio::join!(push(addr, 1), next(&mut ingest));
    assert_eq!(frame, Ok(1));
    // One picture every 3 s, longer than a silent sender of unknown rhythm has.
    let pause = Duration::from_secs(3);
    let sending = async {
        sleep(pause).await;
        slow.write_all(&jpeg::numbered(2)).await.unwrap();
        let rival = push(addr, 9).await;
        sleep(pause).await;
        slow.write_all(&jpeg::numbered(3)).await.unwrap();
        (slow, rival)
    };
    let reading = async {
        assert_eq!(next(&mut ingest).await, Ok(2));
        next(&mut ingest).await
    };
    let ((slow, mut rival), frame) = tokio::join!(sending, reading);
    assert_eq!(frame, Ok(3), "the rival has not taken over");
    let hung_up = async {
        let mut space = [0; 8];
        loop {
            tokio::select! {
                read = rival.read(&mut space) => return assert!(!matches!(read, Ok(n) if n > 0)),
                other = ingest.next() => drop(other),
            }
        }
    };
    timeout(Duration::from_secs(5), hung_up)
        .await
        .expect("hung up on");
    drop(slow);
}

#[tokio::test]
async fn rivals_are_few_and_bounded() {
    let addr = free_addr().await;
    let mut ingest = ingest(Source::tcp_listen(addr));
    let (sender, frame) = tokio::join!(push(addr, 1), next(&mut ingest));
    assert_eq!(frame, Ok(1));
    let rivals = async {
        let mut rivals = Vec::new();
        for _ in 0..40 {
            rivals.push(push_to(addr).await);
        }
        // One that sends without end, and never a picture.
        let mut flood = push_to(addr).await;
        let chunk = vec![b'x'; 1 << 16];
        let mut sent = 0;
        while flood.write_all(&chunk).await.is_ok() {
            sent += chunk.len();
            assert!(sent < 64 << 20, "somebody reads all that");
        }
        let mut open = 0;
        for rival in &mut rivals {
            let read = timeout(Duration::from_millis(20), rival.read(&mut [0; 1])).await;
            open += usize::from(read.is_err());
        }
        open
    };
    let open = tokio::select! {
        open = rivals => open,
        other = next(&mut ingest) => panic!("{other:?}"),
    };
    assert!(open <= 8, "{open} are open");
    drop(sender);
}
