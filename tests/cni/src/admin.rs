//! What a test says to and asks of the servers beside the plugin. Blocking; each call has a connection of its own,
//! made by the calling thread, so that it is made in that thread's network namespace.

use std::future::Future;
use std::time::{Duration, Instant};

use berth_client::{Client, Error, Options};
use berth_proto::v1::{
    Allocation, CreateVSwitchRequest, ListAllocationsRequest, RegisterNodeRequest,
};

/// Every test has so few rows that one page holds them.
const PAGE_SIZE: u32 = 500;
/// How long something that will happen may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// One server's administrator.
#[derive(Clone, Debug)]
pub struct Admin {
    endpoint: String,
}

// === impl Admin ===

impl Admin {
    /// Of a server: "http://127.0.0.1:40123".
    pub fn new(endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
        }
    }

    /// A routed vSwitch of one family or two.
    pub fn create_vswitch(&self, name: &str, zone: &str, cidr: &str, gateway: &str) {
        let mut request = CreateVSwitchRequest {
            name: name.to_owned(),
            zone: zone.to_owned(),
            ..CreateVSwitchRequest::default()
        };
        let cidrs = cidr.split(',').zip(gateway.split(','));
        for (cidr, gateway) in cidrs {
            let (its_cidr, its_gateway) = if cidr.contains(':') {
                (&mut request.ipv6_cidr, &mut request.ipv6_gateway)
            } else {
                (&mut request.ipv4_cidr, &mut request.ipv4_gateway)
            };
            cidr.clone_into(its_cidr);
            gateway.clone_into(its_gateway);
        }
        self.call(async |admin| admin.create_vswitch(request).await);
    }

    /// A node without ENIs.
    pub fn register_node(&self, name: &str, zone: &str) {
        let request = RegisterNodeRequest {
            name: name.to_owned(),
            zone: zone.to_owned(),
            identity: format!("machine-{name}"),
            ..RegisterNodeRequest::default()
        };
        self.call(async |admin| admin.register_node(request).await);
    }

    /// All allocations.
    pub fn allocations(&self) -> Vec<Allocation> {
        let request = ListAllocationsRequest {
            page_size: PAGE_SIZE,
            ..ListAllocationsRequest::default()
        };
        self.call(async |admin| admin.list_allocations(request).await)
            .allocations
    }

    /// The addresses of one sandbox; none if it has no allocation.
    pub fn addresses_of(&self, container_id: &str) -> Vec<String> {
        let of_it = |allocation: &Allocation| {
            let key = allocation.attachment.as_ref();
            key.is_some_and(|key| key.container_id == container_id)
        };
        let allocations = self.allocations();
        let found = allocations.iter().filter(|allocation| of_it(allocation));
        found
            .flat_map(|allocation| allocation.addresses.clone())
            .collect()
    }

    fn call<T, F>(&self, ask: impl FnOnce(Client) -> F) -> T
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut options = Options::endpoints([&self.endpoint]);
        options.deadline = PATIENCE;
        let answer = berth_client::block_on(async {
            // The client belongs to the runtime that is made here: its connection ends with it.
            let client = Client::new(options).expect("an endpoint");
            ask(client).await
        });
        answer.expect("a runtime").expect("the server does it")
    }
}

/// Until the condition holds; a test that waits in vain fails with what it waited for.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let give_up = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < give_up, "still not so: {what}");
        std::thread::sleep(PAUSE);
    }
}
