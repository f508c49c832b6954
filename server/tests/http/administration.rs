//! Imports: all of a list or nothing, and nothing the second time.

use data_encoding::BASE64;
use serde_json::{Value, json};
use sync_core::catalogue::{Catalogue, SignedRecord};
use sync_core::catalogue_files;
use sync_core::form::Template;

use crate::served::{Device, Served};

fn units() -> Value {
    json!({ "units": [
        { "code": "01840", "name": "Phường Đức Xuân", "parent_code": "kv-1", "kind": "commune",
          "valid_from": "2025-07-01", "groups": { "subtype": "ward" } },
        { "code": "kv-1", "name": "Khu vực Bắc Kạn", "parent_code": "19", "kind": "area",
          "valid_from": "2025-07-01" },
        { "code": "19", "name": "Tỉnh Thái Nguyên", "kind": "province",
          "valid_from": "2025-07-01" },
    ] })
}

fn template() -> Vec<u8> {
    let (_, text) = catalogue_files::forms().next().unwrap();
    Template::import(text, 1).unwrap().to_json()
}

fn last_number(served: &Served) -> u64 {
    served.app.registry.current().last_number()
}

#[test]
fn units_come_in_any_order_and_once() {
    let served = Served::new();
    let admin = served.administrator();
    let first = served.done("/v1/org/import", Some(&admin), &units());
    assert_eq!(first["added"], 3);
    let records = last_number(&served);
    let again = served.done("/v1/org/import", Some(&admin), &units());
    assert_eq!(
        (&again["added"], &again["unchanged"]),
        (&json!(0), &json!(3))
    );
    assert_eq!(again["units"], first["units"]);
    assert_eq!(last_number(&served), records);
    let mut renamed = units();
    renamed["units"][0]["valid_from"] = json!("2026-01-01");
    renamed["units"][0]["name"] = json!("Phường Đức Xuân Mới");
    let third = served.done("/v1/org/import", Some(&admin), &renamed);
    assert_eq!(third["added"], 1);
    assert_eq!(third["units"], first["units"], "the code says which unit");
    let (_, page) = served.get("/v1/units?on=2025-12-31&kind=commune", Some(&admin));
    assert_eq!(page["items"][0]["name"], "Phường Đức Xuân");
    let (_, page) = served.get("/v1/units?kind=commune", Some(&admin));
    assert_eq!(page["items"][0]["name"], "Phường Đức Xuân Mới");
}

#[test]
fn one_wrong_row_leaves_nothing_of_the_list() {
    let served = Served::new();
    let admin = served.administrator();
    let records = last_number(&served);
    let cases = [
        ("parent_code", json!("khong-co")),
        ("code", json!("19")),
        ("parent_code", json!("01840")),
    ];
    for (field, value) in cases {
        let mut wrong = units();
        wrong["units"][0][field] = value;
        let (status, answer) = served.post("/v1/org/import", Some(&admin), &wrong);
        assert_eq!(
            (status, answer["code"].as_str()),
            (422, Some("import-bad")),
            "{answer}"
        );
        assert_eq!(answer["happened"], "no");
    }
    let mut wrong = units();
    wrong["units"][2]["valid_from"] = json!("2025-02-30");
    let (status, answer) = served.post("/v1/org/import", Some(&admin), &wrong);
    assert_eq!(
        (status, answer["code"].as_str()),
        (400, Some("request-malformed"))
    );
    assert_eq!(last_number(&served), records);
}

