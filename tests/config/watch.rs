//! A file whose edits take effect. The tests wait for a thread that looks at a file: each waits until its
//! condition holds, however long that takes.

use crate::{limit, turn};
use limit_config::{Config, Watcher};
use limit_runtime::{Limiter, Source};
use std::fmt::Debug;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

pub(crate) const INTERVAL: Duration = Duration::from_millis(5);

/// Turns a hang into a failure. The conditions are sure to hold in the end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("limits.toml");
    fs::write(&path, text).expect("it can be written");
    (folder, path)
}

pub(crate) fn watch(path: &Path) -> Watcher {
    Config::watch(path).interval(INTERVAL).start().expect("the file is right")
}

/// Edits the file in one step. A write to the file itself empties it first, and the watch could see an empty
/// file if the test is stopped just then.
pub(crate) fn edit(path: &Path, text: impl AsRef<[u8]>) {
    let other = path.with_extension("new");
    fs::write(&other, text).expect("it is written");
    fs::rename(&other, path).expect("it takes the place of the other");
}

#[track_caller]
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn an_edit_takes_effect_while_the_program_is_under_load() {
    let _turn = turn();
    let limiter = Arc::new(Limiter::new("watch-load", 2));
    let _ = limiter.snapshot();
    let (_folder, path) = file("[watch-load]\nlimit = 3");
    let watcher = watch(&path);
    assert_eq!(watcher.applied().changes().len(), 1);
    let (stop, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    drop(futures::executor::block_on(limiter.acquire()));
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for edited in [7, 1, 5] {
            fs::write(&path, format!("[watch-load]\nlimit = {edited}")).expect("it is written");
            until("the edit takes effect", || limiter.limit() == Some(edited));
            let before = calls.load(Ordering::Relaxed);
            until("what came of it is told", || {
                let applied = watcher.applied();
                applied
                    .changes()
                    .last()
                    .is_some_and(|change| change.to_string().ends_with(&format!("-> {edited}")))
            });
            until("calls go on", || calls.load(Ordering::Relaxed) > before + 100);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(limit(&limiter.snapshot().settings), (5, Source::File));
    assert!(watcher.error().is_none());
    assert_eq!(limiter.snapshot().total.in_use, 0);
}

#[test]
fn a_broken_edit_changes_nothing_and_says_why_until_it_is_mended() {
    let _turn = turn();
    begin_log();
    let limiter = Limiter::new("watch-broken", 2);
    let _ = limiter.snapshot();
    let (_folder, path) = file("[watch-broken]\nlimit = 3");
    let watcher = watch(&path);
    let broken = [
        ("[watch-broken]\nlimit = 4\nlimt = 5", "limits.toml:3:1: unknown field `limt`"),
        ("[watch-broken\nlimit = 4", "limits.toml:1:14: "),
        ("[watch-broken]\nlimit = 4\nmax_waiting = 5", "limits.toml:3:1: `max_waiting` cannot"),
    ];
    for (text, message) in broken {
        edit(&path, text);
        until("it says why", || {
            watcher.error().is_some_and(|error| error.to_string().contains(message))
        });
        assert_eq!(limiter.limit(), Some(3), "{text:?}");
        let error = watcher.error().expect("it is not mended");
        let logged =
            format!("{error}; the whole file is not applied: the settings stay as they were");
        assert!(ERRORS.lock().expect("nobody has panicked").contains(&logged), "{logged}");
    }
    fs::remove_file(&path).expect("it is there");
    until("it says that the file is gone", || {
        watcher.error().is_some_and(|error| error.to_string().contains("cannot be read"))
    });
    assert_eq!(limiter.limit(), Some(3));
    edit(&path, "[watch-broken]\nlimit = 6");
    until("the mended file is applied", || limiter.limit() == Some(6));
    until("there is no error any more", || watcher.error().is_none());
}

#[test]
fn a_file_that_is_wrong_from_the_start_is_an_error() {
    let _turn = turn();
    let (folder, path) = file("[watch-start]\nlimit = no");
    let error = Config::watch(&path).start().expect_err("it is wrong").to_string();
    assert!(error.contains("limits.toml:2:9: "), "{error}");
    let missing = folder.path().join("missing.toml");
    let error = Config::watch(missing).start().expect_err("it is not there").to_string();
    assert!(error.contains("missing.toml: cannot be read: "), "{error}");
}

#[test]
fn a_watcher_that_is_dropped_looks_no_more_and_what_was_applied_stays() {
    let _turn = turn();
    let limiter = Limiter::new("watch-dropped", 2);
    let _ = limiter.snapshot();
    let (folder, path) = file("[watch-dropped]\nlimit = 3");
    drop(watch(&path));
    edit(&path, "[watch-dropped]\nlimit = 4");
    // Another watch, begun later, has looked twice: by then the first one would have looked, too.
    let other = folder.path().join("other.toml");
    edit(&other, "[watch-dropped]\nlimit = 3");
    let _other = watch(&other);
    edit(&other, "[watch-dropped]\nlimit = 5");
    until("the other's edit takes effect", || limiter.limit() == Some(5));
    edit(&other, "[watch-dropped]\nlimit = 6");
    until("the other's edit takes effect", || limiter.limit() == Some(6));
}

#[test]
fn a_file_may_be_in_another_format() {
    let _turn = turn();
    let limiter = Limiter::new("watch-json", 2);
    let _ = limiter.snapshot();
    let (_folder, path) = file(r#"{ "watch-json": { "limit": 3 } }"#);
    let watch = Config::watch(&path).interval(INTERVAL).format(|text| serde_json::from_str(text));
    let watcher = watch.start().expect("it is right");
    assert_eq!(limiter.limit(), Some(3));
    edit(&path, r#"{ "watch-json": { "limit": "3" } }"#);
    until("it says why", || watcher.error().is_some());
    let error = watcher.error().expect("there is one").to_string();
    assert!(error.contains("write a whole number") && error.contains("line 1"), "{error}");
}

#[test]
fn why_the_file_cannot_be_used_is_told_anew_when_it_changes() {
    let _turn = turn();
    let limiter = Limiter::new("watch-why", 2);
    let _ = limiter.snapshot();
    let (_folder, path) = file("[watch-why]\nlimit = 3");
    let watcher = watch(&path);
    let error_is = |message: &str| {
        until(message, || watcher.error().is_some_and(|error| error.to_string().contains(message)));
        assert_eq!(limiter.limit(), Some(3));
    };
    fs::remove_file(&path).expect("it is there");
    error_is("limits.toml: cannot be read: ");
    edit(&path, b"[watch-why]\nlimit = 4 # \xff");
    error_is("limits.toml:2:13: this is not UTF-8");
    fs::remove_file(&path).expect("it is there");
    fs::create_dir(&path).expect("its place is free");
    error_is("limits.toml: cannot be watched: it is a directory");
    fs::remove_dir(&path).expect("it is there");
    let other = path.with_extension("large");
    let large = fs::File::create(&other).expect("it can be made");
    large.set_len((16 << 20) + 1).expect("it is only said to be so large");
    fs::rename(&other, &path).expect("its place is free");
    error_is("larger than 16777216 bytes");
    edit(&path, "[watch-why]\r\nlimit = 5\r\n");
    until("the file in its place is applied", || limiter.limit() == Some(5));
    until("there is no error any more", || watcher.error().is_none());
}

#[test]
fn a_file_that_is_about_to_be_written_is_waited_for() {
    let _turn = turn();
    let limiter = Limiter::new("watch-empty", 2);
    let _ = limiter.snapshot();
    let (_folder, path) = file("[watch-empty]\nlimit = 3");
    let _watcher = watch(&path);
    for edited in [4, 5] {
        let before = limiter.snapshot().limit_changes.file;
        fs::write(&path, "").expect("it is written");
        // The thread sees the empty file in the meantime; if it does not, the test passes all the same.
        thread::sleep(Duration::from_millis(100));
        fs::write(&path, format!("[watch-empty]\nlimit = {edited}")).expect("it is written");
        until("the edit takes effect", || limiter.limit() == Some(edited));
        assert_eq!(limiter.snapshot().limit_changes.file, before + 1, "nothing is given up");
    }
}

#[test]
fn a_format_that_panics_does_not_end_the_watch() {
    let _turn = turn();
    let limiter = Limiter::new("watch-panics", 2);
    let _ = limiter.snapshot();
    let (_folder, path) = file("[watch-panics]\nlimit = 3");
    let watch = Config::watch(&path).interval(INTERVAL).format(|text| {
        assert!(!text.contains('!'), "no such thing");
        Config::from_toml(text)
    });
    let watcher = watch.start().expect("it is right");
    edit(&path, "!");
    until("it says why", || {
        watcher.error().is_some_and(|error| error.to_string().ends_with("reading it panicked"))
    });
    edit(&path, "[watch-panics]\nlimit = 4");
    until("the edit takes effect", || limiter.limit() == Some(4));
}

#[test]
fn an_edit_that_is_being_read_when_the_watcher_is_dropped_is_not_applied() {
    let _turn = turn();
    let limiter = Limiter::new("watch-late", 2);
    let _ = limiter.snapshot();
    let (_folder, path) = file("[watch-late]\nlimit = 3");
    let (reads, is_read) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let goes_on = Mutex::new(goes_on);
    let watch = Config::watch(&path).interval(INTERVAL).format(move |text| {
        if text.contains('4') {
            reads.send(()).expect("the test waits for it");
            // Until the test has dropped the watcher.
            let _ = goes_on.lock().expect("nobody has panicked").recv();
        }
        Config::from_toml(text)
    });
    let watcher = watch.start().expect("it is right");
    edit(&path, "[watch-late]\nlimit = 4");
    is_read.recv().expect("it is read");
    drop(watcher);
    drop(go_on);
    // The thread has ended when it has dropped the function that it reads with.
    assert!(is_read.recv().is_err());
    assert_eq!(limiter.limit(), Some(3));
}

#[test]
fn a_watcher_can_be_dropped_by_whom_an_edit_wakes() {
    struct Drops(Mutex<Option<Watcher>>, mpsc::Sender<()>);

    impl Wake for Drops {
        fn wake(self: Arc<Self>) {
            drop(self.0.lock().expect("nobody has panicked").take());
            self.1.send(()).expect("the test waits for it");
        }
    }

    let _turn = turn();
    let limiter = Limiter::new("watch-drops", 0);
    let (_folder, path) = file("");
    let (dropped, is_dropped) = mpsc::channel();
    let drops = Arc::new(Drops(Mutex::new(Some(watch(&path))), dropped));
    let waker = Waker::from(drops);
    let mut call = pin!(limiter.acquire());
    assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    edit(&path, "[watch-drops]\nlimit = 1");
    is_dropped.recv_timeout(PATIENCE).expect("it is not stuck");
    assert!(call.poll(&mut Context::from_waker(&waker)).is_ready());
}

#[test]
fn an_edit_is_applied_to_all_although_one_of_those_it_wakes_panics() {
    struct Panics;

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("in a waker");
        }
    }

    let _turn = turn();
    let limiters = ["watch-woken-1", "watch-woken-2"].map(|name| Limiter::new(name, 0));
    let waker = Waker::from(Arc::new(Panics));
    let mut calls = limiters.each_ref().map(|limiter| Box::pin(limiter.acquire()));
    for call in &mut calls {
        assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    let (_folder, path) = file("");
    let watcher = watch(&path);
    fs::write(&path, "[\"watch-woken-*\"]\nlimit = 1").expect("it is written");
    until("the edit takes effect", || limiters.iter().all(|limiter| limiter.limit() == Some(1)));
    until("it is told", || watcher.applied().changes().len() == 2);
    assert!(watcher.error().is_none());
    fs::write(&path, "[\"watch-woken-*\"]\nlimit = 2").expect("it is written");
    until("the next one does too", || limiters.iter().all(|limiter| limiter.limit() == Some(2)));
}

/// The log of all threads, set once for all tests of this file. It keeps the warnings and errors of the
/// watches, or panics.
struct Log;

/// Set while the log panics when a watch writes to it.
static PANICS: AtomicBool = AtomicBool::new(false);

static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

static ERRORS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn begin_log() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        tracing::subscriber::set_global_default(Log).expect("no other test file does");
    });
}

