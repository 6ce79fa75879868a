//! What the cloud refuses with: its code, HTTP status and words (ECS API, "Error codes" of each action).

/// A refused call. Nothing was done, except where a fault says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The code that callers decide by.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

// === impl Refusal ===

impl Refusal {
    /// A refusal.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            status,
            code,
            message,
        }
    }

    pub(super) fn missing(parameter: &str) -> Self {
        let message = format!(
            "The input parameter {parameter} that is mandatory for processing this request is not supplied."
        );
        Self::new(400, "MissingParameter", message)
    }

    pub(super) fn invalid(parameter: &str) -> Self {
        Self::new(
            400,
            "InvalidParameter",
            format!("The specified parameter {parameter} is not valid."),
        )
    }

    pub(super) fn no_eni(id: &str) -> Self {
        Self::new(
            404,
            "InvalidEniId.NotFound",
            format!("The specified ENI {id} does not exist."),
        )
    }

    pub(super) fn no_instance(id: &str) -> Self {
        Self::new(
            404,
            "InvalidEcsId.NotFound",
            format!("The specified ECS {id} does not exist."),
        )
    }

    pub(super) fn eni_state(id: &str, state: &str) -> Self {
        let message = format!("The operation is not allowed while the ENI {id} is {state}.");
        Self::new(400, "InvalidOperation.InvalidEniState", message)
    }

    pub(super) fn internal() -> Self {
        Self::new(
            500,
            "InternalError",
            "The request processing has failed due to some unknown error.",
        )
    }

    pub(super) fn throttled() -> Self {
        Self::new(
            400,
            "Throttling.User",
            "Request was denied due to user flow control.",
        )
    }
}
