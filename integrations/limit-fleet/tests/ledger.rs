//! The rules of the ledger, one test for each.

use limit_fleet::ledger::{Ledger, NodeView, Outcome};
use limit_fleet::message::{NodeId, Push, Renewal, Server, Times, Verdict};

const MS: u64 = 1_000;
const TIMES: Times = Times { ttl: 6_000 * MS, hold: 0 };
const TERM: u64 = TIMES.term();

/// A ledger on a server whose clock the test moves.
struct Desk {
    slot: Option<Ledger>,
    server: Server,
    seq: u64,
    limit: u32,
    /// The last token that each node has seen is at most this one.
    token: u64,
}

impl Desk {
    fn new(limit: u32) -> Self {
        let server = Server {
            now: 10_000_000 * MS,
            uptime: 10_000_000 * MS,
            replid: "first".to_owned(),
            promoted: false,
        };
        Self { slot: None, server, seq: 0, limit, token: 0 }
    }

    fn message(&mut self, node: &str, claim: u32, running: u32, want: u32) -> Renewal {
        self.seq += 1;
        let node = NodeId(node.to_owned());
        Renewal { node, seq: self.seq, claim, running, want, limit: self.limit, token: self.token }
    }

    fn send(&mut self, renewal: &Renewal) -> Outcome {
        Ledger::renew(&mut self.slot, &TIMES, &self.server, renewal)
    }

    fn say(&mut self, node: &str, claim: u32, running: u32, want: u32) -> Outcome {
        let renewal = self.message(node, claim, running, want);
        self.send(&renewal)
    }

    /// Says that the node runs all that it holds and wants more, and returns its share.
    fn ask(&mut self, node: &str, claim: u32, want: u32) -> u32 {
        self.say(node, claim, claim, want).answer.share
    }

    fn pass(&mut self, time: u64) {
        self.server.now += time;
    }

    /// Lets time pass in steps that ledger time follows.
    fn wait(&mut self, time: u64, node: &str) {
        for _ in 0..time / (100 * MS) {
            self.pass(100 * MS);
            self.ask(node, 0, 0);
        }
    }

    fn node(&self, id: &str) -> NodeView {
        let view = self.slot.as_ref().expect("a ledger").view();
        view.nodes.into_iter().find(|node| node.id.0 == id).expect("the node is recorded")
    }
}

fn raises(outcome: &Outcome) -> Vec<(&str, u32)> {
    outcome.pushes.iter().filter_map(|push| Some((&*push.node.0, push.share?))).collect()
}

fn asked(outcome: &Outcome) -> Vec<&str> {
    outcome.pushes.iter().filter(|push| push.share.is_none()).map(|push| &*push.node.0).collect()
}

#[test]
fn a_lone_node_gets_what_it_wants_and_the_rest_as_a_spare() {
    let mut desk = Desk::new(10);
    let answer = desk.say("a", 0, 0, 3).answer;
    assert_eq!((answer.share, answer.target, answer.queued, answer.nodes), (10, 3, 0, 1));
    assert_eq!((answer.limit, answer.in_use, answer.learning), (10, 0, false));
}

#[test]
fn all_shares_together_stay_within_the_limit() {
    let mut desk = Desk::new(10);
    assert_eq!(desk.ask("a", 0, 7), 10);
    assert_eq!(desk.ask("a", 7, 7), 10);
    assert_eq!(desk.say("a", 7, 7, 7).answer.share, 10);
    assert_eq!(desk.ask("b", 0, 7), 0);
}

#[test]
fn calls_that_run_without_a_share_are_charged_but_give_no_right() {
    let mut desk = Desk::new(10);
    let answer = desk.say("a", 0, 8, 8).answer;
    assert_eq!((answer.share, answer.in_use), (10, 8));
    desk.pass(100 * MS);
    assert_eq!(desk.say("a", 0, 8, 0).answer.share, 0);
    assert_eq!(desk.ask("b", 0, 5), 2);
}

