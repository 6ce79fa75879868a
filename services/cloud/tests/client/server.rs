//! A server of a few lines that answers as a test wants it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What it does with a request.
pub enum Answer {
    /// A status and a body.
    Says(u16, String),
    /// The same, as the last on this connection.
    SaysAndCloses(u16, String),
    /// Nothing: the connection ends.
    Closes,
}

/// What was asked, in order.
#[derive(Clone, Default)]
pub struct Heard {
    heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
}

// === impl Heard ===

impl Heard {
    /// The heads of all requests.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no thread has panicked").clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        *self.connections.lock().expect("no thread has panicked")
    }
}

/// Serves until the process ends; its endpoint, and what it hears. `answer` is given each request's head.
pub fn serve(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> (String, Heard) {
    serve_wrapped(Some, answer)
}

/// The same with something between it and the socket; a connection that cannot be wrapped is dropped.
pub fn serve_wrapped<S: Read + Write>(
    wrap: impl Fn(TcpStream) -> Option<S> + Send + Sync + 'static,
    answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = listener.local_addr().expect("an address").to_string();
    let heard = Heard::default();
    let shared = Arc::new((wrap, answer, heard.clone()));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (wrap, answer, heard) = &*shared;
                *heard.connections.lock().expect("no thread has panicked") += 1;
                if let Some(stream) = wrap(stream) {
                    converse(stream, answer, heard);
                }
            });
        }
    });
    (endpoint, heard)
}

fn converse(mut stream: impl Read + Write, answer: &dyn Fn(&str) -> Answer, heard: &Heard) {
    while let Some(head) = head(&mut stream) {
        let said = answer(&head);
        heard
            .heads
            .lock()
            .expect("no thread has panicked")
            .push(head);
        let (status, body, closes) = match said {
            Answer::Says(status, body) => (status, body, false),
            Answer::SaysAndCloses(status, body) => (status, body, true),
            Answer::Closes => return,
        };
        let length = body.len();
        let kept = if closes { "close" } else { "keep-alive" };
        let text = format!(
            "HTTP/1.1 {status} x\r\nconnection: {kept}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let sent = stream
            .write_all(text.as_bytes())
            .and_then(|()| stream.flush());
        if sent.is_err() || closes {
            return;
        }
    }
}

/// A request's head; calls here have no body.
fn head(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    String::from_utf8(head).ok()
}
