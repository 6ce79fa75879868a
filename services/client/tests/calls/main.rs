//! The client against real tonic servers on loopback, one behaviour each.

mod facts;
mod fake;
mod tls;

use std::time::{Duration, Instant};

use berth_client::{Client, Error, Options, block_on};
use berth_proto::v1::*;
use fake::{Behaviour, Cutter, Fake};

fn add() -> AllocateRequest {
    AllocateRequest {
        node: "worker-1".into(),
        ..Default::default()
    }
}

fn client(endpoints: &[&str], deadline_ms: u64) -> Client {
    let mut options = Options::endpoints(endpoints.iter().copied());
    options.deadline = Duration::from_millis(deadline_ms);
    Client::new(options).expect("good options")
}

fn story<F: Future<Output = ()>>(story: F) {
    block_on(story).expect("a runtime");
}

/// Promise: a dead first endpoint costs no timeout, and the next call does not even try it.
#[test]
fn a_dead_first_endpoint_costs_nothing() {
    story(async {
        let dead = fake::dead_endpoint().await;
        let leader = Fake::start(Behaviour::Answer).await;
        let client = client(&[&dead, leader.endpoint()], 5_000);
        let begun = Instant::now();
        assert_eq!(client.allocate(add()).await.unwrap().revision, 1);
        assert!(begun.elapsed() < Duration::from_secs(4), "a timeout");
        assert_eq!(client.allocate(add()).await.unwrap().revision, 2);
        assert!(format!("{client:?}").starts_with(&format!("Client([{:?}", leader.endpoint())));
    });
}

/// Promise: an endpoint that swallows connections costs 150 ms, not the deadline.
#[test]
fn a_blackholed_endpoint_costs_a_hedge() {
    story(async {
        let hole = fake::Blackhole::dig().await;
        let leader = Fake::start(Behaviour::Answer).await;
        let client = client(&[hole.endpoint(), leader.endpoint()], 5_000);
        let begun = Instant::now();
        client.allocate(add()).await.unwrap();
        let took = begun.elapsed();
        assert!(
            took >= Duration::from_millis(140),
            "the hole answered: {took:?}"
        );
        assert!(took < Duration::from_secs(4), "{took:?}");
    });
}

/// Promise: a server that accepts and never answers (frozen) is asked beside after a second.
#[test]
fn a_frozen_server_costs_a_second() {
    story(async {
        let frozen = Fake::start(Behaviour::Freeze).await;
        let leader = Fake::start(Behaviour::Answer).await;
        let client = client(&[frozen.endpoint(), leader.endpoint()], 5_000);
        let begun = Instant::now();
        client.allocate(add()).await.unwrap();
        let took = begun.elapsed();
        assert!(
            took >= Duration::from_secs(1) && took < Duration::from_secs(4),
            "{took:?}"
        );
    });
}

/// Promise: a hint is followed, even to an endpoint that was not given, and remembered.
#[test]
fn a_leader_hint_is_followed() {
    story(async {
        let leader = Fake::start(Behaviour::Answer).await;
        let follower = Fake::start(Behaviour::Hint(leader.endpoint().into())).await;
        let client = client(&[follower.endpoint()], 5_000);
        client.allocate(add()).await.unwrap();
        client.allocate(add()).await.unwrap();
        assert_eq!((follower.calls(), leader.calls()), (1, 2));
    });
}

