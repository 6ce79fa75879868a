//! The naive model's part for what comes after a restore.

use super::naive::{Model, Place, Said, Sandbox, Strayed};
use berth_domain::Ledger;
use berth_domain::command::*;
use berth_domain::id::*;
use berth_domain::row::{Policy, UNKNOWN_PARAMETERS};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Sandboxes in one word, as the ledger counts them for generations.
const LIVE_MAX: u64 = 2_048;

/// The claim that a sandbox's pod would have.
fn own_claim(key: &AttachmentKey, pod: &PodIdentity) -> ClaimName {
    ClaimName {
        cluster: key.cluster.clone(),
        namespace: pod.namespace.clone(),
        pod: pod.name.clone(),
    }
}

impl Model {
    pub fn is_recovering(&self) -> bool {
        !self.recovery.waiting.is_empty()
    }

    pub fn available(&self) -> Result<(), &'static str> {
        match self.is_recovering() {
            true => Err("Recovering"),
            false => Ok(()),
        }
    }

    pub fn contested(&self, address: IpAddr) -> bool {
        self.strays
            .values()
            .any(|stray| stray.addresses.contains(&address))
    }

    pub fn recover(&mut self, command: &Recover, next: u64) -> Result<Said, &'static str> {
        let known = self.cluster.as_ref().map_or("test", ClusterId::as_str);
        if known == command.cluster.as_str() || command.revision_jump < 1 << 40 {
            return Err("Invalid");
        }
        self.cluster = Some(command.cluster.clone());
        for place in self.places.values_mut() {
            match place {
                Place::Quarantined => *place = Place::Free(next),
                Place::Disputed(claim) => *place = Place::Held(*claim),
                _ => {}
            }
        }
        self.strays.clear();
        self.recovery.began = next;
        self.recovery.waiting = self.nodes.keys().copied().collect();
        if command.unknown_nodes {
            self.recovery.waiting.insert(0);
        }
        Ok(Said::Done)
    }

    pub fn confirm_node(&mut self, command: &ConfirmNode, next: u64) -> Result<Said, &'static str> {
        let node = command.node.0;
        if node != 0 && !self.nodes.contains_key(&node) {
            return Err("NotFound");
        }
        let keys: BTreeSet<_> = command.live.iter().map(|live| &live.key).collect();
        let from_nobody = node == 0 && command.word == Word::Report;
        let admin_lists = command.word == Word::Admin && !command.live.is_empty();
        let no_address = command.live.iter().any(|live| live.addresses.is_empty());
        if from_nobody || admin_lists || no_address || keys.len() != command.live.len() {
            return Err("Invalid");
        }
        if !self.recovery.waiting.remove(&node) {
            let waiting = self.recovery.waiting.len() as u32;
            return Ok(Said::Confirmed(0, 0, waiting));
        }
        let was = self.clone();
        let mut touched: BTreeSet<IpAddr> = BTreeSet::new();
        let (mut adopted, mut unfit, mut leaving) = (0, Vec::new(), Vec::new());
        for live in &command.live {
            let known = was
                .sandboxes
                .get(&live.key)
                .is_some_and(|own| own.bind.node.0 == node && own.bind.addresses == live.addresses);
            let buried = was
                .tombstones
                .get(&live.key)
                .is_some_and(|(boot, at, _)| *boot == live.boot && *at >= live.invoked_at_ms);
            if known {
                continue;
            }
            if buried {
                leaving.push(live);
                continue;
            }
            match was.fit(node, live, &keys, &touched) {
                Some((vswitch, claim, gone)) => {
                    let number =
                        self.recovery.began - 1 - (next - self.recovery.began) * LIVE_MAX - adopted;
                    touched.extend(&live.addresses);
                    for key in gone {
                        touched.extend(&self.sandboxes[&key].bind.addresses);
                        self.end(&key, 0, false);
                    }
                    self.adopt((node, number), live, vswitch, claim);
                    adopted += 1;
                }
                None => unfit.push(live),
            }
        }
        for live in &unfit {
            self.strays.insert(
                (live.key.clone(), node),
                Strayed {
                    boot: live.boot.clone(),
                    invoked: live.invoked_at_ms,
                    pod: own_claim(&live.key, &live.pod),
                    addresses: live.addresses.clone(),
                    since: next,
                },
            );
            for address in &live.addresses {
                touched.insert(*address);
                self.contest(*address);
            }
        }
        for live in leaving {
            let own = own_claim(&live.key, &live.pod);
            let untouched = live.addresses.to_vec();
            for address in untouched.into_iter().filter(|at| !touched.contains(at)) {
                self.let_rest(address, &own);
            }
        }
        for (address, place) in &mut self.places {
            if *place == Place::Idle(node) && !touched.contains(address) {
                *place = Place::Free(next);
            }
        }
        let waiting = self.recovery.waiting.len() as u32;
        Ok(Said::Confirmed(adopted as u32, unfit.len() as u32, waiting))
    }

    /// The sandbox is leaving: its address rests, or its claim settles; its own claim is held from now.
    fn let_rest(&mut self, address: IpAddr, own: &ClaimName) {
        match self.places.get(&address) {
            None | Some(Place::Free(_) | Place::Idle(_) | Place::Cooling(_)) => {
                let mut vswitches = self.vswitches.keys().copied();
                if let Some(id) = vswitches.find(|id| self.usable(*id).contains(&address)) {
                    self.cool(id, &[address]);
                }
            }
            Some(Place::Held(id)) => {
                let id = *id;
                self.settle(id, &[own], 2_000);
            }
            Some(_) => {}
        }
    }

    fn settle(&mut self, id: u64, gone: &[&ClaimName], settle: u64) {
        let claim = self.claims.get_mut(&id).expect("its claim");
        claim.settled = claim.settled.max(self.now + settle);
        if let (true, Policy::Ttl { ttl_ms }) = (gone.contains(&&claim.name), claim.policy) {
            claim.release = Some(self.now + ttl_ms);
        }
    }

    /// Where a living sandbox fits: its vSwitch, its claim, and who is gone for it.
    fn fit(
        &self,
        node: u64,
        live: &Live,
        named: &BTreeSet<&AttachmentKey>,
        touched: &BTreeSet<IpAddr>,
    ) -> Option<(u64, Option<u64>, Vec<AttachmentKey>)> {
        let mut vswitches = self.vswitches.keys().copied();
        let vswitch = vswitches.find(|id| self.usable(*id).contains(&live.addresses[0]))?;
        let usable = self.usable(vswitch);
        let row = &self.vswitches[&vswitch];
        let given: Vec<bool> = live.addresses.iter().map(IpAddr::is_ipv4).collect();
        let wanted: Vec<bool> = row
            .ipv4
            .map(|_| true)
            .into_iter()
            .chain(row.ipv6.map(|_| false))
            .collect();
        if given != wanted || !live.addresses.iter().all(|at| usable.contains(at)) {
            return None;
        }
        let own = |name: &ClaimName| {
            name.cluster == live.key.cluster
                && name.namespace == live.pod.namespace
                && name.pod == live.pod.name
        };
        let mut claims = self.claims.iter();
        let claim = claims.find(|(_, claim)| own(&claim.name) && claim.addresses == live.addresses);
        let claim = claim.map(|(id, _)| *id);
        let mut gone: Vec<AttachmentKey> = self
            .sandboxes
            .contains_key(&live.key)
            .then(|| live.key.clone())
            .into_iter()
            .collect();
        for address in &live.addresses {
            if touched.contains(address) || self.contested(*address) {
                return None;
            }
            match self.places.get(address) {
                Some(Place::Bound(key)) if !gone.contains(key) => gone.push(key.clone()),
                Some(Place::Held(id)) if claim != Some(*id) => return None,
                _ => {}
            }
        }
        for key in &gone {
            let other = &self.sandboxes[key];
            let free = other.claim.is_none() || other.claim == claim;
            let unnamed = *key == live.key || !named.contains(key);
            let untouched = !other.bind.addresses.iter().any(|at| touched.contains(at));
            if other.bind.node.0 != node || !free || !unnamed || !untouched {
                return None;
            }
        }
        Some((vswitch, claim, gone))
    }

    fn adopt(
        &mut self,
        (node, generation): (u64, u64),
        live: &Live,
        vswitch: u64,
        claim: Option<u64>,
    ) {
        for address in &live.addresses {
            self.places.insert(*address, Place::Bound(live.key.clone()));
        }
        if let Some(claim) = claim.and_then(|id| self.claims.get_mut(&id)) {
            (claim.holder, claim.release) = (Some(live.key.clone()), None);
        }
        let bind = Bind {
            key: live.key.clone(),
            node: NodeId(node),
            boot: live.boot.clone(),
            invoked_at_ms: live.invoked_at_ms,
            pod: live.pod.clone(),
            vswitch: VSwitchId(vswitch),
            eni: live.eni.clone(),
            addresses: live.addresses.clone(),
            claim: BindClaim::None,
            parameters: UNKNOWN_PARAMETERS,
        };
        self.sandboxes.insert(
            live.key.clone(),
            Sandbox {
                bind,
                generation,
                claim,
            },
        );
    }

    fn contest(&mut self, address: IpAddr) {
        let given = self
            .vswitches
            .keys()
            .any(|id| self.usable(*id).contains(&address));
        let place = match self.places.get(&address) {
            Some(Place::Held(claim) | Place::Disputed(claim)) => Place::Disputed(*claim),
            Some(Place::Bound(key)) => Place::Bound(key.clone()),
            _ => Place::Quarantined,
        };
        if given {
            self.places.insert(address, place);
        }
    }

    pub fn strays_named(
        &self,
        release: &Release,
    ) -> Result<Vec<(AttachmentKey, u64)>, &'static str> {
        let of_key: Vec<_> = self
            .strays
            .iter()
            .filter(|((key, _), _)| *key == release.key)
            .collect();
        let unnamed = release.generation.is_none() && !self.sandboxes.contains_key(&release.key);
        if !of_key.is_empty() && unnamed && matches!(release.proof, Proof::Collect | Proof::Admin) {
            return Err("Invalid");
        }
        let ends = |((_, node), stray): &(&(AttachmentKey, u64), &Strayed)| match release.generation
        {
            Some(named) => named.0 == stray.since,
            None => {
                release.proof == Proof::Del
                    && [0, *node].contains(&release.node.0)
                    && (release.boot != stray.boot || stray.invoked <= release.invoked_at_ms)
            }
        };
        Ok(of_key
            .into_iter()
            .filter(ends)
            .map(|(place, _)| place.clone())
            .collect())
    }

    pub fn end_strays(&mut self, places: &[(AttachmentKey, u64)], settle: u64) {
        let strays = places
            .iter()
            .map(|place| self.strays.remove(place).expect("listed"));
        let strays: Vec<Strayed> = strays.collect();
        let addresses = strays.iter().flat_map(|stray| stray.addresses.clone());
        let addresses: BTreeSet<IpAddr> = addresses.collect();
        for address in addresses {
            if self.contested(address) {
                continue;
            }
            match self.places.get(&address) {
                Some(Place::Quarantined) => {
                    let ids: Vec<u64> = self.vswitches.keys().copied().collect();
                    let vswitch = ids
                        .into_iter()
                        .find(|id| self.usable(*id).contains(&address));
                    self.cool(vswitch.expect("it has a row"), &[address]);
                }
                Some(Place::Disputed(id)) => {
                    let id = *id;
                    self.places.insert(address, Place::Held(id));
                    let claimed = self.claims[&id].addresses.clone();
                    let used =
                        |stray: &&Strayed| stray.addresses.iter().any(|at| claimed.contains(at));
                    let pods: Vec<&ClaimName> =
                        strays.iter().filter(used).map(|stray| &stray.pod).collect();
                    self.settle(id, &pods, settle);
                }
                _ => {}
            }
        }
    }

    pub fn compare_recovery(&self, ledger: &Ledger) {
        let waiting: BTreeSet<u64> = ledger
            .recovery()
            .into_iter()
            .flat_map(|row| &row.waiting)
            .map(|node| node.0)
            .collect();
        assert_eq!(waiting, self.recovery.waiting, "waiting");
        assert_eq!(ledger.is_recovering(), self.is_recovering());
        let strays: Vec<_> = ledger
            .strays()
            .map(|row| {
                let stray = Strayed {
                    boot: row.boot.clone(),
                    invoked: row.invoked_at_ms,
                    pod: own_claim(&row.key, &row.pod),
                    addresses: row.addresses.clone(),
                    since: row.since.0,
                };
                (((*row.key).clone(), row.node.0), stray)
            })
            .collect();
        assert_eq!(
            strays,
            self.strays.clone().into_iter().collect::<Vec<_>>(),
            "strays"
        );
        for vswitch in ledger.vswitches().filter(|_| self.is_recovering()) {
            for (_, counts) in ledger.counts(vswitch.id).expect("counts").families() {
                assert_eq!((counts.free, counts.idle, counts.cooling), (0, 0, 0));
            }
        }
    }
}
