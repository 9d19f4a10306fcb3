//! Filters that a user gave a name.

use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, http::StatusCode};
use model::catalog::Role;
use serde::Deserialize;
use store::SavedView;

use crate::console::frame::{Frame, SignedIn, safe_path};
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// The page that these views are of.
const PAGE: &str = "records";
/// Views of one user.
const MAX_VIEWS: usize = 40;
/// Characters of a name, bytes of a query.
const MAX_NAME: usize = 60;
const MAX_QUERY: usize = 4_000;

/// A view as the page shows it.
pub(super) struct View {
    pub name: String,
    pub link: String,
    /// It is what the page shows.
    pub chosen: bool,
}

#[derive(Deserialize)]
pub(in crate::console) struct Submitted {
    token: String,
    /// `save`, `delete`.
    act: String,
    name: String,
    /// Of the page that was shown, without its question mark.
    #[serde(default)]
    query: String,
}

/// The views of the user, by name; none where they cannot be read.
pub(super) async fn of_user(state: &WebState, f: &Frame, query: &str) -> Vec<View> {
    let (catalog, user) = (state.users().clone(), f.user().to_owned());
    let read = tokio::task::spawn_blocking(move || catalog.views(&user, PAGE)).await;
    let views = match read {
        Ok(Ok(views)) => views,
        Ok(Err(error)) => {
            tracing::warn!(%error, "saved views cannot be read");
            Vec::new()
        }
        Err(error) => {
            tracing::warn!(%error, "saved views cannot be read");
            Vec::new()
        }
    };
    let query = query.trim_start_matches('?');
    let view = |view: SavedView| View {
        chosen: view.query == query,
        link: if view.query.is_empty() { "/records".to_owned() } else { format!("/records?{}", view.query) },
        name: view.name,
    };
    views.into_iter().map(view).collect()
}

/// Keeps a view or lets go of it, and shows the page again.
pub(in crate::console) async fn submit(
    SignedIn(f): SignedIn,
    State(state): State<WebState>,
    submitted: Result<Form<Submitted>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(form) = submitted.map_err(|e| Problem::new(Kind::BadRequest, e.body_text()))?;
    // A view is its user's own affair, so everybody may keep some.
    let user = f.ordered(&form.token, Role::Viewer)?.user.clone();
    let name = form.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(Problem::new(Kind::BadRequest, "write 1 to 60 characters").with_field("name"));
    }
    if form.query.len() > MAX_QUERY {
        return Err(Problem::new(Kind::BadRequest, "is too long").with_field("query"));
    }
    let catalog = state.users().clone();
    let query = form.query.trim_start_matches('?').to_owned();
    let back = if query.is_empty() { "/records".to_owned() } else { format!("/records?{query}") };
    let delete = match form.act.as_str() {
        "save" => false,
        "delete" => true,
        _ => return Err(Problem::new(Kind::BadRequest, "is none of save, delete").with_field("act")),
    };
    tokio::task::spawn_blocking(move || {
        if delete {
            catalog.delete_view(&user, PAGE, &name)?;
            return Ok(());
        }
        let views = catalog.views(&user, PAGE)?;
        if views.len() >= MAX_VIEWS && views.iter().all(|view| view.name != name) {
            return Err(Problem::new(Kind::Conflict, "there are 40 views already; delete one first"));
        }
        catalog.put_view(&SavedView { user, page: PAGE.to_owned(), name, query })?;
        Ok(())
    })
    .await??;
    Ok((StatusCode::SEE_OTHER, Redirect::to(safe_path(&back))).into_response())
}
