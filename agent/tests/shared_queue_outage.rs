//! An SQS that cannot be reached, answers in part or not at all.
//!
//! `SMS_OUTAGE_SECONDS` says how long it cannot be reached under load.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod fleet;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod process;

use std::collections::HashSet;
use std::time::Duration;

use fleet::proxy::{Mood, Proxy};
use fleet::{Fleet, assert_told, hand_in, message, published, send};
use process::Start;
use tokio::time::Instant;

#[test]
fn while_sqs_cannot_be_reached_sends_are_accepted_and_go_there_later_in_another_process_too() {
    let fleet = Fleet::new(60, 20);
    let proxy = Proxy::new(fleet.endpoint());
    let agent = fleet.at(Start::new(), &proxy.endpoint(), "accept").serve();
    let mut ids = vec![send(&agent, "")];
    assert_eq!((fleet.lying(), agent.get("/readyz").body.as_str()), ((1, 0), r#"{"status":"ok"}"#));

    proxy.set(Mood::Cut);
    ids.extend((0..60).map(|_| send(&agent, "")));
    let ready = agent.get("/readyz");
    assert_eq!((ready.status, ready.json()["status"].as_str()), (200, Some("degraded")), "{ready:?}");
    assert!(ready.json()["detail"].as_str().unwrap().contains("Sending to the SQS queue"), "{ready:?}");
    // A message that is not there yet can be taken back.
    let path = format!("/v1/messages/{}", ids.pop().unwrap());
    agent.until("it is not under way", |agent| agent.request("DELETE", &path, &[], "").status == 200);
    assert_eq!(fleet.lying(), (1, 0));

    let folder = agent.kill();
    let bound = "61";
    let agent = fleet.at(Start::in_folder(folder.path()), &proxy.endpoint(), "accept");
    let agent = agent.env("SMS_OUTBOX__MAX_QUEUED", bound).serve();
    ids.extend((0..2).map(|_| send(&agent, "")));
    assert_eq!(agent.send("+12065550100").problem(), "outbox_full", "{bound} wait");
    proxy.set(Mood::Open);
    agent.until("all are there", |_| fleet.lying() == (62, 0));
    agent.until("it says so", |agent| agent.get("/readyz").body == r#"{"status":"ok"}"#);

    let dispatching = fleet.agent("dispatch").serve();
    dispatching.until("all are published", |_| fleet.lying() == (0, 0));
    let phone: HashSet<_> = dispatching.phone().iter().map(|sms| sms["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(phone, ids.into_iter().collect());
}

/// Sends fifty messages a second for so many seconds; their ids, and the longest that a batch of them took.
fn load(agent: &process::Agent, seconds: u64) -> (HashSet<String>, Duration) {
    let (mut promised, mut longest) = (HashSet::new(), Duration::ZERO);
    for _ in 0..seconds * 10 {
        let begun = Instant::now();
        promised.extend(hand_in(agent, 5));
        longest = longest.max(begun.elapsed());
        std::thread::sleep(Duration::from_millis(100).saturating_sub(begun.elapsed()));
    }
    (promised, longest)
}

#[test]
fn an_outage_under_load_loses_nothing_and_all_is_published_after_it() {
    let seconds = std::env::var("SMS_OUTAGE_SECONDS").map_or(3, |text| text.parse().unwrap());
    let fleet = Fleet::new(5, 20);
    let proxy = Proxy::new(fleet.endpoint());
    let accepting = fleet.at(Start::new(), &proxy.endpoint(), "accept").serve();
    let dispatching = fleet.at(Start::new(), &proxy.endpoint(), "dispatch").serve();
    let (mut promised, _) = load(&accepting, 1);
    proxy.set(Mood::Cut);
    let (during, longest) = load(&accepting, seconds);
    assert_eq!(accepting.get("/readyz").json()["status"], "degraded");
    assert_eq!(dispatching.get("/readyz").problem(), "outbox_unavailable");
    proxy.set(Mood::Open);
    let back = Instant::now();
    accepting.until("it is ready", |agent| agent.get("/readyz").body == r#"{"status":"ok"}"#);
    dispatching.until("it is ready", |agent| agent.get("/readyz").body == r#"{"status":"ok"}"#);
    let ready = back.elapsed();
    let accepted = during.len();
    promised.extend(during);
    promised.extend(load(&accepting, 1).0);
    dispatching.at_leisure("all are published", |agent| published(&[agent]).len() == promised.len());
    let all = back.elapsed();
    dispatching.at_leisure("the queue is empty", |_| fleet.lying() == (0, 0));
    let times = published(&[&dispatching]);
    println!(
        "{seconds} s down: {accepted} accepted meanwhile, the slowest five in {longest:?}; both ready again after \
         {ready:?}, all {} published after {all:?}, {} of them twice",
        promised.len(),
        times.values().filter(|times| **times > 1).count()
    );
    assert!(promised.iter().all(|id| times.contains_key(id)) && fleet.dead() == 0);
    assert_told(&[&dispatching], &times);
}

/// Well under the twenty seconds for which a dispatcher waits for messages.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn an_idle_dispatcher_is_ready_again_soon_after_sqs_is_back() {
    let fleet = Fleet::new(60, 20);
    let proxy = Proxy::new(fleet.endpoint());
    let agent = fleet.at(Start::new(), &proxy.endpoint(), "dispatch").serve();
    agent.until("it waits for messages", |_| proxy.calls("ReceiveMessage") > 0);
    proxy.set(Mood::Cut);
    agent.until("it has noticed", |agent| agent.get("/readyz").status == 503);
    let ready = agent.get("/readyz");
    assert_eq!(ready.problem(), "outbox_unavailable");
    assert!(ready.json()["detail"].as_str().unwrap().starts_with("Taking from the SQS queue does not work: "));
    proxy.set(Mood::Open);
    let back = Instant::now();
    agent.until("it is ready again", |agent| agent.get("/readyz").status == 200);
    assert!(back.elapsed() < SOON, "{:?}", back.elapsed());
}

#[test]
fn an_idle_agent_that_only_accepts_notices_that_sqs_is_gone_and_that_it_is_back() {
    let fleet = Fleet::new(60, 20);
    let proxy = Proxy::new(fleet.endpoint());
    let agent = fleet.at(Start::new(), &proxy.endpoint(), "accept").serve();
    agent.until("it has looked", |_| proxy.calls("GetQueueAttributes") > 0);
    assert_eq!(agent.get("/readyz").body, r#"{"status":"ok"}"#);
    proxy.set(Mood::Cut);
    agent.until("it has noticed", |agent| agent.get("/readyz").json()["status"] == "degraded");
    assert!(agent.get("/readyz").json()["detail"].as_str().unwrap().contains("SQS"));
    proxy.set(Mood::Open);
    let back = Instant::now();
    agent.until("it is as before", |agent| agent.get("/readyz").body == r#"{"status":"ok"}"#);
    assert!(back.elapsed() < SOON, "{:?}", back.elapsed());
}

#[test]
fn what_could_not_be_deleted_in_an_outage_is_deleted_after_it() {
    let fleet = Fleet::new(600, 20);
    let proxy = Proxy::new(fleet.endpoint());
    let agent = fleet.at(Start::new(), &proxy.endpoint(), "dispatch").env("SMS_SIMULATOR__LATENCY", "1s").serve();
    let id = send(&fleet.agent("accept").serve(), "");
    agent.until("it has the message", |agent| agent.get(&format!("/v1/messages/{id}")).status == 200);
    proxy.set(Mood::Sticky);
    agent.wait_for(&id, &["sent", "delivered"]);
    agent.until("it says so", |agent| agent.get("/readyz").json()["detail"].to_string().contains("Deleting"));
    proxy.set(Mood::Open);
    agent.until("it is ready again", |agent| agent.get("/readyz").status == 200);
    assert_eq!(fleet.lying(), (0, 0));
}

#[test]
fn a_send_whose_answer_is_lost_is_made_again_and_says_that_there_may_be_two() {
    let fleet = Fleet::new(60, 20);
    let proxy = Proxy::new(fleet.endpoint());
    let agent = fleet.at(Start::new(), &proxy.endpoint(), "accept").serve();
    proxy.set(Mood::Mute);
    let id = send(&agent, "");
    agent.until("it is sent again", |_| fleet.lying().0 >= 2);
    assert_eq!(agent.request("DELETE", &format!("/v1/messages/{id}"), &[], "").problem(), "not_cancelable");
    let first = fleet.steal()["Body"].as_str().unwrap().to_owned();
    let second = fleet.steal()["Body"].as_str().unwrap().to_owned();
    assert!(first.contains(&id) && first.contains(r#""again":false"#), "{first}");
    assert!(second.contains(&id) && second.contains(r#""again":true"#), "{second}");
}

#[test]
fn what_sqs_refuses_of_a_batch_is_sent_again_and_holds_up_none_of_the_others() {
    let fleet = Fleet::new(60, 20);
    let proxy = Proxy::new(fleet.endpoint());
    let agent = fleet.at(Start::new(), &proxy.endpoint(), "accept").serve();
    proxy.set(Mood::Picky);
    let texts = (0..100).map(|n| if n % 10 == 3 { "stumble" } else { "sesame" });
    let messages: Vec<_> = texts.map(|text| format!(r#"{{"to":"+12065550100","body":"{text}"}}"#)).collect();
    let answer = agent.post("/v1/messages/batch", &format!(r#"{{"messages":[{}]}}"#, messages.join(",")));
    let results = answer.json()["results"].as_array().unwrap().clone();
    assert!(results.len() == 100 && results.iter().all(|result| result["status"] == 202), "{answer:?}");
    agent.until("the others are there", |_| fleet.lying() == (90, 0));
    proxy.set(Mood::Open);
    agent.until("these are too", |_| fleet.lying() == (100, 0));
    let again = (0..100).map(|_| fleet.steal()["Body"].as_str().unwrap().to_owned());
    assert!(again.into_iter().all(|text| text.contains(r#""again":false"#)), "it was certain that SQS had none of it");
}

#[test]
fn a_message_stays_hidden_through_a_hanging_publish_and_is_marked_where_it_does_not() {
    for (mood, marked) in [(Mood::Open, false), (Mood::Bare, true)] {
        let fleet = Fleet::new(2, 20);
        let proxy = Proxy::new(fleet.endpoint());
        let slow = fleet.at(Start::new(), &proxy.endpoint(), "dispatch").env("SMS_SIMULATOR__LATENCY", "6s");
        // With one slot it takes nothing meanwhile, and so does not get the message again itself.
        let slow = slow.env("SMS_DISPATCH__CONCURRENCY", "1").env("SMS_DISPATCH__ATTEMPT_TIMEOUT", "20s").serve();
        proxy.set(mood);
        let id = send(&fleet.agent("accept").serve(), "");
        slow.until("the publish hangs", |agent| {
            let answer = agent.get(&format!("/v1/messages/{id}"));
            answer.status == 200 && answer.json()["status"] == "sending"
        });
        let other = fleet.agent("dispatch").serve();
        let sent = slow.wait_for(&id, &["sent", "delivered"]);
        assert_eq!((&sent["attempts"], &sent["possible_duplicate"]), (&1.into(), &false.into()), "{sent}");
        slow.until("it is deleted", |_| fleet.lying() == (0, 0));
        if marked {
            other.until("the other has it", |agent| agent.get(&format!("/v1/messages/{id}")).status == 200);
            assert_eq!(other.wait_for(&id, &["sent", "delivered"])["possible_duplicate"], true);
        } else {
            assert_eq!(other.get(&format!("/v1/messages/{id}")).status, 404, "the other never saw it");
            assert!(proxy.calls("ChangeMessageVisibilityBatch") >= 2);
        }
    }
}

#[test]
fn what_cannot_be_sent_anew_at_a_stop_is_shown_to_the_others_as_it_is() {
    let fleet = Fleet::new(600, 20);
    let proxy = Proxy::new(fleet.endpoint());
    let accepting = fleet.agent("accept").serve();
    (0..10).for_each(|_| drop(send(&accepting, "")));
    let agent = fleet.hanging(fleet.at(Start::new(), &proxy.endpoint(), "dispatch"));
    assert!(fleet.lying().1 > 1, "it took more than it can publish at once: {:?}", fleet.lying());
    proxy.set(Mood::Sealed);
    agent.terminate();
    let (status, log, _folder) = agent.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert_eq!(fleet.lying(), (9, 1), "{log}");
    let other = fleet.agent("dispatch").serve();
    other.until("the other publishes them", |agent| agent.phone().len() == 9);
}

#[test]
fn no_message_is_taken_while_the_carrier_lets_nobody_in() {
    let fleet = Fleet::new(60, 20);
    let proxy = Proxy::new(fleet.endpoint());
    let accepting = fleet.agent("accept").serve();
    let ids: Vec<_> = (0..40).map(|_| send(&accepting, "")).collect();
    // Nobody listens where SNS should be.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let start = fleet.at(Start::new(), &proxy.endpoint(), "dispatch").env("SMS_AGENT__CARRIER", "sns");
    let start = start.env("SMS_AGENT__AUTH", "off").env("AWS_ENDPOINT_URL_SNS", format!("http://{nobody}"));
    let agent = start.env("SMS_DISPATCH__CONCURRENCY", "5").serve();
    agent.until("it has noticed", |agent| agent.get("/readyz").status == 503);
    let before = proxy.calls("ReceiveMessage");
    let in_hand = fleet.lying().1;
    assert!(in_hand <= 10, "{in_hand}");
    let tried = |agent: &process::Agent| {
        let page = agent.get("/v1/messages?limit=100").json();
        page["messages"].as_array().unwrap().iter().map(|one| one["attempts"].as_u64().unwrap()).sum::<u64>()
    };
    let so_far = tried(&agent);
    agent.until("it has asked three times more", |agent| tried(agent) >= so_far + 3);
    assert!(proxy.calls("ReceiveMessage") <= before + 1, "it goes on taking");
    assert_eq!(fleet.lying(), (40 - in_hand, in_hand));
    assert_eq!(message(&accepting, &ids[0])["status"], "queued");
}
