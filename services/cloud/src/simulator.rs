//! Alibaba Cloud's ECS (2014-05-26) and VPC (2016-04-28), as far as ENIs and addresses go, for tests without an account; with STS
//! (2015-04-01) and a machine's metadata service for keys that end.
//!
//! [`Simulator`] is the whole cloud as a state machine: a call and the time go in, an answer comes out. It knows no clock, makes
//! no connection, and takes its randomness from a seed: the same seed and calls give the same answers, byte for byte. `http` is
//! its other end of the official wire: whatever SDK speaks to the cloud speaks to it.
//!
//! What it keeps to: each vSwitch's reserved addresses, ENIs of an instance and members of its trunks by type, addresses of an
//! ENI, of a security group, of a vSwitch; one zone and one VPC; what an ENI's state allows; what a key may do; how often a minute.
//! What goes wrong stands in [`FaultPlan`]. What happened stands in [`Ledger`]. [`Simulator::check`] audits the whole.
//!
//! Not simulated: prefixes (refused), moving an ENI's security groups, machines that come and go, more than one region, what
//! calls of other products see.

mod action;
mod addresses;
pub mod answer;
pub mod catalogue;
mod check;
mod date;
pub mod eni;
pub mod fault;
pub mod http;
mod idempotence;
mod identity;
pub mod ledger;
mod quota;
mod random;
pub mod refusal;
pub mod request;
pub mod setup;
mod throttle;
mod world;

#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use fault::{Chances, Fault, FaultPlan, Scripted};
pub use ledger::Ledger;
pub use request::Request;
pub use setup::Setup;

use crate::call::Action;
use crate::simulator::eni::Eni;
use crate::simulator::idempotence::Tokens;
use crate::simulator::refusal::Refusal;
use crate::simulator::throttle::Throttle;
use crate::simulator::world::World;
use serde_json::Value;

/// ECS's API version.
pub const ECS: &str = "2014-05-26";
/// VPC's API version.
pub const VPC: &str = "2016-04-28";
/// STS's API version.
pub const STS: &str = "2015-04-01";

/// The cloud.
#[derive(Clone, Debug)]
pub struct Simulator {
    world: World,
    throttle: Throttle,
    tokens: Tokens,
}

// === impl Simulator ===

impl Simulator {
    /// The world as the setup has it, at time 0.
    pub fn new(setup: Setup, seed: u64) -> Self {
        Self {
            world: World::new(setup, seed),
            throttle: Throttle::default(),
            tokens: Tokens::default(),
        }
    }

    /// Carries one call out. `now_ms` counts from 1970 and never goes back; an earlier one is taken for the latest seen.
    pub fn handle(&mut self, now_ms: u64, request: &Request) -> Answer {
        self.settle(now_ms);
        let call = self.world.ledger.saw(&request.action);
        let request_id = self.world.random.request_id();
        let fault = self
            .world
            .setup
            .faults
            .of(&request.action, call, &mut self.world.random);
        let before = match fault {
            Some(Fault::ErrorBefore) => Some(Refusal::internal()),
            Some(Fault::LostBefore) => Some(Refusal::internal()),
            Some(Fault::Throttled) => Some(Refusal::throttled()),
            Some(Fault::Conflict) => Some(Refusal::new(
                409,
                "Operation.Conflict",
                "The operation conflicts with another one.",
            )),
            _ => None,
        };
        let done = before.map_or_else(
            || self.carry_out(request, fault == Some(Fault::Partial)),
            Err,
        );
        let done = if fault == Some(Fault::ErrorAfter) {
            Err(Refusal::internal())
        } else {
            done
        };
        let mut answer = match done {
            Ok(body) => Answer::done(body, &request_id),
            Err(refusal) => Answer::refused(&refusal, &request_id, host(&request.version)),
        };
        answer.lost = matches!(fault, Some(Fault::LostBefore | Fault::LostAfter));
        answer
    }

    /// What the metadata service of a machine says of a role: a key for some hours; none = the machine has it not.
    pub fn machine_key(&mut self, now_ms: u64, role: &str) -> Option<Value> {
        self.settle(now_ms);
        let World { setup, random, .. } = &mut self.world;
        identity::of_machine(setup, random, role, now_ms)
    }

    /// The name of the role of the machine that asks; none = it has none.
    pub fn machine_role(&self) -> Option<String> {
        let arn = self.world.setup.machine_role.as_ref()?;
        arn.rsplit('/').next().map(str::to_owned)
    }

