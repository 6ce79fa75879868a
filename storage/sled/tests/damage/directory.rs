//! What a data directory must be before anything in it is used.

use berth_raft::log_store::LogStore;
use berth_store::Error;
use berth_store::directory::{Directory, Found, Options};
use std::fs::{self, File};
use std::path::Path;

fn options() -> Options {
    Options {
        ballast_bytes: 0,
        watermark_bytes: 0,
        ..Options::default()
    }
}

fn create(path: &Path) -> Directory {
    Directory::create(path, "cluster-a", 3, options()).unwrap()
}

fn refusal(path: &Path) -> String {
    Directory::open(path, options()).unwrap_err().to_string()
}

#[test]
fn a_store_is_found_again_by_its_owner_only() {
    // Cluster, member and store id come back; another cluster's or member's claim is refused, naming both.
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("data");
    let identity = create(&path).identity().clone();
    let directory = Directory::open(&path, options()).unwrap();
    assert_eq!(*directory.identity(), identity);
    assert_eq!(Directory::inspect(&path).unwrap(), Found::Store(identity));
    directory.expect(Some("cluster-a"), Some(3)).unwrap();
    directory.expect(None, None).unwrap();
    let error = directory
        .expect(Some("cluster-b"), Some(3))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("belongs to cluster cluster-a, not to cluster-b"),
        "{error}"
    );
    let error = directory
        .expect(Some("cluster-a"), Some(4))
        .unwrap_err()
        .to_string();
    assert!(error.contains("belongs to member 3, not to 4"), "{error}");
}

#[test]
fn every_store_is_another_one() {
    // A directory that is emptied and made again never passes for the one that made promises.
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("data");
    let first = create(&path).identity().store;
    fs::remove_dir_all(&path).unwrap();
    assert_ne!(create(&path).identity().store, first);
}

#[test]
fn only_one_process_has_a_directory() {
    // A second opening fails and names the holder, as long as the directory or anything opened from it lives.
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("data");
    let directory = create(&path);
    let error = refusal(&path);
    let holder = format!("in use by process {}", std::process::id());
    assert!(error.contains(&holder), "{error}");
    let log = directory.log().unwrap();
    drop(directory);
    assert!(refusal(&path).contains("in use"));
    assert!(matches!(
        Directory::set_aside(&path),
        Err(Error::InUse { .. })
    ));
    drop(log);
    Directory::open(&path, options()).unwrap();
}

#[test]
fn an_empty_directory_is_absent_and_a_full_one_is_present() {
    // Opening never creates, and creating never overwrites.
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("data");
    assert!(refusal(&path).contains("holds no store"));
    fs::create_dir(&path).unwrap();
    assert!(refusal(&path).contains("holds no store"));
    drop(create(&path));
    let error = Directory::create(&path, "cluster-a", 3, options()).unwrap_err();
    assert!(matches!(error, Error::Present { .. }), "{error}");
}

#[test]
fn whatever_is_missing_is_named_and_refused() {
    // An emptied or half-emptied store never starts as if it were new: each missing file is named, the command to run as well.
    let place = tempfile::tempdir().unwrap();
    for missing in [
        "identity",
        "log",
        "log/db",
        "log/conf",
        "log.witness",
        "history",
        "history/db",
        "history.witness",
    ] {
        let path = place.path().join(missing.replace('/', "-"));
        drop(create(&path));
        let victim = path.join(missing);
        match victim.is_dir() {
            true => fs::remove_dir_all(victim).unwrap(),
            false => fs::remove_file(victim).unwrap(),
        }
        let error = refusal(&path);
        assert!(
            error.contains("is damaged") && error.contains("is gone") && error.contains("--rejoin"),
            "{missing}: {error}"
        );
        assert!(
            Directory::create(&path, "cluster-a", 3, options()).is_err(),
            "{missing}"
        );
    }
}

#[test]
fn a_creation_cut_short_starts_over() {
    // The mark of an unfinished creation says that nothing was ever acknowledged, so what it left is thrown away.
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("data");
    let unfinished = create(&path).identity().store;
    File::create(path.join("creating")).unwrap();
    fs::write(path.join("log/db"), b"half").unwrap();
    assert_eq!(Directory::inspect(&path).unwrap(), Found::Unfinished);
    assert!(refusal(&path).contains("holds no store"));
    let directory = create(&path);
    assert_ne!(directory.identity().store, unfinished);
    assert!(directory.log().unwrap().load().unwrap().entries.is_empty());
}

#[test]
fn a_later_format_is_not_touched() {
    // A directory of another version is refused by its number.
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("data");
    drop(create(&path));
    let file = path.join("identity");
    let text = fs::read_to_string(&file)
        .unwrap()
        .replace("berth-store 1\n", "berth-store 2\n");
    let (lines, _) = text.rsplit_once("checksum ").unwrap();
    let checksum = crc32c::crc32c(lines.as_bytes());
    fs::write(&file, format!("{lines}checksum {checksum:08x}\n")).unwrap();
    let error = refusal(&path);
    assert!(
        error.contains("has form 2; this program reads 1"),
        "{error}"
    );
}

