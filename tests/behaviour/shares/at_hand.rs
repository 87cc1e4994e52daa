//! Cases made by hand.

use super::{SHARES, take_all, uses};
use limit_runtime::{Limiter, RejectedKind, Share, acquire_all, concurrency_limit};
use limit_tests::figures::assert_figures;
use limit_tests::polling::{assert_waits, at_once, let_in, refused, served, waiter};

#[test]
fn a_share_may_have_what_others_do_not_want_but_for_reserves_and_its_own_most() {
    let limiter = Limiter::new("shares-lent", 20).shares(SHARES);
    let live = take_all(&limiter, "live");
    assert_eq!(live.len(), 18, "two are reserved for `probe`");
    drop(live);
    let batch = take_all(&limiter, "batch");
    assert_eq!(batch.len(), 10, "at most half");
    assert_eq!(take_all(&limiter, "probe").len(), 10);
    drop(batch);
    assert_eq!(take_all(&limiter, "rest").len(), 18);
    assert_eq!(uses(&limiter), [(0, 0); 4]);
}

#[test]
fn permits_that_come_back_go_to_the_shares_below_their_guarantees_first() {
    let limiter = Limiter::new("shares-guaranteed", 10).shares(SHARES); // 6, 2, 1, 1
    let mut rest = take_all(&limiter, "rest");
    assert_eq!(rest.len(), 9);
    let mut more = waiter(limiter.share("rest").acquire());
    let mut live: Vec<_> = (0..7).map(|_| waiter(limiter.share("live").acquire())).collect();
    let mut batch: Vec<_> = (0..3).map(|_| waiter(limiter.share("batch").acquire())).collect();
    let mut served_live = Vec::new();
    let mut served_batch = Vec::new();
    // 9 of 10 are with the rest, which is guaranteed 1: 8 of them go to those below theirs.
    for _ in 0..8 {
        drop(rest.pop());
        live.retain_mut(|call| {
            !call.is_woken() || {
                served_live.push(served(call));
                false
            }
        });
        batch.retain_mut(|call| {
            !call.is_woken() || {
                served_batch.push(served(call));
                false
            }
        });
    }
    assert_eq!((served_live.len(), served_batch.len()), (6, 2));
    assert_waits(&mut more);
    assert_eq!(uses(&limiter), [(6, 1), (2, 1), (0, 0), (1, 1)]);
    // Each has its guarantee now. A permit goes back to the share that gave it.
    drop(served_batch.pop());
    served_batch.push(served(&mut batch[0]));
    drop(served_live.pop());
    served_live.push(served(&mut live[0]));
    assert_waits(&mut more);
}

#[test]
fn a_reserved_share_need_not_wait_for_others() {
    let limiter = Limiter::new("shares-reserved", 10).shares(SHARES);
    let live = take_all(&limiter, "live");
    let mut waiting = waiter(limiter.share("live").acquire());
    let probe = at_once(limiter.share("probe").acquire());
    assert_waits(&mut waiting);
    drop(probe);
    assert_waits(&mut waiting);
    drop(live);
    drop(served(&mut waiting));
}

#[test]
fn a_share_of_less_than_a_permit_gets_its_part_in_time() {
    part_in_time(const { &[Share::new("live", 75), Share::new("batch", 25)] }, 25);
    // Neither is a part of a hundred without a rest.
    part_in_time(const { &[Share::new("live", 60), Share::new("batch", 40)] }, 40);
    part_in_time(const { &[Share::new("live", 67), Share::new("batch", 33)] }, 33);
}

/// Lets both shares of a limiter with one permit want it a hundred times. `batch` gets its part, and never waits long.
fn part_in_time(shares: &'static [Share], part: usize) {
    let limiter = Limiter::new("shares-in-time", 1).shares(shares);
    let mut running = Some(at_once(limiter.share("live").acquire()));
    let mut waiting = Vec::new();
    for share in ["live", "batch"] {
        for _ in 0..100 {
            waiting.push((share, waiter(limiter.share(share).acquire())));
        }
    }
    let mut order = Vec::new();
    for _ in 0..100 {
        drop(running.take());
        let next = waiting.iter_mut().position(|(_, call)| call.is_woken()).expect("one is next");
        let (share, mut call) = waiting.remove(next);
        running = Some(served(&mut call));
        order.push(share);
    }
    assert_eq!(order.iter().filter(|&&share| share == "batch").count(), part, "{order:?}");
    assert!(order.windows(100 / part + 1).all(|some| some.contains(&"batch")), "{order:?}");
}

#[test]
fn a_share_of_nothing_gets_what_nobody_else_wants() {
    let limiter = Limiter::new("shares-scavenger", 2)
        .shares(const { &[Share::new("paid", 100), Share::new("scavenger", 0)] });
    let first = at_once(limiter.share("scavenger").acquire());
    let second = at_once(limiter.share("scavenger").acquire());
    let mut scavenger = waiter(limiter.share("scavenger").acquire());
    let mut paid = waiter(limiter.share("paid").acquire());
    drop(first);
    let paid = served(&mut paid);
    assert_waits(&mut scavenger);
    drop((second, paid));
    drop(served(&mut scavenger));
}

