//! Pictures from RTP packets, against a sender that shares no code with the depacketizer.

use std::sync::LazyLock;

use bytes::Bytes;
use mjpeg_codec::{
    DiscardReason, Frame,
    rtp::{Depacketizer, DepacketizerConfig, DropReason, Packet, Reassembled},
    verify::Verdict,
};
use mjpeg_testkit::{
    RtpSender, RtpTables,
    jpeg::{self, RtspPicture},
};
use proptest::prelude::*;
use zune_jpeg::{JpegDecoder, zune_core::bytestream::ZCursor};

const SMALL: RtspPicture = RtspPicture {
    width: 64,
    height: 48,
    quality: 92,
    halves_lines: true,
    restart_interval: 0,
};

fn depacketizer() -> Depacketizer {
    Depacketizer::new(DepacketizerConfig::default())
}

fn push_all<'a>(
    depacketizer: &mut Depacketizer,
    packets: impl IntoIterator<Item = &'a Bytes>,
) -> Vec<Reassembled> {
    let push = |packet: &Bytes| depacketizer.push(&Packet::parse(packet).unwrap());
    packets.into_iter().flat_map(push).collect()
}

fn frames(found: Vec<Reassembled>) -> Vec<Frame> {
    let frame = |found| match found {
        Reassembled::Frame { frame, .. } => Some(frame),
        _ => None,
    };
    found.into_iter().filter_map(frame).collect()
}

fn drops(found: &[Reassembled]) -> Vec<DropReason> {
    let reason = |found: &Reassembled| match found {
        Reassembled::Dropped { reason, .. } => Some(*reason),
        _ => None,
    };
    found.iter().filter_map(reason).collect()
}

fn pixels(jpeg: &[u8]) -> Vec<u8> {
    JpegDecoder::new(ZCursor::new(jpeg)).decode().unwrap()
}

/// The data of the scan, without the EOI.
fn scan(jpeg: &[u8]) -> &[u8] {
    let sos = jpeg
        .windows(2)
        .position(|pair| pair == [0xFF, 0xDA])
        .unwrap();
    let header = usize::from(u16::from_be_bytes([jpeg[sos + 2], jpeg[sos + 3]]));
    jpeg[sos + 2 + header..]
        .strip_suffix(&[0xFF, 0xD9])
        .unwrap()
}

/// Checks that the picture that comes out is the one that was sent.
fn check_same(frame: &Frame, sent: &[u8]) {
    assert_eq!(scan(frame.bytes()), scan(sent), "the data of the scan");
    assert_eq!(frame, &Frame::parse(frame.bytes().clone()).unwrap());
    assert!(frame.displayable() && frame.has_eoi());
    assert_eq!(frame.verify(), Verdict::Complete { surplus_bytes: 0 });
    assert!(
        pixels(frame.bytes()) == pixels(sent),
        "the decoded pictures differ"
    );
}

#[test]
fn each_form_of_picture_comes_out_as_it_was_sent() {
    for (quality, tables) in [
        (50, RtpTables::Quality(50)),
        (1, RtpTables::Quality(1)),
        (99, RtpTables::Quality(99)),
        (20, RtpTables::Sent(255)),
        (90, RtpTables::Sent(128)),
        (75, RtpTables::Wide(255)),
    ] {
        for halves_lines in [false, true] {
            for (width, height) in [(64, 48), (16, 8), (2040, 8), (8, 2040)] {
                for restart_interval in [0, 3] {
                    let picture = RtspPicture {
                        width,
                        height,
                        quality,
                        halves_lines,
                        restart_interval,
                    };
                    let sent = jpeg::rtsp_picture(7, picture);
                    let mut sender = RtpSender {
                        tables,
                        ..RtpSender::default()
                    };
                    let found = push_all(&mut depacketizer(), &sender.picture(&sent));
                    let [frame] = &frames(found)[..] else {
                        panic!("{picture:?} {tables:?}: no picture");
                    };
                    assert_eq!((frame.width(), frame.height()), (width, height));
                    check_same(frame, &sent);
                }
            }
        }
    }
}

