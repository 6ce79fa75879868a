//! Commands, rows and ledgers of every kind.

mod jobs;
mod pools;

use berth_domain::Ledger;
use berth_domain::address::{AddressRange, NetworkKind, Subnet};
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::outcome::Outcome;
use berth_domain::row::*;
use berth_domain::version::{APPLIES, ClusterVersion};
use proptest::option;
use proptest::prelude::*;
use std::net::IpAddr;
use std::sync::Arc;

macro_rules! names {
    ($($function:ident: $kind:ident = $pattern:literal;)*) => {
        $(fn $function() -> impl Strategy<Value = $kind> {
            $pattern.prop_map(|text: String| $kind::new(&text).expect("allowed"))
        })*
    };
}

names! {
    cluster_name: ClusterName = "[a-z]{1,8}";
    network_name: NetworkName = "[a-z]{1,8}";
    container: ContainerId = "[a-f0-9]{1,64}";
    interface: InterfaceName = "[a-z]{1,10}[0-9]";
    namespace: Namespace = "[a-z]{0,8}";
    pod_name: PodName = "[a-z]{0,8}";
    uid: PodUid = "[a-f0-9-]{0,36}";
    node_name: NodeName = "[a-z]{1,8}";
    identity: NodeIdentity = "[a-z/]{1,8}";
    zone: Zone = "[a-z]{0,8}";
    vswitch_name: VSwitchName = "[a-z]{1,8}";
    instance_type: InstanceType = "[a-z.0-9]{0,12}";
    eni: EniId = "eni-[a-z]{1,8}";
    boot: BootId = "[a-f0-9-]{0,36}";
    endpoint: Endpoint = "http://[a-z]{1,8}:74[0-9]{2}";
    cluster_id: ClusterId = "[a-z]{1,8}";
    principal: Principal = "[a-z/]{1,12}";
    request_id: RequestId = "[a-z0-9]{0,12}";
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(IpAddr::from)
    ]
}

fn addresses() -> impl Strategy<Value = Vec<IpAddr>> {
    prop::collection::vec(address(), 0..3)
}

fn range() -> impl Strategy<Value = AddressRange> {
    any::<([u8; 4], [u8; 4])>().prop_map(|(one, other)| AddressRange {
        first: one.min(other).into(),
        last: one.max(other).into(),
    })
}

fn subnet() -> impl Strategy<Value = Subnet> {
    (any::<[u8; 4]>(), 0..=32u8, option::of(address())).prop_map(|(network, length, gateway)| {
        Subnet {
            cidr: ipnet::IpNet::new(network.into(), length)
                .expect("a length")
                .trunc(),
            gateway,
        }
    })
}

fn kind() -> impl Strategy<Value = NetworkKind> {
    prop_oneof![Just(NetworkKind::Routed), Just(NetworkKind::Vpc)]
}

fn key() -> impl Strategy<Value = AttachmentKey> {
    (cluster_name(), network_name(), container(), interface()).prop_map(
        |(cluster, network, container, interface)| AttachmentKey {
            cluster,
            network,
            container,
            interface,
        },
    )
}

fn pod() -> impl Strategy<Value = PodIdentity> {
    (namespace(), pod_name(), uid()).prop_map(|(namespace, name, uid)| PodIdentity {
        namespace,
        name,
        uid,
    })
}

