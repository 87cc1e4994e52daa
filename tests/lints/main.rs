//! Every lint of the compiler and of clippy says the same about a limited function as about the
//! plain one.
//!
//! Each program is compiled twice: as it is, and with the attribute's lines as comments. All groups
//! of clippy are on, and all lints of the compiler that are off by default. Codes, messages, places
//! and suggestions must be the same, but for the lints in [`DIFFERENT`].

use limit_tests::compiler::{Diagnostic, Project, is_without_clippy};

const PROGRAMS: [(&str, &str); 7] = [
    ("attributes", include_str!("programs/attributes.rs")),
    ("bodies", include_str!("programs/bodies.rs")),
    ("blocking", include_str!("programs/blocking.rs")),
    ("futures", include_str!("programs/futures.rs")),
    ("refusals", include_str!("programs/refusals.rs")),
    ("signatures", include_str!("programs/signatures.rs")),
    ("tokio_main", include_str!("programs/tokio_main.rs")),
];

const LINTS: [&str; 47] = [
    "clippy::all",
    "clippy::cargo",
    "clippy::nursery",
    "clippy::pedantic",
    "clippy::restriction",
    "absolute_paths_not_starting_with_crate",
    "ambiguous_negative_literals",
    "closure_returning_async_block",
    "deprecated_in_future",
    "deprecated_safe_2024",
    "elided_lifetimes_in_paths",
    "explicit_outlives_requirements",
    "ffi_unwind_calls",
    "if_let_rescope",
    "impl_trait_overcaptures",
    "impl_trait_redundant_captures",
    "keyword_idents",
    "let_underscore_drop",
    "macro_use_extern_crate",
    "meta_variable_misuse",
    "missing_copy_implementations",
    "missing_debug_implementations",
    "missing_docs",
    "missing_unsafe_on_extern",
    "non_ascii_idents",
    "redundant_imports",
    "redundant_lifetimes",
    "rust_2018_idioms",
    "rust_2021_incompatible_closure_captures",
    "rust_2024_incompatible_pat",
    "single_use_lifetimes",
    "tail_expr_drop_order",
    "trivial_casts",
    "trivial_numeric_casts",
    "unit_bindings",
    "unnameable_types",
    "unreachable_pub",
    "unsafe_code",
    "unsafe_op_in_unsafe_fn",
    "unused",
    "unused_extern_crates",
    "unused_import_braces",
    "unused_lifetimes",
    "unused_macro_rules",
    "unused_qualifications",
    "unused_results",
    "variant_size_differences",
];

/// Lints that differ, with the reasons.
const DIFFERENT: [(&str, &str); 7] = [
    ("clippy::cognitive_complexity", "to wait is a branch, and counts one"),
    ("clippy::doc_paragraphs_missing_punctuation", "below any attribute a doc comment is `#[doc]`"),
    ("clippy::excessive_nesting", "the body is in one block more"),
    (
        "clippy::future_not_send",
        "the first await, across which arguments live, is that of the permit",
    ),
    ("clippy::large_stack_frames", "there is a permit on the stack"),
    ("clippy::needless_question_mark", "clippy does not look for it at the end of a match's arm"),
    ("clippy::unused_async", "a limited function does await something, its permit"),
];

/// Lints that differ for functions that block, with the reasons.
const DIFFERENT_IF_BLOCKING: [(&str, &str); 7] = [
    ("clippy::boxed_local", ONLY_IF_NOT_ASYNC),
    ("clippy::missing_const_for_fn", ONLY_IF_NOT_ASYNC),
    ("clippy::missing_docs_in_private_items", "clippy sees that the word `async` was not written"),
    ("clippy::must_use_candidate", ONLY_IF_NOT_ASYNC),
    ("clippy::needless_pass_by_value", "an argument moves to another thread"),
    ("clippy::result_unit_err", ONLY_IF_NOT_ASYNC),
    ("clippy::unused_self", "`self` moves to another thread"),
];

/// Lints that differ for functions whose output is judged, with the reasons.
const DIFFERENT_IF_JUDGED: [(&str, &str); 1] =
    [("unused_assignments", "the compiler says of an argument that the body takes it by value")];

