//! What is filtered, as a file.

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cause::Lang;
use futures_util::stream;
use store::{Cursor, Reader, RecordQuery};

use crate::console::filter_form::from_form;
use crate::console::frame::SignedIn;
use crate::csv;
use crate::present::in_language;
use crate::problem::{Kind, Problem};
use crate::query::{Filter, full_page};
use crate::state::WebState;

/// Records of one file at most; those who need more ask the API page by page.
const MAX_RECORDS: usize = 200_000;
const PAGE: usize = 1_000;

/// The form of the file.
#[derive(Clone, Copy)]
enum Form {
    Csv,
    /// One object a line.
    Json,
}

/// The file, written while it is read.
pub(in crate::console) async fn file(
    SignedIn(f): SignedIn,
    State(state): State<WebState>,
    Query(mut pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let format = pairs.iter().position(|(name, _)| name == "format").map(|at| pairs.remove(at).1);
    let form = match format.as_deref() {
        Some("csv") | None => Form::Csv,
        Some("json") => Form::Json,
        Some(_) => return Err(Problem::new(Kind::BadRequest, "is csv or json").with_field("format")),
    };
    let filter = Filter::read(from_form(pairs)).map_err(|e| Problem::new(Kind::BadRequest, e.to_string()))?;
    let query = RecordQuery { limit: PAGE, ..filter.to_query(f.scope(), state.clock().now()) };
    let writing = Writing {
        reader: state.reader().clone(),
        query,
        form,
        lang: f.lang,
        left: MAX_RECORDS,
        begun: false,
    };
    let chunks = stream::unfold(Some(writing), |writing| async move {
        let writing = writing?;
        match tokio::task::spawn_blocking(move || writing.chunk()).await {
            Ok(Ok((bytes, next))) => Some((Ok(bytes), next)),
            // The connection breaks, so that a part is not taken for the whole.
            Ok(Err(error)) => {
                tracing::error!(%error, "an export ended early");
                Some((Err(std::io::Error::other("the records cannot be read")), None))
            }
            Err(error) => Some((Err(std::io::Error::other(error)), None)),
        }
    });
    let (kind, name) = match form {
        Form::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"interruptions.csv\""),
        Form::Json => ("application/x-ndjson", "attachment; filename=\"interruptions.jsonl\""),
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
    Ok((StatusCode::OK, headers, Body::from_stream(chunks)).into_response())
}

struct Writing {
    reader: Reader,
    query: RecordQuery,
    form: Form,
    lang: Lang,
    left: usize,
    begun: bool,
}

impl Writing {
    /// The next page of the file, and how to go on.
    fn chunk(mut self) -> Result<(Vec<u8>, Option<Self>), Box<dyn std::error::Error + Send + Sync>> {
        self.query.limit = PAGE.min(self.left);
        let page = full_page(&self.reader, self.query.clone())?;
        let mut out = Vec::with_capacity(page.records.len() * 256);
        if !std::mem::replace(&mut self.begun, true) && matches!(self.form, Form::Csv) {
            // Spreadsheets take a file for UTF-8 by this mark alone.
            out.extend_from_slice("\u{feff}".as_bytes());
            csv::write_heading(&mut out)?;
        }
        self.left = self.left.saturating_sub(page.records.len());
        for record in page.records {
            let record = in_language(record, self.lang);
            match self.form {
                Form::Csv => csv::write_record(&mut out, &record)?,
                Form::Json => {
                    serde_json::to_writer(&mut out, &record)?;
                    out.push(b'\n');
                }
            }
        }
        let next: Option<Cursor> = page.next.filter(|_| self.left > 0);
        Ok((out, next.map(|after| Self { query: RecordQuery { after: Some(after), ..self.query }, ..self })))
    }
}
