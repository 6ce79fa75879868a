//! Whatever goes out comes back, and whatever comes in is checked.

mod samples;

use super::{Entry, SnapshotChunks};
use super::{
    Error, Wire, decode_chunk, decode_entry, decode_group, encode_entry, encode_group, fixed,
};
use berth_domain::Ledger;
use berth_domain::command::{Command, Header, Rehearse, SetClusterVersion};
use berth_domain::event::{Chain, EventGroup};
use berth_domain::id::{Principal, Reason, RequestId, Revision};
use berth_domain::row::Change;
use berth_domain::version::{APPLIES, BASE, CARE, ClusterVersion, REHEARSAL};
use berth_proto::log::v1;
use bytes::Bytes;
use proptest::prelude::*;
use prost::Message;

fn entry(commands: Vec<Command>) -> Entry {
    let proposals = commands.into_iter().map(samples::proposal).collect();
    Entry {
        header: Header {
            ledger_time_ms: 17,
            wall_time_ms: 1_700_000_000_000,
        },
        leader_boot: [3; 16],
        batch: 9,
        proposals,
        version: CARE,
    }
}

fn group(changes: Vec<Change>) -> EventGroup {
    EventGroup {
        revision: Revision(7),
        ledger_time_ms: 17,
        wall_time_ms: 1_700_000_000_000,
        principal: Principal::new("admin/anna").expect("a name"),
        request_id: RequestId::new("r-1").expect("a name"),
        trace_id: Some([5; 16]),
        cause: "bind",
        reason: Reason::new("because it must").expect("a text"),
        changes,
        chain: Chain([9; 32]),
    }
}

proptest! {
    /// Promise: an entry of any commands comes back as it was.
    #[test]
    fn entries_come_back(commands in prop::collection::vec(samples::command(), 0..20)) {
        let entry = entry(commands);
        prop_assert_eq!(decode_entry(&encode_entry(&entry)).expect("decodes"), entry);
    }

    /// Promise: an event group of any changes comes back as it was.
    #[test]
    fn groups_come_back(changes in prop::collection::vec(samples::change(), 0..20)) {
        let group = group(changes);
        prop_assert_eq!(decode_group(&encode_group(&group)).expect("decodes"), group);
    }

    /// Promise: bytes that are no entry are refused, never a panic; a damaged one is refused or is another entry.
    #[test]
    fn anything_is_decoded_or_refused(commands in prop::collection::vec(samples::command(), 1..4), at in any::<prop::sample::Index>(), to in any::<u8>(), noise in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut bytes = encode_entry(&entry(commands));
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(entry) = decode_entry(&bytes) {
            prop_assert_eq!(decode_entry(&encode_entry(&entry)).expect("decodes"), entry);
        }
        prop_assert!(decode_entry(&noise).is_err());
        drop(decode_group(&noise));
        drop(decode_chunk(&noise));
    }
}

/// Promise: a ledger comes back from its snapshot's chunks with the same digest, and no chunk is above raft's limit.
#[test]
fn a_ledger_comes_back_from_its_chunks() {
    let ledger = samples::ledger(3_000);
    let chunks: Vec<Vec<u8>> = SnapshotChunks::new(ledger.records()).collect();
    assert!(chunks.len() > 3, "{}", chunks.len());
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk.len() <= berth_raft::state_machine::CHUNK_BYTES_MAX)
    );
    let records = chunks
        .iter()
        .flat_map(|chunk| decode_chunk(chunk).expect("decodes"));
    let restored = Ledger::from_records(records).expect("whole");
    assert_eq!(restored.digest(), ledger.digest());
    assert_eq!(restored.ledger_time_ms(), ledger.ledger_time_ms());
    // And one that lost a chunk does not pass for whole.
    let torn = chunks
        .iter()
        .skip(1)
        .flat_map(|chunk| decode_chunk(chunk).expect("decodes"));
    assert!(Ledger::from_records(torn).is_err());
}

/// Promise: a command that this version does not know is an error, so that the replica stops instead of parting from the others.
#[test]
fn an_unknown_command_is_an_error() {
    let mut message = v1::Entry {
        leader_boot: Bytes::from_static(&[0; 16]),
        commands: vec![v1::Proposal {
            principal: "local".into(),
            ..v1::Proposal::default()
        }],
        ..v1::Entry::default()
    };
    assert!(matches!(
        decode_entry(&message.encode_to_vec()),
        Err(Error::UnknownCommand)
    ));
    message.commands[0].command = Some(v1::proposal::Command::Expire(v1::Expire { limit: 1 }));
    assert!(decode_entry(&message.encode_to_vec()).is_ok());
    // As a later version might send it: a field that there is not yet.
    message.commands[0].command = None;
    let mut proposal = message.commands[0].encode_to_vec();
    prost::encoding::message::encode(99, &v1::Expire { limit: 1 }, &mut proposal);
    let mut bytes = v1::Entry {
        commands: Vec::new(),
        ..message
    }
    .encode_to_vec();
    prost::encoding::bytes::encode(5, &proposal, &mut bytes);
    assert!(matches!(decode_entry(&bytes), Err(Error::UnknownCommand)));
}