#[test]
fn a_claim_above_the_record_is_cut() {
    let mut desk = Desk::new(10);
    desk.ask("a", 0, 4);
    desk.pass(100 * MS);
    assert_eq!(desk.say("a", 2, 2, 0).answer.share, 10);
    desk.ask("b", 0, 0);
    let mut desk = Desk::new(4);
    assert_eq!(desk.ask("a", 0, 4), 4);
    assert_eq!(desk.say("b", 3, 0, 0).answer.share, 0);
}

#[test]
fn an_older_message_is_refused_and_changes_nothing() {
    let mut desk = Desk::new(10);
    let old = desk.message("a", 0, 0, 9);
    desk.ask("a", 0, 4);
    let before = desk.slot.clone();
    let outcome = desk.send(&old);
    assert_eq!((outcome.answer.verdict, outcome.answer.share), (Verdict::Refused, 0));
    assert!(outcome.pushes.is_empty());
    assert_eq!(desk.slot, before);
    let again = Renewal { seq: desk.seq, ..old };
    assert_eq!(desk.send(&again).answer.verdict, Verdict::Refused);
}

#[test]
fn a_new_ledger_with_a_claim_learns_and_takes_claims_above_the_limit() {
    let mut desk = Desk::new(4);
    let answer = desk.say("a", 3, 0, 9).answer;
    assert_eq!((answer.share, answer.target, answer.learning), (3, 3, true));
    assert_eq!(desk.ask("b", 3, 9), 3);
    assert_eq!(desk.ask("c", 0, 9), 0);
    desk.wait(TERM - 100 * MS, "d");
    assert!(desk.say("d", 0, 0, 0).answer.learning);
    desk.pass(100 * MS);
    // A and B have ended, because they were silent.
    let answer = desk.say("c", 0, 0, 9).answer;
    assert_eq!((answer.share, answer.learning), (4, false));
}

#[test]
fn a_ledger_begins_to_learn_on_a_young_and_on_a_promoted_server() {
    let mut desk = Desk::new(4);
    desk.server.uptime = TERM - 1;
    assert!(desk.say("a", 0, 0, 1).answer.learning);
    let mut desk = Desk::new(4);
    desk.server.uptime = TERM;
    assert!(!desk.say("a", 0, 0, 1).answer.learning);
    let mut desk = Desk::new(4);
    desk.server.promoted = true;
    assert!(desk.say("a", 0, 0, 1).answer.learning);
}

#[test]
fn a_changed_replication_id_begins_to_learn_each_time() {
    let mut desk = Desk::new(4);
    desk.ask("a", 0, 1);
    for replid in ["second", "first"] {
        desk.server.replid = replid.to_owned();
        assert!(desk.say("b", 0, 0, 1).answer.learning);
        desk.wait(TERM, "b");
        assert!(!desk.say("b", 0, 0, 1).answer.learning);
    }
}

#[test]
fn ledger_time_never_jumps() {
    let mut desk = Desk::new(4);
    desk.ask("a", 0, 4);
    let left = |desk: &Desk| desk.node("a").left;
    assert_eq!(left(&desk), TERM);
    desk.pass(3_600_000 * MS);
    assert_eq!(desk.ask("b", 0, 1), 0);
    assert_eq!(left(&desk), TERM - Times::STEP);
    desk.server.now -= 7_200_000 * MS;
    desk.ask("b", 0, 1);
    assert_eq!(left(&desk), TERM - Times::STEP);
    desk.pass(7);
    desk.ask("b", 0, 1);
    assert_eq!(left(&desk), TERM - Times::STEP - 7);
}

const OTHER: Times = Times { ttl: TIMES.ttl, hold: 1 };

