//! Each limit, at n and at n + 1.

use std::{fs, time::Duration};

use mjpeg_timelapse::{Error, TimelapseFrame, TimelapseRefusal, TimelapseSpec, TimelapseStore};

use crate::support::{
    Home, RECORD_BYTES, assert_frames, frame_of, new_job, noon, only_job, picture, record, spec,
};

#[test]
fn store_has_a_hundred_jobs_damaged_ones_included() {
    let home = Home::new();
    let store = home.open();
    let first = new_job(&store);
    for _ in 1..TimelapseStore::MAX_JOBS {
        new_job(&store);
    }
    let refused = store.create(&spec(), noon());
    assert!(matches!(refused, Err(Error::TooManyJobs)));
    drop(store);
    fs::write(home.file(&first, "job.json"), "").unwrap();
    let store = home.open();
    assert_eq!(store.list().len(), TimelapseStore::MAX_JOBS - 1);
    let refused = store.create(&spec(), noon());
    assert!(matches!(refused, Err(Error::TooManyJobs)));
    store.delete(&first).unwrap();
    new_job(&store);
}

#[test]
fn job_has_a_million_frames() {
    let home = Home::new();
    let store = home.open();
    let id = new_job(&store);
    drop(store);
    // Only the last record matters when a job is read.
    let last = TimelapseStore::MAX_FRAMES - 2;
    let mut index = vec![0; last as usize * RECORD_BYTES];
    index.extend(record(last, 0, &picture(0)));
    home.write_files(&id, &index, &picture(0).jpeg);
    let store = home.open();
    assert_eq!(store.get(&id).unwrap().frames, last + 1);
    let kept = store.append(&id, &picture(1)).unwrap();
    assert_eq!((kept.number, kept.is_last), (last + 1, true));
    let refused = store.append(&id, &picture(2));
    let most = TimelapseStore::MAX_FRAMES;
    assert!(matches!(refused, Err(Error::JobFull { frames }) if frames == most));
    let figures = store.figures();
    assert_eq!(figures.refused(TimelapseRefusal::JobFull), 1);
    drop(store);

    // One with more was not made by this crate.
    let (mut index, data) = home.files(&id);
    assert_eq!(only_job(&home.open()).frames, most);
    index.extend(record(most, 0, &picture(0)));
    home.write_files(&id, &index, &data);
    let damaged = home.open().damaged();
    assert_eq!(damaged[0].reason, "index: more than 1000000 frames");
}

#[test]
fn specification_limits_the_frames() {
    let home = Home::new();
    let store = home.open();
    let id = store.create(&spec().with_max_frames(2), noon()).unwrap().id;
    assert!(!store.append(&id, &picture(0)).unwrap().is_last);
    assert!(store.append(&id, &picture(1)).unwrap().is_last);
    let refused = store.append(&id, &picture(2));
    assert!(matches!(refused, Err(Error::JobFull { frames: 2 })));
    assert_eq!(store.get(&id).unwrap().refused, 1);
    assert_frames(&store, &id, [picture(0), picture(1)]);
}

#[test]
fn frames_have_eight_bytes_to_64_mib() {
    let home = Home::new();
    let store = home.open();
    let id = new_job(&store);
    let least = TimelapseStore::MIN_FRAME_BYTES;
    let most = TimelapseStore::MAX_FRAME_BYTES;
    assert_eq!((least, most), (8, 64 << 20));
    let frame = |bytes: usize| TimelapseFrame::new(vec![1; bytes].into(), noon(), 1, 1);
    for bytes in [0, least - 1, most + 1] {
        let refused = store.append(&id, &frame(bytes));
        assert!(matches!(refused, Err(Error::FrameLength { bytes: b }) if b == bytes));
    }
    let figures = store.figures();
    assert_eq!(figures.refused(TimelapseRefusal::FrameLength), 3);
    for bytes in [least, most] {
        store.append(&id, &frame(bytes)).unwrap();
    }
    assert_frames(&store, &id, [least, most].map(frame));
    drop(store);
    assert_frames(&home.open(), &id, [least, most].map(frame));
}

