//! Who owes which report by when: rules, groups, single units that owe otherwise, holidays.

use serde_json::{Value, json};

use crate::field::Field;

const DUTIES: &str = "/v1/duties";

impl Field {
    fn duty(&self, more: Value) -> Value {
        let mut row = json!({ "template": self.template.id(), "unit_kind": "commune" });
        for (name, value) in more.as_object().unwrap() {
            row[name] = value.clone();
        }
        json!({ "duties": [row] })
    }

    fn duties(&self) -> Vec<Value> {
        let (status, answer) = self.served.get(DUTIES, Some(&self.admin));
        assert_eq!(status, 200, "{answer}");
        answer["items"].as_array().unwrap().clone()
    }

    fn except(&self, duty: &Value, body: &Value) -> Value {
        let path = format!("{DUTIES}/{}/exceptions", duty["duty"].as_str().unwrap());
        self.served.done(&path, Some(&self.admin), body)
    }

    fn refused_duty(&self, more: Value) -> (u16, String) {
        let row = self.duty(more);
        self.served.refused(DUTIES, Some(&self.admin), &row)
    }
}

#[test]
fn a_rule_gives_the_last_day_of_every_part_of_a_year() {
    let field = Field::new(3);
    let admin = Some(field.admin.as_str());
    let mut asked = field.duty(json!({ "period": "2025@14", "each": "month", "rule": "end+3wd" }));
    asked["preview"] = json!(true);
    let before = field.served.app.registry.current().last_number();
    let preview = field.served.done(DUTIES, admin, &asked);
    assert_eq!(field.served.app.registry.current().last_number(), before);
    let due = |answer: &Value| -> Vec<(String, String)> {
        let text = |duty: &Value, name: &str| duty[name].as_str().unwrap().to_owned();
        let duties = answer["duties"].as_array().unwrap().iter();
        duties
            .map(|duty| (text(duty, "period"), text(duty, "due")))
            .collect()
    };
    let days = due(&preview);
    assert_eq!(days.len(), 12);
    // 14 January is a Tuesday; Tết closes nothing before 27 January.
    assert_eq!(days[0], ("2025-01@14".into(), "2025-01-17".into()));
    // 14 April is a Monday; 14 December a Sunday.
    assert_eq!(days[3], ("2025-04@14".into(), "2025-04-17".into()));
    assert_eq!(days[11], ("2025-12@14".into(), "2025-12-17".into()));
    assert_eq!(preview["duties"][11]["units"], 3);
    assert_eq!(preview["duties"][0]["units"], 0, "there were no such units");

    asked["preview"] = json!(false);
    let added = field.served.done(DUTIES, admin, &asked);
    assert_eq!((added["added"].as_u64(), due(&added)), (Some(12), days));
    let again = field.served.done(DUTIES, admin, &asked);
    assert_eq!(
        (again["added"].as_u64(), again["unchanged"].as_u64()),
        (Some(0), Some(12))
    );
    asked["duties"][0]["rule"] = json!("end+4wd");
    let moved = field.served.done(DUTIES, admin, &asked);
    assert_eq!(moved["duties"][0]["change"], "moved");
    assert_eq!(moved["duties"][0]["was"], "2025-01-17");
    assert_eq!(field.duties().len(), 13, "twelve months and the year");
}

#[test]
fn what_is_no_duty_is_refused_by_name() {
    let field = Field::new(1);
    let day = "2025-12-20";
    for (more, code) in [
        (json!({ "period": "2025", "rule": "tomorrow" }), "due-bad"),
        (json!({ "period": "2025" }), "request-malformed"),
        (
            json!({ "period": "2025", "due": day, "rule": "end+1d" }),
            "request-malformed",
        ),
        (
            json!({ "period": "2030", "rule": "end+5wd" }),
            "calendar-year-unknown",
        ),
        (
            json!({ "period": "2025-Q1", "due": day, "each": "year" }),
            "period-bad",
        ),
        (
            json!({ "period": "2025", "due": day, "grouping": "area" }),
            "request-malformed",
        ),
        (
            json!({ "period": "2025", "due": day, "within": "7777777777777777" }),
            "unit-unknown",
        ),
    ] {
        assert_eq!(field.refused_duty(more.clone()).1, code, "{more}");
    }
    assert_eq!(field.duties().len(), 1);
}

