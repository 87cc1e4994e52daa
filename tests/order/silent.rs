//! Orders that nothing is said about.

use crate::{nest, runtime, told, turn, two};
use futures::stream::FuturesUnordered;
use futures::{StreamExt, join};
use limit_runtime::{Limiter, diagnostics};
use limit_tests::polling::poll_once;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::yield_now;

#[test]
fn the_same_order_everywhere() {
    let _turn = turn();
    let [a, b] = two("same");
    let c = Limiter::new("same-c", 1);
    runtime().block_on(async {
        for [outer, inner] in [[&a, &b], [&a, &c], [&b, &c], [&a, &b]] {
            nest(outer, inner).await;
        }
    });
    assert!(told("same-a").is_empty() && told("same-b").is_empty());
}

#[test]
fn a_permit_that_is_back() {
    let _turn = turn();
    let [a, b] = two("back");
    runtime().block_on(async {
        for limiter in [&a, &b, &a, &b] {
            drop(limiter.acquire().await);
        }
    });
    assert!(told("back-a").is_empty());
}

#[test]
fn a_limiter_inside_itself() {
    let _turn = turn();
    let limiter = Limiter::new("itself", 2);
    runtime().block_on(async {
        nest(&limiter, &limiter).await;
        nest(&limiter, &limiter).await;
    });
    assert!(told("itself").is_empty());
}

#[test]
fn calls_that_never_wait() {
    let _turn = turn();
    let [a, b] = two("tried");
    for [outer, inner] in [[&a, &b], [&b, &a]] {
        let outer = outer.try_acquire().expect("free");
        drop(inner.try_acquire().expect("free"));
        drop(outer);
    }
    assert!(told("tried-a").is_empty());
}

#[test]
fn calls_that_all_give_up_after_a_time() {
    const LONG: Duration = Duration::from_secs(600);
    let _turn = turn();
    let [a, b] = two("give-up").map(|limiter| limiter.max_wait(LONG));
    runtime().block_on(async {
        for [outer, inner] in [[&a, &b], [&b, &a]] {
            let outer = outer.acquire().await.expect("free");
            drop(inner.acquire().await.expect("free"));
            drop(outer);
        }
    });
    assert!(told("give-up-a").is_empty());
}

#[test]
fn while_the_warning_is_switched_off() {
    let _turn = turn();
    let [a, b] = two("off");
    runtime().block_on(async {
        diagnostics::warn_of_order(false);
        nest(&a, &b).await;
        nest(&b, &a).await;
        diagnostics::warn_of_order(true);
        assert!(told("off-a").is_empty());
        nest(&a, &b).await;
        assert!(told("off-a").is_empty(), "what came before is not known");
        nest(&b, &a).await;
        assert_eq!(told("off-a").len(), 1);
    });
}

#[test]
fn while_nothing_is_recorded() {
    let _turn = turn();
    let [a, b] = two("unrecorded");
    diagnostics::record(false);
    runtime().block_on(async {
        nest(&a, &b).await;
        nest(&b, &a).await;
    });
    diagnostics::record(true);
    assert!(told("unrecorded-a").is_empty());
}

#[test]
fn futures_side_by_side_that_have_wakers_of_their_own() {
    let _turn = turn();
    let [a, b] = two("wakers");
    runtime().block_on(async {
        for pair in [[&a, &b], [&b, &a]] {
            let call = async |limiter: &Limiter| {
                let permit = limiter.acquire().await;
                yield_now().await;
                drop(permit);
            };
            let calls: FuturesUnordered<_> = pair.into_iter().map(call).collect();
            calls.collect::<()>().await;
        }
    });
    assert!(told("wakers-a").is_empty());
}

#[test]
fn futures_side_by_side_that_we_poll() {
    let _turn = turn();
    let [a, b] = two("beside-run");
    runtime().block_on(async {
        join!(a.run(yield_now()), async { drop(b.acquire().await) });
        join!(b.run(yield_now()), async { drop(a.acquire().await) });
        nest(&a, &b).await;
    });
    assert!(told("beside-run-a").is_empty());
}

