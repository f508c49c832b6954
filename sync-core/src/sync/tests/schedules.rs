//! Properties: any schedule of work and exchanges converges, and frames are strict.

use proptest::prelude::*;

use super::*;
use crate::log::{Lane, rebuild};

#[derive(Debug, Clone)]
enum Step {
    Edit {
        device: usize,
        unit: u8,
        code: u8,
        value: i64,
    },
    Seal {
        device: usize,
    },
    Exchange {
        device: usize,
        link: Link,
    },
    NodeRebuild {
        lanes: usize,
        portions: rebuild::Portions,
    },
    DeviceRestart {
        device: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let device = 0..3usize;
    prop_oneof![
        5 => (device.clone(), 2..=3u8, 0..4u8, 0..50i64)
            .prop_map(|(device, unit, code, value)| Step::Edit { device, unit, code, value }),
        2 => device.clone().prop_map(|device| Step::Seal { device }),
        5 => (device.clone(), prop_oneof![
            3 => Just(Link::Good), 1 => Just(Link::RequestLost), 1 => Just(Link::AnswerLost)
        ]).prop_map(|(device, link)| Step::Exchange { device, link }),
        1 => (1..5usize, portions()).prop_map(|(lanes, portions)| Step::NodeRebuild { lanes, portions }),
        1 => device.prop_map(|device| Step::DeviceRestart { device }),
    ]
}

/// So small that a few parts reach every limit.
fn portions() -> impl Strategy<Value = rebuild::Portions> {
    (1..4usize, 0..3usize, 0..6usize).prop_map(|(step, documents_max, facts_max)| {
        rebuild::Portions {
            step,
            documents_max,
            facts_max,
        }
    })
}

fn rebuilt_in(
    keyspace: &MemoryKeyspace,
    lanes: usize,
    portions: rebuild::Portions,
) -> MemoryKeyspace {
    let mut again = keyspace.clone();
    again.clear_derived();
    let lanes: Vec<Lane> = Lane::several(lanes).collect();
    rebuild::rebuild_in(&mut again, &lanes, portions).unwrap();
    again
}

fn rebuilt(keyspace: &MemoryKeyspace) -> MemoryKeyspace {
    let mut again = keyspace.clone();
    again.clear_derived();
    rebuild::rebuild(&mut again).unwrap();
    again
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the order, repetition and loss: all devices end with the same documents, the
    /// fingerprints agree, every typed value can still be read, and what is derived equals what is
    /// derived again from the truth alone.
    #[test]
    fn any_schedule_converges(steps in proptest::collection::vec(step(), 1..60)) {
        let mut node = Node::new();
        let mut devices = vec![
            node.enrol(1, Role::Officer, 1, true),
            node.enrol(2, Role::Officer, 1, true),
            node.enrol(3, Role::Officer, 1, true),
        ];
        let mut typed = Vec::new();
        for step in steps {
            match step {
                Step::Edit { device, unit, code, value } => {
                    let code = format!("I.{code}");
                    devices[device].edit(&subject(unit), &[cell(&code, value)]).unwrap();
                    typed.push((unit, code, value));
                }
                Step::Seal { device } => { devices[device].seal(NOW).unwrap(); }
                Step::Exchange { device, link } => {
                    exchange(&mut node, &mut devices[device], link);
                }
                Step::NodeRebuild { lanes, portions } => {
                    let again = rebuilt_in(&node.keyspace, lanes, portions);
                    prop_assert_eq!(&again, &node.keyspace);
                    prop_assert_eq!(&rebuilt(&node.keyspace), &node.keyspace);
                    node.cache.clear();
                }
                Step::DeviceRestart { device } => {
                    let sealer = devices[device].sealer().clone();
                    let truth = devices[device].keyspace().clone();
                    devices[device] = Device::open(sealer, truth).unwrap().0;
                }
            }
        }
        for _ in 0..2 {
            for device in &mut devices {
                let notices = sync(&mut node, device);
                prop_assert_eq!(notices, vec![]);
            }
        }
        let all = LogReader(&node.keyspace).fingerprint(&Follow::All).unwrap();
        let states: Vec<_> = devices
            .iter_mut()
            .map(|device| (values(device, 2), values(device, 3), device.log().fingerprint(&Follow::All).unwrap()))
            .collect();
        for state in &states {
            prop_assert_eq!(state, &states[0]);
            prop_assert_eq!(state.2, all);
        }
        for (unit, code, value) in typed {
            let document = devices[0].load(&subject(unit)).unwrap();
            let history = document.cell_history(&code);
            prop_assert!(history.iter().any(|rival| rival.value == number(value)));
        }
        for keyspace in devices.iter().map(Device::keyspace).chain([&node.keyspace]) {
            prop_assert_eq!(&rebuilt(keyspace), keyspace);
        }
    }

    #[test]
    fn frames_are_strict(at in 0usize..2_000, bit in 0u8..8) {
        let mut node = Node::new();
        let mut device = node.enrol(1, Role::Officer, 2, false);
        device.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
        device.seal(NOW).unwrap();
        let request = Frame::Request(Box::new(device.request().unwrap()));
        let answer = node.handle(PersonId([1; 8]), &request.encode());
        for mut bytes in [request.encode(), answer] {
            let frame = Frame::decode(&bytes).unwrap();
            prop_assert_eq!(frame.encode(), bytes.clone());
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            prop_assert!(Frame::decode(&bytes).is_err());
            prop_assert!(Frame::decode(&bytes[..at]).is_err());
        }
    }
}
