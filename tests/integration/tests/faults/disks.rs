//! Disks that are slow, that fail, and that are full.

use crate::turns::turn;
use berth_integration::ground::{Disturbed, Ground, Member, Setup};
use berth_integration::load::Recorder;
use berth_integration::power::disk::Mounted;
use berth_integration::record::{Answer, Call};
use berth_integration::run::Run;
use berth_testkit::shell::run as shell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Each sync takes so long.
const SYNC_MS: u64 = 200;

/// How long the quickest new allocation takes while the disks of all members are slow.
fn quickest_on_slow_disks(setup: &Setup) -> (Run, Duration) {
    let run = Run::start(21, Recorder::default(), |_| setup.clone());
    run.await_service();
    let delay = format!("delay_exit={}", SYNC_MS * 1_000);
    let slow: Vec<_> = run
        .ground
        .members
        .iter()
        .map(|member| Disturbed::syncs(member, &delay))
        .collect();
    let since_us = run.load.recorder().now_us();
    for _ in 0..ENOUGH {
        run.await_service();
    }
    let record = run.load.recorder().record();
    drop(slow);
    let new = record.operations.iter().filter(|operation| {
        let is_new = matches!(operation.answer, Answer::Bound { created: true, .. });
        operation.began_us >= since_us && is_new && matches!(operation.call, Call::Add { .. })
    });
    let took = new
        .filter_map(|operation| Some(operation.ended_us? - operation.began_us))
        .min();
    (run, Duration::from_micros(took.expect("some were served")))
}

/// Allocations one after the other.
const ENOUGH: usize = 8;

/// Promise: durable means that the sync returned on a quorum: no new allocation is quicker than the disks.
#[test]
fn an_allocation_waits_for_the_syncs() {
    let _turn = turn();
    let (run, quickest) = quickest_on_slow_disks(&Setup::shipped());
    println!("quickest new allocation with syncs of {SYNC_MS} ms: {quickest:.0?}");
    assert!(quickest >= Duration::from_millis(SYNC_MS), "{quickest:?}");
    run.finish().assert_good();
}

/// Negative control: without the barrier allocations are quicker than the disks, and the same look shows it.
#[test]
fn an_allocation_that_waits_for_no_sync_is_found() {
    let _turn = turn();
    let (run, quickest) = quickest_on_slow_disks(&Setup::planted("no-barrier"));
    println!("without the barrier: {quickest:.0?}");
    assert!(quickest < Duration::from_millis(SYNC_MS), "{quickest:?}");
    run.finish_anyhow().expected_bad();
}

/// Whether a leader whose disk fails to sync ends by itself.
fn ends_when_syncs_fail(run: &mut Run, fail: impl Fn(&Member) -> Disturbed) -> bool {
    run.await_service();
    let leader = run.ground.await_leader();
    let failing = fail(run.ground.member(leader));
    let ended = run.ground.member(leader).ended_within(STOPS_WITHIN);
    drop(failing);
    let said = run.ground.member(leader).said();
    match ended {
        Some(status) => {
            assert!(
                !status.success() && said.contains("Input/output error"),
                "{status}: {said}"
            );
            run.ground.member(leader).start(false).expect("it starts");
            true
        }
        None => false,
    }
}

/// Under load there are syncs all the time; calls under way are given 5 s to end.
const STOPS_WITHIN: Duration = Duration::from_secs(12);

/// Promise: a storage error ends the process, which says so; nothing retries a sync.
#[test]
fn a_failed_sync_ends_the_process() {
    let _turn = turn();
    let mut run = Run::shipped(22);
    let all = |member: &Member| Disturbed::syncs(member, "error=EIO");
    assert!(
        ends_when_syncs_fail(&mut run, all),
        "it goes on with a disk that fails"
    );
    run.ground.await_whole();
    let ended = ends_when_syncs_fail(&mut run, Disturbed::failing_barrier);
    assert!(ended, "it goes on with a barrier that fails");
    run.await_service();
    run.finish().assert_good();
}

/// Negative control: a store that does not heed it goes on.
#[test]
fn an_unheeded_failed_sync_is_found() {
    let _turn = turn();
    let mut run = Run::planted(23, "ignore-sync-errors");
    let ended = ends_when_syncs_fail(&mut run, Disturbed::failing_barrier);
    assert!(!ended, "the control controls nothing");
    run.finish_anyhow().expected_bad();
}

/// A disk of its own for each member, small enough to be filled.
struct SmallDisks {
    // Before the files below them.
    mounted: Vec<Mounted>,
    _folder: tempfile::TempDir,
}

const DISK_BYTES: u64 = 160 << 20;
const MIB: u64 = 1 << 20;
/// Below so much the leader takes no new work.
const LOW_MIB: u64 = 40;

impl SmallDisks {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = (1..=3).map(|number| {
            let image = folder.path().join(format!("disk-{number}"));
            let target = folder.path().join(format!("mounted-{number}"));
            let file = File::create(&image).and_then(|file| file.set_len(DISK_BYTES));
            file.expect("room for a sparse file");
            fs::create_dir(&target).expect("a folder");
            // No blocks kept for root, who everybody is here.
            shell(
                "mkfs.ext4",
                &["-q", "-F", "-m", "0", &image.to_string_lossy()],
            );
            Mounted::mount(&image, &target)
        });
        Self {
            mounted: mounted.collect(),
            _folder: folder,
        }
    }

    fn path(&self, number: usize) -> &Path {
        &self.mounted[number - 1].path
    }

    /// A file that leaves so much room.
    fn fill(&self, number: usize, leave_bytes: u64) -> Filler {
        let path = self.path(number).join("filler");
        let room = shell(
            "stat",
            &["-f", "-c", "%a %S", &self.path(number).to_string_lossy()],
        );
        let numbers: Vec<u64> = room
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        let free = numbers[0] * numbers[1];
        let length = (free.saturating_sub(leave_bytes)).to_string();
        shell("fallocate", &["-l", &length, &path.to_string_lossy()]);
        Filler(path)
    }

    /// A file that leaves no room at all.
    fn fill_up(&self, number: usize) -> Filler {
        let path = self.path(number).join("filler");
        let fill = format!("cat /dev/zero > {} 2>/dev/null || true", path.display());
        shell("sh", &["-c", &fill]);
        Filler(path)
    }
}

