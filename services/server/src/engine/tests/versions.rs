//! What a later version wrote, in a running replica's log.

use super::cluster::{Cluster, run};
use crate::codec::{Entry, encode_entry};
use crate::engine::samples::*;
use crate::failure::Failure;
use berth_domain::command::{Command, Header, Repair, SetClusterVersion};
use berth_domain::outcome::Refusal;
use berth_domain::version::{APPLIES, BASE, CARE, ClusterVersion};
use berth_proto::log::v1;
use bytes::Bytes;
use prost::Message;

fn entry() -> Entry {
    Entry {
        header: Header {
            ledger_time_ms: 1,
            wall_time_ms: 1,
        },
        leader_boot: [7; 16],
        batch: 1,
        proposals: vec![create_vswitch("z", "10.9.0.0/24", 0)],
        version: BASE,
    }
}

/// Puts these bytes into the log of a replica that serves, and says how it ended and whether any of them took effect.
async fn ended_by(bytes: Vec<u8>) -> (String, bool) {
    let mut cluster = Cluster::begin(1).await;
    let (_, gate) = cluster.leader().await;
    furnish(&gate, "10.0.0.0/24", 0, &["n1"]).await;
    let engine = cluster.engines.get_mut(&1).expect("runs");
    engine.handle().propose(Bytes::from(bytes)).expect("taken");
    let stopped = engine.stopped().await.to_string();
    // The ledger of a replica that has stopped is not asked; its directory says what it would say.
    drop(gate);
    cluster.end(1).await;
    let history = berth_store::Directory::open(&cluster.path(1), Default::default())
        .and_then(|directory| directory.history())
        .expect("whole");
    let took_effect = history.1.through().revision > 2;
    (stopped, took_effect)
}

/// Promise: an unknown command in the log stops the node, with the way out, and nothing of its entry takes effect.
#[test]
fn an_unknown_command_stops_the_node() {
    run(async {
        let known = v1::Entry::decode(&*encode_entry(&entry())).expect("ours");
        // As a later version would write it: a known command, then one in a field that there is not.
        let mut bytes = known.encode_to_vec();
        let mut proposal = v1::Proposal {
            principal: "local".into(),
            ..v1::Proposal::default()
        }
        .encode_to_vec();
        prost::encoding::message::encode(99, &v1::Expire { limit: 1 }, &mut proposal);
        prost::encoding::bytes::encode(5, &proposal, &mut bytes);
        let (stopped, took_effect) = ended_by(bytes).await;
        assert!(
            stopped.contains("a command that this program does not know"),
            "{stopped}"
        );
        assert!(
            stopped.contains("start the program that the other members run"),
            "{stopped}"
        );
        assert!(!took_effect);
    });
}

/// Promise: an unknown field in a known command stops the node: the other replicas would do what it says.
#[test]
fn an_unknown_field_stops_the_node() {
    run(async {
        let mut bytes = encode_entry(&entry());
        prost::encoding::uint64::encode(77, &5, &mut bytes);
        let (stopped, took_effect) = ended_by(bytes).await;
        assert!(
            stopped.contains("fields that this program does not know"),
            "{stopped}"
        );
        assert!(!took_effect);
    });
}

/// Promise: an entry that was written at a later cluster version stops the node, with both versions said.
#[test]
fn a_later_version_stops_the_node() {
    run(async {
        let version = ClusterVersion(APPLIES.highest.0 + 1);
        let later = Entry { version, ..entry() };
        let (stopped, took_effect) = ended_by(encode_entry(&later)).await;
        let expected =
            format!("written at cluster version {version}, and this program applies {APPLIES}");
        assert!(stopped.contains(&expected), "{stopped}");
        assert!(!took_effect);
    });
}

/// Promise (negative control): the same bytes without what is unknown stop nobody and take effect.
#[test]
fn known_bytes_take_effect() {
    run(async {
        let cluster = Cluster::begin(1).await;
        let (_, gate) = cluster.leader().await;
        furnish(&gate, "10.0.0.0/24", 0, &["n1"]).await;
        let bytes = Bytes::from(encode_entry(&entry()));
        cluster.engines[&1].handle().propose(bytes).expect("taken");
        let named = |ledger: &berth_domain::Ledger, _: &_| ledger.vswitches().count() == 2;
        while !gate.read_stale(named).await.expect("runs") {
            tokio::task::yield_now().await;
        }
        drop(gate);
        cluster.shutdown().await;
    });
}

/// Promise: on a whole replica a command ahead of the cluster version is refused and not proposed; after the raise it is
/// decided, and a restart keeps the version.
#[test]
fn the_version_opens_its_commands() {
    run(async {
        let mut cluster = Cluster::begin(1).await;
        let (_, gate) = cluster.leader().await;
        furnish(&gate, "10.0.0.0/24", 0, &["n1"]).await;
        let refused = failure(gate.propose(repair()).await);
        assert!(
            matches!(
                refused,
                Failure::Refused(Refusal::VersionTooLow { needed: CARE, .. })
            ),
            "{refused}"
        );
        done(
            &gate,
            proposal(Command::SetClusterVersion(SetClusterVersion { to: CARE })),
        )
        .await;
        assert_eq!(gate.versions().current(), CARE);
        let decided = gate.propose(repair()).await.expect("proposed");
        assert!(
            matches!(decided.result, Err(Refusal::NotBroken { .. })),
            "{decided:?}"
        );
        drop(gate);
        cluster.end(1).await;
        cluster.restart(1).await;
        let (_, gate) = cluster.leader().await;
        assert_eq!(gate.versions().current(), CARE);
        let decided = gate.propose(repair()).await.expect("proposed");
        assert!(
            matches!(decided.result, Err(Refusal::NotBroken { .. })),
            "{decided:?}"
        );
        drop(gate);
        cluster.shutdown().await;
    });
}

/// Promise: a new cluster begins at what its first leader's program applies, with its first command and without waiting for a
/// member that never came: its place can be taken.
#[test]
fn a_new_cluster_begins_at_its_programs_version() {
    run(async {
        let mut cluster = Cluster::begin_at(3, CARE).await;
        cluster.end(3).await;
        let (_, gate) = cluster.leader().await;
        let first = done(&gate, create_vswitch("z", "10.9.0.0/24", 0)).await;
        assert_eq!(first.revision.0, 2, "the version came first");
        let decided = gate.propose(repair()).await.expect("proposed");
        assert!(
            matches!(decided.result, Err(Refusal::NotBroken { .. })),
            "{decided:?}"
        );
        drop(gate);
        cluster.shutdown().await;
    });
}

/// Promise (negative control): a cluster that has begun already stays where it is when a newer program leads it.
#[test]
fn an_old_cluster_stays_where_it_is() {
    run(async {
        let mut cluster = Cluster::begin(1).await;
        let (_, gate) = cluster.leader().await;
        done(&gate, create_vswitch("z", "10.9.0.0/24", 0)).await;
        drop(gate);
        cluster.end(1).await;
        cluster.upgrade(CARE);
        cluster.restart(1).await;
        let (_, gate) = cluster.leader().await;
        let refused = failure(gate.propose(repair()).await);
        assert!(
            matches!(refused, Failure::Refused(Refusal::VersionTooLow { .. })),
            "{refused}"
        );
        drop(gate);
        cluster.shutdown().await;
    });
}

fn repair() -> berth_domain::command::Proposal {
    proposal(Command::Repair(Repair::FreeAddress {
        address: ip("10.0.0.1"),
    }))
}
