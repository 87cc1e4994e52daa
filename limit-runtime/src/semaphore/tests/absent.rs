//! Random calls, some of which stop being polled and go on later. The watcher's looks are made by hand, at made-up
//! times.

use super::super::watch::Watched;
use super::super::{Entered, Held, KeySource, NewBinding, Semaphore, Waiter};
use crate::policy::{Order, Policy, Ranking, Request};
use crate::random::Random;
use crate::semaphore::{Came, Hashed, ShareNumber};
use crate::share::Share;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// Two shares, and the rest.
const SHARES: &[Share] = &[Share::new("one", 50), Share::new("other", 30).at_most(60)];

const WITHIN: Duration = Duration::from_secs(1);

/// A call's waker.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

enum Progress {
    Waits(Waiter),
    Holds { _held: Held },
    Done,
}

struct Call {
    progress: Progress,
    woken: Arc<Woken>,
    key: u8,
    weight: u32,
    /// Nobody polls it.
    is_absent: bool,
    was_absent: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "they choose among orders and modes")]
struct Model {
    semaphore: &'static Semaphore,
    watched: Watched,
    now: Instant,
    limit: u32,
    total: u32,
    is_keyed: bool,
    is_shared: bool,
    is_ranked: bool,
    is_fifo: bool,
    calls: Vec<Call>,
    /// The calls that were admitted after waiting, in order.
    admitted: Vec<usize>,
}

impl Model {
    fn new(random: &mut Random) -> Self {
        let (is_keyed, is_shared) = match random.below(4) {
            0 => (true, false),
            1 => (false, true),
            _ => (false, false),
        };
        let limit = 1 + u32::try_from(random.below(3)).expect("small");
        let total = if random.below(2) == 0 { limit } else { limit + 1 };
        let order = if random.below(4) == 0 { Order::Lifo } else { Order::Fifo };
        let is_ranked = random.below(4) == 0;
        let policy = Policy { keyed: is_keyed, total, order, ..Policy::PLAIN };
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
        let bound = semaphore.bind(NewBinding {
            claim_within: WITHIN,
            shares: if is_shared { SHARES } else { &[] },
            ..NewBinding::of(&policy, limit)
        });
        bound.expect("it is the first").wake();
        semaphore.serve_all();
        let now = Instant::now();
        let is_fifo = !is_keyed && !is_shared && order == Order::Fifo && !is_ranked;
        Self {
            semaphore,
            watched: Watched::new(semaphore),
            now,
            limit,
            total,
            is_keyed,
            is_shared,
            is_ranked,
            is_fifo,
            calls: Vec::new(),
            admitted: Vec::new(),
        }
    }

    fn join(&mut self, random: &mut Random) {
        let heaviest = if self.is_shared { 1 } else { self.limit };
        let weight = 1 + u32::try_from(random.below(heaviest as usize)).expect("small");
        let key = u8::try_from(random.below(3)).expect("small");
        let priority = u8::try_from(random.below(2)).expect("small");
        let woken = Arc::<Woken>::default();
        let waker = Waker::from(Arc::clone(&woken));
        let hashed = Hashed { hash: u64::from(key), weight: 0, key };
        let share = ShareNumber(u32::from(key));
        let source = match (self.is_keyed, self.is_shared) {
            (true, _) => Some(&hashed as &dyn KeySource),
            (_, true) => Some(&share as &dyn KeySource),
            _ => None,
        };
        let priority = if self.is_fifo { 0 } else { priority };
        let ranking = if self.is_ranked { Ranking::ByPriority } else { Ranking::IfPrior };
        let request = Request { weight, priority, ranking, ..Request::ONE };
        let progress = match self.semaphore.enter(
            request,
            source,
            Ok(&waker),
            &mut Came::default(),
            || true,
        ) {
            Entered::Queued(waiter) => Progress::Waits(waiter),
            Entered::Admitted(held) => Progress::Holds { _held: held },
            other => panic!("{other:?}"),
        };
        let (is_absent, was_absent) = (false, false);
        self.calls.push(Call { progress, woken, key, weight, is_absent, was_absent });
    }

