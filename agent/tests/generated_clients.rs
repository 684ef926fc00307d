//! Clients that the usual generators make from `/openapi.json`: each is generated, compiled where its language is, and
//! made to use every operation, on an agent without a token and on one that asks for it. Each reads an answer of a
//! later version too, with a code, a status and members that do not exist yet.
//!
//! A language that is not on the machine is named on standard error; `.ci/run` sees to it that all are there.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "all of this is test code, outside of test functions too")]

#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod process;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use peers::Packages;
use process::{Agent, Start};
use serde_json::json;

static GENERATORS: Packages = Packages::new(
    "agent/tests/clients",
    include_str!("clients/requirements.txt"),
    include_str!("clients/constraints.txt"),
);

#[test]
fn openapi_python_client_makes_a_client_that_works() {
    let work = Work::new(&[]);
    let settings = "project_name_override: sms-agent-client\npackage_name_override: sms_agent_client\n";
    fs::write(work.path("settings.yaml"), settings).unwrap();
    let mut generate = GENERATORS.command("openapi-python-client");
    generate.args(["generate", "--path", "openapi.json", "--config", "settings.yaml", "--meta", "none"]);
    work.run(generate.args(["--output-path", "sms_agent_client"]));
    work.uses_every_operation(|| python(&work, "openapi_python_client.py"));
}

#[test]
fn openapi_generator_makes_a_python_client_that_works() {
    let work = Work::new(&[]);
    work.generate("python", ".", &[]);
    work.uses_every_operation(|| python(&work, "openapi_generator_python.py"));
}

#[test]
fn openapi_typescript_and_openapi_fetch_make_a_client_that_works() {
    let work = Work::new(&["openapi_fetch.ts"]);
    let Some(bin) = work.node_modules() else { return };
    work.run(Command::new(bin.join("openapi-typescript")).args(["openapi.json", "--output", "schema.d.ts"]));
    work.compile(&bin);
    work.uses_every_operation(|| node(&work, "openapi_fetch.js"));
}

#[test]
fn orval_makes_a_client_that_works() {
    let work = Work::new(&["orval.ts"]);
    let Some(bin) = work.node_modules() else { return };
    let input = ["--input", "openapi.json", "--output", "sms.ts", "--client", "fetch"];
    work.run(Command::new(bin.join("orval")).args(input));
    work.compile(&bin);
    work.uses_every_operation(|| node(&work, "orval.js"));
}

#[test]
fn openapi_generator_makes_a_typescript_client_that_works() {
    let work = Work::new(&["typescript_fetch.ts"]);
    let Some(bin) = work.node_modules() else { return };
    work.generate("typescript-fetch", "client", &[]);
    work.compile(&bin);
    work.uses_every_operation(|| node(&work, "typescript_fetch.js"));
}

#[test]
fn openapi_generator_makes_a_go_client_that_works() {
    let work = Work::new(&["main.go"]);
    if !is_here("go", &["version"]) {
        return;
    }
    work.generate("go", "client", &["--additional-properties=packageName=client,withGoMod=false"]);
    fs::remove_dir_all(work.path("client/test")).unwrap();
    fs::write(work.path("go.mod"), "module example\n\ngo 1.19\n").unwrap();
    work.run(Command::new("go").args(["build", "-o", "program", "."]));
    work.uses_every_operation(|| Command::new(work.path("program")));
}

#[test]
fn openapi_generator_makes_a_php_client_that_works() {
    let work = Work::new(&["main.php"]);
    if !is_here("php", &["-r", "require '/usr/share/php/GuzzleHttp/autoload.php';"]) {
        return;
    }
    work.generate("php", "client", &[]);
    work.uses_every_operation(|| {
        let mut php = Command::new("php");
        php.arg("main.php");
        php
    });
}

#[test]
fn openapi_generator_makes_a_ruby_client_that_works() {
    let work = Work::new(&["main.rb"]);
    if !is_here("ruby", &["-r", "typhoeus", "-e", ""]) {
        return;
    }
    work.generate("ruby", "client", &[]);
    work.uses_every_operation(|| {
        let mut ruby = Command::new("ruby");
        ruby.args(["-I", "client/lib", "main.rb"]);
        ruby
    });
}

#[test]
fn redocly_and_spectral_find_no_error_in_the_description() {
    for auth in ["off", "token"] {
        let work = Work::of(&agent(auth), &[]);
        let Some(bin) = work.node_modules() else { return };
        fs::write(work.path(".spectral.yaml"), "extends: [\"spectral:oas\"]\n").unwrap();
        work.run(Command::new(bin.join("redocly")).args(["lint", "openapi.json"]));
        work.run(Command::new(bin.join("spectral")).args(["lint", "openapi.json"]));
    }
}

