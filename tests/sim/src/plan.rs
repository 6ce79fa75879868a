//! What goes wrong in a run, how often, and how large everything is: drawn from the seed, each strength anew.

use berth_cloud::simulator::{Chances, FaultPlan};
use berth_raft::options::Options;
use berth_raft::simulation::plan as replicas;
use berth_raft::simulation::random::Random;
use berthd::engine::above::Limits;
use berthd::journal;
use berthd::router::Mailboxes;

/// One run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What happens to replicas, their disks and the links between them.
    pub replicas: replicas::Plan,
    /// Moments of trouble.
    pub moments: u64,
    /// How long a moment is, ms of virtual time: ten of them make a tick.
    pub moment_ms: u64,
    /// How much may wait in a server.
    pub limits: Limits,
    /// Commands that a replica's inbox holds.
    pub inbox: usize,
    /// Runs actors on bare tasks instead of actix.
    pub plain_actors: bool,
    /// Between nodes and servers.
    pub wire: Wire,
    /// Histories and looks aside.
    pub lag: Lag,
    /// Nodes, pods, networks.
    pub fleet: Fleet,
    /// All members are lost for good, and an old backup is restored.
    pub disaster: Option<Disaster>,
    /// All nodes are in a pool, and their pods take addresses of ENIs; none = a routed network.
    pub cloud: Option<Cloud>,
}

/// The cloud, and what goes wrong with its calls.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// A call, and its answer, take 1 to this many moments.
    pub delay_moments_max: u64,
    /// Of calls, so many are late.
    pub late_per_mille: u64,
    /// By up to so many moments more.
    pub late_moments_max: u64,
    /// How long an attach takes, ms.
    pub attach_ms: u64,
    /// How old a look may be, ms.
    pub stale_ms: u64,
    /// Calls that fail, are lost, or are done in part; others who take addresses.
    pub faults: FaultPlan,
}

/// When the cluster is lost, in parts of a thousand of the moments of trouble.
#[derive(Clone, Copy, Debug)]
pub struct Disaster {
    /// The backup is made then.
    pub saved_at: u64,
    /// And so much later everything is lost.
    pub lost_after: u64,
}

/// The links between nodes and servers.
#[derive(Clone, Debug)]
pub struct Wire {
    /// Requests and answers lost.
    pub loss_per_mille: u64,
    /// Requests delivered twice.
    pub duplicate_per_mille: u64,
    /// Of those, the second much later.
    pub late_per_mille: u64,
    /// A packet takes 1 to this many moments.
    pub delay_moments_max: u64,
    /// In each moment: a node is cut off from a member for a while.
    pub cut_per_mille: u64,
    /// Callers that give up in the middle: their request is cancelled at the server.
    pub cancel_per_mille: u64,
}

/// What is behind.
#[derive(Clone, Debug)]
pub struct Lag {
    /// A history commit comes 1 to this many moments after its first group.
    pub history_moments_max: u64,
    /// Work aside takes 0 to this many moments.
    pub aside_moments_max: u64,
    /// In each moment: a member's wall clock jumps.
    pub wall_jump_per_mille: u64,
    /// In each moment: the facts' source dies; so often it comes back.
    pub facts_die_per_mille: u64,
    /// Whether there is a source at all.
    pub has_facts: bool,
}

/// Nodes, pods, networks.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// Machines.
    pub nodes: usize,
    /// Pods by name.
    pub pods: usize,
    /// Of those, so many are static.
    pub static_pods: usize,
    /// ms of ledger time.
    pub cooling_ms: u64,
    /// Warm addresses of each node.
    pub warm_target: u32,
    /// In each moment and for each pod: it does something.
    pub churn_per_ten_thousand: u64,
    /// In each moment: an administrator does something.
    pub admin_per_mille: u64,
    /// In each moment: a node boots anew.
    pub reboot_per_ten_thousand: u64,
    /// In each moment: a node collects what is stale.
    pub collect_per_mille: u64,
    /// DELs that are never sent.
    pub forgotten_per_mille: u64,
    /// In each moment: somebody reads and checks what it sees.
    pub read_per_mille: u64,
    /// A claim's TTL, ms of ledger time.
    pub ttl_ms: u64,
}

