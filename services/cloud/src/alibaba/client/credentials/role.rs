//! A role that is assumed (STS 2015-04-01, `AssumeRole`).

use super::super::{Client, Signed};
use super::{Document, Key, Role};
use crate::alibaba::decode::refusal;
use crate::alibaba::encode::Request;
use crate::alibaba::parameters::Parameters;
use crate::alibaba::product::Product;
use crate::error::{Cause, Error};

const ACTION: &str = "AssumeRole";
/// The API's own default and, for many roles, the most.
const DURATION_S: u32 = 3_600;

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assumed {
    credentials: Document,
}

/// The role's key, for an hour.
pub(super) async fn assumed(client: &Client, base: &Key, role: &Role) -> Result<Key, Error> {
    let mut parameters = Parameters::default();
    parameters.set("RoleArn", &role.arn);
    parameters.set("RoleSessionName", &role.session);
    parameters.set("DurationSeconds", DURATION_S);
    let request = Request {
        product: Product::Sts,
        action: ACTION,
        parameters,
    };
    let answer = client
        .send(
            &Signed {
                request: &request,
                key: base,
            },
            &|| true,
        )
        .await
        .map_err(not_sent)?;
    if answer.status != 200 {
        // A gateway's page has no code; then the status says it.
        return Err(not_sent(refusal(ACTION, &answer)));
    }
    let assumed: Assumed = serde_json::from_slice(&answer.body).map_err(|_| {
        let message = "an answer without credentials";
        Error::of(ACTION, Cause::NotSent, message)
    })?;
    assumed.credentials.key(ACTION)
}

/// Whatever happened to this one, the call that it was for was not sent: its end is known, and what was refused is the role.
fn not_sent(mut error: Error) -> Error {
    if !error.cause.is_certain() {
        error.cause = Cause::NotSent;
    }
    if error.cause == Cause::Other {
        error.cause = Cause::Credentials;
    }
    error
}