#[test]
fn a_template_version_is_taken_once_and_never_replaced() {
    let served = Served::new();
    let admin = served.administrator();
    let content = template();
    let (status, answer) = served.post_bytes("/v1/templates", Some(&admin), &content);
    assert_eq!((status, &answer["added"]), (200, &json!(true)), "{answer}");
    let (_, again) = served.post_bytes("/v1/templates", Some(&admin), &content);
    assert_eq!(again["added"], false);
    let changed = String::from_utf8(content.clone())
        .unwrap()
        .replacen("báo cáo", "bản", 1);
    let changed = changed.replacen("Báo cáo", "Bản", 1);
    assert_ne!(changed.as_bytes(), content);
    let (status, answer) = served.post_bytes("/v1/templates", Some(&admin), changed.as_bytes());
    assert_eq!(
        (status, answer["code"].as_str()),
        (409, Some("template-differs")),
        "{answer}"
    );
    let (status, answer) = served.post_bytes("/v1/templates", Some(&admin), b"{}");
    assert_eq!(
        (status, answer["code"].as_str()),
        (422, Some("template-bad"))
    );
    let id = again["id"].as_str().unwrap();
    let (_, read) = served.get(&format!("/v1/templates/{id}/1"), Some(&admin));
    assert_eq!(read, serde_json::from_slice::<Value>(&content).unwrap());
    let (_, list) = served.get("/v1/templates", Some(&admin));
    assert_eq!(list["items"][0]["version"], 1);

    // Retired, no duty is made of it; put in use again, as before. Saying so twice adds one record.
    let retire = format!("/v1/templates/{id}/retire");
    let reason = json!({ "reason": "Theo thông tư mới" });
    let before = last_number(&served);
    assert_eq!(served.done(&retire, Some(&admin), &reason)["changed"], true);
    assert_eq!(
        served.done(&retire, Some(&admin), &reason)["changed"],
        false
    );
    assert_eq!(last_number(&served), before + 1);
    let (_, list) = served.get("/v1/templates", Some(&admin));
    assert_eq!(list["items"][0]["retired"], "Theo thông tư mới");
    assert_eq!(list["items"][0]["rows"], 146);
    let owed = json!({ "duties": [
        { "template": id, "unit_kind": "commune", "period": "2024", "due": "2024-12-20" }
    ] });
    let (status, answer) = served.post("/v1/duties", Some(&admin), &owed);
    assert_eq!(
        (status, answer["code"].as_str()),
        (409, Some("template-retired"))
    );
    let again = json!({ "reason": null });
    assert_eq!(served.done(&retire, Some(&admin), &again)["changed"], true);
    let (status, answer) = served.post("/v1/templates/khong-co/retire", Some(&admin), &reason);
    assert_eq!(
        (status, answer["code"].as_str()),
        (404, Some("template-unknown"))
    );

    let duty = |period: &str, due: &str| {
        json!({ "duties": [
            { "template": id, "unit_kind": "commune", "period": period, "due": due }
        ] })
    };
    let added = served.done("/v1/duties", Some(&admin), &duty("2025", "2025-12-20"));
    assert_eq!(added["added"], 1);
    let added = served.done("/v1/duties", Some(&admin), &duty("2025", "2025-12-20"));
    assert_eq!(added["added"], 0);
    served.done("/v1/duties", Some(&admin), &duty("2025", "2025-12-25"));
    let catalogue = served.app.registry.current();
    let due: Vec<&str> = catalogue.duties().map(|duty| duty.due.as_str()).collect();
    assert_eq!(due, ["2025-12-25"]);
    assert_eq!(
        served
            .refused("/v1/duties", Some(&admin), &duty("2025-13", "2025-12-20"))
            .1,
        "period-bad"
    );
}

#[test]
fn people_and_grants_come_once_and_end_once() {
    let served = Served::new();
    let admin = served.administrator();
    served.done("/v1/org/import", Some(&admin), &units());
    let people = json!({ "people": [
        { "name": "hanh.nt", "display": "Nông Thị Hạnh",
          "grants": [{ "role": "officer", "unit": "01840" }] },
        { "name": "xem", "display": "Người xem", "grants": [{ "role": "auditor", "subtree": true }] },
    ] });
    let first = served.done("/v1/people", Some(&admin), &people);
    assert_eq!(first["records_added"], 4);
    let again = served.done("/v1/people", Some(&admin), &people);
    assert_eq!(again["records_added"], 0);
    assert_eq!(again["people"], first["people"]);

    let person = first["people"][0]["person"].as_str().unwrap();
    let path = format!("/v1/people/{person}/enrolment");
    let code = served.done(
        &path,
        Some(&admin),
        &json!({ "unit_code": "01840", "label": "bảng 1" }),
    );
    let device = Device::new(7);
    served.redeem(code["code"].as_str().unwrap(), &device, None);
    let officer = served.device_session(&device);
    assert_eq!(
        served.refused("/v1/people", Some(&officer), &people),
        (403, "rights-missing".to_owned())
    );

    let (_, list) = served.get("/v1/people?limit=500", Some(&admin));
    let line = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["person"] == person)
        .unwrap();
    assert_eq!(line["devices"][0]["key_id"], device.key_id.to_string());
    let grant = line["grants"][0]["grant"].as_str().unwrap();
    let end = format!("/v1/grants/{grant}/end");
    assert_eq!(served.done(&end, Some(&admin), &json!({}))["ended"], true);
    assert_eq!(served.done(&end, Some(&admin), &json!({}))["ended"], false);
    let given = served.done("/v1/people", Some(&admin), &people);
    assert_eq!(given["records_added"], 1, "an ended grant is given anew");
}

