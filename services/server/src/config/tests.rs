use super::*;
use clap::{CommandFactory, Parser};
use std::io::Write;

fn load(arguments: &[&str]) -> Result<Config, Error> {
    let all = std::iter::once("berthd").chain(arguments.iter().copied());
    Flags::try_parse_from(all).expect("known flags").load()
}

fn refused(arguments: &[&str]) -> String {
    load(arguments).expect_err("it must be refused").to_string()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("written");
    file
}

const EXAMPLE: &str = include_str!("../../config.example.toml");

/// Takes the comment sign off every line that sets a key.
fn uncommented(text: &str) -> String {
    let key = |line: &str| {
        let rest = line.strip_prefix("# ")?;
        let setting = rest.starts_with("[[")
            || rest.split_once(" = ").is_some_and(|(key, _)| {
                key.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            });
        setting.then(|| rest.to_owned())
    };
    text.lines()
        .map(|line| key(line).unwrap_or_else(|| line.into()) + "\n")
        .collect()
}

/// Promise: config.example.toml names every option there is, and can be used as it stands or with all of it switched on.
#[test]
fn the_example_names_every_option_and_parses() {
    toml::from_str::<Options>(EXAMPLE).expect("as it stands");
    let all: toml::Table = toml::from_str(&uncommented(EXAMPLE)).expect("switched on");
    toml::from_str::<Options>(&uncommented(EXAMPLE)).expect("only known keys");
    let not_options = [
        "config",
        "dev",
        "bootstrap",
        "join",
        "rejoin",
        "learner",
        "print_config",
        "help",
        "version",
    ];
    for argument in Flags::command().get_arguments() {
        let id = argument.get_id().as_str();
        if !not_options.contains(&id) {
            assert!(
                all.contains_key(id),
                "config.example.toml does not name {id}"
            );
        }
    }
}

/// Promise: a key that there is not is refused by its name.
#[test]
fn an_unknown_key_is_refused_by_name() {
    let file = file("name = \"a\"\nlisten_cleint = \"127.0.0.1:1\"\n");
    let path = file.path().to_str().expect("a path");
    let message = refused(&["--config", path, "--dev"]);
    assert!(
        message.contains("listen_cleint") && message.contains("line 2"),
        "{message}"
    );
    let flag = Flags::try_parse_from(["berthd", "--listen-cleint", "x"]).expect_err("unknown");
    assert!(flag.to_string().contains("--listen-cleint"));
}

/// Promise: a flag wins over the file, and the file over the default.
#[test]
fn a_flag_wins_over_the_file() {
    let file = file("tick_ms = 50\nsnapshot_every_entries = 7\n");
    let path = file.path().to_str().expect("a path");
    let config = load(&["--config", path, "--dev", "--tick-ms", "70"]).expect("fine");
    assert_eq!((config.tick_ms, config.snapshot_every_entries), (70, 7));
    assert_eq!(config.snapshot_keep_entries, options::SNAPSHOT_KEEP_ENTRIES);
}

/// Promise: without certificates only loopback is listened on, unless that is spelled out (design §10).
#[test]
fn clear_text_stays_on_loopback() {
    for (flag, key) in [
        ("--listen-client", "listen_client"),
        ("--listen-peer", "listen_peer"),
        ("--listen-metrics", "listen_metrics"),
    ] {
        let message = refused(&["--dev", flag, "192.0.2.1:7400"]);
        assert!(
            message.contains(key) && message.contains("--insecure-listen"),
            "{message}"
        );
        load(&["--dev", flag, "192.0.2.1:7400", "--insecure-listen"]).expect("spelled out");
        load(&["--dev", flag, "[::1]:7400"]).expect("loopback");
    }
}

/// Promise: an address that nobody can call is not told to others.
#[test]
fn an_unspecified_address_needs_an_advertised_one() {
    let wild = [
        "--dev",
        "--insecure-listen",
        "--listen-client",
        "0.0.0.0:7400",
    ];
    assert!(refused(&wild).contains("advertise_client"));
    let told = [&wild[..], &["--advertise-client", "http://a:7400"]].concat();
    load(&told).expect("told");
    let wrong = [&wild[..], &["--advertise-client", "a:7400"]].concat();
    assert!(refused(&wrong).contains("http://HOST:PORT"));
}

const THREE: [&str; 6] = [
    "--member",
    "name=a,client=http://h:1,peer=http://h:11",
    "--member",
    "name=b,client=http://h:2,peer=http://h:12",
    "--member",
    "name=c,client=http://h:3,peer=http://h:13",
];

