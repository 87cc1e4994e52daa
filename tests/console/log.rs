//! The console's log.

use crate::support::{Console, TOKEN};
use limit_console::Options;
use limit_runtime::Limiter;
use serde_json::json;
use std::fmt::Debug;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

const PART: &str = "CONSOLE_LOG_PART";

type Lines = Arc<Mutex<Vec<String>>>;

/// Keeps the events that the console logs.
struct Listener(Lines);

#[derive(Default)]
struct Line(Vec<String>);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push(format!("{}={value:?}", field.name()));
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "limit_console" && *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.0.join(" "));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Runs in a process of its own. `tracing` asks once for all whether anybody listens, at the first change of any
/// test.
#[test]
fn each_change_is_logged_with_who_has_made_it_and_what_is_refused_is_not() {
    if std::env::var_os(PART).is_none() {
        let program = std::env::current_exe().expect("the test knows its program");
        let test = "log::each_change_is_logged_with_who_has_made_it_and_what_is_refused_is_not";
        let output = Command::new(program).args([test, "--exact"]).env(PART, "1").output();
        let output = output.expect("the test can run itself");
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.contains("1 passed"), "{told}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(changes_are_logged());
}

async fn changes_are_logged() {
    let lines = Lines::default();
    let _listens = tracing::subscriber::set_default(Listener(Arc::clone(&lines)));
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
    let told = std::mem::take(&mut *lines.lock().expect("no panic"));
    assert_eq!(told, [line("limit", "5", "2"), line("shadow", "off", "on")]);

    let _ = Console::new(Options::new().private().writable(TOKEN));
    assert_eq!(lines.lock().expect("no panic")[..], [] as [&str; 0]);
    let _ = Console::new(Options::new().private());
    let told = std::mem::take(&mut *lines.lock().expect("no panic"));
    assert_eq!(told, ["message=the console is private and has no token: nobody can read"]);
}
