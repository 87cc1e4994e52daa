//! Random programs on real limiters and a real runtime, with the detector driven by hand: what it tells of is stuck for
//! ever, and what is stuck for ever it tells of.
//!
//! A program is some tasks with nested calls, calls side by side, long work, deadlines and permits that move. Events
//! end the work. The oracle is the program itself: when all events have come and all deadlines are over, whoever still
//! waits is stuck. The clock of the detector is ahead of the real one, so that every wait looks old.
//!
//! Calls side by side are made only in ways that the rules know (see [`deadlocks`](super::deadlocks())).

use super::detector::Detector;
use super::reading::Found;
use crate::acquire::Acquire;
use crate::diagnostics::record;
use crate::limiter::Limiter;
use crate::random::Random;
use crate::recorder::slots;
use crate::rejected::Rejected;
use crate::semaphore::Semaphore;
use futures_util::future::{self, BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore as Event;
use tokio::task::yield_now;

const LIMITERS: usize = 4;

static ALL: [Limiter<Rejected>; LIMITERS] = [
    Limiter::new("model-0", 1).max_waiting(usize::MAX),
    Limiter::new("model-1", 1).max_waiting(usize::MAX),
    Limiter::new("model-2", 1).max_waiting(usize::MAX),
    Limiter::new("model-3", 1).max_waiting(usize::MAX),
];

/// The most calls inside each other.
const DEPTH: usize = 3;

/// A step of a task.
#[derive(Clone, Debug)]
enum Step {
    /// Does nothing until its event comes.
    Work(usize),
    /// Is polled again and again for a while.
    Busy,
    Call(Call),
    /// As many calls of one function side by side, in one `join_all`.
    OneFunction {
        limiter: usize,
        events: Vec<usize>,
    },
    /// Parts side by side, under futures that we poll alone.
    Polled(Vec<Vec<Step>>),
    /// The same, until one of them is done. No call is around it: a task that can give a wait up by itself looks like one
    /// that cannot.
    Race(Vec<Vec<Step>>),
    /// Parts side by side with wakers of their own.
    Wakers(Vec<Vec<Step>>),
    /// Takes a permit, and passes it to a new task.
    PassOn {
        limiter: usize,
        steps: Vec<Step>,
    },
}

#[derive(Clone, Debug)]
struct Call {
    kind: Kind,
    limiter: usize,
    weight: u32,
    gives_up: bool,
    /// Calls inside each other have different places.
    place: usize,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Body,
    Run,
    Bare,
}

struct Generator {
    random: Random,
    events: usize,
    limiters: usize,
    limits: Vec<usize>,
    is_plain: bool,
}

impl Generator {
    fn steps(&mut self, depth: usize, only_run: bool) -> Vec<Step> {
        let count = 1 + self.random.below(2);
        (0..count).map(|_| self.step(depth, only_run)).collect()
    }

    fn event(&mut self) -> usize {
        self.events += 1;
        self.events - 1
    }

    fn step(&mut self, depth: usize, only_run: bool) -> Step {
        let limiter = self.random.below(self.limiters);
        let kinds = if depth == 0 { 2 } else { 14 };
        match self.random.below(kinds) {
            1 if self.random.is_one_in(2) => Step::Busy,
            0 | 1 => Step::Work(self.event()),
            9 if !self.is_plain && !only_run => {
                let count = 2 + self.random.below(3);
                Step::OneFunction { limiter, events: (0..count).map(|_| self.event()).collect() }
            }
            10 if !self.is_plain => Step::Polled(self.parts(depth, true)),
            11 if !self.is_plain && depth == DEPTH => Step::Race(self.race()),
            12 if !self.is_plain && !only_run => Step::Wakers(self.parts(depth, false)),
            13 if !self.is_plain && !only_run => {
                // The permit is another agent's, whose own calls are plain.
                Step::PassOn { limiter, steps: self.steps(depth - 1, false) }
            }
            kind => {
                let kind = match kind % 3 {
                    _ if only_run => Kind::Run,
                    0 => Kind::Body,
                    1 => Kind::Run,
                    _ => Kind::Bare,
                };
                let most = self.limits[limiter];
                let weight = if self.random.is_one_in(4) { 1 + self.random.below(most) } else { 1 };
                let weight = u32::try_from(weight).expect("small");
                let gives_up = !self.is_plain && self.random.is_one_in(8);
                let steps = self.steps(depth - 1, only_run);
                Step::Call(Call { kind, limiter, weight, gives_up, place: depth, steps })
            }
        }
    }

    fn race(&mut self) -> Vec<Vec<Step>> {
        let count = 2 + self.random.below(2);
        let calls = (0..count).map(|_| {
            let (limiter, work) = (self.random.below(self.limiters), Step::Work(self.event()));
            let call = Call {
                kind: Kind::Run,
                limiter,
                weight: 1,
                gives_up: false,
                place: 0,
                steps: vec![work],
            };
            vec![Step::Call(call)]
        });
        calls.collect()
    }

    fn parts(&mut self, depth: usize, only_run: bool) -> Vec<Vec<Step>> {
        let count = 2 + self.random.below(2);
        (0..count).map(|_| self.steps(depth - 1, only_run)).collect()
    }
}

type Events = Arc<Vec<Event>>;

async fn work(events: Events, event: usize) {
    drop(events[event].acquire().await.expect("it is not closed"));
}

/// Makes a function for each limiter, as the attribute does.
macro_rules! bodies {
    ($($name:ident $limiter:literal)*) => {
        $(async fn $name(weight: u32, gives_up: bool, steps: Vec<Step>, events: Events) {
            match with(ALL[$limiter].acquire().of_body(), weight, gives_up).await {
                Ok(_permit) => run(steps, events).await,
                Err(_) => {}
            }
        })*

        fn body(
            limiter: usize,
            (weight, gives_up): (u32, bool),
            steps: Vec<Step>,
            events: Events,
        ) -> BoxFuture<'static, ()> {
            match limiter {
                $($limiter => $name(weight, gives_up, steps, events).boxed(),)*
                _ => unreachable!("there are four"),
            }
        }
    };
}