struct Filler(PathBuf);

impl Drop for Filler {
    fn drop(&mut self) {
        fs::remove_file(&self.0).expect("it is ours");
    }
}

fn with_small_disks(disks: &SmallDisks, setup: &Setup) -> Run {
    let low = LOW_MIB.to_string();
    Run::start(24, Recorder::default(), |number| {
        let flags = ["--disk-low-mib", &low, "--ballast-mib", "8"].map(str::to_owned);
        Setup {
            data: Some(disks.path(number).join("data")),
            flags: setup
                .flags
                .iter()
                .filter(|flag| !is_of_room(flag))
                .cloned()
                .chain(flags)
                .collect(),
            ..setup.clone()
        }
    })
}

/// "--ballast-mib 1 --disk-low-mib 1" of the usual setup.
fn is_of_room(flag: &str) -> bool {
    ["--ballast-mib", "--disk-low-mib", "1"].contains(&flag)
}

/// Whether a leader whose disk is nearly full hands over while another has room.
fn hands_over(run: &Run, disks: &SmallDisks) -> (bool, Filler) {
    run.await_service();
    let leader = run.ground.await_leader();
    let filler = disks.fill(leader, LOW_MIB / 2 * MIB);
    let moved = run.ground.holds_within(HANDS_OVER_WITHIN, || {
        run.ground
            .leader()
            .is_some_and(|(number, _)| number != leader)
    });
    (moved, filler)
}

/// It looks once a second.
const HANDS_OVER_WITHIN: Duration = Duration::from_secs(6);

/// Promise: a leader whose disk is nearly full hands over to one with room; with no room anywhere ADD is refused as
/// disk-low while DEL and reads are served, nobody dies, and all goes on once there is room.
#[test]
fn full_disks_stop_new_work_only() {
    let _turn = turn();
    let disks = SmallDisks::new();
    let mut run = with_small_disks(&disks, &Setup::shipped());
    let (moved, first) = hands_over(&run, &disks);
    assert!(moved, "it leads on with a full disk");
    run.await_service();
    drop(first);
    let all: Vec<Filler> = (1..=3)
        .map(|number| disks.fill(number, LOW_MIB / 2 * MIB))
        .collect();
    let since_us = run.load.recorder().now_us();
    let answered = |wanted: fn(&Call, &Answer) -> bool| {
        let record = run.load.recorder().record();
        let mut late = record
            .operations
            .into_iter()
            .filter(|operation| operation.began_us > since_us);
        late.any(|operation| wanted(&operation.call, &operation.answer))
    };
    run.ground.until("an ADD refused for want of room", || {
        answered(|_, answer| matches!(answer, Answer::Refused { code, .. } if code == "DISK_LOW"))
    });
    run.ground.until("a DEL and a read that are served", || {
        answered(|_, answer| matches!(answer, Answer::Released { .. }))
            && answered(|call, answer| matches!(call, Call::Read(_)) && answer.revision().is_some())
    });
    let alive: Vec<bool> = run
        .ground
        .members
        .iter_mut()
        .map(|member| member.runs())
        .collect();
    assert_eq!(alive, [true; 3], "nobody dies of a watermark");
    drop(all);
    run.await_service();
    run.finish().assert_good();
}

/// Negative control: without the watermark a leader leads on until its disk is full.
#[test]
fn a_leader_that_does_not_look_at_its_disk_is_found() {
    let _turn = turn();
    let disks = SmallDisks::new();
    let run = with_small_disks(&disks, &Setup::planted("no-watermark"));
    let (moved, _filler) = hands_over(&run, &disks);
    assert!(!moved, "the control controls nothing");
    run.finish_anyhow().expected_bad();
}

/// Promise: a follower whose disk is filled up by others, to the last block, loses nothing: it lives on room that it has
/// already, or ends, and comes back once there is room.
#[test]
fn a_disk_without_any_room_loses_nothing() {
    let _turn = turn();
    let disks = SmallDisks::new();
    let mut run = with_small_disks(&disks, &Setup::shipped());
    run.await_service();
    let leader = run.ground.await_leader();
    let follower = leader % 3 + 1;
    let filler = disks.fill_up(follower);
    let ended = run.ground.member(follower).ended_within(FILLS_WITHIN);
    println!("a follower without any room: {ended:?}");
    if ended.is_some_and(|status| !status.success()) {
        run.ground.member(follower).start(false).expect("it starts");
        restart_holds(&mut run.ground, follower);
    }
    drop(filler);
    if !run.ground.member(follower).runs() {
        run.ground.member(follower).wait();
        run.ground.member(follower).start(false).expect("it starts");
    }
    run.await_service();
    run.finish().assert_good();
}

/// Its own ballast is room enough to start and to take what frees; if that is used up too, it ends again and says so.
fn restart_holds(ground: &mut Ground, number: usize) {
    if let Some(status) = ground.member(number).ended_within(Duration::from_secs(2)) {
        assert!(!status.success(), "it says nothing of its disk");
    }
}

/// At some hundred small writes a second.
const FILLS_WITHIN: Duration = Duration::from_secs(5);