fn claim_name() -> impl Strategy<Value = ClaimName> {
    (cluster_name(), namespace(), pod_name()).prop_map(|(cluster, namespace, pod)| ClaimName {
        cluster,
        namespace,
        pod,
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    prop_oneof![
        Just(Policy::Delete),
        any::<u64>().prop_map(|ttl_ms| Policy::Ttl { ttl_ms }),
        Just(Policy::Never)
    ]
}

/// As a caller gives it.
pub fn proposal(command: Command) -> Proposal {
    Proposal {
        principal: Principal::new("local").expect("a name"),
        request_id: RequestId::new("").expect("a name"),
        trace_id: None,
        reason: Reason::new("").expect("a text"),
        facts: Some(FactsVersion {
            epoch: 1,
            version: 2,
        }),
        command,
    }
}

/// Any command.
pub fn command() -> impl Strategy<Value = Command> {
    let vswitches = (
        vswitch_name(),
        zone(),
        option::of(subnet()),
        option::of(subnet()),
    );
    let more = (
        prop::collection::vec(range(), 0..3),
        any::<u64>(),
        kind(),
        pools::cloud(),
    );
    prop_oneof![
        (vswitches, more, any::<bool>()).prop_map(
            |((name, zone, ipv4, ipv6), (exclusions, cooling_ms, kind, cloud), is_new)| {
                match is_new {
                    true => Command::CreateVSwitch(CreateVSwitch {
                        name,
                        zone,
                        ipv4,
                        ipv6,
                        exclusions,
                        cooling_ms,
                        kind,
                        cloud,
                    }),
                    false => Command::SetVSwitch(SetVSwitch {
                        name,
                        ipv4,
                        ipv6,
                        exclusions,
                        cooling_ms,
                    }),
                }
            }
        ),
        vswitch_name().prop_map(|name| Command::DeleteVSwitch(DeleteVSwitch { name })),
        node(0).prop_map(|row| {
            Command::RegisterNode(RegisterNode {
                name: row.name,
                identity: row.identity,
                zone: row.zone,
                instance_type: row.instance_type,
                eni_slots: row.eni_slots,
                addresses_per_eni: row.addresses_per_eni,
                warm_target: row.warm_target,
                pool: row.pool,
            })
        }),
        any::<(u64, bool)>().prop_map(|(node, confirmed_dead)| {
            Command::RemoveNode(RemoveNode {
                node: NodeId(node),
                confirmed_dead,
            })
        }),
        (claim_name(), any::<u64>(), addresses(), policy()).prop_map(
            |(name, vswitch, addresses, policy)| {
                Command::CreateClaim(CreateClaim {
                    name,
                    vswitch: VSwitchId(vswitch),
                    addresses,
                    policy,
                })
            }
        ),
        any::<(u64, bool, bool)>().prop_map(|(claim, override_holder, policy_fired)| {
            Command::DeleteClaim(DeleteClaim {
                claim: ClaimId(claim),
                override_holder,
                policy_fired,
            })
        }),
        (any::<(u64, u64)>(), option::of(eni()), addresses()).prop_map(
            |((vswitch, node), eni, addresses)| {
                Command::Stock(Stock {
                    vswitch: VSwitchId(vswitch),
                    node: NodeId(node),
                    eni,
                    addresses,
                })
            }
        ),
        (any::<(u64, u64)>(), addresses()).prop_map(|((vswitch, node), addresses)| {
            Command::Reclaim(Reclaim {
                vswitch: VSwitchId(vswitch),
                node: NodeId(node),
                addresses,
            })
        }),
        bind(),
        release(),
        any::<u32>().prop_map(|limit| Command::Expire(Expire { limit })),
        (cluster_id(), member()).prop_map(|(cluster, row)| {
            Command::RegisterMember(RegisterMember {
                cluster,
                id: row.id,
                name: row.name,
                client_endpoint: row.client_endpoint,
                peer_endpoint: row.peer_endpoint,
                store: row.store,
                vote: match row.id.0 % 3 {
                    0 => Vote::AsKnown,
                    1 => Vote::Withheld,
                    _ => Vote::Given,
                },
            })
        }),
        any::<u64>().prop_map(|id| Command::RemoveMember(RemoveMember { id: MemberId(id) })),
        (1..=APPLIES.highest.0).prop_map(|to| {
            Command::SetClusterVersion(SetClusterVersion {
                to: ClusterVersion(to),
            })
        }),
        repair().prop_map(Command::Repair),
        jobs::job_command(),
        pools::pool_command(),
        (cluster_id(), recovery_kind(), any::<(u64, bool)>()).prop_map(
            |(cluster, kind, (revision_jump, unknown_nodes))| {
                Command::Recover(Recover {
                    cluster,
                    kind,
                    revision_jump,
                    unknown_nodes,
                })
            }
        ),
        (any::<(u64, bool)>(), prop::collection::vec(live(), 0..3)).prop_map(
            |((node, admin), live)| {
                Command::ConfirmNode(ConfirmNode {
                    node: NodeId(node),
                    word: if admin { Word::Admin } else { Word::Report },
                    live,
                })
            }
        ),
    ]
}

fn repair() -> impl Strategy<Value = Repair> {
    prop_oneof![
        (key(), any::<u64>()).prop_map(|(key, generation)| Repair::EndAllocation {
            key,
            generation: Generation(generation),
        }),
        address().prop_map(|address| Repair::FreeAddress { address }),
        (any::<u64>(), any::<u64>()).prop_map(|(claim, generation)| Repair::EndClaim {
            claim: ClaimId(claim),
            generation: Generation(generation),
        }),
    ]
}

fn recovery_kind() -> impl Strategy<Value = RecoveryKind> {
    prop_oneof![Just(RecoveryKind::Restored), Just(RecoveryKind::Forced)]
}

fn live() -> impl Strategy<Value = Live> {
    (allocation(), any::<u64>()).prop_map(|(row, invoked_at_ms)| Live {
        key: (*row.key).clone(),
        boot: row.boot,
        invoked_at_ms,
        pod: row.pod,
        eni: row.eni,
        addresses: row.addresses,
    })
}

fn recovery() -> impl Strategy<Value = Recovery> {
    let waiting = prop::collection::btree_set(any::<u64>().prop_map(NodeId), 0..4);
    let names = (recovery_kind(), cluster_id(), cluster_id(), principal());
    let closed = option::of((1..=u64::MAX).prop_map(Revision));
    (names, any::<[u64; 5]>(), waiting, closed).prop_map(
        |((kind, former, cluster, ordered_by), numbers, waiting, closed)| Recovery {
            number: numbers[0],
            kind,
            former,
            cluster,
            follows: Revision(numbers[1]),
            began: Revision(numbers[2]),
            began_ms: numbers[3],
            began_wall_ms: numbers[4],
            ordered_by,
            reason: Reason::new("all disks lost").expect("a text"),
            waiting,
            closed,
        },
    )
}

fn stray() -> impl Strategy<Value = Stray> {
    let cause = prop::sample::select(StrayCause::ALL.to_vec());
    (live(), any::<(u64, u64)>(), cause).prop_map(|(live, (node, since), cause)| Stray {
        key: Arc::new(live.key),
        node: NodeId(node),
        boot: live.boot,
        invoked_at_ms: live.invoked_at_ms,
        pod: live.pod,
        addresses: live.addresses,
        cause,
        since: Revision(since),
    })
}

fn bind() -> impl Strategy<Value = Command> {
    let claim = prop_oneof![
        Just(BindClaim::None),
        (1..=u64::MAX).prop_map(|id| BindClaim::Existing(ClaimId(id))),
        (claim_name(), policy()).prop_map(|(name, policy)| BindClaim::New { name, policy })
    ];
    (allocation(), claim).prop_map(|(row, claim)| {
        Command::Bind(Bind {
            key: (*row.key).clone(),
            node: row.node,
            boot: row.boot,
            invoked_at_ms: row.invoked_at_ms,
            pod: row.pod,
            vswitch: row.vswitch,
            eni: row.eni,
            addresses: row.addresses,
            claim,
            parameters: row.parameters,
        })
    })
}

fn release() -> impl Strategy<Value = Command> {
    let proof = prop_oneof![
        Just(Proof::Del),
        Just(Proof::Collect),
        Just(Proof::Admin),
        Just(Proof::NodeDead)
    ];
    let generation = option::of((1..=u64::MAX).prop_map(Generation));
    (key(), boot(), any::<(u64, u64, bool)>(), generation, proof).prop_map(
        |(key, boot, (node, invoked_at_ms, pod_gone), generation, proof)| {
            Command::Release(Release {
                key,
                node: NodeId(node),
                boot,
                invoked_at_ms,
                generation,
                proof,
                pod_gone,
            })
        },
    )
}

fn node(id: u64) -> impl Strategy<Value = Node> {
    let names = (node_name(), identity(), zone(), instance_type());
    (names, any::<(u32, u32, u32)>(), pools::pool()).prop_map(
        move |(
            (name, identity, zone, instance_type),
            (eni_slots, addresses_per_eni, warm_target),
            pool,
        )| Node {
            id: NodeId(id),
            name,
            identity,
            zone,
            instance_type,
            eni_slots,
            addresses_per_eni,
            warm_target,
            pool,
        },
    )
}

fn member() -> impl Strategy<Value = Member> {
    (
        any::<u64>(),
        node_name(),
        endpoint(),
        endpoint(),
        any::<[u8; 16]>(),
        any::<bool>(),
    )
        .prop_map(
            |(id, name, client_endpoint, peer_endpoint, store, stays_learner)| Member {
                id: MemberId(id),
                name,
                client_endpoint,
                peer_endpoint,
                store,
                stays_learner,
            },
        )
}

fn allocation() -> impl Strategy<Value = Allocation> {
    let places = (key(), boot(), pod(), option::of(eni()), addresses());
    let claim = option::of((1..=u64::MAX).prop_map(ClaimId));
    (places, claim, any::<([u64; 4], [u64; 2], [u8; 16])>()).prop_map(
        |((key, boot, pod, eni, addresses), claim, (numbers, bound, parameters))| Allocation {
            key: Arc::new(key),
            generation: Generation(numbers[0]),
            node: NodeId(numbers[1]),
            boot,
            invoked_at_ms: numbers[2],
            pod,
            vswitch: VSwitchId(numbers[3]),
            eni,
            addresses,
            claim,
            parameters,
            bound_at_ms: bound[0],
            bound_wall_ms: bound[1],
        },
    )
}

fn state() -> impl Strategy<Value = AddressState> {
    let number = any::<u64>;
    prop_oneof![
        number().prop_map(|since| AddressState::Free {
            since: Revision(since)
        }),
        (number(), number()).prop_map(|(node, job)| AddressState::Reserved {
            node: NodeId(node),
            job: JobId(job)
        }),
        (number(), option::of(eni())).prop_map(|(node, eni)| AddressState::Idle {
            node: NodeId(node),
            eni
        }),
        (number(), key(), number()).prop_map(|(node, key, generation)| AddressState::Bound {
            node: NodeId(node),
            key: Arc::new(key),
            generation: Generation(generation),
        }),
        (
            number(),
            option::of((1..=u64::MAX).prop_map(NodeId)),
            option::of(eni())
        )
            .prop_map(|(until_ms, node, eni)| AddressState::Cooling {
                until_ms,
                node,
                eni
            }),
        (option::of((1..=u64::MAX).prop_map(NodeId)), number()).prop_map(|(node, job)| {
            AddressState::Releasing {
                node,
                job: JobId(job),
            }
        }),
        number().prop_map(|claim| AddressState::Held {
            claim: ClaimId(claim)
        }),
        number().prop_map(|claim| AddressState::Disputed {
            claim: ClaimId(claim)
        }),
        number().prop_map(|since| AddressState::Quarantined {
            since: Revision(since)
        }),
        Just(AddressState::Foreign),
        Just(AddressState::Excluded),
    ]
}

fn claim() -> impl Strategy<Value = Claim> {
    let held = (any::<(u64, u64)>(), option::of(any::<u64>())).prop_map(
        |((since_ms, settled_at_ms), release_at_ms)| ClaimState::Held {
            since_ms,
            settled_at_ms,
            release_at_ms,
        },
    );
    let bound =
        (key(), any::<(u64, u64)>()).prop_map(|(key, (generation, node))| ClaimState::Bound {
            key: Arc::new(key),
            generation: Generation(generation),
            node: NodeId(node),
        });
    (
        any::<[u64; 3]>(),
        claim_name(),
        addresses(),
        policy(),
        prop_oneof![held, bound],
    )
        .prop_map(|(numbers, name, addresses, policy, state)| Claim {
            id: ClaimId(numbers[0]),
            name,
            vswitch: VSwitchId(numbers[1]),
            addresses,
            policy,
            state,
            generation: Generation(numbers[2]),
        })
}

fn vswitch() -> impl Strategy<Value = VSwitch> {
    let subnets = (option::of(subnet()), option::of(subnet()));
    let rest = (prop::collection::vec(range(), 0..3), kind(), pools::cloud());
    (any::<(u64, u64)>(), vswitch_name(), zone(), subnets, rest).prop_map(
        |((id, cooling_ms), name, zone, (ipv4, ipv6), (excluded, kind, cloud))| VSwitch {
            id: VSwitchId(id),
            name,
            zone,
            ipv4,
            ipv6,
            excluded,
            cooling_ms,
            kind,
            cloud,
        },
    )
}

fn tombstone() -> impl Strategy<Value = Tombstone> {
    (boot(), any::<(u64, u64)>()).prop_map(|(boot, (invoked_at_ms, expires_at_ms))| Tombstone {
        boot,
        invoked_at_ms,
        expires_at_ms,
    })
}

fn request() -> impl Strategy<Value = RequestResult> {
    let outcome = prop_oneof![
        (allocation(), any::<bool>()).prop_map(|(row, created)| Outcome::Bound {
            allocation: Arc::new(row),
            created,
        }),
        any::<bool>().prop_map(|released| Outcome::Released { released }),
        any::<u64>().prop_map(|id| Outcome::VSwitch(VSwitchId(id))),
        any::<u64>().prop_map(|id| Outcome::Node(NodeId(id))),
        (any::<u64>(), addresses()).prop_map(|(id, addresses)| Outcome::Claim {
            id: ClaimId(id),
            addresses,
        }),
        any::<u32>().prop_map(Outcome::Rows),
        Just(Outcome::Done),
    ];
    (any::<[u8; 16]>(), outcome, any::<u64>()).prop_map(|(command, outcome, expires_at_ms)| {
        RequestResult {
            command,
            outcome,
            expires_at_ms,
        }
    })
}

fn side<T: std::fmt::Debug>(
    row: impl Strategy<Value = T>,
) -> impl Strategy<Value = Option<Arc<T>>> {
    option::of(row.prop_map(Arc::new))
}

/// Any change of any row.
pub fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (
            any::<u64>(),
            address(),
            option::of(state()),
            option::of(state())
        )
            .prop_map(|(vswitch, address, before, after)| Change::Address {
                vswitch: VSwitchId(vswitch),
                address,
                before,
                after,
            }),
        (key(), side(allocation()), side(allocation())).prop_map(|(key, before, after)| {
            Change::Allocation {
                key: Arc::new(key),
                before,
                after,
            }
        }),
        (any::<u64>(), side(claim()), side(claim())).prop_map(|(id, before, after)| {
            Change::Claim {
                id: ClaimId(id),
                before,
                after,
            }
        }),
        (any::<u64>(), side(node(1)), side(node(2))).prop_map(|(id, before, after)| Change::Node {
            id: NodeId(id),
            before,
            after,
        }),
        (any::<u64>(), side(vswitch()), side(vswitch())).prop_map(|(id, before, after)| {
            Change::VSwitch {
                id: VSwitchId(id),
                before,
                after,
            }
        }),
        (key(), option::of(tombstone()), option::of(tombstone())).prop_map(
            |(key, before, after)| {
                Change::Tombstone {
                    key: Arc::new(key),
                    before,
                    after,
                }
            }
        ),
        (principal(), request_id(), side(request()), side(request())).prop_map(
            |(principal, id, before, after)| {
                Change::Request {
                    principal,
                    id,
                    before,
                    after,
                }
            }
        ),
        (any::<u32>(), any::<u32>()).prop_map(|(before, after)| Change::Cluster {
            before: Cluster {
                version: ClusterVersion(before),
            },
            after: Cluster {
                version: ClusterVersion(after),
            },
        }),
        (any::<u64>(), side(jobs::eni_row()), side(jobs::eni_row())).prop_map(
            |(number, before, after)| Change::Eni {
                number: EniNumber(number),
                before,
                after,
            }
        ),
        (
            any::<u64>(),
            side(pools::pool_row()),
            side(pools::pool_row())
        )
            .prop_map(|(id, before, after)| Change::NodePool {
                id: NodePoolId(id),
                before,
                after,
            }),
        (any::<u64>(), side(jobs::job_row()), side(jobs::job_row())).prop_map(
            |(id, before, after)| Change::Job {
                id: JobId(id),
                before,
                after,
            }
        ),
        (side(recovery()), side(recovery()))
            .prop_map(|(before, after)| Change::Recovery { before, after }),
        any::<(u64, bool, bool)>().prop_map(|(node, before, after)| Change::OwedReport {
            node: NodeId(node),
            before,
            after,
        }),
        (any::<u64>(), key(), side(stray()), side(stray())).prop_map(
            |(node, key, before, after)| Change::Stray {
                node: NodeId(node),
                key: Arc::new(key),
                before,
                after,
            }
        ),
        (any::<u64>(), side(member()), side(member())).prop_map(|(id, before, after)| {
            Change::Member {
                id: MemberId(id),
                before,
                after,
            }
        }),
    ]
}

