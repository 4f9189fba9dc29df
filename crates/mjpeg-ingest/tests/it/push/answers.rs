//! What requests are answered that bring no picture.

use std::time::Duration;

use mjpeg_ingest::{IngestConfig, PushStats, mjpeg_codec::SplitterConfig};
use mjpeg_testkit::jpeg;
use tokio::time::{Instant, timeout};

use super::{Client, addr, begun, chunked, listening, sent};
use crate::kinds::next;

/// Reads nothing but what the requests need, until they are answered.
async fn statuses(url: &str, sending: impl Future<Output = Vec<u16>>) -> Vec<u16> {
    sent(&mut listening(url).await, [], sending).await
}

#[tokio::test]
async fn refusals_say_why_and_keep_the_connection_if_they_can() {
    let addr = addr().await;
    let url = format!("http-listen://{addr}/cam1#token=s3cret");
    let picture = jpeg::numbered(1);
    let auth = "Authorization: Bearer s3cret";
    let sending = async {
        let mut client = Client::connect(addr).await;
        let requests = [
            ("POST /cam1 HTTP/1.1", 401, "?token=TOKEN"),
            ("POST /cam1?token=wrong HTTP/1.1", 401, "?token=TOKEN"),
            (
                "POST /cam2?token=s3cret HTTP/1.1",
                404,
                "no stream takes pictures",
            ),
            (
                "POST /cam1/?token=s3cret HTTP/1.1",
                404,
                "no stream takes pictures",
            ),
            ("GET /cam1?token=s3cret HTTP/1.1", 405, "by POST or PUT"),
            ("OPTIONS /cam1?token=s3cret HTTP/1.1", 405, "by POST or PUT"),
            (
                "POST /cam1?token=s3cret HTTP/1.1\r\nContent-Encoding: gzip",
                415,
                "compressed",
            ),
        ];
        let mut all = Vec::new();
        for (head, status, says) in requests {
            let answer = client.send(head, &picture).await;
            assert_eq!(answer.status, status, "{head}: {answer:?}");
            assert!(answer.text.contains(says), "{head}: {answer:?}");
            assert!(answer.head.contains("Connection: keep-alive"), "{answer:?}");
            assert!(!answer.head.contains("s3cret") && !answer.text.contains("s3cret"));
            let names = [(401, "WWW-Authenticate: Bearer"), (405, "Allow: POST, PUT")];
            for (status, header) in names {
                assert_eq!(
                    answer.head.contains(header),
                    answer.status == status,
                    "{answer:?}"
                );
            }
            all.push(answer.status);
        }
        for (body, status) in [
            (&b"<html>not a picture</html>"[..], 415),
            (b"", 415),
            (b"\xFF\xD8\xFF\xD9", 400),
            (&picture[..picture.len() / 2], 400),
            (
                b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n",
                400,
            ),
        ] {
            let head = format!("POST /cam1 HTTP/1.1\r\n{auth}");
            let answer = client.send(&head, body).await;
            assert_eq!(answer.status, status, "{}: {answer:?}", body.escape_ascii());
        }
        let answer = client
            .send_as_it_is("POST /cam1?token=s3cret HTTP/1.1", b"")
            .await;
        assert_eq!((answer.status, &answer.text[..11]), (411, "the request"));
        all
    };
    statuses(&url, sending).await;
}

#[tokio::test]
async fn request_that_is_none_is_answered_and_ends_its_connection() {
    let addr = addr().await;
    let sending = async {
        for (request, status) in [
            ("hello\r\n\r\n", 400),
            ("\x16\x03\x01\r\n\r\n", 400),
            ("POST /cam1 HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            (
                "POST /cam1 HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                400,
            ),
        ] {
            let mut client = Client::connect(addr).await;
            client.write(request.as_bytes()).await;
            let answer = client.answer().await.expect("an answer");
            assert_eq!(answer.status, status, "{request:?}: {answer:?}");
            assert!(answer.head.contains("Connection: close") && client.is_closed().await);
        }
        Vec::new()
    };
    statuses(&format!("http-listen://{addr}/cam1"), sending).await;
}