#[test]
fn a_directory_is_set_aside_whole() {
    // Rejoining moves everything away under a new name each time and leaves nothing behind.
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("data");
    for number in 1..=2 {
        let store = create(&path).identity().store;
        let aside = Directory::set_aside(&path).unwrap();
        assert_eq!(aside, place.path().join(format!("data.set-aside-{number}")));
        assert!(!path.exists());
        let directory = Directory::open(&aside, options()).unwrap();
        assert_eq!(directory.identity().store, store);
    }
}

#[test]
fn a_half_written_sled_snapshot_does_not_stop_a_start() {
    // Pitfall S4: a crash while sled writes its snapshot leaves a file beside which sled itself refuses to open; we remove it first.
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("data");
    drop(create(&path));
    fs::write(
        path.join("log/snap.00000000000FFFFF.generating"),
        b"half a snapshot",
    )
    .unwrap();
    let config = sled::Config::new()
        .path(path.join("log"))
        .segment_size(8 << 20);
    let mut raw = config.open();
    // Its lock may linger a moment after the creation.
    while matches!(raw, Err(sled::Error::Io(_))) {
        raw = config.open();
    }
    let refused = matches!(raw, Err(sled::Error::Corruption { .. }));
    assert!(refused, "the removal is not needed any more: {raw:?}");
    let directory = Directory::open(&path, options()).unwrap();
    directory.log().unwrap().load().unwrap();
}

#[test]
fn the_ballast_is_kept_given_up_and_made_again() {
    // The ballast occupies its room on the disk until it is released, and comes back with the next opening.
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("data");
    let options = Options {
        ballast_bytes: 8 << 20,
        ..options()
    };
    let directory = Directory::create(&path, "cluster-a", 3, options).unwrap();
    assert_eq!(directory.space().unwrap().ballast_bytes, 8 << 20);
    directory.release_ballast().unwrap();
    assert_eq!(directory.space().unwrap().ballast_bytes, 0);
    drop(directory);
    let directory = Directory::open(&path, options).unwrap();
    assert_eq!(directory.space().unwrap().ballast_bytes, 8 << 20);
    let watermark = Options {
        watermark_bytes: u64::MAX,
        ..options
    };
    drop(directory);
    assert!(
        Directory::open(&path, watermark)
            .unwrap()
            .space()
            .unwrap()
            .low
    );
}

/// Promise: a member never votes or answers from another member's log or history, also if their files were copied one by one.
#[test]
fn a_database_of_another_store_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (own, other) = (place.path().join("own"), place.path().join("other"));
    for path in [&own, &other] {
        let directory = create(path);
        directory.log().unwrap().load().unwrap();
        drop(directory.history().unwrap());
    }
    let copy = |name: &str| {
        for file in fs::read_dir(other.join(name)).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                fs::copy(file.path(), own.join(name).join(file.file_name())).unwrap();
            }
        }
    };
    let opened = || {
        let directory = Directory::open(&own, options()).unwrap();
        let log = directory.log().map(drop).map_err(|error| error.to_string());
        let history = directory.history().map(drop);
        (log, history.map_err(|error| error.to_string()))
    };
    assert_eq!(opened(), (Ok(()), Ok(())), "its own are fine");
    for name in ["log", "history"] {
        fs::remove_dir_all(own.join(name)).unwrap();
        fs::create_dir_all(own.join(name).join("blobs")).unwrap();
        copy(name);
    }
    let (log, history) = opened();
    for refused in [log, history] {
        let refused = refused.expect_err("another store's");
        assert!(refused.contains("part of another store"), "{refused}");
    }
}

#[test]
fn a_store_that_is_built_is_whole_or_not_there() {
    // Whatever stops the one that fills it, a half-filled store is a creation that was cut short: never one to go on with.
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("data");
    let failed = Directory::build(&path, "cluster-a", 3, options(), |directory| {
        directory.log().map(drop)?;
        Err::<(), Error>(Error::Absent {
            path: "here".into(),
        })
    });
    assert!(failed.unwrap_err().to_string().contains("here"));
    assert_eq!(Directory::inspect(&path).unwrap(), Found::Unfinished);
    assert!(refusal(&path).contains("holds no store"));

    let built = Directory::build(&path, "cluster-b", 4, options(), |directory| {
        directory.log().map(drop)
    });
    let identity = built.unwrap().identity().clone();
    assert_eq!(identity.cluster_id, "cluster-b");
    assert_eq!(Directory::inspect(&path).unwrap(), Found::Store(identity));
}
