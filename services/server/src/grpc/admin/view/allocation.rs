//! Allocations, and where a page of them goes on.

use crate::grpc::admin::allocation::Filter;
use crate::grpc::decode::{Decoded, invalid};
use crate::grpc::encode;
use berth_domain::Ledger;
use berth_domain::id::Generation;
use berth_domain::ledger::{Cursor, Page, Selection};
use berth_domain::outcome::Refusal;
use berth_domain::row::Allocation;
use berth_proto::v1;

/// One page, possibly short although more follow. Refused if the node or the vSwitch is not there.
pub(in crate::grpc::admin) fn allocations(
    ledger: &Ledger,
    filter: &Filter,
    after: Option<Cursor>,
    size: usize,
) -> Result<(Vec<v1::Allocation>, Option<Cursor>), Refusal> {
    let selection = selection(ledger, filter)?;
    let vswitch = filter
        .vswitch
        .as_ref()
        .and_then(|name| ledger.vswitch_named(name));
    let fits = |row: &Allocation| {
        vswitch.is_none_or(|vswitch| row.vswitch == vswitch.id)
            && filter
                .namespace
                .as_ref()
                .is_none_or(|namespace| row.pod.namespace == *namespace)
            && filter.pod.as_ref().is_none_or(|pod| row.pod.name == *pod)
    };
    let Page { allocations, next } = ledger.page(&selection, after, size);
    let rows = allocations.iter().filter(|row| fits(row));
    Ok((rows.map(|row| allocation(ledger, row)).collect(), next))
}

/// The narrowest list that holds all that fit.
fn selection(ledger: &Ledger, filter: &Filter) -> Result<Selection, Refusal> {
    let missing = |what, name: String| Refusal::NotFound { what, name };
    let vswitch = match &filter.vswitch {
        None => None,
        Some(name) => {
            let row = ledger.vswitch_named(name);
            Some(row.ok_or_else(|| missing("vSwitch", name.to_string()))?.id)
        }
    };
    if let Some(name) = &filter.node {
        let row = ledger.node_named(name);
        let row = row.ok_or_else(|| missing("node", name.to_string()))?;
        return Ok(Selection::Node(row.id));
    }
    Ok(match (vswitch, &filter.namespace) {
        (Some(id), _) => Selection::VSwitch(id),
        (None, Some(namespace)) => Selection::Namespace(None, namespace.clone()),
        (None, None) => Selection::All,
    })
}

/// One allocation, with the names of what it points to.
pub(in crate::grpc::admin) fn allocation(ledger: &Ledger, row: &Allocation) -> v1::Allocation {
    let node = ledger.node(row.node).map(|node| node.name.to_string());
    let vswitch = ledger
        .vswitch(row.vswitch)
        .map(|vswitch| vswitch.name.to_string());
    let claim = row.claim.and_then(|id| ledger.claim(id));
    v1::Allocation {
        attachment: Some(encode::attachment(&row.key)),
        pod: Some(encode::pod(&row.pod)),
        node: node.unwrap_or_else(|| format!("node {} (removed)", row.node)),
        addresses: row.addresses.iter().map(ToString::to_string).collect(),
        vswitch: vswitch.unwrap_or_default(),
        eni: row
            .eni
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        generation: row.generation.0,
        bound_revision: row.generation.0,
        bound_wall_ms: row.bound_wall_ms,
        claim: claim
            .map(|claim| claim.name.to_string())
            .unwrap_or_default(),
    }
}

/// A cursor as a page token, and back.
pub(in crate::grpc::admin) mod cursor {
    use super::{Cursor, Decoded, Generation, invalid};

    pub fn write(cursor: Option<Cursor>) -> String {
        match cursor {
            None => String::new(),
            Some(Cursor::Address(address)) => address.to_string(),
            Some(Cursor::Generation(generation)) => generation.to_string(),
        }
    }

    pub fn read(token: &str) -> Decoded<Option<Cursor>> {
        if token.is_empty() {
            return Ok(None);
        }
        let address = token.parse().map(Cursor::Address).ok();
        let generation = || {
            token
                .parse()
                .map(|number| Cursor::Generation(Generation(number)))
                .ok()
        };
        let cursor = address.or_else(generation);
        cursor.map(Some).ok_or_else(|| {
            invalid(
                "page_token",
                "is not one that a page gave: begin without one",
            )
        })
    }
}
