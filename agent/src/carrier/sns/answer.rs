//! What stands in an answer of SNS, read by us and not by the SDK.
//!
//! The SDK takes the beginning of a document that breaks off for all of it, skips what it does not find, and gives up
//! at an element that it does not know before the one that it wants. A message id is our only proof that SNS took a
//! message, so here the whole document has to be well-formed and the value has to stand in it once, at its place.

use std::sync::{Arc, OnceLock};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use xmlparser::{ElementEnd, Token, Tokenizer};

/// Names of the elements from the root to the value, without their namespaces.
pub(super) type Place = &'static [&'static str];

/// Where a publish has its message id.
pub(super) const MESSAGE_ID: Place = &["PublishResponse", "PublishResult", "MessageId"];

/// Where the answer about an opt-out has it.
pub(super) const IS_OPTED_OUT: Place =
    &["CheckIfPhoneNumberIsOptedOutResponse", "CheckIfPhoneNumberIsOptedOutResult", "isOptedOut"];

/// Where the attributes of the account are, of which nothing is read.
pub(super) const ATTRIBUTES: Place = &["GetSMSAttributesResponse"];

/// Where a refusal has its code.
const CODE: Place = &["ErrorResponse", "Error", "Code"];

/// Characters of a message id. SNS's are UUIDs; stand-ins have other forms.
const LONGEST_ID: usize = 100;

/// A document that is cut, is none, or has the value twice or with something in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Unreadable;

/// Listens to one call. Clones listen to the same one.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    place: Place,
    good: Arc<OnceLock<Result<Option<String>, Unreadable>>>,
    refusal: Arc<OnceLock<String>>,
}

impl Answer {
    /// Will know the value at that place of the answer.
    pub(super) fn at(place: Place) -> Self {
        Self { place, good: Arc::default(), refusal: Arc::default() }
    }

    /// The value in an answer of success. `None`: there was no such answer; `Ok(None)`: it lacks the value.
    pub(super) fn value(&self) -> Option<Result<Option<&str>, Unreadable>> {
        self.good.get().map(|read| match read {
            Ok(value) => Ok(value.as_deref()),
            Err(unreadable) => Err(*unreadable),
        })
    }

    /// The code of a refusal that could be read.
    pub(super) fn code(&self) -> Option<&str> {
        self.refusal.get().map(String::as_str)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Answer {
    fn name(&self) -> &'static str {
        "Answer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        // A body that broke off was not kept.
        let Some(body) = response.body().bytes() else { return Ok(()) };
        // Each is set once: a call is made once.
        if response.status().is_success() {
            drop(self.good.set(value(body, self.place)));
        } else if let Ok(Some(code)) = value(body, CODE) {
            drop(self.refusal.set(code));
        }
        Ok(())
    }
}

/// Whether this can be SNS's name of a message: visible ASCII, and not without end.
pub(super) fn is_message_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The text of the one element at that place of a well-formed document.
fn value(body: &[u8], place: Place) -> Result<Option<String>, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable)?;
    // Full names, for the end tags; namespaces are not looked at.
    let mut open: Vec<(&str, &str)> = Vec::new();
    let (mut begun, mut value) = (false, None::<String>);
    // How much of the path is open as it should be, counted while all above it is.
    let mut matched = 0;
    for token in Tokenizer::from(text) {
        let in_place = matched == place.len() && open.len() == matched;
        match token.map_err(|_| Unreadable)? {
            Token::ElementStart { prefix, local, .. } => {
                // A second root, or an element within the value.
                if (open.is_empty() && begun) || in_place {
                    return Err(Unreadable);
                }
                begun = true;
                if matched == open.len() && place.get(matched) == Some(&local.as_str()) {
                    matched += 1;
                }
                open.push((prefix.as_str(), local.as_str()));
                if matched == place.len() && open.len() == matched && value.replace(String::new()).is_some() {
                    return Err(Unreadable);
                }
            }
            Token::ElementEnd { end: ElementEnd::Open, .. } => {}
            Token::ElementEnd { end, .. } => {
                let closed = open.pop().ok_or(Unreadable)?;
                if let ElementEnd::Close(prefix, local) = end
                    && closed != (prefix.as_str(), local.as_str())
                {
                    return Err(Unreadable);
                }
                matched = matched.min(open.len());
            }
            Token::Text { text } => {
                if let Some(value) = value.as_mut().filter(|_| in_place) {
                    unescape(text.as_str(), value)?;
                } else if open.is_empty() && !text.as_str().trim().is_empty() {
                    return Err(Unreadable);
                }
            }
            Token::Cdata { text, .. } => {
                if let Some(value) = value.as_mut().filter(|_| in_place) {
                    value.push_str(text.as_str());
                }
            }
            // What entities of its own a document declares is not looked at: a reference to one cannot be read.
            _ => {}
        }
    }
    if begun && open.is_empty() { Ok(value) } else { Err(Unreadable) }
}