/// Promise: an entry written at a version that this program does not apply is an error that names both, before anything of
/// it is looked at; one of the first release, which wrote no version, is of the first.
#[test]
fn a_version_beyond_ours_is_an_error() {
    let mut later = entry(Vec::new());
    later.version = ClusterVersion(APPLIES.highest.0 + 1);
    let error = decode_entry(&encode_entry(&later)).expect_err("a later one");
    assert!(matches!(error, Error::Version { .. }), "{error:?}");
    let first = v1::Entry {
        leader_boot: Bytes::from_static(&[0; 16]),
        ..v1::Entry::default()
    };
    let read = decode_entry(&first.encode_to_vec()).expect("the first");
    assert_eq!(read.version, BASE);
    // And the raise to such a version, in an entry that denies it.
    let to = later.version;
    let raise = entry(vec![Command::SetClusterVersion(SetClusterVersion { to })]);
    let error = decode_entry(&encode_entry(&raise)).expect_err("it leads there");
    assert!(
        matches!(error, Error::Version { found, .. } if found == to),
        "{error:?}"
    );
}

/// Promise: a command that is known and of a later version is as good as unknown; one of this version is read.
#[test]
fn a_known_command_of_a_later_version_is_an_error() {
    let rehearse = encode_entry(&entry(vec![Command::Rehearse(Rehearse)]));
    match decode_entry(&rehearse) {
        Ok(_) => assert!(
            APPLIES.contains(REHEARSAL),
            "only a program of the next version reads it"
        ),
        Err(error) => assert!(matches!(
            error,
            Error::Version {
                found: REHEARSAL,
                ..
            }
        )),
    }
    let raise = Command::SetClusterVersion(SetClusterVersion { to: CARE });
    decode_entry(&encode_entry(&entry(vec![raise]))).expect("ours");
}

/// A field of a later version, at the end of a message.
fn with_a_later_field(message: &impl Message) -> Vec<u8> {
    let mut bytes = message.encode_to_vec();
    prost::encoding::uint64::encode(77, &5, &mut bytes);
    bytes
}

/// Promise: a field that this program does not know, in a command that it knows, is an error wherever it stands: prost
/// leaves it out without a word, and the replicas would part.
#[test]
fn an_unknown_field_is_an_error() {
    let wire = |entry: &Entry| v1::Entry::decode(&*encode_entry(entry)).expect("ours");
    let expire = Command::Expire(berth_domain::command::Expire { limit: 7 });
    let message = wire(&entry(vec![expire]));
    assert!(
        decode_entry(&message.encode_to_vec()).is_ok(),
        "without one it is read"
    );
    let outer = with_a_later_field(&message);
    assert!(matches!(
        decode_entry(&outer),
        Err(Error::UnknownFields { unread: 3, .. })
    ));
    // Inside of the command, two messages down.
    let mut proposal = v1::Proposal {
        command: None,
        ..message.commands[0].clone()
    }
    .encode_to_vec();
    let inner = with_a_later_field(&v1::Expire { limit: 7 });
    prost::encoding::bytes::encode(26, &inner, &mut proposal);
    let mut bytes = v1::Entry {
        commands: Vec::new(),
        ..message
    }
    .encode_to_vec();
    prost::encoding::bytes::encode(5, &proposal, &mut bytes);
    let read = v1::Entry::decode(&*bytes).expect("prost reads it");
    let known = v1::proposal::Command::Expire(v1::Expire { limit: 7 });
    assert_eq!(read.commands[0].command, Some(known), "and drops the field");
    let error = decode_entry(&bytes).expect_err("we do not");
    assert!(matches!(error, Error::UnknownFields { .. }), "{error:?}");
    // The same for what is stored: a group of the history, a snapshot's chunk.
    let stored = v1::EventGroup::decode(&*encode_group(&group(Vec::new()))).expect("ours");
    let group = decode_group(&with_a_later_field(&stored));
    assert!(matches!(group, Err(Error::UnknownFields { .. })));
    let chunk = SnapshotChunks::new(samples::ledger(1).records())
        .next()
        .expect("one");
    let chunk = v1::SnapshotChunk::decode(&*chunk).expect("ours");
    assert!(matches!(
        decode_chunk(&with_a_later_field(&chunk)),
        Err(Error::UnknownFields { .. })
    ));
}

/// Promise: at the first version an entry has the bytes that the first release gave it.
#[test]
fn the_first_version_is_not_written() {
    let mut first = entry(Vec::new());
    first.version = BASE;
    let message = v1::Entry::decode(&*encode_entry(&first)).expect("ours");
    assert_eq!(message.version, 0);
    assert_eq!(
        decode_entry(&encode_entry(&first)).expect("read").version,
        BASE
    );
}

/// Promise: numbers and lengths that no version ever wrote are refused by name.
#[test]
fn impossible_values_are_refused() {
    let policy = v1::Policy { kind: 3, ttl_ms: 0 };
    assert!(matches!(
        berth_domain::row::Policy::from_wire(policy),
        Err(Error::Unknown {
            what: "policy",
            number: 3
        })
    ));
    let short = v1::Address {
        octets: Bytes::from_static(&[10, 0, 0]),
    };
    assert!(matches!(
        std::net::IpAddr::from_wire(short),
        Err(Error::Malformed { what: "address" })
    ));
    assert!(matches!(
        fixed::<16>(&[1; 15], "store"),
        Err(Error::Malformed { what: "store" })
    ));
    let mut bytes = encode_group(&group(Vec::new()));
    let at = bytes
        .windows(4)
        .position(|window| window == b"bind")
        .expect("there");
    bytes[at..at + 4].copy_from_slice(b"blnd");
    assert!(matches!(decode_group(&bytes), Err(Error::Cause(cause)) if cause == "blnd"));
}
