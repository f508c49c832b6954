//! The plan of the built-in rehearsal.

use super::*;
use crate::folder::DeviceFolder;

fn options(seed: u64) -> Options {
    Options {
        server: "http://127.0.0.1:1".to_owned(),
        admin: DeviceFolder::new("admin"),
        admin_pin: None,
        work: "work".into(),
        form: "bao-cao-cchc-2022".to_owned(),
        figures: "bao-cao-cchc-2022-thai-nguyen".to_owned(),
        org: "thai-nguyen-2025".to_owned(),
        departments: Some("thai-nguyen-2022".to_owned()),
        period: "2025".to_owned(),
        due: None,
        seed,
        threads: 4,
        password: "dien-tap-2025".to_owned(),
        cuts: true,
    }
}

#[test]
fn every_additive_figure_is_shared_out_and_the_cast_is_complete() {
    let plan = Plan::new(&options(1)).unwrap();
    let count = |role: Role| plan.devices.iter().filter(|d| d.role == role).count();
    assert_eq!(count(Role::Reporter) + count(Role::Silent), 92);
    assert_eq!(count(Role::Silent), SILENT);
    assert_eq!(count(Role::Rival), CONTESTED);
    assert_eq!(count(Role::Aggregator), 17);
    let mut zeros = 0;
    let mut additive = 0;
    for (row, indicator) in plan.template.rows().iter().enumerate() {
        let Some(published) = plan.published.get(&indicator.code) else {
            continue;
        };
        if plan.template.aggregation(row) != Aggregation::Sum {
            continue;
        }
        additive += 1;
        let mut sum = Number::ZERO;
        for device in plan.devices.iter().filter(|d| d.role != Role::Rival) {
            if device.role == Role::Province {
                continue;
            }
            if let Some(CellValue::Number(share)) = device.cells.get(&indicator.code) {
                zeros += usize::from(*share == Number::ZERO);
                sum = sum.checked_add(*share).unwrap();
            }
        }
        assert_eq!(sum, *published, "{}", indicator.code);
    }
    assert!(additive > 80 && zeros > 100, "{additive} {zeros}");
    for (folder, settled) in &plan.settlements {
        let rival = plan.device(&format!("{folder}-2")).unwrap();
        assert_eq!(
            (settled.len(), rival.cells.len()),
            (CONTESTED_CELLS, CONTESTED_CELLS)
        );
        assert!(
            settled
                .iter()
                .all(|(code, value)| rival.cells[code] != *value)
        );
    }
}

#[test]
fn names_are_unique_and_the_seed_decides() {
    let names = |seed| -> Vec<String> {
        let plan = Plan::new(&options(seed)).unwrap();
        let silent = plan.devices.iter().filter(|d| d.role == Role::Silent);
        silent.map(|device| device.folder.clone()).collect()
    };
    assert_eq!(names(5), names(5));
    assert_ne!(names(5), names(6));
    let plan = Plan::new(&options(1)).unwrap();
    let folders: BTreeSet<_> = plan.devices.iter().map(|d| d.folder.clone()).collect();
    assert_eq!(folders.len(), plan.devices.len());
    let shown: Vec<_> = plan.devices.iter().filter(|d| d.has_password).collect();
    assert_eq!(shown.len(), 3, "{shown:?}");
}
