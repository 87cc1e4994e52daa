//! Orders that are told of.

use crate::{nest, runtime, told, turn, two};
use limit_runtime::{KeyedLimiter, Limiter, concurrency_limit};
use std::panic::Location;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Returns the place of the limiter's only holder.
fn place(limiter: &Limiter) -> &'static Location<'static> {
    let [holder] = &limiter.holders()[..] else { panic!("one holds a permit") };
    holder.place()
}

#[test]
fn two_orders_one_after_the_other_are_told_once_with_all_places() {
    let _turn = turn();
    let [a, b] = two("two-orders");
    runtime().block_on(async {
        let outer = a.acquire().await;
        let inner = b.acquire().await;
        let first = [place(&a), place(&b)];
        drop((inner, outer));
        assert!(told("two-orders-a").is_empty(), "one order is in order");

        let outer = b.acquire().await;
        assert!(told("two-orders-a").is_empty());
        let inner = a.acquire().await;
        let second = [place(&b), place(&a)];
        drop((inner, outer));
        let text = format!(
            "limiters are nested in two orders, so their calls can wait for each other: take them in one order\n  \
             here: `two-orders-b` at {}, then `two-orders-a` at {}\n  \
             elsewhere: `two-orders-a` at {}, then `two-orders-b` at {}",
            second[0], second[1], first[0], first[1]
        );
        assert_eq!(told("two-orders-a"), [text]);

        nest(&a, &b).await;
        nest(&b, &a).await;
        assert_eq!(told("two-orders-a").len(), 1, "it is told once");
    });
}

#[test]
fn two_tasks_show_two_orders() {
    let _turn = turn();
    let runtime = runtime();
    let [a, b] = two("two-tasks").map(Arc::new);
    runtime.block_on(async {
        for [outer, inner] in [[&a, &b], [&b, &a]] {
            let (outer, inner) = (Arc::clone(outer), Arc::clone(inner));
            tokio::spawn(async move { nest(&outer, &inner).await }).await.expect("it ends");
        }
    });
    assert_eq!(told("two-tasks-a").len(), 1);
}

#[test]
fn a_circle_of_three_is_told_with_all_its_orders() {
    let _turn = turn();
    let [a, b] = two("three");
    let c = Limiter::new("three-c", 1);
    runtime().block_on(async {
        nest(&a, &b).await;
        nest(&b, &c).await;
        assert!(told("three-a").is_empty());
        nest(&c, &a).await;
    });
    let [text] = &told("three-a")[..] else { panic!("it is told once") };
    let lines: Vec<_> = text.lines().skip(1).collect();
    let orders = [("here", "c", "a"), ("elsewhere", "a", "b"), ("elsewhere", "b", "c")];
    assert_eq!(lines.len(), 3, "{text}");
    for (line, (place, outer, inner)) in lines.iter().zip(orders) {
        assert!(line.starts_with(&format!("  {place}: `three-{outer}` at ")), "{text}");
        assert!(line.contains(&format!(", then `three-{inner}` at ")), "{text}");
    }
}

#[test]
fn each_pair_of_a_large_tangle_is_told_of_once() {
    let _turn = turn();
    let limiters: Vec<_> = (0..6).map(|n| Limiter::named(format!("tangle-{n}"), 1)).collect();
    runtime().block_on(async {
        for _ in 0..2 {
            for outer in &limiters {
                for inner in limiters.iter().filter(|inner| inner.name() != outer.name()) {
                    nest(outer, inner).await;
                }
            }
        }
    });
    let mut all: Vec<_> = limiters.iter().flat_map(|limiter| told(limiter.name())).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 15, "{all:#?}");
}

#[test]
fn of_annotated_functions_the_places_are_the_attributes() {
    const A: u32 = line!() + 1;
    #[concurrency_limit(1, name = "attribute-a")]
    async fn a(is_outer: bool) {
        if is_outer {
            Box::pin(b(false)).await;
        }
    }

    const B: u32 = line!() + 1;
    #[concurrency_limit(1, name = "attribute-b")]
    async fn b(is_outer: bool) {
        if is_outer {
            Box::pin(a(false)).await;
        }
    }

    let _turn = turn();
    runtime().block_on(async {
        a(true).await;
        b(true).await;
    });
    let [text] = &told("attribute-a")[..] else { panic!("it is told once") };
    let lines: Vec<_> = text.lines().skip(1).collect();
    for (line, places) in lines.iter().zip([[B, A], [A, B]]) {
        for place in places {
            assert!(line.contains(&format!("told.rs:{place}:")), "{text}");
        }
    }
}

