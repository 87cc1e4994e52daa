//! Plays one round: starts scenarios, waits for them, and looks at what is left.

use crate::quiet;
use crate::random::Random;
use crate::scenarios::{ALL, Scenario};
use crate::score::{self, Fault, fault};
use crate::stage::{Numbered, Stage};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What rounds have in common.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) seed: u64,
    /// So long nothing may end before it is called a hang.
    pub(crate) patience: Duration,
    /// The scenarios that were asked for; all, if none were.
    pub(crate) only: Vec<String>,
}

/// The round has not come to its end, nor will it: threads of it still are there.
#[derive(Debug)]
pub(crate) struct Hung;

/// A thread of a scenario.
#[derive(Debug)]
struct Actor {
    scenario: &'static Scenario,
    thread: JoinHandle<()>,
}

/// An actor's number, and the runtimes that it leaves behind.
type Done = (usize, Vec<Numbered>);

/// A round that goes on.
struct Round<'a> {
    rules: &'a Rules,
    number: u64,
    stage: Arc<Stage>,
    actors: Vec<Actor>,
    done: Receiver<Done>,
    /// The actors that have not come to their ends.
    busy: BTreeSet<usize>,
    left: Vec<Numbered>,
}

/// Plays a round.
pub(crate) fn play(rules: &Rules, number: u64, mut random: Random) -> Result<(), Hung> {
    let stage = Arc::new(Stage::new(&mut random));
    let length = random.micros(100_000, 700_000);
    let cast = cast(rules, &mut random);

    let (tell, done) = mpsc::channel();
    let mut actors = Vec::new();
    for (number, scenario) in cast.into_iter().enumerate() {
        let (stage, random, tell) = (Arc::clone(&stage), random.fork(), tell.clone());
        let thread = thread::spawn(move || {
            // Why it panics, if it does, is for the hook to see.
            let left = catch_unwind(AssertUnwindSafe(|| (scenario.act)(&stage, random)));
            drop(stage);
            let _ = tell.send((number, left.unwrap_or_default()));
        });
        actors.push(Actor { scenario, thread });
    }
    let busy = (0..actors.len()).collect();
    let mut round = Round { rules, number, stage, actors, done, busy, left: Vec::new() };
    let porter = {
        let stage = Arc::clone(&round.stage);
        thread::spawn(move || stage.release_the_lingering())
    };

    thread::sleep(length);
    round.stage.end_changes();
    round.wait_for(|actor| actor.scenario.changes)?;
    thread::sleep(Duration::from_millis(60));
    round.stage.end_calls();
    round.wait_for(|_| true)?;
    round.wait_until_nobody_calls()?;
    round.stage.end();
    round.look()?;
    for actor in round.actors {
        drop(actor.thread.join());
    }
    drop(porter.join());
    Ok(())
}

/// The scenarios of a round.
fn cast(rules: &Rules, random: &mut Random) -> Vec<&'static Scenario> {
    if !rules.only.is_empty() {
        let asked = |scenario: &&Scenario| rules.only.iter().any(|name| name == scenario.name);
        return ALL.iter().filter(asked).collect();
    }
    (0..random.between(4, 7)).map(|_| random.pick(ALL)).collect()
}

impl Round<'_> {
    /// Waits for some of the actors, for as long as calls end.
    fn wait_for(&mut self, whom: impl Fn(&Actor) -> bool) -> Result<(), Hung> {
        let mut progress = Progress::new(self.rules.patience);
        while self.busy.iter().any(|&number| whom(&self.actors[number])) {
            match self.done.recv_timeout(Duration::from_millis(20)) {
                Ok((number, left)) => {
                    self.busy.remove(&number);
                    self.left.extend(left);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if progress.is_none() {
                return Err(self.hung());
            }
        }
        Ok(())
    }

    /// Scenarios may have left permits, calls, and tasks in runtimes that end beside them. Whoever may
    /// still make a call has the stage.
    fn wait_until_nobody_calls(&self) -> Result<(), Hung> {
        /// We, and the porter.
        const STAFF: usize = 2;

        let mut progress = Progress::new(self.rules.patience);
        while Arc::strong_count(&self.stage) > STAFF || !self.stage.live_accounts().is_empty() {
            thread::sleep(Duration::from_millis(1));
            if progress.is_none() {
                return Err(self.hung());
            }
        }
        Ok(())
    }

    /// Looks at what is left. On a thread of its own, because that may hang as well.
    fn look(&mut self) -> Result<(), Hung> {
        let (stage, left) = (Arc::clone(&self.stage), std::mem::take(&mut self.left));
        let (tell, done) = mpsc::channel();
        let thread = thread::spawn(move || {
            quiet::check(&stage.subjects(), left);
            drop(stage);
            let _ = tell.send(());
        });
        if let Err(RecvTimeoutError::Timeout) = done.recv_timeout(self.rules.patience) {
            return Err(self.hung());
        }
        drop(thread.join());
        Ok(())
    }

    /// Tells what is known of who hangs.
    fn hung(&self) -> Hung {
        let mut words = format!(
            "nothing has ended for {:?} in round {}; seed {}\n",
            self.rules.patience, self.number, self.rules.seed
        );
        let busy = self.busy.iter().map(|&number| self.actors[number].scenario.name);
        let _ = writeln!(words, "  scenarios that still run: {:?}", busy.collect::<Vec<_>>());
        for account in self.stage.live_accounts() {
            let _ = write!(words, "{}", account.ledger);
        }
        // Last, and by another thread, because a lock may be what hangs.
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            for limiter in limit_runtime::limiters() {
                let snapshot = limiter.snapshot();
                if snapshot.total.in_use + snapshot.total.waiting > 0 {
                    let _ = tell.send(format!("  {snapshot}"));
                }
            }
        });
        let snapshots = loop {
            match told.recv_timeout(Duration::from_secs(2)) {
                Ok(snapshot) => words = words + &snapshot + "\n",
                Err(RecvTimeoutError::Disconnected) => break "",
                Err(RecvTimeoutError::Timeout) => break "  a snapshot hangs, too\n",
            }
        };
        fault(Fault::Hang, &(words + snapshots));
        Hung
    }
}

/// Whether calls still end.
struct Progress {
    patience: Duration,
    calls: u64,
    since: Instant,
    began: Instant,
}

impl Progress {
    fn new(patience: Duration) -> Self {
        let now = Instant::now();
        Self { patience, calls: score::calls(), since: now, began: now }
    }

    /// Whether none has ended for too long. While scenarios that change limiters are waited for, others
    /// go on making calls, so there is an end to all waiting as well.
    fn is_none(&mut self) -> bool {
        /// So many times as patient one is with all together.
        const ALL: u32 = 6;

        let (now, calls) = (Instant::now(), score::calls());
        if std::mem::replace(&mut self.calls, calls) != calls {
            self.since = now;
        }
        now - self.since > self.patience || now - self.began > self.patience * ALL
    }
}
