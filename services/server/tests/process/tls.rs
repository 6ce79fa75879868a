//! Certificates: who may connect, who they are, what each may do.

use crate::harness::*;
use berth_proto::v1::admin_client::AdminClient;
use berth_proto::v1::allocator_client::AllocatorClient;
use berth_proto::v1::{self, RefusalCode};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// A certificate authority of a test.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

// === impl Authority ===

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = parameters.self_signed(&key).expect("signed").pem();
        let issuer = Issuer::new(parameters, key);
        Self { issuer, pem }
    }

    /// Certificate and key, PEM, for 127.0.0.1 and for this URI name.
    fn issue(&self, uri: &str) -> (String, String) {
        let mut parameters = CertificateParams::default();
        let address = "127.0.0.1".parse().expect("an address");
        parameters
            .subject_alt_names
            .push(SanType::IpAddress(address));
        parameters
            .subject_alt_names
            .push(SanType::URI(uri.try_into().expect("ascii")));
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("signed");
        (certificate.pem(), key.serialize_pem())
    }

    /// Into files; the flags that name them.
    fn flags(&self, group: &str, uri: &str, folder: &Path) -> Vec<String> {
        let (certificate, key) = self.issue(uri);
        let file = |name: &str, text: &str| -> PathBuf {
            let path = folder.join(format!("{group}-{name}.pem"));
            fs::write(&path, text).expect("written");
            path
        };
        [
            ("ca", file("ca", &self.pem)),
            ("cert", file("cert", &certificate)),
            ("key", file("key", &key)),
        ]
        .into_iter()
        .flat_map(|(name, path)| [format!("--tls-{group}-{name}"), path.display().to_string()])
        .collect()
    }

    async fn connect(
        &self,
        berthd: &Berthd,
        identity: Option<(String, String)>,
    ) -> Result<Channel, tonic::transport::Error> {
        let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&self.pem));
        if let Some((certificate, key)) = identity {
            tls = tls.identity(Identity::from_pem(certificate, key));
        }
        Endpoint::from_shared(berthd.client.replace("http://", "https://"))?
            .tls_config(tls)?
            .connect()
            .await
    }

    async fn channel(&self, berthd: &Berthd, name: &str) -> Channel {
        let identity = self.issue(&format!("spiffe://example.org/berth/{name}"));
        self.connect(berthd, Some(identity)).await.expect("let in")
    }
}

fn secure(authority: &Authority, folder: &Path) -> Berthd {
    let flags = authority.flags("client", "spiffe://example.org/berth/member/dev", folder);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    Berthd::dev(&folder.join("data"), &flags)
}

/// Promise: without a certificate of our CA nobody is served, over TLS or in clear text.
#[tokio::test]
async fn strangers_are_turned_away() {
    let folder = directory();
    let authority = Authority::new();
    let berthd = secure(&authority, folder.path());
    let request = || v1::ClusterStatusRequest {};
    let clear = Endpoint::from_shared(berthd.client.replace("https://", "http://"))
        .expect("an endpoint")
        .connect()
        .await;
    if let Ok(channel) = clear {
        AdminClient::new(channel)
            .cluster_status(request())
            .await
            .expect_err("clear text is not spoken");
    }
    // TLS 1.3 tells a client only with the first answer that its certificate was refused.
    if let Ok(channel) = authority.connect(&berthd, None).await {
        AdminClient::new(channel)
            .cluster_status(request())
            .await
            .expect_err("no certificate");
    }
    let foreign = Authority::new().issue("spiffe://example.org/berth/admin/eve");
    if let Ok(channel) = authority.connect(&berthd, Some(foreign)).await {
        AdminClient::new(channel)
            .cluster_status(request())
            .await
            .expect_err("of another CA");
    }
    let channel = authority.channel(&berthd, "admin/eve").await;
    AdminClient::new(channel)
        .cluster_status(request())
        .await
        .expect("the control: one of ours is served");
}

/// Promise: the certificate's role decides, its name stands in the history, and a node speaks for itself only.
#[tokio::test]
async fn each_does_what_its_role_may() {
    let folder = directory();
    let authority = Authority::new();
    let berthd = secure(&authority, folder.path());
    let mut admin = AdminClient::new(authority.channel(&berthd, "admin/eve").await);
    world(&mut admin, "10.0.3.0/24").await;
    admin.register_node(node("worker-2")).await.expect("a node");

    let mut own = AllocatorClient::new(authority.channel(&berthd, "node/worker-1").await);
    let mut other = AllocatorClient::new(authority.channel(&berthd, "node/worker-2").await);
    let given = own
        .allocate(add("one"))
        .await
        .expect("its own")
        .into_inner();
    let denied = |status: tonic::Status| {
        assert_eq!(status.code(), tonic::Code::PermissionDenied, "{status:?}");
        assert_eq!(refusal(&status).code(), RefusalCode::Denied);
    };
    denied(
        other
            .allocate(add("two"))
            .await
            .expect_err("for another node"),
    );
    denied(
        other
            .release(del("one"))
            .await
            .expect_err("for another node"),
    );
    let mut disguised = del("one");
    disguised.node = "worker-2".into();
    denied(
        other
            .release(disguised)
            .await
            .expect_err("another's attachment"),
    );
    let check = v1::CheckRequest {
        attachment: key("one"),
        addresses: vec![given.addresses[0].address.clone()],
    };
    denied(
        other
            .check(check.clone())
            .await
            .expect_err("another's attachment"),
    );
    own.check(check).await.expect("its own");
    denied(
        AllocatorClient::new(authority.channel(&berthd, "admin/eve").await)
            .allocate(add("two"))
            .await
            .expect_err("no node"),
    );
    let mut node_as_admin = AdminClient::new(authority.channel(&berthd, "node/worker-1").await);
    denied(
        node_as_admin
            .create_v_switch(vswitch("x", "10.0.4.0/24"))
            .await
            .expect_err("no admin"),
    );
    let mut observer = AdminClient::new(authority.channel(&berthd, "observer/board").await);
    observer
        .cluster_status(v1::ClusterStatusRequest {})
        .await
        .expect("it may look");
    denied(
        observer
            .register_node(node("worker-3"))
            .await
            .expect_err("it may not touch"),
    );
    let mut nobody = AdminClient::new(authority.channel(&berthd, "nobody/x").await);
    denied(
        nobody
            .cluster_status(v1::ClusterStatusRequest {})
            .await
            .expect_err("no role"),
    );

    let history = admin
        .list_history(v1::ListHistoryRequest::default())
        .await
        .expect("a history")
        .into_inner();
    let bind = history
        .groups
        .iter()
        .find(|group| group.cause == "bind")
        .expect("the bind");
    assert_eq!(bind.principal, "node/worker-1");
    let made = history
        .groups
        .iter()
        .find(|group| group.cause == "create-vswitch")
        .expect("the vSwitch");
    assert_eq!(made.principal, "admin/eve");
}

