//! The agent is killed at random moments under load, again and again; what it promised is held against what came of it.
//!
//! `SMS_CRASH_KILLS` says how often it is killed, `SMS_CRASH_SEED` brings a run's choices back (not its timing).
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod load;
mod process;

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use load::audit::Figures;
use load::{Random, Sender};
use process::Start;

const SENDERS: u64 = 10;
/// Kills in one folder, after which it is compared and another one begun: what is compared stays within memory.
const KILLS_A_FOLDER: u64 = 100;
/// How long a publish takes: from what is over at once to what is nearly always caught in the middle.
const LATENCIES: [&str; 4] = ["0s", "2ms", "15ms", "60ms"];

#[test]
fn nothing_promised_is_lost_and_nothing_doubled_that_was_not_in_flight_at_a_kill() {
    let (kills, seed) = (load::setting("SMS_CRASH_KILLS", 60), load::seed("SMS_CRASH_SEED"));
    println!("SMS_CRASH_SEED={seed} SMS_CRASH_KILLS={kills}");
    let mut random = Random(seed);
    let mut sum = Figures::default();
    let mut left = kills;
    while left > 0 {
        let now = left.min(KILLS_A_FOLDER);
        left -= now;
        let Figures { promised, kept, cut, doubled } = kill_again_and_again(now, &mut random);
        println!("{now} kills: {promised} promised, {kept} kept, {cut} cut off, {doubled} of them twice on a phone");
        sum.promised += promised;
        sum.cut += cut;
    }
    assert!(sum.promised > 0 && (kills < 20 || sum.cut > 0), "it was killed while nothing was in flight");
}

fn kill_again_and_again(kills: u64, random: &mut Random) -> Figures {
    let folder = tempfile::tempdir().unwrap();
    let mut senders: Vec<_> = (0..SENDERS).map(|number| Sender::new(format!("s{number}"), random.next())).collect();
    let mut cut: HashMap<String, u32> = HashMap::new();
    for life in 0..kills {
        let agent = start(folder.path())
            .env("SMS_SIMULATOR__LATENCY", LATENCIES[usize::try_from(life).unwrap() % LATENCIES.len()])
            .env("SMS_DISPATCH__SEGMENTS_PER_SECOND", random.one_of(&["0", "0", "100"]))
            .env("SMS_DISPATCH__CONCURRENCY", random.one_of(&["2", "64"]))
            .serve();
        // One life in five is over before much of the last one was taken up.
        let lived = if random.below(5) == 0 { random.below(10) } else { random.below(500) };
        let address = agent.address;
        let log = std::thread::scope(|scope| {
            for sender in &mut senders {
                scope.spawn(move || sender.send_while(address, || true));
            }
            std::thread::sleep(Duration::from_millis(lived));
            agent.cut_off()
        });
        assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
        for id in load::scene::in_flight(&folder.path().join("data/outbox.db")) {
            *cut.entry(id).or_default() += 1;
        }
    }
    let agent = start(folder.path()).serve();
    load::audit::compare(&agent, &mut senders, &cut)
}

fn start(folder: &Path) -> Start {
    Start::in_folder(folder)
        .env("SMS_DISPATCH__ATTEMPT_TIMEOUT", "150ms")
        .env("SMS_SIMULATOR__DELIVERY_DELAY", "20ms")
        .env("SMS_SIMULATOR__KEEP", "1000000")
}