#[test]
fn a_node_with_other_times_is_told_the_ledgers_own() {
    let mut desk = Desk::new(4);
    desk.ask("a", 0, 1);
    let before = desk.slot.as_ref().expect("a ledger").view().nodes;
    let message = desk.message("b", 0, 0, 1);
    let outcome = Ledger::renew(&mut desk.slot, &OTHER, &desk.server, &message);
    assert_eq!(outcome.answer.verdict, Verdict::OtherTimes(TIMES));
    assert_eq!((outcome.answer.seq, outcome.answer.share), (message.seq, 0));
    assert_eq!(desk.slot.expect("a ledger").view().nodes, before);
}

/// Lets a node with other times ask until it is accepted. Returns the time that took, and the share.
fn ask_with_other_times(desk: &mut Desk) -> (u64, u32) {
    let start = desk.server.now;
    loop {
        let message = desk.message("b", 0, 0, 1);
        let answer = Ledger::renew(&mut desk.slot, &OTHER, &desk.server, &message).answer;
        if answer.verdict == Verdict::Accepted {
            return (desk.server.now - start, answer.share);
        }
        assert!(desk.server.now < start + 10 * TERM, "it is never accepted");
        desk.pass(100 * MS);
    }
}

#[test]
fn other_times_hold_when_all_nodes_with_the_former_have_ended() {
    let mut desk = Desk::new(4);
    desk.ask("a", 0, 1);
    let (time, share) = ask_with_other_times(&mut desk);
    assert_eq!(time, TERM);
    assert!(share >= 1);
    let message = desk.message("a", 4, 4, 4);
    let answer = desk.send(&message).answer;
    assert_eq!(answer.verdict, Verdict::OtherTimes(OTHER));
}

#[test]
fn other_times_do_not_hold_while_the_ledger_learns_who_has_the_former() {
    let mut desk = Desk::new(4);
    desk.ask("a", 0, 1);
    for _ in 0..30 {
        desk.pass(100 * MS);
        let message = desk.message("b", 0, 0, 1);
        let _ = Ledger::renew(&mut desk.slot, &OTHER, &desk.server, &message);
    }
    desk.server.replid = "second".to_owned();
    // The node ends sooner, but another one, of which this server does not know, may have a lease.
    assert_eq!(ask_with_other_times(&mut desk).0, TERM);
}

#[test]
fn a_lower_limit_holds_at_once_and_a_higher_one_when_the_last_lower_one_has_ended() {
    let mut desk = Desk::new(10);
    assert_eq!(desk.ask("a", 0, 4), 10);
    assert_eq!(desk.say("a", 4, 4, 4).answer.share, 10);
    desk.limit = 5;
    assert_eq!(desk.say("b", 0, 0, 3).answer.limit, 5);
    desk.limit = 10;
    let outcome = desk.say("a", 4, 4, 4);
    assert_eq!(outcome.answer.share, 4);
    assert_eq!(raises(&outcome), [("b", 1)]);
    assert_eq!(desk.say("c", 0, 0, 9).answer.share, 0);
    desk.wait(TERM, "d");
    let answer = desk.say("a", 0, 0, 4).answer;
    assert_eq!((answer.limit, answer.share), (10, 10));
}

#[test]
fn a_node_alone_raises_its_limit_at_once() {
    let mut desk = Desk::new(2);
    assert_eq!(desk.ask("a", 0, 9), 2);
    desk.limit = 6;
    assert_eq!(desk.ask("a", 2, 9), 6);
}

#[test]
fn a_dead_nodes_share_is_back_in_time_if_someone_waits() {
    for bystanders in [0, 40, 1_000] {
        let mut desk = Desk::new(4);
        assert_eq!(desk.ask("dead", 0, 4), 4);
        let died = desk.server.now;
        let mut share = 0;
        let mut polls = 0;
        while share == 0 {
            // The node that waits polls each 100 ms, and all others renew now and then.
            for bystander in 0..bystanders / 20 {
                desk.pass(100 * MS / (bystanders / 20 + 1));
                desk.say(&format!("{}", bystander + polls % 20 * bystanders / 20), 0, 0, 0);
            }
            desk.pass(100 * MS / (bystanders / 20 + 1));
            share = desk.ask("waits", 0, 4);
            polls += 1;
        }
        let took = desk.server.now - died;
        assert!(took <= TERM + 300 * MS, "{bystanders} bystanders: {took} µs");
        assert!(took >= TERM, "{bystanders} bystanders: {took} µs");
    }
}

