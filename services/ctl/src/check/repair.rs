//! Mend what is wrong, or show what would be.

use berth_proto::v1;

use crate::change::Change;
use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::check::{Mended, Repairs};

/// One change each, with its own request id; what the ledger refuses is shown and the next one is tried.
pub(super) async fn repair(
    session: &Session,
    change: &Change,
    dry_run: bool,
) -> Result<Box<dyn Document>, Error> {
    let client = session.client();
    let planned = client.plan_repair(v1::PlanRepairRequest { limit: 0 });
    let planned = planned.await?;
    let mut repairs = Repairs::new(dry_run, planned.revision);
    for finding in planned.findings {
        let mut mended = Mended::planned(&finding);
        if !dry_run {
            let request = v1::RepairRequest {
                // One request id is one change: the caller's own would answer the second with the first's result.
                change: Some(v1::Change {
                    request_id: String::new(),
                    reason: change.reason_or_default(),
                }),
                mending: finding.mending,
            };
            match client.repair(request).await {
                Ok(answer) => mended.done(answer.revision),
                Err(error) => mended.refused(Error::from(error).sentence()),
            }
        }
        repairs.findings.push(mended);
    }
    Ok(Box::new(repairs))
}