/// Promise: servers that each name the other are asked a few times with pauses between, not in a storm; the error names both.
#[test]
fn a_hint_loop_ends_at_the_deadline() {
    story(async {
        let one = Fake::start(Behaviour::Freeze).await;
        let other = Fake::start(Behaviour::Hint(one.endpoint().into())).await;
        one.behave(Behaviour::Hint(other.endpoint().into()));
        let begun = Instant::now();
        let error = client(&[one.endpoint()], 1_000)
            .allocate(add())
            .await
            .unwrap_err();
        assert!(begun.elapsed() >= Duration::from_millis(1_000));
        assert!(matches!(&error, Error::DeadlineExceeded { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains(one.endpoint()) && text.contains(other.endpoint()),
            "{text}"
        );
        assert!(text.contains("is not the leader"), "{text}");
        let calls = one.calls() + other.calls();
        assert!((5..=60).contains(&calls), "{calls} calls in a second");
    });
}

/// Promise: while a leader is being elected the call waits, and has its answer soon after.
#[test]
fn an_election_is_waited_for() {
    story(async {
        let server = Fake::start(Behaviour::NoLeader).await;
        let mut options = Options::endpoints([server.endpoint()]);
        options.wait_for_server = false;
        let client = Client::new(options).expect("good options");
        let elected = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            server.behave(Behaviour::Answer);
        };
        let (answer, ()) = tokio::join!(client.allocate(add()), elected);
        assert_eq!(answer.unwrap().revision, 1);
        assert!(server.calls() > 2);
    });
}

/// Promise: the deadline holds, says that something was sent, and what is carried along is right.
#[test]
fn the_deadline_holds_and_travels() {
    story(async {
        let frozen = Fake::start(Behaviour::Freeze).await;
        let begun = Instant::now();
        let error = client(&[frozen.endpoint()], 1_500)
            .allocate(add())
            .await
            .unwrap_err();
        let took = begun.elapsed();
        assert!(
            took >= Duration::from_millis(1_500) && took < Duration::from_secs(4),
            "{took:?}"
        );
        assert!(
            matches!(&error, Error::DeadlineExceeded { sent: true, .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains("did not answer"), "{error}");
        let seen = frozen.seen();
        assert!((1_400..=1_500).contains(&seen[0].deadline_ms), "{seen:?}");
        assert!(
            (1_400_000..=1_500_000).contains(&seen[0].timeout_us),
            "{seen:?}"
        );

        let error = client(&[&fake::dead_endpoint().await], 300)
            .allocate(add())
            .await
            .unwrap_err();
        assert!(
            matches!(&error, Error::DeadlineExceeded { sent: false, .. }),
            "{error:?}"
        );
    });
}

/// Promise: a person who mistyped an endpoint hears of it at once.
#[test]
fn nobody_listens_is_said_at_once() {
    story(async {
        let (one, other) = (fake::dead_endpoint().await, fake::dead_endpoint().await);
        let mut options = Options::endpoints([one.clone(), other.clone()]);
        options.wait_for_server = false;
        let begun = Instant::now();
        let error = Client::new(options)
            .unwrap()
            .allocate(add())
            .await
            .unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(4));
        let Error::Unreachable { attempts } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(attempts.len(), 2);
        assert!(error.to_string().contains("refused"), "{error}");
    });
}

/// Promise: a refusal is an answer: it comes whole, at once, and is not asked for again.
#[test]
fn a_refusal_is_final() {
    story(async {
        let refusal = Refusal {
            code: RefusalCode::Exhausted as i32,
            message: "no address is left in \"zone-a\"".into(),
            causes: vec![Refusal::default()],
            ..Default::default()
        };
        let server = Fake::start(Behaviour::Refuse(refusal.clone())).await;
        let error = client(&[server.endpoint()], 5_000)
            .allocate(add())
            .await
            .unwrap_err();
        assert_eq!(error.refusal(), Some(&refusal));
        assert_eq!((error.code(), server.calls()), (RefusalCode::Exhausted, 1));
        assert_eq!(error.to_string(), "no address is left in \"zone-a\"");
    });
}

/// Promise: "busy" is asked again after the advised time; at the deadline the refusal is still there to be shown.
#[test]
fn busy_is_asked_again() {
    story(async {
        let busy = Refusal {
            code: RefusalCode::Busy as i32,
            message: "the queue is full".into(),
            retry_after_ms: 200,
            ..Default::default()
        };
        let server = Fake::start(Behaviour::Refuse(busy.clone())).await;
        let error = client(&[server.endpoint()], 1_000)
            .release(ReleaseRequest::default())
            .await;
        let error = error.unwrap_err();
        assert_eq!(error.code(), RefusalCode::Busy);
        assert!((4..=6).contains(&server.calls()), "{}", server.calls());
    });
}

/// Promise: a server that dies in the middle of a call is left for another one; a call that must not be repeated is not.
#[test]
fn a_broken_connection_is_tried_elsewhere() {
    story(async {
        let dying = Cutter::start().await;
        let leader = Fake::start(Behaviour::Answer).await;
        let client = client(&[dying.endpoint(), leader.endpoint()], 20_000);
        client.allocate(add()).await.unwrap();
        assert_eq!((dying.cuts(), leader.calls()), (1, 1));

        let once = Cutter::start().await;
        let client = self::client(&[once.endpoint(), leader.endpoint()], 20_000);
        let request = TransferLeadershipRequest {
            reason: "rebalance".into(),
            ..Default::default()
        };
        let error = client.transfer_leadership(request).await.unwrap_err();
        assert!(matches!(&error, Error::OutcomeUnknown { .. }), "{error:?}");
        assert_eq!((once.cuts(), leader.transfers()), (1, 0));
    });
}

/// Promise: a restarted server is reached again by the same client.
#[test]
fn a_restart_is_survived() {
    story(async {
        let server = Fake::start(Behaviour::Answer).await;
        let client = client(&[server.endpoint()], 5_000);
        client.allocate(add()).await.unwrap();
        let address = server.stop().await;
        let later = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            Fake::start_on(address, Behaviour::Answer).await
        };
        let (answer, _server) = tokio::join!(client.allocate(add()), later);
        answer.unwrap();
    });
}

/// Promise: many calls at once share one connection.
#[test]
fn one_connection_is_enough() {
    story(async {
        let server = Fake::start(Behaviour::Answer).await;
        let client = client(&[server.endpoint()], 5_000);
        let calls = (0..100).map(|_| client.allocate(add()));
        for answer in futures::future::join_all(calls).await {
            answer.unwrap();
        }
        assert_eq!((server.calls(), server.connections()), (100, 1));
    });
}

/// Promise: a change has a request id, the same in every try; the caller's own is kept; the trace goes along.
#[test]
fn changes_carry_a_request_id() {
    story(async {
        let server = Fake::start(Behaviour::Hangup).await;
        let traced = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let client = client(&[server.endpoint()], 700).traced(traced);
        client.create_vswitch(Default::default()).await.unwrap_err();
        let seen = server.seen();
        assert!(seen.len() > 1, "{seen:?}");
        assert_eq!(seen[0].request_id.len(), 32);
        assert!(
            seen.iter()
                .all(|other| other.request_id == seen[0].request_id)
        );
        assert!(seen.iter().all(|seen| seen.traceparent == traced));

        let server = Fake::start(Behaviour::Answer).await;
        let own = Change {
            request_id: "mine".into(),
            reason: String::new(),
        };
        let request = CreateVSwitchRequest {
            change: Some(own),
            ..Default::default()
        };
        self::client(&[server.endpoint()], 700)
            .create_vswitch(request)
            .await
            .unwrap();
        assert_eq!(server.seen()[0].request_id, "mine");
        assert_eq!(server.seen()[0].traceparent, "");
    });
}

/// Promise: `each` asks every replica itself, and a follower's "not me" is its answer.
#[test]
fn each_replica_is_asked() {
    story(async {
        let leader = Fake::start(Behaviour::Answer).await;
        let follower = Fake::start(Behaviour::Hint(leader.endpoint().into())).await;
        let client = client(&[follower.endpoint(), leader.endpoint()], 2_000);
        let each = client.each();
        assert_eq!(each[0].0, follower.endpoint());
        let error = each[0].1.allocate(add()).await.unwrap_err();
        assert_eq!(error.code(), RefusalCode::NotLeader);
        each[1].1.allocate(add()).await.unwrap();
        assert_eq!((follower.calls(), leader.calls()), (1, 1));
    });
}

/// Promise: a unix socket is an endpoint.
#[test]
fn a_unix_socket_serves() {
    story(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.sock");
        let agent = Fake::start_on_socket(&path, Behaviour::Answer).await;
        let client = Client::new(Options::socket(path.to_str().unwrap())).unwrap();
        assert_eq!(client.allocate(add()).await.unwrap().revision, 1);
        assert_eq!(agent.calls(), 1);
    });
}

