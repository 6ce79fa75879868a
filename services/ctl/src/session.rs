//! The cluster as the command line names it: one client for whoever leads, and one per endpoint for what each says of itself.

use berth_client::{Client, Options, TlsFiles};
use berth_proto::v1;
use tokio::task::JoinHandle;

use crate::arguments::Connection;
use crate::error::Error;
use crate::output::Format;

/// The most that the servers give at once; a longer list takes more calls.
pub const PAGE_SIZE: u32 = 500;

/// What every command is given.
#[derive(Debug)]
pub struct Session {
    client: Client,
    endpoints: Vec<String>,
    format: Format,
}

// === impl Session ===

impl Session {
    /// Checks the options; connects to nobody yet.
    pub fn open(connection: &Connection, format: Format) -> Result<Self, Error> {
        let identity = connection.tls_cert.clone().zip(connection.tls_key.clone());
        let tls = match (&connection.tls_ca, identity) {
            (Some(authority), identity) => Some(TlsFiles {
                authority: authority.clone(),
                identity,
                server_name: None,
            }),
            (None, Some(_)) => return Err(Error::NoAuthority),
            (None, None) => None,
        };
        let endpoints = connection.endpoints.clone();
        let options = Options {
            tls,
            deadline: connection.timeout,
            // Who mistyped an endpoint wants to hear of it at once.
            wait_for_server: false,
            traceparent: std::env::var("TRACEPARENT").ok(),
            ..Options::endpoints(&endpoints)
        };
        Ok(Self {
            client: Client::new(options)?,
            endpoints,
            format,
        })
    }

    /// Asks whoever leads.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// How the answer will be printed.
    pub fn format(&self) -> Format {
        self.format
    }

    /// As given.
    pub fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    /// What every endpoint given says of itself.
    pub async fn each_cluster_status(
        &self,
    ) -> Vec<(String, Result<v1::ClusterStatusResponse, Error>)> {
        // All at once: the time limit is of the whole command, and those that are away use all of it.
        let asked = self.client.each().into_iter().map(|(endpoint, client)| {
            let asking = async move { client.cluster_status(Default::default()).await };
            (endpoint, tokio::spawn(asking))
        });
        gathered(asked.collect()).await
    }

    /// What each of these endpoints says of itself, all asked at once.
    pub async fn each<R, F, A>(&self, endpoints: &[String], ask: F) -> Result<Answers<R>, Error>
    where
        R: Send + 'static,
        F: Fn(Client) -> A,
        A: Future<Output = Result<R, berth_client::Error>> + Send + 'static,
    {
        let mut asked = Vec::new();
        for endpoint in endpoints {
            let client = self.client.only(endpoint)?;
            asked.push((endpoint.clone(), tokio::spawn(ask(client))));
        }
        Ok(gathered(asked).await)
    }

    /// What this endpoint says of itself.
    pub async fn cluster_status_of(
        &self,
        endpoint: &str,
    ) -> Result<v1::ClusterStatusResponse, Error> {
        let client = self.client.only(endpoint)?;
        Ok(client.cluster_status(v1::ClusterStatusRequest {}).await?)
    }
}

/// Every endpoint's answer, in the order asked.
pub type Answers<R> = Vec<(String, Result<R, Error>)>;

async fn gathered<R>(
    asked: Vec<(String, JoinHandle<Result<R, berth_client::Error>>)>,
) -> Answers<R> {
    let mut answers = Vec::new();
    for (endpoint, asking) in asked {
        let answer = match asking.await {
            Ok(answer) => answer.map_err(Error::from),
            Err(stopped) => Err(Error::Stopped(stopped)),
        };
        answers.push((endpoint, answer));
    }
    answers
}