#[test]
fn a_unit_that_owes_otherwise_is_late_or_missing_by_its_own_terms() {
    let field = Field::new(3);
    let admin = Some(field.admin.as_str());
    let code = field.sum_code();
    // Moved to a day that was over when the tablets began.
    let past = field.duty(json!({ "period": "2025", "due": "2025-01-02" }));
    field.served.done(DUTIES, admin, &past);
    let duty = field.duties().remove(0);
    let path = format!("{DUTIES}/{}/exceptions", duty["duty"].as_str().unwrap());
    let unit = |code: &str| field.unit(code).to_string();
    for (body, problem) in [
        (
            json!({ "unit": unit("c1"), "terms": "exempt" }),
            "reason-missing",
        ),
        (
            json!({ "unit": unit("c1"), "terms": "extended", "reason": "lũ" }),
            "request-malformed",
        ),
        (
            json!({ "unit": "77".repeat(8), "terms": "exempt", "reason": "lũ" }),
            "unit-unknown",
        ),
    ] {
        assert_eq!(field.served.refused(&path, admin, &body).1, problem);
    }
    let later =
        json!({ "unit": unit("c1"), "terms": "extended", "due": "2099-01-10", "reason": "lũ" });
    assert_eq!(field.except(&duty, &later)["changed"], true);
    assert_eq!(field.except(&duty, &later)["changed"], false);
    let exempt = json!({ "unit": unit("c3"), "terms": "exempt", "reason": "mới thành lập" });
    field.except(&duty, &exempt);
    let duty = field.duties().remove(0);
    assert_eq!(duty["units"], 2);
    assert_eq!(duty["exceptions"].as_array().unwrap().len(), 2);

    let mut first = field.tablet(1, "officer", "c1", false);
    let mut second = field.tablet(2, "officer", "c2", false);
    for (tablet, value) in [(&mut first, 10), (&mut second, 20)] {
        field.fill(tablet, &code, value);
        field.sync(tablet);
    }
    let coverage = field.figure_at(&code, "30", "30");
    let counts = |coverage: &Value| {
        ["due", "reported", "missing", "late"].map(|name| coverage[name].as_u64().unwrap())
    };
    assert_eq!(
        counts(&coverage),
        [2, 2, 0, 1],
        "c2 is late, c1 has its own day, c3 owes none"
    );
    // Who was let off and reports all the same counts, and is never late.
    let mut third = field.tablet(3, "officer", "c3", false);
    field.fill(&mut third, &code, 7);
    field.sync(&mut third);
    assert_eq!(counts(&field.figure_at(&code, "37", "37")), [3, 3, 0, 1]);

    let again = json!({ "unit": unit("c3"), "terms": "as_others" });
    field.except(&duty, &again);
    assert_eq!(counts(&field.figure_at(&code, "37", "37")), [3, 3, 0, 2]);
    let end = format!("{DUTIES}/{}/end", duty["duty"].as_str().unwrap());
    assert_eq!(field.served.done(&end, admin, &json!({}))["ended"], true);
    assert_eq!(field.served.done(&end, admin, &json!({}))["ended"], false);
    assert!(field.duties().is_empty());
    assert_eq!(field.served.refused(&path, admin, &again).1, "duty-unknown");
}

#[test]
fn holidays_are_announced_and_counted_from_then_on() {
    let field = Field::new(1);
    let admin = Some(field.admin.as_str());
    let asked = field.duty(json!({ "period": "2026", "rule": "end+5wd" }));
    let told = field.served.refused(DUTIES, admin, &asked);
    assert_eq!(told.1, "calendar-year-unknown");
    let bad = json!({ "table": "2027-01-01 closed" });
    assert_eq!(
        field.served.refused("/v1/holidays", admin, &bad),
        (422, "holidays-bad".to_owned())
    );
    let mut table = json!({ "table": "2027-01-01 off Tết Dương lịch\n", "preview": true });
    let known = field.served.done("/v1/holidays", admin, &table);
    assert!(known["years"].as_array().unwrap().contains(&json!(2027)));
    let (_, now) = field.served.get("/v1/holidays", admin);
    assert!(!now["years"].as_array().unwrap().contains(&json!(2027)));
    table["preview"] = json!(false);
    let number = || field.served.app.registry.current().last_number();
    let before = number();
    field.served.done("/v1/holidays", admin, &table);
    field.served.done("/v1/holidays", admin, &table);
    assert_eq!(number(), before + 1, "the same again is nothing");
    let added = field.served.done(DUTIES, admin, &asked);
    assert_eq!(added["duties"][0]["due"], "2027-01-08");
    let (_, now) = field.served.get("/v1/holidays", admin);
    let own = |day: &&Value| day["own"] == true;
    let own: Vec<&Value> = now["days"].as_array().unwrap().iter().filter(own).collect();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0]["day"], "2027-01-01");
}