bodies! { body_0 0 body_1 1 body_2 2 body_3 3 }

fn with(acquire: Acquire<'_, Rejected>, weight: u32, gives_up: bool) -> Acquire<'_, Rejected> {
    let acquire = acquire.weight(weight);
    if gives_up { acquire.max_wait(DEADLINE) } else { acquire }
}

/// Longer than any program, by the runtime's clock.
const DEADLINE: Duration = Duration::from_secs(1_000);

fn run(steps: Vec<Step>, events: Events) -> BoxFuture<'static, ()> {
    async move {
        for step in steps {
            let events = Arc::clone(&events);
            step.run(events).await;
        }
    }
    .boxed()
}

impl Step {
    async fn run(self, events: Events) {
        let all = |parts: Vec<Vec<Self>>| {
            let events = Arc::clone(&events);
            parts.into_iter().map(move |steps| run(steps, Arc::clone(&events)))
        };
        match self {
            Self::Work(event) => work(events, event).await,
            Self::Busy => {
                for _ in 0..3 {
                    yield_now().await;
                }
            }
            Self::Call(call) => call.run(events).await,
            Self::OneFunction { limiter, events: ends } => {
                let calls = ends.into_iter().map(|event| {
                    body(limiter, (1, false), vec![Self::Work(event)], Arc::clone(&events))
                });
                future::join_all(calls).await;
            }
            Self::Polled(parts) => drop(future::join_all(all(parts)).await),
            Self::Race(parts) => drop(future::select_all(all(parts)).await),
            Self::Wakers(parts) => {
                let parts: FuturesUnordered<_> = all(parts).collect();
                parts.collect::<()>().await;
            }
            Self::PassOn { limiter, steps } => {
                if let Ok(permit) = ALL[limiter].acquire().await {
                    tokio::spawn(async move {
                        run(steps, events).await;
                        drop(permit);
                    });
                }
            }
        }
    }
}

impl Call {
    async fn run(self, events: Events) {
        let Self { kind, limiter, weight, gives_up, place, steps } = self;
        match kind {
            Kind::Body => body(limiter, (weight, gives_up), steps, events).await,
            Kind::Run => {
                let acquire = with(ALL[limiter].acquire(), weight, gives_up);
                drop(acquire.run(run(steps, events)).await);
            }
            Kind::Bare => {
                let limiter = &ALL[limiter];
                #[expect(clippy::match_same_arms, reason = "each is a place of its own")]
                let acquire = match place {
                    1 => limiter.acquire(),
                    2 => limiter.acquire(),
                    _ => limiter.acquire(),
                };
                let acquire = with(acquire, weight, gives_up);
                if let Ok(permit) = acquire.await {
                    run(steps, events).await;
                    drop(permit);
                }
            }
        }
    }
}

/// The program under way.
struct Model {
    runtime: Runtime,
    events: Events,
    left: Vec<usize>,
    detector: Detector,
    now: Instant,
    told: Vec<Found>,
}

impl Model {
    fn drive(&self) {
        // The runtime is never idle meanwhile, so that its clock stands still.
        self.runtime.block_on(async {
            for _ in 0..16 {
                yield_now().await;
            }
        });
    }

    fn end_work(&mut self, index: usize) {
        let event = self.left.swap_remove(index);
        self.events[event].add_permits(Event::MAX_PERMITS / 2);
    }

