//! The life of a job: made, filled, ended, deleted; and what the next program finds.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mjpeg_timelapse::{Error, TimelapseId, TimelapseSpec, TimelapseState, TimelapseStore};

use crate::support::{Home, NO_QUOTA, assert_frames, new_job, noon, only_job, picture, spec};

#[test]
fn frames_are_there_with_their_times_and_sizes_when_the_store_is_opened_again() {
    let home = Home::new();
    let store = home.open();
    let id = new_job(&store);
    for number in 0..5 {
        let kept = store.append(&id, &picture(number)).unwrap();
        assert_eq!((kept.number, kept.is_last), (number, false));
    }
    assert_frames(&store, &id, (0..5).map(picture));
    let before = only_job(&store);
    assert_eq!(before.first, Some(picture(0).at));
    assert_eq!(before.last, Some(picture(4).at));
    let figures = store.figures();
    assert_eq!((figures.kept, figures.used_bytes), (5, before.bytes));
    drop(store);

    let store = home.open();
    assert_eq!(only_job(&store), before);
    assert_eq!(store.figures().used_bytes, before.bytes);
    assert_frames(&store, &id, (0..5).map(picture));
    store.append(&id, &picture(5)).unwrap();
    assert_frames(&store, &id, (0..6).map(picture));
}

#[test]
fn specification_survives_to_the_microsecond() {
    let home = Home::new();
    let until = noon() + Duration::from_secs(3600);
    let spec = TimelapseSpec::new("garage/2")
        .with_title("The \"new\" roof \u{1F3E0}\\")
        .with_event("a \"motion\"".to_owned())
        .with_every(Duration::from_micros(1_500_001))
        .with_until(until)
        .with_max_frames(7)
        .with_fps(60);
    let job = home.open().create(&spec, noon()).unwrap();
    assert_eq!((&job.spec, job.created), (&spec, noon()));
    assert_eq!(only_job(&home.open()), job);
    assert_eq!(
        (job.spec.stream(), job.spec.title()),
        ("garage/2", spec.title())
    );
    assert_eq!((job.spec.until(), job.spec.fps()), (Some(until), 60));
}

#[test]
fn times_no_file_can_have_are_clamped() {
    let home = Home::new();
    let store = home.open();
    let before = UNIX_EPOCH - Duration::from_secs(1);
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
    let id = store.create(&spec(), before).unwrap().id;
    for at in [before, far] {
        let mut frame = picture(0);
        frame.at = at;
        store.append(&id, &frame).unwrap();
    }
    assert_eq!(store.get(&id).unwrap().created, UNIX_EPOCH);
    assert_eq!(store.frame(&id, 0).unwrap().at, UNIX_EPOCH);
    let last = store.frame(&id, 1).unwrap().at;
    let year_10000 = UNIX_EPOCH + Duration::from_secs(253_402_300_800);
    assert_eq!(last, year_10000 - Duration::from_micros(1));
}

#[test]
fn ended_job_takes_no_frames_and_keeps_its_reason() {
    let home = Home::new();
    let store = home.open();
    let id = new_job(&store);
    store.append(&id, &picture(0)).unwrap();
    let end = noon() + Duration::from_secs(60);
    store.finish(&id, "until", end).unwrap();
    store
        .finish(&id, "again", end + Duration::from_secs(1))
        .unwrap();
    let state = TimelapseState::Ended {
        reason: "until".to_owned(),
        at: end,
    };
    let refused = store.append(&id, &picture(1));
    assert!(matches!(refused, Err(Error::Ended)));
    assert_eq!(store.get(&id).unwrap().state, state);
    drop(store);

    let store = home.open();
    assert_eq!(only_job(&store).state, state);
    assert!(matches!(store.append(&id, &picture(1)), Err(Error::Ended)));
    assert_frames(&store, &id, [picture(0)]);
}

#[test]
fn deleted_job_is_gone_and_its_room_free() {
    let home = Home::new();
    let store = home.open();
    let [gone, stays] = [new_job(&store), new_job(&store)];
    store.append(&gone, &picture(0)).unwrap();
    store.append(&stays, &picture(1)).unwrap();
    store.delete(&gone).unwrap();
    assert!(matches!(store.get(&gone), Err(Error::NoJob)));
    assert!(matches!(store.delete(&gone), Err(Error::NoJob)));
    assert!(matches!(
        store.append(&gone, &picture(1)),
        Err(Error::NoJob)
    ));
    assert!(matches!(store.frame(&gone, 0), Err(Error::NoJob)));
    assert_eq!(store.figures().used_bytes, only_job(&store).bytes);
    drop(store);
    assert_eq!(only_job(&home.open()).id, stays);
    assert!(!home.path().join(gone.as_str()).exists());
}

