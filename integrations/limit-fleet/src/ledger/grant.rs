//! The share that a message is answered with.

use super::Ledger;
use crate::message::{Renewal, Times};

pub(super) struct Grant {
    pub(super) share: u32,
    /// The share without the spare and the 1 more.
    pub(super) target: u32,
}

impl Ledger {
    /// Decides the share of a node that is not in the sums.
    ///
    /// `turn` is the ticket with which the node already waits.
    pub(super) fn grant(&self, renewal: &Renewal, claim: u32, turn: Option<u64>) -> Grant {
        if self.is_learning() {
            return Grant { share: claim, target: claim };
        }
        let room = u32::try_from(self.free()).unwrap_or(0);
        let fair = renewal.want.min(self.level.low);
        let wish = renewal.want.min(self.level.high);
        let mut grant = Grant { share: claim.max(fair.min(room)), target: fair };
        if grant.share == claim && claim < wish {
            let free = room.saturating_sub(claim.max(renewal.running));
            let before = turn.map_or(self.queued, |turn| self.heads.before(turn, self.queued));
            // The nodes before this one may be dead. A permit that lies about shows that they are.
            let idle = free > 0 && self.time - self.busy >= Times::QUANTUM;
            if before < free || idle {
                grant.share = claim + 1;
            }
        }
        // A node that gives everything back must not get a spare in return.
        let gives_back = claim == 0 && renewal.want == 0;
        if self.queued == 0 && grant.share >= wish && !gives_back {
            let nodes = u32::try_from(self.nodes.len() + 1).unwrap_or(u32::MAX);
            let spare = (self.limit / nodes).max(renewal.want.saturating_add(renewal.want / 4));
            grant.share = grant.share.max(spare.min(room));
        }
        grant
    }
}
