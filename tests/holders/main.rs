//! Lists of holders and waiters (feature `diagnostics`).
//!
//! Recording is switched on and off for the whole process, so that the tests take turns.

mod long;
mod places;

use limit_runtime::diagnostics::{self, Call};
use limit_runtime::{KeyedLimiter, Limiter, Permit, find};
use limit_tests::programs::is_alone;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake};
use std::time::{Duration, Instant, SystemTime};
use tokio::runtime::Builder;
use tokio_test::{assert_pending, assert_ready, task};

/// While this lives, calls are recorded and no other test runs.
struct Turn {
    _turn: MutexGuard<'static, ()>,
}

fn turn() -> Turn {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    diagnostics::record(true);
    Turn { _turn: turn }
}

fn lines(calls: &[Call]) -> Vec<u32> {
    calls.iter().map(|call| call.place().line()).collect()
}

#[test]
fn holders_are_listed_oldest_first_until_they_give_back() {
    let _turn = turn();
    let limiter = Limiter::new("holders-listed", 3);
    assert!(limiter.holders().is_empty());
    let before = SystemTime::now();
    let (first, line) = (limiter.try_acquire().expect("free"), line!());
    let second = limiter.acquire_many(2);
    let second = assert_ready!(task::spawn(second).poll()).expect("free");
    let holders = limiter.holders();
    assert_eq!(lines(&holders), [line, line + 1]);
    assert_eq!(holders.iter().map(Call::weight).collect::<Vec<_>>(), [1, 2]);
    assert!(holders[0].age() >= holders[1].age());
    assert!(holders.iter().all(|holder| holder.limiter() == "holders-listed"));
    assert!(holders.iter().all(|holder| holder.place().file().ends_with("main.rs")));
    assert!(holders.iter().all(|holder| holder.task().is_none()));
    assert!(holders[0].started() >= before - Duration::from_secs(60));
    assert_eq!(holders[0].started(), holders[0].started(), "it stays what it was");
    let told = holders[1].to_string();
    assert!(told.contains("main.rs:") && told.ends_with(", outside any task, 2 permits"), "{told}");
    drop(first);
    assert_eq!(lines(&limiter.holders()), [line + 1]);
    drop(second);
    assert!(limiter.holders().is_empty());
}

#[test]
fn waiters_are_listed_until_they_are_served_or_give_up() {
    let _turn = turn();
    let limiter = Limiter::new("holders-waiters", 1);
    let held = limiter.try_acquire().expect("free");
    let (mut first, line) = (task::spawn(limiter.acquire()), line!());
    let mut second = task::spawn(limiter.acquire());
    assert!(limiter.waiters().is_empty(), "they have not been polled");
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    assert_eq!(lines(&limiter.waiters()), [line, line + 1]);
    drop(held);
    let held = assert_ready!(first.poll());
    assert_eq!(lines(&limiter.waiters()), [line + 1]);
    assert_eq!(lines(&limiter.holders()), [line]);
    drop(second);
    assert!(limiter.waiters().is_empty());
    drop(held);
    assert!(limiter.holders().is_empty());
}