#[test]
fn a_limit_is_divided_by_the_water_level() {
    let mut desk = Desk::new(10);
    desk.ask("a", 0, 2);
    assert_eq!(desk.say("a", 0, 0, 0).answer.share, 0);
    for node in ["b", "c", "a"] {
        desk.pass(100 * MS);
        desk.say(node, 0, 0, if node == "a" { 2 } else { 9 });
    }
    // B has all; the level is 4.
    assert_eq!(desk.node("b").share, 10);
    desk.pass(100 * MS);
    let answer = desk.say("b", 4, 4, 9).answer;
    assert_eq!((answer.share, answer.target), (4, 4));
    assert_eq!(desk.node("c").share, 4);
    assert_eq!(desk.node("a").share, 2);
}

#[test]
fn a_permit_that_comes_back_goes_to_the_head_of_the_queue() {
    let mut desk = Desk::new(1);
    assert_eq!(desk.ask("a", 0, 1), 1);
    for node in ["b", "c", "d"] {
        desk.pass(100 * MS);
        assert_eq!(desk.ask(node, 0, 1), 0);
    }
    let mut order = Vec::new();
    let mut holder = "a".to_owned();
    for _ in 0..8 {
        desk.pass(10 * MS);
        // The holder gives its permit back, and wants one again.
        let outcome = desk.say(&holder, 0, 0, 1);
        assert_eq!(outcome.answer.share, 0);
        let [Push { node, share: Some(1), token, .. }] = &*outcome.pushes else {
            panic!("{outcome:?}");
        };
        desk.token = *token;
        holder.clone_from(&node.0);
        order.push(holder.clone());
    }
    assert_eq!(order.concat(), "bcdabcda");
}

#[test]
fn a_node_whose_push_crossed_its_message_keeps_its_turn() {
    for (arrived, share) in [(false, 1), (true, 0)] {
        let mut desk = Desk::new(1);
        desk.ask("a", 0, 1);
        for node in ["b", "c"] {
            desk.pass(100 * MS);
            desk.ask(node, 0, 1);
        }
        let mut message = desk.message("b", 0, 0, 1);
        let outcome = desk.say("a", 0, 0, 1);
        assert_eq!(raises(&outcome), [("b", 1)]);
        assert_eq!(desk.node("b").ticket, None);
        if arrived {
            // B took the permit, used it, and gives it back.
            message.token = outcome.pushes[0].token;
        }
        let outcome = desk.send(&message);
        assert_eq!(outcome.answer.share, share);
        assert_eq!(raises(&outcome), if arrived { vec![("c", 1)] } else { vec![] });
    }
}

#[test]
fn dead_nodes_in_the_queue_hold_nobody_up() {
    let mut desk = Desk::new(1);
    desk.ask("a", 0, 1);
    for node in 0..30 {
        desk.pass(100 * MS);
        desk.ask(&format!("dead{node}"), 0, 1);
    }
    desk.ask("b", 0, 1);
    desk.say("a", 0, 0, 0);
    let begun = desk.server.now;
    loop {
        desk.pass(100 * MS);
        if desk.ask("b", 0, 1) == 1 {
            break;
        }
    }
    assert!(desk.server.now - begun <= TERM + 300 * MS);
}

#[test]
fn a_permit_that_lies_about_for_a_quantum_goes_to_whoever_asks() {
    // The queue is longer than the part that the ledger knows by heart.
    let mut desk = Desk::new(20);
    desk.ask("all", 0, 20);
    desk.pass(100 * MS);
    for node in 0..40 {
        desk.ask(&format!("dead{node:02}"), 0, 1);
    }
    desk.pass(100 * MS);
    desk.ask("late", 0, 1);
    // The permits go to the nodes that are known. Four are left.
    let outcome = desk.say("all", 0, 0, 0);
    assert_eq!(raises(&outcome).len(), 16);
    desk.pass(Times::QUANTUM - 1);
    assert_eq!(desk.ask("late", 0, 1), 0);
    desk.pass(1);
    assert_eq!(desk.ask("late", 0, 1), 1);
}