#[test]
fn size_that_the_packets_cannot_state_is_that_of_the_description() {
    for (width, height, stated) in [
        // Above 2040: written as 0.
        (2048, 16, Some((2048, 16))),
        (16, 4000, Some((16, 4000))),
        (2560, 16, Some((2560, 16))),
        // No multiple of 8: rounded up.
        (60, 44, Some((60, 44))),
        (64, 48, Some((32, 16))),
        (64, 48, None),
    ] {
        let sent = jpeg::rtsp_picture(
            1,
            RtspPicture {
                width,
                height,
                ..SMALL
            },
        );
        let config = DepacketizerConfig::default().with_size(stated);
        let mut depacketizer = Depacketizer::new(config);
        let found = push_all(&mut depacketizer, &RtpSender::default().picture(&sent));
        let [frame] = &frames(found)[..] else {
            panic!("{width}x{height} {stated:?}");
        };
        assert_eq!((frame.width(), frame.height()), (width, height));
        check_same(frame, &sent);
    }
}

#[test]
fn size_cut_off_at_8_bits_is_that_of_the_description() {
    let sent = jpeg::rtsp_picture(
        1,
        RtspPicture {
            width: 2560,
            height: 16,
            ..SMALL
        },
    );
    let config = DepacketizerConfig::default().with_size((2560, 16));
    let mut packets = RtpSender::default().picture(&sent);
    for packet in &mut packets {
        let mut bytes = packet.to_vec();
        bytes[12 + 6] = (2560u16 / 8) as u8;
        *packet = bytes.into();
    }
    let found = push_all(&mut Depacketizer::new(config), &packets);
    check_same(&frames(found)[0], &sent);
}

#[test]
fn tables_sent_once_are_remembered_for_their_quality() {
    let sent = [75, 30].map(|quality| jpeg::rtsp_picture(1, RtspPicture { quality, ..SMALL }));
    let mut sender = RtpSender::default();
    let mut depacketizer = depacketizer();
    for (tables, nth, outcome) in [
        (RtpTables::Known(130), 0, Err(DropReason::NoTables)),
        (RtpTables::Sent(130), 0, Ok(())),
        (RtpTables::Wide(254), 1, Ok(())),
        (RtpTables::Known(130), 0, Ok(())),
        (RtpTables::Known(254), 1, Ok(())),
        (RtpTables::Known(131), 1, Err(DropReason::NoTables)),
        // Those of 255 hold for one picture.
        (RtpTables::Sent(255), 1, Ok(())),
        (RtpTables::Known(255), 1, Err(DropReason::NoTables)),
        // The camera's quality was changed.
        (RtpTables::Sent(130), 1, Ok(())),
        (RtpTables::Known(130), 1, Ok(())),
    ] {
        sender.tables = tables;
        let found = push_all(&mut depacketizer, &sender.picture(&sent[nth]));
        match outcome {
            Ok(()) => check_same(&frames(found)[0], &sent[nth]),
            Err(reason) => assert_eq!(drops(&found), [reason], "{tables:?}"),
        }
    }
}

#[test]
fn one_table_serves_brightness_and_colour() {
    // At this quality, both tables are the same.
    let sent = jpeg::rtsp_picture(
        1,
        RtspPicture {
            quality: 1,
            ..SMALL
        },
    );
    let mut sender = RtpSender {
        tables: RtpTables::First(255),
        ..RtpSender::default()
    };
    let found = push_all(&mut depacketizer(), &sender.picture(&sent));
    check_same(&frames(found)[0], &sent);
}

#[test]
fn wide_table_that_needs_its_width_makes_an_extended_frame() {
    let sent = jpeg::rtsp_picture(1, SMALL);
    let mut packet = RtpSender {
        tables: RtpTables::Wide(255),
        fragment_bytes: 60_000,
        ..RtpSender::default()
    }
    .picture(&sent)[0]
        .to_vec();
    // The last entry of the table of brightness.
    packet[12 + 12 + 126] = 1;
    let found = push_all(&mut depacketizer(), &[packet.into()]);
    let [frame] = &frames(found)[..] else {
        panic!("no picture");
    };
    assert_eq!(frame.sof(), 0xC1);
    assert!(frame.displayable());
    assert_eq!(frame, &Frame::parse(frame.bytes().clone()).unwrap());
    pixels(frame.bytes());
}

