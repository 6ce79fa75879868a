//! What the ledger should do, written as plainly as possible: maps, loops, no indexes, no code of the ledger.

use berth_domain::Ledger;
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::row::{AddressState, ClaimState, Policy, UNKNOWN_PARAMETERS};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// An answer, reduced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Bound(bool, Vec<IpAddr>),
    Released(bool),
    Rows(u32),
    Confirmed(u32, u32, u32),
    Done,
    Refused(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Free(u64),
    Idle(u64),
    Bound(AttachmentKey),
    Cooling(u64),
    Held(u64),
    Disputed(u64),
    Quarantined,
}

/// A sandbox that lives with addresses not its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strayed {
    pub boot: BootId,
    pub invoked: u64,
    pub pod: ClaimName,
    pub addresses: Vec<IpAddr>,
    pub since: u64,
}

/// The last recovery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    pub began: u64,
    pub waiting: BTreeSet<u64>,
}

#[derive(Clone, Debug)]
pub struct Sandbox {
    pub bind: Bind,
    pub generation: u64,
    pub claim: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct Kept {
    pub name: ClaimName,
    pub vswitch: u64,
    pub addresses: Vec<IpAddr>,
    pub policy: Policy,
    pub holder: Option<AttachmentKey>,
    pub settled: u64,
    pub release: Option<u64>,
}

#[derive(Clone, Debug, Default)]
pub struct Model {
    pub now: u64,
    pub vswitches: BTreeMap<u64, CreateVSwitch>,
    pub nodes: BTreeMap<u64, RegisterNode>,
    pub places: BTreeMap<IpAddr, Place>,
    pub sandboxes: BTreeMap<AttachmentKey, Sandbox>,
    pub claims: BTreeMap<u64, Kept>,
    /// Key → boot, invoked, expires.
    pub tombstones: BTreeMap<AttachmentKey, (BootId, u64, u64)>,
    pub requests: BTreeMap<RequestId, (Command, Said, u64)>,
    pub strays: BTreeMap<(AttachmentKey, u64), Strayed>,
    pub recovery: Recovered,
    pub cluster: Option<ClusterId>,
}

type Answer = Result<Said, &'static str>;

impl Model {
    pub fn apply(&mut self, header: &Header, proposal: &Proposal, next: Revision) -> Said {
        self.now = self.now.max(header.ledger_time_ms);
        if !proposal.request_id.as_str().is_empty()
            && let Some((command, said, _)) = self.requests.get(&proposal.request_id)
        {
            return match *command == proposal.command {
                true => said.clone(),
                false => Said::Refused("Invalid"),
            };
        }
        let before = self.clone();
        let said = match self.decide(&proposal.command, next.0) {
            Ok(said) => said,
            Err(refused) => {
                *self = before;
                return Said::Refused(refused);
            }
        };
        if !proposal.request_id.as_str().is_empty() && !self.same_rows(&before) {
            let row = (proposal.command.clone(), said.clone(), self.now + 600_000);
            self.requests.insert(proposal.request_id.clone(), row);
        }
        said
    }

    fn same_rows(&self, other: &Self) -> bool {
        format!(
            "{:?}",
            Self {
                now: 0,
                ..self.clone()
            }
        ) == format!(
            "{:?}",
            Self {
                now: 0,
                ..other.clone()
            }
        )
    }

    fn decide(&mut self, command: &Command, next: u64) -> Answer {
        match command {
            Command::CreateVSwitch(command) => self.create_vswitch(command, next),
            Command::Recover(command) => self.recover(command, next),
            Command::ConfirmNode(command) => self.confirm_node(command, next),
            Command::RegisterNode(command) => self.register_node(command, next),
            Command::RemoveNode(command) => self.remove_node(command, next),
            Command::CreateClaim(command) => self.create_claim(command, next),
            Command::DeleteClaim(command) => self.delete_claim(command),
            Command::Stock(command) => self.stock(command),
            Command::Reclaim(command) => self.reclaim(command, next),
            Command::Bind(command) => self.bind(command, next),
            Command::Release(command) => self.release(command),
            Command::Expire(_) => Ok(self.expire(next)),
            Command::SetClusterVersion(_) => Ok(Said::Done),
            other => panic!("the generator makes no {other:?}"),
        }
    }

