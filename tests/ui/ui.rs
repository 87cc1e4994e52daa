//! The errors of the attribute, and their words. The compiler's own words around ours differ from
//! one toolchain to the next, so this runs on the one that the snapshots were taken with.
//!
//! A package of its own, because each case is compiled with all that the package depends on.

/// The toolchain of the snapshots.
const TOOLCHAIN: &str = "rustc 1.95.";

#[test]
fn mistakes_are_refused_with_what_to_write_instead() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = std::process::Command::new(rustc).arg("--version").output().expect("rustc runs");
    let version = String::from_utf8_lossy(&version.stdout);
    if !version.starts_with(TOOLCHAIN) {
        eprintln!(
            "SKIPPED: the compile errors were written down with {TOOLCHAIN}x, this is {}: \
             rustup toolchain install 1.95, then cargo +1.95 test -p limit-ui",
            version.trim()
        );
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("cases/*.rs");
}
