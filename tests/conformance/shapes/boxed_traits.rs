//! Functions below `#[async_trait]`, in a trait and in an implementation.

use crate::support::{assert_limited, run};
use async_trait::async_trait;
use limit_runtime::{Limiter, concurrency_limit};

#[async_trait]
trait Store: Sync {
    async fn load(&self, key: &str) -> Result<u8, String>;

    async fn save(&mut self, key: &str, value: u8);

    #[concurrency_limit(3)]
    async fn load_both(&self, first: &str, second: &str) -> Result<u8, String> {
        Ok(self.load(first).await? + self.load(second).await?)
    }

    #[concurrency_limit(3)]
    async fn nothing_returned(&self) {}

    async fn generic<T: Into<u8> + Send>(&self, value: T) -> u8
    where
        Self: Sized;
}

struct Memory {
    value: u8,
    limiter: Limiter,
}

#[async_trait]
impl Store for Memory {
    #[concurrency_limit(3)]
    async fn load(&self, key: &str) -> Result<u8, String> {
        if key.is_empty() {
            return Err(String::from("empty"));
        }
        let value: u8 = key.len().to_string().parse().map_err(|_| String::from("long"))?;
        Ok(value + self.value)
    }

    #[concurrency_limit(limiter = self.limiter)]
    async fn save(&mut self, _key: &str, value: u8) {
        self.value = value;
    }

    #[concurrency_limit(3)]
    async fn generic<T: Into<u8> + Send>(&self, value: T) -> u8 {
        value.into()
    }
}

#[async_trait(?Send)]
trait Local {
    #[concurrency_limit(3)]
    async fn local(&self, (a, b): (u8, u8)) -> u8 {
        a + b
    }
}

impl Local for Memory {}

#[test]
fn boxed_trait_methods_return_what_they_would_without_a_limit() {
    run(async {
        let mut memory = Memory { value: 1, limiter: Limiter::new("boxed-traits", 1) };
        memory.nothing_returned().await;
        assert_eq!(memory.load("ab").await, Ok(3));
        assert!(memory.load("").await.is_err());
        assert_eq!(memory.load_both("a", "ab").await, Ok(5));
        memory.save("a", 5).await;
        assert_eq!(memory.generic(7).await, 7);
        assert_eq!(memory.local((1, 2)).await, 3);
        let store: &mut (dyn Local + Send) = &mut memory;
        assert_eq!(store.local((2, 2)).await, 4);
        assert_eq!(memory.value, 5);
    });
    let functions = ["load_both", "nothing_returned", "load", "generic", "local"];
    assert_limited(module_path!(), &functions);
}
