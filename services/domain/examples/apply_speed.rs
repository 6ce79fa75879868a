//! How fast the ledger applies with a million live allocations, and how long freezing it makes an entry wait.
//!
//! Time is this thread's own processor time, so that what else runs on the machine does not count.
//!
//! `cargo run --release -p berth-domain --example apply_speed [live allocations] [--json]`

use berth_domain::Ledger;
use berth_domain::address::{NetworkKind, Subnet};
use berth_domain::command::*;
use berth_domain::id::*;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

/// As in the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Commands in an entry, as the journal packs them.
const ENTRY: u64 = 512;
const NODES: u64 = 5_000;
/// Commands measured per round.
const ROUND: u64 = 200_000;
const ROUNDS: u32 = 3;
/// 10.0.0.0/8; the network address is never given out.
const FIRST: u32 = 0x0a00_0001;

/// Where pods come to be.
#[derive(Clone)]
struct Pods {
    nodes: Arc<[NodeId]>,
    vswitch: VSwitchId,
}

struct Load {
    ledger: Ledger,
    time_ms: u64,
    pods: Pods,
    /// Longest entry since it was reset.
    worst: Duration,
}

impl Load {
    /// Applies commands in entries; only the ledger's own time counts. The commands of an entry are made just before it,
    /// as a server decodes them: made long before, they would lie in memory that is handed back to the system meanwhile.
    fn apply(&mut self, commands: impl Iterator<Item = Command>) -> Duration {
        let mut spent = Duration::ZERO;
        let mut commands = commands.map(proposal).peekable();
        while commands.peek().is_some() {
            let entry: Vec<Proposal> = commands.by_ref().take(ENTRY as usize).collect();
            self.time_ms += 1;
            let header = Header {
                ledger_time_ms: self.time_ms,
                wall_time_ms: self.time_ms,
            };
            let start = spent_so_far();
            let applied = self.ledger.apply(&header, entry);
            let took = spent_so_far() - start;
            spent += took;
            self.worst = self.worst.max(took);
            if let Some(refused) = applied.answers.iter().find(|answer| answer.result.is_err()) {
                panic!("refused: {:?}", refused.result);
            }
        }
        spent
    }
}

// === impl Pods ===

impl Pods {
    /// Pods in an order that has nothing to do with that of their addresses.
    fn bind(&self, sequence: u64, address: u64) -> Command {
        let pod = scrambled(sequence);
        Command::Bind(Bind {
            key: key(sequence),
            node: self.nodes[(pod % NODES) as usize],
            boot: BootId::new("3f1c9c2e-8a52-4e4b-9a43-6a2d8f0f6a10").expect("boot"),
            invoked_at_ms: sequence,
            pod: PodIdentity {
                namespace: Namespace::new(&format!("team-{}", pod % 100)).expect("namespace"),
                name: PodName::new(&format!("web-7d4b9c6f5d-{sequence:08}")).expect("pod"),
                uid: PodUid::new(&format!("0a1b2c3d-4e5f-6071-8293-{pod:012x}")).expect("uid"),
            },
            vswitch: self.vswitch,
            eni: None,
            addresses: vec![IpAddr::V4(Ipv4Addr::from_bits(FIRST + address as u32))],
            claim: BindClaim::None,
            parameters: [7; 16],
        })
    }
}

/// What was measured, in order: by name, the unit last.
struct Figures {
    measured: Vec<(String, f64)>,
    /// Lines for people are shown as they come.
    json: bool,
}

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = arguments.iter().any(|word| word == "--json");
    arguments.retain(|word| word != "--json");
    let live: u64 = arguments
        .first()
        .map_or(1_000_000, |text| text.parse().expect("a number"));
    let mut load = prepared();
    let mut figures = Figures {
        measured: Vec::new(),
        json,
    };
    figures.number("live allocations", live as f64);
    figures.number("nodes", NODES as f64);
    figures.number("commands in an entry", ENTRY as f64);

    let pods = load.pods.clone();
    figures.rate(
        "bind, filling from empty",
        live,
        load.apply((0..live).map(|n| pods.bind(n, n))),
    );
    let mut next = live;
    for round in 1..=ROUNDS {
        figures.rate(
            &format!("bind, round {round}"),
            ROUND,
            load.apply((next..next + ROUND).map(|n| pods.bind(n, n))),
        );
        // Every fifth of those that live, so that neighbours in memory stay.
        let gone = (next - live..next - live + ROUND).map(|n| release(scattered(n, live)));
        figures.rate(&format!("release, round {round}"), ROUND, load.apply(gone));
        next += ROUND;
    }
    freeze(&mut figures, &mut load, next, live);
    snapshot(&mut figures, &load.ledger);
    figures.end();
}

