//! The running agent against schemathesis, which reads `/openapi.json` and looks for whatever is not as it says.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod process;

use process::{Agent, Start};

/// All checks are on. Three know of too few good answers for what the description cannot say.
const CHECKS: &str = r#"
# A number can be written as E.164 wants it and still not exist (400), have opted out or be refused by SNS (422); a message
# can be none of ours (404) or have expired (409). No pattern says which.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 404, 409, 422, 502, 503]

# 502 and 503 are documented answers: SNS refuses the agent's permissions, SNS cannot be reached. 500 is a defect.
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 502, 503]

# A preview lists what is wrong with its members, and a batch judges each message on its own: both answer 200.
[[operations]]
include-name = "POST /v1/messages/preview"
[operations.checks.negative_data_rejection]
expected-statuses = [200, 400, 401, 404, 405, 408, 413, 415, 422, 503]

[[operations]]
include-name = "POST /v1/messages/batch"
[operations.checks.negative_data_rejection]
expected-statuses = [200, 400, 401, 404, 405, 408, 413, 415, 422, 503]
"#;

/// The simulator that makes nobody wait: its number that hangs is given up quickly.
fn agent(auth: &str) -> Agent {
    Start::new()
        .env("SMS_AGENT__AUTH", auth)
        .env("SMS_AGENT__WAIT", "300ms")
        .env("SMS_DISPATCH__ATTEMPT_TIMEOUT", "100ms")
        .serve()
}

/// Runs all phases with a fixed seed, so that what is found once is found again.
fn explore(agent: &Agent, headers: &[String]) {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("schemathesis.toml");
    std::fs::write(&settings, CHECKS).unwrap();
    let mut command = peers::command("st");
    command.current_dir(folder.path()).arg("--config-file").arg(&settings).arg("run");
    command.arg(format!("http://{}/openapi.json", agent.address));
    command.args(["--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "80"]);
    command.args(["--seed", "7670", "--workers", "1", "--request-timeout", "10", "--generation-database", "none"]);
    // Without a time limit of its own each phase ends with its examples; a slow machine is no finding.
    command.args(["--suppress-health-check", "too_slow", "--no-color"]);
    for header in headers {
        command.args(["--header", header]);
    }
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    for phase in ["Examples", "Coverage", "Fuzzing", "Stateful"] {
        assert!(told.contains(&format!("✅ {phase}")), "{phase} did not run:\n{told}");
    }
    let sent = told.lines().find_map(|line| line.trim().split_once(" generated, ")?.0.parse::<u32>().ok());
    assert!(sent.is_some_and(|sent| sent > 500), "that was not much:\n{told}");
    assert_eq!(agent.get("/healthz").status, 200, "it still serves");
}

#[test]
fn the_agent_is_as_its_description_says() {
    explore(&agent("auto"), &[]);
}

#[test]
fn so_is_an_agent_that_asks_for_the_token() {
    let agent = agent("token");
    let token = std::fs::read_to_string(agent.data_dir().join("token")).unwrap();
    explore(&agent, &[format!("Authorization: Bearer {}", token.trim())]);
}
