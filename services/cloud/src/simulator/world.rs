//! What there is at a moment.

use crate::eni::{EniKind, EniStatus};
use crate::simulator::catalogue::InstanceType;
use crate::simulator::eni::Eni;
use crate::simulator::ledger::{Ledger, What};
use crate::simulator::random::Random;
use crate::simulator::refusal::Refusal;
use crate::simulator::setup::{Instance, Setup, VSwitch};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Who holds an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// An ENI.
    Eni(String),
    /// Somebody else, until then (ms).
    Foreign(u64),
}

/// The world. Everything is in ordered maps: two runs with one seed are one.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) setup: Setup,
    pub(super) enis: BTreeMap<String, Eni>,
    /// By vSwitch and address.
    pub(super) holders: BTreeMap<(String, IpAddr), Holder>,
    /// What an ENI was before its last change, and when it changed; none = it was not.
    pub(super) before: BTreeMap<String, (u64, Option<Eni>)>,
    pub(super) ledger: Ledger,
    pub(super) random: Random,
    pub(super) now_ms: u64,
}

// === impl World ===

impl World {
    pub(super) fn new(setup: Setup, seed: u64) -> Self {
        let mut world = Self {
            setup,
            enis: BTreeMap::new(),
            holders: BTreeMap::new(),
            before: BTreeMap::new(),
            ledger: Ledger::default(),
            random: Random::new(seed),
            now_ms: 0,
        };
        for instance in world.setup.instances.clone() {
            world.add_primary(&instance);
        }
        world
    }

    /// The machine's own ENI. A setup without room or vSwitch for it gives a machine without one.
    fn add_primary(&mut self, instance: &Instance) {
        let Ok(vswitch) = self.vswitch(&instance.vswitch).cloned() else {
            return;
        };
        let Some(primary) = self.pick4(&vswitch, 1).pop() else {
            return;
        };
        let groups = vec![instance.security_group.clone()];
        let mut eni = self.blank(&vswitch, primary, groups);
        eni.kind = EniKind::Primary;
        eni.status = EniStatus::InUse;
        eni.instance = Some(instance.id.clone());
        eni.delete_on_release = true;
        self.add(eni);
    }

    /// An ENI of its own id, on nothing, not yet in the world.
    pub(super) fn blank(
        &mut self,
        vswitch: &VSwitch,
        primary: std::net::Ipv4Addr,
        security_groups: Vec<String>,
    ) -> Eni {
        let number = self.random.next().to_be_bytes();
        let mac = number[..4]
            .iter()
            .map(|byte| format!(":{byte:02x}"))
            .collect::<String>();
        Eni {
            id: format!("eni-{}{}", self.random.hex(16), self.random.hex(4)),
            mac: format!("00:16{mac}"),
            kind: EniKind::Secondary,
            status: EniStatus::Available,
            due_ms: 0,
            vpc: vswitch.vpc.clone(),
            vswitch: vswitch.id.clone(),
            zone: vswitch.zone.clone(),
            instance: None,
            trunk: None,
            vlan: None,
            primary,
            secondary: Vec::new(),
            ipv6: Vec::new(),
            security_groups,
            tags: BTreeMap::new(),
            name: String::new(),
            description: String::new(),
            resource_group: String::new(),
            delete_on_release: false,
            created_ms: self.now_ms,
        }
    }

    /// Puts a new ENI and its addresses into the world.
    pub(super) fn add(&mut self, eni: Eni) {
        for address in eni.addresses() {
            self.take(&eni, address);
        }
        self.before.insert(eni.id.clone(), (self.now_ms, None));
        let (id, status) = (eni.id.clone(), eni.status.name());
        self.ledger.did(
            self.now_ms,
            What::Eni {
                eni: id.clone(),
                status,
            },
        );
        self.enis.insert(id, eni);
    }

