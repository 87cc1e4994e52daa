//! Sources of settings. A source is in force for the whole process, so that each test has its own.

use limit_runtime::settings::{SettingKind, SettingValue, SettingValues, SettingsSource, install};
use limit_runtime::{Limiter, Rejected, Source, Unsupported, concurrency_limit, find};
use limit_tests::polling::{assert_waits, at_once, let_in, permit, refused, served, waiter};
use limit_tests::programs::is_alone_with;
use limit_tests::runtimes::one_thread;
use limit_tests::watchdog::PATIENCE;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Runs `part` in a process in which no other test installs a source.
fn alone(test: &str, part: fn()) {
    let prepare = |command: &mut std::process::Command| {
        command.env("LIMIT_SOURCES_VARIABLE", "7");
    };
    if is_alone_with(&format!("settings::sources::{test}"), prepare) {
        part();
    }
}

/// A source that is a function.
struct Says<F>(F);

impl<F: Fn(&str) -> SettingValues + Send + Sync + 'static> SettingsSource for Says<F> {
    fn values(&self, limiter: &str) -> SettingValues {
        self.0(limiter)
    }
}

/// Puts a function in force.
fn say(values: impl Fn(&str) -> SettingValues + Send + Sync + 'static) -> Result<(), Unsupported> {
    install(Says(values))
}

fn values<const N: usize>(all: [(SettingKind, SettingValue); N]) -> SettingValues {
    let mut values = SettingValues::default();
    for (kind, value) in all {
        values.set(kind, value).expect("it has the setting's type");
    }
    values
}

fn limit_of(limit: usize) -> SettingValues {
    values([(SettingKind::Limit, SettingValue::Count(limit))])
}

fn limit<E: limit_runtime::Admission, K>(limiter: &Limiter<E, K>) -> (usize, Source) {
    let limit = limiter.snapshot().settings.limit;
    (limit.value, limit.source)
}

#[concurrency_limit(5, name = "sources-function", max_waiting = 2)]
async fn limited() -> Result<(), Rejected> {
    tokio::task::yield_now().await;
    Ok(())
}

#[test]
fn a_source_is_in_force_for_limiters_in_use_and_to_come() {
    alone("a_source_is_in_force_for_limiters_in_use_and_to_come", || {
        let in_use = Limiter::new("sources-in-use", 5).max_waiting(3);
        drop(let_in(in_use.acquire()));
        let looked_at = Limiter::new("sources-to-come", 5).max_waiting(3);
        assert_eq!(looked_at.limit(), Some(5));
        let long = Duration::from_secs(9);
        say(move |_| {
            values([
                (SettingKind::Limit, SettingValue::Count(1)),
                (SettingKind::MaxWaiting, SettingValue::Count(0)),
                (SettingKind::MaxWait, SettingValue::Duration(long)),
            ])
        })
        .expect("all limiters support it");
        assert_eq!(looked_at.limit(), Some(5), "looking asks no source");

        let (runtime, other) = (one_thread(), one_thread());
        for limiter in [&in_use, &looked_at] {
            let settings = limiter.snapshot().settings;
            assert_eq!((settings.limit.value, settings.limit.source), (1, Source::File));
            assert_eq!(settings.max_waiting.value, Some(0));
            assert_eq!(
                (settings.max_wait.value, settings.max_wait.source),
                (Some(long), Source::File)
            );
            assert_eq!(settings.enabled.source, Source::Attribute, "the source says nothing");
            for runtime in [&runtime, &other] {
                runtime.block_on(async {
                    let held = let_in(limiter.acquire());
                    refused(limiter.acquire());
                    drop(held);
                });
            }
            assert_eq!(limiter.snapshot().limit_changes.file, 1);
        }
        let mut call = waiter(limited());
        refused(limited());
        served(&mut call).expect("it was admitted");
    });
}

