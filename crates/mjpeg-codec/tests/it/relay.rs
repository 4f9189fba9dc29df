//! What relays tell one another.

use std::time::{Duration, SystemTime};

use mjpeg_codec::{
    Found, FrameId,
    multipart::{Boundary, Layout, Parser, PartHeaders, RelayHeaders, RelayId, Via, render},
};

use mjpeg_testkit::jpeg;

fn headers() -> RelayHeaders {
    RelayHeaders {
        id: FrameId {
            epoch: u64::MAX,
            seq: 7,
        },
        age: Duration::from_micros(1_500_000),
        is_online: false,
        is_repeat: true,
        via: Via::through(
            RelayId::new(1),
            &Via::through(RelayId::new(2), &Via::default()),
        ),
    }
}

#[test]
fn part_for_a_relay_says_the_same_to_its_reader() {
    let boundary = Boundary::default();
    let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456);
    let image = jpeg::numbered(1);
    let part = render(
        &boundary,
        &PartHeaders::default().with_timestamp(time),
        &image,
    );
    for sent in [
        headers(),
        RelayHeaders {
            is_online: true,
            is_repeat: false,
            ..headers()
        },
    ] {
        let (head, rest) = part.for_relay(&sent);
        let mut parser = Parser::default();
        parser.push(boundary.opening(Layout::Trailing));
        parser.push(head);
        parser.push(rest);
        let mut frames = 0;
        while let Some(found) = parser.poll() {
            if let Found::Frame(frame) = found {
                assert_eq!(frame.bytes(), &image);
                let headers = parser.headers();
                let got = RelayHeaders::read(|name| headers.get(name));
                assert_eq!(got.as_ref(), Some(&sent));
                assert_eq!(headers.timestamp(), Some(time));
                frames += 1;
            }
        }
        assert_eq!(frames, 1);
    }
}

#[test]
fn headers_of_others_are_none() {
    assert_eq!(RelayHeaders::read(|_| None), None);
    assert_eq!(
        RelayHeaders::read(|name| (name == "x-seq").then_some("1")),
        None
    );
    assert_eq!(RelayHeaders::read(|_| Some("not a number")), None);
}

#[test]
fn names_of_relays_are_read_as_written() {
    let id = RelayId::new;
    let via = Via::through(id(1), &Via::through(id(u64::MAX), &Via::default()));
    let text = "0000000000000001,ffffffffffffffff";
    assert_eq!(via.to_string(), text);
    assert_eq!(text.parse(), Ok(via.clone()));
    assert_eq!(text.replace(',', " , ").parse(), Ok(via.clone()));
    assert!(via.contains(id(1)) && !via.contains(id(2)));
    for text in [
        "",
        "1",
        "0000000000000001,",
        "+000000000000001",
        "000000000000000g",
        "x",
    ] {
        assert!(text.parse::<Via>().is_err(), "{text}");
    }
}

#[test]
fn chain_is_too_long_from_five_relays_on() {
    let chain = |n: u64| (0..n).fold(Via::default(), |via, i| Via::through(RelayId::new(i), &via));
    assert!(!chain(4).is_too_long());
    assert!(chain(5).is_too_long());
    let endless: Via = chain(1000).to_string().parse().unwrap();
    assert!(endless.is_too_long());
    assert_eq!(endless.ids().len(), 5);
}

#[test]
fn process_has_one_name() {
    assert_eq!(RelayId::of_this_process(), RelayId::of_this_process());
}
