//! Parts of lists: by `NextToken` and `MaxResults`, or by `PageNumber` and `PageSize`.

use crate::simulator::refusal::Refusal;
use crate::simulator::request::Request;
use serde_json::{Value, json};

/// Pages are so long where nothing is said (ECS API, every describing action).
const DEFAULT: usize = 10;

/// A part of a list, and how it is said in the answer.
pub(super) struct Page {
    from: usize,
    size: usize,
    number: Option<usize>,
}

// === impl Page ===

impl Page {
    /// Pages by token where `MaxResults` or `NextToken` is said, else by number.
    pub(super) fn of(request: &Request, longest: usize) -> Result<Self, Refusal> {
        let results = request.count("MaxResults")?;
        let token = request.text("NextToken");
        if results.is_none() && token.is_none() {
            return Self::numbered(request, longest);
        }
        let size = results.unwrap_or(DEFAULT);
        if size == 0 || size > longest {
            return Err(Refusal::invalid("MaxResults"));
        }
        let from = token.map_or(Some(0), |token| token.strip_prefix("next-")?.parse().ok());
        let from = from.ok_or_else(|| Refusal::invalid("NextToken"))?;
        Ok(Self {
            from,
            size,
            number: None,
        })
    }

    /// Pages by number, counted from 1.
    pub(super) fn numbered(request: &Request, longest: usize) -> Result<Self, Refusal> {
        let number = request.count("PageNumber")?.unwrap_or(1);
        let size = request.count("PageSize")?.unwrap_or(DEFAULT);
        if number == 0 {
            return Err(Refusal::invalid("PageNumber"));
        }
        if size == 0 || size > longest {
            return Err(Refusal::invalid("PageSize"));
        }
        let from = (number - 1).saturating_mul(size);
        Ok(Self {
            from,
            size,
            number: Some(number),
        })
    }

    /// The answer: `{ outer: { inner: [...] } }` with what says where it stands in the whole.
    pub(super) fn answer(&self, outer: &str, inner: &str, all: Vec<Value>) -> Value {
        let total = all.len();
        let part: Vec<Value> = all.into_iter().skip(self.from).take(self.size).collect();
        let end = self.from.saturating_add(part.len());
        let mut body = json!({ "TotalCount": total, "PageSize": self.size });
        body[outer] = json!({ inner: part });
        match self.number {
            Some(number) => body["PageNumber"] = json!(number),
            None if end < total => body["NextToken"] = json!(format!("next-{end}")),
            None => body["NextToken"] = json!(""),
        }
        body
    }
}
