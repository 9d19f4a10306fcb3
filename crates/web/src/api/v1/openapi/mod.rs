//! The description of the API, put together from one file for each area.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

/// One file for each area; the first one is the document that the others are put into.
const PARTS: [&str; 5] = [
    include_str!("base.json"),
    include_str!("callbacks.json"),
    include_str!("catalog.json"),
    include_str!("diagnose.json"),
    include_str!("fetches.json"),
];

static TEXT: LazyLock<String> = LazyLock::new(|| merged(&PARTS).to_string());

/// The description.
pub fn text() -> &'static str {
    TEXT.as_str()
}

/// `GET /openapi.json`.
pub async fn serve() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], text())
}

/// Puts the paths and schemas of all parts into the first one. Every operation answers what it does not name with a
/// problem document, which therefore stands here alone.
fn merged(parts: &[&str]) -> Value {
    let mut whole = Value::Null;
    for part in parts {
        // A test holds that each part can be read.
        let part: Value = serde_json::from_str(part).unwrap_or_default();
        if whole.is_null() {
            whole = part;
            continue;
        }
        for place in ["/paths", "/components/schemas"] {
            let more = part.pointer(place).and_then(Value::as_object).cloned().unwrap_or_default();
            if let Some(known) = whole.pointer_mut(place).and_then(Value::as_object_mut) {
                known.extend(more);
            }
        }
    }
    if let Some(paths) = whole.pointer_mut("/paths").and_then(Value::as_object_mut) {
        operations(paths).for_each(answer_problems);
    }
    whole
}

fn operations(paths: &mut Map<String, Value>) -> impl Iterator<Item = &mut Value> {
    let items = paths.values_mut().filter_map(Value::as_object_mut);
    items.flat_map(|item| item.iter_mut().filter(|(key, _)| *key != "parameters").map(|(_, value)| value))
}

fn answer_problems(operation: &mut Value) {
    if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        let problem = json!({
            "description": "Problem document",
            "content": { "application/problem+json": { "schema": schema } },
        });
        responses.entry("default").or_insert(problem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_can_be_read_and_refers_to_schemas_that_are_there() {
        for part in PARTS {
            serde_json::from_str::<Value>(part).unwrap();
        }
        let whole = merged(&PARTS);
        let schemas = whole["components"]["schemas"].as_object().unwrap();
        for reference in text().split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name}");
        }
    }
}
