//! The invariants, checked after each event.

use limit_fleet::{
    ledger::Ledger,
    message::{Answer, Verdict},
};

use super::World;

impl World {
    /// Returns Σ recorded shares of a key.
    pub(super) fn recorded(&self, key: usize) -> u64 {
        let shares =
            |ledger: &Ledger| ledger.view().nodes.iter().map(|node| u64::from(node.share)).sum();
        self.servers.ledger(key).map_or(0, shares)
    }

    /// Checks I2 and I3, of which the ledger knows only when it has seen the server.
    pub(super) fn check_ledger(&mut self, key: usize, before: u64, answer: &Answer) {
        if answer.verdict != Verdict::Accepted {
            return;
        }
        let Some(ledger) = self.servers.ledger(key) else { return };
        let view = ledger.view();
        if view.learning {
            return;
        }
        let sum: u64 = view.nodes.iter().map(|node| u64::from(node.share)).sum();
        if sum > before.max(u64::from(view.limit)) {
            self.fail(&format!("I2: {sum} recorded after {before}, limit {}", view.limit));
        }
        for p in 0..self.processes.len() {
            let process = &self.processes[p];
            let share = process.valid_share(self.now);
            if process.key != key || share == 0 {
                continue;
            }
            let id = process.node.id();
            let recorded =
                view.nodes.iter().find(|node| node.id == *id).map_or(0, |node| node.share);
            if share > recorded {
                self.fail(&format!("I3: p{p} holds {share}, the ledger has {recorded}"));
            }
        }
    }

    /// Checks I1 and I5.
    pub(crate) fn check(&self) {
        for (key, most) in self.most.iter().enumerate() {
            let (mut shares, mut running) = (0, 0);
            for process in &self.processes {
                if process.key == key && process.alive {
                    shares += process.valid_share(self.now);
                    running += process.leased();
                }
            }
            if shares > *most {
                self.fail(&format!("I1: shares of {shares} permits are valid"));
            }
            if running > *most {
                self.fail(&format!("I5: {running} calls run with a lease"));
            }
        }
    }

    fn fail(&self, what: &str) -> ! {
        panic!(
            "{what}, most {:?}, at {}\n{}",
            self.most,
            self.now,
            self.trace.as_deref().unwrap_or_default()
        )
    }
}
