//! `ClientToken`: a call that was carried out is not carried out again (ECS, "How to ensure idempotence").

use crate::simulator::refusal::Refusal;
use crate::simulator::request::Request;
use serde_json::Value;
use std::collections::BTreeMap;

/// Characters of a token (ECS API, `ClientToken`).
const LONGEST: usize = 64;

/// Calls that succeeded, by action and token; all keys are one account's, whose tokens they are. A refused call leaves its token unused.
#[derive(Clone, Debug, Default)]
pub(super) struct Tokens {
    seen: BTreeMap<(String, String), Seen>,
}

#[derive(Clone, Debug)]
struct Seen {
    parameters: BTreeMap<String, String>,
    body: Value,
}

// === impl Tokens ===

impl Tokens {
    /// What the same call was answered; a call with the token and other parameters is refused.
    pub(super) fn seen(&self, token: &str, request: &Request) -> Result<Option<Value>, Refusal> {
        if token.len() > LONGEST || !token.is_ascii() {
            return Err(Refusal::invalid("ClientToken"));
        }
        match self.seen.get(&key(token, request)) {
            None => Ok(None),
            Some(seen) if seen.parameters == request.parameters => Ok(Some(seen.body.clone())),
            Some(_) => {
                let message = "The request uses the same client token as a previous, but non-identical request.";
                Err(Refusal::new(400, "IdempotentParameterMismatch", message))
            }
        }
    }

    pub(super) fn keep(&mut self, token: &str, request: &Request, body: &Value) {
        let parameters = request.parameters.clone();
        self.seen.insert(
            key(token, request),
            Seen {
                parameters,
                body: body.clone(),
            },
        );
    }
}

fn key(token: &str, request: &Request) -> (String, String) {
    (request.action.clone(), token.to_owned())
}
