//! Values of settings, set through a handle.

use limit_runtime::settings::{SettingKind, SettingValue, SettingValues, ValueType};
use limit_runtime::{Limiter, LimiterHandle, Source, find};
use limit_tests::polling::{let_in, permit, refused, waiter};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A value for each setting, in the order of the settings.
const VALUES: [(SettingKind, SettingValue); SettingKind::ALL.len()] = [
    (SettingKind::Limit, SettingValue::Count(4)),
    (SettingKind::MaxWaiting, SettingValue::Count(5)),
    (SettingKind::MaxWaitingTotal, SettingValue::Count(6)),
    (SettingKind::MaxWait, SettingValue::Duration(SECOND)),
    (SettingKind::ClaimWithin, SettingValue::Duration(SECOND.saturating_mul(2))),
    (SettingKind::Enabled, SettingValue::Switch(false)),
    (SettingKind::Shadow, SettingValue::Switch(true)),
];

fn values(all: &[(SettingKind, SettingValue)]) -> SettingValues {
    let mut values = SettingValues::default();
    for &(kind, value) in all {
        values.set(kind, value).expect("it has the setting's type");
    }
    values
}

/// Returns the handle of a limiter that it uses.
fn handle<E: limit_runtime::Admission, K>(limiter: &Limiter<E, K>) -> LimiterHandle {
    drop(limiter.snapshot());
    find(limiter.name()).expect("it is in use")
}

#[test]
fn each_setting_has_a_value_of_its_own_type_and_of_no_other() {
    assert_eq!(VALUES.map(|(kind, _)| kind), SettingKind::ALL);
    let others =
        [SettingValue::Count(1), SettingValue::Duration(SECOND), SettingValue::Switch(true)];
    for (kind, value) in VALUES {
        let is_alike =
            |other: &SettingValue| std::mem::discriminant(other) == std::mem::discriminant(&value);
        for other in others {
            let mut values = SettingValues::default();
            values.set(kind, value).expect("it has the setting's type");
            let set = values.set(kind, other);
            assert_eq!(set.is_ok(), is_alike(&other), "{kind} = {other}");
            let expected = if is_alike(&other) { other } else { value };
            assert_eq!(values.get(kind), Some(expected), "what is wrong is not set");
        }
    }
    let wrong = SettingValues::default().set(SettingKind::Limit, SettingValue::Switch(true));
    assert_eq!(
        wrong.expect_err("it is no number").to_string(),
        "`limit` cannot be `true`: it is a whole number from 0 to 2147483647, or a range of them from 1, \
         such as `4..=200`",
    );
    let wrong = SettingValues::default().set(SettingKind::MaxWait, SettingValue::Count(3));
    let wrong = wrong.expect_err("it has no unit").to_string();
    assert_eq!(wrong, "`max_wait` cannot be `3`: it is a span of time");
    let wrong = SettingValues::default().set(SettingKind::Shadow, SettingValue::Duration(SECOND));
    let wrong = wrong.expect_err("it is no switch").to_string();
    assert_eq!(wrong, "`shadow` cannot be `1s`: it is `true` or `false`");
}

#[test]
fn a_count_above_the_largest_is_the_largest_or_no_bound() {
    for &kind in SettingKind::ALL {
        let ValueType::Count { most } = kind.value_type() else { continue };
        let above = if kind.can_be_unbounded() { most + 1 } else { most };
        for (count, expected) in
            [(0, 0), (most - 1, most - 1), (most, most), (most + 1, above), (usize::MAX, above)]
        {
            let set = values(&[(kind, SettingValue::Count(count))]).get(kind);
            assert_eq!(set, Some(SettingValue::Count(expected)), "{kind}");
        }
    }
    let limiter = Limiter::new("values-largest", 1).max_waiting(1);
    let largest = values(&[
        (SettingKind::Limit, SettingValue::Count(usize::MAX)),
        (SettingKind::MaxWaiting, SettingValue::Count(usize::MAX)),
    ]);
    handle(&limiter).apply(&largest).expect("it supports both");
    let settings = limiter.snapshot().settings;
    assert_eq!(settings.limit.value, Limiter::MAX_LIMIT);
    assert_eq!(settings.get(SettingKind::MaxWaiting).value, None, "there is no bound");
}

#[test]
fn a_time_to_claim_a_grant_is_above_zero_and_the_longest_is_no_bound() {
    let claim_within = SettingKind::ClaimWithin;
    assert_eq!(claim_within.value_type(), ValueType::DurationOrNever);
    let mut wanted = values(&[(claim_within, SettingValue::Duration(SECOND))]);
    let wrong = wanted.set(claim_within, SettingValue::Duration(Duration::ZERO));
    let wrong = wrong.expect_err("no call is so quick");
    assert_eq!(
        wrong.to_string(),
        "`claim_within` cannot be `0ns`: it is a span of time above zero, or `never`",
    );
    assert_eq!(wanted.get(claim_within), Some(SettingValue::Duration(SECOND)), "it is as it was");

    let limiter = Limiter::new("values-claim-within", 1);
    wanted.set(claim_within, SettingValue::Duration(Duration::MAX)).expect("it is the longest");
    handle(&limiter).apply(&wanted).expect("any limiter");
    let setting = limiter.snapshot().settings.get(claim_within);
    assert_eq!((setting.value, setting.source), (None, Source::Live), "there is no bound");
}

