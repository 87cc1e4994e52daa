//! The guards of the protocol, one test each: a schedule that breaks the promise without the guard.
//!
//! Each packet moves by hand. The world checks after each that no more than N permits are valid.

mod model;

use limit_fleet::message::{Times, Verdict};
use model::{Body, DEFAULT, Kind, MS, SECOND, World, process::Clock};

const TERM: u64 = DEFAULT.term();

/// A ledger of `N` permits and processes that want nothing yet.
fn world<const PROCESSES: usize>(limit: u32) -> (World, [usize; PROCESSES]) {
    let mut world = World::new(DEFAULT, 1);
    world.trace = Some(String::new());
    let processes = std::array::from_fn(|_| world.join(0, limit));
    (world, processes)
}

/// Lets a process ask for permits and get them.
fn hold(world: &mut World, p: usize, permits: u32) {
    world.want(p, permits);
    world.talk(p);
    assert_eq!(world.share(p), permits);
}

/// Puts a ledger without shares on a server that was promoted, where it does not delete itself.
fn begin_on_a_promoted_server(world: &mut World, bystander: usize) {
    world.servers.fail_over();
    world.servers.fail_over();
    world.pass(bystander, TERM + 200 * MS);
    world.servers.replicate();
}

#[test]
fn a_message_that_comes_after_a_later_one_is_refused() {
    let (mut world, [a, c]) = world(5);
    world.speak(c);
    let m1 = world.take(c, Kind::Request);
    world.want(c, 5);
    world.ask(c);
    world.put(c, m1);
    world.want(a, 5);
    world.talk(a);
    let m2_answer = world.take(c, Kind::Answer);
    world.put(c, m2_answer);
    assert_eq!((world.share(a), world.share(c)), (0, 5));
}

#[test]
fn only_the_answer_to_the_last_message_counts() {
    let (mut world, [a, b, bystander]) = world(5);
    world.want(a, 5);
    world.ask(a);
    let m1_answer = world.take(a, Kind::Answer);
    world.pass(bystander, TERM + 100 * MS);
    world.speak(a);
    hold(&mut world, b, 5);
    world.put(a, m1_answer);
    assert_eq!(world.share(a), 0);
}

#[test]
fn an_answer_leases_from_the_start_of_its_own_message() {
    // The answer comes a lease late.
    let (mut world, [a, b, bystander]) = world(5);
    world.want(a, 5);
    world.ask(a);
    let answer = world.take(a, Kind::Answer);
    world.pass(bystander, TERM + 100 * MS);
    hold(&mut world, b, 5);
    world.put(a, answer);
    assert_eq!(world.share(a), 0);
}

#[test]
fn a_second_attempt_does_not_lend_its_start_to_the_first() {
    let (mut world, [a, b, bystander]) = world(5);
    world.want(a, 5);
    world.ask(a);
    let m1_answer = world.take(a, Kind::Answer);
    world.pass(bystander, TERM - 100 * MS);
    // The second attempt is lost. The first one's answer comes, and its record ends.
    world.speak(a);
    let _lost = world.take(a, Kind::Request);
    world.put(a, m1_answer);
    world.pass(bystander, 200 * MS);
    hold(&mut world, b, 5);
    assert_eq!(world.share(a), 0);
}

#[test]
fn a_claim_counts_only_until_the_lease_it_claims_ends() {
    let (mut world, [a, b, bystander]) = world(5);
    hold(&mut world, a, 5);
    world.pass(bystander, DEFAULT.ttl - DEFAULT.margin() - 100 * MS);
    world.speak(a);
    let renewal = world.take(a, Kind::Request);
    world.pass(bystander, DEFAULT.margin() + 200 * MS);
    hold(&mut world, b, 5);
    world.servers.replicate();
    world.servers.fail_over();
    // The ledger learns, so it believes the claim.
    world.put(a, renewal);
    world.arrive(a, Kind::Answer);
    assert_eq!((world.share(a), world.share(b)), (0, 5));
    // The next message claims nothing.
    world.talk(a);
    assert_eq!(world.share(a), 0);
}

#[test]
fn a_step_of_the_servers_clock_ends_no_lease() {
    let (mut world, [a, b]) = world(5);
    hold(&mut world, a, 5);
    world.advance(TERM * 2 / 3);
    world.servers.step_forward(TERM / 2);
    world.want(b, 5);
    world.talk(b);
    assert_eq!((world.share(a), world.share(b)), (5, 0));
    world.servers.step_back(5 * 3600 * SECOND);
    world.talk(b);
    world.servers.step_forward(4 * 3600 * SECOND);
    world.talk(b);
    assert_eq!((world.share(a), world.share(b)), (5, 0));
}

#[test]
fn a_lease_ends_at_a_slow_node_before_it_ends_at_the_ledger() {
    for (rate, steps) in [(900, 0), (1000, 2), (900, 2), (1100, 2)] {
        let (mut world, [b, bystander]) = world(5);
        let a = world.join_with(0, 5, Clock { offset: 77, rate });
        hold(&mut world, a, 5);
        for _ in 0..steps {
            world.servers.step_forward(SECOND);
            world.pass(bystander, 100 * MS);
        }
        world.want(b, 5);
        while world.share(b) == 0 {
            world.pass(bystander, 10 * MS);
            world.talk(b);
        }
        assert!(world.now <= TERM + 100 * MS);
        assert_eq!(world.share(a), 0);
    }
}