#[test]
fn guarantees_follow_the_limit_and_add_up_to_it() {
    let limiter = Limiter::new("shares-follow", 20).shares(SHARES);
    drop(limiter.share("live").try_acquire());
    for (limit, guaranteed) in
        [(20, [12, 4, 2, 2]), (7, [4, 1, 1, 1]), (0, [0; 4]), (3, [2, 1, 0, 0])]
    {
        limiter.set_limit(limit);
        let shares = limiter.snapshot().shares;
        assert_eq!(shares.iter().map(|share| share.guaranteed).collect::<Vec<_>>(), guaranteed);
        assert_eq!(guaranteed.iter().sum::<usize>(), limit);
    }
}

#[test]
fn a_heavy_call_waits_at_the_head_of_its_share_and_is_not_passed_for_ever() {
    let limiter = Limiter::new("shares-heavy", 10).shares(SHARES);
    let mut rest = take_all(&limiter, "rest");
    let mut heavy = waiter(limiter.share("live").acquire().weight(4));
    let mut light = waiter(limiter.acquire());
    for _ in 0..3 {
        drop(rest.pop());
        assert_waits(&mut light);
    }
    limiter
        .share("batch")
        .try_acquire()
        .expect_err("the heavy call came first, and neither share has a permit");
    drop(rest.pop());
    drop(served(&mut heavy).expect("it is admitted"));
    drop(rest);
    drop(served(&mut light));
}

#[test]
fn a_call_heavier_than_its_share_may_have_is_refused() {
    let limiter = Limiter::new("shares-too-heavy", 10).shares(SHARES);
    let rejected = refused(limiter.share("batch").acquire().weight(6));
    assert_eq!((rejected.kind(), rejected.limit()), (RejectedKind::TooHeavy, 5));
    assert_eq!(
        rejected.to_string(),
        "call too heavy for concurrency limit `shares-too-heavy`: 6 permits wanted, a call of its share may have at \
         most 5"
    );
    // Of all ten, one is reserved.
    let rejected = refused(limiter.share("live").acquire().weight(10));
    assert_eq!((rejected.kind(), rejected.limit()), (RejectedKind::TooHeavy, 9));
    drop(let_in(limiter.share("live").acquire().weight(9)));
    assert_eq!(limiter.snapshot().shares[1].rejected, 1);
}

#[test]
fn each_share_has_a_queue_of_its_own() {
    let limiter = Limiter::new("shares-queues", 2).max_waiting(1).shares(SHARES);
    let all: Vec<_> = (0..2).map(|_| limiter.share("live").try_acquire().expect("free")).collect();
    let noisy = waiter(limiter.share("batch").acquire());
    let rejected = refused(limiter.share("batch").acquire());
    assert_eq!((rejected.kind(), rejected.waiting()), (RejectedKind::QueueFull, 1));
    let mut live = waiter(limiter.share("live").acquire());
    drop(all);
    drop(served(&mut live).expect("it is admitted"));
    drop(noisy);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn an_unknown_share_is_one_of_the_rest_and_a_warning_says_so_once() {
    let limiter = Limiter::new("shares-unknown", 10).shares(SHARES);
    let one = at_once(limiter.share("live\n").acquire());
    let other = at_once(limiter.share("love").acquire());
    let plain = at_once(limiter.acquire());
    let snapshot = limiter.snapshot();
    assert_eq!((&*snapshot.shares[3].name, snapshot.shares[3].in_use), ("rest", 3));
    let warnings = snapshot.warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains(r"`live\n`") && warnings[0].contains("`probe`"), "{warnings:?}");
    drop((one, other, plain));
}

#[test]
fn a_limiter_that_is_switched_off_or_closed_treats_all_shares_alike() {
    let limiter = Limiter::new("shares-off", 1).max_waiting(5).shares(SHARES);
    let held = let_in(limiter.share("live").acquire());
    limiter.set_enabled(false);
    let over = let_in(limiter.share("batch").acquire());
    limiter.set_enabled(true);
    let mut waits = waiter(limiter.share("batch").acquire());
    limiter.close();
    assert_eq!(served(&mut waits).unwrap_err().kind(), RejectedKind::Closed);
    drop((held, over));
    limiter.reopen();
    drop(let_in(limiter.share("batch").acquire()));
    assert_eq!(uses(&limiter), [(0, 0); 4]);
}

#[test]
fn counts_go_on_when_a_runtime_ends() {
    static LIMITER: Limiter = Limiter::new("shares-counts", 4).shares(SHARES);
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async { drop(LIMITER.share("live").acquire().await) });
    }
    let live = &LIMITER.snapshot().shares[0];
    assert_eq!((live.admitted, live.in_use), (2, 0));
}

