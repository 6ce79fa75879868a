//! The simplest cloud: ENIs with addresses, others' addresses, and calls that it has seen by their token.

use berth_domain::id::{EniNumber, JobId, NodeId};
use berth_domain::row::Step;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudEni {
    pub on: Option<NodeId>,
    pub addresses: BTreeSet<IpAddr>,
    pub primary: IpAddr,
}

/// A call as it was sent.
#[derive(Clone, Debug)]
pub struct Call {
    pub job: JobId,
    pub step: Step,
    pub attempt: u32,
    pub eni: EniNumber,
    pub node: NodeId,
    pub addresses: Vec<IpAddr>,
    pub primary: IpAddr,
    /// So many of the addresses only.
    pub part: usize,
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Done(Vec<IpAddr>),
    Taken(Vec<IpAddr>),
    WrongState,
}

#[derive(Clone, Debug, Default)]
pub struct Cloud {
    pub enis: BTreeMap<EniNumber, CloudEni>,
    /// They were there, and their names never come back.
    pub deleted: BTreeSet<EniNumber>,
    pub foreign: BTreeSet<IpAddr>,
    tokens: BTreeMap<(JobId, Step, u32), Vec<IpAddr>>,
}

impl Cloud {
    fn taken(&self, address: &IpAddr) -> bool {
        self.foreign.contains(address)
            || self
                .enis
                .values()
                .any(|eni| eni.addresses.contains(address))
    }

    pub fn call(&mut self, call: &Call) -> Answer {
        let token = (call.job, call.step, call.attempt);
        if let Some(known) = self.tokens.get(&token) {
            return Answer::Done(known.clone());
        }
        match call.step {
            Step::Create => self.create(token, call),
            Step::AssignIpv4 | Step::AssignIpv6 => self.assign(token, call),
            Step::UnassignIpv4 | Step::UnassignIpv6 => self.change(call, |eni| {
                eni.addresses.retain(|at| !call.addresses.contains(at));
                true
            }),
            Step::Attach => self.change(call, |eni| {
                let free = eni.on.is_none();
                eni.on = Some(call.node);
                free
            }),
            Step::Detach => self.change(call, |eni| eni.on.take().is_some()),
            Step::Delete => {
                let can = self.enis.get(&call.eni).is_some_and(|eni| eni.on.is_none());
                if !can {
                    return Answer::WrongState;
                }
                self.enis.remove(&call.eni);
                self.deleted.insert(call.eni);
                Answer::Done(Vec::new())
            }
            other => panic!("{other:?} is no call"),
        }
    }

    fn change(&mut self, call: &Call, change: impl FnOnce(&mut CloudEni) -> bool) -> Answer {
        match self.enis.get_mut(&call.eni).map(change) {
            Some(true) => Answer::Done(Vec::new()),
            _ => Answer::WrongState,
        }
    }

    fn create(&mut self, token: (JobId, Step, u32), call: &Call) -> Answer {
        let taken: Vec<IpAddr> = call
            .addresses
            .iter()
            .filter(|at| self.taken(at))
            .copied()
            .collect();
        if !taken.is_empty() {
            return Answer::Taken(taken);
        }
        self.tokens.insert(token, call.addresses.clone());
        let eni = CloudEni {
            on: None,
            addresses: call.addresses.iter().copied().collect(),
            primary: call.primary,
        };
        let twice = self.enis.insert(call.eni, eni);
        assert_eq!(twice, None, "an ENI was made twice");
        Answer::Done(call.addresses.clone())
    }

    fn assign(&mut self, token: (JobId, Step, u32), call: &Call) -> Answer {
        let taken: Vec<IpAddr> = call
            .addresses
            .iter()
            .filter(|at| self.taken(at))
            .copied()
            .collect();
        if !taken.is_empty() {
            return Answer::Taken(taken);
        }
        let Some(eni) = self.enis.get_mut(&call.eni) else {
            return Answer::WrongState;
        };
        let come: Vec<IpAddr> = call.addresses.iter().take(call.part).copied().collect();
        eni.addresses.extend(come.iter().copied());
        self.tokens.insert(token, come.clone());
        Answer::Done(come)
    }
}
