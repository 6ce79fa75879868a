//! The shim over TLS, with its certificate files in `ipam.tls`.

use std::fs;
use std::path::Path;

use berth_client::{Client, Options};
use berth_testkit::certificates::{Authority, Files};
use berth_testkit::process::{Cluster, Setup};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::programs::{Answer, add, world};

/// One replica that speaks TLS, an administrator of it, and the folder with the certificates.
struct Secure {
    cluster: Cluster,
    authority: Authority,
    folder: TempDir,
}

// === impl Secure ===

impl Secure {
    async fn start() -> Self {
        let (authority, folder) = (Authority::new(), TempDir::new().expect("a folder"));
        let server = authority.issue("member/berth-1", folder.path());
        let administrator = authority.issue("admin/eve", folder.path());
        let setup = Setup::default().client_tls(&server, &administrator);
        let start = tokio::task::spawn_blocking(move || Cluster::start_with(1, &setup));
        let cluster = start.await.expect("no panic").expect("it starts");
        let options = Options {
            tls: Some(administrator.client()),
            ..Options::endpoints(cluster.endpoints())
        };
        let client = Client::new(options).expect("the files are read");
        world(&client, "10.0.3.0/24", 0).await.expect("made");
        Self {
            cluster,
            authority,
            folder,
        }
    }

    fn ipam(&self, tls: Value) -> Value {
        json!({
            "type": "berth-cni", "endpoints": self.cluster.endpoints(), "node": "worker-1",
            "deadline_ms": 1_500, "tls": tls,
        })
    }

    fn node(&self, name: &str) -> Files {
        self.authority
            .issue(&format!("node/{name}"), self.folder.path())
    }

    fn add(&self, container: &str, files: &Files) -> Answer {
        add(&self.ipam(tls(files)), container, &[])
    }
}

fn tls(files: &Files) -> Value {
    json!({ "ca": files.ca, "cert": files.cert, "key": files.key })
}

fn message(answer: &Answer) -> String {
    answer.json["msg"].as_str().unwrap_or_default().to_owned()
}

fn code(answer: &Answer) -> (i32, u64) {
    (
        answer.exit,
        answer.json["code"].as_u64().unwrap_or_default(),
    )
}

/// Promise: with the files of its node the shim gets an address over TLS; with another node's it is denied.
#[tokio::test]
async fn a_node_gets_its_addresses_over_tls() {
    let secure = Secure::start().await;
    assert!(secure.cluster.endpoints()[0].starts_with("https://"));
    let answer = secure.add("c1", &secure.node("worker-1"));
    assert_eq!(answer.exit, 0, "{answer:?}");
    assert_eq!(answer.json["ips"][0]["address"], "10.0.3.1/24");
    let answer = secure.add("c2", &secure.node("worker-2"));
    assert_eq!(code(&answer), (1, 113), "{answer:?}");
    assert!(message(&answer).contains("node/worker-2 may not act for node worker-1"));
}

/// Promise: servers of an authority that the shim does not trust are not talked to, and a shim of an authority that the
/// servers do not trust gets nothing: code 11 within the deadline, with the certificate named as the reason.
#[tokio::test]
async fn strangers_get_nothing() {
    let secure = Secure::start().await;
    let elsewhere = TempDir::new().expect("a folder");
    let foreign = Authority::new().issue("node/worker-1", elsewhere.path());
    let own = secure.node("worker-1");
    // The shim trusts another authority than the server's.
    let mistrusts = Files {
        ca: foreign.ca.clone(),
        ..own.clone()
    };
    let answer = secure.add("c1", &mistrusts);
    assert_eq!(code(&answer), (1, 11), "{answer:?}");
    assert!(message(&answer).contains("certificate"), "{answer:?}");
    // The server does not trust the shim's.
    let mistrusted = Files {
        ca: own.ca.clone(),
        ..foreign
    };
    let answer = secure.add("c1", &mistrusted);
    assert_eq!(code(&answer), (1, 11), "{answer:?}");
    let mistrusted = mistrusted.cert.to_string_lossy().into_owned();
    assert!(message(&answer).contains(&mistrusted), "{answer:?}");
    let answer = secure.add("c1", &own);
    assert_eq!(answer.exit, 0, "the control: {answer:?}");
}

/// Promise: clear text to a server that speaks TLS is code 11 within the deadline.
#[tokio::test]
async fn clear_text_gets_nothing() {
    let secure = Secure::start().await;
    let endpoint = secure.cluster.endpoints()[0].replace("https://", "http://");
    let ipam = json!({
        "type": "berth-cni", "endpoints": [endpoint], "node": "worker-1", "deadline_ms": 1_500,
    });
    let answer = add(&ipam, "c1", &[]);
    assert_eq!(code(&answer), (1, 11), "{answer:?}");
}

/// Promise: a file that is not there, or is no PEM file of its kind, is named by its key and path: code 7.
#[tokio::test]
async fn a_bad_file_is_named() {
    let secure = Secure::start().await;
    let own = secure.node("worker-1");
    let garbage = secure.folder.path().join("garbage.pem");
    fs::write(&garbage, "no certificate").expect("written");
    let missing = Path::new("/nowhere/ca.pem");
    for bad in [missing, &garbage] {
        for key in ["ca", "cert", "key"] {
            let mut tls = tls(&own);
            tls[key] = json!(bad);
            let answer = add(&secure.ipam(tls), "c1", &[]);
            assert_eq!(code(&answer), (1, 7), "{key} {bad:?}: {answer:?}");
            let named = format!("ipam.tls.{key}");
            let message = message(&answer);
            let path = bad.to_string_lossy();
            assert!(
                message.contains(&named) && message.contains(&*path),
                "{message}"
            );
        }
    }
}
