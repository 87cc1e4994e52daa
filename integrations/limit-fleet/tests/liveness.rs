//! The fleet at work: how much of the limit is used, how fairly, and at which price.

mod model;

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

/// What a fleet did in a time.
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
