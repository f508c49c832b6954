//! `dongbo rehearse`: the demonstration, played and checked.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use clap::Args;
use dongbo::rehearsal::{
    Audience, Checked, Nobody, Options, Plan, Played, Stage, check, play, settle,
};
use dongbo::trouble::Exit;
use dongbo::view;
use dongbo::{DeviceFolder, Tablet};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use messages::Language;
use serde_json::{Value, json};
use sync_core::roll_up::TotalRule;

use super::{Context, Outcome, Said};

/// Plays the demonstration in a province that is marked as a rehearsal; repeated, it does only what
/// is missing.
#[derive(Debug, Args)]
pub(super) struct Rehearse {
    /// The server; else that of the administrator's device
    #[arg(long)]
    server: Option<String>,
    /// The administrator's device; else --device
    #[arg(long)]
    admin_device: Option<PathBuf>,
    /// Where the simulated devices are
    #[arg(long, default_value = "rehearsal")]
    work: PathBuf,
    /// The form: file or built-in name
    #[arg(long, default_value = "bao-cao-cchc-2022")]
    form: String,
    /// Published figures: file or built-in name
    #[arg(long, default_value = "bao-cao-cchc-2022-thai-nguyen")]
    figures: String,
    /// Org units: file or built-in name
    #[arg(long, default_value = "thai-nguyen-2025")]
    org: String,
    /// Departments under the province, from a tree file; empty: none
    #[arg(long, default_value = "thai-nguyen-2022")]
    departments: String,
    /// The period
    #[arg(long, default_value = "2025")]
    period: String,
    /// The last day; else that of the duty that is there, or 2025-12-31
    #[arg(long)]
    due: Option<String>,
    /// Decides everything that is random
    #[arg(long, default_value_t = 2025)]
    seed: u64,
    /// Devices that come back at once, 8 at most
    #[arg(long, default_value_t = 4)]
    threads: usize,
    /// The password of the sign-ins to try
    #[arg(long, default_value = "dien-tap-2025")]
    password: String,
    /// Links do not break
    #[arg(long)]
    no_cuts: bool,
    /// Bring the silent communes in and settle the rivals
    #[arg(long)]
    settle: bool,
    /// Hold the totals against the published figures; exit code 6 if one differs
    #[arg(long)]
    check: bool,
    /// Only check: play nothing
    #[arg(long, requires = "check")]
    check_only: bool,
    /// Say nothing while it is played
    #[arg(long)]
    quiet: bool,
}

impl Rehearse {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let admin = match &self.admin_device {
            Some(path) => DeviceFolder::new(path),
            None => context.folder()?,
        };
        let card = admin.card()?;
        let options = Options {
            server: self.server.clone().unwrap_or_else(|| card.server.clone()),
            admin,
            admin_pin: context.pin().map(str::to_owned),
            work: self.work.clone(),
            form: self.form.clone(),
            figures: self.figures.clone(),
            org: self.org.clone(),
            departments: Some(self.departments.clone()).filter(|name| !name.is_empty()),
            period: self.period.clone(),
            due: self.due.clone(),
            seed: self.seed,
            threads: self.threads,
            password: self.password.clone(),
            cuts: !self.no_cuts,
        };
        let plan = Plan::new(&options)?;
        let begun = std::time::Instant::now();
        let mut played = Played::default();
        if !self.check_only {
            let shown = Shown::new(context.language());
            let audience: &dyn Audience = if self.quiet || context.json {
                &Nobody
            } else {
                &shown
            };
            played = play(&options, &plan, audience)?;
            if self.settle {
                settle::settle(&options, &plan, audience, &mut played)?;
            }
            shown.bar.finish_and_clear();
            catch_up_admin(&options)?;
        }
        let took_s = begun.elapsed().as_secs_f64();
        let mut value = played_json(&options, &plan, &played, took_s, &card.name);
        let mut said = Said::new(Value::Null).say(
            "cli-played",
            &[
                ("enrolled", played.enrolled.to_string()),
                ("filled", played.filled.to_string()),
                ("returned", played.returned.to_string()),
                ("cuts", played.cuts.to_string()),
                ("retries", played.retries.to_string()),
                ("settled", played.settled.to_string()),
                ("seconds", format!("{took_s:.1}")),
            ],
        );
        if self.check {
            let checked = check::check(&options, &plan)?;
            if let Some(object) = value.as_object_mut() {
                object.insert("check".to_owned(), checked_json(&checked));
            }
            said = say_checked(said, &checked);
        }
        said = say_sign_ins(said, &options, &plan, &card.name);
        said.value = value;
        Ok(said)
    }
}

/// The administrator's own device reads what came in, so that `dongbo totals` works on it.
fn catch_up_admin(options: &Options) -> Result<(), dongbo::trouble::Trouble> {
    let mut tablet = Tablet::open(&options.admin, options.admin_pin.as_deref())?;
    let mut session = options.session(&tablet)?;
    dongbo::synchronise(
        &mut tablet,
        &mut session,
        dongbo::Patience::PERSON,
        &dongbo::now_s,
    )?;
    Ok(tablet.close()?)
}

