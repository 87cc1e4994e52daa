//! The findings of axe-core in the page. <https://github.com/dequelabs/axe-core>

use super::Browser;
use serde_json::Value;
use std::path::Path;
use std::sync::Once;

/// Returns the findings of the rules in OPTIONS: for each rule and element that breaks it the rule, the element and what is wrong.
const RUN: &str = "axe.run({ resultTypes: ['violations'], OPTIONS }).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
    nodes.map(node => `${id}: ${node.target.join(' ')}: ${node.failureSummary.split('\\n').slice(1).join(' ')}`)))";

impl Browser {
    /// Checks that controls and pictures have a name, and that axe-core finds nothing, light and dark. Without axe-core it prints
    /// a loud line.
    #[track_caller]
    pub(crate) fn is_accessible(&self) {
        self.everything_has_a_name();
        // The other rules do not see the colours.
        for (dark, rules) in [(true, "runOnly: ['color-contrast']"), (false, "")] {
            self.dark(dark);
            let findings = self.axe_findings(rules);
            assert!(findings.is_empty(), "dark: {dark}, {findings:#?}");
        }
    }

    /// Returns what axe-core finds in the page as it is now: by all rules, or by those in the options. Without axe-core there is
    /// nothing.
    pub(crate) fn axe_findings(&self, rules: &str) -> Vec<Value> {
        let Some(script) = axe() else { return Vec::new() };
        if self.value("typeof axe") == "undefined" {
            // The driver runs it, so the page's policy does not keep it out.
            let run = self.client.execute(&script, Vec::new());
            self.runtime.block_on(run).expect("axe-core can be loaded");
        }
        let findings = self.value(&RUN.replace("OPTIONS", rules));
        findings.as_array().expect("a list").clone()
    }
}

/// Reads axe-core, which `.ci/run` installs there. Returns `None` and prints a loud line, once, if it is not there.
fn axe() -> Option<String> {
    /// It has the command that installs it.
    const CI: &str = include_str!("../../../../.ci/run");
    static SAID: Once = Once::new();
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
    let script = std::fs::read_to_string(tools.join("node_modules/axe-core/axe.min.js")).ok();
    if script.is_none() {
        let install = CI.lines().map(str::trim_start).find(|line| line.starts_with("npm install"));
        SAID.call_once(|| {
            eprintln!(
                "PASSED OVER: axe-core is not installed, so nothing looks at the page's accessibility ({})",
                install.unwrap_or_default().trim_end_matches(" ||")
            );
        });
    }
    script
}
