//! Where the APIs are.

use crate::alibaba::product::Product;
use crate::id::RegionId;
use std::net::IpAddr;

/// The machine's own metadata service (ECS "Instance metadata").
const METADATA: &str = "http://100.100.100.200";

/// Regions whose endpoints do not follow the rule (the official SDK's map; without those closed to the public).
const EXCEPTIONS: [(Product, &str, &str); 4] = [
    (Product::Ecs, "cn-hangzhou", "ecs-cn-hangzhou.aliyuncs.com"),
    (Product::Ecs, "cn-hangzhou-finance", "ecs.aliyuncs.com"),
    (Product::Vpc, "cn-hangzhou", "vpc.aliyuncs.com"),
    (Product::Vpc, "cn-hangzhou-finance", "vpc.aliyuncs.com"),
];

/// An HTTP server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    host: String,
    port: u16,
    tls: bool,
}

/// Text that is no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no endpoint: say a host, host:port, http://host:port or https://host, without a path"
)]
pub struct NotAnEndpoint(pub String);

/// Where each product is, and the metadata service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    ecs: Endpoint,
    vpc: Endpoint,
    sts: Endpoint,
    metadata: Endpoint,
}

// === impl Endpoint ===

impl Endpoint {
    /// Reads `host`, `host:port` or a URL without a path. Without a scheme it is HTTPS, except to this machine itself.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, NotAnEndpoint> {
        let wrong = || NotAnEndpoint(text.to_owned());
        let uri: hyper::Uri = text.trim_end_matches('/').parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?;
        let has_path = !matches!(uri.path(), "" | "/") || uri.query().is_some();
        if has_path || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(wrong());
        }
        let host = authority.host().to_owned();
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            None => !is_this_machine(&host),
            Some(_) => return Err(wrong()),
        };
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { host, port, tls })
    }

    /// As the header `host` has it: with the port, if that is not the scheme's own.
    pub fn host_header(&self) -> String {
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }

    /// Name or address to connect to.
    pub(super) fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn is_tls(&self) -> bool {
        self.tls
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host_header())
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

// === impl Endpoints ===

impl Endpoints {
    /// The region's, where these environment variables say nothing else: `ECS_ENDPOINT`, `VPC_ENDPOINT`, `STS_ENDPOINT`,
    /// `ECS_METADATA_ENDPOINT`; with `ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED=true` those that are reached from within a VPC.
    ///
    /// # Errors
    /// A variable, or a region, that makes no endpoint.
    pub fn new(
        region: &RegionId,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, NotAnEndpoint> {
        let inside = variable("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED");
        let inside = inside.is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let said = |name: &str| variable(name).filter(|text| !text.is_empty());
        let of = |name: &str, product: Product| {
            let text = said(name).unwrap_or_else(|| standard(product, region, inside));
            Endpoint::parse(&text)
        };
        let metadata = said("ECS_METADATA_ENDPOINT").unwrap_or_else(|| METADATA.to_owned());
        Ok(Self {
            ecs: of("ECS_ENDPOINT", Product::Ecs)?,
            vpc: of("VPC_ENDPOINT", Product::Vpc)?,
            sts: of("STS_ENDPOINT", Product::Sts)?,
            metadata: Endpoint::parse(&metadata)?,
        })
    }

    /// Where a product is.
    pub fn of(&self, product: Product) -> &Endpoint {
        match product {
            Product::Ecs => &self.ecs,
            Product::Vpc => &self.vpc,
            Product::Sts => &self.sts,
        }
    }

    pub(super) fn metadata(&self) -> &Endpoint {
        &self.metadata
    }
}

/// The official SDK's rule: `<product>[-vpc].<region>.aliyuncs.com`.
fn standard(product: Product, region: &RegionId, inside: bool) -> String {
    let mut exceptions = EXCEPTIONS.iter();
    let exception =
        exceptions.find(|(of, at, _)| *of == product && *at == region.as_str() && !inside);
    match exception {
        Some((.., host)) => (*host).to_owned(),
        None => {
            let network = if inside { "-vpc" } else { "" };
            format!("{}{network}.{region}.aliyuncs.com", product.name())
        }
    }
}

#[cfg(test)]
mod tests;
