//! The table against the API reference.

use super::{cause, known, table};
use crate::error::Cause;
use std::collections::BTreeSet;

/// The error codes on the reference pages of Create-, Attach-, Detach-, Delete- and DescribeNetworkInterface(s),
/// (Un)AssignPrivateIpAddresses and (Un)AssignIpv6Addresses, and Terway's own list.
const DOCUMENTED: &str = include_str!("documented.txt");

/// Promise: every code that the reference pages name has its row or its family; a code that is made up has none.
#[test]
fn every_documented_code_is_known() {
    let mut count = 0;
    for code in DOCUMENTED.lines() {
        assert!(known(code).is_some(), "{code}");
        count += 1;
    }
    assert!(count > 50, "{count}");
    assert_eq!(known("InvalidEniId.Purple"), None);
    assert_eq!(known(""), None);
}

/// Promise: no code stands twice, and no row is one that its family would give anyway.
#[test]
fn every_row_counts() {
    let mut seen = BTreeSet::new();
    for (code, cause) in table::CODES {
        assert!(seen.insert(*code), "{code} twice");
        let mut families = table::FAMILIES.iter();
        let family = families.find(|(start, _)| code.starts_with(start));
        assert_ne!(family.map(|(_, cause)| cause), Some(cause), "{code}");
    }
}

/// Promise: what no table knows goes by the status: throttled, failed inside, or refused.
#[test]
fn unknown_codes_go_by_their_status() {
    for (status, code, expected) in [
        (400, "SomethingNew", Cause::Other),
        (404, "", Cause::Other),
        (429, "", Cause::Throttled),
        (500, "SomethingNew", Cause::Internal),
        (502, "", Cause::Internal),
        (503, "", Cause::Throttled),
        (400, "Throttling.User", Cause::Throttled),
        (403, "InternalError", Cause::Internal),
        (503, "ServiceUnavailable", Cause::Internal),
        (
            403,
            "InvalidSecurityToken.MismatchWithAccessKey",
            Cause::Credentials,
        ),
        (404, "InvalidAccessKeyId.NotFound", Cause::Credentials),
        (403, "Forbidden.RAM", Cause::Forbidden),
        (400, "InvalidTimeStamp.Expired", Cause::Clock),
    ] {
        assert_eq!(cause(status, code), expected, "{status} {code}");
    }
}

/// Promise: a code that leaves open whether something was done is never taken for certain.
#[test]
fn what_is_open_stays_open() {
    for code in [
        "InternalError",
        "ServiceUnavailable",
        "IdempotentProcessing",
        "LastTokenProcessing",
        "SignatureNonceUsed",
    ] {
        assert!(!cause(403, code).is_certain(), "{code}");
    }
    assert!(cause(403, "InvalidIp.IpAssigned").is_certain());
}