    /// Changes an ENI that is there; what it was is kept for looks that are behind.
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut Eni)) {
        let Some(eni) = self.enis.get_mut(id) else {
            return;
        };
        self.before
            .insert(id.to_owned(), (self.now_ms, Some(eni.clone())));
        let status = eni.status;
        change(eni);
        if eni.status != status {
            let what = What::Eni {
                eni: id.to_owned(),
                status: eni.status.name(),
            };
            self.ledger.did(self.now_ms, what);
        }
    }

    /// Ends an ENI: its addresses are free, or somebody else's at once.
    pub(super) fn end(&mut self, id: &str) {
        let Some(eni) = self.enis.remove(id) else {
            return;
        };
        for address in eni.addresses() {
            self.free(&eni.vswitch, address);
        }
        self.before.insert(id.to_owned(), (self.now_ms, Some(eni)));
        let what = What::Eni {
            eni: id.to_owned(),
            status: "Deleted",
        };
        self.ledger.did(self.now_ms, what);
    }

    pub(super) fn eni(&self, id: &str) -> Result<&Eni, Refusal> {
        self.enis.get(id).ok_or_else(|| Refusal::no_eni(id))
    }

    pub(super) fn instance(&self, id: &str) -> Result<&Instance, Refusal> {
        let mut all = self.setup.instances.iter();
        all.find(|instance| instance.id == id)
            .ok_or_else(|| Refusal::no_instance(id))
    }

    /// The type of an instance; one that the catalogue lacks has room for nothing.
    pub(super) fn type_of(&self, instance: &Instance) -> Result<&InstanceType, Refusal> {
        let mut all = self.setup.instance_types.iter();
        let found = all.find(|kind| kind.name == instance.instance_type);
        found.ok_or_else(|| {
            Refusal::new(
                400,
                "InvalidInstanceType.NotSupported",
                "The specified instanceType is not supported.",
            )
        })
    }

    pub(super) fn vswitch(&self, id: &str) -> Result<&VSwitch, Refusal> {
        let mut all = self.setup.vswitches.iter();
        let found = all.find(|vswitch| vswitch.id == id);
        found.ok_or_else(|| {
            Refusal::new(
                404,
                "InvalidVSwitchId.NotFound",
                format!("The specified VSwitch {id} does not exist."),
            )
        })
    }

    pub(super) fn primary_of(&self, instance: &str) -> Option<&Eni> {
        let mut all = self.enis.values();
        all.find(|eni| eni.kind == EniKind::Primary && eni.instance.as_deref() == Some(instance))
    }

    /// Everything asynchronous that is due has happened; times go only forward.
    pub(super) fn settle(&mut self, now_ms: u64) {
        let end = self.now_ms.max(now_ms);
        while let Some((due, id)) = self.next_due(end) {
            self.now_ms = self.now_ms.max(due);
            self.finish(&id);
        }
        self.now_ms = end;
        let over = |holder: &Holder| matches!(holder, Holder::Foreign(until) if *until <= end);
        let back: Vec<_> = self
            .holders
            .iter()
            .filter(|(_, holder)| over(holder))
            .map(|(key, _)| key.clone())
            .collect();
        for (vswitch, address) in back {
            self.holders.remove(&(vswitch.clone(), address));
            self.ledger.did(end, What::Freed { vswitch, address });
        }
    }

    fn next_due(&self, end: u64) -> Option<(u64, String)> {
        let under_way = |eni: &&Eni| !matches!(eni.status, EniStatus::Available | EniStatus::InUse);
        let due = self
            .enis
            .values()
            .filter(under_way)
            .filter(|eni| eni.due_ms <= end);
        due.map(|eni| (eni.due_ms, eni.id.clone())).min()
    }

    fn finish(&mut self, id: &str) {
        match self.enis.get(id).map(|eni| eni.status) {
            Some(EniStatus::Deleting) => self.end(id),
            Some(EniStatus::Attaching) => self.change(id, |eni| eni.status = EniStatus::InUse),
            Some(EniStatus::Detaching) => self.change(id, |eni| {
                eni.status = EniStatus::Available;
                eni.instance = None;
                eni.trunk = None;
                eni.vlan = None;
                if eni.kind == EniKind::Member {
                    eni.kind = EniKind::Secondary;
                }
            }),
            _ => self.change(id, |eni| eni.status = EniStatus::Available),
        }
    }
}
