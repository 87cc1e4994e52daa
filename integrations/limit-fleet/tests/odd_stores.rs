//! The thread of a fleet, with stores that do not keep to their contract.
//!
//! A process has one fleet at a time, so the tests take turns.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use limit_fleet::ledger::View;
use limit_fleet::message::{Answer, Push, Renewal, Times};
use limit_fleet::{Fleet, LeaseStore, LedgerName, MemoryStore, StoreError};
use limit_runtime::{Limiter, RejectedKind, Scope};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

static TURN: Mutex<()> = Mutex::const_new(());

/// The time after which a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The ways in which a store is odd.
#[derive(Clone, Copy, PartialEq)]
enum Oddity {
    Panics,
    AnswersAnother,
    NeverAnswers,
    LeavesWork,
}

/// A store that is odd at its first message, or for ever.
struct Odd {
    inner: MemoryStore,
    oddity: Oddity,
    is_first: AtomicBool,
    /// Work that is left behind ends when the sender is dropped.
    work: std::sync::Mutex<Option<Receiver<()>>>,
}

impl Odd {
    fn new(oddity: Oddity) -> Self {
        Self {
            inner: MemoryStore::new(),
            oddity,
            is_first: AtomicBool::new(true),
            work: std::sync::Mutex::default(),
        }
    }
}

impl LeaseStore for Odd {
    async fn renew(
        &self,
        ledger: &LedgerName,
        times: &Times,
        renewal: &Renewal,
    ) -> Result<Answer, StoreError> {
        let is_first = self.is_first.swap(false, Ordering::SeqCst);
        let answer = self.inner.renew(ledger, times, renewal).await?;
        match self.oddity {
            Oddity::Panics => assert!(!is_first, "the store panics once"),
            Oddity::AnswersAnother if is_first => {
                return Ok(Answer { seq: answer.seq + 1, ..answer });
            }
            Oddity::NeverAnswers => pending().await,
            Oddity::LeavesWork if is_first => {
                let work = self.work.lock().expect("no panic").take();
                tokio::task::spawn_blocking(move || work.map(|work| work.recv()));
            }
            _ => {}
        }
        Ok(answer)
    }

    async fn open(
        &self,
        process: &str,
        pushes: mpsc::Sender<(LedgerName, Push)>,
    ) -> Result<Vec<String>, StoreError> {
        self.inner.open(process, pushes).await
    }

    async fn find(&self, ledger: &LedgerName) -> Result<Option<View>, StoreError> {
        self.inner.find(ledger).await
    }

    async fn read(&self, namespace: Option<&str>) -> Result<Vec<(LedgerName, View)>, StoreError> {
        self.inner.read(namespace).await
    }
}

async fn start(store: Odd) -> Fleet {
    let fleet = Fleet::on(store).lease(Duration::from_secs(1)).start().await;
    fleet.expect("no other fleet is started")
}

fn limiter(name: &str) -> Limiter {
    Limiter::named(name.to_owned(), 1).scope(Scope::Fleet)
}

#[tokio::test]
async fn a_store_that_panics_costs_one_attempt() {
    let _turn = TURN.lock().await;
    let fleet = start(Odd::new(Oddity::Panics)).await;
    let limiter = limiter("panics");
    drop(timeout(PATIENCE, limiter.acquire()).await.expect("a permit"));
    fleet.stop().await;
}

#[tokio::test]
async fn an_answer_to_another_message_costs_one_attempt() {
    let _turn = TURN.lock().await;
    let fleet = start(Odd::new(Oddity::AnswersAnother)).await;
    let limiter = limiter("answers another");
    drop(timeout(PATIENCE, limiter.acquire()).await.expect("a permit"));
    fleet.stop().await;
}

#[tokio::test]
async fn a_store_that_never_answers_is_unavailable() {
    let _turn = TURN.lock().await;
    let fleet = start(Odd::new(Oddity::NeverAnswers)).await;
    let limiter = limiter("never").max_waiting(9);
    let rejected = timeout(PATIENCE, limiter.acquire()).await.expect("an answer");
    assert_eq!(rejected.expect_err("no permit").kind(), RejectedKind::Unavailable);
    fleet.stop().await;
}

#[tokio::test]
async fn the_stop_does_not_wait_for_blocking_work_of_the_store() {
    let _turn = TURN.lock().await;
    let store = Odd::new(Oddity::LeavesWork);
    let (_busy, work) = std::sync::mpsc::channel();
    *store.work.lock().expect("no panic") = Some(work);
    let fleet = start(store).await;
    let limiter = limiter("leaves work");
    drop(timeout(PATIENCE, limiter.acquire()).await.expect("a permit"));
    timeout(PATIENCE, fleet.stop()).await.expect("the end");
}
