//! Takes snapshots of limiters, listens to them and drains them while others use them.

use crate::account::{Account, counted};
use crate::provoked::catch;
use crate::random::Random;
use crate::stage::{Numbered, Stage};
use std::sync::Arc;
use std::thread;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::time::timeout;

pub(crate) fn act(stage: &Arc<Stage>, mut random: Random) -> Vec<Numbered> {
    let numbered = Numbered::one_thread();
    let mut seen = vec![0; stage.shared().len()];
    let mut events = None;
    let pause = random.between(10, 1_500);
    while stage.may_call() {
        let number = random.below(u32::try_from(seen.len()).expect("there are few")) as usize;
        let subject = &stage.shared()[number];
        match random.below(16) {
            0 => events = catch(|| subject.limiter.subscribe()),
            1 => events = None,
            2 => {
                let pause = random.micros(0, 3_000);
                let drain = async { drop(timeout(pause, subject.limiter.drain()).await) };
                // The drain may wake others, whose wakers panic.
                catch(|| numbered.runtime.block_on(drain));
            }
            3 => drop(limit_runtime::limiters()),
            4 => drop(limit_runtime::find(subject.limiter.name())),
            _ => {
                let Some(snapshot) = catch(|| subject.limiter.snapshot()) else { continue };
                let count = counted(&snapshot.total);
                check(&subject.account, &mut seen[number], count);
            }
        }
        while let Some(events) = &mut events {
            match events.try_recv() {
                Ok(_) | Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        thread::sleep(random.micros(0, pause));
    }
    drop(events);
    // Nobody makes new calls, so each drain ends.
    for subject in stage.shared() {
        catch(|| numbered.runtime.block_on(subject.limiter.drain()));
    }
    vec![numbered]
}

/// Checks that a limiter's count does not go back, and is no higher than the number of calls made.
fn check(account: &Account, seen: &mut u64, count: u64) {
    // The soak counts a call before the limiter does.
    let made = account.made();
    if count < *seen || count > made {
        account.lost(format_args!("{count} calls are counted, after {seen}, of {made} made"));
    }
    *seen = count;
}