#[test]
fn quota_counts_jobs_records_and_frames() {
    let home = Home::new();
    let frame = frame_of(0, 1000);
    let quota = 2 * TimelapseStore::JOB_BYTES + 2 * (1000 + RECORD_BYTES as u64);
    let store = TimelapseStore::open(home.path(), quota).unwrap();
    let [a, b] = [new_job(&store), new_job(&store)];
    store.append(&a, &frame).unwrap();
    store.append(&b, &frame).unwrap();
    let figures = store.figures();
    assert_eq!((figures.used_bytes, figures.quota_bytes), (quota, quota));
    let refused = store.append(&a, &frame_of(1, 8)).unwrap_err();
    let Error::Quota {
        bytes, used_bytes, ..
    } = refused
    else {
        panic!("{refused}");
    };
    assert_eq!((bytes, used_bytes), (8 + RECORD_BYTES as u64, quota));
    assert!(matches!(
        store.create(&spec(), noon()),
        Err(Error::Quota { .. })
    ));
    assert_eq!(store.figures().refused(TimelapseRefusal::Quota), 1);
    drop(store);

    // One byte less, and nothing is deleted.
    let store = TimelapseStore::open(home.path(), quota - 1).unwrap();
    assert!(matches!(
        store.append(&a, &frame_of(1, 8)),
        Err(Error::Quota { .. })
    ));
    assert_frames(&store, &a, [frame.clone()]);
    store.delete(&b).unwrap();
    store.append(&a, &frame).unwrap();
    assert_frames(&store, &a, [frame.clone(), frame]);
}

#[test]
fn settings_out_of_bounds_are_named() {
    let home = Home::new();
    let store = home.open();
    let text = |bytes: usize| "x".repeat(bytes);
    let most_bytes = TimelapseSpec::MAX_TEXT_BYTES;
    let microsecond = Duration::from_micros(1);
    let refused = |spec: &TimelapseSpec, name: &str| {
        let error = store.create(spec, noon()).unwrap_err();
        assert!(
            matches!(&error, Error::InvalidSetting { setting, .. } if *setting == name),
            "{error}"
        );
    };
    refused(&TimelapseSpec::new(text(most_bytes + 1)), "stream");
    refused(&TimelapseSpec::new("a\nb"), "stream");
    refused(&spec().with_title(text(most_bytes + 1)), "title");
    refused(&spec().with_title("\u{1b}[31m"), "title");
    refused(
        &spec().with_every(TimelapseSpec::MIN_EVERY - microsecond),
        "every",
    );
    refused(
        &spec().with_every(TimelapseSpec::MAX_EVERY + microsecond),
        "every",
    );
    refused(&spec().with_max_frames(0), "max_frames");
    let most = TimelapseStore::MAX_FRAMES;
    refused(&spec().with_max_frames(most + 1), "max_frames");
    refused(&spec().with_fps(TimelapseSpec::MIN_FPS - 1), "fps");
    refused(&spec().with_fps(TimelapseSpec::MAX_FPS + 1), "fps");
    assert!(store.list().is_empty());

    let least = TimelapseSpec::new("")
        .with_every(TimelapseSpec::MIN_EVERY)
        .with_max_frames(1)
        .with_fps(TimelapseSpec::MIN_FPS);
    // Each of these bytes takes two in the file.
    let quotes = "\"".repeat(most_bytes);
    let greatest = TimelapseSpec::new(&quotes)
        .with_title(&quotes)
        .with_every(TimelapseSpec::MAX_EVERY)
        .with_max_frames(most)
        .with_fps(TimelapseSpec::MAX_FPS);
    for spec in [&least, &greatest] {
        let id = store.create(spec, noon()).unwrap().id;
        let refused = store.finish(&id, &text(most_bytes + 1), noon());
        assert!(matches!(refused, Err(Error::InvalidSetting { .. })));
        store.finish(&id, &quotes, noon()).unwrap();
    }
    drop(store);
    let specs = home.open().list().into_iter().map(|job| job.spec);
    assert_eq!(specs.collect::<Vec<_>>(), [least, greatest]);
}
