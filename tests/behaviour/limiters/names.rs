//! Names that several limiters have in common.

use limit_runtime::{Limiter, concurrency_limit, find};
use limit_tests::polling::permit;
use std::collections::{HashSet, VecDeque};
use tokio_test::task;

/// Makes a limiter and uses it.
fn used(name: &str) -> Limiter {
    let limiter = Limiter::named(name.to_owned(), 1);
    drop(permit(&limiter));
    limiter
}

#[test]
fn the_smallest_number_that_is_free_is_used_again() {
    let name = "names-smallest";
    let mut limiters: Vec<_> = (0..6).map(|_| used(name)).collect();
    let names = |limiters: &[Limiter]| -> Vec<String> {
        let numbers = limiters.iter().map(|limiter| limiter.name().replacen(name, "", 1));
        numbers.collect()
    };
    assert_eq!(names(&limiters), ["", "#2", "#3", "#4", "#5", "#6"]);
    // Drops limiters from the middle, in no order.
    for number in [4, 1, 2] {
        drop(limiters.remove(number));
    }
    assert_eq!(names(&limiters), ["", "#3", "#6"]);
    limiters.extend((0..4).map(|_| used(name)));
    assert_eq!(names(&limiters), ["", "#3", "#6", "#2", "#4", "#5", "#7"]);
    drop(limiters.remove(0));
    limiters.push(used(name));
    assert_eq!(limiters[6].name(), name, "none is the smallest number");
}

#[test]
fn a_name_that_looks_like_a_number_of_another_is_passed_over_and_free_again_later() {
    let name = "names-looks-like";
    let third = used("names-looks-like#3");
    let numbered: Vec<_> = (0..3).map(|_| used(name)).collect();
    let names: Vec<_> = numbered.iter().map(Limiter::name).collect();
    assert_eq!(names, [name, "names-looks-like#2", "names-looks-like#4"]);
    // A number has only one spelling: `#03` is not number 3.
    let other = used("names-looks-like#03");
    drop((third, other));
    let again = [used(name), used(name)];
    let names: Vec<_> = again.iter().map(Limiter::name).collect();
    assert_eq!(names, ["names-looks-like#3", "names-looks-like#5"]);
}

#[test]
fn limiters_that_come_and_go_have_no_more_names_than_there_are_at_a_time() {
    let mut alive = VecDeque::new();
    let mut names = HashSet::new();
    for _ in 0..2_000 {
        let limiter = used("names-come-and-go");
        names.insert(limiter.name().to_owned());
        alive.push_back(limiter);
        if alive.len() == 3 {
            alive.pop_front();
        }
    }
    assert_eq!(names.len(), 3);
}

#[test]
fn among_many_namesakes_each_is_found_and_one_that_comes_has_the_number_of_who_went() {
    let name = "names-many";
    let mut limiters: VecDeque<_> = (0..300).map(|_| used(name)).collect();
    for round in 0..500 {
        let gone = limiters.swap_remove_back(round * 7_919 % limiters.len());
        let gone = gone.expect("there are so many");
        let free = gone.name().to_owned();
        drop(gone);
        assert!(find(&free).is_none());
        let next = used(name);
        assert_eq!(next.name(), free);
        limiters.push_back(next);
    }
    for limiter in &limiters {
        let found = find(limiter.name()).expect("it is in use");
        assert_eq!(found.name(), limiter.name());
    }
}

/// Two types have a method of the same name.
mod two_types {
    pub(super) struct First;
    pub(super) struct Second;

    impl First {
        pub(super) const LINE: u32 = line!() + 1;
        #[limit_runtime::concurrency_limit(1)]
        pub(super) async fn fetch() {}
    }

    impl Second {
        pub(super) const LINE: u32 = line!() + 1;
        #[limit_runtime::concurrency_limit(2)]
        pub(super) async fn fetch() {}
    }

    pub(super) const NAME: &str = concat!(module_path!(), "::fetch");
}

#[test]
fn two_functions_with_one_default_name_are_both_told_of_both_places() {
    use two_types::{First, NAME, Second};

    assert!(task::spawn(Second::fetch()).poll().is_ready());
    let second = find(NAME).expect("it is in use");
    assert_eq!(second.snapshot().warnings, [""; 0], "so far it is the only one");
    assert!(task::spawn(First::fetch()).poll().is_ready());
    let first = find(&format!("{NAME}#2")).expect("it is in use");
    // The warning lists the places in the order of the source code, not of the first use.
    let (file, lines) = (file!(), (First::LINE, Second::LINE));
    for limiter in [&first, &second] {
        let warnings = limiter.snapshot().warnings;
        let [warning] = &*warnings else { panic!("{warnings:?}") };
        let places = format!("at {file}:{}:9 and {file}:{}:9", lines.0, lines.1);
        assert!(warning.contains(NAME) && warning.contains(&places), "{warning}");
        assert!(warning.contains("`name = "), "it says what to do: {warning}");
    }
    for _ in 0..3 {
        assert!(task::spawn(First::fetch()).poll().is_ready());
    }
    assert_eq!((first.snapshot().warnings.len(), second.snapshot().warnings.len()), (1, 1));
}

#[test]
fn a_third_function_with_the_same_default_name_is_told_and_nobody_twice() {
    mod same {
        macro_rules! three_types {
            ($($name:ident)*) => {
                $(
                    pub(crate) struct $name;
                    impl $name {
                        #[limit_runtime::concurrency_limit(1)]
                        pub(crate) async fn of_a_macro() {}
                    }
                )*
            };
        }
        three_types!(A B C);
        pub(crate) const NAME: &str = concat!(module_path!(), "::of_a_macro");
    }

    assert!(task::spawn(same::A::of_a_macro()).poll().is_ready());
    assert!(task::spawn(same::B::of_a_macro()).poll().is_ready());
    assert!(task::spawn(same::C::of_a_macro()).poll().is_ready());
    for number in ["", "#2", "#3"] {
        let limiter = find(&format!("{}{number}", same::NAME)).expect("it is in use");
        assert_eq!(limiter.snapshot().warnings.len(), 1, "{number}");
    }
}

#[test]
fn a_generic_function_has_one_limiter_and_nothing_to_tell() {
    #[concurrency_limit(1)]
    async fn generic<T>(value: T) -> T {
        value
    }

    assert!(task::spawn(generic(1)).poll().is_ready());
    assert!(task::spawn(generic("one")).poll().is_ready());
    let limiter = find(concat!(module_path!(), "::generic")).expect("it is in use");
    let snapshot = limiter.snapshot();
    assert_eq!((snapshot.total.admitted_at_once, snapshot.warnings.len()), (2, 0));
}

#[test]
fn a_function_whose_default_name_somebody_has_taken_by_hand_is_numbered() {
    #[concurrency_limit(1)]
    async fn taken() {}

    let name = concat!(module_path!(), "::taken");
    let by_hand = used(name);
    assert!(task::spawn(taken()).poll().is_ready());
    let numbered = find(&format!("{name}#2")).expect("it is in use");
    let told = format!("another limiter is named `{name}`; this one is `{name}#2`");
    assert_eq!(numbered.snapshot().warnings, [told]);
    assert_eq!(by_hand.snapshot().warnings, [""; 0]);
}
