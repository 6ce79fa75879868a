//! The codes.

use crate::error::Cause;

/// (code, what it means). In order of what went wrong: load, token, room, addresses, what is not there, state, rights, form.
pub(super) const CODES: &[(&str, Cause)] = &[
    // The server failed, or is busy. "Temporary failure of the server" does not say that nothing was done.
    ("InternalError", Cause::Internal),
    ("UnknownError", Cause::Internal),
    ("ServiceUnavailable", Cause::Internal),
    ("SystemBusy", Cause::Internal),
    // The same step is under way by an earlier call: how it ends nobody knows yet.
    ("IdempotentProcessing", Cause::Unknown),
    ("LastTokenProcessing", Cause::Unknown),
    ("OperationFailed.LastTokenProcessing", Cause::Unknown),
    // A nonce is made for one sending and never used again: something between repeated the request, and the first may be done.
    ("SignatureNonceUsed", Cause::Unknown),
    // Something else is under way.
    ("Operation.Conflict", Cause::Conflict),
    ("OperationConflict", Cause::Conflict),
    ("IncorrectVSwitchStatus", Cause::Conflict),
    ("IncorrectVpcStatus", Cause::Conflict),
    ("IncorrectStatus.VSwitch", Cause::Conflict),
    // The token.
    ("IdempotentFailed", Cause::TokenReused),
    ("IdempotentParameterMismatch", Cause::TokenReused),
    ("IdempotenceParamNotMatch", Cause::TokenReused),
    ("InvalidIdempotenceParameter.Mismatch", Cause::TokenReused),
    // Room.
    ("InvalidVSwitchId.IpNotEnough", Cause::VSwitchFull),
    ("QuotaExceeded.PrivateIpAddress", Cause::AddressQuota),
    ("MaxEniCountExceeded", Cause::EniQuota),
    ("EniPerInstanceLimitExceeded", Cause::InstanceEniLimit),
    ("InvalidOperation.EniCountExceeded", Cause::InstanceEniLimit),
    ("InvalidOperation.Ipv4CountExceeded", Cause::EniAddressLimit),
    ("InvalidOperation.Ipv6CountExceeded", Cause::EniAddressLimit),
    ("MaxEniIpv6IpsCountExceeded", Cause::EniAddressLimit),
    (
        "SecurityGroupInstanceLimitExceed",
        Cause::SecurityGroupLimit,
    ),
    (
        "SecurityGroupInstanceLimitExceeded",
        Cause::SecurityGroupLimit,
    ),
    // Addresses.
    ("InvalidIp.IpAssigned", Cause::AddressTaken),
    ("InvalidPrivateIpAddress.Duplicated", Cause::AddressTaken),
    ("InvalidIp.Address", Cause::AddressInvalid),
    ("InvalidVSwitchId.IpInvalid", Cause::AddressInvalid),
    ("InvalidPrivateIpAddress", Cause::AddressInvalid),
    ("InvalidPrivateIpAddress.Malformed", Cause::AddressInvalid),
    ("InvalidIp.IpUnassigned", Cause::AddressNotThere),
    // The same address twice in one call, which is nobody else's address.
    ("InvalidIp.IpRepeated", Cause::Invalid),
    // What is not there.
    ("InvalidEniId.NotFound", Cause::NoSuchEni),
    ("InvalidEcsId.NotFound", Cause::NoSuchInstance),
    ("InvalidInstanceId.NotFound", Cause::NoSuchInstance),
    ("InvalidVSwitchId.NotFound", Cause::NoSuchVSwitch),
    ("InvalidVswitchID.NotFound", Cause::NoSuchVSwitch),
    (
        "InvalidSecurityGroupId.NotFound",
        Cause::NoSuchSecurityGroup,
    ),
    // Not together.
    (
        "InvalidOperation.AvailabilityZoneMismatch",
        Cause::Elsewhere,
    ),
    ("InvalidOperation.VpcMismatch", Cause::Elsewhere),
    ("InvalidSecurityGroupId.NotVpc", Cause::Elsewhere),
    // State.
    ("InvalidOperation.InvalidEniState", Cause::WrongState),
    ("InvalidOperation.InvalidEcsState", Cause::WrongState),
    ("InvalidOperation.EniLinked", Cause::WrongState),
    // Rights.
    ("InvalidOperation.EniServiceManaged", Cause::Forbidden),
    ("InvalidUserType.NotSupported", Cause::Forbidden),
    ("ActionUnauthorized", Cause::Forbidden),
    ("NoPermission", Cause::Forbidden),
    ("Forbidden", Cause::Forbidden),
    ("Forbbiden.SubUser", Cause::Forbidden),
    // Credentials.
    ("Forbidden.AccessKeyDisabled", Cause::Credentials),
    ("Abs.InvalidAccount.NotFound", Cause::Credentials),
    ("SignatureDoesNotMatch", Cause::Credentials),
    ("IncompleteSignature", Cause::Credentials),
    ("InvalidSignatureMethod", Cause::Credentials),
    ("MissingSecurityToken", Cause::Credentials),
    // The clock.
    ("InvalidTimeStamp.Expired", Cause::Clock),
    ("IllegalTimestamp", Cause::Clock),
    // Form.
    ("InvalidOperation.InvalidEniType", Cause::Invalid),
    (
        "InvalidOperation.DetachPrimaryEniNotAllowed",
        Cause::Invalid,
    ),
    ("InvalidOperation.Ipv4NotSupport", Cause::Invalid),
    ("InvalidOperation.Ipv6NotSupport", Cause::Invalid),
    ("InvalidVSwitch.Ipv6NotTurnOn", Cause::Invalid),
    ("InvalidOperation.InvalidRegion", Cause::Invalid),
    ("InvalidResourceGroup.NotFound", Cause::Invalid),
    ("InvalidInstanceID.Malformed", Cause::Invalid),
    ("InvalidInstanceId.MalFormed", Cause::Invalid),
    ("Forbidden.RegionId", Cause::Invalid),
    ("UnsupportedParameter", Cause::Invalid),
    ("UnsupportedHTTPMethod", Cause::Invalid),
    ("InvalidAction", Cause::Invalid),
    ("InvalidVersion", Cause::Invalid),
    ("NoSuchVersion", Cause::Invalid),
    ("QuotaExceed.Tags", Cause::Invalid),
    ("Duplicate.TagKey", Cause::Invalid),
    ("InvalidTimeStamp.Format", Cause::Invalid),
];

/// (how a code begins, what it means): families that the reference leaves open. Asked after the table.
pub(super) const FAMILIES: &[(&str, Cause)] = &[
    ("Throttling", Cause::Throttled),
    ("InvalidAccessKeyId", Cause::Credentials),
    ("InvalidSecurityToken", Cause::Credentials),
    ("Forbidden.", Cause::Forbidden),
    ("Forbedden.", Cause::Forbidden),
    ("NoPermission.", Cause::Forbidden),
    ("MissingParameter", Cause::Invalid),
    ("InvalidParameter", Cause::Invalid),
    ("InvalidParams.", Cause::Invalid),
    ("InvalidTagKey", Cause::Invalid),
    ("InvalidTagValue", Cause::Invalid),
    ("InvalidClientToken", Cause::Invalid),
    ("InvalidApi", Cause::Invalid),
    ("InvalidAction.", Cause::Invalid),
    ("InvalidRegion", Cause::Invalid),
];
