//! The orders in which limiters are nested, as a graph.

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::Location;
use std::sync::Arc;

/// The most orders of two limiters that are kept.
const EDGES: usize = 4096;

/// The orders of limiters. A limiter is known by its name, which no other live one has: by the address of the text,
/// so that one of the same name that comes later is another.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: HashMap<usize, Node>,
    /// Pairs of limiters that have been told of, the lower address first.
    told: HashSet<(usize, usize)>,
    /// Counts the orders that were not kept.
    left_out: usize,
}

#[derive(Debug)]
struct Node {
    /// It keeps the address from other names.
    name: Arc<str>,
    /// The limiters that are taken inside.
    inside: HashMap<usize, Nest>,
}

/// Two calls, the second inside the first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nest {
    pub(super) outer: &'static Location<'static>,
    pub(super) inner: &'static Location<'static>,
    /// `true` if the second waits for no longer than a time.
    pub(super) gives_up: bool,
}

/// An order of two limiters, with the calls that have shown it.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) outer: Arc<str>,
    pub(super) inner: Arc<str>,
    pub(super) nest: Nest,
}

/// A limiter on a way, and whether a call on the way to it waits without a limit of time.
type Point = (usize, bool);

fn key(name: &Arc<str>) -> usize {
    Arc::as_ptr(name).cast::<u8>().addr()
}

impl Order {
    fn keys(&self) -> (usize, usize) {
        (key(&self.outer), key(&self.inner))
    }

    fn pair(&self) -> (usize, usize) {
        let (outer, inner) = self.keys();
        (outer.min(inner), outer.max(inner))
    }
}

impl Graph {
    /// Returns whether no more orders are kept.
    pub(super) fn is_full(&self) -> bool {
        self.nodes.values().map(|node| node.inside.len()).sum::<usize>() >= EDGES
    }

    /// Returns whether it is time to forget dropped limiters, because the next order finds no room. That is so for one
    /// in many, because it takes long.
    pub(super) fn wants_room(&mut self) -> bool {
        const ONE_IN: usize = 1024;
        if !self.is_full() {
            return false;
        }
        self.left_out += 1;
        self.left_out % ONE_IN == 1
    }

    /// Returns whether an order adds nothing to what is known.
    pub(super) fn has(&self, order: &Order, holds: impl Fn(&Nest) -> bool) -> bool {
        let (outer, inner) = order.keys();
        let known = self.nodes.get(&outer).and_then(|node| node.inside.get(&inner));
        known.is_some_and(|known| holds(known) && (order.nest.gives_up || !known.gives_up))
    }

    pub(super) fn add(&mut self, order: &Order) {
        let node = |name: &Arc<str>| Node { name: Arc::clone(name), inside: HashMap::new() };
        let (outer, inner) = order.keys();
        self.nodes.entry(inner).or_insert_with(|| node(&order.inner));
        let outer = self.nodes.entry(outer).or_insert_with(|| node(&order.outer));
        outer.inside.insert(inner, order.nest);
    }

    /// Returns the circle that an order closes, with this order as the first, if there is one in which a call waits
    /// without a limit of time. Goes along orders that still hold.
    pub(super) fn circle(
        &self,
        order: &Order,
        holds: impl Fn(&Nest) -> bool,
    ) -> Option<Vec<Order>> {
        if self.told.contains(&order.pair()) {
            return None;
        }
        let (end, start) = order.keys();
        let start: Point = (start, !order.nest.gives_up);
        let mut came_from: HashMap<Point, Option<Point>> = HashMap::from([(start, None)]);
        let mut left = VecDeque::from([start]);
        while let Some(point @ (limiter, waits)) = left.pop_front() {
            if point == (end, true) {
                return Some(
                    [order.clone()].into_iter().chain(self.way(point, &came_from)).collect(),
                );
            }
            let Some(node) = self.nodes.get(&limiter).filter(|_| limiter != end) else { continue };
            for (&inner, nest) in node.inside.iter().filter(|(_, nest)| holds(nest)) {
                let next = (inner, waits || !nest.gives_up);
                came_from.entry(next).or_insert_with(|| {
                    left.push_back(next);
                    Some(point)
                });
            }
        }
        None
    }

    /// Returns the orders on the way to a point.
    fn way(&self, mut point: Point, came_from: &HashMap<Point, Option<Point>>) -> Vec<Order> {
        let mut way = Vec::new();
        while let Some(&Some(before)) = came_from.get(&point) {
            let (outer, inner) = (&self.nodes[&before.0], &self.nodes[&point.0]);
            way.push(Order {
                outer: Arc::clone(&outer.name),
                inner: Arc::clone(&inner.name),
                nest: outer.inside[&point.0],
            });
            point = before;
        }
        way.reverse();
        way
    }

    /// Notes that an order and the opposite one are told of. Returns whether they had not been.
    pub(super) fn tell_once(&mut self, order: &Order) -> bool {
        self.told.insert(order.pair())
    }

    pub(super) fn names(&self) -> Vec<Arc<str>> {
        self.nodes.values().map(|node| Arc::clone(&node.name)).collect()
    }

    /// Forgets limiters.
    pub(super) fn forget(&mut self, names: &[Arc<str>]) {
        let gone: HashSet<_> = names.iter().map(key).collect();
        self.nodes.retain(|limiter, _| !gone.contains(limiter));
        for node in self.nodes.values_mut() {
            node.inside.retain(|limiter, _| !gone.contains(limiter));
        }
        self.told.retain(|(one, other)| !gone.contains(one) && !gone.contains(other));
    }
}
