//! Names of the user's that the attribute uses too, and arguments without names.

use crate::support::{assert_limited, run};
use limit_runtime::concurrency_limit;

#[concurrency_limit(1)]
async fn same_names(__permit: u8, limiter: u8) -> u8 {
    let permit = 1;
    __permit + limiter + permit
}

#[concurrency_limit(1)]
async fn shadowed_names() -> usize {
    struct Limiter;
    struct Scope;
    impl Scope {
        fn acquire(&self) -> usize {
            std::mem::size_of::<Limiter>() + std::mem::size_of_val(self)
        }
    }
    let limit_runtime = Scope;
    limit_runtime.acquire()
}

#[concurrency_limit(limiter = __permit)]
async fn limiter_of_our_name(__permit: limit_runtime::Limiter) -> &'static str {
    "limiter"
}

#[concurrency_limit(
    2,
    key = (__key, __limiter),
    weight = u32::from(__weight),
    priority = __priority,
    enabled = __permit > 0,
    max_waiting = 1,
    on_reject = |__rejected| __rejected.weight() as u8 + __weight
)]
async fn options_of_our_names(
    __key: u8,
    __limiter: u8,
    __weight: u8,
    __priority: u8,
    __permit: u8,
) -> u8 {
    __key + __limiter + __weight + __priority + __permit
}

#[concurrency_limit(2, blocking, permit = __work)]
fn blocking_with_our_names(__permit: u8, run: u8) -> u8 {
    let __limiter = 1;
    drop(__work);
    __permit + run + __limiter
}

mod shadowing {
    #![allow(dead_code, non_camel_case_types)]

    pub(crate) struct usize;
    pub(crate) struct u32;
    pub(crate) struct bool;
    pub(crate) struct Limiter;
    pub(crate) enum Result {
        Ok,
        Err,
    }
    pub(crate) mod core {}
    pub(crate) mod limit_runtime {}
    pub(crate) trait Acquire {
        fn acquire(&self) {}
    }
    impl<T> Acquire for T {}

    #[::limit_runtime::concurrency_limit(1, scope = process)]
    pub(crate) async fn literal() -> u8 {
        1
    }

    #[::limit_runtime::concurrency_limit(1 + 1)]
    pub(crate) async fn expression() -> u8 {
        2
    }

    #[::limit_runtime::concurrency_limit(
        1,
        weight = 1,
        enabled = true,
        key = 1_u8,
        max_waiting = 1
    )]
    pub(crate) async fn options() -> Option<u8> {
        Some(3)
    }
}

#[no_implicit_prelude]
mod without_prelude {
    #[::limit_runtime::concurrency_limit(1, scope = process, env = "LIMIT_CONFORMANCE_UNSET")]
    pub(crate) async fn literal() -> u8 {
        1
    }

    #[::limit_runtime::concurrency_limit(1 + 1, name = "hygiene-without-prelude")]
    pub(crate) async fn expression() -> u8 {
        2
    }

    #[::limit_runtime::concurrency_limit(3)]
    pub(crate) fn future() -> impl ::std::future::Future<Output = u8> {
        async move { 3 }
    }

    #[::limit_runtime::concurrency_limit(
        2, key = number, total = 2, weight = 1, priority = 2, max_wait = "1s", max_waiting = 1,
        enabled = true, per = "1ms", permit = permit, order = fifo
    )]
    pub(crate) async fn options(number: u8) -> ::std::option::Option<u8> {
        ::std::mem::drop(permit);
        ::std::option::Option::Some(number)
    }

    #[::limit_runtime::concurrency_limit(2, blocking, weight = 1, on_reject = |_: ::limit_runtime::Rejected| 0)]
    pub(crate) fn blocking(number: u8) -> u8 {
        number
    }

    #[::limit_runtime::concurrency_limit(2, shadow, weight = 1)]
    pub(crate) async fn shadow() -> u8 {
        7
    }

    static LIMITER: ::limit_runtime::Limiter = ::limit_runtime::Limiter::new("hygiene-static", 1);

    #[::limit_runtime::concurrency_limit(limiter = LIMITER)]
    pub(crate) async fn limiter() -> u8 {
        4
    }
}

#[test]
fn names_of_the_users_stay_apart_from_names_of_ours() {
    run(async {
        assert_eq!(same_names(1, 2).await, 4);
        assert_eq!(shadowed_names().await, 0);
        let limiter = limit_runtime::Limiter::new("hygiene-argument", 1);
        assert_eq!(limiter_of_our_name(limiter).await, "limiter");
        assert_eq!(options_of_our_names(1, 2, 2, 4, 5).await, 14);
        assert_eq!(options_of_our_names(1, 2, 3, 4, 5).await, 6);
        assert_eq!(blocking_with_our_names(1, 2).await, 4);
        assert_eq!(shadowing::literal().await + shadowing::expression().await, 3);
        assert_eq!(shadowing::options().await, Some(3));
    });
    assert_limited(module_path!(), &["same_names", "shadowed_names"]);
    assert_limited(concat!(module_path!(), "::shadowing"), &["literal", "expression"]);
}

#[test]
fn no_prelude_is_needed() {
    run(async {
        use self::without_prelude as without;
        assert_eq!(without::literal().await + without::expression().await, 3);
        assert_eq!(without::future().await + without::limiter().await, 7);
        assert_eq!(without::options(5).await, Some(5));
        assert_eq!(without::blocking(6).await + without::shadow().await, 13);
    });
    assert_limited(concat!(module_path!(), "::without_prelude"), &["literal", "future"]);
}
