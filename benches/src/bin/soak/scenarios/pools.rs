//! Runs pools of tasks. Some tasks panic, and some are aborted.

use crate::provoked;
use crate::random::Random;
use crate::score::{self, Fault, fault};
use crate::stage::{Numbered, Stage};
use limit_runtime::task::Pool;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::task::yield_now;

pub(crate) fn act(stage: &Arc<Stage>, mut random: Random) -> Vec<Numbered> {
    while stage.may_call() {
        let numbered = Numbered::any(&mut random);
        numbered.runtime.block_on(pool(&mut random));
        stage.sleep(random.micros(0, 500));
    }
    Vec::new()
}

async fn pool(random: &mut Random) {
    let places = random.between(1, 4) as usize;
    let (pool, inside) = (Pool::new(places), Arc::new(AtomicUsize::new(0)));
    for _ in 0..random.below(30) {
        let (inside, turns) = (Arc::clone(&inside), random.below(8));
        let task = pool.spawn(async move {
            let now = inside.fetch_add(1, SeqCst) + 1;
            let _leave = Leave(inside);
            if now > places {
                fault(Fault::OverTheCap, &format!("{now} tasks in a pool with {places} places"));
            }
            for _ in 0..turns {
                yield_now().await;
            }
            if turns == 7 {
                provoked::provoke();
            }
        });
        if random.one_in(8) {
            task.await.abort();
        } else {
            drop(task.await);
        }
    }
    if random.one_in(4) {
        pool.abort_all();
    }
    if !random.one_in(4) {
        // The error means that tasks have panicked, as they should.
        drop(pool.join_all().await);
        let snapshot = pool.limiter().snapshot();
        if snapshot.total.in_use + snapshot.total.waiting + pool.len() > 0 {
            fault(Fault::Lost, &format!("a pool that was waited for: {snapshot}"));
        }
    }
}

struct Leave(Arc<AtomicUsize>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
        score::count_call();
    }
}
