//! Files that are no backups, or not any more, and places that are not empty.

use crate::administrator::{berthctl, offline, word};
use crate::fleet::Fleet;
use berth_testkit::process::Cluster;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// Places at which a file is cut, and bits that are turned, beside its first and last bytes.
const PLACES: usize = 60;

struct Saved {
    folder: TempDir,
    cluster: Cluster,
    bytes: Vec<u8>,
}

fn saved() -> Saved {
    let folder = TempDir::with_prefix("berth-files-").expect("a folder");
    let cluster = Cluster::dev().expect("a server");
    let mut fleet = Fleet::new(&cluster.endpoints(), "10.8.0.0/24");
    fleet.start(50);
    let file = folder.path().join("good");
    berthctl(&cluster.endpoints()[0], &["snapshot", "save", word(&file)]).good();
    Saved {
        bytes: fs::read(&file).expect("readable"),
        folder,
        cluster,
    }
}

/// What a restore of these bytes says; the place it would have been restored to is not there afterwards.
fn refused(folder: &Path, bytes: &[u8]) -> String {
    let (file, into) = (folder.join("bad"), folder.join("into"));
    fs::write(&file, bytes).expect("written");
    let words = [
        "snapshot",
        "restore",
        word(&file),
        "--into",
        word(&into),
        "--reason",
        "drill",
    ];
    let said = offline(&words).refused();
    assert!(!into.exists(), "something was made: {said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// Promise: a backup that is cut off anywhere, or has one bit turned anywhere, or goes on after its end, is refused with
/// the place and what to do, and nothing is made of it.
#[test]
fn a_damaged_backup_is_refused() {
    let Saved { folder, bytes, .. } = saved();
    let (folder, length) = (folder.path(), bytes.len());
    let places = (0..PLACES).map(|number| number * length / PLACES);
    let places: Vec<usize> = places.chain([1, 7, 8, 9, 16, 17, length - 1]).collect();
    for place in &places {
        let said = refused(folder, &bytes[..*place]);
        assert!(
            said.contains("cut off at byte") || said.contains("no backup of Berth"),
            "{said}"
        );
        let mut turned = bytes.clone();
        turned[*place] ^= 1 << (place % 8);
        let said = refused(folder, &turned);
        assert!(said.contains("backup"), "{said}");
    }
    let longer = [&bytes[..], b"more"].concat();
    assert!(refused(folder, &longer).contains("something follows the end"));
    assert!(refused(folder, b"dear diary").contains("no backup of Berth"));
    // The control: the bytes as they were are taken.
    let good = folder.join("good");
    offline(&["snapshot", "inspect", word(&good)]).good();
    println!("{} damages refused", 2 * places.len() + 2);
}

/// Promise: nothing is restored over what is there: not over a server's data, not over anybody's files; a backup is not
/// written over a file.
#[test]
fn nothing_is_overwritten() {
    let Saved {
        folder,
        mut cluster,
        bytes,
    } = saved();
    let folder = folder.path();
    let (good, full) = (folder.join("good"), folder.join("full"));
    fs::create_dir(&full).expect("a folder");
    fs::write(full.join("letters"), "dear").expect("a file");
    let live = cluster.members()[0].data().to_owned();
    for place in [&full, &live] {
        let words = [
            "snapshot",
            "restore",
            word(&good),
            "--into",
            word(place),
            "--reason",
            "drill",
        ];
        let said = offline(&words).refused();
        assert!(said.contains("is not empty"), "{said}");
    }
    assert_eq!(fs::read(full.join("letters")).expect("there"), b"dear");
    let endpoint = cluster.endpoints()[0].clone();
    let said = berthctl(&endpoint, &["snapshot", "save", word(&good)]).refused();
    assert!(said.contains("nothing is ever overwritten"), "{said}");
    assert_eq!(fs::read(&good).expect("there"), bytes);
    let said = offline(&["snapshot", "save", word(&folder.join("new"))]).refused();
    assert!(said.contains("no server can be reached"), "{said}");
    assert!(!folder.join("new").exists() && !folder.join("new.part").exists());
}