// === impl Plan ===

impl Plan {
    /// Nothing goes wrong, and pods come and go.
    pub fn calm(members: u64) -> Self {
        let mut replicas = replicas::Plan::calm(members);
        replicas.options = options();
        Self {
            replicas,
            moments: 4_000,
            moment_ms: 5,
            limits: Limits::default(),
            inbox: 4_096,
            plain_actors: false,
            wire: Wire {
                loss_per_mille: 0,
                duplicate_per_mille: 0,
                late_per_mille: 0,
                delay_moments_max: 1,
                cut_per_mille: 0,
                cancel_per_mille: 0,
            },
            lag: Lag {
                history_moments_max: 4,
                aside_moments_max: 0,
                wall_jump_per_mille: 0,
                facts_die_per_mille: 0,
                has_facts: true,
            },
            fleet: Fleet {
                nodes: 3,
                pods: 16,
                static_pods: 6,
                cooling_ms: 1_000,
                warm_target: 0,
                churn_per_ten_thousand: 100,
                admin_per_mille: 2,
                reboot_per_ten_thousand: 0,
                collect_per_mille: 1,
                forgotten_per_mille: 0,
                read_per_mille: 20,
                ttl_ms: 3_000,
            },
            disaster: None,
            cloud: None,
        }
    }