fn played_json(options: &Options, plan: &Plan, played: &Played, took_s: f64, admin: &str) -> Value {
    let mut sign_ins = vec![json!({"who": "administrator", "name": admin})];
    sign_ins.extend(plan.devices.iter().filter(|device| device.has_password).map(|device| {
        json!({"who": device.display, "name": device.folder, "password": options.password})
    }));
    json!({
        "enrolled": played.enrolled, "filled": played.filled, "returned": played.returned,
        "cuts": played.cuts, "retries": played.retries, "settled": played.settled,
        "took_s": took_s, "seed": options.seed, "template": plan.template.id(),
        "period": options.period, "sign_ins": sign_ins,
    })
}

fn say_sign_ins(mut said: Said, options: &Options, plan: &Plan, admin: &str) -> Said {
    said = said.say("cli-sign-ins", &[("server", options.server.clone())]);
    for device in plan.devices.iter().filter(|device| device.has_password) {
        said = said.say(
            "cli-sign-in",
            &[
                ("who", device.display.clone()),
                ("name", device.folder.clone()),
                ("password", options.password.clone()),
            ],
        );
    }
    said.say("cli-sign-in-admin", &[("name", admin.to_owned())])
}

fn checked_json(checked: &Checked) -> Value {
    let rows: Vec<Value> = checked
        .rows
        .iter()
        .map(|row| {
            json!({"code": row.code, "expected": row.expected.canonical(), "actual": row.actual,
                   "equal": row.equal})
        })
        .collect();
    let findings: Vec<Value> = checked
        .findings
        .iter()
        .map(|finding| {
            json!({"code": finding.code, "stated": finding.stated.canonical(),
                   "rule": finding.rule.code(), "provisional": finding.provisional})
        })
        .collect();
    json!({
        "equal": checked.equal(), "differences": checked.differences(), "rows": rows,
        "reported": checked.coverage.reported, "due": checked.coverage.due,
        "in_conflict": checked.coverage.in_conflict, "findings": findings,
        "own_findings": checked.own_findings.iter().map(view::finding_json).collect::<Vec<_>>(),
    })
}

fn say_checked(mut said: Said, checked: &Checked) -> Said {
    for row in &checked.rows {
        let mark = match row.equal {
            Some(true) => "=",
            Some(false) => "≠",
            None => " ",
        };
        let expected = row.expected.to_vietnamese();
        said = said.plain(format!(
            "{:<10} {expected:>14} {mark} {:>18}  {}",
            row.code, row.actual, row.label
        ));
    }
    // What nobody reports here – percentages without their parts – cannot be wrong by this.
    let contradicted = checked
        .findings
        .iter()
        .filter(|finding| finding.rule != TotalRule::NothingReported);
    for finding in contradicted {
        said = said.say(
            "cli-published-wrong",
            &[
                ("code", finding.code.clone()),
                ("stated", finding.stated.to_vietnamese()),
                ("rule", finding.rule.code().to_owned()),
            ],
        );
    }
    for finding in &checked.own_findings {
        said = said.plain(format!(
            "  ! {:<10} {}  {}",
            finding.code,
            finding.rule.code(),
            view::rule_detail(&finding.rule)
        ));
    }
    said = said.say(
        "cli-checked",
        &[
            ("equal", checked.equal().to_string()),
            ("differences", checked.differences().to_string()),
            ("reported", checked.coverage.reported.to_string()),
            ("due", checked.coverage.due.to_string()),
            ("conflicts", checked.coverage.in_conflict.to_string()),
        ],
    );
    match checked.differences() {
        0 => said,
        _ => said.exit(Exit::Differs),
    }
}

/// A progress bar with the province's figures beneath.
struct Shown {
    bar: ProgressBar,
    language: Language,
    stage: Mutex<Option<Stage>>,
}

impl Shown {
    fn new(language: Language) -> Self {
        let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) =
            ProgressStyle::with_template("{prefix:24} {bar:30} {pos}/{len} {elapsed}\n{msg}")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar,
            language,
            stage: Mutex::new(None),
        }
    }
}

impl Audience for Shown {
    fn progress(&self, stage: Stage, done: usize, of: usize) {
        let mut current = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != Some(stage) {
            *current = Some(stage);
            let id = match stage {
                Stage::Administration => "cli-stage-administration",
                Stage::Enrolment => "cli-stage-enrolment",
                Stage::Filling => "cli-stage-filling",
                Stage::Homecoming => "cli-stage-homecoming",
                Stage::Settling => "cli-stage-settling",
            };
            self.bar.set_prefix(messages::text(self.language, id, &[]));
        }
        self.bar.set_length(of as u64);
        self.bar.set_position(done as u64);
    }

    fn figures(&self, reported: u32, due: u32, headline: &[(String, String)]) {
        let figures: Vec<String> = headline
            .iter()
            .map(|(code, figure)| format!("{code} {figure}"))
            .collect();
        let text = messages::text(
            self.language,
            "cli-live",
            &[
                ("reported", &reported.to_string()),
                ("due", &due.to_string()),
                ("figures", &figures.join(" · ")),
            ],
        );
        self.bar.set_message(text);
    }
}
