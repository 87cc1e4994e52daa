//! Finds the calls that wait for each other, in a picture of who holds and who waits. It knows no clocks, no
//! limiters and no tasks.
//!
//! An *agent* does one thing after another: it runs, or it waits in one queue. A *queue* has permits; a queue may
//! stand under a *total*, whose permits its waiters need too. An agent is *alive* if it can go on in some course of
//! events. The solver computes the least set of agents that
//!
//! * do not wait, or
//! * wait, and can be served by permits that are free, that nobody in the picture holds, or that agents hold who are
//!   alive. Waiters are served in order: the first who wants more than that keeps all behind it waiting.
//!
//! The others wait for ever. A *knot* is a smallest group of them that wait for nobody outside the group. The rest
//! waits for a knot.

#[cfg(all(test, not(limit_loom)))]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

/// The holders and the waiters at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Picture {
    /// The number of agents.
    pub(super) agents: usize,
    pub(super) queues: Vec<Queue>,
    pub(super) holds: Vec<Hold>,
}

/// The permits of a limiter in one scope, or of one key, or the total over all keys. Who waits for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    /// The number of permits.
    pub(super) limit: u32,
    /// The queue whose permits these waiters need as well.
    pub(super) total: Option<usize>,
    /// The waiters, the next first. An agent waits once at most.
    pub(super) waiters: Vec<Wait>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) weight: u32,
    /// `None` for a waiter that may give up: it keeps nobody waiting for ever.
    pub(super) agent: Option<usize>,
    /// It waits in another queue, and keeps those behind it waiting here until it is served there. The weight has no
    /// meaning.
    pub(super) is_elsewhere: bool,
}

/// Permits of a queue that come back only if an agent goes on. With a total, one of each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    pub(super) queue: usize,
    pub(super) weight: u32,
    pub(super) agent: usize,
}

/// Agents that wait for each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Knot {
    /// The waits of its agents, in the order of the chain as far as there is one.
    pub(super) links: Vec<Link>,
    /// Agents outside the knot that wait for it.
    pub(super) victims: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// The agent that waits.
    pub(super) agent: usize,
    /// The queue in which it waits.
    pub(super) queue: usize,
    /// The holds that it waits for, by their index in the picture.
    pub(super) holds: Arc<[usize]>,
    /// The queues of which too few permits can come back for it: its own, the total, or both.
    short: Vec<usize>,
    /// The agent before it in the queue that wants more permits than can come back, while there are enough for this
    /// one.
    pub(super) behind: Option<usize>,
}

impl Picture {
    /// Returns the knots.
    pub(super) fn knots(&self) -> Vec<Knot> {
        let Fixpoint { alive, stuck, stops } = self.fixpoint();
        if alive.iter().all(|&alive| alive) {
            return Vec::new();
        }
        let mut stuck_holds = vec![Vec::new(); self.queues.len()];
        for (index, hold) in self.holds.iter().enumerate().filter(|(_, hold)| !alive[hold.agent]) {
            for queue in self.queues_of(hold.queue) {
                stuck_holds[queue].push(index);
            }
        }
        // Those who wait in one queue share the list.
        let stuck_holds: Vec<Arc<[usize]>> = stuck_holds.into_iter().map(Arc::from).collect();
        let mut links: Vec<Option<Link>> = vec![None; self.agents];
        for (number, queue) in self.queues.iter().enumerate() {
            let Some(stop) = stops[number] else { continue };
            for wait in queue.waiters[stop..].iter().filter(|wait| !wait.is_elsewhere) {
                let Some(agent) = wait.agent.filter(|&agent| !alive[agent]) else { continue };
                let is_short = |&needed: &usize| {
                    wait.weight > self.queues[needed].limit.saturating_sub(stuck[needed])
                };
                let mut short: Vec<_> = self.queues_of(number).filter(is_short).collect();
                if self.is_above_limit(number, wait.weight) {
                    short.clear();
                }
                let holds = match short[..] {
                    [] => Arc::default(),
                    [one] => Arc::clone(&stuck_holds[one]),
                    // All that is stuck of a key is stuck of the total.
                    [_, total, ..] => Arc::clone(&stuck_holds[total]),
                };
                // If there are enough for it, it waits for the first one alone.
                let behind = if short.is_empty() { queue.waiters[stop].agent } else { None };
                links[agent] = Some(Link { agent, queue: number, holds, short, behind });
            }
        }
        self.sinks(&links, &stuck_holds)
    }

