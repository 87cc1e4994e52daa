//! Random calls that grow where each has a key or a share. Who is served next has its models elsewhere. Here it is
//! checked that no bound is passed, that no holder that could grow waits, and that deadlocks are refused and no others.

use super::growth::{Growth, growth};
use limit_runtime::{KeyedLimiter, Limiter, Permit, Rejected, RejectedKind, Share};
use limit_tests::random::Random;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio_test::task::Spawn;

type Call = Pin<Box<dyn Future<Output = Result<Permit, Rejected>>>>;

trait World {
    /// Makes a call of a part.
    fn call(&self, part: usize, weight: u32) -> Call;
    /// Returns whether a holder fits that wants more, given what each part holds, by the rules of the limiter.
    fn fits(&self, held: &[u32], part: usize, wants: u32) -> bool;
    /// Returns whether no bound is passed.
    fn is_within(&self, held: &[u32]) -> bool;
    /// Returns the figures, for a failure.
    fn text(&self) -> String;
    /// Returns the permits in use, and the calls that wait.
    fn total(&self) -> (u32, u32);
}

const PARTS: usize = 3;

struct Keys {
    limiter: &'static KeyedLimiter<Rejected>,
    limit: u32,
    total: u32,
}

impl World for Keys {
    fn call(&self, part: usize, weight: u32) -> Call {
        Box::pin(self.limiter.key(part).acquire().weight(weight))
    }

    fn fits(&self, held: &[u32], part: usize, wants: u32) -> bool {
        held[part] + wants <= self.limit && held.iter().sum::<u32>() + wants <= self.total
    }

    fn is_within(&self, held: &[u32]) -> bool {
        held.iter().all(|&held| held <= self.limit) && held.iter().sum::<u32>() <= self.total
    }

    fn text(&self) -> String {
        format!("{:?}", self.limiter.snapshot().total)
    }

    fn total(&self) -> (u32, u32) {
        let total = self.limiter.snapshot().total;
        (number(total.in_use), number(total.waiting))
    }
}

fn number(number: usize) -> u32 {
    u32::try_from(number).expect("few")
}

const SHARES: &[Share] =
    &[Share::new("a", 40), Share::new("b", 30).at_most(50), Share::new("c", 30).reserved()];

struct Shares {
    limiter: &'static Limiter<Rejected>,
    limit: u32,
}

impl Shares {
    fn reserve(&self) -> u32 {
        self.limit * 30 / 100
    }
}

impl World for Shares {
    fn call(&self, part: usize, weight: u32) -> Call {
        Box::pin(self.limiter.share(SHARES[part].name()).acquire().weight(weight))
    }

    fn fits(&self, held: &[u32], part: usize, wants: u32) -> bool {
        let free = i64::from(self.limit) - i64::from(held.iter().sum::<u32>());
        let held_back = self.reserve().saturating_sub(held[2]);
        let figures = &self.limiter.snapshot().shares[part];
        if held[part] + wants > number(figures.at_most) {
            return false;
        }
        if part == 2 && wants <= held_back {
            return i64::from(wants) <= free;
        }
        let for_others = if part == 2 { 0 } else { held_back.min(self.limit - 1) };
        i64::from(wants) + i64::from(for_others) <= free
    }

    fn is_within(&self, held: &[u32]) -> bool {
        let shares = self.limiter.snapshot().shares;
        let parts = held.iter().zip(shares);
        parts.into_iter().all(|(&held, share)| held <= number(share.at_most))
            && held.iter().sum::<u32>() <= self.limit
    }

    fn text(&self) -> String {
        format!("{:?}", self.limiter.snapshot().shares)
    }

    fn total(&self) -> (u32, u32) {
        let total = self.limiter.snapshot().total;
        (number(total.in_use), number(total.waiting))
    }
}

/// A holder that waits to grow.
struct Growing {
    part: usize,
    held: u32,
    wants: u32,
    growth: Growth,
}

fn of_part(holds: impl Iterator<Item = (usize, u32)>) -> Vec<u32> {
    let mut all = vec![0; PARTS];
    holds.for_each(|(part, weight)| all[part] += weight);
    all
}

/// Returns whether all can be served in some order, if all other holders are gone.
fn can_all_end(world: &dyn World, left: &[(usize, u32, u32)]) -> bool {
    let held = of_part(left.iter().map(|&(part, held, _)| (part, held)));
    left.is_empty()
        || (0..left.len()).any(|index| {
            let (part, _, wants) = left[index];
            let mut rest = left.to_vec();
            rest.remove(index);
            world.fits(&held, part, wants) && can_all_end(world, &rest)
        })
}

