//! Style, scripts and players, embedded into the program.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::problem::{Kind, Problem};

struct File {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    /// Of the content, so that a browser that has it asks and gets nothing.
    tag: HeaderValue,
}

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! files {
    ($($name:literal, $kind:expr, $path:literal;)+) => {
        static FILES: LazyLock<Vec<File>> = LazyLock::new(|| vec![$(File {
            name: $name,
            kind: $kind,
            bytes: include_bytes!($path),
            tag: tag(include_bytes!($path)),
        }),+]);
    };
}

files! {
    "style.css", STYLE, "../../assets/style.css";
    "console.js", SCRIPT, "../../assets/console.js";
    "times.js", SCRIPT, "../../assets/times.js";
    "live.js", SCRIPT, "../../assets/live.js";
    "keys.js", SCRIPT, "../../assets/keys.js";
    "bars.js", SCRIPT, "../../assets/bars.js";
    "timeline.js", SCRIPT, "../../assets/timeline.js";
    "setup.css", STYLE, "../../assets/setup.css";
    "setup.js", SCRIPT, "../../assets/setup.js";
    "preview.js", SCRIPT, "../../assets/preview.js";
    "mpegts.js", SCRIPT, "../../vendor/mpegts.js";
    "hls.light.min.mjs", SCRIPT, "../../vendor/hls.light.min.mjs";
    "icon.svg", "image/svg+xml", "../../assets/icon.svg";
}

fn tag(bytes: &[u8]) -> HeaderValue {
    let digest = hex::encode(Sha256::digest(bytes).get(..8).unwrap_or_default());
    HeaderValue::try_from(format!("\"{digest}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// One file. The browser keeps it and asks by its tag whether it is still the same.
pub(crate) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(file) = FILES.iter().find(|file| file.name == name) else {
        return Problem::new(Kind::NotFound, "there is no such file").into_response();
    };
    let known = headers.get(header::IF_NONE_MATCH).map(HeaderValue::as_bytes).unwrap_or_default();
    let same = known.split(|byte| *byte == b',').any(|tag| tag.trim_ascii() == file.tag.as_bytes());
    let mut response = match same {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, file.kind)], file.bytes).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::ETAG, file.tag.clone());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_are_what_their_packages_have() {
        let sums = include_str!("../../vendor/SHA256SUMS");
        let mut held = 0;
        for line in sums.lines() {
            let (sum, name) = line.split_once("  ").unwrap();
            let file = FILES.iter().find(|file| file.name == name).unwrap();
            assert_eq!(hex::encode(Sha256::digest(file.bytes)), sum, "{name}");
            held += 1;
        }
        assert_eq!(held, 2);
    }

    #[test]
    fn every_script_that_a_script_imports_is_there() {
        for file in FILES.iter().filter(|file| file.kind == SCRIPT && file.bytes.len() < 64 << 10) {
            let text = std::str::from_utf8(file.bytes).unwrap();
            for line in text.lines().filter(|line| line.starts_with("import ")) {
                let name = line.split("\"./").nth(1).unwrap().split('"').next().unwrap();
                assert!(FILES.iter().any(|other| other.name == name), "{}: {name}", file.name);
            }
        }
    }
}
