//! The ring keeps the last frames, within bounds, and counts what it has lost.

use std::time::Duration;

use mjpeg_codec::{Frame, Stamp};
use mjpeg_fanout::{
    Producer, Recorder, RecorderConfig, ReplayRing, RingConfig, RingMemory, RingTier, RingWriter,
    channel,
};
use mjpeg_testkit::jpeg;
use tokio::time::{Instant, advance, sleep, timeout};

use crate::{frame, stamp};

/// A stream with a ring.
struct Stream {
    producer: Producer,
    recorder: Recorder,
    writer: RingWriter,
    ring: ReplayRing,
}

impl Stream {
    fn new(config: RingConfig, memory: &RingMemory) -> Self {
        let (producer, _) = channel();
        let recorder = producer.record(RecorderConfig::default());
        let (writer, ring) = ReplayRing::new(config, memory);
        Self {
            producer,
            recorder,
            writer,
            ring,
        }
    }

    fn alone(config: RingConfig) -> Self {
        Self::new(config, &RingMemory::new(usize::MAX))
    }

    fn put(&mut self, frame: Frame) {
        self.producer.publish(frame, stamp());
        while let Some(published) = self.recorder.try_next() {
            self.writer.push(&published);
        }
    }

    /// Puts numbered frames in, one each time that this time has passed.
    async fn run(&mut self, numbers: impl IntoIterator<Item = u32>, every: Duration) {
        for number in numbers {
            advance(every).await;
            self.put(frame(number));
        }
    }
}

/// The pictures' own numbers of all that a ring holds, the oldest first.
fn held(ring: &ReplayRing) -> Vec<u32> {
    let mut held = Vec::new();
    let mut last = 0;
    while let Some(frame) = ring.after(last) {
        last = frame.number();
        held.push(jpeg::number_of(frame.frame().bytes()).unwrap());
    }
    held
}

fn number_at(ring: &ReplayRing, at: Instant) -> Option<u32> {
    ring.at(at)
        .map(|frame| jpeg::number_of(frame.frame().bytes()).unwrap())
}

const SECOND: Duration = Duration::from_secs(1);

fn every_frame_for(keep: Duration) -> RingConfig {
    RingConfig::default().with_tiers([RingTier::new(Duration::ZERO, keep)])
}

