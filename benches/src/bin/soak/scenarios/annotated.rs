//! Calls functions with the attribute. Their limiters live for ever, and each function counts the
//! calls inside.

use crate::provoked;
use crate::random::Random;
use crate::score::{self, Fault, fault};
use crate::stage::{Numbered, Stage, wait_for_all};
use limit_runtime::{Rejected, concurrency_limit};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tokio::task::yield_now;
use tokio::time::timeout;

/// A count of the calls inside a function.
#[derive(Debug, Default)]
struct Room(AtomicUsize);

struct Inside<'a>(&'a Room);

impl Room {
    const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Counts one more, until the result is dropped.
    fn enter(&self, limit: usize, name: &str) -> Inside<'_> {
        let inside = self.0.fetch_add(1, SeqCst) + 1;
        if inside > limit {
            fault(Fault::OverTheCap, &format!("{name}: {inside} are inside, the limit is {limit}"));
        }
        Inside(self)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, SeqCst);
        score::count_call();
    }
}

static PROCESS: Room = Room::new();
static LIFO: Room = Room::new();
static BLOCKING: Room = Room::new();
static KEYS: [Room; 3] = [const { Room::new() }; 3];
static ALL_KEYS: Room = Room::new();

#[concurrency_limit(3)]
async fn in_a_runtime(room: Arc<Room>, turns: u32) {
    let _inside = room.enter(3, "in_a_runtime");
    body(turns).await;
}

#[concurrency_limit(2, scope = process)]
async fn in_the_process(turns: u32) {
    let _inside = PROCESS.enter(2, "in_the_process");
    body(turns).await;
}

#[concurrency_limit(1, scope = process, max_waiting = 3, max_wait = "3ms", order = lifo)]
async fn newest_first(turns: u32) -> Result<(), Rejected> {
    let _inside = LIFO.enter(1, "newest_first");
    body(turns).await;
    Ok(())
}

#[concurrency_limit(2, scope = process, key = key, total = 4)]
async fn for_a_key(key: usize, turns: u32) {
    let _total = ALL_KEYS.enter(4, "for_a_key, all keys");
    let _inside = KEYS[key].enter(2, "for_a_key");
    body(turns).await;
}

#[concurrency_limit(2, scope = process, blocking)]
fn on_a_thread(turns: u32) {
    let _inside = BLOCKING.enter(2, "on_a_thread");
    std::thread::sleep(Duration::from_micros(turns.into()));
}

/// Yields `turns` times. With 3 turns it panics.
async fn body(turns: u32) {
    for _ in 0..turns {
        yield_now().await;
    }
    if turns == 3 {
        provoked::provoke();
    }
}

pub(crate) fn act(stage: &Arc<Stage>, mut random: Random) -> Vec<Numbered> {
    while stage.may_call() {
        let numbered = Numbered::any(&mut random);
        let (room, until) = (Arc::default(), Instant::now() + random.micros(1_000, 40_000));
        let tasks: Vec<_> = (0..random.between(2, 8))
            .map(|_| {
                let (stage, room, random) = (Arc::clone(stage), Arc::clone(&room), random.fork());
                numbered.runtime.spawn(calls(stage, room, until, random))
            })
            .collect();
        numbered.runtime.block_on(wait_for_all(tasks));
    }
    Vec::new()
}

async fn calls(stage: Arc<Stage>, room: Arc<Room>, until: Instant, mut random: Random) {
    while stage.may_call() && Instant::now() < until {
        let turns = random.below(4);
        let key = random.below(3) as usize;
        let room = Arc::clone(&room);
        let call = random.below(5);
        let calls = async move {
            match call {
                0 => in_a_runtime(room, turns).await,
                1 => in_the_process(turns).await,
                2 => drop(newest_first(turns).await),
                3 => for_a_key(key, turns).await,
                _ => on_a_thread(turns).await,
            }
        };
        // The call runs in a task of its own, because it may panic.
        let mut task = tokio::spawn(calls);
        if random.one_in(4) {
            if timeout(random.micros(0, 2_000), &mut task).await.is_ok() {
                continue;
            }
            task.abort();
        }
        drop(task.await);
    }
}