/// One publish at a time, so that what waits behind a number that hangs can be canceled.
fn agent(auth: &str) -> Agent {
    Start::new()
        .env("SMS_AGENT__AUTH", auth)
        .env("SMS_DISPATCH__CONCURRENCY", "1")
        .env("SMS_DISPATCH__ATTEMPT_TIMEOUT", "5s")
        .serve()
}

fn python(work: &Work, program: &str) -> Command {
    let mut python = Command::new(GENERATORS.python());
    python.env("PYTHONPATH", work.path(".")).arg(source(program));
    python
}

fn node(work: &Work, program: &str) -> Command {
    let mut node = Command::new("node");
    node.arg(work.path("out").join(program));
    node
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

/// A folder with the description of an agent, in which a client is made.
struct Work {
    folder: tempfile::TempDir,
}

impl Work {
    /// With these of the programs in it.
    fn new(programs: &[&str]) -> Self {
        Self::of(&agent("off"), programs)
    }

    fn of(agent: &Agent, programs: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("openapi.json"), agent.get("/openapi.json").body).unwrap();
        for name in programs {
            fs::copy(source(name), folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, command: &mut Command) {
        let program = command.get_program().to_owned();
        let output =
            command.current_dir(self.folder.path()).output().unwrap_or_else(|error| panic!("{program:?}: {error}"));
        let told = [output.stdout, output.stderr].map(|told| String::from_utf8_lossy(&told).into_owned()).concat();
        assert!(output.status.success(), "{command:?}:\n{told}");
    }

    /// Makes a client with openapi-generator, which is a program in Java.
    fn generate(&self, language: &str, folder: &str, more: &[&str]) {
        let mut generate = GENERATORS.command("openapi-generator-cli");
        generate.args(["generate", "-g", language, "-i", "openapi.json", "-o", folder]).args(more);
        self.run(&mut generate);
    }

    /// Links npm's packages to where a compiler finds them; the folder of their programs.
    fn node_modules(&self) -> Option<PathBuf> {
        if !is_here("npm", &["--version"]) {
            return None;
        }
        let packages = peers::npm(include_str!("clients/package.json"), include_str!("clients/package-lock.json"));
        std::os::unix::fs::symlink(&packages, self.path("node_modules")).unwrap();
        Some(packages.join(".bin"))
    }

    fn compile(&self, bin: &Path) {
        let options = json!({
            "compilerOptions": {
                "strict": true, "skipLibCheck": true, "esModuleInterop": true, "target": "es2022", "module": "commonjs",
                "moduleResolution": "node", "lib": ["es2022", "dom", "dom.iterable"], "types": ["node"], "outDir": "out",
                "rootDir": ".",
            },
            "exclude": ["node_modules", "out"],
        });
        fs::write(self.path("tsconfig.json"), options.to_string()).unwrap();
        self.run(&mut Command::new(bin.join("tsc")));
    }

    fn uses_every_operation(&self, program: impl Fn() -> Command) {
        let later = a_later_version().to_string();
        let later = format!("http://{later}");
        for auth in ["off", "token"] {
            let agent = agent(auth);
            let mut program = program();
            program.arg(format!("http://{}", agent.address)).arg(&later);
            if auth == "token" {
                program.arg(fs::read_to_string(agent.data_dir().join("token")).unwrap().trim());
            }
            self.run(&mut program);
        }
    }
}

/// Answers every request with a message as a later version may have it.
fn a_later_version() -> SocketAddr {
    let problem = json!({
        "type": "urn:sms-agent:problem:code_to_come", "title": "To come", "status": 422, "detail": "To come.",
        "code": "code_to_come", "hint": "Wait.", "retryable": false, "member_to_come": 1,
    });
    let body = json!({
        "id": "01JDCQ4Z5T8W9X7Y6V5S4R3Q2P", "status": "archived", "to": "+12065550100", "type": "transactional",
        "sender_id": null, "encoding": "GSM-7", "segments": 1, "message_id": null, "attempts": 1,
        "possible_duplicate": false, "next_attempt_at": null, "expires_at": null, "reference": null,
        "created_at": "2026-11-23T20:00:00.000Z", "updated_at": "2026-11-23T20:00:00.000Z", "error": problem,
        "member_to_come": { "a": [1] },
    })
    .to_string();
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // It ends with the test's process.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let head = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            assert!(head.count() > 0);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    address
}

/// Whether the language is there; said past the test's capture of output, since a passing test shows none.
fn is_here(program: &str, probe: &[&str]) -> bool {
    let found = Command::new(program).args(probe).output().is_ok_and(|output| output.status.success());
    if !found {
        let told =
            format!("{program} or a package of its is not on this machine: its generated client was not tried\n");
        std::io::stderr().write_all(told.as_bytes()).unwrap();
    }
    found
}
