//! The plugin's conversations with a runtime, one file each, held with real processes.

use std::path::{Path, PathBuf};

use berth_cni_tests::conversation::Conversation;

fn hold(name: &str) {
    let path = folder().join(format!("{name}.txt"));
    let conversation = Conversation::read(&path).unwrap_or_else(|error| panic!("{error}"));
    if let Err(differences) = conversation.hold() {
        panic!("{}:\n{differences}", path.display());
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conversations")
}

/// Declares one test per file, and the list that is compared with the folder.
macro_rules! conversations {
    ($($(#[$promise:meta])* $name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        $($(#[$promise])* #[test] fn $name() { hold(stringify!($name)); })*
    };
}

conversations! {
    /// Promise: an ADD is answered in the shape of each version of the specification, and a repeat answers the same.
    add_in_every_version
    /// Promise: both families or none; IPv4 stands first.
    dual_stack
    /// Promise: a DEL succeeds twice, without a network namespace, of what never was; the address goes back.
    del_is_patient
    /// Promise: CHECK compares with prevResult, and is silent when all is well.
    check_compares
    /// Promise: GC takes back what is not listed, of this node and network only; a missing list is an error.
    gc_keeps_the_listed
    /// Promise: STATUS and VERSION answer as the specification says.
    status_and_version
    /// Promise: what is wrong in the environment is code 4 and names the variable.
    bad_environment
    /// Promise: what is wrong in the configuration is named by its key, with the right code.
    bad_configuration
    /// Promise: a server that is away is code 11 within the deadline; a dead one before a live one costs nothing.
    server_away
    /// Promise: what the servers refuse comes out with its own code, sentence and details.
    refusals
    /// Promise: addresses asked for are given, in the order of precedence of the three ways to ask.
    requested_addresses
}

/// Promise: no conversation lies in the folder without being held.
#[test]
fn every_file_is_held() {
    let entries = std::fs::read_dir(folder()).expect("the folder");
    let mut found: Vec<String> = entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    found.sort();
    let mut names = NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(found, names);
}

/// Promise (negative control): a conversation that expects another address than the one given does not hold.
#[test]
fn a_wrong_expectation_is_found() {
    let path = folder().join("add_in_every_version.txt");
    let text = std::fs::read_to_string(path).expect("the file");
    let wrong = text.replacen("198.51.100.2/24", "198.51.100.3/24", 1);
    assert_ne!(text, wrong);
    let conversation = Conversation::parse(&wrong).expect("it is read");
    let difference = conversation.hold().expect_err("a difference");
    assert!(difference.contains(".ips[0].address"), "{difference}");
}
