//! `GET /openapi.json`: the description of all this. Written by hand; the tests below hold it to the code.

use std::net::SocketAddr;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{self, Payload};
use super::routes::{Call, Work};
use crate::message::Problem;

const DOCUMENT: &str = include_str!("openapi.json");

/// The document of an agent at these addresses (see [`Listener::address`](super::Listener::address)). Where the agent
/// asks for no token, a request may still carry one: a client that was generated from one agent's document works with
/// every other agent. Members stay in their order, which generators turn into the order of a constructor's arguments.
pub(super) fn of(asks_for_token: bool, addresses: &[String]) -> Bytes {
    let servers: Value = addresses.iter().map(|address| server(address)).collect();
    let security = if asks_for_token { json!([{ "bearer": [] }]) } else { json!([{}, { "bearer": [] }]) };
    let document = compact(DOCUMENT)
        .replacen(r#""version":"0.0.0""#, &format!(r#""version":"{}""#, env!("CARGO_PKG_VERSION")), 1)
        .replacen(r#""security":[{"bearer":[]}]"#, &format!(r#""servers":{servers},"security":{security}"#), 1);
    Bytes::from(document)
}

/// The same JSON without the white space between its tokens.
fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let keeps = |char: &char| {
        let keep = in_string || !char.is_ascii_whitespace();
        in_string ^= *char == '"' && !escaped;
        escaped = *char == '\\' && !escaped;
        keep
    };
    json.chars().filter(keeps).collect()
}

/// An address as a URL that a client can connect to: an unspecified IP address (`0.0.0.0`) is none, and neither is the
/// path of a socket.
fn server(address: &str) -> Value {
    let url = match address.strip_prefix("http://").and_then(|address| address.parse::<SocketAddr>().ok()) {
        None => return json!({ "url": "http://localhost", "description": "Over the Unix socket of `agent.listen`" }),
        Some(address) if address.ip().is_unspecified() => format!("http://localhost:{}", address.port()),
        Some(address) => format!("http://{address}"),
    };
    json!({ "url": url })
}

/// The document as it stands.
pub(super) fn document(call: Call) -> Result<Work, Problem> {
    call.query.finish()?;
    let document = Payload::new(Bytes::clone(&call.api.document));
    Ok(Box::pin(async move { Ok(answer::ready_made(StatusCode::OK, document)) }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::api::message::{MessageJson, tests::message};
    use crate::api::problem::ProblemJson;
    use crate::api::routes::{Act, TABLE};
    use crate::api::{answer::to_json, batch, body, draft};
    use crate::message::{Code, Status};

    fn written() -> Value {
        serde_json::from_slice(&of(true, &["http://127.0.0.1:7670".to_owned()])).unwrap()
    }

    fn words(list: &Value) -> BTreeSet<String> {
        list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    }

    fn names(object: &Value) -> BTreeSet<String> {
        object.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn it_has_the_routes_of_the_table_and_no_others() {
        let paths = &written()["paths"];
        let described: BTreeSet<_> = names(paths)
            .into_iter()
            .flat_map(|path| names(&paths[&path]).into_iter().map(move |method| (path.clone(), method)))
            .collect();
        let real = TABLE.iter().map(|route| (route.path.to_owned(), route.method.as_str().to_lowercase())).collect();
        assert_eq!(described, real);
    }

    #[test]
    fn every_route_says_whether_it_asks_for_the_token_and_what_can_go_wrong() {
        let document = written();
        for route in &TABLE {
            let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
            let responses = names(&operation["responses"]);
            assert_eq!(operation["security"] == json!([]), route.open, "{}", route.path);
            assert_eq!(responses.contains("401"), !route.open, "{}", route.path);
            for status in ["200", "400", "405", "500"] {
                assert!(responses.contains(status), "{} {status}", route.path);
            }
            let writes = matches!(route.act, Act::Write(..));
            for status in ["408", "413", "415"] {
                assert_eq!(responses.contains(status), writes, "{} {status}", route.path);
            }
        }
    }

    #[test]
    fn its_codes_and_statuses_are_those_of_the_code() {
        let schemas = &written()["components"]["schemas"];
        let listed = words(&schemas["ProblemCode"]["x-extensible-enum"]);
        let codes = Code::ALL.map(|code| code.as_str().to_owned()).into();
        assert!(listed.is_superset(&codes), "{:?}", codes.difference(&listed));
        assert!(schemas["ProblemCode"].get("enum").is_none(), "a client must be able to read the codes to come");
        let statuses = Status::ALL.map(|status| status.as_str().to_owned());
        assert_eq!(words(&schemas["Message"]["properties"]["status"]["x-extensible-enum"]), statuses.clone().into());
        let filter = &written()["paths"]["/v1/messages"]["get"]["parameters"][0];
        assert_eq!((&filter["name"], words(&filter["schema"]["enum"])), (&json!("status"), statuses.into()));
    }

    #[test]
    fn every_code_is_named_by_the_response_that_it_comes_with() {
        let responses = written()["components"]["responses"].clone();
        let inside_only = [Code::OutcomeUnknown, Code::PhoneNumberUnassigned];
        for code in Code::ALL.into_iter().filter(|code| !inside_only.contains(code)) {
            let word = format!("`{}`", code.as_str());
            let named = responses
                .as_object()
                .unwrap()
                .values()
                .any(|response| response["description"].as_str().unwrap().contains(&word));
            assert!(named, "{word}");
        }
    }

    #[test]
    fn the_members_of_a_send_are_those_that_are_read() {
        let schemas = &written()["components"]["schemas"];
        let send = &schemas["Send"];
        assert_eq!(names(&send["properties"]), draft::MEMBERS.map(str::to_owned).into());
        assert_eq!(send["properties"]["expires_in"]["maximum"], draft::LONGEST_EXPIRY);
        assert_eq!(send["properties"]["reference"]["maxLength"], draft::LONGEST_REFERENCE);
        let sizes = (body::OF_ONE_MESSAGE, body::OF_A_BATCH);
        assert_eq!(sizes, (64 * 1024, 2 * 1024 * 1024), "as the response PayloadTooLarge says");
        assert_eq!(schemas["Batch"]["properties"]["messages"]["maxItems"], batch::LARGEST);
    }

    #[test]
    fn the_members_of_a_message_and_a_problem_are_those_that_are_written() {
        let schemas = &written()["components"]["schemas"];
        let shown: Value = serde_json::from_slice(&to_json(&MessageJson::from(&message()))).unwrap();
        assert_eq!(names(&schemas["Message"]["properties"]), names(&shown));
        assert_eq!(words(&schemas["Message"]["required"]), names(&shown));
        let problem = Problem::new(Code::Internal, "");
        let shown: Value = serde_json::from_slice(&to_json(&ProblemJson::new(&problem))).unwrap();
        assert_eq!(words(&schemas["Problem"]["required"]), names(&shown));
    }

    #[test]
    fn a_draft_has_the_members_of_a_send_and_requires_none() {
        let schemas = &written()["components"]["schemas"];
        assert_eq!(schemas["Draft"]["properties"], schemas["Send"]["properties"]);
        assert!(schemas["Draft"].get("required").is_none());
    }

    /// Some generators read an answer strictly unless the description says otherwise.
    #[test]
    fn a_send_has_the_listed_members_and_an_answer_may_get_more() {
        let document = written();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let more = match name.as_str() {
                "Send" | "Batch" => json!(false),
                "Draft" => continue,
                _ if schema["type"] == "object" => json!(true),
                _ => continue,
            };
            assert_eq!(schema["additionalProperties"], more, "{name}");
        }
    }

    #[test]
    fn it_is_the_written_document_but_for_version_servers_and_security() {
        let mut expected: Value = serde_json::from_str(DOCUMENT).unwrap();
        expected["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
        expected["servers"] = json!([{ "url": "http://127.0.0.1:7670" }]);
        assert_eq!(written(), expected);
    }

    #[test]
    fn where_no_token_is_needed_one_may_be_sent_all_the_same() {
        let open: Value = serde_json::from_slice(&of(false, &[])).unwrap();
        assert_eq!(open["security"], json!([{}, { "bearer": [] }]));
        assert_eq!(written()["security"], json!([{ "bearer": [] }]));
    }

    #[test]
    fn its_servers_are_the_addresses_that_a_client_can_use() {
        let addresses = ["http://127.0.0.1:7670", "http://0.0.0.0:80", "http://[::1]:7671", "unix:/run/sms.sock"];
        let document: Value = serde_json::from_slice(&of(true, &addresses.map(str::to_owned))).unwrap();
        let urls: Vec<_> = document["servers"].as_array().unwrap().iter().map(|server| &server["url"]).collect();
        assert_eq!(urls, ["http://127.0.0.1:7670", "http://localhost:80", "http://[::1]:7671", "http://localhost"]);
    }
}
