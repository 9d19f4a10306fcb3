//! `/api/v1` does what its description says, whatever it is asked: a tester makes requests up from the description.

use std::process::Command;

use crate::support::sdk::{self, Client};
use crate::support::setup::{API_KEY, Setup};

const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

#[test]
fn requests_made_up_from_the_description_meet_no_failure_and_no_answer_that_it_does_not_name() {
    let Some(tester) = Client::Tester.installed() else { return };
    let server = Setup::open().start();
    let folder = tempfile::tempdir().unwrap();
    let api = format!("http://{}/api/v1", server.http());
    let printed = sdk::run(
        Command::new(tester.join("bin/schemathesis"))
            .current_dir(folder.path())
            .arg("run")
            .arg(format!("{api}/openapi.json"))
            .args(["--url", &api, "--header", &format!("Authorization: Bearer {API_KEY}")])
            .args(["--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", "15"]),
    );
    assert!(printed.contains("Tested: "), "{printed}");
}
