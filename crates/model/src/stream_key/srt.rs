//! SRT stream ids, as SRT's access control guidelines define them and as push URLs of CSS use them.

use super::host::Host;
use super::params::Params;
use super::push_url::PushUrl;

/// Marks a stream id of `name=value` pairs.
const PREFIX: &str = "#!::";

pub(super) fn read(stream_id: &str) -> PushUrl {
    let has_pairs = stream_id.starts_with("r=") || stream_id.starts_with("h=") || stream_id.contains(",r=");
    match stream_id.strip_prefix(PREFIX) {
        Some(pairs) => from_pairs(pairs),
        // OBS users paste the pairs alone as the stream key.
        None if has_pairs => from_pairs(stream_id),
        None => {
            let (path, query) = stream_id.split_once('?').unwrap_or((stream_id, ""));
            PushUrl::assemble(Host::Missing, path, query.to_owned())
        }
    }
}

fn from_pairs(text: &str) -> PushUrl {
    let pairs = || text.split(',').filter_map(|pair| pair.split_once('='));
    let params = Params::from_pairs(pairs());
    let (host, path) = match (params.get("h").unwrap_or_default(), params.get("r")) {
        (host, Some(path)) => (host, path),
        (both, None) => host_and_path(both),
    };
    let (host, path) = (Host::parse(host), path.to_owned());
    let named = |name: &str| name == "h" || name == "r";
    let query: Vec<_> = pairs().filter(|(name, _)| !named(name)).map(|(n, v)| format!("{n}={v}")).collect();
    PushUrl::with_params(host, &path, query.join("&"), params)
}

/// `h=domain/app/stream`, or `h=app/stream` where the domain is left out.
fn host_and_path(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some((host, path)) if path.contains('/') => (host, path),
        Some(_) => ("", text),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "txSecret=f85a2ab363fe4deaffef9754d79da6fe,txTime=5C271099";

    #[test]
    fn stream_ids_in_use_give_the_same_stream_key() {
        let ids = [
            format!("#!::h=d.example,r=live/test,{SIGNED}"),
            format!("#!::m=publish,r=live/test,h=D.example:9000,{SIGNED}"),
            format!("#!::h=d.example/live/test,m=publish,{SIGNED}"),
            format!("h=d.example,r=/live/test,{SIGNED}"),
        ];
        for id in ids {
            let url = read(&id);
            assert_eq!(url.host, Host::Domain("d.example".into()), "{id}");
            assert_eq!((url.app.as_str(), url.stream.as_str()), ("live", "test"), "{id}");
            assert_eq!(url.params.get("txTime"), Some("5C271099"), "{id}");
            assert!(url.query.ends_with("&txTime=5C271099"), "{}", url.query);
        }
    }

    #[test]
    fn a_stream_id_may_leave_the_domain_out() {
        let pairs = SIGNED.replace(',', "&");
        for id in [
            format!("r=live/test,{SIGNED}"),
            format!("#!::h=live/test,{SIGNED}"),
            format!("live/test?{pairs}"),
        ] {
            let url = read(&id);
            assert_eq!(url.host, Host::Missing, "{id}");
            assert_eq!((url.app.as_str(), url.stream.as_str()), ("live", "test"), "{id}");
            assert_eq!(url.params.get("txTime"), Some("5C271099"), "{id}");
        }
    }

    #[test]
    fn an_unreadable_stream_id_names_no_stream() {
        for id in ["", "#!::", "#!::m=publish", "#!::r=,h=", "?", ","] {
            let url = read(id);
            assert_eq!(url.app, "", "{id}");
        }
    }
}