/// Appends the text with the references of XML replaced.
fn unescape(text: &str, to: &mut String) -> Result<(), Unreadable> {
    let mut rest = text;
    while let Some((before, reference)) = rest.split_once('&') {
        to.push_str(before);
        let (name, after) = reference.split_once(';').ok_or(Unreadable)?;
        to.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => numbered(name).ok_or(Unreadable)?,
        });
        rest = after;
    }
    to.push_str(rest);
    Ok(())
}

fn numbered(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let number = match digits.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    number.ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "94f20ce6-13c5-43a0-9a9e-ca52d816e90b";

    fn id_in(document: &str) -> Result<Option<String>, Unreadable> {
        value(document.as_bytes(), MESSAGE_ID)
    }

    fn response(inner: &str) -> String {
        format!("<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">{inner}</PublishResponse>")
    }

    fn result(inner: &str) -> String {
        format!("<PublishResult>{inner}</PublishResult>")
    }

    #[test]
    fn an_id_is_found_whatever_stands_around_it() {
        let id = format!("<MessageId>{ID}</MessageId>");
        let metadata = "<ResponseMetadata><RequestId>r</RequestId><MessageId>other</MessageId></ResponseMetadata>";
        for document in [
            response(&result(&id)),
            response(&format!("<Extra/>{}", result(&id))),
            response(&format!("{metadata}{}", result(&id))),
            response(&format!("{}{metadata}", result(&id))),
            response(&format!(
                "<!-- a --><Extra a='&gt;'><PublishResult><MessageId>x</MessageId></PublishResult></Extra>{}",
                result(&id)
            )),
            response(&result(&format!("<A><MessageId>x</MessageId></A>\n {id}<B>text</B>"))),
            response(&result(&format!("<MessageId a=\"b\">{ID}</MessageId>"))),
            response(&result("<MessageId><![CDATA[94f20ce6-13c5-43a0]]>-9a9e-<!-- -->ca52d816e90b</MessageId>")),
            response(&result("<MessageId>&#57;4f20ce6&#x2d;13c5-43a0-9a9e-ca52d816e90b</MessageId>")),
            format!("\u{feff}<?xml version=\"1.0\"?>\n<!-- a -->\n{}\n<!-- b -->\n", response(&result(&id))),
            format!("<!DOCTYPE PublishResponse>{}", response(&result(&id))),
            format!(
                "<s:PublishResponse xmlns:s=\"u\"><s:PublishResult><s:MessageId>{ID}</s:MessageId></s:PublishResult>\
                 </s:PublishResponse>"
            ),
        ] {
            assert_eq!(id_in(&document).as_ref().map(Option::as_deref), Ok(Some(ID)), "{document}");
        }
    }

    #[test]
    fn a_document_that_is_cut_anywhere_has_no_id() {
        let whole = response(&format!("<Extra a='b'/>{}<!-- c -->", result(&format!("<MessageId>{ID}</MessageId>"))));
        for (at, _) in whole.char_indices() {
            let (cut, _) = whole.split_at(at);
            assert_eq!(id_in(cut), Err(Unreadable), "{cut}");
        }
        assert_eq!(id_in(&whole).as_ref().map(Option::as_deref), Ok(Some(ID)));
    }

    #[test]
    fn what_is_no_document_or_has_two_ids_is_not_read() {
        let id = format!("<MessageId>{ID}</MessageId>");
        for document in [
            response(&result(&format!("{id}{id}"))),
            response(&format!("{0}{0}", result(&id))),
            response(&result(&format!("<MessageId>{ID}<b/></MessageId>"))),
            response(&result("<MessageId>a&lol;b</MessageId>")),
            response(&result("<MessageId>a&#xffffff;b</MessageId>")),
            response(&result("<MessageId>a & b</MessageId>")),
            response(&format!("<PublishResult>{id}</PublishResponse></PublishResult>")),
            format!("{}{}", response(&result(&id)), response("")),
            format!("{}trailing", response(&result(&id))),
            format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{}", response(&result("<MessageId>&b;</MessageId>"))),
            "SSH-2.0-OpenSSH_9.6".to_owned(),
            String::new(),
        ] {
            assert_eq!(id_in(&document), Err(Unreadable), "{document}");
        }
        assert_eq!(value(b"\xff\xfe<\0P\0", MESSAGE_ID), Err(Unreadable));
    }

    #[test]
    fn an_answer_without_an_id_at_its_place_has_none() {
        for document in [
            response(""),
            response(&result("")),
            response("<Extra><PublishResult><MessageId>x</MessageId></PublishResult></Extra>"),
            "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>".to_owned(),
            "<Publish><PublishResult><MessageId>x</MessageId></PublishResult></Publish>".to_owned(),
        ] {
            assert_eq!(id_in(&document), Ok(None), "{document}");
        }
    }

    #[test]
    fn an_id_is_visible_and_bounded() {
        for id in [ID, "m-1", "1", &"a".repeat(100), "arn:aws:sns/x+y=&z"] {
            assert!(is_message_id(id), "{id}");
        }
        for id in ["", "   ", " m-1", "m-1\n", "m 1", "m\u{0}1", "\u{7f}", "ä", &"a".repeat(101)] {
            assert!(!is_message_id(id), "{id:?}");
        }
    }
}