#[tokio::test]
async fn head_has_a_limit_and_a_counter() {
    let addr = addr().await;
    let sending = async {
        let head = |bytes: usize| {
            let begin = "POST /cam1 HTTP/1.1\r\nContent-Length: 0\r\nX: ";
            let end = "\r\n\r\n";
            format!(
                "{begin}{}{end}",
                "x".repeat(bytes - begin.len() - end.len())
            )
        };
        let before = PushStats::read().heads_too_large;
        let mut client = Client::connect(addr).await;
        client.write(head(16 << 10).as_bytes()).await;
        assert_eq!(client.answer().await.unwrap().status, 415, "it is empty");
        client
            .write(&head((16 << 10) + 5).as_bytes()[..(16 << 10) + 1])
            .await;
        let answer = client.answer().await.unwrap();
        assert_eq!(answer.status, 431, "{answer:?}");
        assert!(answer.text.contains("16 KiB"), "{answer:?}");
        assert!(client.is_closed().await);
        assert!(PushStats::read().heads_too_large > before);
        Vec::new()
    };
    statuses(&format!("http-listen://{addr}/cam1"), sending).await;
}

#[tokio::test]
async fn picture_has_the_limit_of_a_frame() {
    let addr = addr().await;
    let picture = jpeg::of_length(1, 20_000);
    let most = picture.len();
    let splitter = SplitterConfig::default().with_max_frame_bytes(most);
    let source = format!("http-listen://{addr}/cam1").parse().unwrap();
    let mut ingest = begun(source, IngestConfig::default().with_splitter(splitter)).await;
    let larger = jpeg::of_length(2, most + 1);
    let sending = async {
        let mut client = Client::connect(addr).await;
        let post = "POST /cam1 HTTP/1.1";
        let mut statuses = vec![client.send(post, &picture).await.status];
        let answer = client.send(post, &larger).await;
        assert!(answer.text.contains("max_frame_bytes"), "{answer:?}");
        statuses.push(answer.status);
        // Without a length it is found out while it is read.
        let mut client = Client::connect(addr).await;
        let head = "POST /cam1 HTTP/1.1\r\nTransfer-Encoding: chunked";
        let body = chunked(&jpeg::of_length(3, most + 10_000), 1000);
        let answer = client.send_as_it_is(head, &body).await;
        statuses.push(answer.status);
        statuses
    };
    assert_eq!(sent(&mut ingest, [1], sending).await, [200, 413, 413]);
}

#[tokio::test]
async fn sender_that_asks_first_is_told_to_go_on_or_why_not() {
    let addr = addr().await;
    let mut ingest = listening(&format!("http-listen://{addr}/cam1#token=t")).await;
    let picture = jpeg::numbered(3);
    let head = |query: &str| {
        format!(
            "POST /cam1{query} HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
            picture.len()
        )
    };
    let sending = async {
        let mut client = Client::connect(addr).await;
        client.write(head("?token=t").as_bytes()).await;
        let first = client.answer().await.unwrap();
        assert_eq!(first.head, "HTTP/1.1 100 Continue\r\n\r\n");
        client.write(&picture).await;
        let mut statuses = vec![client.answer().await.unwrap().status];
        client.write(head("").as_bytes()).await;
        let refusal = client.answer().await.unwrap();
        assert!(refusal.head.contains("Connection: close"), "{refusal:?}");
        statuses.push(refusal.status);
        statuses
    };
    assert_eq!(sent(&mut ingest, [3], sending).await, [200, 401]);
}

