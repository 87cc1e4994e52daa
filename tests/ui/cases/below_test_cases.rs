// What two `#[test_case]`s above `#[concurrency_limit(3)] #[tokio::test]` make of a test: the crate
// test-case 3.4.1 (`render` in `test-case-core/src/test_case.rs`, and `swap_remove` of the second in
// `test-case-macros/src/lib.rs`, which turns the order round). It does so in test builds only, which
// this is not, hence by hand.

async fn below_two(number: u8) {
    assert!(number > 0);
}

mod below_two {
    use limit_runtime::concurrency_limit;

    #[allow(clippy::bool_assert_comparison)]
    #[allow(unknown_lints, clippy::redundant_test_prefix)]
    #[tokio::test]
    #[concurrency_limit(3)]
    async fn test_case_1_1_expects() {
        let _result = super::below_two(1).await;
        _result
    }
}

fn main() {}
