//! A build from nothing, of a program with one limited function.

use std::error::Error;
use std::fs;

use limit_benches::median;
use limit_benches::table::aligned;

use super::project::{Project, limit_runtime};

/// Tokio with the features that limit-runtime needs.
const TOKIO: &str =
    r#"tokio = { version = "1", default-features = false, features = ["rt", "sync", "time"] }"#;

const MAIN: &str = r#"
fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    println!("{}", runtime.block_on(limited(41)));
}
"#;

const BY_HAND: &str = r"
static SEMAPHORE: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(8);

async fn limited(value: u32) -> u32 {
    let _permit = SEMAPHORE.acquire().await.unwrap();
    value + 1
}
";

const ANNOTATED: &str = r"
#[limit_runtime::concurrency_limit(8)]
async fn limited(value: u32) -> u32 {
    value + 1
}
";

/// One way to write the program.
struct Form {
    name: &'static str,
    project: Project,
    /// The seconds of each round: `cargo check`, `cargo build`, `cargo build --release`.
    seconds: [Vec<f64>; 3],
    crates: usize,
    bytes: u64,
}

/// Measures the builds, and returns the table.
pub(crate) fn measure(rounds: u32) -> Result<String, Box<dyn Error>> {
    let both = format!("{TOKIO}\n{}", limit_runtime());
    let mut forms = Vec::new();
    for (name, dependencies, function) in
        [("tokio", TOKIO, BY_HAND), ("tokio and limit-runtime", &both, ANNOTATED)]
    {
        let project = Project::new(&name.replace(' ', "-"), dependencies)?;
        project.write("main.rs", &format!("{function}{MAIN}"))?;
        forms.push(Form { name, project, seconds: Default::default(), crates: 0, bytes: 0 });
    }
    let commands: [&[&str]; 3] = [&["check"], &["build"], &["build", "--release"]];
    for round in 0..rounds {
        eprintln!("cold builds: round {} of {rounds}", round + 1);
        for form in &mut forms {
            for (command, seconds) in commands.iter().zip(&mut form.seconds) {
                form.project.clean()?;
                let built = form.project.cargo(command)?;
                seconds.push(built.took.as_secs_f64());
                form.crates = built.crates;
                if let Some(program) = built.program {
                    form.bytes = fs::metadata(program)?.len();
                }
            }
        }
    }
    Ok(table(&forms))
}

fn table(forms: &[Form]) -> String {
    let head = ["", "check s", "build s", "release s", "crates", "bytes, stripped release"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for form in forms {
        let mut line = vec![form.name.to_owned()];
        line.extend(form.seconds.iter().map(|all| format!("{:.2}", median(all.clone()))));
        line.extend([form.crates.to_string(), form.bytes.to_string()]);
        lines.push(line);
    }
    if let [without, with] = forms {
        let mut line = vec!["difference".to_owned()];
        let seconds = with.seconds.iter().zip(&without.seconds);
        line.extend(seconds.map(|(with, without)| {
            format!("{:.2}", median(with.clone()) - median(without.clone()))
        }));
        let crates = with.crates.saturating_sub(without.crates);
        let bytes = with.bytes.saturating_sub(without.bytes);
        lines.push(line.into_iter().chain([crates.to_string(), bytes.to_string()]).collect());
    }
    let mut out = "\nA cold build of a program with one limited function; tokio's features are rt, sync and time\n".to_owned();
    aligned(&mut out, &lines);
    out
}