#[concurrency_limit(10, shares = SHARES, share = class, name = "shares-attribute")]
async fn attributed(class: &str) -> usize {
    class.len()
}

#[test]
fn the_attribute_takes_shares() {
    assert_eq!(at_once(attributed("live")), 4);
    let limiter = limit_runtime::find("shares-attribute").expect("it was used");
    assert_eq!(limiter.snapshot().shares[0].admitted, 1);
}

#[test]
fn a_call_for_several_limits_may_belong_to_a_share() {
    let one = Limiter::new("shares-together", 2).shares(SHARES);
    let other = Limiter::new("shares-together-other", 1);
    drop(at_once(one.acquire()));
    let held = at_once(other.acquire());
    let mut both = waiter(acquire_all((one.share("batch"), &other)));
    assert_eq!(uses(&one), [(0, 0); 4], "it holds nothing while it waits");
    let taken = take_all(&one, "batch");
    drop(held);
    // It finds the other limit free, and this one not: it waits here.
    assert!(both.is_woken() && both.poll().is_pending());
    assert_eq!(uses(&one)[1], (1, 1));
    drop(taken);
    let both = served(&mut both);
    assert_eq!(uses(&one)[1], (1, 0));
    assert_eq!(one.snapshot().shares[1].admitted, 2);
    assert_figures(&other, 1, 0);
    drop(both);
    assert_eq!(uses(&one), [(0, 0); 4]);
}

#[test]
fn a_call_that_has_no_share_does_not_keep_reserved_permits_from_their_shares() {
    let limiter = Limiter::new("shares-all-reserved", 4).shares(
        const {
            &[
                Share::new("a", 25).reserved(),
                Share::new("b", 25).reserved(),
                Share::new("c", 25).reserved(),
                Share::new("d", 25).reserved(),
            ]
        },
    );
    // It could never run if it had to leave four permits free.
    let rest = at_once(limiter.acquire());
    let reserved = ["a", "b", "c"].map(|share| at_once(limiter.share(share).acquire()));
    let mut last = waiter(limiter.share("d").acquire());
    drop(rest);
    let last = served(&mut last);
    drop((reserved, last));
    assert_eq!(uses(&limiter), [(0, 0); 5]);
}

#[test]
fn a_reserve_that_is_no_whole_permit_keeps_nobody_out() {
    let limiter = Limiter::new("shares-part-reserved", 2)
        .shares(const { &[Share::new("live", 85).reserved()] });
    let live = at_once(limiter.share("live").acquire());
    let rest = at_once(limiter.acquire());
    drop((live, rest));
}

#[test]
fn a_heavy_call_of_a_small_share_is_paid_for_like_others() {
    let limiter = Limiter::new("shares-heavy-in-time", 4)
        .shares(const { &[Share::new("large", 96), Share::new("small", 4)] });
    let mut running: Vec<_> = take_all(&limiter, "large");
    let mut large: Vec<_> = (0..400).map(|_| waiter(limiter.share("large").acquire())).collect();
    let mut small: Vec<_> =
        (0..40).map(|_| waiter(limiter.share("small").acquire().weight(4))).collect();
    let mut taken = [0, 0];
    while taken[0] + taken[1] < 400 {
        drop(running.remove(0));
        large.retain_mut(|call| {
            let is_served = call.is_woken();
            if is_served {
                running.push(served(call));
                taken[0] += 1;
            }
            !is_served
        });
        small.retain_mut(|call| {
            let is_served = call.is_woken();
            if is_served {
                running.push(served(call).expect("it is not too heavy"));
                taken[1] += 4;
            }
            !is_served
        });
    }
    assert_eq!(taken, [384, 16]);
}

#[test]
#[should_panic(expected = "a call has a share or a key")]
fn a_limiter_with_shares_has_no_keys() {
    let shared = Limiter::new("shares-and-keys", 1).shares(SHARES);
    let _ = shared.keyed();
}

#[test]
fn a_limiter_with_shares_may_be_named_twice() {
    let limiter = Limiter::new("shares-twice", 10).shares(SHARES);
    let both = at_once(acquire_all((limiter.share("batch"), limiter.share("live"), &limiter)));
    assert_eq!(uses(&limiter), [(0, 0), (1, 0), (0, 0), (0, 0)], "the first naming counts");
    drop(both);
}

static ATTRIBUTED: Limiter = Limiter::new("shares-all-attribute", 10).shares(SHARES);

#[concurrency_limit(all(ATTRIBUTED.share("batch")))]
async fn attributed_all() -> usize {
    uses(&ATTRIBUTED)[1].0
}

#[test]
fn the_attribute_takes_a_share_of_one_of_several_limiters() {
    assert_eq!(at_once(attributed_all()), 1);
}
