//! The fleet at work: how much of the limit is used, how fairly, and at which price.

mod model;

use limit_fleet::message::{NodeId, Times};
use limit_fleet::node::{Load, Node};
use model::{DEFAULT, MS, Network, SECOND, World, process::Demand, random::Random};

/// A fleet with a reliable network: `nodes` processes, one limit, bodies of a length.
fn fleet(nodes: usize, limit: u32, demand: Demand, body: (u64, u64)) -> World {
    let mut world = World::new(DEFAULT, 1);
    world.network = Network::Reliable(MS / 4);
    world.random = Random::new(1);
    for _ in 0..nodes {
        let p = world.join(0, limit);
        let process = &mut world.processes[p];
        process.demand = demand;
        process.body = body;
        world.touch(p);
    }
    world
}

/// The work of a fleet in a time.
#[derive(Debug)]
struct Report {
    utilisation: f64,
    jain: f64,
    /// Calls of Redis for each acquisition.
    price: f64,
    /// The longest time in which calls of one process waited and none started, in milliseconds.
    longest_wait: u64,
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn measure(world: &mut World, time: u64) -> Report {
    for process in &mut world.processes {
        process.figures.started = 0;
        process.figures.longest_wait = 0;
    }
    let (renewals, busy) = (world.renewals, world.busy[0]);
    world.run_for(time);
    let started: Vec<f64> =
        world.processes.iter().map(|process| process.figures.started as f64).collect();
    let sum: f64 = started.iter().sum();
    let squares: f64 = started.iter().map(|x| x * x).sum();
    let capacity = f64::from(world.most[0]) * time as f64;
    Report {
        utilisation: (world.busy[0] - busy) as f64 / capacity,
        jain: sum * sum / (started.len() as f64 * squares),
        price: (world.renewals - renewals) as f64 / sum,
        longest_wait: world
            .processes
            .iter()
            .map(|process| process.figures.longest_wait / MS)
            .max()
            .unwrap_or_default(),
    }
}

#[test]
fn a_saturated_fleet_uses_all_permits_fairly() {
    let mut world = fleet(8, 20, Demand::Clients(20), (5 * MS, 20 * MS));
    world.run_for(2 * SECOND);
    let report = measure(&mut world, 20 * SECOND);
    println!("N = 20, 8 nodes, saturated: {report:?}");
    assert!(report.utilisation >= 0.98, "{report:?}");
    assert!(report.jain >= 0.99, "{report:?}");
    assert!(report.price <= 0.1, "{report:?}");
}

#[test]
fn a_fleet_with_room_hardly_asks() {
    // Each node: 500 calls a second of 12.5 ms, so 50 of 200 permits in all.
    let demand = Demand::Every { mean: 2 * MS, next: 0 };
    let mut world = fleet(8, 200, demand, (5 * MS, 20 * MS));
    world.run_for(2 * SECOND);
    let report = measure(&mut world, 10 * SECOND);
    println!("N = 200, 8 nodes, a quarter of the load: {report:?}");
    assert!(report.price <= 0.01, "{report:?}");
}

#[test]
fn fewer_permits_than_nodes_are_passed_on() {
    let mut world = fleet(40, 3, Demand::Clients(3), (100 * MS, 100 * MS));
    world.run_for(5 * SECOND);
    let report = measure(&mut world, 60 * SECOND);
    println!("N = 3, 40 nodes, saturated: {report:?}");
    assert!(report.utilisation >= 0.97, "{report:?}");
    assert!(report.jain >= 0.99, "{report:?}");
    assert!(report.longest_wait <= 3_000, "{report:?}");
}

#[test]
fn one_permit_is_passed_on_with_a_new_token_each_time() {
    let mut world = fleet(8, 1, Demand::Clients(2), (5 * MS, 20 * MS));
    let mut last = 0;
    let mut holders = vec![0];
    for _ in 0..40_000 {
        world.run_for(MS / 4);
        for (p, process) in world.processes.iter().enumerate() {
            let allowance = process.node.allowance(process.clock.local(world.now));
            if allowance.permits == 1 {
                let token = allowance.token.expect("the limit is 1");
                assert!(token >= last, "p{p} holds {token} after {last}");
                assert!(token > last || holders == [p], "two holders of {token}");
                (last, holders) = (token, vec![p]);
            }
        }
    }
    assert!(world.processes.iter().all(|process| process.figures.started > 50));
}

#[test]
fn a_low_load_over_more_nodes_than_permits_is_served() {
    // 24 calls a second of 100 ms: 0.8 of the limit.
    let demand = Demand::Every { mean: 40 * SECOND / 24, next: 0 };
    let mut world = fleet(40, 3, demand, (100 * MS, 100 * MS));
    world.run_for(5 * SECOND);
    let report = measure(&mut world, 60 * SECOND);
    println!("N = 3, 40 nodes, load 0.8: {report:?}");
    assert!(report.utilisation >= 0.7, "{report:?}");
    assert!(report.price <= 4.0, "{report:?}");
}

#[test]
fn idle_nodes_fall_silent_and_hold_nothing() {
    let mut world = fleet(40, 40, Demand::None, (MS, MS));
    for p in 0..40 {
        world.processes[p].waiting = 1;
        world.touch(p);
    }
    world.run_for(10 * SECOND);
    assert!(world.processes.iter().all(|process| process.figures.started == 1));
    let renewals = world.renewals;
    world.run_for(600 * SECOND);
    assert_eq!(world.renewals, renewals, "idle nodes speak");

    world.processes[7].demand = Demand::Clients(40);
    world.touch(7);
    world.run_for(MS);
    assert_eq!(world.processes[7].limit, 40);
}

#[test]
fn idle_nodes_give_a_spare_back_as_soon_as_somebody_wants_it() {
    let mut world = fleet(40, 40, Demand::None, (MS, MS));
    for p in 0..40 {
        world.processes[p].waiting = 1;
        world.touch(p);
        world.run_for(MS);
    }
    world.run_for(100 * MS);
    assert!(world.processes.iter().all(|process| process.figures.started == 1));
    world.processes[7].demand = Demand::Clients(40);
    world.processes[7].body = (SECOND, SECOND);
    world.touch(7);
    world.run_for(10 * MS);
    println!(
        "of 40 permits that idle nodes want no more, {} come at once",
        world.processes[7].limit
    );
    let time = time_until(&mut world, 7, 40);
    println!("the others come after {} ms", time / MS);
    assert!(time <= DEFAULT.ttl / 3 + 200 * MS);
}

#[test]
fn a_dead_head_of_the_queue_holds_nobody_up() {
    let mut world = fleet(3, 2, Demand::None, (100 * MS, 100 * MS));
    world.processes[0].demand = Demand::Clients(2);
    world.touch(0);
    world.run_for(10 * MS);
    // Both queue, p1 first, while p0 has both permits.
    for p in [1, 2] {
        world.processes[p].waiting = 1;
        world.touch(p);
        world.run_for(MS);
    }
    world.kill(1);
    world.processes[0].demand = Demand::None;
    world.processes[0].waiting = 0;
    world.run_for(300 * MS);
    assert_eq!(world.processes[2].figures.started, 1);
}

/// Runs until a process has a limit, and returns how long that took.
fn time_until(world: &mut World, p: usize, limit: u32) -> u64 {
    let start = world.now;
    while world.processes[p].limit < limit {
        assert!(world.now < start + 60 * SECOND, "p{p} never has {limit}");
        world.run_for(MS);
    }
    world.now - start
}

#[test]
fn a_dead_nodes_share_comes_back_for_one_that_waits() {
    let mut world = fleet(2, 5, Demand::None, (SECOND, SECOND));
    world.processes[0].demand = Demand::Clients(5);
    world.touch(0);
    world.run_for(10 * MS);
    world.processes[1].demand = Demand::Clients(5);
    world.touch(1);
    world.run_for(10 * SECOND);
    // p0 has 2 or 3, and speaks for the last time.
    world.speak(0);
    world.run_for(MS);
    world.kill(0);
    let time = time_until(&mut world, 1, 5);
    println!("a dead node's share is back after {} ms", time / MS);
    assert!(time <= DEFAULT.term() + 300 * MS);
}

#[test]
fn a_dead_nodes_share_comes_back_where_nobody_queues() {
    // All have the level, so nobody queues, but all want more.
    for (nodes, limit) in [(2, 20), (8, 16), (20, 40), (40, 80)] {
        let mut world = fleet(nodes, limit, Demand::Clients(limit), (5 * MS, 20 * MS));
        world.run_for(10 * SECOND);
        world.speak(0);
        world.run_for(MS);
        world.kill(0);
        let start = world.now;
        let all = |world: &World| -> u32 {
            world.processes.iter().map(|process| process.valid_share(world.now)).sum()
        };
        world.run_for(5 * SECOND);
        while all(&world) < limit {
            world.run_for(MS);
        }
        let time = world.now - start;
        println!("{nodes} nodes, N = {limit}: a dead node's share is back after {} ms", time / MS);
        assert!(time <= DEFAULT.term() + 300 * MS);
    }
}

#[test]
fn a_dead_nodes_share_comes_back_after_silence() {
    let mut world = fleet(2, 5, Demand::None, (SECOND, SECOND));
    world.processes[0].demand = Demand::Clients(5);
    world.touch(0);
    world.run_for(10 * MS);
    world.kill(0);
    world.run_for(3600 * SECOND);
    world.processes[1].waiting = 5;
    world.touch(1);
    let time = time_until(&mut world, 1, 5);
    println!("after silence a dead node's share is back after {} ms", time / MS);
    assert!(time <= DEFAULT.term() + 300 * MS);
}

#[test]
fn a_node_that_leaves_gives_its_share_to_others() {
    let mut world = fleet(2, 4, Demand::Clients(4), (MS, 5 * MS));
    world.run_for(SECOND);
    world.leave(0);
    let time = time_until(&mut world, 1, 4);
    println!("after a node has left, its share is used after {} ms", time / MS);
    assert!(time <= 250 * MS, "{time}");
    world.run_for(20 * SECOND);
    let messages = world.processes[0].figures.messages;
    world.run_for(20 * SECOND);
    assert_eq!(world.processes[0].figures.messages, messages, "a node speaks after it has left");
}

#[test]
fn the_smallest_opinion_of_the_limit_is_in_force() {
    for clients in [1, 20] {
        let mut world = fleet(4, 20, Demand::Clients(clients), (5 * MS, 20 * MS));
        world.run_for(5 * SECOND);
        world.set_limit(0, 2);
        world.run_for(DEFAULT.ttl / 3 + 30 * MS);
        world.most[0] = 2;
        world.run_for(20 * SECOND);
        assert!(world.processes[1].node.figures(0).disagrees());

        // The other opinion leaves with its node.
        world.most[0] = 20;
        world.leave(0);
        world.run_for(DEFAULT.ttl + SECOND);
        let running: usize = world.processes.iter().map(|process| process.calls.len()).sum();
        assert_eq!(running, 20.min(3 * clients as usize));
    }
}

/// Returns how many calls each process starts in a time.
fn starts(world: &mut World, time: u64) -> Vec<u64> {
    let started = |world: &World| -> Vec<u64> {
        world.processes.iter().map(|process| process.figures.started).collect()
    };
    let before = started(world);
    world.run_for(time);
    started(world).iter().zip(before).map(|(after, before)| after - before).collect()
}

/// A fleet of which one process has paused, while its calls wait, and of which the others have heard that.
fn paused_by_one(nodes: usize) -> World {
    let mut world = fleet(nodes, 5, Demand::Clients(5), (5 * MS, 20 * MS));
    world.run_for(SECOND);
    world.set_limit(0, 0);
    world.run_for(DEFAULT.ttl / 3 + 30 * MS);
    world.most[0] = 0;
    assert!(starts(&mut world, 60 * SECOND).iter().all(|&started| started == 0));
    world.most[0] = 5;
    world
}

#[test]
fn a_limit_of_zero_of_one_process_holds_over_the_fleet_until_it_is_raised() {
    for nodes in [2, 8] {
        let mut world = paused_by_one(nodes);
        world.set_limit(0, 5);
        let started = starts(&mut world, SECOND);
        assert!(started.iter().all(|&started| started > 0), "{started:?}");
    }
}

#[test]
fn paused_processes_hardly_speak_though_calls_wait() {
    let mut world = fleet(2, 5, Demand::Clients(5), (5 * MS, 20 * MS));
    world.run_for(SECOND);
    world.set_limit(0, 0);
    world.set_limit(1, 0);
    world.run_for(100 * MS);
    world.most[0] = 0;
    let renewals = world.renewals;
    assert_eq!(starts(&mut world, 60 * SECOND), [0, 0]);
    // One message for each refresh, which is shortened by a quarter at the most.
    let most = 2 * (60 * SECOND / (DEFAULT.ttl / 3 * 3 / 4) + 1);
    assert!(world.renewals - renewals <= most, "{}", world.renewals - renewals);

    // The second is raised at a time at which the ledger does not look at all nodes again.
    world.most[0] = 5;
    world.set_limit(0, 5);
    world.run_for(MS);
    world.set_limit(1, 5);
    let started = starts(&mut world, 300 * MS);
    assert!(started.iter().all(|&started| started > 0), "{started:?}");
}

#[test]
fn the_price_of_a_pause_by_another_process_does_not_grow_with_the_fleet() {
    for nodes in [2, 8, 40] {
        let mut world = paused_by_one(nodes);
        let renewals = world.renewals;
        world.run_for(60 * SECOND);
        let rate = (world.renewals - renewals) / 60;
        println!("{nodes} nodes, paused by one: {rate} messages a second");
        assert!(rate <= 30, "{rate}");
    }
}

#[test]
fn a_limit_of_zero_ends_with_the_lease_of_a_process_that_was_killed() {
    for nodes in [2, 8] {
        let mut world = paused_by_one(nodes);
        world.kill(0);
        let started = starts(&mut world, DEFAULT.term() + 500 * MS);
        assert!(started[1..].iter().any(|&started| started > 0), "{started:?}");
    }
}

#[test]
fn a_raised_limit_is_used() {
    let mut world = fleet(4, 4, Demand::Clients(20), (5 * MS, 20 * MS));
    world.run_for(5 * SECOND);
    for p in 0..4 {
        world.set_limit(p, 40);
        world.run_for(SECOND);
    }
    world.run_for(SECOND);
    let report = measure(&mut world, 5 * SECOND);
    assert!(report.utilisation >= 0.98, "{report:?}");
}

#[test]
fn holders_go_on_while_the_ledger_learns_and_then_all_is_granted_again() {
    let mut world = fleet(4, 10, Demand::Clients(3), (5 * MS, 20 * MS));
    world.run_for(5 * SECOND);
    for p in 0..4 {
        world.processes[p].demand = Demand::Clients(2 + 2 * u32::try_from(p).expect("small"));
    }
    let now = world.now;
    world.servers.restart_empty(now);
    world.run_for(100 * MS);
    let report = measure(&mut world, 5 * SECOND);
    println!("while the ledger learns: {report:?}");
    assert!(report.utilisation >= 0.9, "{report:?}");
    world.run_for(2 * SECOND);
    let report = measure(&mut world, 5 * SECOND);
    assert!(report.utilisation >= 0.98, "{report:?}");
}

#[test]
fn a_first_use_on_a_server_that_was_promoted_waits_for_a_lease() {
    let mut world = fleet(1, 5, Demand::None, (SECOND, SECOND));
    world.servers.fail_over();
    world.processes[0].waiting = 5;
    world.touch(0);
    let time = time_until(&mut world, 0, 5);
    println!("a first use on a promoted server waits {} ms", time / MS);
    assert!((DEFAULT.term()..=DEFAULT.term() + 300 * MS).contains(&time), "{time}");
}

#[test]
fn nodes_come_back_one_after_another_when_the_server_was_away() {
    let mut world = fleet(40, 40, Demand::Clients(2), (5 * MS, 20 * MS));
    world.run_for(5 * SECOND);
    world.up = false;
    let before: u64 = world.processes.iter().map(|process| process.figures.messages).sum();
    world.run_for(60 * SECOND);
    let messages: u64 = world.processes.iter().map(|p| p.figures.messages).sum::<u64>() - before;
    println!("40 nodes try {messages} times in a minute");
    assert!(messages < 40 * 60);
    assert!(world.processes.iter().all(|process| process.calls.is_empty()));
    world.up = true;
    let renewals = world.renewals;
    world.run_for(50 * MS);
    assert!(world.renewals - renewals < 15, "a storm: {}", world.renewals - renewals);
    world.run_for(DEFAULT.term() + 3 * SECOND);
    let report = measure(&mut world, 5 * SECOND);
    assert!(report.utilisation >= 0.98, "{report:?}");
}

#[test]
fn a_call_that_may_not_wait_gets_its_turn_when_it_comes_again() {
    let mut world = fleet(2, 1, Demand::None, (5 * MS, 5 * MS));
    world.processes[0].demand = Demand::Clients(1);
    world.touch(0);
    world.run_for(SECOND);
    let mut admitted = 0;
    for _ in 0..1000 {
        let process = &mut world.processes[1];
        if process.load().running < process.limit {
            admitted += 1;
            process.waiting = 1;
        } else {
            process.refused = true;
        }
        world.touch(1);
        world.run_for(10 * MS);
    }
    println!("a call that may not wait was let in {admitted} times of 1000");
    assert!(admitted >= 200, "{admitted}");
}

#[test]
fn nodes_that_want_little_get_it_and_the_others_share_the_rest() {
    let mut world = fleet(4, 20, Demand::Clients(20), (5 * MS, 20 * MS));
    for p in [0, 1] {
        world.processes[p].demand = Demand::Clients(2);
    }
    world.run_for(2 * SECOND);
    let (before, mut calls) = (world.busy[0], [0; 4]);
    for _ in 0..1000 {
        world.run_for(5 * MS);
        for (p, process) in world.processes.iter().enumerate() {
            calls[p] += process.calls.len();
        }
    }
    let mean = calls.map(|sum: usize| sum / 100);
    println!("tenths of calls that run at once, of 20, 20, 80, 80: {mean:?}");
    assert!(mean[0] >= 19 && mean[1] >= 19, "{mean:?}");
    assert!(mean[2] >= 76 && mean[3] >= 76, "{mean:?}");
    assert!(world.busy[0] - before >= 5 * SECOND * 20 * 98 / 100);
}

#[test]
fn a_node_that_is_idle_ends_while_the_ledger_cannot_be_reached() {
    let times = Times { ttl: 6_000_000, hold: 0 };
    let mut node = Node::new(NodeId("one#1".into()), times, 1);
    let mut load = Load { refused: true, ..Load::default() };
    let (mut now, mut attempts) = (1, 0);
    while let Some(due) = node.speaks_at(now, load) {
        now = now.max(due);
        let draft = node.begin(now, load);
        let _lost = node.message(draft, load);
        node.give_up(now);
        load = Load::default();
        attempts += 1;
        assert!(attempts < 100, "it has asked once, and tries for ever");
    }
    assert!(now < 3 * times.term());
}
