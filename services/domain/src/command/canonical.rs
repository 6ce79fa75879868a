//! The digest of a command: whether a repeated request id asks for the same thing again.

use super::*;
use crate::event::Writer;

/// The first half of the BLAKE3 of the command's canonical bytes.
pub(crate) fn digest(command: &Command) -> [u8; 16] {
    let mut bytes = Vec::with_capacity(256);
    Writer { bytes: &mut bytes }.command(command);
    let mut digest = [0; 16];
    digest.copy_from_slice(&blake3::hash(&bytes).as_bytes()[..16]);
    digest
}

// === impl Writer ===

impl Writer<'_> {
    fn command(&mut self, command: &Command) {
        self.byte(command.number());
        match command {
            Command::CreateVSwitch(command) => self.create_vswitch(command),
            Command::DeleteVSwitch(command) => self.text(command.name.as_bytes()),
            Command::RegisterNode(command) => self.register_node(command),
            Command::RemoveNode(command) => {
                self.u64(command.node.0);
                self.flag(command.confirmed_dead);
            }
            Command::CreateClaim(command) => {
                self.claim_name(&command.name);
                self.u64(command.vswitch.0);
                self.list(&command.addresses, Self::address);
                self.policy(command.policy);
            }
            Command::DeleteClaim(command) => {
                self.u64(command.claim.0);
                self.flag(command.override_holder);
                self.flag(command.policy_fired);
            }
            Command::Stock(command) => {
                self.u64(command.vswitch.0);
                self.u64(command.node.0);
                self.eni(command.eni.as_ref());
                self.list(&command.addresses, Self::address);
            }
            Command::Reclaim(command) => {
                self.u64(command.vswitch.0);
                self.u64(command.node.0);
                self.list(&command.addresses, Self::address);
            }
            Command::Bind(command) => self.bind(command),
            Command::Release(command) => self.release(command),
            Command::Expire(command) => self.u32(command.limit),
            Command::RegisterMember(command) => self.register_member(command),
            Command::RemoveMember(command) => self.u64(command.id.0),
            Command::SetClusterVersion(command) => self.u32(command.to.0),
            Command::Repair(command) => self.repair(command),
            Command::Rehearse(Rehearse) => {}
            Command::Recover(command) => {
                self.text(command.cluster.as_bytes());
                self.recovery_kind(command.kind);
                self.u64(command.revision_jump);
                self.flag(command.unknown_nodes);
            }
            Command::BeginJob(command) => self.begin_job(command),
            Command::AdvanceJob(command) => self.advance_job(command),
            Command::NoteForeign(command) => {
                self.u64(command.vswitch.0);
                self.list(&command.come, Self::address);
                self.list(&command.gone, Self::address);
            }
            Command::SetNodePool(command) => self.set_node_pool(command),
            Command::SetVSwitch(command) => self.set_vswitch(command),
            Command::DeleteNodePool(command) => self.text(command.name.as_bytes()),
            Command::ConfirmNode(command) => {
                self.u64(command.node.0);
                self.byte(match command.word {
                    Word::Report => 0,
                    Word::Admin => 1,
                });
                self.list(&command.live, Self::live);
            }
        }
    }

    fn begin_job(&mut self, command: &BeginJob) {
        self.u64(command.node.0);
        match &command.plan {
            Plan::CreateEni {
                vswitch,
                kind,
                security_groups,
                addresses,
            } => {
                self.byte(0);
                self.u64(vswitch.0);
                self.eni_kind(*kind);
                self.list(security_groups, |writer, group| {
                    writer.text(group.as_bytes())
                });
                self.list(addresses, Self::address);
            }
            Plan::Assign { eni, addresses } => {
                self.byte(1);
                self.u64(eni.0);
                self.list(addresses, Self::address);
            }
            Plan::Unassign { eni, addresses } => {
                self.byte(2);
                self.u64(eni.0);
                self.list(addresses, Self::address);
            }
            Plan::DeleteEni { eni, trunk_too } => {
                self.byte(3);
                self.u64(eni.0);
                self.flag(*trunk_too);
            }
        }
    }

    fn advance_job(&mut self, command: &AdvanceJob) {
        self.u64(command.job.0);
        self.step(command.step);
        self.u32(command.attempt);
        match &command.report {
            Report::Created {
                eni,
                mac,
                addresses,
            } => {
                self.byte(0);
                self.text(eni.as_bytes());
                self.text(mac.as_bytes());
                self.list(addresses, Self::address);
            }
            Report::Accepted => self.byte(1),
            Report::Attached => self.byte(2),
            Report::Assigned { addresses } => {
                self.byte(3);
                self.list(addresses, Self::address);
            }
            Report::Unassigned => self.byte(4),
            Report::Detached => self.byte(5),
            Report::Deleted => self.byte(6),
            Report::Refused { cause, foreign } => {
                self.byte(7);
                self.cause(*cause);
                self.list(foreign, Self::address);
            }
            Report::Unknown => self.byte(8),
        }
    }

    fn repair(&mut self, command: &Repair) {
        match command {
            Repair::EndAllocation { key, generation } => {
                self.byte(0);
                self.key(key);
                self.u64(generation.0);
            }
            Repair::FreeAddress { address } => {
                self.byte(1);
                self.address(address);
            }
            Repair::EndClaim { claim, generation } => {
                self.byte(2);
                self.u64(claim.0);
                self.u64(generation.0);
            }
        }
    }

    fn create_vswitch(&mut self, command: &CreateVSwitch) {
        self.text(command.name.as_bytes());
        self.text(command.zone.as_bytes());
        self.option(command.ipv4.as_ref(), Self::subnet);
        self.option(command.ipv6.as_ref(), Self::subnet);
        self.list(&command.exclusions, Self::range);
        self.u64(command.cooling_ms);
        self.network(command.kind, command.cloud.as_ref());
    }

    fn set_vswitch(&mut self, command: &SetVSwitch) {
        self.text(command.name.as_bytes());
        self.option(command.ipv4.as_ref(), Self::subnet);
        self.option(command.ipv6.as_ref(), Self::subnet);
        self.list(&command.exclusions, Self::range);
        self.u64(command.cooling_ms);
    }

    fn register_node(&mut self, command: &RegisterNode) {
        self.text(command.name.as_bytes());
        self.text(command.identity.as_bytes());
        self.text(command.zone.as_bytes());
        self.text(command.instance_type.as_bytes());
        self.u32(command.eni_slots);
        self.u32(command.addresses_per_eni);
        self.warm_target(command.warm_target, command.pool);
    }

    fn set_node_pool(&mut self, command: &SetNodePool) {
        self.text(command.name.as_bytes());
        self.node_mode(command.mode);
        self.list(&command.vswitches, |writer, id| writer.u64(id.0));
        self.list(&command.draining, |writer, id| writer.u64(id.0));
        self.vswitch_choice(command.choice);
        self.list(&command.security_groups, |writer, group| {
            writer.text(group.as_bytes());
        });
        self.idle_settings(&command.idle);
        self.list(&command.blocked, |writer, eni| writer.text(eni.as_bytes()));
        self.list(&command.eni_tags, |writer, tag| {
            writer.text(tag.key.as_bytes());
            writer.text(tag.value.as_bytes());
        });
        self.byte(u8::from(command.acceleration));
        self.byte(u8::from(command.network_policy));
    }

    fn bind(&mut self, command: &Bind) {
        self.key(&command.key);
        self.u64(command.node.0);
        self.text(command.boot.as_bytes());
        self.u64(command.invoked_at_ms);
        self.pod(&command.pod);
        self.u64(command.vswitch.0);
        self.eni(command.eni.as_ref());
        self.list(&command.addresses, Self::address);
        match &command.claim {
            BindClaim::None => self.byte(0),
            BindClaim::Existing(id) => {
                self.byte(1);
                self.u64(id.0);
            }
            BindClaim::New { name, policy } => {
                self.byte(2);
                self.claim_name(name);
                self.policy(*policy);
            }
        }
        self.raw(&command.parameters);
    }

    fn release(&mut self, command: &Release) {
        self.key(&command.key);
        self.u64(command.node.0);
        self.text(command.boot.as_bytes());
        self.u64(command.invoked_at_ms);
        self.option(command.generation, |writer, generation| {
            writer.u64(generation.0)
        });
        self.byte(match command.proof {
            Proof::Del => 0,
            Proof::Collect => 1,
            Proof::Admin => 2,
            Proof::NodeDead => 3,
        });
        self.flag(command.pod_gone);
    }

    fn live(&mut self, live: &Live) {
        self.key(&live.key);
        self.text(live.boot.as_bytes());
        self.u64(live.invoked_at_ms);
        self.pod(&live.pod);
        self.eni(live.eni.as_ref());
        self.list(&live.addresses, Self::address);
    }

    fn register_member(&mut self, command: &RegisterMember) {
        self.text(command.cluster.as_bytes());
        self.u64(command.id.0);
        self.text(command.name.as_bytes());
        self.text(command.client_endpoint.as_bytes());
        self.text(command.peer_endpoint.as_bytes());
        self.raw(&command.store);
        self.u64(match command.vote {
            Vote::AsKnown => 0,
            Vote::Withheld => 1,
            Vote::Given => 2,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: another command has another digest, whatever the field in which it differs.
    #[test]
    fn differs_with_the_command() {
        let remove = |node, confirmed_dead| {
            digest(&Command::RemoveNode(RemoveNode {
                node: NodeId(node),
                confirmed_dead,
            }))
        };
        let expire = digest(&Command::Expire(Expire { limit: 1 }));
        let digests = [remove(1, true), remove(1, false), remove(2, true), expire];
        for (place, one) in digests.iter().enumerate() {
            assert!(digests[place + 1..].iter().all(|other| other != one));
        }
        assert_eq!(remove(1, true), remove(1, true));
    }
}
