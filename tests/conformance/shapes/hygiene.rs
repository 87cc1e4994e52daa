//! Names of the user's that are also names of ours, and no names at all.

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

mod shadowing {
    #![allow(dead_code, non_camel_case_types)]

    pub(crate) struct usize;
    pub(crate) struct Limiter;
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
        assert_eq!(shadowing::literal().await + shadowing::expression().await, 3);
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
    });
    assert_limited(concat!(module_path!(), "::without_prelude"), &["literal", "future"]);
}
