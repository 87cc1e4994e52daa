//! Other attributes, beside ours and inside the body.

use limit_runtime::concurrency_limit;

#[concurrency_limit(3)]
#[allow(clippy::needless_return)]
pub async fn allowed_outside() -> u8 {
    std::future::ready(()).await;
    return 1;
}

#[concurrency_limit(3)]
pub async fn allowed_inside(number: u8) -> u8 {
    #![allow(clippy::needless_return)]
    std::future::ready(()).await;
    return 1;
}

#[concurrency_limit(3)]
pub async fn documented_inside() -> u8 {
    //! Says nothing
    std::future::ready(()).await;
    1
}

#[concurrency_limit(3)]
#[expect(unused_variables)]
pub async fn expected(number: u8) {
    std::future::ready(()).await;
    let other = 1;
}

#[concurrency_limit(3)]
#[expect(unused_variables)]
pub async fn expected_in_vain() {
    std::future::ready(()).await;
}

#[concurrency_limit(3)]
#[deprecated(note = "since long")]
pub async fn old() {
    std::future::ready(()).await;
}

/// Documented.
///
/// # Errors
///
/// Never
#[concurrency_limit(3)]
#[doc = "More"]
#[cfg_attr(all(), must_use)]
pub async fn documented() -> Option<u8> {
    std::future::ready(()).await;
    Some(1)
}

fn main() {}