    fn create_vswitch(&mut self, command: &CreateVSwitch, next: u64) -> Answer {
        if self
            .vswitches
            .values()
            .any(|other| other.name == command.name)
        {
            return Err("AlreadyExists");
        }
        let of = |row: &CreateVSwitch| {
            [row.ipv4, row.ipv6].map(|subnet| subnet.map(|subnet| subnet.cidr))
        };
        let theirs: Vec<_> = self.vswitches.values().flat_map(of).flatten().collect();
        let overlaps = |cidr: ipnet::IpNet| {
            theirs
                .iter()
                .any(|other| other.contains(&cidr.addr()) || cidr.contains(&other.addr()))
        };
        if of(command).into_iter().flatten().any(overlaps) {
            return Err("Overlap");
        }
        self.vswitches.insert(next, command.clone());
        for address in self.usable(next) {
            if self.contested(address) {
                self.places.insert(address, Place::Quarantined);
            }
        }
        Ok(Said::Done)
    }

    fn register_node(&mut self, command: &RegisterNode, next: u64) -> Answer {
        let other = |(_, row): &(&u64, &RegisterNode)| {
            row.name == command.name && row.identity != command.identity
        };
        if self.nodes.iter().any(|row| other(&row)) {
            return Err("AlreadyExists");
        }
        let known = self
            .nodes
            .iter()
            .find(|(_, row)| row.identity == command.identity);
        let id = known.map_or(next, |(id, _)| *id);
        if known.is_none() && self.is_recovering() {
            self.recovery.waiting.insert(id);
        }
        self.nodes.insert(id, command.clone());
        Ok(Said::Done)
    }

    fn remove_node(&mut self, command: &RemoveNode, next: u64) -> Answer {
        let node = command.node;
        self.nodes.remove(&node.0).ok_or("NotFound")?;
        let here: Vec<_> = self
            .sandboxes
            .values()
            .filter(|row| row.bind.node == node)
            .cloned()
            .collect();
        if !here.is_empty() && !command.confirmed_dead {
            return Err("InUse");
        }
        let strays: Vec<_> = self
            .strays
            .keys()
            .filter(|(_, at)| *at == node.0)
            .cloned()
            .collect();
        let owes = self.recovery.waiting.contains(&node.0);
        if (owes || !strays.is_empty()) && !command.confirmed_dead {
            return Err("InUse");
        }
        for sandbox in here {
            self.end(&sandbox.bind.key, 0, false);
        }
        self.end_strays(&strays, 0);
        self.recovery.waiting.remove(&node.0);
        for place in self
            .places
            .values_mut()
            .filter(|place| **place == Place::Idle(node.0))
        {
            *place = Place::Free(next);
        }
        Ok(Said::Done)
    }

    fn families(&self, vswitch: u64, addresses: &[IpAddr]) -> Result<(), &'static str> {
        let row = self.vswitches.get(&vswitch).ok_or("NotFound")?;
        let wanted: Vec<bool> = [row.ipv4.map(|_| true), row.ipv6.map(|_| false)]
            .into_iter()
            .flatten()
            .collect();
        let given: Vec<bool> = addresses.iter().map(IpAddr::is_ipv4).collect();
        if wanted == given {
            Ok(())
        } else {
            Err("Invalid")
        }
    }

    /// Every address that a vSwitch gives out, by counting through it.
    pub fn usable(&self, vswitch: u64) -> Vec<IpAddr> {
        let Some(row) = self.vswitches.get(&vswitch) else {
            return Vec::new();
        };
        let mut usable = Vec::new();
        for subnet in [row.ipv4, row.ipv6].into_iter().flatten() {
            let ipnet::IpNet::V4(net) = subnet.cidr else {
                let ipnet::IpNet::V6(net) = subnet.cidr else {
                    unreachable!()
                };
                usable.extend(
                    net.hosts()
                        .filter(|at| *at != net.network())
                        .map(IpAddr::V6),
                );
                continue;
            };
            usable.extend(
                net.hosts()
                    .map(IpAddr::V4)
                    .filter(|at| Some(*at) != subnet.gateway),
            );
        }
        usable
    }