/// Returns the warnings of the watch of that file.
fn warnings(path: &Path) -> Vec<String> {
    let warnings = WARNINGS.lock().expect("nobody has panicked");
    let file = format!("{}: ", path.display());
    warnings.iter().filter_map(|warning| warning.strip_prefix(&file)).map(str::to_owned).collect()
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "limit_config"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Message(String);

        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }

        if thread::current().name() != Some("limits") {
            return;
        }
        assert!(!PANICS.load(Ordering::Relaxed), "there is no room");
        let kept = match *event.metadata().level() {
            Level::WARN => &WARNINGS,
            Level::ERROR => &ERRORS,
            _ => return,
        };
        let mut message = Message(String::new());
        event.record(&mut message);
        kept.lock().expect("nobody has panicked").push(message.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_log_that_panics_does_not_end_the_watch() {
    let _turn = turn();
    begin_log();
    let limiter = Limiter::new("watch-log", 2);
    let _ = limiter.snapshot();
    let (_folder, path) = file("[watch-log]\nlimit = 3");
    let watcher = watch(&path);
    PANICS.store(true, Ordering::Relaxed);
    for limit in [4, 5] {
        fs::write(&path, format!("[watch-log]\nlimit = {limit}")).expect("it is written");
        until("the edit takes effect", || limiter.limit() == Some(limit));
        until("it is told", || {
            let applied = watcher.applied();
            applied.to_string() == format!("watch-log: limit {} -> {limit}\n", limit - 1)
        });
    }
    PANICS.store(false, Ordering::Relaxed);
}

#[test]
fn an_error_of_a_limiter_that_is_used_later_names_the_file_and_the_line() {
    let _turn = turn();
    let (_folder, path) = file("[watch-unfit]\nlimit = 3\nmax_waiting = 4\n");
    let _watcher = watch(&path);
    let limiter = Limiter::new("watch-unfit", 1);
    let first = format!(
        "{}:3:1: `max_waiting` cannot be set for concurrency limit `watch-unfit`: ",
        path.display()
    );
    let warnings = limiter.snapshot().warnings;
    assert!(matches!(&*warnings, [warning] if warning.starts_with(&first)), "{warnings:?}");

    edit(&path, "[watch-unfit-2]\nmax_wait = \"1s\"\n[watch-unfit]\nlimit = 5\n");
    until("the edit takes effect", || limiter.limit() == Some(5));
    let other = Limiter::new("watch-unfit-2", 1);
    let second = format!("{}:2:1: `max_wait` cannot be set for", path.display());
    let warnings = other.snapshot().warnings;
    assert!(matches!(&*warnings, [warning] if warning.starts_with(&second)), "{warnings:?}");
}

#[test]
fn a_name_that_is_misspelt_is_warned_of_once_for_each_version_of_the_file() {
    const FIRST: &str =
        "no limiter named `watch-mispelt` is in use yet; did you mean `watch-misspelt`?";
    const SECOND: &str =
        "no limiter named `watch-secnd` is in use yet; did you mean `watch-second`?";
    let _turn = turn();
    begin_log();
    let (_folder, path) = file("[watch-mispelt]\nlimit = 3\n[watch-secnd]\nlimit = 3");
    let _watcher = watch(&path);
    assert_eq!(warnings(&path), [""; 0], "they are not in use yet");
    let first = Limiter::new("watch-misspelt", 1);
    let _ = first.snapshot();
    until("it warns", || warnings(&path) == [FIRST]);
    let second = Limiter::new("watch-second", 1);
    let _ = second.snapshot();
    // Warnings come in the order of the alphabet: a repeated warning of the first name would come before it.
    until("it warns of the other, too", || !warnings(&path)[1..].is_empty());
    assert_eq!(warnings(&path), [FIRST, SECOND]);
    edit(&path, "[watch-mispelt]\nlimit = 4\n[watch-second]\nlimit = 4");
    until("it warns of what is still wrong", || warnings(&path).len() == 3);
    assert_eq!(warnings(&path), [FIRST, SECOND, FIRST]);
    assert_eq!(second.limit(), Some(4));
}

#[test]
fn a_file_is_looked_at_as_often_as_its_watcher_was_told() {
    let _turn = turn();
    let limiter = Limiter::new("watch-often", 1);
    let _ = limiter.snapshot();
    let ((_rarely, rarely), (_often, often)) = (file(""), file("[watch-often]\nlimit = 2"));
    let read = Arc::new(AtomicU64::new(0));
    let reads = Arc::clone(&read);
    let count = move |text: &str| {
        reads.fetch_add(1, Ordering::Relaxed);
        Config::from_toml(text)
    };
    let an_hour = Duration::from_secs(3600);
    let _watchers = (
        Config::watch(&rarely).interval(an_hour).format(count).start().expect("it is right"),
        watch(&often),
    );
    edit(&rarely, "[watch-often]\nlimit = 100");
    // If the thread of the first looked as often as the other, it would have read its file by now.
    for edited in 3..10 {
        edit(&often, format!("[watch-often]\nlimit = {edited}"));
        until("the edit takes effect", || limiter.limit() == Some(edited));
    }
    assert_eq!(read.load(Ordering::Relaxed), 1, "when the watch began");
}

#[test]
fn the_shortest_interval_is_a_millisecond() {
    let watch = Config::watch("limits.toml").interval(Duration::ZERO);
    assert!(format!("{watch:?}").contains("interval: 1ms"), "{watch:?}");
}
