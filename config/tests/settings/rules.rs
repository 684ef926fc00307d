//! Values that must fit each other, and those that are worked out.

use std::net::SocketAddr;
use std::path::Path;

use sms_config::{Listen, Queue, Role};

use super::Start;

fn token_needed(pairs: &[&str]) -> bool {
    pairs.iter().fold(Start::new(), |start, pair| start.set(pair)).settings().agent.require_token
}

fn refused(pairs: &[&str]) -> String {
    pairs.iter().fold(Start::new(), |start, pair| start.set(pair)).error()
}

#[test]
fn addresses_are_ip_literals_with_a_port_or_unix_sockets() {
    let start = Start::new().set("agent.listen=127.0.0.1:0,[::1]:7670,unix:/run/sms.sock,unix:~/sms.sock");
    let tcp = |text: &str| Listen::Tcp(text.parse::<SocketAddr>().unwrap());
    let unix = |path: &str| Listen::Unix(path.into());
    let want = [tcp("127.0.0.1:0"), tcp("[::1]:7670"), unix("/run/sms.sock"), unix("/somebody/sms.sock")];
    assert_eq!(start.settings().agent.listen, want);
    for wrong in [
        "localhost:7670",
        "127.0.0.1",
        "127.0.0.1:65536",
        "::1:7670",
        "unix:",
        "unix:run/sms.sock",
        "http://127.0.0.1:1",
    ] {
        let error = refused(&[&format!("agent.listen={wrong}")]);
        assert!(error.starts_with("agent.listen (from --set): must be a list"), "{wrong}: {error}");
    }
    let homeless = Start::new().without_home().set("agent.data_dir=/d").set("agent.listen=unix:~/sms.sock");
    assert!(homeless.error().starts_with("agent.listen (from --set): has a path that begins with ~"));
    assert_eq!(refused(&["agent.listen=[]"]), "agent.listen (from --set): must name at least one address");
}

#[test]
fn an_address_that_others_can_reach_needs_allow_remote() {
    for remote in ["0.0.0.0:7670", "[::]:7670", "10.0.0.1:7670", "127.0.0.1:1,192.168.1.1:1"] {
        let listen = format!("agent.listen={remote}");
        let error = refused(&[&listen]);
        assert!(error.contains("agent.listen (from --set)") && error.contains("agent.allow_remote = true"), "{error}");
        assert!(token_needed(&[&listen, "agent.allow_remote=true"]), "{remote}");
    }
    assert!(!token_needed(&["agent.listen=127.8.9.1:1,[::ffff:127.0.0.1]:1"]), "the whole of 127/8 is loopback");
}

#[test]
fn auto_needs_no_token_only_with_the_simulator_on_this_machine() {
    assert!(!token_needed(&[]));
    assert!(!token_needed(&["agent.listen=unix:/run/a"]));
    assert!(token_needed(&["agent.carrier=sns"]));
    assert!(token_needed(&["agent.auth=token"]));
    assert!(!token_needed(&["agent.auth=off", "agent.carrier=sns"]));
}

#[test]
fn auth_cannot_be_off_where_others_can_reach() {
    let error = refused(&["agent.auth=off", "agent.allow_remote=true", "agent.listen=0.0.0.0:1"]);
    assert!(error.starts_with("agent.auth (from --set): may be \"off\" only where"), "{error}");
}

#[test]
fn the_data_dir_follows_the_base_directory_specification() {
    let dir = |start: Start| start.set("agent.carrier=sns").settings().agent.data_dir;
    assert_eq!(dir(Start::new()), Path::new("/somebody/.local/state/sms-agent"));
    assert_eq!(dir(Start::new().var("XDG_STATE_HOME", "/state")), Path::new("/state/sms-agent"));
    assert_eq!(dir(Start::new().without_home().var("XDG_STATE_HOME", "/state")), Path::new("/state/sms-agent"));
    let relative = Start::new().var("XDG_STATE_HOME", "state");
    assert_eq!(dir(relative), Path::new("/somebody/.local/state/sms-agent"));
    assert_eq!(dir(Start::new().set("agent.data_dir=~/sms")), Path::new("/somebody/sms"));
    assert_eq!(dir(Start::new().set("agent.data_dir=~")), Path::new("/somebody"));
    assert_eq!(dir(Start::new().without_home().set("agent.data_dir=/var/lib/sms")), Path::new("/var/lib/sms"));
    let homeless = Start::new().without_home().set("agent.token_file=~/token").set("agent.listen=unix:~/sms.sock");
    let shared = homeless.without_agent().settings();
    assert_eq!(shared.account.name, "sms", "whoever runs no agent needs none of its folders");
    let error = Start::new().without_home().error();
    assert!(error.starts_with("agent.data_dir (not set): must be set"), "{error}");
    let error = Start::new().without_home().set("agent.data_dir=~/sms").error();
    assert!(error.starts_with("agent.data_dir (from --set): begins with ~"), "{error}");
}

