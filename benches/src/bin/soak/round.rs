//! Plays one round: starts scenarios, waits for them, and checks the limiters that are left.

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

/// The rules of all rounds of a run.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) seed: u64,
    /// A round hangs if no call ends for this long.
    pub(crate) patience: Duration,
    /// The scenarios that the command line names. Empty means all.
    pub(crate) only: Vec<String>,
}

/// The error of a round that does not end. Some of its threads still run.
#[derive(Debug)]
pub(crate) struct Hung;

/// A thread of a scenario.
#[derive(Debug)]
struct Actor {
    scenario: &'static Scenario,
    thread: JoinHandle<()>,
}

/// The number of an actor, and the runtimes that it leaves behind.
type Done = (usize, Vec<Numbered>);

/// A round that runs.
struct Round<'a> {
    rules: &'a Rules,
    number: u64,
    stage: Arc<Stage>,
    actors: Vec<Actor>,
    done: Receiver<Done>,
    /// The numbers of the actors that still run.
    busy: BTreeSet<usize>,
    left: Vec<Numbered>,
}

/// Plays a round.
///
/// Fails with [`Hung`] if calls no longer end.
pub(crate) fn play(rules: &Rules, number: u64, mut random: Random) -> Result<(), Hung> {
    let stage = Arc::new(Stage::new(&mut random));
    let length = random.micros(100_000, 700_000);
    let cast = cast(rules, &mut random);

    let (tell, done) = mpsc::channel();
    let mut actors = Vec::new();
    for (number, scenario) in cast.into_iter().enumerate() {
        let (stage, random, tell) = (Arc::clone(&stage), random.fork(), tell.clone());
        let thread = thread::spawn(move || {
            // The panic hook reports a panic, so its payload is not needed here.
            let left = catch_unwind(AssertUnwindSafe(|| (scenario.act)(&stage, random)));
            drop(stage);
            let _ = tell.send((number, left.unwrap_or_default()));
        });
        actors.push(Actor { scenario, thread });
    }
    let busy = (0..actors.len()).collect();
    let mut round = Round { rules, number, stage, actors, done, busy, left: Vec::new() };
    let releaser = {
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
    drop(releaser.join());
    Ok(())
}

/// Returns the scenarios of a round: the named ones, or some at random.
fn cast(rules: &Rules, random: &mut Random) -> Vec<&'static Scenario> {
    if !rules.only.is_empty() {
        let asked = |scenario: &&Scenario| rules.only.iter().any(|name| name == scenario.name);
        return ALL.iter().filter(asked).collect();
    }
    (0..random.between(4, 7)).map(|_| random.pick(ALL)).collect()
}

impl Round<'_> {
    /// Waits until the actors that `whom` selects have ended. Fails if calls no longer end.
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

    /// Waits until nobody can make a call any more. Permits, calls and tasks can outlive their
    /// scenario, in runtimes that end later. All code that may still make a call holds the stage.
    fn wait_until_nobody_calls(&self) -> Result<(), Hung> {
        /// This round and its releaser hold the stage too.
        const OWN: usize = 2;

        let mut progress = Progress::new(self.rules.patience);
        while Arc::strong_count(&self.stage) > OWN || !self.stage.live_accounts().is_empty() {
            thread::sleep(Duration::from_millis(1));
            if progress.is_none() {
                return Err(self.hung());
            }
        }
        Ok(())
    }

    /// Checks the limiters that are left. A thread of its own does so, because the check may hang
    /// too.
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

    /// Reports a hang, with the calls and the limiters that take part in it.
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
        // The snapshots come last and from another thread, because a lock may be the cause of the
        // hang.
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

/// Watches if calls still end.
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

    /// Returns `true` if no call has ended for too long. Other scenarios go on making calls while
    /// the round waits for those that change limiters, so each wait also has an end of its own.
    fn is_none(&mut self) -> bool {
        /// The end of a wait, as a multiple of the patience.
        const ALL: u32 = 6;

        let (now, calls) = (Instant::now(), score::calls());
        if std::mem::replace(&mut self.calls, calls) != calls {
            self.since = now;
        }
        now - self.since > self.patience || now - self.began > self.patience * ALL
    }
}
