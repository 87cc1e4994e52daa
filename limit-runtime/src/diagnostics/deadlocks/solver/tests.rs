//! The solver beside oracles that play what can happen.

use super::{Hold, Knot, Picture, Queue, Wait};
use crate::random::Random;
use std::collections::{BTreeSet, HashSet};

/// A task of the exhaustive test: the limiters of which it holds a permit, and the one for which it waits.
#[derive(Clone, Copy, Debug)]
struct Task {
    holds: u8,
    waits: Option<u8>,
}

/// Plays all courses of events, and returns the tasks that end in none of them.
///
/// A task that runs may give all its permits back and end. A task that waits for a limiter with a free permit may
/// take it and run.
fn stuck_for_ever(limits: &[u32], tasks: &[Task]) -> BTreeSet<usize> {
    #[derive(Clone, Copy, PartialEq, Eq, Hash)]
    enum At {
        Waiting,
        Running,
        Ended,
    }
    let start: Vec<_> = tasks
        .iter()
        .map(|task| if task.waits.is_some() { At::Waiting } else { At::Running })
        .collect();
    let mut ended = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut left = vec![start];
    while let Some(state) = left.pop() {
        if !seen.insert(state.clone()) {
            continue;
        }
        let out = |limiter: u8| {
            let holds = |(task, at): (&Task, &At)| {
                let own = u32::from(*at != At::Ended && task.holds >> limiter & 1 == 1);
                own + u32::from(*at == At::Running && task.waits == Some(limiter))
            };
            tasks.iter().zip(&state).map(holds).sum::<u32>()
        };
        for number in 0..tasks.len() {
            let next = match (state[number], tasks[number].waits) {
                (At::Waiting, Some(limiter)) if out(limiter) < limits[usize::from(limiter)] => {
                    At::Running
                }
                (At::Running, _) => At::Ended,
                _ => continue,
            };
            let mut state = state.clone();
            state[number] = next;
            if next == At::Ended {
                ended.insert(number);
            }
            left.push(state);
        }
    }
    (0..tasks.len()).filter(|number| !ended.contains(number)).collect()
}

fn picture(limits: &[u32], tasks: &[Task]) -> Picture {
    let mut queues: Vec<_> =
        limits.iter().map(|&limit| Queue { limit, total: None, waiters: Vec::new() }).collect();
    let mut holds = Vec::new();
    for (agent, task) in tasks.iter().enumerate() {
        if let Some(queue) = task.waits {
            queues[usize::from(queue)].waiters.push(Wait {
                weight: 1,
                agent: Some(agent),
                is_elsewhere: false,
            });
        }
        for queue in (0..limits.len()).filter(|queue| task.holds >> queue & 1 == 1) {
            holds.push(Hold { queue, weight: 1, agent });
        }
    }
    Picture { agents: tasks.len(), queues, holds }
}

fn agents(knot: &Knot) -> BTreeSet<usize> {
    knot.links.iter().map(|link| link.agent).collect()
}

/// Checks that the knots are what an oracle says, and that each is one.
fn check(picture: &Picture, stuck: &BTreeSet<usize>, what: &dyn std::fmt::Debug) {
    let knots = picture.knots();
    let mut found = BTreeSet::new();
    for knot in &knots {
        let members = agents(knot);
        assert!(!members.is_empty(), "{what:?}: {knots:?}");
        for link in &knot.links {
            let holders = link.holds.iter().map(|&hold| picture.holds[hold].agent);
            let causes: Vec<_> = holders.chain(link.behind).collect();
            assert!(!causes.is_empty(), "{what:?}: {link:?} waits for nobody");
            assert!(causes.iter().all(|cause| members.contains(cause)), "{what:?}: {link:?}");
        }
        let is_waited_for = |agent: usize| {
            knot.links.iter().any(|link| {
                link.behind == Some(agent)
                    || link.holds.iter().any(|&hold| picture.holds[hold].agent == agent)
            })
        };
        assert!(members.iter().all(|&agent| is_waited_for(agent)), "{what:?}: {knot:?}");
        for &agent in members.iter().chain(&knot.victims) {
            assert!(found.insert(agent), "{what:?}: agent {agent} is in two places: {knots:?}");
        }
    }
    assert_eq!(found, *stuck, "{what:?}: {knots:?}");
}

/// Checks all graphs of so many tasks and limiters with limits of 1 and 2. Returns their number.
///
/// Tasks in another order, and limiters in another order, are the same graph. So the tasks are in order of their
/// kind, and the limits in order of their size.
fn check_all(limiters: u8, tasks: usize) -> u64 {
    let kinds: Vec<_> = (0..1_u8 << limiters)
        .flat_map(|holds| {
            let waits = (0..limiters).map(Some).chain([None]);
            waits.map(move |waits| Task { holds, waits })
        })
        .collect();
    let mut checked = 0;
    for large in 0..=usize::from(limiters) {
        let limits: Vec<_> =
            (0..usize::from(limiters)).map(|number| if number < large { 2 } else { 1 }).collect();
        let mut chosen = Vec::new();
        choose(&limits, &kinds, 0, tasks, &mut chosen, &mut checked);
    }
    checked
}