/// Lints that can be missing of functions whose output is judged, with the reasons.
const MISSING_IF_JUDGED: [(&str, &str); 2] = [
    ("clippy::implicit_return", "clippy asks for `return ()` at the end of a function alone"),
    ("clippy::useless_conversion", "clippy does not look for some in a block inside a function"),
];

const ONLY_IF_NOT_ASYNC: &str = "clippy looks for it in functions that are not async";

#[test]
fn every_lint_says_the_same_of_a_limited_function_as_of_the_plain_one() {
    if is_without_clippy() {
        return;
    }
    let mut project = Project::new(env!("CARGO_TARGET_TMPDIR"), "same-lints");
    let programs = || PROGRAMS.map(|(name, source)| (String::from(name), String::from(source)));
    // `main` is never judged.
    let judged = programs().into_iter().filter(|(name, _)| name != "tokio_main").map(judge_outputs);
    let programs: Vec<_> = programs().into_iter().chain(judged).collect();
    for (name, source) in &programs {
        project.add(&format!("limited_{name}"), source);
        project.add(&format!("plain_{name}"), &limit_tests::compiler::without_attribute(source));
    }
    let options: Vec<_> = LINTS.iter().map(|lint| format!("-W{lint}")).collect();
    let said = project.check(&options);
    let of = |name: String| -> Vec<Diagnostic> { said.get(&name).cloned().unwrap_or_default() };
    let mut differences = Vec::new();
    for (name, _) in &programs {
        let (limited, plain) = (of(format!("limited_{name}")), of(format!("plain_{name}")));
        let is_judged = name.starts_with("judged");
        let can_be_missing = |diagnostic: &&Diagnostic| {
            is_judged && MISSING_IF_JUDGED.iter().any(|(lint, _)| *lint == diagnostic.code)
        };
        let is_compared = |diagnostic: &&Diagnostic| {
            let blocking = DIFFERENT_IF_BLOCKING.iter().filter(|_| name.ends_with("blocking"));
            let judged = DIFFERENT_IF_JUDGED.iter().filter(|_| is_judged);
            DIFFERENT.iter().chain(blocking).chain(judged).all(|(lint, _)| *lint != diagnostic.code)
        };
        // Most lints do not check a program that has an error.
        let error = plain.iter().find(|diagnostic| diagnostic.level == "error");
        assert!(error.is_none_or(|error| error.code.starts_with("clippy")), "{name}: {error:?}");
        assert!(!plain.is_empty(), "{name}: nothing was said of the plain functions");
        let compared = plain.iter().filter(is_compared).filter(|of| !can_be_missing(of));
        for gone in compared.filter(|of| !is_among(of, &limited)) {
            differences.push(format!("{name}: only of the plain function: {gone}"));
        }
        for new in limited.iter().filter(is_compared).filter(|of| !is_among(of, &plain)) {
            differences.push(format!("{name}: only of the limited function: {new}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Has the output of each function judged that has one, and cannot be refused.
fn judge_outputs((name, source): (String, String)) -> (String, String) {
    let functions = source.split_inclusive("#[concurrency_limit(").map(|function| {
        let judged = |known: &str, judged: &str| {
            function.strip_prefix(known).map(|rest| format!("{judged}{rest}"))
        };
        judged("3)]", "1..=3, overload = never)]")
            .or_else(|| judged("3, blocking)]", "1..=3, blocking, overload = never)]"))
            .filter(|_| !function.contains("-> !"))
            .unwrap_or_else(|| String::from(function))
    });
    let never = "/// Gives no verdict.\npub fn never<T>(_: &T) -> bool {\n    return false;\n}\n";
    (format!("judged_{name}"), functions.collect::<String>() + never)
}

fn is_among(diagnostic: &Diagnostic, all: &[Diagnostic]) -> bool {
    // `#[tokio::main]` puts an `expect` at the body's last statement. The last statement of a
    // limited function is its whole body.
    let is_told_where = diagnostic.code != "clippy::missing_panics_doc";
    all.iter().any(|other| {
        diagnostic == other
            || !is_told_where && diagnostic.code == other.code && diagnostic.places == other.places
    })
}
