//! When a server is ready is when its health says so, not when it listens.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use berth_loadtest::ready::ready;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic_health::ServingStatus;

/// Serves health alone, on a thread of its own: `status`, until somebody sends another.
fn serve(status: ServingStatus) -> (SocketAddr, tokio::sync::mpsc::Sender<ServingStatus>) {
    let (told, address) = mpsc::channel();
    let (change, mut changes) = tokio::sync::mpsc::channel::<ServingStatus>(1);
    std::thread::spawn(move || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            told.send(listener.local_addr().expect("an address"))
                .expect("someone waits");
            let (reporter, service) = tonic_health::server::health_reporter();
            let name = "berth.v1.Allocator";
            reporter.set_service_status(name, status).await;
            tokio::spawn(async move {
                while let Some(status) = changes.recv().await {
                    reporter.set_service_status(name, status).await;
                }
            });
            let server = Server::builder().add_service(service);
            let incoming = TcpListenerStream::new(listener);
            server.serve_with_incoming(incoming).await.expect("served");
        });
    });
    (address.recv().expect("it starts"), change)
}

/// Promise: what listens and does not serve yet is not ready, and the reason is said.
#[test]
fn listening_is_not_serving() {
    let (address, _change) = serve(ServingStatus::NotServing);
    let error = ready(&format!("http://{address}"), Duration::from_millis(300)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("berth.v1.Allocator is NOT_SERVING"), "{text}");
}

/// Promise: it is ready once health says so; what else it is asked for afterwards is the server's own answer.
#[test]
fn serving_is_ready() {
    let (address, change) = serve(ServingStatus::NotServing);
    change
        .blocking_send(ServingStatus::Serving)
        .expect("it listens");
    let error = ready(&format!("http://{address}"), Duration::from_secs(20)).unwrap_err();
    // Past health: the stand-in has no vSwitches to be counted.
    assert!(error.to_string().contains("list vSwitches"), "{error}");
}