#[test]
fn nodes_with_idle_permits_are_asked_once() {
    let mut desk = Desk::new(40);
    for node in 0..40 {
        desk.say(&format!("idle{node:02}"), 0, 0, 1);
        desk.say(&format!("idle{node:02}"), 1, 0, 0);
    }
    desk.pass(100 * MS);
    assert_eq!(desk.node("idle00").share, 40);
    let outcome = desk.say("busy", 0, 0, 5);
    assert_eq!(outcome.answer.share, 0);
    assert_eq!(asked(&outcome), ["idle00"]);
    desk.pass(100 * MS);
    assert_eq!(asked(&desk.say("busy", 0, 0, 5)), [""; 0]);
    // The node keeps a permit, though it has heard that others wait.
    let outcome = desk.say("idle00", 37, 0, 0);
    assert_eq!((outcome.answer.queued, outcome.answer.target), (1, 0));
    assert_eq!(raises(&outcome), [("busy", 3)]);
    desk.pass(100 * MS);
    assert_eq!(asked(&desk.say("busy", 3, 3, 5)), [""; 0]);
}

#[test]
fn an_answer_counts_the_queue_that_its_message_leaves() {
    let mut desk = Desk::new(4);
    desk.say("idle", 0, 0, 1);
    desk.pass(100 * MS);
    desk.say("busy", 0, 0, 1);
    let outcome = desk.say("idle", 2, 2, 2);
    assert_eq!((outcome.answer.queued, raises(&outcome)), (0, vec![("busy", 1)]));
    // It has heard of no queue, so it is asked again.
    desk.pass(100 * MS);
    desk.say("idle", 2, 1, 1);
    desk.pass(100 * MS);
    assert_eq!(asked(&desk.say("busy", 1, 1, 3)), ["idle"]);
}

#[test]
fn a_queue_that_begins_is_heard_of_at_once() {
    let mut desk = Desk::new(4);
    desk.say("idle", 0, 0, 1);
    desk.say("busy", 0, 0, 0);
    desk.pass(MS);
    assert_eq!(asked(&desk.say("busy", 0, 0, 1)), ["idle"]);
}

#[test]
fn a_node_that_gives_all_back_gets_no_spare() {
    let mut desk = Desk::new(10);
    desk.ask("a", 0, 1);
    desk.ask("b", 0, 0);
    assert_eq!(desk.ask("b", 0, 0), 0);
    assert_eq!(desk.node("b").share, 0);
}

#[test]
fn a_ledger_deletes_itself_when_all_nodes_have_left() {
    let mut desk = Desk::new(10);
    desk.ask("a", 0, 1);
    desk.ask("b", 0, 1);
    desk.ask("a", 0, 0);
    assert!(desk.slot.is_some());
    desk.ask("b", 0, 0);
    assert!(desk.slot.is_none());
}

#[test]
fn a_ledger_stays_where_the_next_one_must_learn() {
    let mut desk = Desk::new(10);
    desk.ask("a", 0, 1);
    desk.server.promoted = true;
    desk.ask("a", 0, 0);
    assert!(desk.slot.is_some());
    let mut desk = Desk::new(10);
    desk.say("a", 1, 0, 1);
    desk.ask("a", 0, 0);
    assert!(desk.slot.is_some(), "it learns");
}

