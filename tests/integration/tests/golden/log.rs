//! The golden log: one line per entry: its bytes, how many commands it does and how many are
//! refused, then the revision, the chain and the ledger's digest after it.

use super::script::{CLUSTER, Script};
use super::{hex, releases};
use berth_domain::id::{ClusterId, Revision};
use berth_raft::state_machine::StateMachine;
use berthd::codec::encode_entry;
use berthd::history::Progress;
use berthd::replica::LedgerMachine;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The release whose entries [`Script::first_version`] says.
const FIRST: &str = "0.1.0";
const FILE: &str = "log.txt";

/// As this program writes and applies it.
pub fn of_this_program() -> String {
    let mut machine = machine();
    let entries = Script::first_version();
    let lines = (1..)
        .zip(&entries)
        .map(|(index, entry)| line(&mut machine, index, &encode_entry(entry)));
    lines.map(|line| line + "\n").collect()
}

pub fn write(folder: &Path) {
    fs::write(folder.join(FILE), of_this_program()).expect("written");
}

fn read(folder: &Path) -> String {
    fs::read_to_string(folder.join(FILE)).expect("every release has a log")
}

fn machine() -> LedgerMachine {
    let cluster = ClusterId::new(CLUSTER).expect("a cluster");
    LedgerMachine::new(cluster, Arc::new(Progress::new(Revision(0))))
}

/// Applies an entry, and says what came of it.
fn line(machine: &mut LedgerMachine, index: u64, entry: &[u8]) -> String {
    let effect = machine.apply(index, entry).expect("it is applied");
    let refused = effect
        .answers
        .iter()
        .filter(|answer| answer.result.is_err())
        .count();
    let (revision, chain) = (machine.ledger().revision(), machine.ledger().chain());
    let digest = hex(&machine.digest());
    let done = effect.answers.len() - refused;
    format!(
        "{} {done} {refused} {revision} {} {digest}",
        hex(entry),
        hex(&chain.0)
    )
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at: usize| hex.get(at..at + 2).expect("two digits");
    let byte = |at| u8::from_str_radix(digits(at), 16).expect("a hexadecimal number");
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// The first line that comes to something else, counted from 1.
fn differs(log: &str) -> Option<usize> {
    let mut machine = machine();
    let mut numbered = (1..).zip(log.lines());
    let differing = numbered.find(|(index, golden)| {
        let entry = bytes(golden.split(' ').next().expect("an entry"));
        line(&mut machine, *index, &entry) != *golden
    });
    differing.map(|(index, _)| index as usize)
}

/// Promise: every release's log is applied to the same revisions, chain and digests, entry by entry.
#[test]
fn the_log_of_every_release_comes_to_the_same() {
    for release in releases() {
        let log = read(&release);
        assert!(log.lines().count() > 8, "{}", release.display());
        assert_eq!(differs(&log), None, "{}", release.display());
    }
}

/// Promise: the control: one address that is another in one entry is noticed at that entry.
#[test]
fn another_entry_comes_to_something_else() {
    let log = of_this_program();
    // Addresses are bytes in it.
    let (was, is) = (hex(&[10, 1, 0, 5]), hex(&[10, 1, 0, 4]));
    let line = log.lines().position(|line| line.contains(&was));
    let line = line.expect("the address is in the log") + 1;
    assert_eq!(differs(&log.replacen(&was, &is, 1)), Some(line));
}

/// Promise: what the first release said is still written with the same bytes, so that a member of it reads what this one
/// writes at its version.
#[test]
fn the_first_version_keeps_its_bytes() {
    let folder = releases().into_iter().find(|path| path.ends_with(FIRST));
    let golden = read(&folder.expect("the first release is kept"));
    assert!(
        golden == of_this_program(),
        "the bytes or what they come to have changed"
    );
}
