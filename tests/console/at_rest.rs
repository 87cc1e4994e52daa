//! The stream of a program with very many limiters while nothing happens.

use crate::stream::Stream;
use crate::support::Console;
use futures::poll;
use limit_runtime::Limiter;
use limit_tests::programs::is_alone;
use serde_json::Value;

const LIMITERS: usize = 10_000;
const WAITING: usize = 200;

/// Returns the number of rows in a message.
fn rows(message: &Value) -> usize {
    message["limiters"].as_array().map_or(0, Vec::len)
}

#[test]
fn stream_of_ten_thousand_limiters_at_rest_is_thin() {
    if !is_alone("at_rest::stream_of_ten_thousand_limiters_at_rest_is_thin") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        #[cfg(feature = "diagnostics")]
        limit_runtime::diagnostics::record(true);
        let limiters: Vec<_> =
            (0..LIMITERS).map(|n| Limiter::named(format!("at_rest::{n:05}"), 1)).collect();
        let (mut held, mut waiting) = (Vec::new(), Vec::new());
        for (n, limiter) in limiters.iter().enumerate() {
            let permit = limiter.acquire().await;
            if n < WAITING {
                held.push(permit);
                waiting.push(Box::pin(limiter.acquire()));
            }
        }
        for waiter in &mut waiting {
            assert!(poll!(waiter).is_pending());
        }
        // By the clock of the system, as the ages are.
        let console = Console::read_only();
        let mut stream = Stream::open(&console, "/api/stream").await;
        let (_, all) = stream.next().await;
        assert_eq!(rows(&all), LIMITERS);
        // A browser gets the same in a small part of the bytes.
        let mut compressed = Stream::open_compressed(&console, "/api/stream").await;
        let (_, same) = compressed.next().await;
        assert_eq!(rows(&same), LIMITERS);
        let (plain, compressed) = (stream.arrived, compressed.arrived);
        assert!(compressed < 400_000, "{compressed} bytes of {plain}");
        // The rates go back to 0, and calls that wait begin to be stalled.
        for _ in 0..5 {
            stream.next().await;
        }

        let mut sent = 0;
        for _ in 0..5 {
            let (kind, changes) = stream.next().await;
            assert_eq!(kind, "changes");
            sent += changes.to_string().len();
        }
        // An age may seem to jump when the machine stands still for half a second.
        assert!(sent <= 5 * 50_000, "{sent} bytes in five readings");

        // The ages have grown all the same.
        let row = console.row("at_rest::00000").await;
        for age in ["oldest_wait", "stalled", "p99"] {
            assert!(row[age].as_f64().is_some_and(|age| age >= 4.0), "{age}: {row:#}");
        }
        // Another thing that waits is told.
        drop(waiting.swap_remove(0));
        stream.until(|message| rows(message) > 0).await;
    });
}