    /// Everything asynchronous that is due by now has happened.
    pub fn settle(&mut self, now_ms: u64) {
        self.world.settle(now_ms);
    }

    fn carry_out(&mut self, request: &Request, partial: bool) -> Result<Value, Refusal> {
        if (request.version.as_str(), request.action.as_str()) == (STS, "AssumeRole") {
            let World {
                setup,
                random,
                now_ms,
                ..
            } = &mut self.world;
            return identity::assume(setup, random, request, *now_ms);
        }
        let action = known(request)?;
        self.admit(action, request)?;
        let Some(token) = request.text("ClientToken") else {
            return action::carry_out(&mut self.world, action, request, partial);
        };
        if let Some(again) = self.tokens.seen(token, request)? {
            return Ok(again);
        }
        let body = action::carry_out(&mut self.world, action, request, partial)?;
        self.tokens.keep(token, request, &body);
        Ok(body)
    }

    /// Whether the caller may make this call now, in this region.
    fn admit(&mut self, action: Action, request: &Request) -> Result<(), Refusal> {
        let setup = &self.world.setup;
        let Some(key) = setup.keys.iter().find(|key| key.id == request.signer) else {
            return Err(Refusal::new(
                404,
                "InvalidAccessKeyId.NotFound",
                "Specified access key is not found.",
            ));
        };
        if key
            .rights
            .as_ref()
            .is_some_and(|rights| !rights.contains(action.name()))
        {
            let message = "User not authorized to operate on the specified resource, or this API doesn't support RAM.";
            return Err(Refusal::new(403, "Forbidden.RAM", message));
        }
        if !self
            .throttle
            .take(self.world.now_ms, action.name(), &setup.limits)
        {
            return Err(Refusal::throttled());
        }
        match request.text("RegionId") {
            None if action == Action::DescribeInstanceTypes => Ok(()),
            None => Err(Refusal::missing("RegionId")),
            Some(region) if region == setup.region => Ok(()),
            Some(_) => Err(Refusal::new(
                404,
                "InvalidRegionId.NotFound",
                "The specified RegionId does not exist.",
            )),
        }
    }

    /// What it saw and did.
    pub fn ledger(&self) -> &Ledger {
        &self.world.ledger
    }

    /// Every ENI that there is, by id: the truth, never a moment behind.
    pub fn enis(&self) -> impl Iterator<Item = &Eni> {
        self.world.enis.values()
    }

    /// ENIs with this tag that are on nothing: nobody uses them, and somebody pays.
    pub fn leaked(&self, key: &str, value: &str) -> Vec<&Eni> {
        let free = self.enis().filter(|eni| eni.instance.is_none());
        free.filter(|eni| eni.tags.get(key).is_some_and(|has| has == value))
            .collect()
    }

    /// What the world is now. Changes take effect with the next call; what stands already stays.
    pub fn setup(&mut self) -> &mut Setup {
        &mut self.world.setup
    }

    /// Somebody else gives an ENI these tags and no others.
    pub fn retag(&mut self, id: &str, tags: &[(String, String)]) {
        if let Some(eni) = self.world.enis.get_mut(id) {
            eni.tags = tags.iter().cloned().collect();
        }
    }

    /// A security group ends. Refused while an ENI is in it, as the cloud refuses it.
    pub fn delete_security_group(&mut self, id: &str) -> Result<(), Refusal> {
        if self.world.addresses_of(id) > 0 {
            return Err(Refusal::new(
                403,
                "DependencyViolation",
                "There is still an ENI in the security group.",
            ));
        }
        self.world
            .setup
            .security_groups
            .retain(|group| group.id != id);
        Ok(())
    }
}

fn known(request: &Request) -> Result<Action, Refusal> {
    let action = Action::named(&request.action);
    let product = action.map(|action| {
        if action == Action::DescribeVSwitches {
            VPC
        } else {
            ECS
        }
    });
    match action {
        Some(action) if product == Some(request.version.as_str()) => Ok(action),
        _ => {
            let message = format!(
                "Specified api {} of {} is not found.",
                request.action, request.version
            );
            Err(Refusal::new(404, "InvalidAction.NotFound", message))
        }
    }
}

fn host(version: &str) -> &'static str {
    match version {
        VPC => "vpc.aliyuncs.com",
        STS => "sts.aliyuncs.com",
        _ => "ecs.aliyuncs.com",
    }
}