#[test]
fn a_source_that_one_limiter_does_not_support_changes_nothing() {
    alone("a_source_that_one_limiter_does_not_support_changes_nothing", || {
        say(|_| limit_of(4)).expect("every limiter supports a limit");
        let able = Limiter::new("sources-able", 1).max_waiting(3);
        let unable = Limiter::new("sources-unable", 1);
        let able_too = Limiter::new("sources-able-too", 1).max_waiting(3);
        drop((able.snapshot(), unable.snapshot(), able_too.snapshot()));
        let both = || {
            values([
                (SettingKind::Limit, SettingValue::Count(2)),
                (SettingKind::MaxWaiting, SettingValue::Count(1)),
            ])
        };
        let unsupported = say(move |_| both()).expect_err("one does not support it");
        let about = (unsupported.limiter(), unsupported.setting());
        assert_eq!(about, ("sources-unable", "max_waiting"));
        for limiter in [&able, &able_too] {
            assert_eq!(limit(limiter), (4, Source::File));
            assert_eq!(limiter.snapshot().settings.max_waiting.value, Some(3));
        }
        assert_eq!(limit(&unable), (4, Source::File));
        let to_come = Limiter::new("sources-to-come", 1).max_waiting(3);
        assert_eq!(limit(&to_come), (4, Source::File), "the former source is in force still");
        assert!(unable.snapshot().warnings.is_empty());

        // When that limiter is gone, all support it.
        drop(unable);
        say(move |_| both()).expect("all support it");
        assert_eq!([limit(&able), limit(&to_come)], [(2, Source::File); 2]);
    });
}

#[test]
fn a_limiter_to_come_leaves_out_what_it_does_not_support_and_says_so() {
    alone("a_limiter_to_come_leaves_out_what_it_does_not_support_and_says_so", || {
        say(|_| {
            values([
                (SettingKind::Limit, SettingValue::Count(2)),
                (SettingKind::MaxWait, SettingValue::Duration(Duration::ZERO)),
                (SettingKind::Shadow, SettingValue::Switch(false)),
            ])
        })
        .expect("no limiter is in use");
        let plain = Limiter::new("sources-plain", 1);
        let shadow = Limiter::new("sources-shadow", 1).shadow();
        assert_eq!([limit(&plain), limit(&shadow)], [(2, Source::File); 2]);
        let settings = plain.snapshot().settings;
        assert_eq!((settings.max_wait.value, settings.shadow.source), (None, Source::File));
        let warnings = plain.snapshot().warnings;
        let [warning] = &*warnings else { panic!("{warnings:?}") };
        let expected = "`max_wait` cannot be set for concurrency limit `sources-plain`";
        assert!(warning.starts_with(expected), "{warning}");
        assert_eq!(shadow.snapshot().warnings.len(), 2, "{:?}", shadow.snapshot().warnings);
        assert!(shadow.snapshot().settings.shadow.value, "it stays one");
        let mut waits = (permit(&plain), permit(&plain), waiter(plain.acquire())).2;
        drop(served(&mut waits));
    });
}

#[test]
fn a_later_source_replaces_the_former_one() {
    alone("a_later_source_replaces_the_former_one", || {
        let limiters = ["sources-first", "sources-second"].map(|name| Limiter::new(name, 1));
        let first = |name: &str| match name {
            "sources-first" => values([
                (SettingKind::Limit, SettingValue::Count(3)),
                (SettingKind::Enabled, SettingValue::Switch(false)),
            ]),
            _ => SettingValues::default(),
        };
        say(first).expect("all support it");
        let limits = || limiters.each_ref().map(limit);
        assert_eq!(limits(), [(3, Source::File), (1, Source::Attribute)]);
        assert!(!limiters[0].snapshot().settings.enabled.value);

        // The later source says nothing of the first limiter: the code's values hold again.
        say(|name| if name == "sources-second" { limit_of(4) } else { SettingValues::default() })
            .expect("all support it");
        assert_eq!(limits(), [(1, Source::Attribute), (4, Source::File)]);
        let enabled = limiters[0].snapshot().settings.enabled;
        assert_eq!((enabled.value, enabled.source), (true, Source::Attribute));
        assert_eq!(limiters.each_ref().map(|one| one.snapshot().limit_changes.file), [2, 1]);

        say(|_| SettingValues::default()).expect("it says nothing");
        assert_eq!(limits(), [(1, Source::Attribute); 2]);
        assert_eq!(limit(&Limiter::new("sources-first#2", 1)), (1, Source::Attribute));
    });
}

