//! What encoders send for a push URL, and the stream key read from it: one table an encoder. Rows marked
//! *recorded* were taken from the program itself; the others follow its source or its settings page.

use model::stream_key::{Host, PushUrl};

const Q: &str = "txSecret=abc&txTime=5C271099";

/// tcUrl, app, publish name; then host, app, stream, query.
type Vector<'a> = ([&'a str; 3], &'a str, [&'a str; 3]);

fn host_text(host: &Host) -> String {
    match host {
        Host::Domain(name) => name.clone(),
        Host::Ip(ip) => ip.to_string(),
        Host::Missing => "-".to_owned(),
    }
}

#[track_caller]
fn check(vectors: &[Vector<'_>]) {
    for ([tc_url, app, name], host, [read_app, read_stream, query]) in vectors {
        // `$` stands for the signed query.
        let [tc_url, app, name, query] = [tc_url, app, name, query].map(|text| text.replace('$', Q));
        let url = PushUrl::from_rtmp(&tc_url, &app, &name);
        let read = (host_text(&url.host), url.app.as_str(), url.stream.as_str(), url.query.as_str());
        assert_eq!(
            read,
            ((*host).to_owned(), *read_app, *read_stream, query.as_str()),
            "{tc_url} {app} {name}"
        );
        if query.contains(Q) {
            assert_eq!(url.params.get("txSecret"), Some("abc"), "{tc_url} {app} {name}");
            assert_eq!(url.params.get("txTime"), Some("5C271099"), "{tc_url} {app} {name}");
        }
    }
}

/// Recorded: ffmpeg 5.1.9, and the same from 9.0.2. App is cut at the second slash, wherever that is.
#[test]
fn ffmpeg() {
    check(&[
        // rtmp://h/live/stream?$
        (["rtmp://127.0.0.1:1935/live", "live", "stream?$"], "127.0.0.1", ["live", "stream", "$"]),
        // rtmp://h/live/a/stream?$ and rtmp://h/live/a/b/stream?$
        (["rtmp://127.0.0.1:1935/live/a", "live/a", "stream?$"], "127.0.0.1", ["live/a", "stream", "$"]),
        (["rtmp://127.0.0.1:1935/live/a", "live/a", "b/stream?$"], "127.0.0.1", ["live/a/b", "stream", "$"]),
        // rtmp://h/live/stream?from=x/y&$
        (
            ["rtmp://127.0.0.1:1935/live/stream?from=x", "live/stream?from=x", "y&$"],
            "127.0.0.1",
            ["live", "stream", "from=x/y&$"],
        ),
        // rtmp://h/live/stream?$&u=x/y/z
        (
            ["rtmp://127.0.0.1:1935/live/stream?$&u=x", "live/stream?$&u=x", "y/z"],
            "127.0.0.1",
            ["live", "stream", "$&u=x/y/z"],
        ),
        // rtmp://h/live/stream?u=http://h/x&$: a colon before the slash moves the cut
        (
            ["rtmp://127.0.0.1:1935/live", "live", "stream?u=http://h/x&$"],
            "127.0.0.1",
            ["live", "stream", "u=http://h/x&$"],
        ),
        // rtmp://h/live?vhost=push.example.com/stream?$
        (
            ["rtmp://127.0.0.1:1935/live?vhost=push.example.com", "live?vhost=push.example.com", "stream?$"],
            "127.0.0.1",
            ["live", "stream", "$&vhost=push.example.com"],
        ),
        // rtmp://h/live?token=1/stream
        (
            ["rtmp://127.0.0.1:1935/live?token=1", "live?token=1", "stream"],
            "127.0.0.1",
            ["live", "stream", "token=1"],
        ),
        // rtmp://h/live and rtmp://h/stream?$: no stream named
        (["rtmp://127.0.0.1:1935/live", "live", ""], "127.0.0.1", ["live", "", ""]),
        (["rtmp://127.0.0.1:1935/stream?$", "stream?$", ""], "127.0.0.1", ["stream", "", "$"]),
        // rtmp://h/live/foo.mp4: a prefix is added; rtmp://h/live/foo.flv: the ending is taken away
        (["rtmp://127.0.0.1:1935/live", "live", "mp4:foo.mp4"], "127.0.0.1", ["live", "foo.mp4", ""]),
        (["rtmp://127.0.0.1:1935/live", "live", "foo"], "127.0.0.1", ["live", "foo", ""]),
        // rtmp://h/live/日本, and percent-encoded
        (["rtmp://127.0.0.1:1935/live", "live", "日本"], "127.0.0.1", ["live", "日本", ""]),
        (["rtmp://127.0.0.1:1935/live", "live", "%E6%97%A5?$"], "127.0.0.1", ["live", "日", "$"]),
        // rtmp://h//live//stream?$
        (["rtmp://127.0.0.1:1935//live", "/live", "/stream?$"], "127.0.0.1", ["live", "stream", "$"]),
        // -rtmp_app live/x -rtmp_playpath stream?$, and -rtmp_app live alone with rtmp://h/stream?$
        (["rtmp://127.0.0.1:1935/live/x", "live/x", "stream?$"], "127.0.0.1", ["live/x", "stream", "$"]),
        (["rtmp://127.0.0.1:1935/live", "live", "stream?$"], "127.0.0.1", ["live", "stream", "$"]),
        // -rtmp_tcurl rtmp://push.example.com/live
        (["rtmp://push.example.com/live", "live", "s"], "push.example.com", ["live", "s", ""]),
        // rtmp://[::1]/..., rtmp://LOCALHOST/...
        (["rtmp://[::1]:1935/live", "live", "stream?$"], "::1", ["live", "stream", "$"]),
        (["rtmp://LOCALHOST:1935/live", "live", "stream?$"], "localhost", ["live", "stream", "$"]),
    ]);
}

/// Recorded: GStreamer 1.22 `rtmpsink`, over librtmp. Options after a space (`live=1`) are not sent.
#[test]
fn gstreamer_rtmpsink() {
    check(&[
        (["rtmp://127.0.0.1:1935/live", "live", "stream?$"], "127.0.0.1", ["live", "stream", "$"]),
        // rtmp://h/live/a/b/stream?$: app up to the last slash, unlike ffmpeg
        (
            ["rtmp://127.0.0.1:1935/live/a/b", "live/a/b", "stream?$"],
            "127.0.0.1",
            ["live/a/b", "stream", "$"],
        ),
        (
            ["rtmp://127.0.0.1:1935/live/stream?from=x", "live/stream?from=x", "y&$"],
            "127.0.0.1",
            ["live", "stream", "from=x/y&$"],
        ),
        // app=live/x playpath=s?$ tcUrl=rtmp://push.example.com/live
        (["rtmp://push.example.com/live", "live/x", "s?$"], "push.example.com", ["live/x", "s", "$"]),
        // rtmp://h/live/foo.mp4: the ending is lost, so the prefix stays
        (["rtmp://127.0.0.1:1935/live", "live", "mp4:foo"], "127.0.0.1", ["live", "mp4:foo", ""]),
        (
            ["rtmp://127.0.0.1:1935/live?vhost=d.example", "live?vhost=d.example", "stream"],
            "127.0.0.1",
            ["live", "stream", "vhost=d.example"],
        ),
    ]);
}

/// Recorded: GStreamer 1.22 `rtmp2sink`. App is cut at the last slash, wherever that is; the host is in lower case.
#[test]
fn gstreamer_rtmp2sink() {
    check(&[
        (
            ["rtmp://127.0.0.1:1935/live/a/b", "live/a/b", "stream?$"],
            "127.0.0.1",
            ["live/a/b", "stream", "$"],
        ),
        (
            ["rtmp://127.0.0.1:1935/live/stream?from=x", "live/stream?from=x", "y&$"],
            "127.0.0.1",
            ["live", "stream", "from=x/y&$"],
        ),
        // rtmp://h/live/a?vhost=d.example/stream: a domain holds no slash, so the query ends with app
        (
            ["rtmp://127.0.0.1:1935/live/a?vhost=d.example", "live/a?vhost=d.example", "stream"],
            "127.0.0.1",
            ["live/a", "stream", "vhost=d.example"],
        ),
        (["rtmp://[::1]:1935/live", "live", "stream?$"], "::1", ["live", "stream", "$"]),
        (["rtmp://localhost:1935/live", "live", "%E6%97%A5?$"], "localhost", ["live", "日", "$"]),
    ]);
}

/// OBS sends the server field as tcUrl, its whole path as app, and the stream key as the name.
#[test]
fn obs() {
    check(&[
        (["rtmp://push.example.com/live", "live", "stream?$"], "push.example.com", ["live", "stream", "$"]),
        // a slash at the end of the server field
        (["rtmp://push.example.com/live/", "live/", "stream?$"], "push.example.com", ["live", "stream", "$"]),
        // the key `a/b`, and a server with three segments
        (["rtmp://push.example.com/live", "live", "a/b?$"], "push.example.com", ["live/a", "b", "$"]),
        (["rtmp://push.example.com/x/y/z", "x/y/z", "s?$"], "push.example.com", ["x/y/z", "s", "$"]),
        // a server with a query, and with one on two segments when the key has its own
        (
            ["rtmp://push.example.com/live?token=1", "live?token=1", "stream?$"],
            "push.example.com",
            ["live", "stream", "$&token=1"],
        ),
        (
            ["rtmp://push.example.com/live/eu?token=1", "live/eu?token=1", "stream?$"],
            "push.example.com",
            ["live/eu", "stream", "$&token=1"],
        ),
        // a slash in a value of the key's query
        (["rtmp://d.example/live", "live", "s?u=a/b&$"], "d.example", ["live", "s", "u=a/b&$"]),
        (["rtmps://push.example.com:443/live", "live", "s?$"], "push.example.com", ["live", "s", "$"]),
    ]);
}

/// Apps on phones and hardware encoders: whole URL in tcUrl, app with slashes around it, or no app at all.
#[test]
fn phones_and_hardware() {
    check(&[
        (["rtmp://d.example:1935/live", "live", "stream?$"], "d.example", ["live", "stream", "$"]),
        (["rtmp://d.example/live/stream?$", "live", "stream?$"], "d.example", ["live", "stream", "$"]),
        (["rtmp://d.example/live?$", "live", "stream"], "d.example", ["live", "stream", "$"]),
        (["rtmp://d.example/live", "", "stream?$"], "d.example", ["live", "stream", "$"]),
        (["rtmp://d.example./live", "/live/", "/stream/?$"], "d.example", ["live", "stream", "$"]),
        (["rtmp://joe:pw@d.example/live", "live", "stream?$"], "d.example", ["live", "stream", "$"]),
    ]);
}

#[test]
fn a_client_that_names_little_is_read_as_far_as_it_goes() {
    check(&[
        (["", "live", "stream?$"], "-", ["live", "stream", "$"]),
        (["live", "live", "stream"], "-", ["live", "stream", ""]),
        (["rtmp:///live", "live", "stream"], "-", ["live", "stream", ""]),
        (["rtmp://", "", ""], "-", ["", "", ""]),
        (["", "", "?"], "-", ["", "", ""]),
        (["", "", "stream"], "-", ["", "stream", ""]),
        (["rtmp://d.example?x=1", "", "a/s"], "d.example", ["a", "s", "x=1"]),
    ]);
}

#[test]
fn of_equal_parameters_the_names_wins_then_apps_then_that_of_tc_url() {
    let url = PushUrl::from_rtmp("rtmp://h/live?a=3&b=3&c=3", "live?a=2&b=2", "s?a=1");
    assert_eq!(["a", "b", "c"].map(|name| url.params.get(name)), [Some("1"), Some("2"), Some("3")]);
    assert_eq!(url.query, "a=1&a=2&b=2&a=3&b=3&c=3");
}

#[test]
fn an_encoded_slash_stays_inside_its_segment() {
    let url = PushUrl::from_rtmp("rtmp://h/live", "live", "a%2Fb");
    assert_eq!((url.app.as_str(), url.stream.as_str()), ("live", "a/b"));
}

#[test]
fn http_paths_follow_the_same_rules() {
    let url = PushUrl::from_path(Some("Push.Example.com:8443"), "/live/%E6%9D%B1//demo", Q);
    assert_eq!(url.host, Host::Domain("push.example.com".into()));
    assert_eq!((url.app.as_str(), url.stream.as_str()), ("live/東", "demo"));
    assert_eq!(url.params.get("txSecret"), Some("abc"));
    assert_eq!(PushUrl::from_path(None, "demo", "").host, Host::Missing);
}