    /// A swarm: some runs have a lot of one trouble and none of another, and every constant is somewhere in its range.
    pub fn drawn(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x7377_6172_6d21);
        let members = [1, 3, 3, 3, 3, 5, 5, 2][random.below(8) as usize];
        let mut plan = Plan::calm(members);
        plan.moments = 5_000;
        plan.moment_ms = [1, 2, 5, 5, 10, 20, 50, 100][random.below(8) as usize];
        plan.draw_replicas(&mut random);
        plan.draw_wire(&mut random);
        plan.draw_limits(&mut random);
        plan.draw_fleet(&mut random);
        // With dice of its own: the other draws of a seed do not depend on it.
        let mut random = Random::new(seed ^ 0x6c6f_7374_2121);
        plan.disaster = random.chance(160).then(|| Disaster {
            saved_at: random.between(60, 500),
            lost_after: random.between(5, 300),
        });
        let mut random = Random::new(seed ^ 0x0065_6e69_2121);
        if plan.disaster.is_none() && random.chance(250) {
            plan.draw_cloud(&mut random);
        }
        plan
    }

    /// Static pods and warm targets are not for nodes in pools. An attach takes seconds: moments are not too short for it.
    fn draw_cloud(&mut self, random: &mut Random) {
        self.moment_ms = self.moment_ms.max(10);
        self.fleet.static_pods = 0;
        self.fleet.warm_target = 0;
        let mut strength = |most: u64| some(random, most) as u32;
        let chances = Chances {
            error_before: strength(40),
            error_after: strength(40),
            lost_before: strength(40),
            lost_after: strength(40),
            throttled: strength(80),
            conflict: strength(40),
            partial: strength(80),
        };
        let faults = FaultPlan {
            chances: [("*".to_owned(), chances)].into(),
            stale: strength(200),
            foreign_grab: strength(20),
            foreign_hold_ms: 20_000,
            ..FaultPlan::default()
        };
        self.cloud = Some(Cloud {
            delay_moments_max: some(random, 20),
            late_per_mille: some(random, 30),
            late_moments_max: 20_000 / self.moment_ms,
            attach_ms: random.between(100, 3_000),
            stale_ms: 2_000,
            faults,
        });
    }

    fn draw_replicas(&mut self, random: &mut Random) {
        let plan = &mut self.replicas;
        plan.loss_per_mille = some(random, 150);
        plan.duplicate_per_mille = some(random, 150);
        plan.delay_moments_max = 1 + some(random, 15);
        plan.write_moments_max = some(random, 10);
        plan.crash_per_mille = some(random, 3);
        plan.restart_per_mille = 5 + some(random, 30);
        plan.partition_per_mille = some(random, 6);
        plan.transfer_per_mille = some(random, 3);
        plan.change_per_mille = if random.chance(400) {
            some(random, 4)
        } else {
            0
        };
        plan.read_per_mille = some(random, 30);
        plan.fetch_loss_per_mille = some(random, 300);
        plan.freeze_per_mille = some(random, 3);
        plan.freeze_moments_max = random.between(2, 400);
        plan.slow_per_mille = some(random, 3);
        plan.slow_moments_max = random.between(10, 120);
        plan.fail_per_mille = some(random, 2);
        plan.wipe_per_ten_thousand = if plan.change_per_mille > 0 {
            some(random, 8)
        } else {
            0
        };
        let options = &mut plan.options;
        options.election_ticks = random.between(4, 14) as usize;
        options.heartbeat_ticks = random.between(1, 3) as usize;
        options.snapshot_every_entries = 3 + some(random, 80);
        options.keep_entries = some(random, 30);
        options.snapshot_every_bytes = [600, 6_000, 128 << 20][random.below(3) as usize];
        options.keep_bytes = [300, 4_000, 64 << 20][random.below(3) as usize];
        options.promote_lag_entries = random.between(1, 50);
        options.snapshot_patience_ticks = 5 + some(random, 40);
    }

    fn draw_wire(&mut self, random: &mut Random) {
        self.wire = Wire {
            loss_per_mille: some(random, 150),
            duplicate_per_mille: some(random, 250),
            late_per_mille: some(random, 500),
            delay_moments_max: 1 + some(random, 20),
            cut_per_mille: some(random, 5),
            cancel_per_mille: some(random, 60),
        };
        self.lag = Lag {
            history_moments_max: 1 + some(random, 60),
            aside_moments_max: some(random, 12),
            wall_jump_per_mille: some(random, 3),
            facts_die_per_mille: some(random, 3),
            has_facts: random.chance(900),
        };
    }

    fn draw_limits(&mut self, random: &mut Random) {
        let one_of = |random: &mut Random, small: u64, usual: usize| match random.below(3) {
            0 => random.between(1, small) as usize,
            _ => usual,
        };
        let usual = Limits::default();
        self.limits = Limits {
            journal: journal::Limits {
                // With fewer, the callers' repeats alone are more than a slow cluster commits.
                commands: 3 + one_of(random, 5, usual.journal.commands - 3),
                entries: one_of(random, 3, usual.journal.entries),
                queue: one_of(random, 12, usual.journal.queue),
            },
            mailboxes: Mailboxes {
                node: one_of(random, 4, usual.mailboxes.node),
                vswitch: one_of(random, 4, usual.mailboxes.vswitch),
            },
            router: one_of(random, 16, usual.router),
            propositions: one_of(random, 8, usual.propositions),
            requests: one_of(random, 12, usual.requests),
        };
        self.inbox = one_of(random, 12, 4_096) + 2;
        self.plain_actors = random.chance(200);
    }

    fn draw_fleet(&mut self, random: &mut Random) {
        let pods = random.between(6, 26) as usize;
        self.fleet = Fleet {
            nodes: random.between(1, 4) as usize,
            pods,
            static_pods: random.below(pods as u64 / 2 + 1) as usize,
            cooling_ms: [0, 500, 2_000, 5_000][random.below(4) as usize],
            warm_target: random.below(4) as u32,
            churn_per_ten_thousand: random.between(30, 250),
            admin_per_mille: some(random, 10),
            reboot_per_ten_thousand: some(random, 6),
            collect_per_mille: some(random, 6),
            forgotten_per_mille: some(random, 200),
            read_per_mille: random.between(10, 80),
            ttl_ms: random.between(1_000, 30_000),
        };
    }
}

/// Nothing in a quarter of the runs, else up to `most`.
fn some(random: &mut Random, most: u64) -> u64 {
    match random.chance(250) {
        true => 0,
        false => random.between(1, most),
    }
}

fn options() -> Options {
    Options {
        snapshot_every_entries: 200,
        keep_entries: 50,
        ..Options::new(1, [0; 16], 0)
    }
}
