//! Files of gigabytes.

use std::{fs::File, time::Duration};

use mjpeg_mux::{ClipFormat, MuxStep, Muxer};

use crate::{
    riff::read_avi,
    sparse::{plan, sparse_clip},
};

const MIB: usize = 1 << 20;

#[test]
fn avi_of_several_segments_is_read_whole() {
    let gone = [31, 39];
    let clip = sparse_clip(ClipFormat::Avi, 40, 32 * MIB + 1, &gone);
    assert_eq!(clip.probe("stream=nb_frames"), "40");
    assert_eq!(clip.probe("format=duration"), "4.000000");
    let packets = clip.packets();
    let frames: Vec<_> = packets.iter().filter(|packet| packet.bytes > 0).collect();
    assert_eq!(frames.len(), 38);
    for (number, frame) in (0..40).filter(|number| !gone.contains(number)).zip(frames) {
        assert_eq!(frame.bytes, 32 * MIB + 1);
        let expected = number as f64 / 10.0;
        assert!(
            (frame.seconds - expected).abs() < 0.001,
            "{frame:?}, {expected}"
        );
    }
    clip.decode_by_gstreamer("avidemux");

    let avi = read_avi(&mut File::open(clip.path()).unwrap());
    assert_eq!(avi.segments, [31, 9]);
    assert!(avi.slots[31].bytes == 0 && avi.slots[32].bytes > 0);
}

#[test]
fn avi_has_the_extensions_above_a_gibibyte_only() {
    let length = |last_bytes| {
        let mut plan = plan(63, 16 * MIB - 128);
        plan.push(Duration::from_millis(6_300), last_bytes).unwrap();
        let mut muxer = Muxer::new(ClipFormat::Avi, plan).unwrap();
        let MuxStep::Write(head) = muxer.poll() else {
            panic!("an AVI has a head");
        };
        let extended = String::from_utf8_lossy(&head).contains("indx");
        (muxer.content_length().unwrap(), extended)
    };
    let (bytes, _) = length(1 << 20);
    let largest = (1 << 20) + (GIB - bytes) as usize;
    assert_eq!(length(largest), (GIB, false));
    let (bytes, extended) = length(largest + 1);
    assert!(extended && bytes > GIB, "{bytes}");
}

const GIB: u64 = 1 << 30;

#[test]
fn mov_beyond_4_gib_is_read_whole() {
    let clip = sparse_clip(ClipFormat::Mov, 18, 250 * MIB, &[]);
    assert!(clip.path().metadata().unwrap().len() > 4 * GIB);
    assert_eq!(clip.probe("stream=nb_frames"), "18");
    // Places that have no room in 32 bits.
    let packets = clip.packets_from("1.65");
    assert_eq!(packets.len(), 2);
    assert!(packets.iter().all(|packet| packet.bytes == 250 * MIB));
    clip.decode_by_ffmpeg_from("1.7");
}

#[test]
fn zip_beyond_4_gib_is_read_whole() {
    let clip = sparse_clip(ClipFormat::Zip, 19, 250 * MIB, &[2]);
    assert!(clip.path().metadata().unwrap().len() > 4 * GIB);
    let last = "zip.filelist[-2]";
    assert_eq!(
        clip.python(&format!("{last}.header_offset > 2**32")),
        "True"
    );
    // Reading compares the checksum.
    let read = format!("len(zip.read({last})), zip.read({last})[:2] == b'\\xff\\xd8'");
    assert_eq!(clip.python(&read), format!("{} True", 250 * MIB));
    assert_eq!(
        clip.python("len(json.loads(zip.read('index.json'))['frames'])"),
        "18"
    );
}
