//! `evilsrv`: the lying server by hand. `list` its scenarios, `run NAME` one of them, or `serve NAME UPSTREAM DATA`, for a
//! client of one's own that is told to talk to the address that is printed.

use casevault_e2e::evil::scenario::NOT_YET;
use casevault_e2e::evil::scenario::Scenario;
use casevault_e2e::evil::scenario::Twin;
use casevault_e2e::evil::server::Evil;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: evilsrv list
       evilsrv run NAME
       evilsrv serve NAME UPSTREAM DATA
NAME is a scenario of `list`, or `honest`; UPSTREAM the address of a casevault-server, DATA its folder";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["list"] => {
            list();
            Ok(())
        }
        ["run", name] => run(name),
        ["serve", name, upstream, data] => serve(name, upstream, Path::new(data)),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Prints every row of the attacks: its scenarios with what they lie about, or why there is none.
fn list() {
    let mut rows: BTreeMap<u8, Vec<Scenario>> = BTreeMap::new();
    for scenario in Scenario::all() {
        rows.entry(scenario.row()).or_default().push(scenario);
    }
    for row in 1..=58 {
        for scenario in rows.get(&row).into_iter().flatten() {
            let state = match scenario.open {
                None => "covered".to_owned(),
                Some(fault) => format!("open: {fault}"),
            };
            println!("{row:>2}  {}", scenario.name);
            for rule in (scenario.rules)() {
                println!("      {}: {}", rule.on, rule.verb);
            }
            println!("      {state}; {}", without(scenario.twin));
        }
        if let Some((_, why)) = NOT_YET.iter().find(|(not_yet, _)| *not_yet == row) {
            println!("{row:>2}  not played: {why}");
        }
    }
}

fn without(twin: Twin) -> String {
    match twin {
        Twin::Believes { without } => format!("without {without} it is believed"),
        Twin::Spoils { without, by } => format!("without {without} it is kept, and {by} refuses what was kept"),
        Twin::StillRefuses { without, by } => format!("without {without} it is refused by {by}"),
        Twin::Swells { without } => format!("without {without} the client swells"),
        Twin::Asks { without, next } => format!("without {without} the client goes on to ask for {next}"),
        Twin::Silent { without } => format!("without {without} no alarm is sounded"),
        Twin::None(why) => format!("no guard to take out: {why}"),
    }
}

fn run(name: &str) -> Result<(), String> {
    let scenario = Scenario::named(name).ok_or_else(|| format!("no scenario `{name}`; `evilsrv list` has them"))?;
    scenario.play()?;
    println!("{name}: refused as it must be, and the client without its guard is not safe from it");
    Ok(())
}

fn serve(name: &str, upstream: &str, data: &Path) -> Result<(), String> {
    let evil = Evil::start(upstream, data.to_owned());
    if name != "honest" {
        let scenario = Scenario::named(name).ok_or_else(|| format!("no scenario `{name}`; `evilsrv list` has them"))?;
        evil.lie((scenario.rules)());
    }
    println!("listening on {}", evil.url);
    let mut told = 0;
    loop {
        evil.tape().wait_for_more_than(told);
        for exchange in evil.tape().since(told) {
            let lied = if exchange.lied { "  <- a lie" } else { "" };
            println!(
                "{} {}, {} bytes{lied}",
                exchange.method,
                exchange.path,
                exchange.body.len()
            );
            told += 1;
        }
    }
}
