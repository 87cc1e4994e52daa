//! The compiler says the same about a limited function as about the plain one.
//!
//! Each file under `diagnostics/` is compiled three times: as it is, with an existing limiter in
//! place of the limit, and with the attribute's lines as comments. Messages, codes, places and
//! labels must be the same. `clippy` compiles them, so that lints are compared too.
//!
//! One difference is left: the compiler says that an *argument* that is not `Send` is held across
//! the function's first await. In a limited function that is the wait for the permit.

use limit_tests::compiler::{Diagnostic, Project, is_without_clippy, without_attribute};

const CASES: [(&str, &str); 9] = [
    ("blocking", include_str!("diagnostics/blocking.rs")),
    ("blocking_warnings", include_str!("diagnostics/blocking_warnings.rs")),
    ("borrows", include_str!("diagnostics/borrows.rs")),
    ("names", include_str!("diagnostics/names.rs")),
    ("refusal_warnings", include_str!("diagnostics/refusal_warnings.rs")),
    ("refusals", include_str!("diagnostics/refusals.rs")),
    ("sendness", include_str!("diagnostics/sendness.rs")),
    ("types", include_str!("diagnostics/types.rs")),
    ("warnings", include_str!("diagnostics/warnings.rs")),
];

#[test]
fn the_compiler_says_the_same_of_a_limited_function_as_of_the_plain_one() {
    if is_without_clippy() {
        return;
    }
    let mut project = Project::new(env!("CARGO_TARGET_TMPDIR"), "same-diagnostics");
    for (name, source) in CASES {
        project.add(&format!("limited_{name}"), source);
        project.add(&format!("existing_{name}"), &with_an_existing_limiter(source));
        project.add(&format!("plain_{name}"), &without_attribute(source));
    }
    let diagnostics = project.check(&options());
    let of = |kind: &str, name: &str| -> Vec<Diagnostic> {
        diagnostics.get(&format!("{kind}_{name}")).cloned().unwrap_or_default()
    };
    let mut differences = Vec::new();
    for (name, _) in CASES {
        let plain = of("plain", name);
        assert!(!plain.is_empty(), "{name}: nothing was said of the plain functions");
        for kind in ["limited", "existing"] {
            let limited = of(kind, name);
            for gone in plain.iter().filter(|diagnostic| !limited.contains(diagnostic)) {
                differences.push(format!("{name}: only of the plain function: {gone:#?}"));
            }
            for new in limited.iter().filter(|diagnostic| !plain.contains(diagnostic)) {
                differences.push(format!("{name}: only of the {kind} function: {new:#?}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn type_errors_in_the_arguments_point_at_what_the_user_wrote() {
    if is_without_clippy() {
        return;
    }
    let mut project = Project::new(env!("CARGO_TARGET_TMPDIR"), "argument-diagnostics");
    project.add("arguments", include_str!("diagnostics/arguments.rs.in"));
    let diagnostics = project.check(&options());
    let mut places: Vec<(usize, String, String)> = diagnostics["arguments"]
        .iter()
        .filter(|diagnostic| diagnostic.level == "error" && !diagnostic.code.is_empty())
        .flat_map(|diagnostic| {
            let primary = diagnostic.places.iter().filter(|place| place.primary);
            primary.map(|place| (place.line, diagnostic.code.clone(), place.text.clone()))
        })
        .collect();
    places.sort();
    // An error may name one place twice.
    places.dedup();
    let expected = include_str!("diagnostics/arguments.rs.in")
        .lines()
        .enumerate()
        .filter_map(|(line, text)| {
            let (_, expected) = text.split_once("// ")?;
            let (code, text) = expected.split_once(' ')?;
            Some((line + 1, code.to_owned(), text.to_owned()))
        })
        .collect::<Vec<_>>();
    assert_eq!(places, expected);
}

/// Returns the lints. `unused_async` is off, because a limited function always awaits its permit.
fn options() -> Vec<String> {
    ["-Wclippy::pedantic", "-Wclippy::nursery", "-Wunused", "-Aclippy::unused_async"]
        .map(String::from)
        .to_vec()
}

/// Returns the same lines, with an existing limiter whose type says that it refuses no call.
fn with_an_existing_limiter(source: &str) -> String {
    let source = source.replace("#[concurrency_limit(3)]", "#[concurrency_limit(limiter = LIMIT)]");
    format!(
        "{source}\n#[allow(dead_code)]\n\
         static LIMIT: limit_runtime::Limiter = limit_runtime::Limiter::new(\"\", 3);\n"
    )
}
