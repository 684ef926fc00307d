//! Encoding and segments of a text, held against what somebody else's program counts.
//!
//! `data/segments.mjs` wrote the texts and Twilio's answers. It differs from the standard in one thing: it keeps what a
//! reader takes for one character in one segment, however many code points that is. A phone joins the segments before
//! it shows them, so nothing is lost by a cut there, and 3GPP TS 23.040 knows nothing of it: the standard stands.

#![allow(clippy::unwrap_used, reason = "a test fails where its data is not what it says it is")]

use sms_agent::message::Text;

const COUNTED: &str = include_str!("data/segments.tsv");

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Written {
    Once(String),
    Pieces(Vec<(String, usize)>),
}

struct Row {
    text: Text,
    encoding: &'static str,
    segments: u32,
}

fn row(line: &'static str) -> Row {
    let [encoding, segments, written] = line.splitn(3, '\t').collect::<Vec<_>>().try_into().unwrap();
    let words = match serde_json::from_str(written).unwrap() {
        Written::Once(words) => words,
        Written::Pieces(pieces) => pieces.iter().map(|(piece, count)| piece.repeat(*count)).collect(),
    };
    Row { text: Text::parse(words).unwrap(), encoding, segments: segments.parse().unwrap() }
}

fn rows(of: &'static str) -> Vec<Row> {
    of.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(row).collect()
}

#[test]
fn a_text_is_counted_as_twilio_counts_it() {
    let (texts, _) = COUNTED.split_once("# graphemes").unwrap();
    let rows = rows(texts);
    assert!(rows.len() > 1_500, "{}", rows.len());
    for Row { text, encoding, segments } in rows {
        assert_eq!((text.encoding().as_str(), text.segments()), (encoding, segments), "{:?}", text.as_str());
    }
}

#[test]
fn a_character_of_several_code_points_is_cut_where_the_segment_ends() {
    let (_, texts) = COUNTED.split_once("# graphemes").unwrap();
    let by_the_standard = [2, 2, 2];
    let rows = rows(texts);
    assert_eq!(rows.iter().map(|row| row.text.segments()).collect::<Vec<_>>(), by_the_standard);
    // Should Twilio's count become the standard's, these texts belong to the others.
    assert!(rows.iter().all(|row| row.segments > row.text.segments()));
}