#[test]
fn a_holder_is_gone_before_the_next_is_woken() {
    /// A waker that notes how many holders there are when it is called.
    struct Looks(Arc<Limiter>, AtomicUsize);

    impl Wake for Looks {
        fn wake(self: Arc<Self>) {
            self.1.store(self.0.holders().len(), Ordering::Relaxed);
        }
    }

    let _turn = turn();
    let limiter = Arc::new(Limiter::new("holders-woken", 1));
    let held = limiter.try_acquire().expect("free");
    let looks = Arc::new(Looks(Arc::clone(&limiter), AtomicUsize::new(usize::MAX)));
    let mut waiter = pin!(limiter.acquire());
    assert_pending!(waiter.as_mut().poll(&mut Context::from_waker(&Arc::clone(&looks).into())));
    drop(held);
    assert_eq!(looks.1.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_was_refused_is_not_listed_even_if_its_future_is_kept() {
    let _turn = turn();
    let limiter = Limiter::new("holders-refused", 1).max_waiting(2);
    let _held = limiter.try_acquire();
    let mut late = task::spawn(limiter.acquire().max_wait(Duration::from_millis(1)));
    let mut heavy = task::spawn(limiter.acquire_many(1));
    assert_pending!(late.poll());
    assert_pending!(heavy.poll());
    assert_eq!(limiter.waiters().len(), 2);
    tokio::time::advance(Duration::from_millis(5)).await;
    assert_ready!(late.poll()).expect_err("its time is up");
    assert_eq!(limiter.waiters().len(), 1);
    limiter.close();
    assert_ready!(heavy.poll()).expect_err("it is closed");
    assert!(limiter.waiters().is_empty());
}

#[test]
fn a_waiter_whose_runtime_ended_has_waited_since_it_began() {
    let _turn = turn();
    let limiter = Limiter::new("holders-moved", 1);
    let runtimes = [(); 2].map(|()| Builder::new_current_thread().build().expect("a runtime"));
    let _permits =
        runtimes.each_ref().map(|runtime| runtime.block_on(async { limiter.acquire().await }));
    let [one, other] = runtimes;
    let mut waiter = task::spawn(limiter.acquire());
    {
        let _context = one.enter();
        assert_pending!(waiter.poll());
    }
    let begun = Instant::now();
    drop(one);
    assert_eq!(limiter.waiters().len(), 1, "it does not know yet");
    let _context = other.enter();
    assert_pending!(waiter.poll());
    let least = begun.elapsed();
    let [waiter] = &limiter.waiters()[..] else { panic!("one waits") };
    assert!(waiter.age() >= least, "{:?} and not {least:?}", waiter.age());
}

#[test]
fn a_waiter_whose_runtime_ended_is_listed_until_it_has_asked_again() {
    let _turn = turn();
    let limiter = Limiter::new("holders-again", 1).max_waiting(2);
    let [one, other] = [(); 2].map(|()| Builder::new_current_thread().build().expect("a runtime"));
    let _permit = one.block_on(async { limiter.acquire().await }).expect("a permit is free");
    let mut waiters = [(); 2].map(|()| task::spawn(limiter.acquire_many(1)));
    let context = one.enter();
    for waiter in &mut waiters {
        assert_pending!(waiter.poll());
    }
    drop(context);
    drop(one);
    let _context = other.enter();
    let [first, second] = &mut waiters;
    let permit = assert_ready!(first.poll()).expect("the other runtime's permit is free");
    assert_eq!((limiter.waiters().len(), limiter.holders().len()), (1, 2));
    limiter.close();
    assert_ready!(second.poll()).expect_err("it is closed");
    assert!(limiter.waiters().is_empty());
    drop(permit);
}

#[tokio::test]
async fn tasks_are_known_by_their_number() {
    static LIMITER: Limiter = Limiter::new("holders-tasks", 1);
    let _turn = turn();
    let task = tokio::spawn(async {
        let _permit = LIMITER.acquire().await;
        std::future::pending::<()>().await;
    });
    tokio::task::yield_now().await;
    let holders = LIMITER.holders();
    assert_eq!(holders[0].task(), Some(task.id()));
    assert!(holders[0].to_string().ends_with(&format!(", task {}", task.id())));
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert!(LIMITER.holders().is_empty());
}

#[test]
fn all_runtimes_are_seen_and_no_other_limiter() {
    static LIMITER: Limiter = Limiter::new("holders-runtimes", 1);
    let _turn = turn();
    let other = Limiter::new("holders-other", 1);
    let _other = other.try_acquire();
    let runtimes = [(); 3].map(|()| Builder::new_current_thread().build().expect("a runtime"));
    let permits =
        runtimes.each_ref().map(|runtime| runtime.block_on(async { LIMITER.acquire().await }));
    assert_eq!(LIMITER.holders().len(), 3);
    drop(permits);
    assert!(LIMITER.holders().is_empty());
    assert_eq!(other.holders().len(), 1);
    let handle = find("holders-other").expect("it has been used");
    assert_eq!((handle.holders().len(), handle.waiters().len()), (1, 0));
}

#[test]
fn while_it_is_off_nothing_is_recorded() {
    let _turn = turn();
    let limiter = Limiter::new("holders-off", 3);
    diagnostics::record(false);
    let unseen = limiter.try_acquire();
    assert!(limiter.holders().is_empty());
    diagnostics::record(true);
    let seen = limiter.try_acquire();
    assert_eq!(limiter.holders().len(), 1);
    diagnostics::record(false);
    drop((unseen, seen));
    assert!(limiter.holders().is_empty(), "what was recorded is taken back all the same");
}

#[test]
fn nothing_is_recorded_before_it_is_switched_on_whatever_the_build() {
    if !is_alone("nothing_is_recorded_before_it_is_switched_on_whatever_the_build") {
        return;
    }
    let limiter = Limiter::new("holders-before", 2);
    assert!(!diagnostics::is_recording());
    let unseen = limiter.try_acquire().expect("free");
    let mut waits = task::spawn(limiter.acquire_many(2));
    assert_pending!(waits.poll());
    assert!(limiter.holders().is_empty() && limiter.waiters().is_empty());
    diagnostics::record(true);
    assert!(diagnostics::is_recording());
    assert!(limiter.holders().is_empty(), "calls that were admitted before are not seen");
    drop(waits);
    let seen = limiter.try_acquire().expect("free");
    assert_eq!(limiter.holders().len(), 1);
    drop((unseen, seen));
    assert!(limiter.holders().is_empty());
}

#[test]
fn who_takes_no_permits_holds_none() {
    let _turn = turn();
    let limiter = Limiter::new("holders-none", 1);
    let _none = assert_ready!(task::spawn(limiter.acquire().weight(0)).poll());
    let _free = assert_ready!(task::spawn(limiter.acquire().enabled(false)).poll());
    assert!(limiter.holders().is_empty());
}

#[test]
fn a_list_made_under_load_is_of_its_limiter_alone_and_empty_in_the_end() {
    let _turn = turn();
    let limiter = Limiter::new("holders-load", 4);
    let keyed: KeyedLimiter = Limiter::new("holders-load-keyed", 2).keyed().total(3);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (limiter, keyed, stop) = (&limiter, &keyed, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    drop(futures::executor::block_on(limiter.acquire()));
                    drop(futures::executor::block_on(keyed.key(thread % 2).acquire()));
                }
            });
        }
        for _ in 0..2_000 {
            let (holders, keyed) = (limiter.holders(), keyed.holders());
            let named = |calls: &[Call], name| calls.iter().all(|call| call.limiter() == name);
            assert!(named(&holders, "holders-load") && named(&keyed, "holders-load-keyed"));
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(limiter.holders().is_empty() && limiter.waiters().is_empty());
    assert!(keyed.holders().is_empty() && keyed.waiters().is_empty());
}

