//! SNS with answers as AWS documents them, where moto has none: the calls of the sandbox, origination numbers, refusals.
//! All other calls go on to moto.

#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something is not as it must be")]

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::account::{Account, Ran};
use crate::peers::read_message;

/// An account whose SNS answers so.
pub(crate) struct Recorded {
    pub(crate) account: Account,
    endpoint: String,
    shared: Arc<Shared>,
}

struct Shared {
    moto: String,
    /// By action; of several answers each is given once, the last for ever.
    answers: Mutex<BTreeMap<String, Vec<Answer>>>,
    /// By the action that is late.
    lags: Mutex<BTreeMap<String, Lag>>,
    asked: Mutex<Vec<String>>,
}

/// Until it is known what another action has made.
struct Lag {
    made_by: String,
    code: String,
    message: String,
    made: bool,
    left: usize,
}

#[derive(Clone)]
struct Answer {
    /// For calls with this in their form; moto has the others.
    about: String,
    status: u16,
    body: String,
}

impl Recorded {
    pub(crate) fn new() -> Self {
        let account = Account::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let moto = account.moto.endpoint().strip_prefix("http://").unwrap().to_owned();
        let shared =
            Arc::new(Shared { moto, answers: Mutex::default(), lags: Mutex::default(), asked: Mutex::default() });
        let own = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&own);
                // The program closes its connections when it ends.
                thread::spawn(move || drop(shared.serve(client)));
            }
        });
        Self { account, endpoint, shared }
    }

    /// The action's result, in XML.
    pub(crate) fn answers(&self, action: &str, result: &str) -> &Self {
        let body = format!(
            "<{action}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><{action}Result>{result}</{action}Result>\
             <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{action}Response>"
        );
        self.answer(action, Answer { about: String::new(), status: 200, body })
    }

    /// The action fails.
    pub(crate) fn fails(&self, action: &str, status: u16, code: &str, message: &str) -> &Self {
        self.fails_about("", action, status, code, message)
    }

    /// The same of calls with that word in their form; the others are moto's.
    pub(crate) fn fails_about(&self, about: &str, action: &str, status: u16, code: &str, message: &str) -> &Self {
        let body = format!(
            "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        );
        self.answer(action, Answer { about: about.to_owned(), status, body })
    }

    /// Once an action has made something, the next calls of another one, so many, are answered as if it were not there; as AWS
    /// does for some seconds.
    pub(crate) fn lags(&self, made_by: &str, action: &str, code: &str, calls: usize) -> &Self {
        self.lags_saying(made_by, action, code, "not yet", calls)
    }

    /// The same in other words.
    pub(crate) fn lags_saying(&self, made_by: &str, action: &str, code: &str, message: &str, calls: usize) -> &Self {
        let (made_by, code, message) = (made_by.to_owned(), code.to_owned(), message.to_owned());
        let lag = Lag { made_by, code, message, made: false, left: calls };
        self.shared.lags.lock().unwrap().insert(action.to_owned(), lag);
        self
    }

    /// After the answers so far it is moto's turn, for ever.
    pub(crate) fn then_moto(&self, action: &str) -> &Self {
        self.answer(action, Answer { about: String::new(), status: 0, body: String::new() })
    }

    fn answer(&self, action: &str, answer: Answer) -> &Self {
        self.shared.answers.lock().unwrap().entry(action.to_owned()).or_default().push(answer);
        self
    }

    /// Out of the sandbox, with a number to send from.
    pub(crate) fn in_production(&self) -> &Self {
        self.answers("GetSMSSandboxAccountStatus", "<IsInSandbox>false</IsInSandbox>");
        let number = "<PhoneNumbers><member><PhoneNumber>+18005550100</PhoneNumber></member></PhoneNumbers>";
        self.answers("ListOriginationNumbers", number)
    }

    /// Runs the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.account.command(self.account.moto.endpoint(), arguments);
        command.env("AWS_ENDPOINT_URL_SNS", &self.endpoint);
        Account::ran(command)
    }

    /// Runs the program with all services behind it.
    pub(crate) fn run_all_through(&self, arguments: &[&str]) -> Ran {
        Account::ran(self.account.command(&self.endpoint, arguments))
    }

    /// The same, not run yet.
    pub(crate) fn command_all_through(&self, arguments: &[&str]) -> std::process::Command {
        self.account.command(&self.endpoint, arguments)
    }

    /// The forms of all calls of that action.
    pub(crate) fn asked(&self, action: &str) -> Vec<String> {
        let named = |form: &&String| action_of(form) == action;
        self.shared.asked.lock().unwrap().iter().filter(named).cloned().collect()
    }
}

/// By its form, or by its head where the service speaks JSON; and whether it does.
fn action(head: &[u8], form: &str) -> (String, bool) {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let target = head.lines().find_map(|line| line.strip_prefix("x-amz-target:")?.trim().rsplit_once('.'));
    target.map_or_else(|| (action_of(form).to_owned(), false), |(_, action)| (action.to_owned(), true))
}

fn action_of(form: &str) -> &str {
    form.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default()
}

impl Shared {
    fn serve(&self, mut client: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(client.try_clone()?);
        while let Some((head, body)) = read_message(&mut reader)? {
            let form = String::from_utf8_lossy(&body).into_owned();
            let (action, speaks_json) = action(&head, &form);
            let late = self.lagging(&action).map(|(code, message)| {
                let body = match speaks_json {
                    true => format!(r#"{{"__type":"{code}","message":"{message}"}}"#),
                    false => format!(
                        "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
                    ),
                };
                Answer { about: String::new(), status: 400, body }
            });
            let answer = late.or_else(|| self.next(&form));
            self.asked.lock().unwrap().push(form);
            match answer {
                Some(Answer { status, body, .. }) if status != 0 => {
                    let length = body.len();
                    write!(
                        client,
                        "HTTP/1.1 {status} X\r\ncontent-type: text/xml\r\ncontent-length: {length}\r\n\r\n{body}"
                    )?;
                }
                _ => {
                    let mut moto = TcpStream::connect(&self.moto)?;
                    moto.write_all(&head)?;
                    moto.write_all(&body)?;
                    let Some((head, body)) = read_message(&mut BufReader::new(moto))? else { return Ok(()) };
                    client.write_all(&head)?;
                    client.write_all(&body)?;
                }
            }
        }
        Ok(())
    }

    /// The code and the message of the error, while the action is late.
    fn lagging(&self, action: &str) -> Option<(String, String)> {
        let mut lags = self.lags.lock().unwrap();
        for lag in lags.values_mut().filter(|lag| lag.made_by.eq_ignore_ascii_case(action)) {
            lag.made = true;
        }
        let (_, lag) = lags.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(action))?;
        (lag.made && lag.left > 0).then(|| {
            lag.left -= 1;
            (lag.code.clone(), lag.message.clone())
        })
    }

    fn next(&self, form: &str) -> Option<Answer> {
        let mut answers = self.answers.lock().unwrap();
        let left = answers.get_mut(action_of(form))?;
        left.first().filter(|answer| form.contains(&answer.about))?;
        if left.len() > 1 { Some(left.remove(0)) } else { left.first().cloned() }
    }
}
