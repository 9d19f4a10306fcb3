//! Mistakes of the person who starts it: what stands on the terminal, and that nothing is harmed.

use std::process::Output;

use crate::support::pusher::Pusher;
use crate::support::setup::Setup;

#[test]
fn a_second_server_on_the_same_folder_is_refused_and_harms_nothing() {
    let mut server = Setup::open().start();
    let mut push = Pusher::push(server.rtmp(), "undisturbed").unwrap();
    push.send_media(1_000).unwrap();

    let second = Setup::open().data(server.data());
    let error = gave_up(&second.give_up(), 1);
    assert!(error.contains(&server.data().display().to_string()), "{error}");
    assert!(error.contains(&server.pid().to_string()), "it names the process that has it: {error}");

    assert!(server.runs());
    push.send_media(1_000).unwrap();
    push.delete_stream().unwrap();
    assert_eq!(server.code("undisturbed"), "1/0");
    assert_eq!(server.records(&[]).len(), 1);
}

#[test]
fn a_busy_port_is_named_and_nothing_is_written() {
    let server = Setup::open().start();
    for (section, address) in [("RTMP", server.rtmp()), ("HTTP", server.http())] {
        let second = Setup::open().env(&format!("LASTFRAME_{section}_LISTEN"), &address.to_string());
        let error = gave_up(&second.give_up(), 1);
        assert!(error.contains(&address.to_string()), "{error}");
        assert!(
            error.contains(&format!("{}.listen", section.to_lowercase())),
            "it names the setting: {error}"
        );
        assert!(!second.data.join("journal.db").exists());
    }
}

#[test]
fn a_mistake_in_the_configuration_is_told_with_file_line_and_key() {
    let rows = [
        ("[limits]\n\nidle = \"soon\"\n", 3, "limits.idle"),
        ("[limits]\nidel = \"70s\"\n", 2, "idel"),
        ("[rtmp]\nlisten = 1935\n", 2, "rtmp.listen"),
        ("[srt]\nlatency = \"1ms\"\n", 2, "srt.latency"),
        ("[limits\nidle = \"70s\"\n", 1, ""),
    ];
    for (text, line, key) in rows {
        let setup = Setup::first_start().config(text);
        let place = format!("{}:{line}:", setup.config_path().display());
        for output in [setup.run(&["check"]), setup.give_up()] {
            let error = gave_up(&output, 2);
            assert!(error.contains(&place), "{place} in {error}");
            assert!(error.contains(key), "{key} in {error}");
        }
        assert!(!setup.data.exists(), "nothing was made");
    }
    let good = Setup::open().run(&["check"]);
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
}

#[test]
fn a_mistake_in_the_environment_names_the_variable() {
    let setup = Setup::first_start().env("LASTFRAME_LIMITS_IDLE", "soon");
    let error = gave_up(&setup.run(&["check"]), 2);
    assert!(error.contains("LASTFRAME_LIMITS_IDLE"), "{error}");
}

#[test]
fn a_bad_command_line_is_a_usage_error() {
    let setup = Setup::first_start();
    for args in [
        &["sreve"][..],
        &["records", "--code", "99/99"],
        &["records", "--since", "yesterday"],
        &["show", "?"],
    ] {
        gave_up(&setup.run(args), 2);
    }
    let error = gave_up(&setup.run(&["records"]), 1);
    assert!(error.contains(&setup.data.display().to_string()), "no data folder yet: {error}");
}

/// What was said by a program that gave up with this exit code: a message, never a stack trace.
fn gave_up(output: &Output, code: i32) -> String {
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{error}");
    for trace in ["panicked", "RUST_BACKTRACE", "stack backtrace"] {
        assert!(!error.contains(trace), "{error}");
    }
    error
}
