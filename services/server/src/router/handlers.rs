//! Messages that the router passes on to an actor of its term.

use super::{Admin, Located, Observe, ObserveCloud, PutBack, Router, Scheduled, TakeBack, Wanted};
use crate::cloud::{self, LastAudit};
use crate::failure::Failure;
use crate::node::{self, Request};
use crate::vswitch::message::GiveBack;
use crate::vswitch::state::NO_NODE;
use berth_actors::{Context, Handler};
use berth_domain::id::NodeName;

impl Handler<Request> for Router {
    fn handle(&mut self, request: Request, context: &mut Context<Self>) {
        self.route(request, context);
    }
}

impl Handler<Located> for Router {
    fn handle(&mut self, located: Located, _: &mut Context<Self>) {
        if located.number != self.role.term {
            return located.request.refuse(Failure::NotLeader {
                leader_endpoint: None,
            });
        }
        match located.node {
            Some(node) => self.send(node, located.request),
            None => self.release_unknown(located.request),
        }
    }
}

impl Handler<Admin> for Router {
    fn handle(&mut self, admin: Admin, context: &mut Context<Self>) {
        self.admin(admin, context.now_ms());
    }
}

impl Handler<TakeBack> for Router {
    fn handle(&mut self, take: TakeBack, _: &mut Context<Self>) {
        let Some(address) = self.vswitch(take.vswitch) else {
            return take.reply.answer(false);
        };
        address.deliver(take);
    }
}

impl Handler<PutBack> for Router {
    fn handle(&mut self, put: PutBack, _: &mut Context<Self>) {
        if let Some(address) = self.vswitch(put.vswitch) {
            address.deliver(GiveBack {
                node: NO_NODE,
                addresses: vec![put.address],
            });
        }
    }
}

impl Handler<Scheduled> for Router {
    fn handle(&mut self, Scheduled(node): Scheduled, _: &mut Context<Self>) {
        let Some(leading) = self.leading() else {
            return;
        };
        let name = NodeName::new(&node).ok();
        let id = name.and_then(|name| leading.term.view.borrow().node(&name).map(|node| node.id));
        let pooled = leading.term.pooled.borrow();
        if let Some(address) = id.and_then(|id| pooled.get(&id)) {
            address.deliver(node::Scheduled);
        }
    }
}

impl Handler<Wanted> for Router {
    fn handle(&mut self, _: Wanted, _: &mut Context<Self>) {
        if let Some(leading) = self.leading() {
            leading.wake_all();
        }
    }
}

impl Handler<ObserveCloud> for Router {
    fn handle(&mut self, ObserveCloud(reply): ObserveCloud, _: &mut Context<Self>) {
        let Some(leading) = self.leading() else {
            return reply.answer(Err(Failure::NotLeader {
                leader_endpoint: None,
            }));
        };
        match leading.term.cloud.borrow().as_ref() {
            Some(cloud) if leading.term.makes_enis.get() => cloud.deliver(cloud::Observe(reply)),
            _ => reply.answer(Ok(None)),
        }
    }
}

impl Handler<LastAudit> for Router {
    fn handle(&mut self, LastAudit(reply): LastAudit, _: &mut Context<Self>) {
        let Some(leading) = self.leading() else {
            return reply.answer(Err(Failure::NotLeader {
                leader_endpoint: None,
            }));
        };
        match leading.term.cloud.borrow().as_ref() {
            Some(cloud) if leading.term.makes_enis.get() => cloud.deliver(LastAudit(reply)),
            _ => reply.answer(Ok(None)),
        }
    }
}

impl Handler<Observe> for Router {
    fn handle(&mut self, observe: Observe, _: &mut Context<Self>) {
        let nodes = self.leading().map(|leading| leading.nodes.clone());
        observe.0.answer(nodes.unwrap_or_default());
    }
}
