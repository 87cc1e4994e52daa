//! The limiters that a name in a configuration means.

use crate::{apply, turn};
use limit_config::Pending;
use limit_runtime::{Limiter, Source, concurrency_limit};
use std::time::Duration;

#[test]
fn the_closest_name_is_heard_setting_by_setting() {
    let _turn = turn();
    let charge = Limiter::new("names::payments::charge", 1).max_waiting(1);
    let refund = Limiter::new("names::payments::refund", 1).max_waiting(1);
    let other = Limiter::new("names::other", 1).max_waiting(1);
    apply(
        r#"
        ["names::payments::*"]
        limit = 5
        max_waiting = 50

        ["names::payments::charge"]
        limit = 7

        ["names::*"]
        limit = 3
        max_waiting = 30
        "#,
    );
    let settings = [&charge, &refund, &other].map(|limiter| {
        let settings = limiter.snapshot().settings;
        (settings.limit.value, settings.max_waiting.value)
    });
    assert_eq!(settings, [(7, Some(50)), (5, Some(50)), (3, Some(30))]);
}

#[test]
fn every_setting_is_that_of_the_closest_name_that_has_it() {
    let _turn = turn();
    let limiter = Limiter::new("closest::a", 1).max_waiting(1);
    // The order in the file, the alphabet and the number of stars decide nothing.
    apply(
        r#"
        ["closest::a*"]
        limit = 2
        max_waiting = 2
        max_wait = "2s"
        enabled = true
        shadow = false

        ["closest::a"]
        limit = 3
        max_waiting = 3
        max_wait = "3s"
        enabled = false
        "#,
    );
    let settings = limiter.snapshot().settings;
    assert_eq!((settings.limit.value, settings.max_waiting.value), (3, Some(3)));
    assert_eq!(settings.max_wait.value, Some(Duration::from_secs(3)));
    assert!(!settings.enabled.value);
    assert_eq!((settings.shadow.value, settings.shadow.source), (false, Source::File));

    apply("[\"closest::*\"]\nenabled = false\n[\"closest::a\"]\nlimit = 5");
    assert!(!limiter.snapshot().settings.enabled.value, "the closer one does not say");

    apply("[\"cl*\"]\nlimit = 6\n[\"c*********\"]\nlimit = 7");
    assert_eq!(limiter.limit(), Some(6));
    apply("[\"*********c*\"]\nlimit = 6\n[\"*cl*\"]\nlimit = 7");
    assert_eq!(limiter.limit(), Some(7));
}

#[test]
fn of_several_names_that_are_near_the_nearest_is_told() {
    let _turn = turn();
    let limiters = ["nearest-aaaa", "nearest-abbb"].map(|name| Limiter::new(name, 1));
    let _ = limiters.each_ref().map(Limiter::snapshot);
    let applied = apply("[nearest-aaax]\nlimit = 2");
    assert_eq!(applied.pending()[0].nearest(), Some("nearest-aaaa"));
}

#[test]
fn a_star_may_stand_anywhere() {
    let _turn = turn();
    let limiter = Limiter::new("names-star::a::read", 1);
    for (pattern, is_meant) in [
        ("*", true),
        ("names-star::*", true),
        ("names-star::*::read", true),
        ("*::read", true),
        ("*::write", false),
        ("names-star::a::read*", true),
        ("names-star::?::read", false),
        ("names-star", false),
    ] {
        apply(&format!("[\"{pattern}\"]\nlimit = 8"));
        let limit = limiter.snapshot().settings.limit.value;
        assert_eq!(limit, if is_meant { 8 } else { 1 }, "{pattern}");
    }
}

#[test]
fn a_name_that_means_nobody_is_pending_and_the_nearest_is_told() {
    let _turn = turn();
    let limiter = Limiter::new("names::download", 1);
    let _ = limiter.snapshot();
    let applied = apply(
        r#"
        ["names::dowload"]
        limit = 2
        ["quite-another"]
        limit = 2
        ["nobody::*"]
        limit = 2
        ["names::*"]
        limit = 2
        "#,
    );
    let pending: Vec<_> =
        applied.pending().iter().map(|pending| (pending.name(), pending.nearest())).collect();
    assert_eq!(
        pending,
        [("names::dowload", Some("names::download")), ("nobody::*", None), ("quite-another", None),]
    );
    assert_eq!(
        applied.pending()[0].to_string(),
        "no limiter named `names::dowload` is in use yet; did you mean `names::download`?"
    );
}

