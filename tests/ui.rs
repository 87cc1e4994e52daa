//! What the attribute refuses, and in which words. The compiler's own messages differ from one
//! toolchain to the next, so these run on the toolchain that the snapshots were taken with.

#[test]
fn mistakes_are_refused_with_what_to_write_instead() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*.rs");
}