#[test]
fn a_ledger_on_another_master_learns_who_holds_what() {
    let (mut world, [a, b, c]) = world(5);
    begin_on_a_promoted_server(&mut world, c);
    hold(&mut world, a, 5);
    world.servers.fail_over();
    world.want(b, 5);
    world.talk(b);
    assert_eq!((world.share(a), world.share(b)), (5, 0));
}

#[test]
fn a_master_that_was_master_before_is_another_one() {
    let (mut world, [a, b, c]) = world(5);
    begin_on_a_promoted_server(&mut world, c);
    world.servers.fail_over();
    world.pass(c, TERM + 200 * MS);
    hold(&mut world, a, 5);
    // P was never restarted. It has missed what Q wrote.
    world.servers.fail_over();
    world.want(b, 5);
    world.talk(b);
    assert_eq!((world.share(a), world.share(b)), (5, 0));
}

#[test]
fn a_ledger_that_begins_on_a_promoted_replica_learns() {
    let (mut world, [a, b]) = world(5);
    hold(&mut world, a, 5);
    world.servers.fail_over();
    world.want(b, 5);
    world.talk(b);
    assert_eq!((world.share(a), world.share(b)), (5, 0));
}

#[test]
fn a_ledger_that_begins_on_a_young_server_learns() {
    let (mut world, [a, b]) = world(5);
    hold(&mut world, a, 5);
    world.servers.restart_empty(world.now);
    world.advance(TERM / 2);
    world.want(b, 5);
    world.talk(b);
    assert_eq!((world.share(a), world.share(b)), (5, 0));
}

#[test]
fn a_ledger_that_begins_with_a_claim_learns() {
    let (mut world, [a, b, c]) = world(2);
    hold(&mut world, a, 2);
    world.advance(SECOND);
    world.want(a, 1);
    world.want(b, 1);
    world.talk(b);
    world.arrive(a, Kind::Push);
    world.talk(a);
    world.arrive(b, Kind::Push);
    assert_eq!((world.share(a), world.share(b)), (1, 1));
    world.servers.master().ledgers[0].0 = None;
    world.talk(a);
    world.want(c, 1);
    world.talk(c);
    assert_eq!([a, b, c].map(|p| world.share(p)), [1, 1, 0]);
}

#[test]
fn a_step_of_the_wall_clock_does_not_delete_the_ledger() {
    let (mut world, [a, b]) = world(5);
    hold(&mut world, a, 5);
    world.servers.step_forward(3600 * SECOND);
    world.want(b, 5);
    world.talk(b);
    assert_eq!((world.share(a), world.share(b)), (5, 0));
}

#[test]
fn a_process_lowers_itself_before_it_claims_less() {
    let (mut world, [a, b]) = world(3);
    hold(&mut world, a, 3);
    world.want(a, 1);
    world.admit(a);
    world.advance(SECOND);
    world.want(b, 2);
    world.talk(b);
    world.arrive(a, Kind::Push);
    world.advance(world.now + 100 * MS);
    world.ask(a);
    // b is raised. Then more calls come to a, which has not heard the answer.
    world.arrive(b, Kind::Push);
    assert_eq!(world.share(b), 2);
    world.admit(b);
    world.want(a, 2);
    world.admit(a);
    world.check();
    assert_eq!(world.processes[a].calls.len(), 1);
    assert_eq!(world.processes[b].calls.len(), 2);
}

#[test]
fn a_ledger_that_learns_grants_nothing() {
    let (mut world, [a, b, c]) = world(5);
    hold(&mut world, a, 5);
    world.servers.replicate();
    world.pass(c, TERM + 200 * MS);
    hold(&mut world, b, 5);
    // The replica still has a's share, and b's is lost.
    world.servers.fail_over();
    world.want(a, 0);
    world.talk(a);
    world.want(c, 5);
    world.talk(c);
    assert_eq!([a, b, c].map(|p| world.share(p)), [0, 5, 0]);
}

#[test]
fn a_push_counts_only_for_the_message_that_it_answers() {
    let (mut world, [a, b]) = world(1);
    let push = pass_on(&mut world, a, b);
    // b gives back before the push comes.
    world.want(b, 0);
    world.talk(b);
    hold(&mut world, a, 1);
    world.put(b, push);
    assert_eq!((world.share(a), world.share(b)), (1, 0));
}

#[test]
fn calls_that_run_give_no_right_to_a_share() {
    let (mut world, [a, b, c]) = world(5);
    hold(&mut world, a, 5);
    world.admit(a);
    world.pass(c, TERM + 200 * MS);
    hold(&mut world, b, 5);
    world.admit(b);
    // a goes on. Its calls run, and it wants to let more in.
    world.want(a, 2);
    world.talk(a);
    assert_eq!((world.share(a), world.share(b)), (0, 5));
    // Also a ledger that learns does not take them for a claim.
    world.servers.replicate();
    world.servers.fail_over();
    world.talk(a);
    assert_eq!((world.share(a), world.share(b)), (0, 5));
}

