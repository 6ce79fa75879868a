//! What the wire of an older release means.

use crate::shape::pool;
use berth_proto::DESCRIPTORS;
use prost_reflect::prost::Message;
use prost_reflect::prost_types::FileDescriptorSet;
use prost_reflect::{DescriptorPool, EnumDescriptor, FieldDescriptor, MessageDescriptor};

/// Releases that may still be met: two minor ones back. One more line with every release, one less after the third.
const RELEASES: [&str; 1] = ["0.1.0"];

/// Everything of an older wire that means something else now, in sentences.
fn changes(old: &DescriptorPool, new: &DescriptorPool) -> Vec<String> {
    let mut changes = Vec::new();
    for service in old.services() {
        for method in service.methods() {
            let name = format!("{}/{}", service.full_name(), method.name());
            let same = new.get_service_by_name(service.full_name());
            let same =
                same.and_then(|same| same.methods().find(|other| other.name() == method.name()));
            let shape = |of: &prost_reflect::MethodDescriptor| {
                let (input, output) = (of.input(), of.output());
                let streams = (of.is_client_streaming(), of.is_server_streaming());
                (
                    input.full_name().to_owned(),
                    output.full_name().to_owned(),
                    streams,
                )
            };
            match same {
                Some(same) if shape(&same) == shape(&method) => {}
                Some(_) => changes.push(format!("{name} takes or gives something else")),
                None => changes.push(format!("{name} is gone")),
            }
        }
    }
    for message in sent(old) {
        match new.get_message_by_name(message.full_name()) {
            Some(same) => changes.extend(fields(&message, &same)),
            None => changes.push(format!("{} is gone", message.full_name())),
        }
    }
    for values in old.all_enums() {
        match new.get_enum_by_name(values.full_name()) {
            Some(same) => changes.extend(numbers(&values, &same)),
            None => changes.push(format!("{} is gone", values.full_name())),
        }
    }
    changes
}

/// Messages that somebody sends, or finds in a log: those of methods with all that is in them, and those that are stored.
fn sent(old: &DescriptorPool) -> Vec<MessageDescriptor> {
    let methods = old
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>());
    let mut waiting: Vec<_> = methods.flat_map(|of| [of.input(), of.output()]).collect();
    waiting.extend(
        old.all_messages()
            .filter(|of| of.package_name() == "berth.log.v1"),
    );
    let mut sent: Vec<MessageDescriptor> = Vec::new();
    while let Some(message) = waiting.pop() {
        if !sent.contains(&message) {
            let inner = message
                .fields()
                .filter_map(|field| field.kind().as_message().cloned());
            waiting.extend(inner);
            sent.push(message);
        }
    }
    sent
}

fn fields(old: &MessageDescriptor, new: &MessageDescriptor) -> Vec<String> {
    let mut changes = Vec::new();
    for field in old.fields() {
        let name = field.full_name().to_owned();
        match new.get_field(field.number()) {
            Some(same) if meaning(&same) == meaning(&field) => {}
            Some(same) => changes.push(format!("{name} is {} now", same.full_name())),
            None => changes.push(format!("{name} is gone")),
        }
    }
    changes
}

/// What a number of a message stands for.
fn meaning(field: &FieldDescriptor) -> (String, String, bool, Option<String>) {
    let kind = format!("{:?}", field.kind());
    let oneof = field.containing_oneof();
    let oneof = oneof.map(|oneof| oneof.name().to_owned());
    (field.name().to_owned(), kind, field.is_list(), oneof)
}

fn numbers(old: &EnumDescriptor, new: &EnumDescriptor) -> Vec<String> {
    let changed = old.values().filter(|value| {
        let same = new.get_value(value.number());
        same.is_none_or(|same| same.name() != value.name())
    });
    changed
        .map(|value| format!("{} means something else", value.full_name()))
        .collect()
}

fn present() -> DescriptorPool {
    DescriptorPool::decode(DESCRIPTORS).expect("descriptors")
}

/// Promise: every method, field and number of the releases that may still be met means what it meant.
#[test]
fn the_wire_keeps_its_meaning() {
    for release in RELEASES {
        assert_eq!(
            changes(&pool(release), &present()),
            Vec::<String>::new(),
            "{release}"
        );
    }
}

/// Negative control: a method, a message, a field, its type, its list and a number that change are each found.
#[test]
fn a_changed_meaning_is_found() {
    let mut set = FileDescriptorSet::decode(DESCRIPTORS).expect("descriptors");
    let file = set
        .file
        .iter_mut()
        .find(|file| file.name() == "berth/v1/allocator.proto");
    let file = file.expect("it is there");
    file.service[0].method.remove(0);
    let request = &mut file.message_type[0];
    assert_eq!(request.name(), "AllocateRequest");
    request.field.remove(0);
    request.field[1].set_type(prost_reflect::prost_types::field_descriptor_proto::Type::Bytes);
    request.field[2].name = Some("another".into());
    let bytes = set.encode_to_vec();
    let broken = DescriptorPool::decode(&bytes[..]).expect("descriptors");
    let found = changes(&present(), &broken);
    assert_eq!(found.len(), 4, "{found:#?}");
    // What came after a release is no change of it.
    assert_eq!(
        changes(&pool(RELEASES[0]), &present()),
        Vec::<String>::new()
    );
    assert!(
        !changes(&present(), &pool(RELEASES[0])).is_empty(),
        "nothing has come since"
    );
}