#[test]
fn interrupted_making_and_deleting_is_completed() {
    let home = Home::new();
    let store = home.open();
    let [deleted, made, stays] = [new_job(&store), new_job(&store), new_job(&store)];
    store.append(&deleted, &picture(0)).unwrap();
    drop(store);
    let rename = |id: &TimelapseId, prefix: &str| {
        let from = home.path().join(id.as_str());
        let to = home.path().join(format!("{prefix}{id}"));
        fs::rename(from, &to).unwrap();
        to
    };
    let left_over = [rename(&deleted, ".deleted-"), rename(&made, ".new-")];
    let store = home.open();
    assert_eq!(only_job(&store).id, stays);
    assert!(left_over.iter().all(|path| !path.exists()));
}

#[test]
fn second_store_of_a_folder_is_refused() {
    let home = Home::new();
    let store = home.open();
    let second = TimelapseStore::open(home.path(), NO_QUOTA).unwrap_err();
    assert!(matches!(&second, Error::InUse { folder } if *folder == home.path()));
    let says = format!("{} is in use by another program", home.path().display());
    assert_eq!(second.to_string(), says);
    drop(store);
    home.open();
}

#[test]
fn nobody_else_can_read_what_is_kept() {
    let home = Home::new();
    let store = home.open();
    let id = new_job(&store);
    store.append(&id, &picture(0)).unwrap();
    store.finish(&id, "done", noon()).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let job = home.path().join(id.as_str());
    assert_eq!((mode(home.path()), mode(job)), (0o700, 0o700));
    for name in ["job.json", "index", "frames.mjpeg"] {
        assert_eq!(mode(home.file(&id, name)), 0o600, "{name}");
    }
}

#[test]
fn what_the_store_has_not_made_is_left_alone() {
    let home = Home::new();
    drop(home.open());
    fs::write(home.path().join("notes"), "mine").unwrap();
    fs::create_dir(home.path().join("lost+found")).unwrap();
    symlink("/etc", home.path().join("link")).unwrap();
    let store = home.open();
    let id = new_job(&store);
    assert_eq!(only_job(&store).id, id);
    drop(store);
    assert_eq!(only_job(&home.open()).id, id);
    assert_eq!(fs::read(home.path().join("notes")).unwrap(), b"mine");
    assert!(home.path().join("lost+found").exists());
    assert!(home.path().join("link").is_symlink());
}

#[test]
fn ids_are_unique_and_in_order_and_lead_nowhere() {
    let home = Home::new();
    let store = home.open();
    let first = new_job(&store);
    let second = new_job(&store);
    let later = store.create(&spec(), noon() + Duration::from_millis(1));
    let later = later.unwrap().id;
    assert_eq!(first.as_str(), "1795867200123-0");
    assert!(first < second && second < later);
    drop(store);
    // As if the clock had been set back.
    let store = home.open();
    let again = new_job(&store);
    assert!(![first, second, later].contains(&again), "{again}");

    for text in [
        "", "..", ".", "a/b", "/a", "A", "a.b", "-a", "a\0", "\u{e4}",
    ] {
        assert!(text.parse::<TimelapseId>().is_err(), "{text:?}");
    }
    let longest = "a".repeat(TimelapseId::MAX_BYTES);
    assert_eq!(longest.parse::<TimelapseId>().unwrap().as_str(), longest);
    assert!(format!("{longest}a").parse::<TimelapseId>().is_err());
}

#[test]
fn several_threads_fill_the_same_jobs_at_once() {
    let home = Home::new();
    let store = home.open();
    let jobs = [new_job(&store), new_job(&store)];
    let fill = |id: &TimelapseId| {
        for number in 0..20 {
            let frame = picture(number);
            let kept = store.append(id, &frame).unwrap();
            assert_eq!(store.frame(id, kept.number).unwrap(), frame);
        }
    };
    std::thread::scope(|scope| {
        for id in jobs.iter().cycle().take(6) {
            scope.spawn(|| fill(id));
        }
    });
    for id in &jobs {
        assert_eq!(store.get(id).unwrap().frames, 60);
    }
    let sum: u64 = store.list().iter().map(|job| job.bytes).sum();
    assert_eq!(store.figures().used_bytes, sum);
}
