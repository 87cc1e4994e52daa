//! The place of a call is the line of the user's code that makes it, for each way of making a call.

use crate::{lines, turn};
use limit_runtime::task::{LimitStreamExt, Pool, StreamExt};
use limit_runtime::tower::LimitLayer;
use limit_runtime::{KeyedLimiter, Limiter, concurrency_limit, find};
use std::convert::Infallible;
use tower::{ServiceBuilder, ServiceExt, service_fn};

#[tokio::test]
async fn of_an_annotated_function_it_is_the_attribute() {
    const LINE: u32 = line!() + 1;
    #[concurrency_limit(1, name = "places-attribute")]
    async fn annotated() -> Vec<u32> {
        lines(&find("places-attribute").expect("it is in use").holders())
    }

    let _turn = turn();
    assert_eq!(annotated().await, [LINE]);
}

#[tokio::test]
async fn of_a_blocking_function_too() {
    const LINE: u32 = line!() + 1;
    #[concurrency_limit(1, name = "places-blocking", blocking)]
    fn annotated() -> Vec<u32> {
        lines(&find("places-blocking").expect("it is in use").holders())
    }

    let _turn = turn();
    assert_eq!(annotated().await, [LINE]);
}

#[tokio::test]
async fn of_what_is_done_under_a_limiter_it_is_that() {
    static LIMITER: Limiter = Limiter::new("places-limiter", 1);
    static KEYED: KeyedLimiter = Limiter::new("places-keyed", 1).keyed();
    let _turn = turn();
    let here = async || lines(&LIMITER.holders());
    assert_eq!(LIMITER.run(here()).await, [line!()]);
    let task = LIMITER.spawn(async { lines(&LIMITER.holders()) });
    assert_eq!(task.await.await.expect("it does not panic"), [line!() - 1]);
    assert_eq!(LIMITER.blocking(|| lines(&LIMITER.holders())).await, [line!()]);
    assert_eq!(LIMITER.acquire().priority(3).run(here()).await, [line!()]);
    let permit = KEYED.key(7).acquire().await;
    assert_eq!(lines(&KEYED.holders()), [line!() - 1]);
    drop(permit);
    let permit = KEYED.key(7).try_acquire();
    assert_eq!(lines(&KEYED.holders()), [line!() - 1]);
    drop(permit);
}

#[tokio::test]
async fn of_tasks_in_bulk_it_is_where_they_are_made() {
    static LIMITER: Limiter = Limiter::new("places-bulk", 1);
    let _turn = turn();
    let here = async |()| lines(&LIMITER.holders());
    let places = futures::stream::iter([(), ()]).map_limited(&LIMITER, here).ordered();
    assert_eq!(places.collect::<Vec<_>>().await, [[line!() - 1], [line!() - 1]]);
    let pool = Pool::over(&LIMITER);
    let task = pool.spawn(async { lines(&LIMITER.holders()) }).await;
    assert_eq!(task.await.expect("it does not panic"), [line!() - 1]);
}

#[tokio::test]
async fn of_a_service_it_is_its_layer() {
    static LIMITER: Limiter = Limiter::new("places-tower", 1);
    let _turn = turn();
    let layer = LimitLayer::new(&LIMITER);
    let line = line!() - 1;
    let service = service_fn(async |()| Ok::<_, Infallible>(lines(&LIMITER.holders())));
    let plain = ServiceBuilder::new().layer(layer.clone()).service(service);
    assert_eq!(plain.oneshot(()).await, Ok(vec![line]));
    let reserving = ServiceBuilder::new().layer(layer.reserving()).service(service);
    assert_eq!(reserving.oneshot(()).await, Ok(vec![line]));
}
