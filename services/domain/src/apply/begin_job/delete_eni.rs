//! A whole ENI goes, if everything on it is idle.

use super::{begun, in_use, job, take_back};
use crate::apply::{Context, Decided, recovering};
use crate::id::EniNumber;
use crate::ledger::nodes;
use crate::outcome::Refusal;
use crate::row::{Change, Eni, EniKind, EniState, Work};
use std::sync::Arc;

pub(super) fn decide(
    context: &Context,
    node: &nodes::Entry,
    number: EniNumber,
    trunk_too: bool,
) -> Decided {
    recovering::none_open(context)?;
    let eni = in_use(context, node.row.id, number)?;
    let used = |by: String| Refusal::InUse {
        what: "ENI",
        name: number.to_string(),
        by,
    };
    if eni.kind == EniKind::Trunk && !trunk_too {
        return Err(used("it is the node's trunk".into()));
    }
    if let Some(other) = context
        .ledger
        .jobs_of(eni.node)
        .find(|job| job.eni == number)
    {
        return Err(used(format!("job {} ({})", other.id, other.work.name())));
    }
    let on_it = context.ledger.addresses_on(eni);
    let job = job(context, eni, Work::DeleteEni, on_it);
    let mut changes = take_back(context, eni, &job)?;
    changes.push(leaving(eni));
    Ok(begun(job, changes))
}

/// Nothing comes onto it any more.
pub(in crate::apply) fn leaving(eni: &Arc<Eni>) -> Change {
    Change::Eni {
        number: eni.number,
        before: Some(eni.clone()),
        after: Some(Arc::new(Eni {
            state: EniState::Leaving,
            ..(**eni).clone()
        })),
    }
}
