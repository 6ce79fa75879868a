//! A simulated cloud on a socket.

use berth_cloud::simulator::http::Server;
use berth_cloud::simulator::{Setup, Simulator};
use clap::Parser;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::net::TcpListener;

/// Alibaba Cloud's ECS and VPC calls for ENIs and addresses, simulated: the same wire, codes, quotas and delays, without an account.
///
/// Prints where it listens and which variables lead a client to it, and ends with Ctrl-C. Everything is lost with its end.
#[derive(Debug, Parser)]
#[command(name = "cloud-sim", version)]
struct Options {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The world as JSON; without it a small one that is built in. `--print-setup` shows what can stand there.
    #[arg(long)]
    setup: Option<PathBuf>,
    /// Where chance begins: the same seed and the same calls give the same answers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long an ENI is attaching, in ms.
    #[arg(long)]
    attach_ms: Option<u64>,
    /// Prints the world as JSON, and ends.
    #[arg(long)]
    print_setup: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(said) => {
            eprintln!("cloud-sim: {said}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), String> {
    let mut setup = match &options.setup {
        Some(file) => read(file)?,
        None => Setup::built_in(),
    };
    if let Some(attach_ms) = options.attach_ms {
        setup.times.attach_ms = attach_ms;
    }
    if options.print_setup {
        let text = serde_json::to_string_pretty(&setup).map_err(|error| error.to_string())?;
        println!("{text}");
        return Ok(());
    }
    let listener = TcpListener::bind(options.listen).await;
    let listener =
        listener.map_err(|error| format!("cannot listen at {}: {error}", options.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("cloud-sim listens at {address}");
    println!("  ECS_ENDPOINT=http://{address} VPC_ENDPOINT=http://{address}");
    println!("  STS_ENDPOINT=http://{address} ECS_METADATA_ENDPOINT=http://{address}");
    if let Some(key) = setup.keys.first() {
        println!(
            "  ALIBABA_CLOUD_ACCESS_KEY_ID={} ALIBABA_CLOUD_ACCESS_KEY_SECRET={}",
            key.id, key.secret
        );
    }
    let server = Server::new(Simulator::new(setup, options.seed));
    tokio::select! {
        ended = server.serve(listener) => ended.map_err(|error| error.to_string()),
        ended = tokio::signal::ctrl_c() => ended.map_err(|error| error.to_string()),
    }
}

fn read(file: &Path) -> Result<Setup, String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| said(&error))?;
    serde_json::from_str(&text).map_err(|error| said(&error))
}
