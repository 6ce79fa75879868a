//! What the runtime says by environment variables (CNI spec 1.1 §2), checked before anything is asked of anybody.

use std::env;
use std::ffi::OsString;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::error::{Code, Error};

/// Linux's IFNAMSIZ less the final zero.
const INTERFACE_BYTES_MAX: usize = 15;
/// What Berth keeps of a container id; runtimes use 64.
const CONTAINER_ID_BYTES_MAX: usize = 128;
/// A W3C trace context has 55; a longer one is not sent on.
const TRACE_PARENT_BYTES_MAX: usize = 128;

/// What is asked (CNI spec 1.1 §2, `CNI_COMMAND`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Give the attachment its addresses.
    Add,
    /// Take them back.
    Del,
    /// Say whether it has them still.
    Check,
    /// Take back what no listed attachment has.
    Gc,
    /// Say whether an ADD would be served.
    Status,
    /// Say which versions of the specification are spoken.
    Version,
}

/// The environment of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// `CNI_COMMAND`
    pub verb: Verb,
    /// `CNI_CONTAINERID`; empty for the verbs that name no attachment.
    pub container_id: String,
    /// `CNI_IFNAME`; empty likewise.
    pub interface: String,
    /// `CNI_ARGS`, not taken apart.
    pub arguments: String,
    /// `TRACEPARENT` (W3C trace context), if the runtime takes part in a trace.
    pub trace_parent: Option<String>,
    /// No ADD can have named this attachment, since it is longer than what Berth takes: why, if so.
    pub beyond_limits: Option<String>,
}

/// When this program started, by two clocks.
#[derive(Clone, Copy, Debug)]
pub struct Started {
    /// CLOCK_BOOTTIME, ms: the moment by which an ADD and a DEL of one boot are told apart.
    pub boot_time_ms: u64,
    /// For the deadline.
    pub at: Instant,
}

fn boot_time_ms() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0); // the boot-time clock is never negative
    let milliseconds = u64::try_from(now.tv_nsec / 1_000_000).unwrap_or(0); // nor is its fraction
    seconds * 1_000 + milliseconds
}

// === impl Started ===

impl Started {
    /// To be called first of all.
    pub fn now() -> Self {
        Self {
            boot_time_ms: boot_time_ms(),
            at: Instant::now(),
        }
    }
}

// === impl Verb ===

impl Verb {
    fn parse(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "ADD" => Self::Add,
            "DEL" => Self::Del,
            "CHECK" => Self::Check,
            "GC" => Self::Gc,
            "STATUS" => Self::Status,
            "VERSION" => Self::Version,
            other => {
                let message = format!(
                    "CNI_COMMAND is {other:?}; it must be ADD, DEL, CHECK, GC, STATUS or VERSION"
                );
                return Err(Error::new(Code::BadEnvironment, message));
            }
        })
    }

    /// The variables that must be set and not empty. `CNI_PATH` is not among them: nobody is delegated to.
    fn required(self) -> &'static [&'static str] {
        match self {
            Self::Add | Self::Check => &["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"],
            Self::Del => &["CNI_CONTAINERID", "CNI_IFNAME"],
            Self::Gc | Self::Status | Self::Version => &[],
        }
    }
}

// === impl Environment ===

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Result<Self, Error> {
        Self::read(|name| env::var_os(name))
    }

    /// Refuses with code 4 and the names of the variables at fault.
    pub fn read(get: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let text = |name: &str| -> Result<String, Error> {
            let value = get(name).unwrap_or_default();
            value
                .into_string()
                .map_err(|_| Error::new(Code::BadEnvironment, format!("{name} is not UTF-8 text")))
        };
        let command = text("CNI_COMMAND")?;
        if command.is_empty() {
            return Err(missing(&["CNI_COMMAND"]));
        }
        let verb = Verb::parse(&command)?;
        let mut absent = Vec::new();
        for name in verb.required() {
            if text(name)?.is_empty() {
                absent.push(*name);
            }
        }
        if !absent.is_empty() {
            return Err(missing(&absent));
        }
        let (container_id, interface) = (text("CNI_CONTAINERID")?, text("CNI_IFNAME")?);
        let names_attachment = verb.required().contains(&"CNI_IFNAME");
        let mut beyond_limits = None;
        if names_attachment {
            check_interface(&interface)?;
            check_container_id(&container_id)?;
            let bytes = container_id.len();
            beyond_limits = (bytes > CONTAINER_ID_BYTES_MAX).then(|| {
                format!("CNI_CONTAINERID has {bytes} bytes (at most {CONTAINER_ID_BYTES_MAX})")
            });
        }
        Ok(Self {
            verb,
            container_id,
            interface,
            arguments: text("CNI_ARGS")?,
            trace_parent: trace_parent(get("TRACEPARENT")),
            beyond_limits,
        })
    }
}

fn missing(names: &[&str]) -> Error {
    let message = format!(
        "{} must be set; a container runtime calls this program, people use berthctl",
        names.join(", ")
    );
    Error::new(Code::BadEnvironment, message)
}

/// CNI spec 1.1 §2: alphanumeric, then alphanumerics and `_ . -`.
pub fn is_plain_name(text: &str) -> bool {
    let alphanumeric_first = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    alphanumeric_first && text.chars().all(rest)
}

fn check_container_id(text: &str) -> Result<(), Error> {
    if is_plain_name(text) {
        return Ok(());
    }
    let message = format!(
        "CNI_CONTAINERID is {text:?}; it must start with a letter or digit and go on with these and _ . -"
    );
    Err(Error::new(Code::BadEnvironment, message))
}

fn check_interface(text: &str) -> Result<(), Error> {
    let reason = if text.len() > INTERFACE_BYTES_MAX {
        format!("has {} bytes (at most {INTERFACE_BYTES_MAX})", text.len())
    } else if text == "." || text == ".." {
        "is not a name".to_owned()
    } else if let Some(bad) = text
        .chars()
        .find(|c| matches!(c, '/' | ':') || !c.is_ascii_graphic())
    {
        format!(
            "has the character {bad:?}; allowed are printable ASCII ones without space, slash and colon"
        )
    } else {
        return Ok(());
    };
    let message = format!("CNI_IFNAME {text:?} {reason}");
    Err(Error::new(Code::BadEnvironment, message))
}

/// A trace is a help, never a reason to fail: what cannot be a gRPC header is left out.
fn trace_parent(value: Option<OsString>) -> Option<String> {
    let text = value?.into_string().ok()?;
    let sound = !text.is_empty()
        && text.len() <= TRACE_PARENT_BYTES_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    sound.then_some(text)
}

#[cfg(test)]
mod tests;
