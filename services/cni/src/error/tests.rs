use berth_proto::v1::{Refusal, RefusalCode};
use serde_json::json;

use super::{Code, Error};

fn refusal(code: RefusalCode, field: &str) -> Refusal {
    Refusal {
        code: code.into(),
        message: "no".into(),
        field: field.into(),
        ..Refusal::default()
    }
}

/// Promise: no refusal whatever becomes code 3, which would keep the runtime from cleaning up after an ADD.
#[test]
fn nothing_becomes_code_3() {
    // 0..=30 covers every code there is and some that there are not yet.
    for number in 0..=30 {
        let mut refusal = refusal(RefusalCode::Unspecified, "");
        refusal.code = number;
        assert_ne!(Error::refused(&refusal).code as u32, 3);
    }
}

/// Promise: what the runtime said is code 4, what the administrator wrote is code 7, what passes by itself is code 11.
#[test]
fn the_one_at_fault_is_told() {
    let code = |code, field| Error::refused(&refusal(code, field)).code;
    assert_eq!(
        code(RefusalCode::Invalid, "attachment.interface"),
        Code::BadEnvironment
    );
    assert_eq!(
        code(RefusalCode::Invalid, "attachment.network"),
        Code::BadConfig
    );
    assert_eq!(code(RefusalCode::Busy, ""), Code::TryAgainLater);
    assert_eq!(code(RefusalCode::Exhausted, ""), Code::Exhausted);
}

/// Promise: an address that settles by itself is told from one that a live holder keeps.
#[test]
fn a_hand_over_is_told_from_a_holder() {
    let mut held = refusal(RefusalCode::HeldByLiveHolder, "");
    assert_eq!(Error::refused(&held).code, Code::HeldByLiveHolder);
    held.retry_after_ms = 1_500;
    assert_eq!(Error::refused(&held).code, Code::HandOverPending);
}

/// Promise: the error result has the specification's four keys, and the details are JSON in a string.
#[test]
fn the_error_result_is_the_specification_s() {
    let mut outer = refusal(RefusalCode::Exhausted, "");
    outer.causes.push(refusal(RefusalCode::Cooling, ""));
    let json = Error::refused(&outer).to_json("0.4.0");
    let expected = json!({
        "cniVersion": "0.4.0",
        "code": 100,
        "msg": "no: no",
        "details": r#"{"causes":[{"reason":"COOLING"}],"reason":"EXHAUSTED"}"#,
    });
    assert_eq!(json, expected);
}