#[tokio::test]
async fn token_is_taken_wherever_senders_can_put_it_and_a_wrong_one_ends_nobody() {
    let addr = addr().await;
    let mut ingest = listening(&format!("http-listen://{addr}/cam1#token=s3cret%20%2F")).await;
    let sending = async {
        let mut client = Client::connect(addr).await;
        let before = PushStats::read().wrong_tokens;
        let mut statuses = Vec::new();
        for (number, head) in [
            (1, "POST /cam1?token=s3cret%20%2f HTTP/1.1"),
            (2, "POST /cam1 HTTP/1.1\r\nAuthorization: Bearer s3cret /"),
            (
                3,
                "POST /cam1 HTTP/1.1\r\nAuthorization: Basic Y2FtOnMzY3JldCAv",
            ),
        ] {
            let begun = Instant::now();
            let mut other = Client::connect(addr).await;
            let wrong = other.send("POST /cam1?token=s3cret HTTP/1.1", b"x").await;
            assert_eq!(wrong.status, 401);
            assert!(
                begun.elapsed() >= Duration::from_millis(290),
                "guessing takes time"
            );
            statuses.push(client.send(head, &jpeg::numbered(number)).await.status);
        }
        assert!(PushStats::read().wrong_tokens >= before + 3);
        statuses
    };
    assert_eq!(sent(&mut ingest, [1, 2, 3], sending).await, [200; 3]);
}

#[tokio::test]
async fn web_page_sends_no_picture_to_a_path_without_a_token() {
    let addr = addr().await;
    let mut ingest = listening(&format!("http-listen://{addr}/cam1")).await;
    let sending = async {
        let mut client = Client::connect(addr).await;
        let head = "POST /cam1 HTTP/1.1\r\nOrigin: http://example.org\r\nContent-Type: text/plain";
        let answer = client.send(head, &jpeg::numbered(1)).await;
        assert!(answer.text.contains("web page"), "{answer:?}");
        vec![answer.status]
    };
    assert_eq!(sent(&mut ingest, [], sending).await, [403]);
    let with_token = addr_with_token().await;
    let mut ingest = listening(&format!("http-listen://{with_token}/cam1#token=t")).await;
    let sending = async {
        let mut client = Client::connect(with_token).await;
        let head = "POST /cam1?token=t HTTP/1.1\r\nOrigin: http://example.org";
        vec![client.send(head, &jpeg::numbered(1)).await.status]
    };
    assert_eq!(sent(&mut ingest, [1], sending).await, [200]);
}

async fn addr_with_token() -> std::net::SocketAddr {
    addr().await
}

#[tokio::test]
async fn pictures_that_came_through_this_relay_are_refused() {
    use mjpeg_ingest::mjpeg_codec::multipart::RelayId;

    let addr = addr().await;
    let mut ingest = listening(&format!("http-listen://{addr}/cam1")).await;
    let sending = async {
        let mut client = Client::connect(addr).await;
        let own = RelayId::of_this_process();
        let head = format!("POST /cam1 HTTP/1.1\r\nX-Mjpeg-Via: {own}");
        vec![client.send(&head, &jpeg::numbered(1)).await.status]
    };
    assert_eq!(sent(&mut ingest, [], sending).await, [508]);
}

#[tokio::test]
async fn silent_connection_has_ten_seconds_and_hinders_nobody() {
    let addr = addr().await;
    let mut ingest = listening(&format!("http-listen://{addr}/cam1")).await;
    let before = PushStats::read().head_timeouts;
    // Connects, and sends a byte now and then.
    let mut silent = Client::connect(addr).await;
    let mut slow = Client::connect(addr).await;
    let slowly = async {
        let mut answer = None;
        while answer.is_none() {
            slow.write(b"P").await;
            answer = timeout(Duration::from_millis(700), slow.answer())
                .await
                .ok()
                .flatten();
        }
        answer.unwrap().status
    };
    let sending = async {
        let mut client = Client::connect(addr).await;
        let taken = client.send("POST /cam1 HTTP/1.1", &jpeg::numbered(1)).await;
        assert_eq!(taken.status, 200);
        let slow = slowly.await;
        assert!(silent.is_closed().await);
        vec![slow]
    };
    let reading = async {
        assert_eq!(next(&mut ingest).await, Ok(1));
        while ingest.next().await.is_some() {}
    };
    let statuses = tokio::select! {
        statuses = sending => statuses,
        () = reading => unreachable!("it has no end"),
    };
    assert_eq!(statuses, [408]);
    assert!(PushStats::read().head_timeouts >= before + 2);
}
