//! A call that would wait for too long is refused at once.

use limit_runtime::{
    Acquire, Limiter, Order, Permit, Rejected, RejectedKind, Share, concurrency_limit,
};
use limit_tests::figures::{assert_all_free, total};
use limit_tests::polling::{assert_waits, let_in, refused, waiter};
use limit_tests::random::Random;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::advance;
use tokio_test::task::Spawn;

const MS: Duration = Duration::from_millis(1);

fn early(name: &'static str, limit: usize) -> Limiter<Rejected> {
    Limiter::new(name, limit).max_wait(100 * MS).early()
}

/// A queue of calls, each of which holds its permit for 10 ms.
struct Queue<'a> {
    held: Option<Permit>,
    waiting: VecDeque<Spawn<Acquire<'a, Rejected>>>,
}

impl<'a> Queue<'a> {
    /// Makes a queue of so many calls, which wait for a minute.
    fn new(limiter: &'a Limiter<Rejected>, waiting: usize) -> Self {
        let held = Some(let_in(limiter.acquire()));
        let call = || waiter(limiter.acquire().max_wait(60_000 * MS));
        Self { held, waiting: (0..waiting).map(|_| call()).collect() }
    }

    /// Lets so many calls come to an end.
    async fn serve(&mut self, calls: usize) {
        for _ in 0..calls {
            advance(10 * MS).await;
            drop(self.held.take());
            let mut next = self.waiting.pop_front().expect("one waits");
            let Poll::Ready(permit) = next.poll() else { panic!("it is served") };
            self.held = Some(permit.unwrap());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_refused_at_once_when_the_pace_is_known_and_too_slow() {
    let limiter = early("early-refused", 1);
    let mut queue = Queue::new(&limiter, 40);
    queue.serve(7).await;
    // Of too few calls the pace is not known.
    drop(waiter(limiter.acquire()));
    queue.serve(1).await;
    // 32 are before it. One runs, and 9 have come to an end in 80 ms if that one has.
    let rejected = refused(limiter.acquire());
    assert_eq!((rejected.kind(), rejected.waited()), (RejectedKind::WouldTimeOut, Duration::ZERO));
    assert_eq!((rejected.in_use(), rejected.waiting()), (1, 32));
    assert!(rejected.retry_after() > Some(300 * MS), "{:?}", rejected.retry_after());
    assert_eq!(
        rejected.to_string(),
        "concurrency limit `early-refused` reached, and the wait would be too long: 1 of 1 permits \
         in use, 32 waiting"
    );
    // One that has the time waits, and so does one that waits as long as it takes.
    drop(waiter(limiter.acquire().max_wait(1000 * MS)));
    let figures = total(&limiter);
    assert_eq!((figures.rejected.would_time_out, figures.rejected.total()), (1, 1));
    assert_eq!(limiter.try_acquire().unwrap_err().kind(), RejectedKind::NoPermits);
    // The one that runs comes to an end now, and of nine in 80 ms the call is the 32nd after it: that takes 284 ms.
    assert_eq!(refused(limiter.acquire().max_wait(283 * MS)).kind(), RejectedKind::WouldTimeOut);
    drop(waiter(limiter.acquire().max_wait(285 * MS)));
    // With eleven before it, it may be in time.
    queue.waiting.truncate(11);
    drop(waiter(limiter.acquire()));
    drop(queue);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn the_pace_is_forgotten_when_nobody_waits_any_more_and_after_a_pause() {
    let limiter = early("early-forgotten", 1);
    let mut queue = Queue::new(&limiter, 40);
    queue.serve(10).await;
    assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::WouldTimeOut);
    queue.waiting.clear();
    // A minute with few calls is no pace.
    advance(60_000 * MS).await;
    let mut others = Queue { held: None, waiting: VecDeque::new() };
    for _ in 0..40 {
        others.waiting.push_back(waiter(limiter.acquire().max_wait(60_000 * MS)));
    }
    drop(waiter(limiter.acquire()));
    drop((queue.held.take(), others));
    assert_all_free(&limiter);

    let mut queue = Queue::new(&limiter, 40);
    queue.serve(10).await;
    limiter.set_limit(0);
    advance(10_000 * MS).await;
    drop(waiter(limiter.acquire()));
    limiter.set_limit(1);
    drop(waiter(limiter.acquire()));
    queue.serve(10).await;
    assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::WouldTimeOut);
    // A pause that no call has seen.
    limiter.set_limit(0);
    advance(10_000 * MS).await;
    limiter.set_limit(1);
    drop(waiter(limiter.acquire()));
    drop(queue);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn of_calls_by_deadline_one_that_is_the_last_knows_how_many_are_before_it() {
    let limiter = early("early-last-deadline", 1).order(Order::Deadline);
    let mut queue = Queue { held: Some(let_in(limiter.acquire())), waiting: VecDeque::new() };
    for _ in 0..40 {
        queue.waiting.push_back(waiter(limiter.acquire().max_wait(300 * MS)));
    }
    queue.serve(10).await;
    // 30 are before it. One that is between them does not know how many.
    let rejected = refused(limiter.acquire().max_wait(220 * MS));
    assert_eq!(rejected.kind(), RejectedKind::WouldTimeOut);
    drop(waiter(limiter.acquire().max_wait(150 * MS)));
    drop(queue);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn the_first_call_with_a_priority_is_before_all_that_have_none() {
    let limiter = early("early-first-priority", 1);
    let mut queue = Queue::new(&limiter, 40);
    queue.serve(10).await;
    assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::WouldTimeOut);
    drop(waiter(limiter.acquire().priority(1)));
    drop(queue);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn only_those_that_are_before_the_call_count() {
    let limiter = early("early-priority", 1).priority(1);
    let mut queue = Queue::new(&limiter, 40);
    queue.serve(10).await;
    assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::WouldTimeOut);
    assert_eq!(refused(limiter.acquire().priority(0)).kind(), RejectedKind::WouldTimeOut);
    drop(waiter(limiter.acquire().priority(2)));
    drop(queue);
    assert_all_free(&limiter);

    let by_deadline = early("early-deadline", 1).order(Order::Deadline);
    let mut queue = Queue::new(&by_deadline, 40);
    queue.serve(10).await;
    // It is before all others.
    drop(waiter(by_deadline.acquire()));
    // These are behind it, and cannot be served in time.
    let last = by_deadline.acquire().max_wait(59_950 * MS);
    drop(waiter(last));
    queue.waiting.clear();
    let hundred = || waiter(by_deadline.acquire().max_wait(100 * MS));
    let mut same = Queue { held: queue.held.take(), waiting: (0..40).map(|_| hundred()).collect() };
    same.waiting.iter_mut().for_each(assert_waits);
    drop(same);
    assert_all_free(&by_deadline);
}

#[tokio::test(start_paused = true)]
async fn each_key_and_each_share_has_its_own_pace() {
    const SHARES: &[Share] = &[Share::new("live", 50), Share::new("batch", 50)];
    let keyed = early("early-keys", 1).keyed();
    let shared = early("early-shares", 2).shares(SHARES);
    let _others = [let_in(keyed.key(2).acquire()), let_in(shared.share("batch").acquire())];
    let mut held = vec![let_in(keyed.key(1).acquire()), let_in(shared.share("live").acquire())];
    let long = 60_000 * MS;
    let mut of_key: Vec<_> =
        (0..40).map(|_| waiter(keyed.key(1).acquire().max_wait(long))).collect();
    let mut of_share: Vec<_> =
        (0..40).map(|_| waiter(shared.share("live").acquire().max_wait(long))).collect();
    for _ in 0..10 {
        advance(10 * MS).await;
        held.clear();
        for call in [of_key.remove(0).poll(), of_share.remove(0).poll()] {
            let Poll::Ready(permit) = call else { panic!("it is served") };
            held.push(permit.unwrap());
        }
    }
    assert_eq!(refused(keyed.key(1).acquire()).kind(), RejectedKind::WouldTimeOut);
    drop(waiter(keyed.key(2).acquire()));
    assert_eq!(refused(shared.share("live").acquire()).kind(), RejectedKind::WouldTimeOut);
    drop(waiter(shared.share("batch").acquire()));
}

#[tokio::test(start_paused = true)]
async fn nobody_gives_way_to_a_call_that_is_refused_early() {
    let limiter = early("early-evicts-nobody", 1).max_waiting(40).priority(1);
    let mut queue = Queue::new(&limiter, 40);
    queue.serve(10).await;
    for _ in 0..9 {
        queue.waiting.push_back(waiter(limiter.acquire().max_wait(60_000 * MS)));
    }
    let mut low = waiter(limiter.acquire().priority(0).max_wait(60_000 * MS));
    assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::WouldTimeOut);
    assert_waits(&mut low);
    drop((low, queue));
    assert_all_free(&limiter);
}

#[test]
#[should_panic(expected = "`Limiter::early` cannot stand beside `Order::Lifo`")]
fn with_the_newest_first_a_place_says_nothing() {
    drop(early("early-lifo", 1).order(Order::Lifo));
}

#[tokio::test(start_paused = true)]
async fn the_attribute_has_the_option() {
    #[concurrency_limit(1, max_wait = "100ms", early, name = "early-attribute")]
    async fn work() -> Result<(), Rejected> {
        tokio::time::sleep(10 * MS).await;
        Ok(())
    }
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(work())).collect();
    tokio::time::sleep(95 * MS).await;
    assert_eq!(work().await.unwrap_err().kind(), RejectedKind::WouldTimeOut);
    for call in calls {
        let _ = call.await.unwrap();
    }
    assert!(limit_runtime::find("early-attribute").unwrap().snapshot().early);
}

type Call = Pin<Box<dyn Future<Output = Result<Permit, Rejected>>>>;

/// Calls come at random, and all take the same time. A call is refused early only if it would be too late even if nobody
/// before it gave up. Returns how many were refused early, and how many too late.
async fn run(seed: u64) -> (u64, u64) {
    let mut random = Random::new(seed);
    let limit = 1 + random.below(6);
    let hold = 1 + u64::from(random.below(40));
    let max_wait = 1 + u64::from(random.below(400));
    let limiter = Limiter::named(format!("early-random-{seed}"), limit as usize)
        .max_wait(Duration::from_millis(max_wait))
        .claim_within(Duration::MAX)
        .early();
    let limiter: &'static Limiter<Rejected> = Box::leak(Box::new(limiter));
    // The end of each call that runs, in order.
    let mut running: VecDeque<(u64, Permit)> = VecDeque::new();
    let mut waiting: VecDeque<(u64, Call)> = VecDeque::new();
    let context = &mut Context::from_waker(Waker::noop());
    for now in 0..3000 {
        while running.front().is_some_and(|&(end, _)| end <= now) {
            running.pop_front();
        }
        let mut still = VecDeque::new();
        for (came, mut call) in waiting {
            match call.as_mut().poll(context) {
                Poll::Pending => still.push_back((came, call)),
                Poll::Ready(Ok(permit)) => running.push_back((now + hold, permit)),
                Poll::Ready(Err(rejected)) => {
                    assert_eq!(rejected.kind(), RejectedKind::TimedOut);
                    assert_eq!(now - came, max_wait);
                }
            }
        }
        waiting = still;
        // More calls than can be served come in the first half of each second, and fewer in the other.
        let most = if now % 1000 < 500 { limit * 2 } else { 1 };
        for _ in
            0..random.below(most + 1) * u32::from(random.below(u32::try_from(hold).unwrap()) < 3)
        {
            let mut call: Call = Box::pin(limiter.acquire());
            match call.as_mut().poll(context) {
                Poll::Pending => waiting.push_back((now, call)),
                Poll::Ready(Ok(permit)) => running.push_back((now + hold, permit)),
                Poll::Ready(Err(rejected)) => {
                    assert_eq!(rejected.kind(), RejectedKind::WouldTimeOut);
                    let mut ends: VecDeque<u64> = running.iter().map(|&(end, _)| end).collect();
                    for _ in 0..waiting.len() {
                        let end = ends.pop_front().expect("as many run as may");
                        ends.push_back(end + hold);
                    }
                    let wait = ends[0] - now;
                    assert!(wait > max_wait, "{wait} ms of {max_wait}, {limit} × {hold} ms");
                }
            }
        }
        advance(MS).await;
    }
    let rejected = total(limiter).rejected;
    (rejected.would_time_out, rejected.timed_out)
}

#[tokio::test(start_paused = true)]
async fn random_calls_are_refused_early_only_if_they_would_be_too_late() {
    let cases = std::env::var("CASES").map_or(30, |cases| cases.parse().expect("a number"));
    let all = async {
        let (mut early, mut late) = (0, 0);
        for seed in 0..cases {
            let (refused, timed_out) = run(seed).await;
            early += refused;
            late += timed_out;
        }
        assert!(early > late, "{early} early, {late} too late");
    };
    tokio::task::unconstrained(all).await;
}
