//! Log lines of the console.

use crate::support::Console;
use limit_runtime::Limiter;
use limit_tests::log::Listener;
use limit_tests::programs::is_alone;
use serde_json::json;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata};

type Lines = Arc<Mutex<Vec<String>>>;

#[derive(Default)]
struct Line(Vec<String>);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push(format!("{}={value:?}", field.name()));
    }
}

/// Runs in a process of its own: `tracing` asks once for all whether a subscriber listens, when the
/// first test changes a setting.
#[test]
fn each_change_is_logged_with_who_has_made_it_and_what_is_refused_is_not() {
    if !is_alone("log::each_change_is_logged_with_who_has_made_it_and_what_is_refused_is_not") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(changes_are_logged());
}

async fn changes_are_logged() {
    let lines = Lines::default();
    let kept = Arc::clone(&lines);
    let keep = move |event: &Event<'_>| {
        let mut line = Line::default();
        event.record(&mut line);
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(line.0.join(" "));
    };
    let is_change = |metadata: &Metadata<'_>| {
        metadata.target().starts_with("limit_runtime::console") && *metadata.level() <= Level::INFO
    };
    let _listens = tracing::subscriber::set_default(Listener::new(is_change, keep));
    let limiter = Limiter::new("log::changes", 5);
    drop(limiter.acquire().await);
    let console = Console::writable();
    console.set(json!({"name": "log::changes", "limit": 1, "max_waiting": 1})).await.error();
    assert_eq!(lines.lock().expect("no panic")[..], [] as [&str; 0]);
    let wanted = json!({"name": "log::changes", "limit": 2, "shadow": true, "by": "ops"});
    console.set(wanted).await.json();
    let line = |setting: &str, from: &str, to: &str| {
        format!(
            "message=changed by the console limiter=\"log::changes\" setting=\"{setting}\" \
             from=\"{from}\" to=\"{to}\" source=\"live\" by=\"ops\""
        )
    };
    let told = lines.lock().expect("no panic").clone();
    assert_eq!(told, [line("limit", "5", "2"), line("shadow", "off", "on")]);
}