    fn given(&self, vswitch: u64, address: IpAddr) -> Result<(), &'static str> {
        if self.usable(vswitch).contains(&address) {
            Ok(())
        } else {
            Err("OutOfRange")
        }
    }

    pub fn is_free(&self, address: IpAddr) -> bool {
        matches!(self.places.get(&address), None | Some(Place::Free(_)))
    }

    fn create_claim(&mut self, command: &CreateClaim, next: u64) -> Answer {
        if self.claims.values().any(|claim| claim.name == command.name) {
            return Err("AlreadyExists");
        }
        self.families(command.vswitch.0, &command.addresses)?;
        for address in &command.addresses {
            self.given(command.vswitch.0, *address)?;
            if !self.is_free(*address) {
                return Err("AddressInUse");
            }
            self.available()?;
            self.places.insert(*address, Place::Held(next));
        }
        let claim = Kept {
            name: command.name.clone(),
            vswitch: command.vswitch.0,
            addresses: command.addresses.clone(),
            policy: command.policy,
            holder: None,
            settled: self.now,
            release: None,
        };
        self.claims.insert(next, claim);
        Ok(Said::Done)
    }

    fn delete_claim(&mut self, command: &DeleteClaim) -> Answer {
        let claim = self.claims.get(&command.claim.0).ok_or("NotFound")?.clone();
        if let Some(key) = &claim.holder {
            if !command.override_holder || command.policy_fired {
                return Err("InUse");
            }
            let sandbox = self.sandboxes.remove(key).expect("a holder is there");
            self.bury(key, &sandbox.bind.boot, sandbox.bind.invoked_at_ms);
        }
        self.cool(claim.vswitch, &claim.addresses);
        self.claims.remove(&command.claim.0);
        Ok(Said::Done)
    }

    pub fn cool(&mut self, vswitch: u64, addresses: &[IpAddr]) {
        let until = self.now + self.vswitches[&vswitch].cooling_ms;
        for address in addresses {
            let place = match self.contested(*address) {
                true => Place::Quarantined,
                false => Place::Cooling(until),
            };
            self.places.insert(*address, place);
        }
    }

    fn bury(&mut self, key: &AttachmentKey, boot: &BootId, invoked: u64) {
        self.tombstones
            .insert(key.clone(), (boot.clone(), invoked, self.now + 300_000));
    }

    /// Addresses of a family on a node: bound and warm.
    fn standing(&self, node: u64, v4: bool) -> u32 {
        let here = |(address, place): &(&IpAddr, &Place)| {
            address.is_ipv4() == v4
                && match place {
                    Place::Idle(at) => *at == node,
                    Place::Bound(key) => self.sandboxes[key].bind.node.0 == node,
                    _ => false,
                }
        };
        self.places.iter().filter(here).count() as u32
    }

    fn stock(&mut self, command: &Stock) -> Answer {
        let addresses = &command.addresses;
        let repeats = (1..addresses.len()).any(|at| addresses[..at].contains(&addresses[at]));
        if addresses.is_empty() || repeats {
            return Err("Invalid");
        }
        self.vswitches.get(&command.vswitch.0).ok_or("NotFound")?;
        let node = self.nodes.get(&command.node.0).ok_or("NotFound")?.clone();
        let capacity = node.eni_slots * node.addresses_per_eni;
        for v4 in [true, false] {
            let come = addresses.iter().filter(|at| at.is_ipv4() == v4).count() as u32;
            if capacity > 0 && come > 0 && self.standing(command.node.0, v4) + come > capacity {
                return Err("NodeFull");
            }
        }
        for address in addresses {
            self.given(command.vswitch.0, *address)?;
            if !self.is_free(*address) {
                return Err("Taken");
            }
            self.available()?;
            self.places.insert(*address, Place::Idle(command.node.0));
        }
        Ok(Said::Rows(addresses.len() as u32))
    }

    fn reclaim(&mut self, command: &Reclaim, next: u64) -> Answer {
        let addresses = &command.addresses;
        let repeats = (1..addresses.len()).any(|at| addresses[..at].contains(&addresses[at]));
        if addresses.is_empty() || repeats {
            return Err("Invalid");
        }
        self.vswitches.get(&command.vswitch.0).ok_or("NotFound")?;
        self.nodes.get(&command.node.0).ok_or("NotFound")?;
        for address in addresses {
            self.given(command.vswitch.0, *address)?;
            if self.places.get(address) != Some(&Place::Idle(command.node.0)) {
                return Err("Taken");
            }
            self.available()?;
            self.places.insert(*address, Place::Free(next));
        }
        Ok(Said::Rows(addresses.len() as u32))
    }

    fn bind(&mut self, bind: &Bind, next: u64) -> Answer {
        self.available()?;
        if let Some((boot, invoked, _)) = self.tombstones.get(&bind.key)
            && *boot == bind.boot
            && bind.invoked_at_ms <= *invoked
        {
            return Err("Tombstone");
        }
        let mut ended = Vec::new();
        if let Some(old) = self.sandboxes.get_mut(&bind.key) {
            match (old.bind.node == bind.node, old.bind.boot == bind.boot) {
                (true, true) if asked_for(&old.bind, bind) => {
                    let others = self.strays.iter().filter(|((key, _), _)| *key != bind.key);
                    let used = |at: &IpAddr| {
                        others
                            .clone()
                            .any(|(_, stray)| stray.addresses.contains(at))
                    };
                    if old.bind.addresses.iter().any(used) {
                        return Err("HeldByLiveHolder");
                    }
                    old.bind.invoked_at_ms = old.bind.invoked_at_ms.max(bind.invoked_at_ms);
                    return Ok(Said::Bound(false, old.bind.addresses.clone()));
                }
                (true, false) => ended.push(bind.key.clone()),
                _ => return Err("ParametersChanged"),
            }
        }
        let node = self.nodes.get(&bind.node.0).ok_or("NotFound")?.clone();
        self.families(bind.vswitch.0, &bind.addresses)?;
        ended.extend(self.older_sandboxes(bind)?);
        self.check_claim(bind, &mut ended)?;
        // The older ones end first; what they had is looked at as it was.
        let was = self.clone();
        for key in &ended {
            self.end(key, 0, false);
            if *key != bind.key {
                self.bury(key, &bind.boot, bind.invoked_at_ms);
            }
        }
        let claim = self.take(bind, &was, next)?;
        let capacity = node.eni_slots * node.addresses_per_eni;
        let sandbox = Sandbox {
            bind: bind.clone(),
            generation: next,
            claim,
        };
        self.sandboxes.insert(bind.key.clone(), sandbox);
        for address in &bind.addresses {
            let here = match was.places.get(address) {
                Some(Place::Idle(_)) => true,
                Some(Place::Bound(key)) => was.sandboxes[key].bind.node == bind.node,
                _ => false,
            };
            self.places.insert(*address, Place::Bound(bind.key.clone()));
            if capacity > 0 && !here && self.standing(bind.node.0, address.is_ipv4()) > capacity {
                return Err("NodeFull");
            }
        }
        Ok(Said::Bound(true, bind.addresses.clone()))
    }

    fn older_sandboxes(&self, bind: &Bind) -> Result<Vec<AttachmentKey>, &'static str> {
        let mut older = Vec::new();
        for (key, other) in &self.sandboxes {
            let same = *key != bind.key
                && key.cluster == bind.key.cluster
                && key.network == bind.key.network
                && key.interface == bind.key.interface
                && other.bind.node == bind.node
                && other.bind.pod.uid == bind.pod.uid
                && !bind.pod.uid.as_str().is_empty();
            if same && other.bind.boot == bind.boot && other.bind.invoked_at_ms > bind.invoked_at_ms
            {
                return Err("Tombstone");
            }
            if same {
                older.push(key.clone());
            }
        }
        Ok(older)
    }

    pub fn own_name(bind: &Bind) -> ClaimName {
        ClaimName {
            cluster: bind.key.cluster.clone(),
            namespace: bind.pod.namespace.clone(),
            pod: bind.pod.name.clone(),
        }
    }

    fn check_claim(&self, bind: &Bind, ended: &mut Vec<AttachmentKey>) -> Result<(), &'static str> {
        let own = Self::own_name(bind);
        let exists = self.claims.values().any(|claim| claim.name == own);
        let id = match &bind.claim {
            BindClaim::None | BindClaim::New { .. } if exists => return Err("Taken"),
            BindClaim::None => return Ok(()),
            BindClaim::New { name, .. } if *name != own => return Err("Invalid"),
            BindClaim::New { .. } => return Ok(()),
            BindClaim::Existing(id) => id,
        };
        let claim = self.claims.get(&id.0).ok_or("Taken")?;
        if claim.name != own {
            return Err("Invalid");
        }
        if claim.vswitch != bind.vswitch.0 || claim.addresses != bind.addresses {
            return Err("Taken");
        }
        if claim.addresses.iter().any(|at| self.contested(*at)) {
            return Err("HeldByLiveHolder");
        }
        match &claim.holder {
            None if claim.settled > self.now => Err("HeldByLiveHolder"),
            None => Ok(()),
            Some(key) if ended.contains(key) => Ok(()),
            Some(key) => {
                let holder = &self.sandboxes[key].bind;
                if holder.node == bind.node && holder.boot != bind.boot {
                    ended.push(key.clone());
                    return Ok(());
                }
                Err("HeldByLiveHolder")
            }
        }
    }

    fn take(&mut self, bind: &Bind, was: &Self, next: u64) -> Result<Option<u64>, &'static str> {
        for address in &bind.addresses {
            self.given(bind.vswitch.0, *address)?;
            let existing = matches!(bind.claim, BindClaim::Existing(_));
            let warm = matches!(was.places.get(address), Some(Place::Idle(_)));
            if !existing && (was.is_free(*address) || warm) {
                self.available()?;
            }
            if !existing
                && !was.is_free(*address)
                && was.places[address] != Place::Idle(bind.node.0)
            {
                return Err("Taken");
            }
        }
        match &bind.claim {
            BindClaim::None => Ok(None),
            BindClaim::Existing(id) => {
                let claim = self.claims.get_mut(&id.0).expect("checked");
                (claim.holder, claim.release) = (Some(bind.key.clone()), None);
                Ok(Some(id.0))
            }
            BindClaim::New { name, policy } => {
                let claim = Kept {
                    name: name.clone(),
                    vswitch: bind.vswitch.0,
                    addresses: bind.addresses.clone(),
                    policy: *policy,
                    holder: Some(bind.key.clone()),
                    settled: 0,
                    release: None,
                };
                self.claims.insert(next, claim);
                Ok(Some(next))
            }
        }
    }

    /// A sandbox ends: its addresses cool, or are held for its claim.
    pub fn end(&mut self, key: &AttachmentKey, settle: u64, pod_gone: bool) {
        let Some(sandbox) = self.sandboxes.remove(key) else {
            return;
        };
        let (vswitch, addresses) = (sandbox.bind.vswitch.0, sandbox.bind.addresses);
        let Some(id) = sandbox.claim else {
            return self.cool(vswitch, &addresses);
        };
        let claim = self.claims.get_mut(&id).expect("its claim");
        if claim.policy == Policy::Delete && pod_gone {
            self.claims.remove(&id);
            return self.cool(vswitch, &addresses);
        }
        claim.holder = None;
        claim.settled = self.now + settle;
        claim.release = match claim.policy {
            Policy::Ttl { ttl_ms } => Some(self.now + ttl_ms),
            _ => None,
        };
        for address in addresses {
            let place = match self.contested(address) {
                true => Place::Disputed(id),
                false => Place::Held(id),
            };
            self.places.insert(address, place);
        }
    }

    fn release(&mut self, release: &Release) -> Answer {
        let del = matches!(release.proof, Proof::Del | Proof::Collect);
        let settle = if del { 2_000 } else { 0 };
        let strays = self.strays_named(release)?;
        if release.generation.is_some() && !strays.is_empty() {
            self.end_strays(&strays, settle);
            return Ok(Said::Released(true));
        }
        let mut boot = release.boot.clone();
        let mut invoked = release.invoked_at_ms;
        let sandbox = self.sandboxes.get(&release.key).cloned();
        if let Some(sandbox) = &sandbox {
            match release.generation {
                None if matches!(release.proof, Proof::Collect | Proof::Admin) => {
                    return Err("Invalid");
                }
                Some(named) if named.0 != sandbox.generation => return Err("StaleGeneration"),
                _ => {}
            }
            let elsewhere = release.node.0 != 0 && release.node != sandbox.bind.node;
            let older = boot == sandbox.bind.boot && invoked < sandbox.bind.invoked_at_ms;
            if del && (elsewhere || older) {
                self.end_strays(&strays, settle);
                return Ok(Said::Released(!strays.is_empty()));
            }
            self.end(&release.key, settle, release.pod_gone);
            if !del {
                (boot, invoked) = (sandbox.bind.boot.clone(), sandbox.bind.invoked_at_ms);
            }
        } else if release.proof != Proof::Del {
            return Ok(Said::Released(false));
        }
        self.end_strays(&strays, settle);
        let known = self.tombstones.get(&release.key);
        if !known.is_some_and(|(of, at, _)| *of == boot && *at >= invoked) {
            self.bury(&release.key, &boot, invoked);
        }
        Ok(Said::Released(sandbox.is_some() || !strays.is_empty()))
    }

    fn expire(&mut self, next: u64) -> Said {
        let now = self.now;
        let mut rows = 0;
        for place in self.places.values_mut() {
            if matches!(place, Place::Cooling(until) if *until <= now) {
                *place = Place::Free(next);
                rows += 1;
            }
        }
        let fires = !self.is_recovering();
        let due = |claim: &Kept| fires && claim.release.is_some_and(|at| at <= now);
        let gone: Vec<_> = self
            .claims
            .iter()
            .filter(|(_, claim)| due(claim))
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            let claim = self.claims.remove(&id).expect("listed");
            self.cool(claim.vswitch, &claim.addresses);
            rows += 1;
        }
        let before = self.tombstones.len() + self.requests.len();
        self.tombstones.retain(|_, (.., at)| *at > now);
        self.requests.retain(|_, (.., at)| *at > now);
        Said::Rows(rows + (before - self.tombstones.len() - self.requests.len()) as u32)
    }

    /// Every row of the ledger is this model's, and the other way round.
    pub fn compare(&self, ledger: &Ledger) {
        let mut places = BTreeMap::new();
        for vswitch in ledger.vswitches() {
            for (address, state) in ledger.addresses(vswitch.id) {
                places.insert(address, reduced(state));
            }
        }
        assert_eq!(places, self.places, "addresses");
        assert_eq!(
            ledger.allocations_len(),
            self.sandboxes.len(),
            "allocations"
        );
        for (key, sandbox) in &self.sandboxes {
            let row = ledger.allocation(key).expect("allocation");
            let found = (
                row.generation.0,
                row.claim.map(|id| id.0),
                &row.addresses,
                row.node,
                row.invoked_at_ms,
            );
            let bind = &sandbox.bind;
            let expected = (
                sandbox.generation,
                sandbox.claim,
                &bind.addresses,
                bind.node,
                bind.invoked_at_ms,
            );
            assert_eq!(found, expected, "{key}");
        }
        let claims: Vec<_> = ledger.claims().map(|claim| claim.id.0).collect();
        assert_eq!(
            claims,
            self.claims.keys().copied().collect::<Vec<_>>(),
            "claims"
        );
        for claim in ledger.claims() {
            let kept = &self.claims[&claim.id.0];
            let state = match &claim.state {
                ClaimState::Bound { key, .. } => (Some((**key).clone()), kept.settled, None),
                ClaimState::Held {
                    settled_at_ms,
                    release_at_ms,
                    ..
                } => (None, *settled_at_ms, *release_at_ms),
            };
            assert_eq!(
                state,
                (kept.holder.clone(), kept.settled, kept.release),
                "{}",
                claim.name
            );
        }
        let nodes: Vec<_> = ledger.nodes().map(|node| node.id.0).collect();
        assert_eq!(
            nodes,
            self.nodes.keys().copied().collect::<Vec<_>>(),
            "nodes"
        );
        for key in self.tombstones.keys() {
            let row = ledger.tombstone(key).expect("tombstone");
            let found = (row.boot.clone(), row.invoked_at_ms, row.expires_at_ms);
            assert_eq!(found, self.tombstones[key], "{key}");
        }
        assert_eq!(ledger.sizes().tombstones, self.tombstones.len());
        assert_eq!(ledger.sizes().requests, self.requests.len());
        self.compare_recovery(ledger);
    }
}

fn reduced(state: AddressState) -> Place {
    match state {
        AddressState::Free { since } => Place::Free(since.0),
        AddressState::Idle { node, .. } => Place::Idle(node.0),
        AddressState::Bound { key, .. } => Place::Bound((*key).clone()),
        AddressState::Cooling { until_ms, .. } => Place::Cooling(until_ms),
        AddressState::Held { claim } => Place::Held(claim.0),
        AddressState::Disputed { claim } => Place::Disputed(claim.0),
        AddressState::Quarantined { .. } => Place::Quarantined,
        other => panic!("no command makes {other:?}"),
    }
}

/// A repeat asks for the same; of what was adopted nobody knows more than the pod.
fn asked_for(old: &Bind, new: &Bind) -> bool {
    match old.parameters == UNKNOWN_PARAMETERS {
        true => old.pod == new.pod,
        false => old.parameters == new.parameters,
    }
}