#[test]
fn of_a_name_whose_path_is_another_the_limiter_is_told_that_ends_like_it() {
    let _turn = turn();
    let limiter = Limiter::new("segments::payments::reserve", 1);
    let short = Limiter::new("segments::payments::get", 1);
    let _ = (limiter.snapshot(), short.snapshot());
    for (name, nearest) in [
        ("reserve", Some("segments::payments::reserve")),
        ("elsewhere::in_another_module::resrve", Some("segments::payments::reserve")),
        ("elsewhere::in_another_module::commit", None),
        ("elsewhere::in_another_module::get", None),
    ] {
        let applied = apply(&format!("[\"{name}\"]\nlimit = 2"));
        assert_eq!(applied.pending()[0].nearest(), nearest, "{name}");
    }
}

#[test]
fn a_limiter_that_the_file_names_is_not_meant_by_another_name() {
    let _turn = turn();
    let limiter = Limiter::new("shard-1", 1);
    let _ = limiter.snapshot();
    let applied = apply("[shard-1]\nlimit = 2\n[shard-2]\nlimit = 2");
    assert_eq!(applied.pending()[0].to_string(), "no limiter named `shard-2` is in use yet");
    assert_eq!(apply("[shard-2]\nlimit = 2").pending()[0].nearest(), Some("shard-1"));
}

#[test]
fn of_a_name_with_a_star_the_nearest_is_told_by_what_is_before_and_after_it() {
    let _turn = turn();
    let limiters =
        ["starred::orders::read", "starred::users::write"].map(|name| Limiter::new(name, 1));
    let _ = limiters.each_ref().map(Limiter::snapshot);
    for (pattern, nearest) in [
        ("stared::*", Some("starred::orders::read")),
        ("stared::users::*", Some("starred::users::write")),
        ("*::users::wrte", Some("starred::users::write")),
        ("starrde::u*::write", Some("starred::users::write")),
        ("quite-another::*", None),
        // One letter is similar to any other, and the text between two stars has no position.
        ("x*", None),
        ("stared::*::x*", None),
    ] {
        let applied = apply(&format!("[\"{pattern}\"]\nlimit = 2"));
        assert_eq!(applied.pending()[0].nearest(), nearest, "{pattern}");
    }
}

#[test]
fn of_very_many_names_that_mean_nobody_it_is_told_of_the_first_hundred() {
    let _turn = turn();
    let limiter = Limiter::new("very-many-000x", 1);
    let _ = limiter.snapshot();
    let tables: Vec<_> = (0..101).map(|n| format!("[very-many-{n:04}]\nlimit = 2")).collect();
    let applied = apply(&tables.join("\n"));
    let near = |pending: &Pending| pending.nearest().is_some();
    assert!(applied.pending()[..100].iter().all(near));
    assert!(!near(&applied.pending()[100]));
}

#[test]
fn a_name_that_two_functions_have_by_default_is_told_as_ambiguous() {
    struct First;
    struct Second;

    impl First {
        const LINE: u32 = line!() + 1;
        #[concurrency_limit(1)]
        async fn ambiguous() {}
    }

    impl Second {
        const LINE: u32 = line!() + 1;
        #[concurrency_limit(1)]
        async fn ambiguous() {}
    }

    let _turn = turn();
    let name = concat!(module_path!(), "::ambiguous");
    futures::executor::block_on(Second::ambiguous());
    assert_eq!(apply(&format!("[\"{name}\"]\nlimit = 7")).ambiguous(), [], "there is one so far");
    futures::executor::block_on(First::ambiguous());
    let applied = apply(&format!("[\"{name}\"]\nlimit = 7\n[\"{name}*\"]\nlimit = 3"));
    let [ambiguous] = applied.ambiguous() else { panic!("{applied:?}") };
    assert_eq!(ambiguous.name(), name, "a pattern means both of them, in whatever order");
    let lines = ambiguous.functions().map(|place| (place.file(), place.line()));
    assert_eq!(lines, [(file!(), First::LINE), (file!(), Second::LINE)]);
    let told = applied.to_string();
    assert!(told.contains(&ambiguous.to_string()) && told.contains("`name = "), "{told}");
}
