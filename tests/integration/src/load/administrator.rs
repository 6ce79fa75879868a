//! An administrator: looks at everything, and now and then makes a claim and ends it.

use super::caller::{Caller, TRY_WITHIN};
use super::{STATICS, Shared, rest};
use crate::record::{Answer, Call, Read, Write};
use std::sync::Arc;
use std::time::Duration;

/// Until the load ends.
pub(super) async fn live(shared: Arc<Shared>) {
    let mut caller = Caller::new(&shared, "administrator", 1_000);
    let mut made: Vec<String> = Vec::new();
    let mut round = 0;
    while shared.goes_on() {
        let pause = caller.chance.between(10, 60);
        rest(&shared, pause).await;
        round += 1;
        match caller.chance.between(0, 100) {
            0..3 => {
                let name = format!("default/shop/extra-{round}");
                let address = format!("10.9.0.{}", caller.chance.between(1, 31));
                let addresses = if caller.chance.percent(50) {
                    vec![address]
                } else {
                    Vec::new()
                };
                let write = Write::CreateClaim {
                    name: name.clone(),
                    addresses,
                };
                let answer = caller.change_until_answered(write).await;
                if matches!(answer, Answer::Done { .. }) {
                    made.push(name);
                }
            }
            3..6 => {
                if let Some(name) = made.pop() {
                    caller
                        .change_until_answered(Write::DeleteClaim { name })
                        .await;
                }
            }
            _ => look(&mut caller).await,
        }
    }
}

async fn look(caller: &mut Caller) {
    let number = caller.chance.between(0, STATICS as u64 + 1);
    let read = match caller.chance.between(0, 6) {
        0 => Read::Claim {
            name: format!("default/shop/db-{number}"),
        },
        1 | 2 => Read::VSwitch {
            name: "pods".into(),
        },
        3 => Read::Allocations {
            node: format!("worker-{}", caller.chance.between(1, 5)),
        },
        4 => Read::WhoHas {
            address: format!("10.9.0.{}", caller.chance.between(1, 31)),
        },
        _ => Read::Stale,
    };
    match read {
        // Of any member: each must have been right once.
        Read::Stale => {
            let place = usize::try_from(caller.chance.between(0, 3)).unwrap_or(0);
            caller
                .at(place, Call::Read(Read::Stale), 0, TRY_WITHIN)
                .await;
        }
        // Of any member too: those that do not lead say so, and none may answer from an old view.
        read => {
            caller.once(Call::Read(read), 0).await;
        }
    }
}

/// A monitor that asks one member, whoever leads, the same question over and over: what a member that has lost its
/// leadership unawares answers is found here.
pub(super) async fn watch(shared: Arc<Shared>, member: usize) {
    let name = format!("monitor-{member}");
    let mut caller = Caller::new(&shared, &name, 1_100 + member as u64);
    while shared.goes_on() {
        let read = Call::Read(Read::VSwitch {
            name: "pods".into(),
        });
        caller.at(member, read, 0, MONITOR_WITHIN).await;
        rest(&shared, MONITOR_PAUSE_MS).await;
    }
}

/// Longer than a pause: the question waits at a member that is stopped.
const MONITOR_WITHIN: Duration = Duration::from_secs(4);
/// Between two questions.
const MONITOR_PAUSE_MS: u64 = 20;