#[tokio::test(start_paused = true)]
async fn frames_stay_for_their_time_and_are_byte_for_byte_the_same() {
    let mut stream = Stream::alone(every_frame_for(10 * SECOND));
    stream.run(1..=30, SECOND).await;
    assert_eq!(held(&stream.ring), (20..=30).collect::<Vec<_>>());
    let last = stream.ring.at(Instant::now()).unwrap();
    assert_eq!(last.frame().bytes(), frame(30).bytes());
    assert_eq!(last.id(), last.published().id());
    let stats = stream.ring.stats();
    assert_eq!((stats.frames, stats.recorded), (11, 30));
    assert_eq!((stats.lost, stats.evicted), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn frame_at_a_time_is_the_latest_one_before_it() {
    let mut stream = Stream::alone(every_frame_for(60 * SECOND));
    let start = Instant::now();
    stream.run(1..=5, SECOND).await;
    for (after, number) in [
        (999, None),
        (1000, Some(1)),
        (1999, Some(1)),
        (2000, Some(2)),
        (4500, Some(4)),
        (60_000, Some(5)),
    ] {
        let at = start + Duration::from_millis(after);
        assert_eq!(number_at(&stream.ring, at), number, "{after} ms");
    }
    let (from, to) = (start + 2 * SECOND, start + 4 * SECOND);
    let listed = stream.ring.list(from, to, usize::MAX);
    let times: Vec<_> = listed.iter().map(|(_, at, _)| *at - start).collect();
    assert_eq!(times, [2 * SECOND, 3 * SECOND, 4 * SECOND]);
    assert_eq!(stream.ring.list(from, to, 2).len(), 2);
    assert!(stream.ring.list(to, from, 9).is_empty());
    let first = stream.ring.since(from).unwrap();
    assert_eq!(first.at(), from);
    assert_eq!(
        stream.ring.span(),
        Some((start + SECOND, start + 5 * SECOND))
    );
}

#[tokio::test(start_paused = true)]
async fn older_tiers_keep_fewer_frames() {
    let tiers = [
        RingTier::new(Duration::ZERO, 10 * SECOND),
        RingTier::new(SECOND, 20 * SECOND),
        RingTier::new(10 * SECOND, 100 * SECOND),
    ];
    let mut stream = Stream::alone(RingConfig::default().with_tiers(tiers));
    let start = Instant::now();
    // Ten frames a second for 200 seconds.
    stream.run(0..2000, SECOND / 10).await;
    let now = Instant::now();
    let held = stream.ring.list(start, now, usize::MAX);
    let ages: Vec<_> = held.iter().map(|(_, at, _)| now - *at).collect();
    let within = |from: u64, to: u64| {
        let (from, to) = (Duration::from_secs(from), Duration::from_secs(to));
        ages.iter()
            .filter(|age| **age > from && **age <= to)
            .count()
    };
    assert_eq!(within(0, 10) + 1, 101, "each frame: the newest has no age");
    assert_eq!(within(10, 30), 20, "one a second");
    assert_eq!(within(30, 130), 10, "one in ten seconds");
    assert_eq!(within(130, 1000), 0);
    let numbers: Vec<_> = held.iter().map(|(number, ..)| *number).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    assert_eq!(stream.ring.stats().evicted, 0, "they left in time");
}

#[tokio::test(start_paused = true)]
async fn frames_grow_old_while_no_new_ones_come() {
    let tiers = [
        RingTier::new(Duration::ZERO, 5 * SECOND),
        RingTier::new(5 * SECOND, 30 * SECOND),
    ];
    let memory = RingMemory::new(usize::MAX);
    let mut stream = Stream::new(RingConfig::default().with_tiers(tiers), &memory);
    stream.run(1..=5, SECOND).await;
    let (mut writer, mut recorder) = (stream.writer, stream.recorder);
    let recording = tokio::spawn(async move { writer.record(&mut recorder).await });
    sleep(20 * SECOND).await;
    assert_eq!(held(&stream.ring), [1], "one in five seconds");
    sleep(20 * SECOND).await;
    assert_eq!(held(&stream.ring), [0; 0]);
    assert_eq!(memory.used_bytes(), 0);
    drop(stream.producer);
    recording.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn memory_of_a_ring_has_a_limit_and_the_oldest_frames_leave() {
    const MOST: usize = 4 << 20;
    let config = every_frame_for(1000 * SECOND).with_max_bytes(MOST);
    let mut stream = Stream::alone(config);
    let picture = Frame::parse(jpeg::of_length(1, 100_000)).unwrap();
    for _ in 0..200 {
        advance(SECOND / 30).await;
        stream.put(picture.clone());
        let stats = stream.ring.stats();
        assert!(stats.bytes <= MOST, "{stats:?}");
    }
    let stats = stream.ring.stats();
    assert_eq!((stats.recorded, stats.lost), (200, 0));
    assert_eq!(stats.evicted + stats.frames as u64, 200);
    // Little is wasted.
    assert!(
        stats.frames * 100_000 > MOST * 3 / 4 - (1 << 20),
        "{stats:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn end_of_a_full_segment_does_not_count() {
    const MOST: usize = 16 << 20;
    let config = every_frame_for(1000 * SECOND).with_max_bytes(MOST);
    let mut stream = Stream::alone(config);
    // Three fit into a segment, and an eighth of it is left.
    let picture = Frame::parse(jpeg::of_length(1, 300_000)).unwrap();
    let length = picture.bytes().len();
    for _ in 0..100 {
        advance(SECOND / 30).await;
        stream.put(picture.clone());
        let stats = stream.ring.stats();
        let besides = stats.bytes - stats.frames * length;
        // The segment that is being filled, and what each frame takes besides its bytes.
        assert!(besides <= (1 << 20) + stats.frames * 512, "{stats:?}");
    }
    let stats = stream.ring.stats();
    assert!(stats.frames * length > MOST - (2 << 20), "{stats:?}");
}

#[tokio::test(start_paused = true)]
async fn ceiling_over_all_rings_is_shared_and_the_largest_gives() {
    const CEILING: usize = 8 << 20;
    let memory = RingMemory::new(CEILING);
    let config = || every_frame_for(1000 * SECOND);
    let picture = Frame::parse(jpeg::of_length(1, 100_000)).unwrap();
    let mut first = Stream::new(config(), &memory);
    for _ in 0..100 {
        first.put(picture.clone());
    }
    // The first does not put anything in any more, and has to give all the same.
    let mut others = [
        Stream::new(config(), &memory),
        Stream::new(config(), &memory),
    ];
    for _ in 0..100 {
        for stream in &mut others {
            advance(SECOND / 30).await;
            stream.put(picture.clone());
            assert!(memory.used_bytes() <= CEILING, "{memory:?}");
        }
    }
    let [a, b] = &others;
    let shares = [&first.ring, &a.ring, &b.ring].map(|ring| ring.stats().bytes);
    let most = shares.iter().max().unwrap();
    let least = shares.iter().min().unwrap();
    assert!(most - least <= 1 << 20, "{shares:?}");
    assert_eq!(a.ring.stats().lost, 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_reader_holds_counts_until_it_lets_go() {
    const CEILING: usize = 4 << 20;
    let memory = RingMemory::new(CEILING);
    let mut stream = Stream::new(every_frame_for(1000 * SECOND), &memory);
    let picture = Frame::parse(jpeg::of_length(1, 100_000)).unwrap();
    let mut reader = Vec::new();
    for _ in 0..100 {
        advance(SECOND / 30).await;
        stream.put(picture.clone());
        reader.extend(stream.ring.at(Instant::now()));
        assert!(memory.used_bytes() <= CEILING);
    }
    let stats = stream.ring.stats();
    assert!(stats.lost > 0, "no memory is left for them: {stats:?}");
    assert_eq!(stats.recorded + stats.lost, 100);
    drop(reader);
    for _ in 0..3 {
        stream.put(picture.clone());
    }
    assert_eq!(stream.ring.stats().lost, stats.lost);
    drop(stream);
    assert_eq!(memory.used_bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn frame_that_alone_is_above_the_limit_is_lost_and_the_others_stay() {
    let config = every_frame_for(1000 * SECOND).with_max_bytes(300_000);
    let mut stream = Stream::alone(config);
    let small = Frame::parse(jpeg::of_length(1, 20_000)).unwrap();
    let large = Frame::parse(jpeg::of_length(1, 400_000)).unwrap();
    stream.put(small.clone());
    stream.put(large);
    stream.put(small);
    let stats = stream.ring.stats();
    assert_eq!((stats.recorded, stats.lost), (2, 1), "{stats:?}");
}

#[tokio::test(start_paused = true)]
async fn ring_that_is_made_smaller_gives_back_what_it_has_too_much() {
    let memory = RingMemory::new(usize::MAX);
    let mut stream = Stream::new(every_frame_for(60 * SECOND), &memory);
    stream.run(1..=50, SECOND).await;
    stream.ring.configure(every_frame_for(10 * SECOND));
    stream.run(51..=52, SECOND).await;
    assert_eq!(held(&stream.ring), (42..=52).collect::<Vec<_>>());
    stream.ring.configure(RingConfig::default().with_tiers([]));
    stream.run(53..=54, SECOND).await;
    assert_eq!(held(&stream.ring), [0; 0]);
    assert_eq!(memory.used_bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_recorder_loses_counts_and_the_rest_arrives() {
    let (producer, _) = channel();
    let mut recorder = producer.record(RecorderConfig::default().with_max_frames(10));
    let (mut writer, ring) = ReplayRing::new(RingConfig::default(), &RingMemory::new(usize::MAX));
    for number in 1..=25 {
        producer.publish(frame(number), stamp());
    }
    drop(producer);
    writer.record(&mut recorder).await;
    let stats = ring.stats();
    assert_eq!((stats.recorded, stats.lost), (10, 15));
    assert_eq!(held(&ring), (16..=25).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn placeholders_are_left_out() {
    let (producer, consumer) = channel();
    let (mut writer, ring) = ReplayRing::new(RingConfig::default(), &RingMemory::new(usize::MAX));
    producer.set_placeholder(frame(7), stamp());
    producer.show_placeholder();
    writer.push(&consumer.latest().unwrap());
    assert_eq!(ring.stats().recorded, 0);
}

#[tokio::test(start_paused = true)]
async fn reader_waits_for_frames_and_learns_of_the_end() {
    let mut stream = Stream::alone(RingConfig::default());
    stream.put(frame(1));
    assert!(stream.ring.grown(0).await);
    let ring = stream.ring.clone();
    let waiting = tokio::spawn(async move { (ring.grown(1).await, ring.grown(2).await) });
    sleep(SECOND).await;
    stream.put(frame(2));
    sleep(SECOND).await;
    drop(stream);
    let ended = timeout(SECOND, waiting).await.unwrap();
    assert_eq!(ended.unwrap(), (true, false));
}

#[tokio::test(start_paused = true)]
async fn times_of_capture_never_go_back() {
    let mut stream = Stream::alone(every_frame_for(60 * SECOND));
    advance(10 * SECOND).await;
    let now = Instant::now();
    for before in [0, 3, 1] {
        let at = now - before * SECOND;
        let stamp = Stamp::new(std::time::SystemTime::UNIX_EPOCH, at.into_std());
        stream.producer.publish(frame(before), stamp);
        stream.writer.push(&stream.recorder.try_next().unwrap());
    }
    assert_eq!(held(&stream.ring), [0, 3, 1]);
    assert_eq!(stream.ring.span(), Some((now, now)));
    // The frame itself tells its own time.
    let last = stream.ring.after(1).unwrap();
    assert_eq!(
        Instant::from_std(last.stamp().monotonic()),
        now - 3 * SECOND
    );
}

#[tokio::test(start_paused = true)]
async fn frame_that_finds_no_memory_in_the_next_tier_is_counted() {
    let tiers = [5, 600].map(|seconds| RingTier::new(Duration::ZERO, seconds * SECOND));
    let config = RingConfig::default()
        .with_tiers(tiers)
        .with_max_bytes(2 << 20);
    let mut stream = Stream::alone(config);
    let picture = Frame::parse(jpeg::of_length(1, 100_000)).unwrap();
    let mut reader = Vec::new();
    for _ in 0..60 {
        advance(SECOND).await;
        stream.put(picture.clone());
        reader.extend(stream.ring.at(Instant::now()));
    }
    let stats = stream.ring.stats();
    assert_eq!(stats.recorded + stats.lost, 60);
    assert_eq!(
        stats.frames as u64 + stats.evicted,
        stats.recorded,
        "{stats:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn frame_that_was_dropped_is_nothing_to_go_on_with() {
    let minute = RingConfig::default();
    let mut stream = Stream::alone(minute.clone());
    stream.run([1, 2], Duration::from_secs(1)).await;
    // All that was kept is dropped.
    stream.ring.configure(minute.clone().with_tiers([]));
    let early = timeout(Duration::from_secs(1), stream.ring.grown(0)).await;
    assert!(early.is_err(), "{early:?}, with {:?}", held(&stream.ring));
    stream.ring.configure(minute);
    stream.put(frame(3));
    assert!(stream.ring.grown(0).await);
    assert_eq!(held(&stream.ring), [3]);
}