    /// Returns a queue, and its total if it has one.
    fn queues_of(&self, queue: usize) -> impl Iterator<Item = usize> + use<> {
        [Some(queue), self.queues[queue].total].into_iter().flatten()
    }

    /// Returns whether a waiter wants more than there is. No other call can give it that.
    fn is_above_limit(&self, queue: usize, weight: u32) -> bool {
        self.queues_of(queue).any(|needed| weight > self.queues[needed].limit)
    }

    fn fixpoint(&self) -> Fixpoint {
        let mut alive = vec![true; self.agents];
        for wait in self.queues.iter().flat_map(|queue| &queue.waiters) {
            if let Some(agent) = wait.agent {
                alive[agent] = false;
            }
        }
        let mut stuck = vec![0_u32; self.queues.len()];
        let mut holds_of = vec![Vec::new(); self.agents];
        for hold in &self.holds {
            holds_of[hold.agent].push(hold);
            if !alive[hold.agent] {
                for queue in self.queues_of(hold.queue) {
                    stuck[queue] = stuck[queue].saturating_add(hold.weight);
                }
            }
        }
        // The first waiter of each queue that is not known to be served.
        let mut next = vec![0; self.queues.len()];
        loop {
            let mut is_done = true;
            for (number, queue) in self.queues.iter().enumerate() {
                while let Some(wait) = queue.waiters.get(next[number]) {
                    let can_be_served = wait.agent.is_none_or(|agent| alive[agent])
                        || !wait.is_elsewhere
                            // More than the limit is not for others to give back.
                            && (self.is_above_limit(number, wait.weight)
                                || self.queues_of(number).all(|needed| {
                                    let come_back = self.queues[needed].limit.saturating_sub(stuck[needed]);
                                    wait.weight <= come_back
                                }));
                    if !can_be_served {
                        break;
                    }
                    next[number] += 1;
                    let Some(agent) = wait.agent.filter(|&agent| !alive[agent]) else { continue };
                    alive[agent] = true;
                    is_done = false;
                    for hold in &holds_of[agent] {
                        for queue in self.queues_of(hold.queue) {
                            stuck[queue] = stuck[queue].saturating_sub(hold.weight);
                        }
                    }
                }
            }
            if is_done {
                let stop = |(number, queue): (usize, &Queue)| {
                    Some(next[number]).filter(|&next| next < queue.waiters.len())
                };
                let stops = self.queues.iter().enumerate().map(stop).collect();
                return Fixpoint { alive, stuck, stops };
            }
        }
    }

