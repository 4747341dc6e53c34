//! The server's HTTP surface: one module a route, and one form for everything that goes wrong.
//!
//! Whatever is refused is answered as problem JSON (module `problem`); whatever is internal is logged, never sent.

mod health;
mod problem;

use axum::Router;
use axum::routing::get;

use problem::Problem;

/// Makes the router of all routes, which answers unknown paths and methods with problem JSON.
pub fn router() -> Router {
    Router::new()
        .route("/healthz", get(health::show))
        .fallback(async || Problem::NotFound)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
}