#[test]
fn a_file_gives_way_to_the_environment_and_that_to_a_change_while_running() {
    alone("a_file_gives_way_to_the_environment_and_that_to_a_change_while_running", || {
        assert_eq!(
            Source::ALL,
            [Source::Attribute, Source::File, Source::Environment, Source::Live],
            "the weakest first"
        );
        assert!(Source::ALL.is_sorted());
        let limiter = Limiter::new("sources variable", 1);
        let other = Limiter::new("sources-no-variable", 1);
        assert_eq!(limit(&limiter), (7, Source::Environment));
        say(|_| limit_of(3)).expect("all support it");
        assert_eq!([limit(&limiter), limit(&other)], [(7, Source::Environment), (3, Source::File)]);
        let both = [&limiter, &other];
        for limiter in both {
            limiter.set_limit(9);
        }
        assert_eq!(both.map(limit), [(9, Source::Live); 2]);
        say(|_| limit_of(4)).expect("all support it");
        assert_eq!(both.map(limit), [(9, Source::Live); 2]);
        for limiter in both {
            limiter.reset();
        }
        assert_eq!(both.map(limit), [(7, Source::Environment), (4, Source::File)]);
        drop(limiter);
        let next = Limiter::new("sources variable", 1);
        assert_eq!(limit(&next), (7, Source::Environment), "also of one that comes after the file");
        say(|_| SettingValues::default()).expect("it says nothing");
        assert_eq!(
            [limit(&next), limit(&other)],
            [(7, Source::Environment), (1, Source::Attribute)]
        );
    });
}

#[test]
fn a_source_that_raises_a_limit_admits_calls_that_wait_in_all_runtimes() {
    alone("a_source_that_raises_a_limit_admits_calls_that_wait_in_all_runtimes", || {
        let limiter = Limiter::new("sources-raised", 1);
        let runtimes = [one_thread(), one_thread()];
        let calls = runtimes.each_ref().map(|runtime| {
            runtime.block_on(async {
                (permit(&limiter), waiter(limiter.acquire()), waiter(limiter.acquire()))
            })
        });
        say(|_| limit_of(2)).expect("all support it");
        for (held, mut next, mut last) in calls {
            let next = served(&mut next);
            assert_waits(&mut last);
            drop(held);
            drop(served(&mut last));
            drop(next);
        }
    });
}

#[test]
fn a_source_may_use_limiters() {
    alone("a_source_may_use_limiters", || {
        static ASKED: AtomicUsize = AtomicUsize::new(0);

        let limiter = Limiter::new("sources-asked-0", 2);
        drop(permit(&limiter));
        say(|name| {
            ASKED.fetch_add(1, Ordering::SeqCst);
            // The limiter that it is asked about, and one that is used for the first time.
            let snapshot = find(name).expect("it is on the list").snapshot();
            let number = name.strip_prefix("sources-asked-").and_then(|text| text.parse().ok());
            if let Some(next) = number.map(|number: usize| number + 1).filter(|next| *next < 4) {
                drop(permit(&Limiter::named(format!("sources-asked-{next}"), 2)));
            }
            #[cfg(feature = "inspect")]
            assert_eq!(
                limit_runtime::limiters().len(),
                limit_runtime::inspect::inventory().limiters.len()
            );
            limit_of(snapshot.total.limit.max(3))
        })
        .expect("all support it");
        assert_eq!(limit(&limiter), (3, Source::File));
        assert!(ASKED.load(Ordering::SeqCst) >= 4);
        let fresh = Limiter::new("sources-asked-3", 2);
        assert_eq!(limit(&fresh), (3, Source::File));
    });
}

#[test]
fn a_source_that_is_replaced_while_it_is_asked_does_not_override_the_later_one() {
    alone("a_source_that_is_replaced_while_it_is_asked_does_not_override_the_later_one", || {
        say(|name| {
            if name == "sources-overtaken" {
                say(|_| limit_of(4)).expect("all support it");
            }
            limit_of(3)
        })
        .expect("no limiter is in use");
        let limiter = Limiter::new("sources-overtaken", 1);
        assert_eq!(limit(&limiter), (4, Source::File));
        assert_eq!(limiter.snapshot().limit_changes.file, 1);
        assert_eq!(limit(&Limiter::new("sources-next", 1)), (4, Source::File));
    });
}