#[test]
fn calls_that_run_without_a_lease_are_charged() {
    let (mut world, [a, b, c]) = world(5);
    hold(&mut world, a, 5);
    world.admit(a);
    world.pass(c, TERM + 200 * MS);
    world.servers.restart_empty(world.now);
    world.want(b, 5);
    world.talk(b);
    world.talk(a);
    world.pass(b, TERM - SECOND);
    world.talk(a);
    world.pass(b, 2 * SECOND);
    // The ledger grants again. Permits that a's calls hold are not there.
    assert_eq!((world.share(a), world.share(b)), (0, 0));
    world.end(a, 0);
    world.end(a, 0);
    world.talk(a);
    world.pass(b, SECOND);
    assert_eq!(world.share(b), 2);
}

#[test]
fn a_claim_that_comes_after_its_record_is_gone_counts_nothing() {
    let (mut world, [a, b, bystander]) = world(5);
    hold(&mut world, a, 5);
    world.pass(bystander, SECOND);
    world.speak(a);
    let renewal = world.take(a, Kind::Request);
    world.pass(bystander, TERM);
    hold(&mut world, b, 5);
    // The world checks that the ledger does not record more than N.
    world.put(a, renewal);
    world.arrive(a, Kind::Answer);
    assert_eq!((world.share(a), world.share(b)), (0, 5));
}

/// Lets b ask for the permit that a holds, and a give it back. Returns the push to b.
fn pass_on(world: &mut World, a: usize, b: usize) -> Body {
    hold(world, a, 1);
    world.advance(world.now + SECOND);
    world.want(b, 1);
    world.talk(b);
    world.want(a, 0);
    world.arrive(a, Kind::Push);
    world.talk(a);
    world.take(b, Kind::Push)
}

#[test]
fn a_push_does_not_make_a_lease_longer() {
    let (mut world, [a, b, bystander]) = world(1);
    let push = pass_on(&mut world, a, b);
    world.pass(bystander, 4 * SECOND);
    world.put(b, push);
    assert_eq!(world.share(b), 1);
    world.pass(bystander, 2200 * MS);
    hold(&mut world, a, 1);
    assert_eq!(world.share(b), 0);
}

#[test]
fn a_push_that_overtakes_the_answer_waits_for_it() {
    let (mut world, [a, b]) = world(1);
    hold(&mut world, a, 1);
    world.advance(world.now + SECOND);
    world.want(b, 1);
    world.ask(b);
    world.want(a, 0);
    world.arrive(a, Kind::Push);
    world.talk(a);
    world.arrive(b, Kind::Push);
    assert_eq!(world.share(b), 0);
    world.arrive(b, Kind::Answer);
    assert_eq!(world.share(b), 1);
}

#[test]
fn a_push_for_a_message_that_was_given_up_counts_nothing() {
    let (mut world, [a, b]) = world(1);
    hold(&mut world, a, 1);
    world.advance(world.now + SECOND);
    world.want(b, 1);
    world.talk(b);
    world.ask(b);
    let local = world.processes[b].clock.local(world.now);
    world.processes[b].node.give_up(local);
    world.want(a, 0);
    world.arrive(a, Kind::Push);
    world.talk(a);
    world.arrive(b, Kind::Push);
    assert_eq!(world.share(b), 0);
}

#[test]
fn a_node_with_another_ttl_gets_nothing() {
    let (mut world, [a, b]) = world(5);
    hold(&mut world, a, 5);
    world.times = Times { ttl: 4 * SECOND, hold: 0 };
    world.want(b, 2);
    world.ask(b);
    let answer = world.take(b, Kind::Answer);
    assert!(
        matches!(&answer, Body::Answer(answer) if answer.verdict == Verdict::OtherTimes(DEFAULT))
    );
    world.put(b, answer);
    assert_eq!(world.share(b), 0);
    assert_eq!(world.processes[b].node.figures(world.now).other_times, Some(DEFAULT));
}

#[test]
fn a_copy_of_a_running_process_takes_another_identity() {
    let (mut world, [a]) = world(5);
    hold(&mut world, a, 5);
    let copy = world.processes.len();
    world.processes.push(world.processes[a].clone());
    // Until both have spoken they may use the share twice.
    world.most[0] = 10;
    world.advance(world.now + SECOND);
    world.talk(a);
    world.advance(world.now + 1);
    world.talk(copy);
    world.most[0] = 5;
    world.check();
    assert_eq!((world.share(a), world.share(copy)), (5, 0));
    assert_ne!(world.processes[a].node.id(), world.processes[copy].node.id());
    assert_eq!(world.processes[a].node.id().process(), world.processes[copy].node.id().process());
    // With its own identity the copy is a node like others.
    world.talk(copy);
    world.want(a, 0);
    world.talk(a);
    world.talk(a);
    world.talk(copy);
    assert_eq!((world.share(a), world.share(copy)), (0, 5));
}
