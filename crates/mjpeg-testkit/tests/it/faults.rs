use bytes::Bytes;
use mjpeg_testkit::{Damaged, Faults, jpeg};

fn frames() -> Vec<Bytes> {
    (0..40).map(jpeg::numbered).collect()
}

fn soi_positions(stream: &[u8]) -> Vec<usize> {
    let pairs = stream.windows(2).enumerate();
    pairs
        .filter_map(|(at, pair)| (pair == b"\xff\xd8").then_some(at))
        .collect()
}

#[test]
fn same_seed_same_damage() {
    let frames = frames();
    for seed in 0..20 {
        let one = Faults::new(seed).damage(&frames);
        let two = Faults::new(seed).damage(&frames);
        assert_eq!(one.stream, two.stream);
        assert_eq!(one.intact, two.intact);
    }
}

#[test]
fn seeds_and_calls_differ() {
    let mut faults = Faults::new(1);
    let first = faults.damage(&frames());
    let second = faults.damage(&frames());
    let other = Faults::new(2).damage(&frames());
    assert_ne!(first.stream, second.stream);
    assert_ne!(first.stream, other.stream);
}

#[test]
fn intact_frames_are_there_in_order_and_others_are_not() {
    let frames = frames();
    for seed in 0..50 {
        let Damaged { stream, intact } = Faults::new(seed).damage(&frames);
        assert!((8..32).contains(&intact.len()), "{intact:?}");
        let mut starts = soi_positions(&stream).into_iter();
        for (index, frame) in frames.iter().enumerate() {
            let start = starts.next().expect("every frame has left its start");
            let is_whole = stream[start..].starts_with(frame);
            assert_eq!(is_whole, intact.contains(&index), "frame {index}");
        }
        assert_eq!(starts.next(), None);
        assert!(intact.is_sorted());
    }
}

#[test]
fn every_soi_is_that_of_a_frame() {
    let frames = frames();
    for seed in 0..50 {
        let damaged = Faults::new(seed).damage(&frames);
        assert_eq!(soi_positions(&damaged.stream).len(), 40);
    }
}

#[test]
fn each_kind_of_fault_occurs() {
    let (mut cut, mut illegal, mut garbage) = (0, 0, 0);
    for number in 0..10 {
        let frame = jpeg::numbered(number);
        for seed in 0..50 {
            let Damaged { stream, intact } = Faults::new(seed).damage(std::slice::from_ref(&frame));
            let start = stream
                .windows(2)
                .position(|pair| pair == b"\xff\xd8")
                .expect("a frame is never lost whole");
            garbage += usize::from(start > 0);
            let rest = &stream[start..];
            let common = rest.iter().zip(&frame).take_while(|(a, b)| a == b).count();
            if !intact.is_empty() {
                assert_eq!(common, frame.len());
            } else if rest.len() >= frame.len() && rest[common - 1..][..2] == *b"\xff\x02" {
                illegal += 1;
                assert_eq!(rest[common + 1..frame.len()], frame[common + 1..]);
            } else {
                cut += 1;
                assert!(!rest[common..].contains(&0xff));
                assert!((600..frame.len()).contains(&common), "{common}");
            }
        }
    }
    assert!(
        cut > 50 && illegal > 50 && garbage > 50,
        "{cut} {illegal} {garbage}"
    );
}

#[test]
fn progressive_frames_and_those_with_thumbnails_can_be_damaged() {
    let frames: Vec<Bytes> = (0..30)
        .map(|number| match number % 3 {
            0 => jpeg::progressive(number),
            1 => jpeg::with_restarts(number, 4),
            _ => jpeg::with_thumbnail(&jpeg::numbered(number), &jpeg::numbered(number + 100)),
        })
        .collect();
    for seed in 0..20 {
        let damaged = Faults::new(seed).damage(&frames);
        assert!(!damaged.intact.is_empty());
        assert_eq!(soi_positions(&damaged.stream).len(), 40);
    }
}

#[test]
#[should_panic(expected = "frame 1 is not a JPEG")]
fn damage_wants_jpegs() {
    let frames = [jpeg::numbered(0), Bytes::from_static(b"text")];
    let _ = Faults::new(0).damage(&frames);
}

#[test]
fn chunks_make_up_the_stream() {
    let stream = Faults::new(0).damage(&frames()).stream;
    for seed in 0..20 {
        let chunks = Faults::new(seed).chunks(&stream);
        assert_eq!(chunks.concat(), stream);
        assert!(chunks.iter().all(|chunk| (1..=3000).contains(&chunk.len())));
        assert!(chunks.iter().any(|chunk| chunk.len() == 1));
        assert!(chunks.iter().any(|chunk| chunk.len() > 1500));
        assert_eq!(chunks, Faults::new(seed).chunks(&stream));
        assert_ne!(chunks, Faults::new(seed + 1).chunks(&stream));
    }
}

#[test]
fn nothing_has_no_chunks() {
    assert!(Faults::new(0).chunks(&Bytes::new()).is_empty());
}
