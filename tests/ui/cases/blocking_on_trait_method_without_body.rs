use limit_runtime::concurrency_limit;

trait Fetch {
    #[concurrency_limit(3, blocking)]
    fn fetch(self) -> u8;
}

fn main() {}