#[test]
fn keys_and_blocking_functions_count_too() {
    static KEYED: KeyedLimiter = Limiter::new("kinds-keyed", 1).keyed();

    #[concurrency_limit(1, name = "kinds-blocking", blocking)]
    fn blocking(is_outer: bool) {
        if is_outer {
            drop(KEYED.key(1).blocking_acquire());
        }
    }

    let _turn = turn();
    runtime().block_on(async {
        blocking(true).await;
        let outer = KEYED.key(2).acquire().await;
        blocking(false).await;
        drop(outer);
    });
    assert_eq!(told("kinds-keyed").len(), 1);
}

#[test]
fn threads_that_block_show_orders() {
    let _turn = turn();
    let [a, b] = two("threads");
    for [outer, inner] in [[&a, &b], [&b, &a]] {
        thread::scope(|scope| {
            scope.spawn(|| {
                let outer = outer.blocking_acquire();
                drop(inner.blocking_acquire());
                drop(outer);
            });
        });
    }
    assert_eq!(told("threads-a").len(), 1);
}

#[test]
fn what_runs_under_a_permit_is_inside_it_whichever_task_waits_beside() {
    let _turn = turn();
    let [a, b] = two("run");
    let full = Limiter::new("run-full", 1);
    runtime().block_on(async {
        for [outer, inner] in [[&a, &b], [&b, &a]] {
            let held = full.try_acquire().expect("free");
            let run = async {
                outer.run(async { drop(inner.acquire().await) }).await;
                drop(held);
            };
            tokio::join!(async { drop(full.acquire().await) }, run);
        }
    });
    assert_eq!(told("run-a").len(), 1);
}

#[test]
fn a_part_of_a_permit_is_held_as_long_as_it_is_there() {
    let _turn = turn();
    let [a, b] = ["parts-a", "parts-b"].map(|name| Limiter::new(name, 2));
    runtime().block_on(async {
        let mut whole = a.acquire_many(2).await.expect("free");
        let part = whole.split(1);
        drop(whole);
        drop(b.acquire().await);
        drop(part);
        let mut outer = b.acquire().await;
        outer.merge(b.acquire().await).expect("it is of the same limiter");
        drop(a.acquire().await);
    });
    assert_eq!(told("parts-a").len(), 1);
}

#[test]
fn a_permit_that_was_tried_for_is_an_outer_one() {
    let _turn = turn();
    let [a, b] = two("tried-outer");
    runtime().block_on(async {
        for [outer, inner] in [[&a, &b], [&b, &a]] {
            let outer = outer.try_acquire().expect("free");
            drop(inner.acquire().await);
            drop(outer);
        }
    });
    assert_eq!(told("tried-outer-a").len(), 1);
}

#[test]
fn one_of_the_calls_may_give_up_after_a_time() {
    let _turn = turn();
    let [a, b] = two("one-gives-up");
    runtime().block_on(async {
        let outer = a.acquire().await;
        drop(b.acquire().max_wait(Duration::from_secs(600)).await);
        drop(outer);
        nest(&b, &a).await;
    });
    assert_eq!(told("one-gives-up-a").len(), 1);
}

#[test]
fn the_warning_comes_before_the_calls_hang() {
    let _turn = turn();
    let runtime = runtime();
    let [a, b] = two("hang").map(Arc::new);
    let both = Arc::new(tokio::sync::Barrier::new(2));
    runtime.block_on(async {
        let tasks = [[&a, &b], [&b, &a]].map(|limiters| {
            let ([outer, inner], both) = (limiters.map(Arc::clone), Arc::clone(&both));
            tokio::spawn(async move {
                let _outer = outer.acquire().await;
                both.wait().await;
                drop(inner.acquire().await);
            })
        });
        while a.waiters().len() + b.waiters().len() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(told("hang-a").len(), 1);
        for task in tasks {
            // The second goes on when the first is gone.
            task.abort();
            let _ = task.await;
        }
    });
}

#[test]
fn a_log_that_panics_costs_no_permit() {
    let _turn = turn();
    let [a, b] = two("panic");
    runtime().block_on(async {
        nest(&a, &b).await;
        nest(&b, &a).await;
    });
    assert_eq!(told("panic-a").len(), 1);
    for limiter in [a, b] {
        assert!(limiter.holders().is_empty());
        assert_eq!(limiter.snapshot().total.in_use, 0);
    }
}
