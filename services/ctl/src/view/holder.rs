//! Who holds, or held, one address.

use berth_proto::v1;
use serde::Serialize;

use super::allocation::Allocation;
use super::{present, shown, state, time};
use crate::moment::Moment;
use crate::output::Document;
use crate::table;

/// The state of one address at one moment.
#[derive(Debug, Serialize)]
pub struct Holder {
    /// As asked.
    pub address: String,
    /// The moment asked for; null = now.
    pub at: Option<String>,
    /// The vSwitch it lies in; null if it was in none.
    pub vswitch: Option<String>,
    /// "free", "bound", "held", ...; null if it lay in no vSwitch.
    pub state: Option<&'static str>,
    /// Null unless it was bound.
    pub allocation: Option<Allocation>,
    /// The claim's name; null if it was not static.
    pub claim: Option<String>,
    /// When that state began; null if it was never otherwise.
    pub since: Option<String>,
    /// The revision in which that state began.
    pub since_revision: u64,
    /// The revision up to which the answer is known.
    pub revision: u64,
}

// === impl Holder ===

impl Holder {
    /// The answer for the moment `at`.
    pub fn new(response: v1::WhoHasResponse, at: Option<Moment>) -> Self {
        let state = (!response.vswitch.is_empty()).then(|| state::name(response.state()));
        Self {
            state,
            address: response.address,
            at: at.map(Moment::rfc3339),
            vswitch: present(response.vswitch),
            allocation: response.allocation.map(Allocation::from),
            claim: present(response.claim),
            since: time(response.since_wall_ms),
            since_revision: response.since_revision,
            revision: response.revision,
        }
    }

    fn sentence(&self) -> String {
        let moment = match &self.at {
            Some(at) => format!("at {at}"),
            None => "now".to_owned(),
        };
        let address = &self.address;
        match (&self.allocation, self.state) {
            (Some(allocation), _) => {
                let pod = match allocation.pod_name() {
                    name if name.is_empty() => format!("container {}", allocation.container_id),
                    name => format!("pod {name}"),
                };
                format!("{address}: {pod} on node {} ({moment})", allocation.node)
            }
            (None, Some(state)) => format!("{address}: nobody; {state} ({moment})"),
            (None, None) if self.at.is_some() => {
                format!("{address}: nobody; no vSwitch contained it then ({moment})")
            }
            (None, None) => format!(
                "{address}: nobody; no vSwitch contains it; see `berthctl vswitch list` ({moment})"
            ),
        }
    }
}

impl Document for Holder {
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        let allocation = self.allocation.as_ref();
        let fields = table::fields(&[
            ("state", self.state.unwrap_or_default().to_owned()),
            ("since", shown(&self.since)),
            (
                "since revision",
                if self.since_revision == 0 {
                    String::new()
                } else {
                    self.since_revision.to_string()
                },
            ),
            ("vSwitch", shown(&self.vswitch)),
            ("claim", shown(&self.claim)),
            (
                "container",
                allocation.map_or(String::new(), |allocation| allocation.container_id.clone()),
            ),
            (
                "pod uid",
                allocation.map_or(String::new(), |allocation| shown(&allocation.pod_uid)),
            ),
        ]);
        match fields.is_empty() {
            true => self.sentence(),
            false => format!("{}\n{fields}", self.sentence()),
        }
    }
}
