//! A network between a store and a server, which a test disturbs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The fate of bytes on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Pass,
    /// The server hears, and its answers get lost.
    DropAnswers,
    /// Nothing arrives, in either direction, and no connection ends.
    Silent,
    /// Answers come later.
    Delay(Duration),
    /// A connection is reset as soon as something was sent to the server.
    ResetAfterRequest,
    /// A connection is reset as soon as something is sent, which the server does not hear.
    Reset,
}

/// A proxy on a port of its own. All its connections end with it.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    mode: watch::Sender<Mode>,
    /// Connections before this one stay silent for ever: half-open.
    half_open: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
    messages: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Way {
    number: usize,
    mode: watch::Receiver<Mode>,
    half_open: Arc<AtomicUsize>,
    messages: Arc<AtomicUsize>,
}

impl Proxy {
    /// Starts a proxy to a port of this machine.
    pub(crate) async fn start(to: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (mode, receiver) = watch::channel(Mode::Pass);
        let (half_open, connections, messages) = <(Arc<AtomicUsize>, Arc<_>, Arc<_>)>::default();
        let task = tokio::spawn({
            let way = Way {
                number: 0,
                mode: receiver,
                half_open: Arc::clone(&half_open),
                messages: Arc::clone(&messages),
            };
            accept(listener, to, way, Arc::clone(&connections))
        });
        Self { port, mode, half_open, connections, messages, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Lets the connections that there are fall silent for ever. New ones pass.
    pub(crate) fn half_open(&self) {
        self.half_open.store(self.connections(), Ordering::SeqCst);
    }

    /// Returns the connections that were made so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Returns how many messages to ledgers were sent so far.
    pub(crate) fn messages(&self) -> usize {
        self.messages.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, to: u16, way: Way, connections: Arc<AtomicUsize>) {
    // Dropped with this task, and then all connections end.
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        let number = connections.fetch_add(1, Ordering::SeqCst);
        let way = Way { number, ..way.clone() };
        // The end of a connection is a reset.
        client.set_zero_linger().expect("an option of a socket");
        tasks.spawn(async move {
            // If the server is down, the client's connection ends at once.
            let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { return };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::select! {
                () = requests(from_client, to_server, way.clone()) => {}
                () = answers(from_server, to_client, way) => {}
            }
        });
    }
}

impl Way {
    fn mode(&self) -> Mode {
        if self.number < self.half_open.load(Ordering::SeqCst) {
            return Mode::Silent;
        }
        *self.mode.borrow()
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: Way) {
    let mut bytes = vec![0; 1 << 16];
    loop {
        let Ok(length @ 1..) = from.read(&mut bytes).await else { return };
        let sent = &bytes[..length];
        let found = sent.windows(7).filter(|text| text == b"EVALSHA").count()
            + sent.windows(6).filter(|text| text == b"EVAL\r\n").count();
        way.messages.fetch_add(found, Ordering::SeqCst);
        match way.mode() {
            Mode::Silent => continue,
            Mode::Reset => return,
            _ => {}
        }
        if to.write_all(sent).await.is_err() || (way.mode() == Mode::ResetAfterRequest && found > 0)
        {
            return;
        }
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: Way) {
    let mut bytes = vec![0; 1 << 16];
    loop {
        let Ok(length @ 1..) = from.read(&mut bytes).await else { return };
        match way.mode() {
            Mode::Silent | Mode::DropAnswers => continue,
            Mode::Delay(delay) => tokio::time::sleep(delay).await,
            Mode::Pass | Mode::ResetAfterRequest => {}
            Mode::Reset => return,
        }
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}