#[test]
fn a_token_grows_with_each_grant_whatever_the_clock_does() {
    let mut desk = Desk::new(1);
    let first = desk.say("a", 0, 0, 1).answer.token;
    assert!(first > desk.server.now);
    desk.server.now -= 500 * MS;
    desk.say("b", 0, 0, 1);
    let pushed = desk.say("a", 0, 0, 0).pushes[0].token;
    assert!(pushed > first);
    assert_eq!(desk.say("b", 1, 1, 1).answer.token, pushed);
    desk.token = pushed + 7;
    desk.say("b", 0, 0, 0);
    assert_eq!(desk.say("a", 0, 0, 1).answer.token, desk.server.now.max(pushed + 7) + 1);
}

#[test]
fn nothing_is_granted_or_pushed_while_the_ledger_learns() {
    let mut desk = Desk::new(2);
    desk.ask("a", 0, 2);
    desk.ask("b", 0, 1);
    desk.server.replid = "second".to_owned();
    let outcome = desk.say("a", 0, 0, 1);
    assert_eq!((outcome.answer.share, outcome.pushes), (0, vec![]));
    assert_eq!(desk.ask("b", 0, 1), 0);
}

#[test]
fn a_limit_of_zero_lets_nobody_in() {
    let mut desk = Desk::new(0);
    assert_eq!(desk.ask("a", 0, 3), 0);
    desk.pass(100 * MS);
    let answer = desk.say("b", 0, 0, 3).answer;
    assert_eq!((answer.share, answer.target, answer.limit), (0, 0, 0));
}

#[test]
fn a_limit_of_zero_holds_for_nodes_with_another_one_while_its_node_waits() {
    let mut desk = Desk::new(0);
    assert_eq!(desk.ask("paused", 0, 1), 0);
    desk.limit = 5;
    // Both a message within a scan's distance and one that scans find the limit.
    for _ in 0..3 {
        let answer = desk.say("other", 0, 0, 3).answer;
        assert_eq!((answer.share, answer.limit, answer.nodes), (0, 0, 2));
        desk.pass(100 * MS);
    }
    // Nobody has anything, but one still waits.
    desk.ask("other", 0, 0);
    assert_eq!(desk.ask("other", 0, 3), 0);
    desk.limit = 0;
    desk.ask("paused", 0, 0);
    desk.limit = 5;
    desk.ask("other", 0, 0);
    assert!(desk.slot.is_none(), "nobody wants anything");
    assert_eq!(desk.ask("other", 0, 3), 5);
}

#[test]
fn a_limit_of_zero_ends_with_the_lease_of_its_node() {
    let mut desk = Desk::new(0);
    desk.ask("dead", 0, 1);
    desk.limit = 5;
    let begun = desk.server.now;
    while desk.ask("other", 0, 3) == 0 {
        desk.pass(100 * MS);
    }
    assert!((TERM..=TERM + 300 * MS).contains(&(desk.server.now - begun)));
}

#[test]
fn more_nodes_than_permits_take_turns() {
    let mut desk = Desk::new(3);
    desk.ask("n0", 0, 1);
    for node in 1..12 {
        desk.pass(100 * MS);
        desk.ask(&format!("n{node}"), 0, 1);
    }
    for node in 0..3 {
        assert_eq!(desk.say(&format!("n{node}"), 1, 1, 1).answer.share, 1);
    }
    let mut turns = std::collections::BTreeMap::<String, u32>::new();
    let mut holders: Vec<String> = (0..3).map(|node| format!("n{node}")).collect();
    for round in 0..120 {
        desk.pass(7 * MS);
        let holder = holders.remove(0);
        let outcome = desk.say(&holder, 0, 0, 1);
        let [Push { node, share: Some(1), token, .. }] = &*outcome.pushes else {
            panic!("round {round}: {outcome:?}");
        };
        desk.token = *token;
        holders.push(node.0.clone());
        *turns.entry(node.0.clone()).or_default() += 1;
        // The next one says that it has the permit.
        let holder = holders[2].clone();
        assert_eq!(desk.say(&holder, 1, 1, 1).answer.share, 1);
    }
    assert_eq!(turns.values().copied().collect::<Vec<_>>(), [10; 12]);
}
