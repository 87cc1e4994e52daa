use limit_runtime::concurrency_limit;

#[tokio::test]
#[concurrency_limit(3)]
async fn below() {}

#[tokio::test(flavor = "multi_thread")]
#[concurrency_limit(3)]
async fn below_with_arguments() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