    fn look(&mut self) {
        self.now += Duration::from_millis(250);
        let looked = self.detector.look(self.now);
        self.told.extend(looked.news.into_iter().map(|news| news.found).filter(is_ours));
    }
}

/// Other tests of this process have records too.
fn is_ours(found: &Found) -> bool {
    found.links[0].limiter.name.starts_with("model-")
}

/// Plays a program. Returns the numbers of those that are stuck, and of those that were told of.
fn play(seed: u64) -> (usize, usize) {
    let mut random = Random::new(seed);
    random.below(1);
    let limiters = 1 + random.below(LIMITERS);
    let limits: Vec<_> = (0..LIMITERS).map(|_| 1 + random.below(4)).collect();
    for (limiter, &limit) in ALL.iter().zip(&limits) {
        limiter.set_limit(limit);
    }
    let is_plain = random.is_one_in(3);
    let mut generator = Generator { random, events: 0, limiters, limits, is_plain };
    let tasks = 1 + generator.random.below(4);
    let tasks: Vec<_> = (0..tasks).map(|_| generator.steps(DEPTH, false)).collect();
    let Generator { mut random, events, .. } = generator;
    let shown = format!("seed {seed}: {tasks:#?}");
    let mut model = Model {
        runtime: Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("one"),
        events: Arc::new((0..events).map(|_| Event::new(0)).collect()),
        left: (0..events).collect(),
        detector: Detector::default(),
        now: Instant::now() + Duration::from_secs(3_600),
        told: Vec::new(),
    };
    for steps in tasks {
        model.runtime.spawn(run(steps, Arc::clone(&model.events)));
    }
    for _ in 0..random.below(12) {
        match random.below(4) {
            0 | 1 if !model.left.is_empty() => model.end_work(random.below(model.left.len())),
            0 | 1 => {}
            _ => (0..random.below(8)).for_each(|_| model.look()),
        }
        model.drive();
    }
    // All the work is long from here on.
    (0..10).for_each(|_| model.look());
    let told = model.told.len();
    // Now everything comes to its end that can.
    while !model.left.is_empty() {
        model.end_work(0);
        model.drive();
    }
    model.runtime.block_on(tokio::time::advance(2 * DEADLINE));
    (0..8).for_each(|_| model.drive());
    let waits = model.told.iter().flat_map(|found| found.links.iter().map(|link| link.wait));
    for wait in waits {
        assert!(wait.is_there(), "this one is not stuck: {wait:?}\n{:#?}\n{shown}", model.told);
    }
    let of = |limiter: &Limiter<Rejected>| limiter.engine().semaphores();
    let semaphores: HashSet<_> =
        ALL.iter().flat_map(of).map(|semaphore: &Semaphore| semaphore.id()).collect();
    let stuck: Vec<_> = slots::all()
        .filter(|record| !record.info.holds && semaphores.contains(&record.info.semaphore))
        .collect();
    if is_plain {
        (0..10).for_each(|_| model.look());
        let found = || model.detector.told.iter().filter(|found| is_ours(found));
        let links: HashSet<_> =
            found().flat_map(|found| found.links.iter().map(|link| link.wait.info.id)).collect();
        let victims: usize = found().map(|found| found.victims).sum();
        // One that was in a deadlock of its own may wait for another one by now.
        let is_right = links.len() <= stuck.len() && stuck.len() <= links.len() + victims;
        assert!(is_right, "{stuck:#?}\n{:#?}\n{shown}", model.detector.told);
    }
    (stuck.len(), told)
}

/// Passes a permit on, so that it is known that permits of the place move.
fn pass_one_on() {
    let runtime = Builder::new_current_thread().build().expect("one");
    runtime.block_on(async {
        Step::PassOn { limiter: 0, steps: Vec::new() }.run(Arc::default()).await;
        yield_now().await;
    });
}

/// `LIMIT_SCHEDULES=1000000 cargo test -p limit-runtime --release --lib --features diagnostics,task random_programs`
#[test]
fn random_programs_are_told_of_if_they_are_stuck_and_else_not() {
    record(true);
    pass_one_on();
    let count = std::env::var("LIMIT_SCHEDULES").ok().and_then(|count| count.parse().ok());
    let (mut stuck, mut told) = (0, 0);
    let count: u64 = count.unwrap_or(if cfg!(debug_assertions) { 2_000 } else { 20_000 });
    for seed in 0..count {
        let (is_stuck, is_told) = play(seed);
        stuck += usize::from(is_stuck > 0);
        told += usize::from(is_told > 0);
    }
    eprintln!("{stuck} of {count} are stuck in the end, {told} were told of before");
    assert!(stuck > 100 && told > 50, "{stuck}, {told}");
}