/// Promise: replicas begun apart from one list agree on the cluster's identity, and another list has another.
#[test]
fn a_static_list_gives_one_cluster_identity() {
    let start = |name: &str, members: &[&str]| {
        let arguments = [&["--bootstrap", "--data-dir", "d", "--name", name], members].concat();
        match load(&arguments).expect("fine").start {
            Start::Bootstrap { cluster_id, id, .. } => (cluster_id, id.0),
            other => panic!("{other:?}"),
        }
    };
    let (a, b) = (start("a", &THREE), start("b", &THREE));
    assert_eq!((&a.0, a.1, b.1), (&b.0, 1, 2));
    assert_ne!(a.0, start("a", &THREE[..4]).0);
}

/// Promise: a start that cannot work is refused before anything is touched, naming the option.
#[test]
fn impossible_starts_name_their_option() {
    let alone = ["--bootstrap", "--data-dir", "d", "--name", "x"];
    assert!(refused(&alone).contains("option members: missing"));
    assert!(refused(&[&alone[..], &THREE].concat()).contains("none is named x"));
    assert!(refused(&["--name", "x"]).contains("option data_dir: missing"));
    assert!(refused(&["--rejoin", "--data-dir", "d", "--name", "x"]).contains("option join"));
    let twice = [
        &["--bootstrap", "--data-dir", "d", "--name", "a"],
        &THREE[..2],
        &THREE[..2],
    ]
    .concat();
    assert!(refused(&twice).contains("of another"));
    assert!(refused(&["--dev", "--tick-ms", "1"]).contains("10 to 10000"));
    assert!(
        refused(&["--dev", "--snapshot-every-entries", "0"]).contains("snapshot_every_entries")
    );
    assert!(refused(&["--dev", "--tls-client-ca", "x"]).contains("tls_client_cert: missing"));
}

/// Promise: --learner is said of who joins, and of nobody else.
#[test]
fn a_learner_joins() {
    let join = [
        "--join",
        "http://h:11",
        "--learner",
        "--data-dir",
        "d",
        "--name",
        "b",
    ];
    let Start::Join { stays_learner, .. } = load(&join).expect("fine").start else {
        panic!("it joins");
    };
    assert!(stays_learner);
    let refused = refused(&["--learner", "--data-dir", "d", "--name", "b"]);
    assert!(refused.contains("learner: goes with --join"), "{refused}");
}

/// Promise: --rejoin asks the others of the list, never itself.
#[test]
fn rejoin_asks_the_others() {
    let arguments = [&["--rejoin", "--data-dir", "d", "--name", "b"], &THREE[..]].concat();
    let Start::Join {
        endpoints,
        set_aside,
        ..
    } = load(&arguments).expect("fine").start
    else {
        panic!("it joins");
    };
    let texts: Vec<&str> = endpoints.iter().map(|endpoint| endpoint.as_str()).collect();
    assert_eq!(
        (texts, set_aside),
        (vec!["http://h:11", "http://h:13"], true)
    );
}

/// Promise: what --print-config prints is a file that means the same.
#[test]
fn printed_options_can_be_read_back() {
    let arguments = [
        &[
            "berthd",
            "--bootstrap",
            "--log-format",
            "json",
            "--data-dir",
            "d",
        ],
        &THREE[..],
    ]
    .concat();
    let said = Flags::try_parse_from(arguments)
        .expect("known")
        .merged()
        .expect("fine");
    assert_eq!(
        toml::from_str::<Options>(&said.to_toml()).expect("readable"),
        said
    );
}

/// Promise: --print-config shows what holds, defaults too, and changes nothing of what was said; what it shows can be started with.
#[test]
fn printed_config_is_what_holds() {
    let flags = |arguments: &[&str]| Flags::try_parse_from(arguments).expect("known");
    let shown = flags(&["berthd", "--dev", "--tick-ms", "50"]).holding();
    let shown = shown.expect("fine").to_toml();
    for line in [
        "tick_ms = 50",
        "name = \"dev\"",
        "data_dir = \"berth-data\"",
        "listen_client = \"127.0.0.1:7400\"",
        "snapshot_every_entries = 20000",
        "log_filter = \"info\"",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
    let file = file(&shown);
    let path = file.path().to_str().expect("a plain path");
    let again = flags(&["berthd", "--config", path]).holding();
    assert_eq!(again.expect("fine").to_toml(), shown);
}
