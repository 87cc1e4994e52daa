//! The parts of the documentation that the compiler and rustdoc do not check: links to headings, and
//! snippets that cannot run where they stand.

const GUIDE: &str = include_str!("../../limit-runtime/src/guide.rs");

/// Returns the lines of the guide's snippet in this language that contains this text.
fn snippet(language: &str, text: &str) -> Vec<&'static str> {
    let start = format!("//! ```{language}\n");
    let snippets = GUIDE.split(start.as_str()).skip(1).map(|rest| rest.split("//! ```").next());
    let snippet = snippets.flatten().find(|snippet| snippet.contains(text)).expect("a snippet");
    snippet.lines().map(|line| line.trim_start_matches("//!").trim()).collect()
}

/// Returns the anchor that rustdoc gives to a heading.
fn anchor(heading: &str) -> String {
    let words = heading.to_lowercase().replace(' ', "-");
    words.chars().filter(|&c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

#[test]
fn the_guide_and_its_chapters_begin_with_links_to_all_their_headings() {
    for page in [
        GUIDE,
        include_str!("../../limit-runtime/src/guide/adaptive.rs"),
        include_str!("../../limit-runtime/src/guide/hazards.rs"),
    ] {
        assert_links_to_all_headings(page);
    }
}

fn assert_links_to_all_headings(page: &str) {
    let linked: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("//! * [")).collect();
    // Hidden lines of examples begin with `# ` too. They are in a block of code.
    let mut is_code = false;
    let headings = page.lines().filter_map(|line| {
        is_code ^= line.starts_with("//! ```");
        line.strip_prefix("//! # ").filter(|_| !is_code)
    });
    let expected: Vec<_> =
        headings.map(|heading| format!("{heading}](#{})", anchor(heading))).collect();
    assert_eq!(linked, expected);
}

#[test]
fn the_dependencies_in_the_guide_have_their_versions_and_features() {
    let manifests = [
        ("limit-config", include_str!("../../integrations/limit-config/Cargo.toml")),
        ("limit-console", include_str!("../../integrations/limit-console/Cargo.toml")),
        ("limit-exporters", include_str!("../../integrations/limit-exporters/Cargo.toml")),
        ("limit-runtime", include_str!("../../limit-runtime/Cargo.toml")),
    ];
    let workspace = include_str!("../../Cargo.toml");
    let (_, version) = workspace.split_once("\nversion = \"").expect("the version");
    let snippet = snippet("toml", "[dependencies]");

    for (name, manifest) in manifests {
        let mut lines = snippet.iter().filter_map(|line| line.strip_prefix(name));
        let line = lines.next().unwrap_or_else(|| panic!("{name} is missing"));
        let mut quoted = line.split('"').skip(1).step_by(2);
        let shown = quoted.next().expect("a version");
        assert!(version.starts_with(&format!("{shown}.")), "{name} {shown}");
        for feature in quoted {
            assert!(manifest.contains(&format!("\n{feature} = [")), "{name} has no {feature}");
        }
    }
    for other in ["axum", "futures-util", "prometheus-client", "tokio"] {
        let ours = workspace.split_once(&format!("\n{other} = {{ version = \"")).expect(other).1;
        let shown = snippet.iter().find(|line| line.starts_with(other)).expect(other);
        let shown = shown.split('"').nth(1).expect("a version");
        assert!(ours.starts_with(shown), "{other} {shown}");
    }
}

#[test]
fn the_figures_for_prometheus_in_the_guide_are_the_example_of_the_exporters() {
    let example = include_str!("../../integrations/limit-exporters/src/lib.rs");
    for line in snippet("text", "Collector::new()") {
        assert!(example.contains(line), "{line}");
    }
}

#[test]
fn every_link_of_the_table_of_options_leads_to_a_heading_of_the_guide() {
    let list = include_str!("../../limit-macros/src/args/options.rs");
    let guide = include_str!("../../limit-runtime/src/guide/options.rs");
    let front = include_str!("../../limit-runtime/src/lib.rs");

    let options = list.split("\n        name: \"").skip(1).filter_map(|row| row.split('"').next());
    let linked: Vec<_> = std::iter::once("limit").chain(options).collect();
    // rustdoc makes the anchor of a heading from its letters, in lower case.
    let headings = guide.lines().filter_map(|line| line.strip_prefix("//! ## `"));
    let anchors: Vec<_> =
        headings.map(|heading| heading.trim_end_matches('`').to_lowercase()).collect();
    assert_eq!(linked, anchors, "the table and the guide have the same order");

    // limit-macros makes its own targets from the list. Those on the page of limit-runtime are
    // written out.
    let targets: Vec<_> =
        front.lines().filter_map(|line| line.strip_prefix("/// [option-")).collect();
    let expected: Vec<_> =
        linked.iter().map(|name| format!("{name}]: guide::options#{name}")).collect();
    assert_eq!(targets, expected);
}