#[test]
fn trials_on_the_simulator_have_a_folder_of_their_own_unless_one_is_set() {
    let agent = |start: Start| start.settings().agent;
    let trial = agent(Start::new().var("XDG_STATE_HOME", "/state"));
    assert_eq!(trial.data_dir, Path::new("/state/sms-agent/simulator"));
    assert_eq!(trial.token_file, Path::new("/state/sms-agent/simulator/token"));
    assert_eq!(agent(Start::new()).data_dir, Path::new("/somebody/.local/state/sms-agent/simulator"));
    assert_eq!(agent(Start::new().set("agent.data_dir=/d")).data_dir, Path::new("/d"));
}

#[test]
fn the_token_is_beside_the_outbox_unless_it_is_put_elsewhere() {
    let file = |start: Start| start.settings().agent.token_file;
    assert_eq!(file(Start::new().set("agent.data_dir=/d")), Path::new("/d/token"));
    assert_eq!(file(Start::new().set("agent.token_file=/run/secrets/token")), Path::new("/run/secrets/token"));
}

#[test]
fn the_socket_mode_is_octal_text() {
    assert_eq!(Start::new().settings().agent.socket_mode, 0o600);
    assert_eq!(Start::new().set("agent.socket_mode=660").settings().agent.socket_mode, 0o660);
    for wrong in ["888", "01777", "0x1ff", "+600", "60"] {
        assert!(refused(&[&format!("agent.socket_mode={wrong}")]).contains("in octal"), "{wrong}");
    }
    assert!(Start::new().file("[agent]\nsocket_mode = 0o600").error().contains("in octal, as text"));
}

#[test]
fn the_pace_is_that_of_the_carrier_unless_it_is_set_and_zero_is_none() {
    let pace = |pairs: &[&str]| {
        let start = pairs.iter().fold(Start::new(), |start, pair| start.set(pair));
        start.settings().dispatch.segments_per_second.map(std::num::NonZeroU32::get)
    };
    assert_eq!(pace(&[]), None);
    assert_eq!(pace(&["agent.carrier=sns"]), Some(20));
    assert_eq!(pace(&["agent.carrier=sns", "dispatch.segments_per_second=0"]), None);
    assert_eq!(pace(&["dispatch.segments_per_second=5"]), Some(5));
}

#[test]
fn no_limit_of_attempts_is_none() {
    assert_eq!(Start::new().settings().dispatch.max_attempts, None);
    let three = Start::new().set("dispatch.max_attempts=3").settings();
    assert_eq!(three.dispatch.max_attempts.map(std::num::NonZeroU32::get), Some(3));
}

#[test]
fn the_queue_needs_its_url_and_its_keys_need_the_queue() {
    let url = "agent.queue_url=https://sqs.us-east-1.amazonaws.com/123456789012/sms-outbox";
    let start = Start::new().set("agent.queue=sqs").set(url).set("agent.role=accept");
    assert!(
        matches!(start.settings().agent.queue, Queue::Sqs { url, role: Role::Accept } if url.as_str().ends_with("/sms-outbox"))
    );
    assert!(refused(&["agent.queue=sqs"]).starts_with("agent.queue_url (not set): must be the http"));
    assert!(refused(&[url]).starts_with("agent.queue_url (from --set): is only for agent.queue"));
    assert!(refused(&["agent.role=dispatch"]).starts_with("agent.role (from --set): may be other than"));
    assert!(refused(&["agent.queue=sqs", "agent.queue_url=https://a:b@c/d"]).contains("without a user name"));
    for wrong in ["https://sqs.eu-west-1.amazonaws.com/1/sms.fifo", "ftp://c/1/d", "http://127.0.0.1:4566"] {
        let error = refused(&["agent.queue=sqs", &format!("agent.queue_url={wrong}")]);
        assert!(error.starts_with("agent.queue_url (from --set): must be the http"), "{wrong}: {error}");
        assert!(error.contains("a standard queue, which ends in its account and its name"), "{wrong}: {error}");
    }
}

#[test]
fn aws_keys_are_what_aws_can_take_and_empty_is_not_set() {
    let start = Start::new().file("[aws]\nregion = \"\"\nrole_arn = \"\"\nexternal_id = \"\"");
    assert_eq!(start.settings().aws, sms_config::Aws::default());
    let role = "aws.role_arn=arn:aws-us-gov:iam::123456789012:role/ops/sms";
    assert!(Start::new().set(role).set("aws.external_id=ab").settings().aws.external_id.is_some());
    assert!(refused(&["aws.external_id=abcdef"]).starts_with("aws.external_id (from --set): is only for a role"));
    for wrong in [
        "aws.role_arn=arn:aws:iam::12345678901:role/sms",
        "aws.role_arn=arn:aws:iam::123456789012:user/sms",
        "aws.role_arn=arn:aws:sts::123456789012:role/sms",
        "aws.role_arn=sms",
        "aws.endpoint_url=localhost:4566",
        "aws.endpoint_url=ftp://localhost",
        "aws.endpoint_url=http://",
        "aws.region=US East",
    ] {
        let key = wrong.split_once('=').unwrap().0;
        assert!(refused(&[wrong]).starts_with(&format!("{key} (from --set): must be ")), "{wrong}");
    }
}
