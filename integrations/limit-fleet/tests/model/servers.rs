//! Two servers, of which one is the master.

use limit_fleet::{
    ledger::{Ledger, Outcome},
    message::{Renewal, Server, Times},
};

/// The time after the last message at which Redis deletes a ledger, by its wall clock.
pub(crate) const EXPIRY: u64 = 7 * 24 * 3600 * 1_000_000;
/// The wall clock at the beginning of the world: servers are up for days.
const EPOCH: u64 = 1_000_000_000_000_000;
const DAYS: u64 = 3 * 24 * 3600 * 1_000_000;

#[derive(Clone, Debug, Hash)]
pub(crate) struct Machine {
    /// A ledger for each key, and the wall time at which it expires.
    pub(crate) ledgers: Vec<(Option<Ledger>, u64)>,
    replid: u64,
    promoted: bool,
    /// The wall time at which the server was started.
    start: u64,
    /// The wall clock at the beginning of the world.
    clock: u64,
}

/// The machines P and Q.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Servers {
    pub(crate) machines: [Machine; 2],
    pub(crate) master: usize,
    replids: u64,
}

impl Servers {
    pub(crate) fn new(keys: usize) -> Self {
        let machine = Machine {
            ledgers: vec![(None, u64::MAX); keys],
            replid: 1,
            promoted: false,
            start: EPOCH - DAYS,
            clock: EPOCH,
        };
        Self { machines: [machine.clone(), machine], master: 0, replids: 1 }
    }

    pub(crate) fn master(&mut self) -> &mut Machine {
        &mut self.machines[self.master]
    }

    pub(crate) fn ledger(&self, key: usize) -> Option<&Ledger> {
        self.machines[self.master].ledgers[key].0.as_ref()
    }

    pub(crate) fn renew(
        &mut self,
        now: u64,
        key: usize,
        times: &Times,
        renewal: &Renewal,
    ) -> Outcome {
        let machine = self.master();
        let wall = machine.clock + now;
        let server = Server {
            now: wall,
            uptime: wall.saturating_sub(machine.start),
            replid: machine.replid.to_string(),
            promoted: machine.promoted,
        };
        let (slot, expires) = &mut machine.ledgers[key];
        if wall >= *expires {
            *slot = None;
        }
        *expires = wall + EXPIRY;
        Ledger::renew(slot, times, &server, renewal)
    }

    /// Brings the replica up to date.
    pub(crate) fn replicate(&mut self) {
        let ledgers = self.master().ledgers.clone();
        self.machines[1 - self.master].ledgers = ledgers;
    }

    /// Returns whether the wall clock goes forward with a fail-over.
    pub(crate) fn fails_forward(&self) -> bool {
        self.machines[1 - self.master].clock > self.machines[self.master].clock
    }

    /// Promotes the replica. Writes since it was brought up to date are lost. Returns whether the wall
    /// clock goes forward by that.
    pub(crate) fn fail_over(&mut self) -> bool {
        let forward = self.fails_forward();
        self.master = 1 - self.master;
        self.replids += 1;
        let replid = self.replids;
        let master = self.master();
        master.replid = replid;
        master.promoted = true;
        forward
    }

    /// Restarts the master without its data.
    pub(crate) fn restart_empty(&mut self, now: u64) {
        self.restart(now);
        let master = self.master();
        master.promoted = false;
        for ledger in &mut master.ledgers {
            *ledger = (None, u64::MAX);
        }
    }

    /// Restarts the master with its data.
    pub(crate) fn restart(&mut self, now: u64) {
        self.replids += 1;
        let replid = self.replids;
        let master = self.master();
        master.replid = replid;
        master.promoted = true;
        master.start = master.clock + now;
    }

    pub(crate) fn step_forward(&mut self, by: u64) {
        self.master().clock += by;
    }

    pub(crate) fn step_back(&mut self, by: u64) {
        self.master().clock -= by;
    }
}