/// Promise: a stranger's answer is named as such, not tried for ever.
#[test]
fn a_stranger_is_named() {
    story(async {
        let server = Fake::start(Behaviour::Answer).await;
        let error = client(&[server.endpoint()], 2_000)
            .ledger_digest(Default::default())
            .await;
        let error = error.unwrap_err();
        assert!(
            matches!(
                &error,
                Error::Protocol {
                    code: tonic::Code::Unimplemented,
                    ..
                }
            ),
            "{error:?}"
        );
    });
}

/// Promise: bad options are refused with the option's name, before anything is sent.
#[test]
fn bad_options_are_refused() {
    let refused = |endpoints: &[&str]| {
        let options = Options::endpoints(endpoints.iter().copied());
        Client::new(options).unwrap_err().to_string()
    };
    assert!(refused(&[]).contains("name at least one"));
    assert!(refused(&["10.0.0.1:7400"]).contains("http://host:port"));
    assert!(refused(&["https://10.0.0.1:7400"]).contains("needs TLS"));
    assert!(refused(&["http://a b"]).starts_with("endpoint: \"http://a b\""));
    let mut options = Options::endpoints(["https://10.0.0.1:7400"]);
    options.tls = Some(berth_client::TlsFiles {
        authority: "/nowhere/ca.pem".into(),
        identity: None,
        server_name: None,
    });
    let error = Client::new(options).unwrap_err().to_string();
    assert!(error.starts_with("tls.ca: /nowhere/ca.pem"), "{error}");
}
