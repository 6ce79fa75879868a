//! The looks, one after the other: each knows what the one before has found.

use super::{Question, Seen};
use crate::call::{Action, Call, DescribeNetworkInterfaces, DescribeVSwitches};
use crate::eni::EniKind;
use crate::error::{Cause, Error};
use crate::id::{EniId, VpcId};
use crate::provider::{Cloud, Order};
use crate::reply::{Body, Page};
use std::collections::BTreeSet;

/// Instance types that one call may name.
const TYPES_PER_CALL: usize = 10;
/// So many pages are read of one list; a cloud that always names a next one must not hold us for ever.
const PAGES: usize = 200;

struct Looks<'a> {
    cloud: &'a dyn Cloud,
    seen: Seen,
}

pub(super) async fn look(cloud: &dyn Cloud, question: &Question) -> Seen {
    let seen = Seen::default();
    let mut looks = Looks { cloud, seen };
    looks.instances(question).await;
    looks.types().await;
    looks.vswitches(question).await;
    looks.security_groups(question).await;
    looks.enis().await;
    looks.quota().await;
    looks.seen
}

// === impl Looks ===

impl Looks<'_> {
    async fn instances(&mut self, question: &Question) {
        if question.instances.is_empty() {
            return;
        }
        let instances = question.instances.clone();
        let body = self.asked(Call::DescribeInstances { instances }).await;
        if let Some(Body::Instances(instances)) = body {
            self.seen.instances = instances;
        }
    }

    async fn types(&mut self) {
        let names = self.seen.instances.iter();
        let names: BTreeSet<_> = names.map(|one| one.instance_type.clone()).collect();
        let names: Vec<_> = names.into_iter().collect();
        for types in names.chunks(TYPES_PER_CALL) {
            let types = types.to_vec();
            let call = |page| Call::DescribeInstanceTypes {
                types: types.clone(),
                page,
            };
            let found = self.pages(call, |body| match body {
                Body::InstanceTypes(page) => Some(page),
                _ => None,
            });
            let found = found.await;
            self.seen.types.extend(found);
        }
    }

    async fn vswitches(&mut self, question: &Question) {
        let named = question.vswitches.iter().map(|vswitch| DescribeVSwitches {
            vswitch: Some(vswitch.clone()),
            ..DescribeVSwitches::default()
        });
        let mut asked: Vec<_> = named.collect();
        if asked.is_empty() {
            let of = |vpc: VpcId| DescribeVSwitches {
                vpc: Some(vpc),
                ..DescribeVSwitches::default()
            };
            asked = self.vpcs().into_iter().map(of).collect();
        }
        for asked in asked {
            let call = |page: Option<String>| {
                let page = page.and_then(|page| page.parse().ok()).unwrap_or(0);
                Call::DescribeVSwitches(DescribeVSwitches {
                    page,
                    ..asked.clone()
                })
            };
            let found = self.pages(call, |body| match body {
                Body::VSwitches(page) => Some(page),
                _ => None,
            });
            let found = found.await;
            self.seen.vswitches.extend(found);
        }
    }

    async fn security_groups(&mut self, question: &Question) {
        if question.security_groups.is_empty() {
            return;
        }
        let call = |page| Call::DescribeSecurityGroups {
            groups: question.security_groups.clone(),
            vpc: None,
            page,
        };
        let found = self.pages(call, |body| match body {
            Body::SecurityGroups(page) => Some(page),
            _ => None,
        });
        self.seen.security_groups = found.await;
    }

    /// The ENIs of all VPCs that were seen, and one of them alone.
    async fn enis(&mut self) {
        let mut one: Option<EniId> = None;
        for vpc in self.vpcs() {
            let call = |page| {
                Call::DescribeNetworkInterfaces(DescribeNetworkInterfaces {
                    vpc: Some(vpc.clone()),
                    page,
                    ..DescribeNetworkInterfaces::default()
                })
            };
            let found = self.pages(call, |body| match body {
                Body::Enis(page) => Some(page),
                _ => None,
            });
            let found = found.await;
            let own = found.iter().filter(|eni| eni.kind != EniKind::Primary);
            self.seen.enis += own.count();
            one = one.or_else(|| found.first().map(|eni| eni.id.clone()));
        }
        if let Some(eni) = one {
            let call = Call::DescribeNetworkInterfaceAttribute { eni };
            self.asked(call).await;
        }
    }

    async fn quota(&mut self) {
        let body = self.asked(Call::DescribeAccountAttributes).await;
        if let Some(Body::EniQuota(quota)) = body {
            self.seen.eni_quota = Some(quota);
        }
    }

    fn vpcs(&self) -> BTreeSet<VpcId> {
        let instances = self.seen.instances.iter();
        let vswitches = self
            .seen
            .vswitches
            .iter()
            .map(|vswitch| vswitch.vpc.clone());
        let vpcs = instances.filter_map(|instance| instance.vpc.clone());
        vpcs.chain(vswitches).collect()
    }

    /// All pages of a list; those before an error, if one comes.
    async fn pages<T>(
        &mut self,
        call: impl Fn(Option<String>) -> Call,
        page: impl Fn(Body) -> Option<Page<T>>,
    ) -> Vec<T> {
        let mut items = Vec::new();
        let mut next = None;
        for _ in 0..PAGES {
            let Some(found) = self.asked(call(next)).await.and_then(&page) else {
                break;
            };
            items.extend(found.items);
            match found.next {
                Some(more) => next = Some(more),
                None => break,
            }
        }
        items
    }

    /// One call, whose end goes into the rights. Throttling says nothing about them, but it is an end too.
    async fn asked(&mut self, call: Call) -> Option<Body> {
        let action = call.action();
        let answered = match action.only_looks() {
            true => self.cloud.call(Order::always(call)).await,
            false => Err(Error::of(
                action.name(),
                Cause::Invalid,
                "this changes something",
            )),
        };
        match answered {
            Ok(reply) => {
                self.note(action, Ok(()));
                Some(reply.body)
            }
            Err(error) => {
                self.note(action, Err(error));
                None
            }
        }
    }

    /// One line for each action: the first error, if there was one.
    fn note(&mut self, action: Action, ended: Result<(), Error>) {
        let rights = &mut self.seen.rights;
        match rights.iter_mut().find(|(known, _)| *known == action) {
            None => rights.push((action, ended)),
            Some((_, before)) if before.is_ok() => *before = ended,
            Some(_) => {}
        }
    }
}
