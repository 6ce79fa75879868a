//! What a client may ask of the door at most. tonic's own defaults bound little.

use std::time::Duration;

/// The largest request. A GC that names a thousand sandboxes fits; nothing of ours is near it otherwise.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// The largest report of a node: 2,048 sandboxes with long names. In the log it is one entry, which has 1 MiB, and a boot id
/// for each of them.
pub const REPORT_BYTES_MAX: usize = 896 * 1024;
/// Calls at once on one connection. A load generator has 256 in flight; admission is bounded behind the door as well.
pub const STREAMS_PER_CONNECTION: u32 = 512;
/// A request's headers: a trace, a deadline, a user agent.
pub const HEADER_BYTES_MAX: u32 = 8 * 1024;
/// A connection whose other side is gone is found out after both of these.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// See [`KEEPALIVE_INTERVAL`].
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// A TLS handshake that takes longer is dropped: it holds a socket without a name (Typha CVE-2023-41378).
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Streams that were reset before they were accepted, or by us (rapid reset, CVE-2023-44487).
pub const RESET_STREAMS_MAX: usize = 20;
/// A connection is asked to come again after this time, so that a revoked or expired certificate stops serving.
/// What is under way on it is answered first.
pub const CONNECTION_AGE_MAX: Duration = Duration::from_secs(3600);

/// Shortest and longest `deadline_ms`. A shorter one cannot be kept; longer than two minutes no runtime waits.
pub const DEADLINE_MS: std::ops::RangeInclusive<u64> = 1_000..=120_000;
/// Of a DEL that names no deadline.
pub const RELEASE_DEADLINE_MS: u64 = 10_000;
/// Rows on a page if the caller does not say.
pub const PAGE_SIZE: usize = 100;
/// Rows on a page at most: a page is made in one go on the replica's thread.
pub const PAGE_SIZE_MAX: usize = 500;
/// Ranges that one vSwitch leaves out.
pub const EXCLUSIONS_MAX: usize = 256;
/// One address per family.
pub const ADDRESSES_MAX: usize = 2;
/// Sandboxes that a GC names as valid; Kubernetes has 110 to a few hundred pods on a node.
pub const VALID_ATTACHMENTS_MAX: usize = 1024;
/// A day: a longer rest is a mistake in the unit.
pub const COOLING_MS_MAX: u64 = 86_400_000;
/// If the request does not say (design §4).
pub const COOLING_MS: u64 = 30_000;
/// A warm address is nobody else's: more than a node's largest type has room for is a mistake.
pub const WARM_TARGET_MAX: u32 = 1_000;
/// vSwitches of the nodes, and of the pods, in a plan: each is compared with each.
pub const PLAN_VSWITCHES_MAX: usize = 64;
/// vSwitches of one pool.
pub const POOL_VSWITCHES_MAX: usize = 64;
/// Node pools in a plan.
pub const PLAN_POOLS_MAX: usize = 32;
/// Instance types of one pool: a name that is not known is compared with the whole catalogue.
pub const POOL_TYPES_MAX: usize = 16;
/// Moments are ms since 1970; this is the year 2100, so that seconds or ns given by mistake are found out.
pub const WALL_MS_MAX: u64 = 4_102_444_800_000;
