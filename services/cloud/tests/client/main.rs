//! The client over real sockets: against the simulator's door, and against servers that answer as no cloud should.

mod credentials;
mod ends;
mod server;
mod simulated;
mod tls;

use berth_cloud::alibaba::client::{Client, Endpoints, Settings, Source};
use berth_cloud::id::{InstanceId, RegionId};
use berth_cloud::{Call, Cloud, Error, Order, Reply};
use std::sync::Arc;
use std::time::SystemTime;

/// Variables with the simulator's key, and every endpoint at that one.
fn variables(endpoint: &str) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "sim-key".to_owned()),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "sim-secret".to_owned()),
    ];
    variables.extend(endpoints(endpoint));
    variables
}

fn endpoints(endpoint: &str) -> [(&'static str, String); 4] {
    [
        ("ECS_ENDPOINT", endpoint.to_owned()),
        ("VPC_ENDPOINT", endpoint.to_owned()),
        ("STS_ENDPOINT", endpoint.to_owned()),
        ("ECS_METADATA_ENDPOINT", endpoint.to_owned()),
    ]
}

fn settings(variables: &[(&'static str, String)]) -> Settings {
    let variable = |name: &str| {
        let mut known = variables.iter();
        let found = known.find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    };
    let region = RegionId::new("cn-hangzhou").expect("a name");
    Settings {
        endpoints: Endpoints::new(&region, &variable).expect("endpoints"),
        source: Source::from_environment(&variable).expect("credentials"),
        region,
        roots: rustls::RootCertStore::empty(),
        clock: Arc::new(SystemTime::now),
    }
}

fn client(variables: &[(&'static str, String)]) -> Client {
    Client::new(settings(variables)).expect("a client")
}

/// A look that every server here knows.
fn look() -> Call {
    let instances = vec![InstanceId::new("i-g7").expect("a name")];
    Call::DescribeInstances { instances }
}

async fn called(client: &Client) -> Result<Reply, Error> {
    client.call(Order::always(look())).await
}
