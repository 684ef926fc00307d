//! Which paths there are, which methods they have, and who answers.
//!
//! A new route is one line in [`TABLE`] and one function in a file of its own.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method};
use percent_encoding::percent_decode_str;

use super::answer::Answer;
use super::capacity::Capacity;
use super::json::Members;
use super::query::Query;
use super::{Api, batch, body, cancel, health, history, inbox, lookup, openapi, opt_outs, preview, send};
use crate::message::Problem;

/// A request that passed the gates which all routes share.
pub(super) struct Call {
    /// The rooms behind the doors.
    pub(super) api: Arc<Api>,
    /// What the listener has left that it came by.
    pub(super) capacity: Arc<Capacity>,
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// The values after the question mark.
    pub(super) query: Query,
    /// What stands for `{…}` in the path, decoded; empty if the path has none or it is no UTF-8.
    pub(super) segment: String,
}

/// The part of a route's work that has to wait for something.
pub(super) type Work = BoxFuture<'static, Result<Answer, Problem>>;

/// What a route does, beginning with the gate «members».
pub(super) enum Act {
    /// Takes no body; one that comes all the same is ignored.
    Read(fn(Call) -> Result<Work, Problem>),
    /// Takes a JSON object of at most so many bytes.
    Write(usize, fn(Call, &Members<'_>) -> Result<Work, Problem>),
}

/// One method of one path.
pub(super) struct Route {
    /// The path, as OpenAPI and the traces name it.
    pub(super) path: &'static str,
    /// The method; GET answers HEAD as well.
    pub(super) method: Method,
    /// Whether it answers without the token.
    pub(super) open: bool,
    /// Whether it is a way to send.
    pub(super) sends: bool,
    /// What it does.
    pub(super) act: Act,
}

/// All routes.
#[rustfmt::skip]
pub(super) static TABLE: [Route; 11] = [
    Route { path: "/v1/messages", method: Method::POST, open: false, sends: true, act: Act::Write(body::OF_ONE_MESSAGE, send::send) },
    Route { path: "/v1/messages", method: Method::GET, open: false, sends: false, act: Act::Read(history::messages) },
    Route { path: "/v1/messages/batch", method: Method::POST, open: false, sends: true, act: Act::Write(body::OF_A_BATCH, batch::send) },
    Route { path: "/v1/messages/preview", method: Method::POST, open: false, sends: false, act: Act::Write(body::OF_ONE_MESSAGE, preview::preview) },
    Route { path: "/v1/messages/{id}", method: Method::GET, open: false, sends: false, act: Act::Read(lookup::message) },
    Route { path: "/v1/messages/{id}", method: Method::DELETE, open: false, sends: false, act: Act::Read(cancel::message) },
    Route { path: OPT_OUT, method: Method::GET, open: false, sends: false, act: Act::Read(opt_outs::opted_out) },
    Route { path: "/v1/simulator/messages", method: Method::GET, open: false, sends: false, act: Act::Read(inbox::messages) },
    Route { path: HEALTH, method: Method::GET, open: true, sends: false, act: Act::Read(health::alive) },
    Route { path: READINESS, method: Method::GET, open: true, sends: false, act: Act::Read(health::ready) },
    Route { path: "/openapi.json", method: Method::GET, open: true, sends: false, act: Act::Read(openapi::document) },
];

/// The path that answers as long as the process serves, whatever else may be.
pub(super) const HEALTH: &str = "/healthz";

/// The path that says whether a message would get anywhere.
pub(super) const READINESS: &str = "/readyz";

/// The path that asks the carrier about a number.
const OPT_OUT: &str = "/v1/opt-outs/{number}";

impl Route {
    /// Whether it may have to wait for the carrier.
    pub(super) fn waits(&self) -> bool {
        matches!(self.act, Act::Write(..)) || self.path == OPT_OUT
    }
}

/// One path with all its methods.
pub(super) struct Place {
    /// As the table has it.
    pub(super) path: &'static str,
    /// Whether it answers without the token.
    pub(super) open: bool,
    /// What the header `Allow` says.
    pub(super) allowed: HeaderValue,
    routes: Vec<&'static Route>,
}

impl Place {
    /// The route of that method.
    pub(super) fn route(&self, method: &Method) -> Option<&'static Route> {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.routes.iter().copied().find(|route| route.method == *method)
    }
}

/// Finds the place of a path.
pub(super) struct Routes(matchit::Router<Place>);

impl Routes {
    /// Of the whole table.
    pub(super) fn new() -> Self {
        let mut router = matchit::Router::new();
        for first in &TABLE {
            let routes: Vec<_> = TABLE.iter().filter(|route| route.path == first.path).collect();
            let mut methods: Vec<_> = routes.iter().map(|route| route.method.as_str()).collect();
            if methods.contains(&"GET") {
                methods.push("HEAD");
            }
            let allowed = HeaderValue::try_from(methods.join(", ")).unwrap_or(HeaderValue::from_static(""));
            // A path with several methods comes round several times; the router keeps its first place.
            drop(router.insert(first.path, Place { path: first.path, open: first.open, allowed, routes }));
        }
        Self(router)
    }

    /// The place of a path as it was sent, and what stands for its `{…}`.
    pub(super) fn find(&self, path: &str) -> Option<(&Place, String)> {
        let found = self.0.at(path).ok()?;
        let segment = found.params.iter().next().map(|(_, raw)| percent_decode_str(raw).decode_utf8());
        Some((found.value, segment.and_then(Result::ok).map(String::from).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_found_under_its_path_and_method() {
        let routes = Routes::new();
        for route in &TABLE {
            let path = route.path.replace("{id}", "01").replace("{number}", "+1");
            let (place, _) = routes.find(&path).unwrap();
            assert_eq!(place.path, route.path);
            assert!(std::ptr::eq(place.route(&route.method).unwrap(), route));
        }
    }

    #[test]
    fn a_get_answers_head_and_says_so() {
        let routes = Routes::new();
        let (place, _) = routes.find("/v1/messages/01").unwrap();
        assert!(place.route(&Method::HEAD).is_some());
        assert_eq!(place.allowed, "GET, DELETE, HEAD");
        let (place, _) = routes.find("/v1/messages/batch").unwrap();
        assert_eq!(place.allowed, "POST");
        assert!(place.route(&Method::HEAD).is_none());
    }

    #[test]
    fn a_slash_too_many_leads_nowhere() {
        let routes = Routes::new();
        for path in ["/v1/messages/", "//v1/messages", "/v1/messages/01/", "/healthz/", "/", "", "*", "/V1/messages"] {
            assert!(routes.find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn what_stands_in_the_path_is_decoded() {
        let routes = Routes::new();
        for path in ["/v1/opt-outs/+12065550100", "/v1/opt-outs/%2B12065550100"] {
            assert_eq!(routes.find(path).unwrap().1, "+12065550100");
        }
        assert_eq!(routes.find("/v1/opt-outs/%FF").unwrap().1, "");
    }
}