    /// Returns the smallest groups of agents whose links lead to nobody outside the group.
    fn sinks(&self, links: &[Option<Link>], stuck_holds: &[Arc<[usize]>]) -> Vec<Knot> {
        // A node for each agent, and behind them one for each queue: it leads to the holders. So the graph is no larger
        // than the picture.
        let node_of_queue = |queue: usize| self.agents + queue;
        let of_agents = links.iter().map(|link| {
            let Some(link) = link else { return Vec::new() };
            link.short.iter().map(|&queue| node_of_queue(queue)).chain(link.behind).collect()
        });
        let of_queues = stuck_holds.iter().map(|holds| {
            let mut holders: Vec<_> = holds.iter().map(|&hold| self.holds[hold].agent).collect();
            holders.sort_unstable();
            holders.dedup();
            holders
        });
        let targets: Vec<Vec<usize>> = of_agents.chain(of_queues).collect();
        let groups = groups(&targets, |node| links.get(node).is_some_and(Option::is_some));
        let mut group_of = vec![usize::MAX; targets.len()];
        for (number, group) in groups.iter().enumerate() {
            for &node in group {
                group_of[node] = number;
            }
        }
        let mut sources = vec![Vec::new(); targets.len()];
        for (node, targets) in targets.iter().enumerate() {
            for &target in targets {
                sources[target].push(node);
            }
        }
        let mut is_seen = vec![false; targets.len()];
        let mut found = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            let leads_out =
                |&node: &usize| targets[node].iter().any(|&target| group_of[target] != number);
            if !group.iter().any(leads_out) {
                for &node in group {
                    is_seen[node] = true;
                }
                found.push(group);
            }
        }
        // Each of the others waits for one knot or several. It is listed with one of them.
        let knots = found.into_iter().map(|group| {
            let (mut left, mut victims) = (group.clone(), Vec::new());
            while let Some(node) = left.pop() {
                for &source in &sources[node] {
                    if !std::mem::replace(&mut is_seen[source], true) {
                        left.push(source);
                        victims.extend((source < self.agents).then_some(source));
                    }
                }
            }
            victims.sort_unstable();
            let order = chain(group, &targets).into_iter();
            let links = order.filter_map(|node| links.get(node).cloned().flatten()).collect();
            Knot { links, victims }
        });
        knots.collect()
    }
}

/// The least set of agents that are alive, and what follows from it.
struct Fixpoint {
    alive: Vec<bool>,
    /// The permits of each queue that do not come back.
    stuck: Vec<u32>,
    /// The position in each queue of the first waiter that is not served.
    stops: Vec<Option<usize>>,
}

/// Returns the members of a group so that each is followed by one that it waits for, as far as that is possible.
fn chain(group: &[usize], targets: &[Vec<usize>]) -> Vec<usize> {
    let mut left: BTreeSet<_> = group.iter().copied().collect();
    let mut order = Vec::with_capacity(group.len());
    while let Some(first) = left.pop_first() {
        let mut node = first;
        order.push(node);
        while let Some(&next) = targets[node].iter().find(|&target| left.contains(target)) {
            node = next;
            left.remove(&node);
            order.push(node);
        }
    }
    order
}

/// Returns the strongly connected components of a graph, by Tarjan's algorithm without recursion ("Depth-first
/// search and linear graph algorithms", 1972).
fn groups(targets: &[Vec<usize>], is_node: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let (mut index, mut low) = (vec![UNSEEN; targets.len()], vec![0; targets.len()]);
    let mut is_on_stack = vec![false; targets.len()];
    let (mut stack, mut found, mut count) = (Vec::new(), Vec::new(), 0);
    for root in (0..targets.len()).filter(|&root| is_node(root)) {
        if index[root] != UNSEEN {
            continue;
        }
        // Each node on the path, with the number of its targets that have been followed.
        let mut path = vec![(root, 0)];
        while let Some(&mut (node, ref mut followed)) = path.last_mut() {
            if *followed == 0 {
                index[node] = count;
                low[node] = count;
                count += 1;
                stack.push(node);
                is_on_stack[node] = true;
            }
            if let Some(&target) = targets[node].get(*followed) {
                *followed += 1;
                if index[target] == UNSEEN {
                    path.push((target, 0));
                } else if is_on_stack[target] {
                    low[node] = low[node].min(index[target]);
                }
                continue;
            }
            path.pop();
            if let Some(&(parent, _)) = path.last() {
                low[parent] = low[parent].min(low[node]);
            }
            if low[node] == index[node] {
                let first = stack.iter().rposition(|&other| other == node).unwrap_or(0);
                let group = stack.split_off(first);
                for &member in &group {
                    is_on_stack[member] = false;
                }
                found.push(group);
            }
        }
    }
    found
}
