//! The hash of this replica's history at a revision.

use crate::failure::Failure;
use crate::grpc::event::hex;
use crate::leader::Gate;
use berth_domain::id::Revision;
use berth_domain::outcome::Refusal;
use berth_proto::v1;

pub(super) async fn hash_at(
    gate: &Gate,
    request: v1::HashAtRequest,
) -> Result<v1::HashAtResponse, Failure> {
    let history = gate.history();
    let through = history.through();
    let revision = match request.revision {
        0 => through,
        said => Revision(said),
    };
    let member_id = gate.read_stale(|_, status| status.member).await?;
    let chain = match revision {
        // Of a cluster in which nothing has happened yet.
        Revision(0) => Some(Default::default()),
        revision => history.chain_at(revision).await?,
    };
    let chain = chain.ok_or_else(|| Refusal::NotFound {
        what: "revision",
        name: format!("{revision} in this replica's history"),
    })?;
    Ok(v1::HashAtResponse {
        revision: revision.0,
        chain: hex(&chain.0),
        first_revision: history.floor().0,
        through_revision: through.0,
        member_id,
    })
}