#[test]
fn the_catalogue_read_page_by_page_is_the_signed_catalogue() {
    let served = Served::new();
    let admin = served.administrator();
    served.done("/v1/org/import", Some(&admin), &units());
    let mut catalogue = Catalogue::new();
    let mut from = Some(1);
    while let Some(number) = from {
        let (_, page) = served.get(
            &format!("/v1/catalogue?from={number}&limit=2"),
            Some(&admin),
        );
        for record in page["records"].as_array().unwrap() {
            let bytes = BASE64.decode(record.as_str().unwrap().as_bytes()).unwrap();
            catalogue
                .apply(&SignedRecord::decode(&bytes).unwrap())
                .unwrap();
        }
        from = page["next"].as_u64();
    }
    assert_eq!(
        catalogue.last_hash(),
        served.app.registry.current().last_hash()
    );
    assert_eq!(catalogue.province().unwrap().id, served.founded.province);
}

#[test]
fn lists_are_paged_without_gaps() {
    let served = Served::new();
    let admin = served.administrator();
    served.done("/v1/org/import", Some(&admin), &units());
    let mut codes = Vec::new();
    let mut path = "/v1/units?limit=1".to_owned();
    loop {
        let (_, page) = served.get(&path, Some(&admin));
        codes.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|u| u["code"].to_string()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/units?limit=1&after={next}"),
            None => break,
        }
    }
    codes.sort();
    assert_eq!(codes, ["\"01840\"", "\"19\"", "\"kv-1\""]);
    let (_, refused) = served.get("/v1/units?after=x", Some(&admin));
    assert_eq!(refused["code"], "cursor-bad");
}

#[test]
fn files_that_ship_and_files_that_are_sent_are_imported() {
    let served = Served::new();
    let admin = served.administrator();
    let (_, shipped) = served.get("/v1/shipped", Some(&admin));
    let names = |kind: &str| -> Vec<String> {
        let files = shipped[kind].as_array().unwrap();
        files.iter().map(|file| file["name"].to_string()).collect()
    };
    assert!(names("org").contains(&"\"thai-nguyen-2025\"".to_owned()));
    assert!(names("forms").contains(&"\"bao-cao-cchc-2022\"".to_owned()));
    let file = json!({ "shipped": "thai-nguyen-2025" });
    let added = served.done("/v1/org/file", Some(&admin), &file);
    assert!(added["added"].as_u64().unwrap() > 92, "{added}");
    let again = served.done("/v1/org/file", Some(&admin), &file);
    assert_eq!(again["added"], 0);
    let form = json!({ "shipped": "bao-cao-cchc-2022" });
    let template = served.done("/v1/templates/file", Some(&admin), &form);
    assert_eq!(template["added"], true);
    let text = "code,name,kind,parent\ny,Khu vực Y,area,\nx,Xã X,commune,y\n";
    let table = served.done("/v1/org/file", Some(&admin), &json!({ "text": text }));
    assert_eq!(table["added"], 2);
    for wrong in [json!({ "text": "{}" }), json!({ "shipped": "khong-co" })] {
        let refused = served.refused("/v1/org/file", Some(&admin), &wrong);
        assert_eq!(refused, (422, "file-bad".to_owned()));
    }
    let refused = served.refused("/v1/org/file", Some(&admin), &json!({}));
    assert_eq!(refused, (400, "request-malformed".to_owned()));
}