#[test]
fn a_call_that_waited_while_a_future_beside_it_took_another_permit() {
    let _turn = turn();
    let [a, b] = two("waited");
    runtime().block_on(async {
        let held = a.acquire().await;
        let back = Notify::new();
        let waits = async {
            let permit = a.acquire().await;
            back.notify_one();
            drop(permit);
        };
        let mut waits = pin!(waits);
        assert!(poll_once(waits.as_mut()).await.is_none());
        // Nothing is around this call, whatever waits beside it.
        let beside = b.acquire().await;
        drop(held);
        waits.await;
        drop(beside);
        nest(&a, &b).await;
    });
    assert!(told("waited-a").is_empty());
}

#[test]
fn a_future_beside_a_call_that_waits() {
    let _turn = turn();
    let [a, b] = two("beside-waits");
    let full = Limiter::new("beside-waits-full", 1);
    runtime().block_on(async {
        let held = full.try_acquire().expect("free");
        let waits = async {
            let permit = a.acquire().await;
            drop(full.acquire().await);
            drop(permit);
        };
        let beside = async {
            drop(b.acquire().await);
            drop(held);
        };
        join!(waits, beside);
        nest(&b, &a).await;
    });
    assert!(told("beside-waits-b").is_empty());
}

#[test]
fn futures_whose_ends_have_shown_that_they_are_side_by_side() {
    #[limit_runtime::concurrency_limit(1, name = "ends-a")]
    async fn a(again: usize) {
        for _ in 0..again {
            yield_now().await;
        }
    }

    #[limit_runtime::concurrency_limit(1, name = "ends-b")]
    async fn b(again: usize) {
        for _ in 0..again {
            yield_now().await;
        }
    }

    let _turn = turn();
    runtime().block_on(async {
        join!(a(1), b(2));
        join!(b(2), a(1));
    });
    assert!(told("ends-a").is_empty());
}

#[test]
fn permits_that_go_to_another_task() {
    let _turn = turn();
    let [a, b] = two("moved").map(Arc::new);
    runtime().block_on(async {
        for _ in 0..2 {
            let permit = a.acquire().await;
            let task = tokio::spawn(async move {
                yield_now().await;
                drop(permit);
            });
            drop(b.acquire().await);
            task.await.expect("it ends");
        }
        nest(&b, &a).await;
    });
    assert!(told("moved-a").is_empty());
}

#[test]
fn permits_of_spawned_tasks() {
    let _turn = turn();
    let [a, b] = two("spawned").map(Arc::new);
    runtime().block_on(async {
        for [outer, inner] in [[&a, &b], [&b, &a]] {
            let task = outer.spawn(yield_now()).await;
            drop(inner.acquire().await);
            task.await.expect("it ends");
        }
    });
    assert!(told("spawned-a").is_empty());
}

#[test]
fn limiters_of_the_same_names_that_came_before() {
    let _turn = turn();
    runtime().block_on(async {
        for order in [[0, 1], [1, 0]] {
            let limiters = two("before");
            let [outer, inner] = order.map(|number| &limiters[number]);
            assert!(outer.name().len() == "before-a".len(), "the name is free");
            nest(outer, inner).await;
        }
    });
    assert!(told("before-a").is_empty());
}

#[test]
fn a_circle_through_a_limiter_that_is_dropped() {
    let _turn = turn();
    let [a, b] = two("dropped");
    runtime().block_on(async {
        {
            let c = Limiter::new("dropped-c", 1);
            nest(&a, &c).await;
            nest(&c, &b).await;
        }
        nest(&b, &a).await;
        assert!(told("dropped-a").is_empty());
        nest(&a, &b).await;
        assert_eq!(told("dropped-a").len(), 1, "this is another one");
    });
}
