//! All schedules of a small fleet: two nodes, one permit, each order of events to a depth.
//!
//! `DEPTH=9` goes deeper.

mod model;

use std::{
    collections::HashMap,
    env,
    hash::{DefaultHasher, Hash, Hasher},
    thread,
};

use limit_fleet::message::Times;
use model::{Body, DEFAULT, Kind, MS, SECOND, World, process::Step};

/// The shortest times, so that few messages are a lease.
const TIMES: Times = Times { ttl: SECOND, hold: 0 };
const A: usize = 0;
const B: usize = 1;
/// Speaks only to let ledger time go by.
const BYSTANDER: usize = 2;

#[derive(Clone, Copy, Debug)]
enum Event {
    /// A node gives up what is under way, and speaks. It wants as many calls to start.
    Speak(usize, u32),
    /// A node notes the start of a message and is stopped there.
    Begin(usize),
    /// It goes on.
    Finish(usize),
    /// A packet arrives. If it is lost, it never does.
    Arrive(usize),
    /// A packet arrives, and will arrive again.
    Repeat(usize),
    /// A call ends.
    End(usize),
    /// A lease goes by, for the ledger too.
    Lapse,
    /// As long as a lease of a node lasts, and nobody speaks.
    Silence,
    Replicate,
    FailOver,
    RestartEmpty,
    /// The server's clock goes forward by a lease.
    Step,
}

impl Event {
    /// Returns how many events must at least follow, until this one can do harm.
    fn followers(self) -> usize {
        match self {
            Self::Arrive(_) => 0,
            // Something arrives.
            Self::Repeat(_)
            | Self::Finish(_)
            | Self::Lapse
            | Self::Silence
            | Self::FailOver
            | Self::RestartEmpty
            | Self::Step => 1,
            // A request arrives; or the server fails over, and something arrives.
            Self::Speak(..) | Self::Replicate => 2,
            // A message is made first.
            Self::Begin(_) | Self::End(_) => 3,
        }
    }
}

const NETWORK: &[Event] = &[Event::Lapse, Event::Silence];
const SERVER: &[Event] = &[
    Event::Lapse,
    Event::Silence,
    Event::Replicate,
    Event::FailOver,
    Event::RestartEmpty,
    Event::Step,
];

/// How often the server's clock went forward: the promise holds for twice in a lease, and not in the first
/// lease after an empty restart.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct WallClock {
    steps: u32,
    fresh_until: u64,
}

impl WallClock {
    /// Returns the clock after an event, or nothing if the promise does not hold for it.
    fn after(mut self, world: &World, event: Event) -> Option<Self> {
        let forward = match event {
            Event::Step => true,
            Event::FailOver => world.servers.fails_forward(),
            _ => false,
        };
        if let Event::RestartEmpty = event {
            self.fresh_until = world.now + world.times.term();
        }
        if forward {
            self.steps += 1;
        }
        (!forward || self.steps <= 2 && world.now >= self.fresh_until).then_some(self)
    }
}

const FAIL_OVER: &[Event] = &[Event::Lapse, Event::Silence, Event::Replicate, Event::FailOver];
const LATE: &[Event] = &[Event::Replicate, Event::FailOver, Event::RestartEmpty];

struct Search {
    alphabet: &'static [Event],
    /// `true` if packets come twice, and nodes are stopped inside a message.
    fine: bool,
    /// The states, and to which depth their events are known.
    seen: HashMap<(u64, WallClock), usize>,
    path: Vec<Event>,
    events: u64,
}

impl Drop for Search {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("after {:?}", self.path);
        }
    }
}

impl Search {
    fn go(&mut self, world: &World, clock: WallClock, depth: usize) {
        if depth == 0 {
            return;
        }
        // At the last event it is cheaper to look again.
        if depth > 1 {
            let seen = self.seen.entry((key(world), clock)).or_default();
            if *seen >= depth {
                return;
            }
            *seen = depth;
        }
        let mut events = self.alphabet.to_vec();
        for p in [A, B] {
            match world.processes[p].step {
                Step::Begun(_) => events.push(Event::Finish(p)),
                _ if self.fine => {
                    events.extend([Event::Speak(p, 0), Event::Speak(p, 1), Event::Begin(p)]);
                }
                _ => events.extend([Event::Speak(p, 0), Event::Speak(p, 1)]),
            }
            if !world.processes[p].calls.is_empty() {
                events.push(Event::End(p));
            }
        }
        for packet in 0..world.packets.len() {
            if world.packets[..packet].contains(&world.packets[packet]) {
                continue;
            }
            events.push(Event::Arrive(packet));
            if self.fine {
                events.push(Event::Repeat(packet));
            }
        }
        for event in events {
            // An event at the end of a schedule does no harm by itself.
            if event.followers() >= depth {
                continue;
            }
            let Some(clock) = clock.after(world, event) else { continue };
            self.path.push(event);
            self.events += 1;
            let mut next = world.clone();
            happen(&mut next, event);
            next.check();
            self.go(&next, clock, depth - 1);
            self.path.pop();
        }
    }
}

/// Hashes what matters for all that follows.
fn key(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    (world.now, &world.servers).hash(&mut hasher);
    for p in [A, B, BYSTANDER] {
        let process = &world.processes[p];
        (&process.node, process.limit, process.deadline, process.waiting).hash(&mut hasher);
        (&process.calls, &process.step).hash(&mut hasher);
    }
    // The order of packets does not matter.
    let packets = world.packets.iter().fold(0_u64, |sum, packet| {
        let mut hasher = DefaultHasher::new();
        packet.hash(&mut hasher);
        sum.wrapping_add(hasher.finish())
    });
    packets.hash(&mut hasher);
    hasher.finish()
}