/// A frozen copy lives for some entries, as long as a snapshot takes to be encoded, and is dropped.
fn freeze(figures: &mut Figures, load: &mut Load, mut next: u64, live: u64) {
    const ENTRIES: u64 = 100;
    let pods = load.pods.clone();
    let mut longest = Duration::ZERO;
    let mut worst = [Duration::ZERO; 2];
    for _ in 0..5 {
        let start = spent_so_far();
        let mut frozen = Some(load.ledger.clone());
        longest = longest.max(spent_so_far() - start);
        for worst in &mut worst {
            load.worst = Duration::ZERO;
            let count = ENTRIES * ENTRY / 2;
            load.apply((next..next + count).map(|n| pods.bind(n, n)));
            let gone = (next - live..next - live + count).map(|n| release(scattered(n, live)));
            load.apply(gone);
            next += count;
            *worst = (*worst).max(load.worst);
            drop(frozen.take());
        }
    }
    figures.time("freeze, longest of five", longest);
    figures.time("longest entry beside a frozen copy", worst[0]);
    figures.time("longest entry after it was dropped", worst[1]);
}

fn snapshot(figures: &mut Figures, ledger: &Ledger) {
    let start = spent_so_far();
    let records: Vec<_> = ledger.records().collect();
    figures.time("ledger to records", spent_so_far() - start);
    figures.number("records", records.len() as f64);
    let start = spent_so_far();
    let restored = Ledger::from_records(records).expect("its own records");
    figures.time("records to ledger", spent_so_far() - start);
    assert_eq!(
        restored.digest(),
        ledger.digest(),
        "the restored ledger is another"
    );
}

fn prepared() -> Load {
    let mut load = Load {
        ledger: Ledger::new(ClusterId::new("speed").expect("cluster")),
        time_ms: 1,
        pods: Pods {
            nodes: Arc::new([]),
            vswitch: VSwitchId(1),
        },
        worst: Duration::ZERO,
    };
    load.apply(std::iter::once(Command::CreateVSwitch(CreateVSwitch {
        name: VSwitchName::new("vsw-a").expect("name"),
        zone: Zone::new("zone-a").expect("zone"),
        ipv4: Some(Subnet {
            cidr: "10.0.0.0/8".parse().expect("cidr"),
            gateway: None,
        }),
        ipv6: None,
        exclusions: Vec::new(),
        cooling_ms: 30_000,
        kind: NetworkKind::Routed,
        cloud: None,
    })));
    let node = |n: u64| {
        Command::RegisterNode(RegisterNode {
            name: NodeName::new(&format!("worker-{n}")).expect("name"),
            identity: NodeIdentity::new(&format!("i-{n:016}")).expect("identity"),
            zone: Zone::new("zone-a").expect("zone"),
            instance_type: InstanceType::new("").expect("type"),
            eni_slots: 0,
            addresses_per_eni: 0,
            warm_target: 0,
            pool: None,
        })
    };
    load.apply((0..NODES).map(node));
    load.pods.nodes = load.ledger.nodes().map(|node| node.id).collect();
    load
}

fn scrambled(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

/// The n-th to be released: each of the first `live` once, far from the one before.
fn scattered(n: u64, live: u64) -> u64 {
    // A prime that divides no round number of allocations, so that the walk meets each of them once.
    n.wrapping_mul(7_368_787) % live
}

fn key(sequence: u64) -> AttachmentKey {
    let word = scrambled(sequence.wrapping_add(99));
    AttachmentKey {
        cluster: ClusterName::new("default").expect("cluster"),
        network: NetworkName::new("pod-network").expect("network"),
        container: ContainerId::new(&format!("{word:016x}{sequence:048x}")).expect("container"),
        interface: InterfaceName::new("eth0").expect("interface"),
    }
}

fn release(sequence: u64) -> Command {
    Command::Release(Release {
        key: key(sequence),
        node: NodeId(0),
        boot: BootId::new("3f1c9c2e-8a52-4e4b-9a43-6a2d8f0f6a10").expect("boot"),
        invoked_at_ms: u64::MAX / 2,
        generation: None,
        proof: Proof::Del,
        pod_gone: false,
    })
}

fn proposal(command: Command) -> Proposal {
    Proposal {
        principal: Principal::new("node/worker-1").expect("principal"),
        request_id: RequestId::new("").expect("id"),
        trace_id: None,
        reason: Reason::new("").expect("reason"),
        facts: None,
        command,
    }
}

fn spent_so_far() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

// === impl Figures ===

impl Figures {
    fn number(&mut self, what: &str, value: f64) {
        if !self.json {
            println!("{what:<45} {value:>12.3}");
        }
        self.measured.push((what.to_owned(), value));
    }

    fn rate(&mut self, what: &str, count: u64, took: Duration) {
        self.number(
            &format!("{what}: per second"),
            count as f64 / took.as_secs_f64(),
        );
    }

    fn time(&mut self, what: &str, took: Duration) {
        self.number(&format!("{what}: ms"), took.as_secs_f64() * 1_000.0);
    }

    /// The names are ours: nothing in them has to be escaped.
    fn end(&self) {
        let pair = |(what, value): &(String, f64)| format!("  {what:?}: {value:.3}");
        let pairs: Vec<String> = self.measured.iter().map(pair).collect();
        if self.json {
            println!("{{\n{}\n}}", pairs.join(",\n"));
        }
    }
}