/// A ledger with rows of every kind that commands make: so many binds, every third one released.
pub fn ledger(binds: u32) -> Ledger {
    let mut ledger = Ledger::new(ClusterId::new("test").expect("a name"));
    let mut apply = |time_ms: u64, commands: Vec<Command>| {
        let header = Header {
            ledger_time_ms: time_ms,
            wall_time_ms: 1_700_000_000_000 + time_ms,
        };
        let applied = ledger.apply(&header, commands.into_iter().map(proposal).collect());
        for answer in &applied.answers {
            assert!(answer.result.is_ok(), "{answer:?}");
        }
    };
    use crate::engine::samples::{add, create_vswitch, del, register_node};
    apply(
        1,
        vec![
            create_vswitch("a", "10.0.0.0/16", 30_000).command,
            register_node("n1", 0).command,
        ],
    );
    for number in 0..binds {
        let request = add(&format!("c{number}"), "n1");
        let address = IpAddr::from([10, 0, (number / 200) as u8, (number % 200 + 1) as u8]);
        let bind = Bind {
            key: request.key.clone(),
            node: NodeId(2),
            boot: request.boot.clone(),
            invoked_at_ms: request.invoked_at_ms,
            pod: request.pod.clone(),
            vswitch: VSwitchId(1),
            eni: None,
            addresses: vec![address],
            claim: BindClaim::None,
            parameters: request.parameters(),
        };
        let mut commands = vec![Command::Bind(bind)];
        if number % 3 == 0 {
            let request = del(&format!("c{number}"), "n1");
            commands.push(Command::Release(Release {
                key: request.key,
                node: NodeId(2),
                boot: request.boot,
                invoked_at_ms: request.invoked_at_ms,
                generation: None,
                proof: Proof::Del,
                pod_gone: false,
            }));
        }
        apply(2 + u64::from(number), commands);
    }
    ledger
}