const BEGIN: [&str; 1] = ["--bootstrap"];

/// Two replicas of one cluster, each with a certificate for the member of this name.
struct Pair {
    folder: tempfile::TempDir,
    ports: [u16; 2],
}

// === impl Pair ===

impl Pair {
    fn new() -> Self {
        let bound = [(), ()].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
        let ports = bound.map(|listener| listener.local_addr().expect("bound").port());
        let folder = directory();
        Self { folder, ports }
    }

    fn spawn(
        &self,
        place: usize,
        authority: &Authority,
        certificate: &str,
        more: &[&str],
    ) -> Berthd {
        let folder = self.folder.path().join(place.to_string());
        fs::create_dir_all(&folder).expect("a folder");
        let uri = format!("spiffe://example.org/berth/member/{certificate}");
        let mut flags = authority.flags("peer", &uri, &folder);
        let listed = self.ports.iter().enumerate().map(|(place, port)| {
            format!("name=berth-{place},client=http://127.0.0.1:1,peer=https://127.0.0.1:{port}")
        });
        flags.extend(listed.flat_map(|member| ["--member".to_owned(), member]));
        let own = [
            ("--name", format!("berth-{place}")),
            ("--data-dir", folder.join("data").display().to_string()),
            ("--listen-peer", format!("127.0.0.1:{}", self.ports[place])),
            ("--listen-client", "127.0.0.1:0".to_owned()),
            ("--listen-metrics", "127.0.0.1:0".to_owned()),
        ];
        flags.extend(
            own.into_iter()
                .flat_map(|(flag, value)| [flag.to_owned(), value]),
        );
        flags.extend(more.iter().map(|flag| (*flag).to_owned()));
        Berthd::spawn(&flags.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// Promise: replicas talk over TLS when each shows the certificate of its own member.
#[test]
fn replicas_talk_over_tls() {
    let (pair, authority) = (Pair::new(), Authority::new());
    let mut both =
        [0, 1].map(|place| pair.spawn(place, &authority, &format!("berth-{place}"), &BEGIN));
    both.iter_mut().for_each(Berthd::until_ready);
}

/// Promise: a replica with another member's certificate, or one of another CA, is heard by nobody.
#[test]
fn a_replica_with_a_wrong_certificate_is_not_heard() {
    let (pair, authority) = (Pair::new(), Authority::new());
    let mut good = pair.spawn(0, &authority, "berth-0", &BEGIN);
    let mut other = pair.spawn(1, &authority, "berth-0", &BEGIN);
    let line = good.until("turned a replica away");
    assert!(line.contains("the certificate says berth-0"), "{line}");
    other.until("no link to a replica");
    drop(other);
    let mut foreign = pair.spawn(1, &Authority::new(), "berth-1", &[]);
    foreign.until("no link to a replica");
    assert!(
        !good
            .said
            .iter()
            .chain(&foreign.said)
            .any(|line| line.contains("\"ready\""))
    );
}

/// Promise: a certificate file that is not there, or is no PEM file, is named by its option and path, and nothing is served.
#[test]
fn a_bad_certificate_file_is_named() {
    let (folder, authority) = (directory(), Authority::new());
    let garbage = folder.path().join("garbage.pem");
    fs::write(&garbage, "no certificate").expect("written");
    for bad in [Path::new("/nowhere/x.pem"), &garbage] {
        for (place, option) in ["tls_client_ca", "tls_client_cert", "tls_client_key"]
            .into_iter()
            .enumerate()
        {
            let uri = "spiffe://example.org/berth/member/dev";
            let mut flags = authority.flags("client", uri, folder.path());
            flags[2 * place + 1] = bad.display().to_string();
            let data = folder.path().join("data").display().to_string();
            let own = [
                "--dev",
                "--data-dir",
                &data,
                "--listen-client",
                "127.0.0.1:0",
            ];
            let own = own.into_iter().chain(["--listen-peer", "127.0.0.1:0"]);
            let own = own.chain(["--listen-metrics", "127.0.0.1:0"]);
            let flags: Vec<&str> = own.chain(flags.iter().map(String::as_str)).collect();
            let (success, said) = Berthd::spawn(&flags).ended();
            let named = said.contains(option) && said.contains(&*bad.to_string_lossy());
            assert!(!success && named, "{option}: {said}");
        }
    }
}
