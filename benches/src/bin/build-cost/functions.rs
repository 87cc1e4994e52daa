//! `cargo check` of a crate with many functions, whose dependencies are built already.

use std::error::Error;
use std::fmt::Write as _;

use limit_benches::median;
use limit_benches::table::aligned;

use super::project::{Project, limit_runtime};

/// The numbers of functions.
const FUNCTIONS: [u32; 3] = [0, 100, 500];

const DEPENDENCIES: &str = r#"
async-trait = "0.1"
tokio = { version = "1", default-features = false, features = ["rt", "sync", "time"] }
tracing = { version = "0.1", default-features = false, features = ["attributes", "std"] }
"#;

/// The way in which the functions are written.
#[derive(Clone, Copy)]
enum Form {
    Plain,
    ConcurrencyLimit,
    Instrument,
    AsyncTrait,
}

impl Form {
    const ALL: [Self; 4] =
        [Self::Plain, Self::ConcurrencyLimit, Self::Instrument, Self::AsyncTrait];

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::ConcurrencyLimit => "#[concurrency_limit(8)]",
            Self::Instrument => "#[tracing::instrument]",
            Self::AsyncTrait => "#[async_trait]",
        }
    }

    /// Returns the source of a crate with so many functions.
    fn source(self, functions: u32) -> String {
        let mut all = String::new();
        let mut signatures = String::new();
        for number in 0..functions {
            let (before, visibility, receiver) = match self {
                Self::Plain => ("", "pub ", ""),
                Self::ConcurrencyLimit => ("#[limit_runtime::concurrency_limit(8)]\n", "pub ", ""),
                Self::Instrument => ("#[tracing::instrument]\n", "pub ", ""),
                Self::AsyncTrait => ("", "", "&self, "),
            };
            let signature = format!(
                "async fn call_{number}({receiver}id: u64, name: &str) -> Result<u64, String>"
            );
            let _ = writeln!(signatures, "{signature};");
            let _ = writeln!(
                all,
                "{before}{visibility}{signature} {{\n    \
                 let length = u64::try_from(name.len()).map_err(|error| error.to_string())?;\n    \
                 tokio::task::yield_now().await;\n    \
                 if length > id {{\n        return Err(format!(\"{{name}} is longer than {{id}}\"));\n    }}\n    \
                 Ok(id - length)\n}}"
            );
        }
        match self {
            Self::AsyncTrait => format!(
                "#[async_trait::async_trait]\npub trait Calls {{\n{signatures}}}\npub struct All;\n\
                 #[async_trait::async_trait]\nimpl Calls for All {{\n{all}}}\n"
            ),
            Self::Plain | Self::ConcurrencyLimit | Self::Instrument => all,
        }
    }
}

/// Measures the checks in turns, and returns the table.
pub(crate) fn measure(rounds: u32) -> Result<String, Box<dyn Error>> {
    let project = Project::new("functions", &format!("{DEPENDENCIES}{}", limit_runtime()))?;
    // Without this an older round's marks could be newer than the sources.
    project.clean()?;
    project.write("lib.rs", "")?;
    project.cargo(&["check"])?;
    let mut seconds = Form::ALL.map(|_| FUNCTIONS.map(|_| Vec::new()));
    for round in 0..rounds {
        eprintln!("functions: round {} of {rounds}", round + 1);
        for (form, seconds) in Form::ALL.iter().zip(&mut seconds) {
            for (functions, seconds) in FUNCTIONS.iter().zip(seconds) {
                let source = form.source(*functions);
                // The text differs from round to round, so that cargo builds it even where times of files are coarse.
                project.write(
                    "lib.rs",
                    &format!("// {} {functions} {round}\n{source}", form.name()),
                )?;
                let built = project.cargo(&["check"])?;
                if built.crates != 1 {
                    return Err(format!("{} packages were checked, not one", built.crates).into());
                }
                seconds.push(built.took.as_secs_f64());
            }
        }
    }
    Ok(table(&seconds.map(|all| all.map(median))))
}

fn table(seconds: &[[f64; 3]]) -> String {
    let each_hundred = |[none, _, many]: [f64; 3]| (many - none) / f64::from(FUNCTIONS[2]) * 1e2;
    let plain = each_hundred(seconds[0]);
    let mut head = vec![String::new()];
    head.extend(FUNCTIONS.map(|functions| format!("{functions} functions s")));
    head.extend(["each 100 s".to_owned(), "beyond plain s".to_owned()]);
    let mut lines = vec![head];
    for (form, seconds) in Form::ALL.iter().zip(seconds) {
        let mut line = vec![form.name().to_owned()];
        line.extend(seconds.map(|seconds| format!("{seconds:.2}")));
        let each = each_hundred(*seconds);
        line.extend([format!("{each:.3}"), format!("{:.3}", each - plain)]);
        lines.push(line);
    }
    let mut out =
        "\ncargo check of a crate of async functions, without its dependencies and not incremental\n".to_owned();
    aligned(&mut out, &lines);
    out
}
