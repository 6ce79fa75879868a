//! What the cloud calls things. Names of its own making: nothing here reads anything into them.

use std::fmt;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);
        impl $name {
            /// The cloud's own text; the empty one is no name.
            pub fn new(text: impl Into<String>) -> Option<Self> {
                let text = text.into();
                let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
                (!text.is_empty() && text.len() <= LIMIT && plain).then_some(Self(text))
            }
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Bytes of the longest name taken from the cloud; its own are under 40.
const LIMIT: usize = 128;

name!(
    /// A region: `cn-hangzhou`.
    RegionId
);
name!(
    /// A zone of a region: `cn-hangzhou-i`.
    ZoneId
);
name!(
    /// A virtual private cloud: `vpc-...`.
    VpcId
);
name!(
    /// A vSwitch as the cloud names it: `vsw-...`. The ledger's own id of one is another thing.
    CloudVSwitchId
);
name!(
    /// An elastic network interface: `eni-...`.
    EniId
);
name!(
    /// A virtual machine: `i-...`.
    InstanceId
);
name!(
    /// A security group: `sg-...`.
    SecurityGroupId
);
name!(
    /// A resource group: `rg-...`.
    ResourceGroupId
);
name!(
    /// A kind of virtual machine: `ecs.g7.4xlarge`.
    InstanceTypeName
);
name!(
    /// The cloud's id of one call, which its support asks for.
    CallId
);
