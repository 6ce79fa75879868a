//! One outgoing stream: opened, kept, opened again after a while when it breaks.

use super::links::{Context, QUEUE_BATCHES_MAX};
use super::{Address, Greeting, MESSAGE_BYTES_MAX, channel};
use berth_proto::peer::v1::peer_client::PeerClient;
use berth_proto::peer::v1::{ExchangeEnd, Frame};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Response, Status};
use tracing::{debug, warn};

/// After the first failure; doubled up to the longest, far below an election's patience.
const BACKOFF_FIRST: Duration = Duration::from_millis(50);
const BACKOFF_LONGEST: Duration = Duration::from_secs(1);
/// A frame is closed once it has this much; its limit leaves room for one more of raft's largest messages.
const FRAME_BYTES: usize = 1024 * 1024;
/// Frames on their way into HTTP/2; more would only be old when they arrive.
const FRAMES_UNDER_WAY: usize = 4;

pub(super) struct Link {
    context: Context,
    address: Address,
    batches: mpsc::Receiver<Vec<Bytes>>,
    /// Taken from the queue, not yet in a frame.
    pending: VecDeque<Bytes>,
}

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot be called")]
    Endpoint(#[from] tonic::transport::Error),
    #[error("{}", .0.message())]
    Refused(Status),
    #[error("the other side ended the stream")]
    Ended,
}

// === impl Error ===

impl Error {
    /// The other side has said no, and why; anything else may pass by itself.
    fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(status) if status.code() == Code::PermissionDenied)
    }
}

fn why(ended: Result<Response<ExchangeEnd>, Status>) -> Error {
    match ended {
        Ok(_) => Error::Ended,
        Err(status) => Error::Refused(status),
    }
}

/// The queue's sender is gone: nobody wants this link any more.
struct Closed;

// === impl Link ===

impl Link {
    pub(super) fn new(
        context: Context,
        address: Address,
        batches: mpsc::Receiver<Vec<Bytes>>,
    ) -> Self {
        Self {
            context,
            address,
            batches,
            pending: VecDeque::new(),
        }
    }

    /// Until the queue is closed.
    pub(super) async fn run(mut self) {
        let mut backoff = BACKOFF_FIRST;
        let mut last_said = String::new();
        loop {
            let begun = Instant::now();
            let Some(error) = self.stream().await else {
                return;
            };
            self.context.replica.unreachable(self.address.member);
            if error.is_refusal() {
                self.context.replica.disagrees();
            }
            if begun.elapsed() > BACKOFF_LONGEST {
                (backoff, last_said) = (BACKOFF_FIRST, String::new());
            }
            self.say(&error, &mut last_said);
            if self.discard_for(backoff).await.is_err() {
                return;
            }
            backoff = (backoff * 2).min(BACKOFF_LONGEST);
        }
    }

    /// Says why, once as long as the reason is the same.
    fn say(&self, error: &Error, last_said: &mut String) {
        let text = error.to_string();
        if text != *last_said {
            let Address {
                member,
                name,
                endpoint,
            } = &self.address;
            warn!(%member, name, %endpoint, reason = %text, "no link to a replica");
            *last_said = text;
        }
    }

    /// One stream from greeting to end; none = nobody wants the link any more.
    async fn stream(&mut self) -> Option<Error> {
        let channel = match channel(&self.address.endpoint, self.context.certificates.as_ref()) {
            Ok(channel) => channel.connect().await,
            Err(error) => Err(error),
        };
        let mut client = match channel {
            Ok(channel) => PeerClient::new(channel).max_encoding_message_size(MESSAGE_BYTES_MAX),
            Err(error) => return Some(error.into()),
        };
        let (frames, body) = mpsc::channel(FRAMES_UNDER_WAY);
        let greeting = Greeting::frame(&self.context.myself, self.address.member);
        // The channel is new and has room.
        frames.try_send(greeting).ok()?;
        let mut call = std::pin::pin!(client.exchange(ReceiverStream::new(body)));
        debug!(member = %self.address.member, endpoint = %self.address.endpoint, "link to a replica");
        loop {
            if self.pending.is_empty() {
                tokio::select! {
                    ended = &mut call => return Some(why(ended)),
                    batch = self.batches.recv() => self.pending.extend(batch?),
                }
            }
            let frame = self.pack();
            tokio::select! {
                ended = &mut call => return Some(why(ended)),
                sent = frames.send(frame) => if sent.is_err() {
                    return Some(Error::Ended);
                },
            }
        }
    }

    /// What is queued, in order, up to a frame's size; one message at least.
    fn pack(&mut self) -> Frame {
        let (mut messages, mut bytes) = (Vec::new(), 0);
        while bytes < FRAME_BYTES {
            if self.pending.is_empty() {
                let Ok(more) = self.batches.try_recv() else {
                    break;
                };
                self.pending.extend(more);
                continue;
            }
            let Some(message) = self.pending.pop_front() else {
                break;
            };
            bytes += message.len();
            messages.push(message);
        }
        Frame {
            messages,
            vitals: Some(self.context.replica.vitals().into()),
            ..Frame::default()
        }
    }

    /// Old raft messages are worse than none: what comes while there is no stream is dropped.
    async fn discard_for(&mut self, time: Duration) -> Result<(), Closed> {
        self.pending.clear();
        let end = tokio::time::sleep(time);
        tokio::pin!(end);
        let mut dropped = Vec::with_capacity(QUEUE_BATCHES_MAX);
        loop {
            tokio::select! {
                () = &mut end => return Ok(()),
                count = self.batches.recv_many(&mut dropped, QUEUE_BATCHES_MAX) => {
                    if count == 0 {
                        return Err(Closed);
                    }
                    dropped.clear();
                }
            }
        }
    }
}
