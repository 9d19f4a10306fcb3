//! Commands that need no server: what they print, and how they fail.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that cannot go on fails its test")]

mod common;

use common::{lastframe, run, stderr, stdout};

/// Fails with `code`, says each of `parts`, and never shows a stack trace.
fn fails(output: &std::process::Output, code: i32, parts: &[&str]) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
    for trace in ["panicked", "backtrace", "stack", "RUST_"] {
        assert!(!text.contains(trace), "{text}");
    }
}

#[test]
fn bad_command_lines_say_what_to_write() {
    let dir = tempfile::tempdir().unwrap();
    for (args, part) in [
        (vec!["recrods"], "records"),
        (vec!["records", "--code", "18/999"], "there is no cause 18/999"),
        (vec!["records", "--since", "yesterday"], "write a duration (24h)"),
        (vec!["records", "--side", "moon"], "network"),
        (vec!["records", "--ip", "x"], "write an address or a network"),
        (vec!["records", "--limit", "0"], "--limit"),
        (vec!["records", "--fuzzy"], "--stream"),
        (vec!["show", "x"], "write a record's id"),
        (vec!["url", "--domain", "d"], "--app"),
        (vec!["url", "--domain", "d", "--app", "a", "--stream", "s", "--kind", "ftp"], "rtmps"),
        (vec!["causes", "--lang", "fr"], "ja"),
        (vec!["lab", "load", "--publishers", "0"], "nothing to do"),
        (vec!["lab", "load", "--kbps", "3"], "--kbps must be 50 to 100000, not 3"),
        (vec!["lab", "load", "--players", "30000"], "20000"),
        (vec!["lab", "load", "--target", "http://x"], "rtmp://host"),
    ] {
        fails(&run(dir.path(), &args), 2, &[part]);
    }
}

#[test]
fn a_folder_without_data_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("nothing");
    let name = missing.to_str().unwrap();
    fails(&run(&missing, &["records"]), 1, &[name, "start the server there once"]);
    fails(&run(&missing, &["show", "01890a5d-ac96-774b-bcce-b302099a8057"]), 1, &[name]);
    fails(
        &run(&missing, &["url", "--domain", "localhost", "--app", "a", "--stream", "s"]),
        2,
        &["start the server once"],
    );
    assert!(!missing.exists(), "asking makes nothing");
}

#[test]
fn check_names_file_line_key_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bad.toml");
    std::fs::write(&file, "[limits]\nidle = \"soon\"\nidel = \"70s\"\n").unwrap();
    let path = file.to_str().unwrap();
    for command in ["check", "serve"] {
        let output = run(&dir.path().join("data"), &["--config", path, command]);
        let place = format!("{path}:2:8: limits.idle: \"soon\" does not fit");
        fails(&output, 2, &["2 mistakes", &place, ":3:1: limits.idel:", "`idle` was probably meant"]);
    }
    assert!(!dir.path().join("data").exists(), "a server with a wrong configuration touches nothing");
    std::fs::write(&file, "[limits]\nidle = \"5s\"\n").unwrap();
    let output = run(dir.path(), &["--config", path, "check"]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), format!("{path}: no mistakes\n")));
    fails(&run(dir.path(), &["--config", "/nowhere/x.toml", "check"]), 2, &["/nowhere/x.toml", "--config"]);
}

#[test]
fn causes_are_printed_as_a_table_and_as_json() {
    let dir = tempfile::tempdir().unwrap();
    let json = stdout(&run(dir.path(), &["causes", "--lang", "ja", "--format", "json"]));
    assert_eq!(json.lines().count(), 70);
    let line = json.lines().find(|l| l.contains("\"sub_errcode\":503")).unwrap();
    assert!(line.starts_with("{\"errcode\":18,\"sub_errcode\":503,\"errmsg\":\""), "{line}");
    let row: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(row["errmsg"], cause::Cause::SignatureWrong.errmsg(cause::Lang::Ja));
    assert_eq!(row["side"], "policy");
    assert!(row["meaning"].is_string() && row["advice"].is_string());
    let table = stdout(&run(dir.path(), &["causes", "--lang", "en"]));
    assert!(table.starts_with("CODE") && table.contains("18/503  policy"), "{table}");
}

#[test]
fn the_language_comes_from_the_environment_unless_it_is_chosen() {
    let dir = tempfile::tempdir().unwrap();
    let first = |lang: &str, args: &[&str]| {
        let output =
            lastframe(dir.path()).env("LANG", lang).args(["causes", "--format", "json"]).args(args).output();
        stdout(&output.unwrap()).lines().next().unwrap().to_owned()
    };
    let unknown = |lang| cause::Cause::Unknown.errmsg(lang);
    assert!(first("zh_CN.UTF-8", &[]).contains(unknown(cause::Lang::Zh)));
    assert!(first("C", &[]).contains(unknown(cause::Lang::En)));
    assert!(first("zh_CN.UTF-8", &["--lang", "ja"]).contains(unknown(cause::Lang::Ja)));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_lastframe");
    let script = format!("'{program}' causes --format json | head -n 1; echo ${{PIPESTATUS[0]}}");
    let output =
        std::process::Command::new("bash").args(["-c", &script]).current_dir(dir.path()).output().unwrap();
    assert!(stdout(&output).ends_with("\n0\n"), "{}", stdout(&output));
    assert_eq!(stderr(&output), "");
}
