//! A message as a program of another release would have sent it.

use bytes::Bytes;
use prost_reflect::prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MapKey, MessageDescriptor, Value};
use std::path::Path;
use std::sync::Arc;

/// How messages look.
#[derive(Clone)]
pub enum Shape {
    /// As they are: the control.
    Same,
    /// With fields that no release has yet.
    Newer,
    /// Without the fields and methods that came after a release.
    Older(DescriptorPool),
}

/// What is done with one message.
pub type Reshape = Arc<dyn Fn(Bytes) -> Bytes + Send + Sync>;

/// Fields beyond every number that is used: a number, and some bytes.
const UNKNOWN: &[u8] = &[
    0xf8, 0xe1, 0x09, 0x07, 0x82, 0xe2, 0x09, 0x03, b'n', b'e', b'w',
];

// === impl Shape ===

impl Shape {
    /// As the oldest release that is kept.
    pub fn of_the_first_release() -> Self {
        Self::Older(pool("0.1.0"))
    }

    /// For requests and answers of a method ("/berth.v1.Allocator/Allocate"); none = that release does not have it.
    pub fn of(&self, method: &str) -> Option<(Reshape, Reshape)> {
        let same: Reshape = Arc::new(|message| message);
        match self {
            Self::Same => Some((same.clone(), same)),
            // Health and reflection are not ours to change.
            _ if method.starts_with("/grpc.") => Some((same.clone(), same)),
            Self::Newer => {
                let newer: Reshape = Arc::new(|message| [&message[..], UNKNOWN].concat().into());
                Some((newer.clone(), newer))
            }
            Self::Older(pool) => {
                let (service, name) = method.trim_start_matches('/').split_once('/')?;
                let service = pool.get_service_by_name(service)?;
                let method = service.methods().find(|method| method.name() == name)?;
                Some((older(method.input()), older(method.output())))
            }
        }
    }
}

/// A release's wire.
pub fn pool(release: &str) -> DescriptorPool {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let file = golden.join(release).join("wire.bin");
    let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    DescriptorPool::decode(&bytes[..]).expect("descriptors")
}

fn older(of: MessageDescriptor) -> Reshape {
    Arc::new(move |message| {
        let mut read = DynamicMessage::decode(of.clone(), message).expect("it is one");
        forget(&mut read);
        read.encode_to_vec().into()
    })
}

/// What an older program does not know it does not send on.
fn forget(message: &mut DynamicMessage) {
    message.take_unknown_fields().for_each(drop);
    for (_, value) in message.fields_mut() {
        forget_in(value);
    }
}

fn forget_in(value: &mut Value) {
    match value {
        Value::Message(inner) => forget(inner),
        Value::List(values) => values.iter_mut().for_each(forget_in),
        Value::Map(values) => {
            let values: &mut std::collections::HashMap<MapKey, Value> = values;
            values.values_mut().for_each(forget_in);
        }
        _ => {}
    }
}
