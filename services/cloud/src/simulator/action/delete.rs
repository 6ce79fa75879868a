//! DeleteNetworkInterface (ECS API).

use crate::eni::{EniKind, EniStatus};
use crate::simulator::refusal::Refusal;
use crate::simulator::request::Request;
use crate::simulator::world::World;
use serde_json::{Value, json};

pub(super) fn delete(world: &mut World, request: &Request) -> Result<Value, Refusal> {
    let eni = world.eni(request.required("NetworkInterfaceId")?)?;
    let id = eni.id.clone();
    if eni.kind == EniKind::Primary {
        let message = "The primary ENI cannot be deleted.";
        return Err(Refusal::new(
            400,
            "InvalidOperation.DeletePrimaryEniNotAllowed",
            message,
        ));
    }
    match eni.status {
        EniStatus::Available => {}
        // It is on its way out already: the same answer again.
        EniStatus::Deleting => return Ok(json!({})),
        other => return Err(Refusal::eni_state(&id, other.name())),
    }
    let due_ms = world.now_ms + world.setup.times.delete_ms;
    world.change(&id, |eni| {
        eni.status = EniStatus::Deleting;
        eni.due_ms = due_ms;
    });
    world.settle(world.now_ms);
    Ok(json!({}))
}
