//! One replica of a static member list, as a table in the file or as one flag.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A replica of a new cluster. `name=…,client=…,peer=…[,id=…]` as a flag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberOption {
    /// Its name.
    pub name: String,
    /// Where clients reach it.
    pub client: String,
    /// Where replicas reach it.
    pub peer: String,
    /// Its number [default: its place in the list, from 1].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
}

const FORM: &str = "the form is name=berth-1,client=http://host:7400,peer=http://host:7401[,id=1]";

// === impl MemberOption ===

impl FromStr for MemberOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut member = Self::default();
        for part in text.split(',') {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| format!("{part:?} has no '=': {FORM}"))?;
            match key.trim() {
                "name" => member.name = value.into(),
                "client" => member.client = value.into(),
                "peer" => member.peer = value.into(),
                "id" => {
                    let id = value
                        .parse()
                        .map_err(|_| format!("id {value:?} is no number"))?;
                    member.id = Some(id);
                }
                other => return Err(format!("there is no {other:?} in a member: {FORM}")),
            }
        }
        for (key, value) in [
            ("name", &member.name),
            ("client", &member.client),
            ("peer", &member.peer),
        ] {
            if value.is_empty() {
                return Err(format!("{key} is missing: {FORM}"));
            }
        }
        Ok(member)
    }
}
