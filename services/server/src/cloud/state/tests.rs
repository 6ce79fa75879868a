use super::*;
use berth_cloud::eni::{Eni as CloudEni, EniKind, EniStatus, Tags};
use berth_cloud::id::{EniId as CloudEniId, ZoneId};
use berth_cloud::reply::{Body, Page, Reply};
use berth_domain::Ledger;

fn state() -> State {
    let cluster = ClusterId::new("test").expect("a name");
    let view = View::of(&Ledger::new(cluster.clone()));
    let clock = LedgerClock::start(0, 0);
    State::new(cluster, clock, &view, (Limits::default(), true), 0)
}

fn orphan(status: EniStatus) -> CloudEni {
    CloudEni {
        id: CloudEniId::new("eni-orphan").expect("a name"),
        mac: String::new(),
        kind: EniKind::Secondary,
        status,
        vpc: None,
        vswitch: CloudVSwitchId::new("vsw-1").expect("a name"),
        zone: ZoneId::new("zone-a").expect("a name"),
        attachment: None,
        primary: [10, 0, 0, 9].into(),
        secondary: Vec::new(),
        ipv6: Vec::new(),
        security_groups: Vec::new(),
        tags: Tags::new(),
        created_at_s: None,
    }
}

/// Wakes the state each second and shows it this ENI whenever it looks; when it asked for its deletion, ms.
fn deleted_at(status: EniStatus, until_ms: u64) -> Option<u64> {
    let (mut state, mut troubles) = (state(), Troubles::default());
    for now_ms in (0..until_ms).step_by(1_000) {
        let mut out = Vec::new();
        state.on_wake(now_ms, &mut troubles, &mut out);
        let mut sent: Vec<Out> = out;
        while let Some(one) = sent.pop() {
            let Out::Send { ticket, call } = one else {
                continue;
            };
            match *call {
                Call::DescribeNetworkInterfaces(_) => {
                    let page = Page {
                        items: vec![orphan(status)],
                        next: None,
                    };
                    let body = Body::Enis(page);
                    let answer = Ok(Reply { call: None, body });
                    state.on_answer((ticket, answer), now_ms, &mut troubles, &mut sent);
                }
                Call::DeleteNetworkInterface { .. } => return Some(now_ms),
                other => panic!("{other:?}"),
            }
        }
    }
    None
}

/// Promise: an ENI of this cluster that no row knows is deleted ten minutes after it was first seen, and no earlier; one that is
/// on a machine never is.
#[test]
fn an_orphan_has_ten_minutes() {
    let first_seen_ms = 20_000;
    let at_ms = deleted_at(EniStatus::Available, 3_600_000).expect("deleted at last");
    assert!(
        (first_seen_ms + 600_000..first_seen_ms + 720_000).contains(&at_ms),
        "{at_ms}"
    );
    assert_eq!(deleted_at(EniStatus::InUse, 3_600_000), None);
}

/// Promise: before there was a look nothing is said of the cloud.
#[test]
fn nothing_is_known_before_a_look() {
    assert!(state().last_audit().is_none());
}
