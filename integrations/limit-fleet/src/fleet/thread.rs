//! The thread of a fleet, from its start to its end.

use super::agent::FleetAgent;
use super::driver::Driver;
use super::error::StartError;
use super::figures::Board;
use super::plan::Plan;
use crate::message::Push;
use crate::{LeaseStore, LedgerName, process};
use limit_runtime::fleet;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// The number of pushes that wait for their task. A push that finds no room is dropped: pushes are only a
/// help, and a node that waits polls.
const PUSHES: usize = 1024;

/// The first pause before the store is opened again; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The thread, and the ways to end it.
pub(super) struct FleetThread {
    pub(super) process: String,
    pub(super) warnings: Vec<String>,
    /// Asks the thread to end when the calls that run have ended, or if it is dropped, at once.
    pub(super) stop: oneshot::Sender<()>,
    /// Disconnected when the thread has given the shares back.
    pub(super) ended: mpsc::Receiver<()>,
    /// The same, for those who wait without blocking.
    pub(super) left: oneshot::Receiver<()>,
}

/// Starts the thread, and waits until it has joined the fleet.
pub(super) async fn start<S: LeaseStore>(store: S, plan: Plan) -> Result<FleetThread, StartError> {
    let (stop, stopped) = oneshot::channel();
    let (ready, started) = oneshot::channel();
    let (ending, ended) = mpsc::channel();
    let process = process::name();
    let name = process.clone();
    let (leaving, left) = oneshot::channel();
    thread::Builder::new()
        .name("limit-fleet".to_owned())
        .spawn(move || {
            // Dropped last, also if the thread panics.
            let _ending: (mpsc::Sender<()>, oneshot::Sender<()>) = (ending, leaving);
            run(store, plan, name, ready, stopped);
        })
        .map_err(StartError::Thread)?;
    match started.await {
        Ok(Ok(warnings)) => Ok(FleetThread { process, warnings, stop, ended, left }),
        Ok(Err(error)) => Err(error),
        // The thread has panicked, and its message has been printed.
        Err(_) => Err(StartError::Thread(std::io::Error::other("it has panicked"))),
    }
}

fn run<S: LeaseStore>(
    store: S,
    plan: Plan,
    process: String,
    ready: oneshot::Sender<Result<Vec<String>, StartError>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(ready.send(Err(StartError::Thread(error)))),
    };
    runtime.block_on(async move {
        let store = Arc::new(store);
        let (push, pushes) = tokio::sync::mpsc::channel(PUSHES);
        let (warnings, is_open) = match store.open(&process, push.clone()).await {
            Ok(warnings) => (warnings, true),
            Err(error) if plan.lazily && error.may_pass() => (vec![error.to_string()], false),
            Err(error) => return drop(ready.send(Err(error.into()))),
        };
        let (wakes, woken) = tokio::sync::mpsc::unbounded_channel();
        let board = Arc::new(Board::default());
        let agent = FleetAgent { wakes, board: Arc::clone(&board) };
        if fleet::start(Arc::new(agent)).is_err() {
            return drop(ready.send(Err(StartError::AlreadyStarted)));
        }
        // From here on the core is told that the fleet is over, also if this thread panics.
        let _started = StopOnDrop;
        if ready.send(Ok(warnings)).is_err() {
            return;
        }
        if !is_open {
            let (store, process) = (Arc::clone(&store), process.clone());
            tokio::spawn(async move { open_again(&*store, &process, push).await });
        }
        Driver::new(store, plan, process, board).drive(woken, pushes, stopped).await;
    });
    // Without waiting for blocking work, such as a look-up of a host's name that hangs.
    runtime.shutdown_background();
}

/// Opens the store again and again until that succeeds.
async fn open_again<S: LeaseStore>(
    store: &S,
    process: &str,
    push: tokio::sync::mpsc::Sender<(LedgerName, Push)>,
) {
    let mut pause = FIRST_PAUSE;
    while store.open(process, push.clone()).await.is_err() {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Ends the fleet in the core.
struct StopOnDrop;

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        fleet::stop();
    }
}
