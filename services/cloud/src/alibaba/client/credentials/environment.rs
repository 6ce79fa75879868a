//! Which credentials the environment names.

use super::{Base, Key, Role, Source};

/// The environment names none, or half of some.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoCredentials(&'static str);

// === impl Source ===

impl Source {
    /// `ALIBABA_CLOUD_ACCESS_KEY_ID` with `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and, if there is one, `ALIBABA_CLOUD_SECURITY_TOKEN`;
    /// without them the machine's RAM role (`ALIBABA_CLOUD_ECS_METADATA` names it, `ALIBABA_CLOUD_IMDSV1_DISABLED=true` forbids the
    /// way without a token, `ALIBABA_CLOUD_ECS_METADATA_DISABLED=true` all of it). With `ALIBABA_CLOUD_ROLE_ARN` that key assumes
    /// this role, as `ALIBABA_CLOUD_ROLE_SESSION_NAME`.
    ///
    /// # Errors
    /// Half of a key, or nothing where the machine's role is forbidden.
    pub fn from_environment(
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, NoCredentials> {
        let said = |name: &str| variable(name).filter(|text| !text.is_empty());
        let is_on = |name: &str| said(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let id = said("ALIBABA_CLOUD_ACCESS_KEY_ID");
        let base = match (id, said("ALIBABA_CLOUD_ACCESS_KEY_SECRET")) {
            (Some(id), Some(secret)) => Base::Given(Key {
                id,
                secret,
                security_token: said("ALIBABA_CLOUD_SECURITY_TOKEN"),
                ends: None,
            }),
            (None, None) if is_on("ALIBABA_CLOUD_ECS_METADATA_DISABLED") => {
                return Err(NoCredentials(
                    "no credentials: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or allow the machine's role",
                ));
            }
            (None, None) => Base::Machine {
                role: said("ALIBABA_CLOUD_ECS_METADATA"),
                old_way: !is_on("ALIBABA_CLOUD_IMDSV1_DISABLED"),
            },
            (None, Some(_)) | (Some(_), None) => {
                return Err(NoCredentials(
                    "half of an access key: ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET belong together",
                ));
            }
        };
        let session = said("ALIBABA_CLOUD_ROLE_SESSION_NAME");
        let role = said("ALIBABA_CLOUD_ROLE_ARN").map(|arn| Role {
            arn,
            session: session.unwrap_or_else(|| "berth".to_owned()),
        });
        Ok(Self { base, role })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(variables: &[(&str, &str)]) -> Result<Source, NoCredentials> {
        Source::from_environment(&|name| {
            let mut known = variables.iter();
            let found = known.find(|(known, _)| known.strip_prefix("+") == Some(name));
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const ID: (&str, &str) = ("+ALIBABA_CLOUD_ACCESS_KEY_ID", "id");
    const SECRET: (&str, &str) = ("+ALIBABA_CLOUD_ACCESS_KEY_SECRET", "hidden");

    /// Promise: the official SDK's variables lead to the same credentials, and half a key to none.
    #[test]
    fn variables_are_the_sdks() {
        let given = source(&[ID, SECRET]).unwrap();
        assert!(matches!(given.base, Base::Given(_)));
        let machine = source(&[("+ALIBABA_CLOUD_ECS_METADATA", "r")]).unwrap();
        let role = Some("r".to_owned());
        assert_eq!(
            machine.base,
            Base::Machine {
                role,
                old_way: true
            }
        );
        let assumed = source(&[ID, SECRET, ("+ALIBABA_CLOUD_ROLE_ARN", "acs:x")]).unwrap();
        assert_eq!(assumed.role.unwrap().session, "berth");
        assert!(source(&[ID]).is_err() && source(&[SECRET]).is_err());
        assert!(source(&[("+ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")]).is_err());
    }

    /// Promise: a secret is in no log.
    #[test]
    fn secrets_are_not_shown() {
        let token = ("+ALIBABA_CLOUD_SECURITY_TOKEN", "hidden");
        let shown = format!("{:?}", source(&[ID, SECRET, token]).unwrap());
        assert!(shown.contains("id") && !shown.contains("hidden"), "{shown}");
    }
}