fn choose(
    limits: &[u32],
    kinds: &[Task],
    from: usize,
    more: usize,
    chosen: &mut Vec<Task>,
    checked: &mut u64,
) {
    let out = |limiter: usize| chosen.iter().map(|task| u32::from(task.holds >> limiter & 1)).sum();
    if (0..limits.len()).any(|limiter| limits[limiter] < out(limiter)) {
        return;
    }
    if more == 0 {
        *checked += 1;
        check(&picture(limits, chosen), &stuck_for_ever(limits, chosen), &(limits, &chosen));
        return;
    }
    for kind in from..kinds.len() {
        chosen.push(kinds[kind]);
        choose(limits, kinds, kind, more - 1, chosen, checked);
        chosen.pop();
    }
}

#[test]
fn all_graphs_of_three_limiters_and_three_tasks_are_as_they_play_out() {
    assert_eq!(check_all(3, 3), 8_152);
}

/// All of them, some seconds in a release build: `LIMIT_ALL_GRAPHS=1 cargo test -p limit-runtime --release --lib --features
/// diagnostics all_graphs`. Without the variable the test checks some of them.
#[test]
fn all_graphs_of_four_limiters_and_four_tasks_are_as_they_play_out() {
    if std::env::var_os("LIMIT_ALL_GRAPHS").is_some() {
        eprintln!("{} graphs", check_all(4, 4));
        return;
    }
    let mut random = Random::new(1);
    let mut knots = 0;
    for _ in 0..20_000 {
        let limits: Vec<_> = (0..4).map(|_| if random.below(2) == 0 { 1 } else { 2 }).collect();
        let mut out = [0; 4];
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let mut holds = 0;
                for limiter in 0..4_u8 {
                    let number = usize::from(limiter);
                    if out[number] < limits[number] && random.below(2) == 0 {
                        out[number] += 1;
                        holds |= 1 << limiter;
                    }
                }
                // Few tasks run, or there would be few knots.
                let waits = u8::try_from(random.below(9) / 2).ok().filter(|&waits| waits < 4);
                Task { holds, waits }
            })
            .collect();
        let stuck = stuck_for_ever(&limits, &tasks);
        knots += usize::from(!stuck.is_empty());
        check(&picture(&limits, &tasks), &stuck, &(&limits, &tasks));
    }
    assert!(knots > 2_000, "{knots} of them have a knot");
}

/// Plays a picture with weights, order, keys and totals, and returns the agents that end in no course of events.
///
/// All that can happen gives permits back sooner or later, so one course is as good as any: each agent that runs
/// gives everything back, and each waiter is served as soon as it is first and there is enough.
fn stuck_with_weights(picture: &Picture) -> BTreeSet<usize> {
    let mut queues = picture.queues.clone();
    let mut holds: Vec<_> = picture.holds.clone();
    let waits = |agent: usize, queues: &[Queue]| {
        queues.iter().any(|queue| queue.waiters.iter().any(|wait| wait.agent == Some(agent)))
    };
    loop {
        let before = (holds.len(), queues.iter().map(|queue| queue.waiters.len()).sum::<usize>());
        holds.retain(|hold| waits(hold.agent, &queues));
        for number in 0..queues.len() {
            let Some(&Wait { weight, agent, .. }) = queues[number].waiters.first() else {
                continue;
            };
            let has_room = |queue: usize| {
                let is_out = |hold: &&Hold| {
                    hold.queue == queue || picture.queues[hold.queue].total == Some(queue)
                };
                let out: u32 = holds.iter().filter(is_out).map(|hold| hold.weight).sum();
                queues[queue].limit.saturating_sub(out) >= weight
            };
            let can_leave = agent.is_none()
                || weight > queues[number].limit
                || queues[number].total.is_some_and(|total| weight > queues[total].limit);
            if can_leave || (has_room(number) && queues[number].total.is_none_or(has_room)) {
                queues[number].waiters.remove(0);
                // It has its permits, and gives them back at once.
            }
        }
        if before == (holds.len(), queues.iter().map(|queue| queue.waiters.len()).sum::<usize>()) {
            let left = queues.iter().flat_map(|queue| &queue.waiters);
            return left.filter_map(|wait| wait.agent).collect();
        }
    }
}