fn happen(world: &mut World, event: Event) {
    let times = world.times;
    let lease = times.ttl - times.margin();
    match event {
        Event::Speak(p, want) => {
            give_up(world, p);
            world.want(p, want);
            world.speak(p);
        }
        Event::Begin(p) => {
            give_up(world, p);
            world.begin(p);
        }
        Event::Finish(p) => {
            world.lower(p);
            world.send(p);
        }
        Event::Arrive(packet) => arrive(world, packet),
        Event::Repeat(packet) => {
            world.packets.push(world.packets[packet].clone());
            arrive(world, packet);
        }
        Event::End(p) => world.end(p, 0),
        Event::Lapse => {
            let end = world.now + times.term() + 10 * MS;
            while world.now < end {
                world.advance(end.min(world.now + Times::STEP));
                world.speak(BYSTANDER);
                world.arrive(BYSTANDER, Kind::Request);
                world.arrive(BYSTANDER, Kind::Answer);
            }
        }
        Event::Silence => world.advance(world.now + lease),
        Event::Replicate => world.servers.replicate(),
        Event::FailOver => {
            world.servers.fail_over();
        }
        Event::RestartEmpty => world.servers.restart_empty(world.now),
        Event::Step => world.servers.step_forward(times.term()),
    }
}

fn give_up(world: &mut World, p: usize) {
    let local = world.processes[p].clock.local(world.now);
    world.processes[p].node.give_up(local);
}

/// Lets a packet arrive, and a call in if that gives a permit.
fn arrive(world: &mut World, packet: usize) {
    let p = world.packets[packet].process;
    let is_request = matches!(world.packets[packet].body, Body::Request(_));
    world.deliver(packet);
    if !is_request {
        world.admit(p);
        for call in &mut world.processes[p].calls {
            call.at = model::NEVER;
        }
    }
}

/// Where the schedules begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// Nobody has spoken.
    Fresh,
    /// A holds the permit and runs a call, and B queues.
    Held,
    /// A's renewal is under way for longer than its lease. B holds the permit.
    Late,
    /// The same as held, and then a lease has gone by.
    Lapsed,
    /// A has given the permit back, and the push to B is under way.
    PassedOn,
    /// The master was promoted, and the replica has a ledger without shares.
    Promoted,
}

fn begin(start: Start) -> World {
    // With the shortest times a margin is half a lease, and a late renewal cannot do harm.
    let times = if start == Start::Late { DEFAULT } else { TIMES };
    let mut world = World::new(times, 1);
    for _ in [A, B, BYSTANDER] {
        world.join(0, 1);
    }
    match start {
        Start::Fresh => return world,
        Start::Promoted => {
            happen(&mut world, Event::FailOver);
            happen(&mut world, Event::Lapse);
            world.servers.replicate();
            happen(&mut world, Event::FailOver);
            happen(&mut world, Event::Lapse);
            return world;
        }
        _ => {}
    }
    world.want(A, 1);
    world.speak(A);
    arrive(&mut world, 0);
    arrive(&mut world, 0);
    world.advance(100 * MS);
    world.want(B, 1);
    world.talk(B);
    match start {
        Start::Late => {
            world.pass(BYSTANDER, times.ttl - times.margin() - 200 * MS);
            world.speak(A);
            world.pass(BYSTANDER, times.margin() + 200 * MS);
            world.talk(B);
            world.admit(B);
        }
        Start::Lapsed => happen(&mut world, Event::Lapse),
        Start::PassedOn => {
            world.end(A, 0);
            world.arrive(A, Kind::Push);
            world.talk(A);
        }
        _ => {}
    }
    world
}

fn search(start: Start, alphabet: &'static [Event], fine: bool) {
    let depth = env::var("DEPTH").map_or(7, |text| text.parse().expect("DEPTH is a number"));
    let world = begin(start);
    let mut search = Search { alphabet, fine, seen: HashMap::new(), path: Vec::new(), events: 0 };
    search.go(&world, WallClock::default(), depth);
    println!("{start:?}, depth {depth}: {} events, {} states", search.events, search.seen.len());
}

#[test]
fn no_order_of_packets_lets_two_in() {
    search(Start::Fresh, NETWORK, true);
}

#[test]
fn no_order_of_packets_lets_two_in_while_one_holds() {
    search(Start::Held, NETWORK, true);
}

#[test]
fn no_order_of_packets_lets_two_in_while_a_permit_is_passed_on() {
    search(Start::PassedOn, NETWORK, false);
}

#[test]
fn no_faults_of_the_server_let_two_in() {
    search(Start::Fresh, SERVER, false);
}

#[test]
fn no_faults_of_the_server_let_two_in_while_one_holds() {
    search(Start::Held, SERVER, false);
}

#[test]
fn no_faults_of_the_server_let_two_in_while_a_renewal_is_late() {
    search(Start::Late, LATE, false);
}

#[test]
fn no_faults_of_the_server_let_two_in_after_a_lease_is_over() {
    search(Start::Lapsed, FAIL_OVER, false);
}

#[test]
fn no_faults_of_a_promoted_server_let_two_in() {
    search(Start::Promoted, SERVER, false);
}
