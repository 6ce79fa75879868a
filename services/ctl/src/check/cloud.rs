//! `berthctl check --cloud`

use berth_proto::v1;

use crate::error::Error;
use crate::output::Document;
use crate::session::Session;
use crate::view::cloud::Comparison;

/// Asks the leader what its last look at the cloud showed.
pub(super) async fn compare(session: &Session) -> Result<Box<dyn Document>, Error> {
    let request = v1::CompareCloudRequest {};
    let compared = session.client().compare_cloud(request).await?;
    Ok(Box::new(Comparison::from(compared)))
}