#[test]
fn after_a_burst_of_calls_ages_and_starts_are_right() {
    let _turn = turn();
    let limiter = Limiter::new("holders-burst", 1);
    (0..10_000).for_each(|_| drop(limiter.try_acquire().expect("free")));
    let pause = Duration::from_millis(400);
    std::thread::sleep(pause);
    let (before, asked) = (SystemTime::now(), Instant::now());
    let _held = limiter.try_acquire().expect("free");
    let holder = limiter.holders().remove(0);
    let late = holder.age().saturating_sub(asked.elapsed());
    assert!(late < pause / 2, "{late:?}");
    assert!(holder.started() > before - pause / 2);
    std::thread::sleep(pause);
    assert!(limiter.holders()[0].age() >= pause);
}

#[test]
fn ten_thousand_holders_are_all_listed() {
    let _turn = turn();
    let limiter = Arc::new(Limiter::new("holders-many", 10_000));
    let permits: Vec<_> = (0..10_000).map(|_| limiter.try_acquire().expect("free")).collect();
    let holders = limiter.holders();
    assert_eq!(holders.len(), 10_000);
    assert!(holders.is_sorted_by_key(|holder| std::cmp::Reverse(holder.age())));
    drop(permits);
    assert!(limiter.holders().is_empty());
}

#[test]
fn permits_put_together_leave_no_memory_behind() {
    let _turn = turn();
    let plain = Limiter::new("holders-memory", 4);
    leaves_nothing(|| plain.try_acquire().expect("free"));
    // Each permit of a key has a slot.
    let keyed: KeyedLimiter = Limiter::new("holders-memory-keyed", 4).keyed();
    leaves_nothing(|| keyed.key(1).try_acquire().expect("free"));
}

/// Puts permits together and parts them, again and again.
fn leaves_nothing(take: impl Fn() -> Permit) {
    let mut whole = take();
    let mut merge_and_part = || {
        whole.merge(take()).expect("they are of one limiter");
        drop(whole.split(1));
    };
    // Memory that is kept for the next call is there after some of them.
    (0..100).for_each(|_| merge_and_part());
    let allocated = allocation_counter::measure(|| (0..1_000).for_each(|_| merge_and_part()));
    assert_eq!(allocated.bytes_current, 0);
}

#[tokio::test]
async fn the_task_that_is_handed_the_permit_is_known_even_if_another_began_to_wait() {
    static LIMITER: Limiter = Limiter::new("holders-other-task", 1);
    let _turn = turn();
    let held = LIMITER.try_acquire().expect("free");
    let waits = tokio::spawn(async {
        let mut waits = vec![Box::pin(LIMITER.acquire())];
        assert!(futures::poll!(&mut waits[0]).is_pending());
        waits
    });
    let waits = waits.await.expect("no panic").remove(0);
    drop(held);
    let permit = tokio::spawn(async { (waits.await, tokio::task::id()) });
    let (_permit, task) = permit.await.expect("no panic");
    assert_eq!(LIMITER.holders()[0].task(), Some(task));
}