#[test]
fn each_setting_is_found_by_its_name() {
    for &kind in SettingKind::ALL {
        assert_eq!(SettingKind::from_name(kind.name()), Some(kind));
        assert_eq!(format!("{kind:>12}"), format!("{:>12}", kind.name()));
        assert!(kind.description().ends_with('.'), "{kind}");
    }
    for name in ["", "Limit", "limits", "total"] {
        assert_eq!(SettingKind::from_name(name), None);
    }
}

#[test]
fn values_are_listed_in_order_overridden_and_taken_out() {
    let mut all = values(&[]);
    assert!(all.is_empty());
    for &(kind, value) in VALUES.iter().rev() {
        all.set(kind, value).expect("it has the setting's type");
    }
    assert_eq!(all.iter().collect::<Vec<_>>(), VALUES);
    let mut few = values(&VALUES[..2]);
    let others = [
        (SettingKind::MaxWaiting, SettingValue::Count(9)),
        (SettingKind::Enabled, SettingValue::Switch(true)),
    ];
    few.override_with(&values(&others));
    assert_eq!(few.iter().collect::<Vec<_>>(), [VALUES[0], others[0], others[1]]);
    few.unset(SettingKind::MaxWaiting);
    few.unset(SettingKind::Shadow);
    assert_eq!(few.iter().collect::<Vec<_>>(), [VALUES[0], others[1]]);
    assert_eq!(few.get(SettingKind::MaxWaiting), None);
}

#[test]
fn a_handle_applies_all_values_and_shows_them() {
    let limiter = Limiter::new("values-applied", 1).max_waiting(0).keyed();
    let handle = handle(&limiter);
    assert!(handle.live_values().is_empty());
    handle.apply(&values(&VALUES)).expect("its calls can be refused");
    assert_eq!(handle.live_values(), values(&VALUES));
    let settings = handle.settings();
    assert_eq!(settings, limiter.snapshot().settings);
    let shown: Vec<_> = settings.iter().collect();
    for ((kind, setting), (expected, value)) in shown.into_iter().zip(VALUES) {
        assert_eq!((kind, setting.source), (expected, Source::Live));
        assert_eq!(setting.value, Some(value));
    }
    // A later value overrides its setting, and leaves the other settings.
    handle.apply(&values(&[(SettingKind::Limit, SettingValue::Count(2))])).expect("any limiter");
    assert_eq!(handle.live_values().get(SettingKind::Limit), Some(SettingValue::Count(2)));
    assert_eq!(handle.live_values().iter().count(), VALUES.len());
    handle.apply(&SettingValues::default()).expect("it is nothing");
    assert_eq!(handle.live_values().iter().count(), VALUES.len());
}

#[test]
fn a_handle_applies_all_values_or_none() {
    let limiter = Limiter::new("values-none", 1);
    let (handle, held) = (handle(&limiter), permit(&limiter));
    handle.set_limit(2);
    let before = (handle.live_values(), handle.snapshot());
    let (supported, unsupported): (Vec<_>, Vec<_>) =
        VALUES.into_iter().partition(|value| handle.supports(&values(&[*value])).is_ok());
    assert!(unsupported.iter().any(|(kind, _)| *kind == SettingKind::MaxWaiting));
    for value in unsupported {
        let wanted: Vec<_> = supported.iter().copied().chain([value]).collect();
        let error = handle.apply(&values(&wanted)).expect_err("its calls cannot be refused");
        assert_eq!((error.limiter(), error.setting()), ("values-none", value.0.name()));
        assert_eq!((handle.live_values(), handle.snapshot()), before);
    }
    drop(held);
}

#[test]
fn a_handle_takes_back_one_setting() {
    let limiter = Limiter::new("values-unset", 3).max_waiting(0).keyed();
    let handle = handle(&limiter);
    handle.apply(&values(&VALUES)).expect("its calls can be refused");
    let mut left: Vec<_> = VALUES.into();
    for (kind, value) in VALUES {
        assert_eq!(handle.settings().get(kind).value, Some(value));
        handle.unset(kind);
        assert_eq!(handle.settings().get(kind).source, Source::Attribute);
        left.retain(|(one, _)| *one != kind);
        assert_eq!(handle.live_values(), values(&left));
        handle.unset(kind);
    }
    assert_eq!(
        limiter.snapshot().settings,
        Limiter::new("values-as", 3).max_waiting(0).keyed().snapshot().settings
    );
    assert_eq!(limiter.snapshot().limit_changes.live, 2, "there and back");
}

#[test]
fn taking_back_a_setting_takes_effect_at_once() {
    let limiter = Limiter::new("values-effect", 1).max_waiting(1);
    let handle = handle(&limiter);
    let held = let_in(limiter.acquire());
    handle.set_max_waiting(0).expect("its calls can be refused");
    refused(limiter.acquire());
    handle.unset(SettingKind::MaxWaiting);
    let mut waits = waiter(limiter.acquire());
    handle.set_limit(0);
    drop(held);
    assert!(!waits.is_woken());
    handle.unset(SettingKind::Limit);
    drop(limit_tests::polling::served(&mut waits).expect("a permit is free"));
}

#[test]
fn values_of_a_limiter_that_was_dropped_stay_as_they_were() {
    let limiter = Limiter::new("values-dropped", 1);
    let handle = handle(&limiter);
    handle.set_limit(4);
    drop(limiter);
    handle.apply(&values(&[(SettingKind::Limit, SettingValue::Count(9))])).expect("any limiter");
    handle.unset(SettingKind::Limit);
    assert_eq!(handle.live_values().get(SettingKind::Limit), Some(SettingValue::Count(4)));
}
