//! Where requests of a connection come in: each is told what its connection is before the router sees it.

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use super::Streaming;
use super::socket::Beside;
use crate::client::{Peer, Secured};

/// The router, for the requests of one connection. (A layer of the router's own would copy all of its routes for each.)
#[derive(Clone, Debug)]
pub(super) struct Reception {
    pub(super) router: TowerToHyperService<Router>,
    pub(super) peer: Peer,
    pub(super) streaming: Streaming,
    /// The socket, where it is not under TLS.
    pub(super) beside: Option<Beside>,
}

impl Service<Request<Incoming>> for Reception {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let known = request.extensions_mut();
        known.insert(self.peer);
        known.insert(self.streaming.clone());
        match &self.beside {
            Some(beside) => drop(known.insert(beside.clone())),
            None => drop(known.insert(Secured)),
        }
        self.router.call(request)
    }
}
