//! The load generator: what it pushes is played whole, from a server that it starts itself.

use std::process::Command;

use serde_json::Value;

/// Runs `lab load` to its end.
fn load(args: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lastframe"));
    let output = command.args(["lab", "load"]).args(args).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{args:?}: {err}");
    assert_eq!(out.lines().count(), 1, "one JSON object: {out}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn what_is_pushed_is_played_over_rtmp_and_flv_and_nobody_is_refused() {
    for format in ["rtmp", "flv"] {
        let args =
            ["--publishers", "5", "--players", "5", "--kbps", "300", "--seconds", "3", "--format", format];
        let report = load(&args);
        for (what, count) in
            [("publishers", 5), ("players", 5), ("refusals", 0), ("lost", 0), ("misdelivered", 0)]
        {
            assert_eq!(report[what], count, "{format}: {what} in {report:#}");
        }
        for what in ["sent_bytes", "delivered_bytes", "delivered_frames"] {
            assert!(report[what].as_u64().unwrap() > 0, "{format}: {what} in {report:#}");
        }
        assert!(report["delay_ms"]["p99"].as_f64().unwrap() > 0.0, "{format}: {report:#}");
    }
}

#[test]
fn what_is_pushed_over_srt_and_in_tls_is_played_whole_too() {
    for over in ["srt", "rtmps"] {
        let args = ["--publishers", "3", "--players", "3", "--kbps", "300", "--seconds", "3", "--over", over];
        let report = load(&args);
        for (what, count) in
            [("publishers", 3), ("players", 3), ("refusals", 0), ("lost", 0), ("misdelivered", 0)]
        {
            assert_eq!(report[what], count, "{over}: {what} in {report:#}");
        }
        assert!(report["delivered_frames"].as_u64() > Some(0), "{over}: {report:#}");
    }
}
