//! The RAM role of the machine, from its metadata service (ECS "Instance metadata", with a token first).

use super::super::Client;
use super::super::transport::{Failure, Outgoing};
use super::{Document, Key};
use crate::error::{Cause, Error};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::Request;

/// What the errors are of.
const ACTION: &str = "the machine's role";
const TOKEN_PATH: &str = "/latest/api/token";
const ROLES_PATH: &str = "/latest/meta-data/ram/security-credentials/";
const TOKEN: &str = "x-aliyun-ecs-metadata-token";
const TOKEN_TTL: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";
/// Each token is used for two requests at once.
const TOKEN_TTL_S: &str = "60";

/// The key that the machine has at the moment.
pub(super) async fn key(client: &Client, role: Option<&str>, old_way: bool) -> Result<Key, Error> {
    let token = match text(client, "PUT", TOKEN_PATH, (TOKEN_TTL, TOKEN_TTL_S)).await {
        Ok(token) => Some(token),
        Err(_) if old_way => None,
        Err(error) => return Err(error),
    };
    let header = (TOKEN, token.as_deref().unwrap_or(""));
    let role = match role {
        Some(role) => role.to_owned(),
        None => text(client, "GET", ROLES_PATH, header).await?,
    };
    let path = format!("{ROLES_PATH}{}", role.trim());
    let document = text(client, "GET", &path, header).await?;
    let document: Document = serde_json::from_str(&document).map_err(|_| {
        Error::of(
            ACTION,
            Cause::Credentials,
            format!("the metadata service knows no credentials of {role:?}"),
        )
    })?;
    document.key(ACTION)
}

/// An empty header is not sent.
async fn text(
    client: &Client,
    method: &str,
    path: &str,
    header: (&str, &str),
) -> Result<String, Error> {
    let wrong = |cause, message: String| Error::of(ACTION, cause, message);
    let endpoint = client.metadata();
    let request = Request::builder().method(method).uri(path);
    let mut request = request.header("host", endpoint.host_header());
    if !header.1.is_empty() {
        request = request.header(header.0, header.1.trim());
    }
    let request: Outgoing = request
        .body(Empty::<Bytes>::new())
        .map_err(|error| wrong(Cause::Credentials, error.to_string()))?;
    let answer = client.exchange(endpoint, request, &|| true).await;
    let answer = answer.map_err(|failure| match failure {
        // Whatever happened to this one: the call that it was for was not sent.
        Failure::NotSent(why) | Failure::Unknown(why) => wrong(Cause::NotSent, why),
    })?;
    let body = String::from_utf8(answer.body).unwrap_or_default();
    match answer.status {
        200 => Ok(body),
        status => Err(wrong(
            Cause::Credentials,
            format!(
                "{endpoint}{path} answers with HTTP status {status}: does the machine have a role?"
            ),
        )),
    }
}