fn noop() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn run(world: &dyn World, random: &mut Random, steps: usize) -> u32 {
    let mut running: Vec<(usize, Permit)> = Vec::new();
    let mut waiting: Vec<(usize, Spawn<Call>)> = Vec::new();
    let mut growing: Vec<Growing> = Vec::new();
    let mut deadlocks = 0;
    for step in 0..=steps {
        match random.below(12) {
            _ if step == steps => {}
            0..=4 => {
                let (part, weight) = (random.index(PARTS), 1 + random.below(2));
                let (call, result) = called(world.call(part, weight));
                match result {
                    Some(Ok(permit)) => running.push((part, permit)),
                    Some(Err(rejected)) => assert_eq!(rejected.kind(), RejectedKind::TooHeavy),
                    None => waiting.push((part, call)),
                }
            }
            5..=8 if !running.is_empty() => {
                let (part, permit) = running.swap_remove(random.index(running.len()));
                let (held, target) = (permit.weight(), 1 + random.below(6));
                let mut growth = growth(permit, target);
                match growth.poll(&mut noop()) {
                    Poll::Pending => {
                        growing.push(Growing { part, held, wants: target - held, growth });
                    }
                    Poll::Ready((permit, Some(Err(rejected)))) => {
                        assert_eq!(permit.weight(), held);
                        running.push((part, permit));
                        if rejected.kind() == RejectedKind::Deadlock {
                            deadlocks += 1;
                            let mut all = claims(&growing);
                            all.push((part, held, target - held));
                            assert!(!can_all_end(world, &all), "{all:?} could all be served");
                        } else {
                            assert_eq!(rejected.kind(), RejectedKind::TooHeavy);
                        }
                    }
                    Poll::Ready((permit, _)) => running.push((part, permit)),
                }
            }
            9 | 10 if !running.is_empty() => {
                drop(running.swap_remove(random.index(running.len())));
            }
            11 if !growing.is_empty() => {
                let Growing { part, growth, .. } = growing.swap_remove(random.index(growing.len()));
                running.push((part, growth.give_up()));
            }
            _ => {}
        }
        loop {
            settle(&mut running, &mut waiting, &mut growing);
            check(world, &running, &waiting, &growing);
            if step < steps || running.is_empty() {
                break;
            }
            drop(running.pop());
        }
    }
    assert!(waiting.is_empty() && growing.is_empty(), "somebody waits and nobody runs");
    deadlocks
}

fn claims(growing: &[Growing]) -> Vec<(usize, u32, u32)> {
    growing.iter().map(|growing| (growing.part, growing.held, growing.wants)).collect()
}

fn called(call: Call) -> (Spawn<Call>, Option<Result<Permit, Rejected>>) {
    let mut call = tokio_test::task::spawn(call);
    let result = match call.poll() {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    };
    (call, result)
}

/// Takes the results of all that are served.
fn settle(
    running: &mut Vec<(usize, Permit)>,
    waiting: &mut Vec<(usize, Spawn<Call>)>,
    growing: &mut Vec<Growing>,
) {
    waiting.retain_mut(|(part, call)| match call.poll() {
        Poll::Pending => true,
        Poll::Ready(result) => {
            running.push((*part, result.expect("it is not too heavy")));
            false
        }
    });
    let mut rest = Vec::new();
    for mut each in growing.drain(..) {
        match each.growth.poll(&mut noop()) {
            Poll::Pending => rest.push(each),
            Poll::Ready((permit, result)) => {
                result.expect("it has not given up").expect("it was safe to wait");
                assert_eq!(permit.weight(), each.held + each.wants);
                running.push((each.part, permit));
            }
        }
    }
    *growing = rest;
}

fn check(
    world: &dyn World,
    running: &[(usize, Permit)],
    waiting: &[(usize, Spawn<Call>)],
    growing: &[Growing],
) {
    let run = running.iter().map(|(part, permit)| (*part, permit.weight()));
    let held = of_part(run.chain(growing.iter().map(|each| (each.part, each.held))));
    let all: u32 = held.iter().sum();
    let waits = number(waiting.len() + growing.len());
    assert_eq!(world.total(), (all, waits), "in use and waiting");
    assert!(world.is_within(&held), "{held:?} {}", world.text());
    for each in growing {
        assert!(!world.fits(&held, each.part, each.wants), "it could grow: {held:?}");
    }
    assert!(can_all_end(world, &claims(growing)), "they wait for each other");
}

#[test]
fn holders_that_grow_never_wait_for_each_other_with_keys_and_with_shares() {
    let cases = std::env::var("CASES").map_or(25, |cases| cases.parse().expect("a number"));
    let mut deadlocks = 0;
    for case in 1..=cases {
        let mut random = Random::new(case);
        let (limit, total) = (2 + random.below(5), 3 + random.below(6));
        let limiter = Limiter::named(format!("growing-keys-{case}"), limit as usize)
            .max_waiting(100)
            .keyed()
            .total(total as usize);
        let keys = Keys { limiter: Box::leak(Box::new(limiter)), limit, total };
        deadlocks += run(&keys, &mut random, 250);
        let limit = 3 + random.below(8);
        let limiter = Limiter::named(format!("growing-shares-{case}"), limit as usize)
            .max_waiting(100)
            .shares(SHARES);
        let shares = Shares { limiter: Box::leak(Box::new(limiter)), limit };
        deadlocks += run(&shares, &mut random, 250);
    }
    assert!(deadlocks > 5, "the schedules have deadlocks: {deadlocks}");
}