#[test]
fn random_graphs_with_weights_keys_and_totals_are_as_they_play_out() {
    let mut random = Random::new(2);
    let mut knots = 0;
    for _ in 0..50_000 {
        let count = 1 + random.below(5);
        let mut queues: Vec<_> = (0..count)
            .map(|_| Queue {
                limit: u32::try_from(random.below(5)).expect("small"),
                total: None,
                waiters: Vec::new(),
            })
            .collect();
        // The last one may be the total of some of the others.
        let last = count - 1;
        if random.below(2) == 0 {
            for queue in &mut queues[..last] {
                queue.total = (random.below(2) == 0).then_some(last);
            }
        }
        let agents = 1 + random.below(6);
        let mut holds = Vec::new();
        let mut out = vec![0; count];
        for agent in 0..agents {
            for _ in 0..random.below(4) {
                let queue = random.below(count);
                let weight = 1 + u32::try_from(random.below(3)).expect("small");
                let needed = [Some(queue), queues[queue].total];
                let has_room = |&queue: &usize| out[queue] + weight <= queues[queue].limit;
                if needed.iter().flatten().all(has_room) {
                    needed.iter().flatten().for_each(|&queue| out[queue] += weight);
                    holds.push(Hold { queue, weight, agent });
                }
            }
        }
        let mut order: Vec<_> = (0..agents).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, random.below(last + 1));
        }
        for agent in order {
            if random.below(5) > 0 {
                let weight = 1 + u32::try_from(random.below(4)).expect("small");
                // Some of them may give up.
                let agent = (random.below(12) > 0).then_some(agent);
                let queue = random.below(count);
                queues[queue].waiters.push(Wait { weight, agent, is_elsewhere: false });
            }
        }
        let picture = Picture { agents, queues, holds };
        let stuck = stuck_with_weights(&picture);
        knots += usize::from(!stuck.is_empty());
        check(&picture, &stuck, &picture);
    }
    assert!(knots > 5_000, "{knots} of them have a knot");
}

fn queue(limit: u32, waiters: &[(u32, usize)]) -> Queue {
    let waiters = waiters.iter().map(|&(weight, agent)| Wait {
        weight,
        agent: Some(agent),
        is_elsewhere: false,
    });
    Queue { limit, total: None, waiters: waiters.collect() }
}

#[test]
fn a_reader_that_reads_again_behind_a_writer_waits_for_the_writer() {
    let picture = Picture {
        agents: 2,
        queues: vec![queue(10, &[(10, 1), (1, 0)])],
        holds: vec![Hold { queue: 0, weight: 1, agent: 0 }],
    };
    let knots = picture.knots();
    assert_eq!(knots.len(), 1);
    let [reader, writer] = &knots[0].links[..] else { panic!("two wait: {knots:?}") };
    assert_eq!((reader.agent, reader.behind, &reader.holds[..]), (0, Some(1), &[][..]));
    assert_eq!((writer.agent, writer.behind, &writer.holds[..]), (1, None, &[0][..]));
}

#[test]
fn a_chain_is_told_in_its_order_and_those_who_wait_for_it_apart() {
    // 3 -> 1 -> 2 -> 0 -> 3, and 4 waits for 1.
    let hold = |queue, agent| Hold { queue, weight: 1, agent };
    let picture = Picture {
        agents: 5,
        queues: vec![
            queue(1, &[(1, 2)]),
            queue(1, &[(1, 3), (1, 4)]),
            queue(1, &[(1, 1)]),
            queue(1, &[(1, 0)]),
        ],
        holds: vec![hold(0, 0), hold(1, 1), hold(2, 2), hold(3, 3)],
    };
    let knots = picture.knots();
    assert_eq!(knots.len(), 1);
    let order: Vec<_> = knots[0].links.iter().map(|link| link.agent).collect();
    assert_eq!(order, [0, 3, 1, 2]);
    assert_eq!(knots[0].victims, [4]);
}

#[test]
fn two_knots_are_two() {
    let hold = |queue, agent| Hold { queue, weight: 1, agent };
    let picture = Picture {
        agents: 3,
        queues: vec![queue(1, &[(1, 0)]), queue(1, &[(1, 1), (1, 2)])],
        holds: vec![hold(0, 0), hold(1, 1)],
    };
    let groups: Vec<_> = picture.knots().iter().map(agents).collect();
    assert_eq!(groups, [BTreeSet::from([0]), BTreeSet::from([1])]);
}

#[test]
fn a_limit_that_is_too_low_for_a_call_is_no_knot() {
    let picture = Picture {
        agents: 2,
        queues: vec![queue(0, &[(1, 0)]), queue(1, &[(1, 1)])],
        holds: vec![Hold { queue: 1, weight: 1, agent: 0 }],
    };
    assert_eq!(picture.knots(), []);
}