/// Changes the packets of a picture, and returns why nothing came out.
fn why_not(change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<DropReason> {
    let sent = jpeg::rtsp_picture(1, SMALL);
    let mut sender = RtpSender {
        fragment_bytes: 100,
        ..RtpSender::default()
    };
    let mut packets: Vec<_> = sender.picture(&sent).iter().map(|p| p.to_vec()).collect();
    assert!(packets.len() > 4);
    change(&mut packets);
    let packets: Vec<Bytes> = packets.into_iter().map(Bytes::from).collect();
    let mut depacketizer = depacketizer();
    let mut found = push_all(&mut depacketizer, &packets);
    found.extend(depacketizer.finish());
    let reasons = drops(&found);
    assert!(frames(found).is_empty(), "{reasons:?}");
    // What comes next is not affected.
    let next = push_all(&mut depacketizer, &sender.picture(&sent));
    check_same(&frames(next)[0], &sent);
    reasons
}

#[test]
fn broken_picture_is_dropped_for_a_reason_with_a_name() {
    const HEADER: usize = 12;
    let each = |at: usize, value: u8| {
        why_not(|packets| {
            packets
                .iter_mut()
                .for_each(|packet| packet[HEADER + at] = value)
        })
    };
    for kind in [2, 63, 66, 127, 128, 192, 255] {
        let expected = match kind {
            // Their restart headers are not there.
            66..=127 => DropReason::BadTables,
            _ => DropReason::UnknownType,
        };
        let reason = each(4, kind)[0];
        assert!(
            reason == expected || reason == DropReason::UnknownType || reason == DropReason::Short,
            "{kind}: {reason}"
        );
    }
    assert_eq!(each(5, 0), [DropReason::ReservedQuality]);
    assert_eq!(each(5, 127), [DropReason::ReservedQuality]);
    assert_eq!(each(6, 0), [DropReason::NoSize]);
    assert_eq!(each(7, 0), [DropReason::NoSize]);
    let one = |nth: usize, at: usize, value: u8| why_not(|packets| packets[nth][at] = value);
    // A size, a quality, a type of its own.
    assert_eq!(one(2, HEADER + 6, 9), [DropReason::Contradiction]);
    assert_eq!(one(2, HEADER + 5, 254), [DropReason::Contradiction]);
    assert_eq!(one(2, HEADER + 4, 0), [DropReason::Contradiction]);
    // An offset into what has come, and one far beyond.
    assert_eq!(one(4, HEADER + 3, 0), [DropReason::Contradiction]);
    assert_eq!(one(2, HEADER + 1, 255), [DropReason::Contradiction]);
    // The length of the tables.
    assert_eq!(one(0, HEADER + 11, 127), [DropReason::BadTables]);
    assert_eq!(one(0, HEADER + 10, 255), [DropReason::Short]);
    assert_eq!(one(0, HEADER + 11, 0), [DropReason::NoTables]);
    // 16 bits are announced for the second table.
    assert_eq!(one(0, HEADER + 9, 2), [DropReason::BadTables]);
    // The headers of a file, as some cameras send them.
    let with_soi = why_not(|packets| {
        let data = HEADER + 8 + 4 + 128;
        packets[0][data..data + 4].copy_from_slice(&[0xFF, 0xD8, 0xFF, 0xE0]);
    });
    assert_eq!(with_soi, [DropReason::Marker]);
    // A marker across two packets.
    let across = why_not(|packets| {
        *packets[1].last_mut().unwrap() = 0xFF;
        packets[2][HEADER + 8] = 0xDA;
    });
    assert_eq!(across, [DropReason::Marker]);
    for cut in 0..8 {
        let reasons = why_not(|packets| packets[2].truncate(HEADER + cut));
        assert_eq!(reasons, [DropReason::Short], "{cut}");
    }
    assert_eq!(
        why_not(|packets| packets[2].truncate(HEADER + 8)),
        [DropReason::Short]
    );
    // No end.
    let without_end = why_not(|packets| packets.truncate(3));
    assert_eq!(without_end, [DropReason::Unfinished]);
}

#[test]
fn picture_with_a_hole_is_dropped_and_counted_and_the_others_come() {
    let sent: Vec<_> = (0..6).map(|n| jpeg::rtsp_picture(n, SMALL)).collect();
    let mut count = 0;
    for nth in 0.. {
        let mut sender = RtpSender {
            fragment_bytes: 100,
            ..RtpSender::default()
        };
        let pictures: Vec<_> = sent.iter().map(|jpeg| sender.picture(jpeg)).collect();
        let mut packets = pictures[2].clone();
        if nth == packets.len() {
            break;
        }
        count += 1;
        packets.remove(nth);
        let mut depacketizer = depacketizer();
        let all = pictures[..2]
            .concat()
            .into_iter()
            .chain(packets)
            .chain(pictures[3..].concat());
        let found = push_all(&mut depacketizer, &all.collect::<Vec<_>>());
        assert_eq!(drops(&found), [DropReason::Lost], "without packet {nth}");
        assert_eq!(depacketizer.lost_packets(), 1);
        let frames = frames(found);
        assert_eq!(frames.len(), 5);
        for (frame, sent) in frames.iter().zip([0, 1, 3, 4, 5].map(|nth| &sent[nth])) {
            check_same(frame, sent);
        }
    }
    assert!(count > 4);
}

#[test]
fn sender_without_marker_bits_loses_no_picture_but_the_last() {
    let sent: Vec<_> = (0..4).map(|n| jpeg::rtsp_picture(n, SMALL)).collect();
    let mut sender = RtpSender {
        fragment_bytes: 100,
        ..RtpSender::default()
    };
    let packets: Vec<_> = sent
        .iter()
        .flat_map(|jpeg| sender.picture(jpeg))
        .map(|packet| {
            let mut bytes = packet.to_vec();
            bytes[1] &= 0x7F;
            Bytes::from(bytes)
        })
        .collect();
    let mut depacketizer = depacketizer();
    let found = push_all(&mut depacketizer, &packets);
    assert_eq!(drops(&found), []);
    for (frame, sent) in frames(found).iter().zip(&sent) {
        check_same(frame, sent);
    }
    assert_eq!(drops(&depacketizer.finish()), [DropReason::Unfinished]);
}

#[test]
fn sender_without_a_clock_loses_no_picture() {
    let sent: Vec<_> = (0..4).map(|n| jpeg::rtsp_picture(n, SMALL)).collect();
    let mut sender = RtpSender {
        fragment_bytes: 100,
        ..RtpSender::default()
    };
    let mut pictures = Vec::new();
    for jpeg in &sent {
        sender.timestamp = 5;
        pictures.push(sender.picture(jpeg));
    }
    let found = push_all(&mut depacketizer(), &pictures.concat());
    assert_eq!((drops(&found), frames(found).len()), (vec![], 4));
    // The end of the second one is lost.
    pictures[1].pop();
    let found = push_all(&mut depacketizer(), &pictures.concat());
    assert_eq!(drops(&found), [DropReason::Lost]);
    assert_eq!(frames(found).len(), 3);
}

#[test]
fn restarted_sender_costs_no_whole_picture() {
    let sent = jpeg::rtsp_picture(1, SMALL);
    for (ssrc, sequence) in [(1, 0), (0x1234_5678, 30_000), (0x1234_5678, 10)] {
        let mut depacketizer = depacketizer();
        let mut sender = RtpSender {
            sequence: 20_000,
            fragment_bytes: 100,
            ..RtpSender::default()
        };
        for _ in 0..3 {
            let found = push_all(&mut depacketizer, &sender.picture(&sent));
            assert_eq!(frames(found).len(), 1);
        }
        (sender.ssrc, sender.sequence) = (ssrc, sequence);
        for _ in 0..3 {
            let found = push_all(&mut depacketizer, &sender.picture(&sent));
            assert_eq!(frames(found).len(), 1, "{ssrc} {sequence}");
        }
    }
}

#[test]
fn what_follows_the_eoi_is_left_out_and_a_missing_one_is_added() {
    let sent = jpeg::rtsp_picture(1, SMALL);
    for tail in [
        &b"\xFF\xD9"[..],
        b"\xFF\xD9\0\0\0\0",
        b"\xFF\xD9padding \xFF\xD8\xFF",
        b"\xFF",
    ] {
        for fragment_bytes in [100, 101, 102, 103, 1400] {
            let mut sender = RtpSender {
                fragment_bytes,
                ..RtpSender::default()
            };
            let packets = sender.scan(&sent, &[scan(&sent), tail].concat());
            let found = push_all(&mut depacketizer(), &packets);
            let [frame] = &frames(found)[..] else {
                panic!("{tail:?} {fragment_bytes}");
            };
            // A single FF is a fill byte of the EOI.
            let fill = if tail.len() == 1 { &b"\xFF"[..] } else { b"" };
            assert_eq!(scan(frame.bytes()).strip_suffix(fill).unwrap(), scan(&sent));
            assert_eq!(frame, &Frame::parse(frame.bytes().clone()).unwrap());
        }
    }
}

#[test]
fn picture_may_be_as_long_as_the_limit_and_no_longer() {
    let sent = jpeg::rtsp_picture(1, SMALL);
    let packets = RtpSender::default().picture(&sent);
    let whole = frames(push_all(&mut depacketizer(), &packets))
        .remove(0)
        .bytes()
        .len();
    let limited = |bytes| {
        let config = DepacketizerConfig::default().with_max_frame_bytes(bytes);
        push_all(&mut Depacketizer::new(config), &packets)
    };
    assert_eq!(frames(limited(whole)).len(), 1);
    assert_eq!(drops(&limited(whole - 1)), [DropReason::TooLarge]);
}

#[test]
fn packet_headers_are_read_as_rfc_3550_has_them() {
    let plain = [
        &[0x80, 0x9A, 0xFF, 0xFE, 1, 2, 3, 4, 5, 6, 7, 8][..],
        b"data",
    ]
    .concat();
    let packet = Packet::parse(&plain).unwrap();
    assert_eq!((packet.payload_type, packet.marker), (26, true));
    assert_eq!((packet.sequence, packet.timestamp), (0xFFFE, 0x0102_0304));
    assert_eq!((packet.ssrc, packet.payload), (0x0506_0708, &b"data"[..]));
    let payload = |flags: u8, rest: &[u8]| {
        let bytes = [&[flags][..], &plain[1..12], rest].concat();
        Packet::parse(&bytes).map(|packet| packet.payload.to_vec())
    };
    assert_eq!(
        payload(0x82, b"8 bytes.x"),
        Some(b"x".into()),
        "contributing sources"
    );
    assert_eq!(payload(0x82, b"8 bytes"), None);
    assert_eq!(
        payload(0x90, b"\0\0\0\x014444x"),
        Some(b"x".into()),
        "an extension"
    );
    assert_eq!(payload(0x90, b"\0\0\0\x02444"), None);
    assert_eq!(payload(0x90, b"\0\0\0"), None);
    assert_eq!(payload(0xA0, b"x\0\0\x03"), Some(b"x".into()), "padding");
    assert_eq!(payload(0xA0, b"\x01"), Some(b"".into()));
    for wrong in [&b"x\0"[..], b"", b"x\x03"] {
        assert_eq!(payload(0xA0, wrong), None);
    }
    for version in [0x00, 0x40, 0xC0] {
        assert_eq!(payload(version, b"x"), None);
    }
    assert_eq!(Packet::parse(&plain[..11]), None);
}

#[test]
fn lost_picture_is_counted_beside_those_of_other_streams() {
    for &reason in DropReason::ALL {
        let counted = DiscardReason::from(reason);
        assert_eq!(counted.is_frame(), reason.is_frame(), "{reason}");
    }
    assert_eq!(
        DiscardReason::from(DropReason::Lost).as_str(),
        "lost_packets"
    );
}

/// Without and with restart markers.
static PICTURES: LazyLock<[Vec<Bytes>; 2]> = LazyLock::new(|| {
    [0, 2].map(|restart_interval| {
        let picture = RtspPicture {
            restart_interval,
            ..SMALL
        };
        (0..50)
            .map(|number| jpeg::rtsp_picture(number, picture))
            .collect()
    })
});

/// What happens to one packet on its way.
#[derive(Clone, Debug)]
enum Fate {
    Arrives,
    Lost,
    ArrivesTwice,
    /// It is overtaken by so many packets.
    Late(usize),
}

fn fates(lateness: usize) -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        20 => Just(Fate::Arrives),
        1 => Just(Fate::Lost),
        1 => Just(Fate::ArrivesTwice),
        3 => (1..=lateness).prop_map(Fate::Late),
    ];
    proptest::collection::vec(fate, 100..300)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Of pictures whose packets are many more than a packet may be late, exactly those come out
    /// of which nothing was lost, as they were sent, in order.
    #[test]
    fn exactly_the_intact_pictures_come_out(
        fates in fates(3),
        sequence in any::<u16>(),
        fragment_bytes in 40usize..140,
        restarts in any::<bool>(),
    ) {
        let mut sender = RtpSender { sequence, fragment_bytes, ..RtpSender::default() };
        let mut fates = fates.into_iter();
        let (mut sent, mut arriving) = (Vec::new(), Vec::new());
        for number in 0.. {
            let jpeg = &PICTURES[usize::from(restarts)][number];
            let packets = sender.picture(jpeg);
            prop_assert!(packets.len() > 6);
            if fates.len() < packets.len() {
                break;
            }
            let of_picture: Vec<_> = fates.by_ref().take(packets.len()).collect();
            let is_intact = !of_picture.iter().any(|fate| matches!(fate, Fate::Lost));
            sent.push((jpeg, is_intact));
            arriving.extend(packets.into_iter().zip(of_picture));
        }
        // A packet that is late by n stands where the n-th after it would.
        let mut queue: Vec<(usize, Bytes)> = Vec::new();
        for (nth, (packet, fate)) in arriving.into_iter().enumerate() {
            match fate {
                Fate::Arrives => queue.push((2 * nth, packet)),
                Fate::Lost => {}
                Fate::ArrivesTwice => {
                    queue.push((2 * nth, packet.clone()));
                    queue.push((2 * nth + 3, packet));
                }
                Fate::Late(by) => queue.push((2 * (nth + by) + 1, packet)),
            }
        }
        queue.sort_by_key(|(at, _)| *at);
        let mut depacketizer = depacketizer();
        let found = push_all(&mut depacketizer, queue.iter().map(|(_, packet)| packet));
        let frames = frames(found);
        let intact: Vec<_> = sent.iter().filter(|(_, is_intact)| *is_intact).collect();
        prop_assert_eq!(frames.len(), intact.len());
        for (frame, (jpeg, _)) in frames.iter().zip(intact) {
            prop_assert_eq!(scan(frame.bytes()), scan(jpeg));
        }
    }

    /// However late packets are within the window: what comes out was sent, in order, and once.
    #[test]
    fn nothing_comes_out_that_was_not_sent(
        fates in fates(60),
        fragment_bytes in 200usize..1500,
    ) {
        let mut sender = RtpSender { fragment_bytes, ..RtpSender::default() };
        let sent = &PICTURES[0][..30];
        let packets = sent.iter().flat_map(|jpeg| sender.picture(jpeg));
        let mut queue: Vec<(usize, Bytes)> = Vec::new();
        for (nth, (packet, fate)) in packets.zip(fates.into_iter().cycle()).enumerate() {
            match fate {
                Fate::Arrives => queue.push((nth, packet)),
                Fate::Lost => {}
                Fate::ArrivesTwice => queue.extend([(nth, packet.clone()), (nth + 50, packet)]),
                Fate::Late(by) => queue.push((nth + by, packet)),
            }
        }
        queue.sort_by_key(|(at, _)| *at);
        let mut depacketizer = depacketizer();
        let found = push_all(&mut depacketizer, queue.iter().map(|(_, packet)| packet));
        let mut rest = sent.iter();
        for frame in frames(found) {
            prop_assert!(rest.any(|jpeg| scan(jpeg) == scan(frame.bytes())));
        }
    }
}