    fn poll(&mut self, number: usize) {
        let call = &mut self.calls[number];
        if let Progress::Waits(waiter) = &mut call.progress {
            call.woken.0.store(false, Ordering::Relaxed);
            let waker = Waker::from(Arc::clone(&call.woken));
            if let Poll::Ready(result) = waiter.poll(&waker, || Duration::ZERO) {
                call.progress = Progress::Holds { _held: result.expect("nobody is refused") };
                self.admitted.push(number);
            }
        }
    }

    /// Polls the calls that were woken and are not absent.
    fn run(&mut self) {
        for number in 0..self.calls.len() {
            let call = &self.calls[number];
            if !call.is_absent && call.woken.0.load(Ordering::Relaxed) {
                self.poll(number);
            }
        }
    }

    fn look(&mut self, later: Duration) {
        self.now += later;
        self.watched.look(self.now);
    }

    /// Checks that no more permits are held than the limit, and that all calls are counted.
    fn check(&self) {
        let held = |call: &&Call| matches!(call.progress, Progress::Holds { .. });
        let in_use: u32 = self.calls.iter().filter(held).map(|call| call.weight).sum();
        let most = if self.is_keyed { self.total } else { self.limit };
        assert!(in_use <= most, "{in_use} of {most} are held");
        for key in 0..3 {
            let of_key = self.calls.iter().filter(held).filter(|call| call.key == key);
            let in_use: u32 = of_key.map(|call| call.weight).sum();
            assert!(in_use <= most.min(self.limit) || !self.is_keyed);
        }
        let waits = |call: &&Call| matches!(call.progress, Progress::Waits(_));
        let usage = self.semaphore.read(&mut Vec::new()).usage;
        let waiting = self.calls.iter().filter(waits).count();
        assert!(usage.waiting <= waiting, "granted calls do not count as waiting");
        assert!(usage.in_use >= in_use as usize && usage.in_use <= most as usize);
    }

    /// Checks that of calls that were always polled the first to come was admitted first.
    fn check_order(&self) {
        let always = |&&number: &&usize| !self.calls[number].was_absent;
        let admitted: Vec<_> = self.admitted.iter().filter(always).collect();
        assert!(!self.is_fifo || admitted.is_sorted(), "{admitted:?}");
    }

    /// Lets all calls that are polled come to an end, whatever the absent ones do.
    fn finish_those_present(&mut self) {
        for _ in 0..10 * self.calls.len() + 10 {
            self.run();
            self.check();
            for call in &mut self.calls {
                if matches!(call.progress, Progress::Holds { .. }) {
                    call.progress = Progress::Done;
                }
            }
            self.look(WITHIN);
        }
        let waits = |call: &Call| matches!(call.progress, Progress::Waits(_)) && !call.is_absent;
        assert!(!self.calls.iter().any(waits), "a call that is polled waits for ever");
    }
}

#[test]
fn the_limit_holds_nobody_waits_for_ever_and_those_who_are_polled_are_served_in_turn() {
    let cases: u64 =
        std::env::var("SCHEDULES").map_or(2_000, |cases| cases.parse().expect("a number"));
    for case in 1..=cases {
        let mut random = Random::new(case);
        let mut model = Model::new(&mut random);
        for _ in 0..random.below(60) {
            let number = random.below(model.calls.len().max(1));
            match (random.below(8), model.calls.get_mut(number)) {
                (0..=2, _) => model.join(&mut random),
                (3, Some(call)) => {
                    call.is_absent = true;
                    call.was_absent |= matches!(call.progress, Progress::Waits(_));
                }
                (4, Some(call)) => {
                    call.is_absent = false;
                    // Those who are polled all the time come first.
                    model.run();
                    model.poll(number);
                }
                (5, Some(call)) => call.progress = Progress::Done,
                (6, _) => model.look(WITHIN / 2),
                _ => {}
            }
            model.run();
            model.check();
        }
        model.finish_those_present();
        model.check_order();
        model.calls.iter_mut().for_each(|call| call.is_absent = false);
        (0..model.calls.len()).for_each(|number| model.poll(number));
        model.finish_those_present();
        let usage = model.semaphore.read(&mut Vec::new()).usage;
        assert_eq!((usage.in_use, usage.waiting, usage.keys), (0, 0, 0), "case {case}");
    }
}