#[test]
fn a_source_whose_waiters_panic_is_in_force_for_all_limiters() {
    alone("a_source_whose_waiters_panic_is_in_force_for_all_limiters", || {
        let limiters: Vec<_> =
            (0..5).map(|number| Limiter::named(format!("sources-panics-{number}"), 1)).collect();
        let held: Vec<_> = limiters.iter().map(permit).collect();
        let mut waiting: Vec<_> = limiters.iter().map(|limiter| limiter.acquire()).collect();
        let waker = limit_tests::wakers::panicking();
        let mut context = std::task::Context::from_waker(&waker);
        for call in &mut waiting {
            assert!(std::pin::Pin::new(call).poll(&mut context).is_pending());
        }
        let installed = std::panic::catch_unwind(|| say(|_| limit_of(2)));
        assert!(installed.is_err(), "the waker's panic goes on");
        for limiter in &limiters {
            assert_eq!((limiter.limit(), limiter.snapshot().total.waiting), (Some(2), 0));
        }
        drop((held, waiting));
        assert_eq!(limit(&Limiter::new("sources-after", 1)), (2, Source::File));
    });
}

#[test]
fn a_limiter_that_is_first_used_while_a_source_is_put_in_force_has_its_values() {
    alone("a_limiter_that_is_first_used_while_a_source_is_put_in_force_has_its_values", || {
        static LATE: Limiter = Limiter::new("sources-late", 1);

        let early = Limiter::new("sources-early", 1).max_waiting(1);
        drop(early.snapshot());
        say(|name| {
            // The source is asked about this limiter before it is in force: the other one is used then.
            if name == "sources-early" {
                drop(permit(&LATE));
            }
            values([
                (SettingKind::Limit, SettingValue::Count(3)),
                (SettingKind::MaxWaiting, SettingValue::Count(2)),
            ])
        })
        .expect("the limiters in use support it");
        assert_eq!([limit(&LATE), limit(&early)], [(3, Source::File); 2]);
        assert_eq!(early.snapshot().settings.max_waiting.value, Some(2));
        assert_eq!(LATE.snapshot().settings.max_waiting.value, None);
        assert_eq!(LATE.snapshot().warnings.len(), 1, "it leaves out what it does not support");
    });
}

#[test]
fn a_limiter_that_was_dropped_is_not_asked_about() {
    alone("a_limiter_that_was_dropped_is_not_asked_about", || {
        let limiter = Limiter::new("sources-gone", 1);
        drop(at_once(limiter.acquire()));
        let handle = find("sources-gone").expect("it is in use");
        drop(limiter);
        say(|name| if name == "sources-gone" { unreachable!() } else { SettingValues::default() })
            .expect("no limiter is in use");
        assert_eq!(handle.settings().limit.source, Source::Attribute);
    });
}

#[test]
fn a_source_that_uses_the_limiter_it_is_asked_about_panics() {
    alone("a_source_that_uses_the_limiter_it_is_asked_about_panics", || {
        static LIMITER: Limiter = Limiter::new("sources-itself", 1);

        say(|name| {
            if name == "sources-itself" {
                drop(LIMITER.try_acquire());
            }
            SettingValues::default()
        })
        .expect("no limiter is in use");
        let (done, is_done) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let panic = std::panic::catch_unwind(|| drop(LIMITER.try_acquire()));
            done.send(panic).expect("the test waits");
        });
        let panic = is_done.recv_timeout(PATIENCE).expect("it does not wait for itself");
        let panic = panic.expect_err("it would wait for itself");
        let message = panic.downcast_ref::<String>().expect("a message");
        assert!(message.contains("uses concurrency limiter `sources-itself`"), "{message}");
        assert!(find("sources-itself").is_none());
        say(|_| limit_of(2)).expect("no limiter is in use");
        assert_eq!(limit(&LIMITER), (2, Source::File), "the next use asks again");
    });
}

#[test]
fn a_limiter_whose_source_panics_is_not_listed_and_asks_again() {
    alone("a_limiter_whose_source_panics_is_not_listed_and_asks_again", || {
        static ASKED: AtomicUsize = AtomicUsize::new(0);

        say(|_| match ASKED.fetch_add(1, Ordering::SeqCst) {
            0 => panic!("the source panics"),
            _ => limit_of(3),
        })
        .expect("no limiter is in use");
        let limiter = Limiter::new("sources-flaky", 1);
        let use_it = std::panic::AssertUnwindSafe(|| drop(limiter.try_acquire()));
        std::panic::catch_unwind(use_it).expect_err("the source's panic goes on");
        assert!(limit_runtime::limiters().is_empty());
        assert_eq!(limit(&limiter), (3, Source::File));
        let names: Vec<_> =
            limit_runtime::limiters().iter().map(|one| one.name().to_owned()).collect();
        assert_eq!(names, ["sources-flaky"], "its name is not taken by itself");
    });
}
