//! TensorBoard's files, read by a reader of our own and by TensorBoard itself.

use std::{collections::BTreeMap, env, fs, path::Path, process::Command};

use crate::made_up::records;
use trm_train::{Event, EventSink, Record, TensorBoard};

/// A run to step 17, then one that goes on from step 10 to step 30, with an evaluation every 5 steps.
fn write_resumed_run(dir: &Path) -> Vec<Record> {
    let records = records(30, 30, 5, true);
    for (from, to) in [(0, 17), (10, 30)] {
        let mut sink = TensorBoard::open(dir, from).expect("it opens");
        sink.event(&Event::Started { step: from, total_steps: 30 }).expect("fine");
        for record in records.iter().filter(|record| (from + 1..=to).contains(&record.step())) {
            sink.event(&Event::Record(record.clone())).expect("it is written");
        }
    }
    records
}

/// CRC-32C, a bit at a time.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// The contents of TFRecords, whose checksums must be right.
fn unframed(mut file: &[u8]) -> Vec<Vec<u8>> {
    let masked = |bytes: &[u8]| crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes();
    let mut contents = Vec::new();
    while !file.is_empty() {
        let length = u64::from_le_bytes(file[..8].try_into().expect("8 bytes")) as usize;
        let content = &file[12..12 + length];
        assert_eq!(
            (&file[8..12], &file[12 + length..16 + length]),
            (&masked(&file[..8])[..], &masked(content)[..])
        );
        contents.push(content.to_vec());
        file = &file[16 + length..];
    }
    contents
}

/// The fields of a protocol buffer: their number and their bytes, or those of their number.
fn fields(mut message: &[u8]) -> Vec<(u8, Vec<u8>)> {
    fn varint(message: &mut &[u8]) -> u64 {
        let last = message.iter().position(|byte| byte & 0x80 == 0).expect("an end");
        let (bytes, rest) = message.split_at(last + 1);
        *message = rest;
        bytes.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
    }
    let mut found = Vec::new();
    while let [key, rest @ ..] = message {
        message = rest;
        let length = match key & 7 {
            0 => {
                found.push((key >> 3, varint(&mut message).to_le_bytes().to_vec()));
                continue;
            }
            1 => 8,
            2 => varint(&mut message) as usize,
            5 => 4,
            wire => panic!("wire type {wire}"),
        };
        found.push((key >> 3, message[..length].to_vec()));
        message = &message[length..];
    }
    found
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("8 bytes"))
}

#[test]
fn files_have_tensorboards_form() {
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    let folder = tempfile::tempdir().expect("a folder");
    let records = write_resumed_run(folder.path());
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).expect("files").map(|file| file.expect("one").path()).collect();
    names.sort();
    assert_eq!(names.len(), 2);
    for (name, (from, to)) in names.iter().zip([(0, 17), (10, 30)]) {
        assert!(
            name.file_name().is_some_and(|name| name.to_string_lossy().starts_with("events.out.tfevents."))
        );
        let events: Vec<_> =
            unframed(&fs::read(name).expect("bytes")).iter().map(|event| fields(event)).collect();
        assert_eq!(events[0][2], (3, b"brain.Event:2".to_vec()));
        assert_eq!((number(&events[1][1].1), &events[1][2]), (from + 1, &(7, vec![8, 1])));

        let expected: Vec<_> =
            records.iter().filter(|record| (from + 1..=to).contains(&record.step())).collect();
        assert_eq!(events.len() - 2, expected.len());
        for (event, record) in events[2..].iter().zip(expected) {
            let [(1, time), (2, step), (5, summary)] = &event[..] else { panic!("no summary: {event:?}") };
            let seconds = f64::from_bits(number(time));
            assert!(seconds > 1.7e9, "{seconds}");
            assert_eq!(number(step), record.step());
            let scalars: BTreeMap<String, f32> =
                fields(summary).iter().map(|(_, value)| scalar(value)).collect();
            match record {
                Record::Step(record) => {
                    assert_eq!(scalars["train/loss"], record.loss as f32);
                    assert_eq!(scalars["train/lr"], record.lr as f32);
                    assert_eq!(
                        scalars.get("train/exact_accuracy").copied(),
                        record.exact_accuracy.map(|v| v as f32)
                    );
                    assert_eq!(scalars["speed/gflops"], record.gflops as f32);
                }
                Record::Evaluation(record) => {
                    assert_eq!(scalars["eval/exact_accuracy"], record.metrics.exact_accuracy as f32);
                    assert_eq!(
                        scalars.get("eval/valid_path").copied(),
                        record.metrics.valid_path.map(|v| v as f32)
                    );
                }
            }
        }
    }
}

fn scalar(value: &[u8]) -> (String, f32) {
    let [(1, tag), (2, value)] = &fields(value)[..] else { panic!("no scalar") };
    let value = f32::from_le_bytes(value[..].try_into().expect("4 bytes"));
    (String::from_utf8(tag.clone()).expect("text"), value)
}

/// Prints every scalar as `reader tag step value`, as both of TensorBoard's readers see them.
const READ: &str = "
import sys
from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.util import tensor_util
size = {'scalars': 0, 'tensors': 0}
first = event_accumulator.EventAccumulator(sys.argv[1], size_guidance=size).Reload()
for tag in first.Tags()['scalars']:
    for event in first.Scalars(tag):
        print('first', tag, event.step, event.value)
second = plugin_event_accumulator.EventAccumulator(sys.argv[1], size_guidance=size).Reload()
for tag in second.Tags()['tensors']:
    for event in second.Tensors(tag):
        print('second', tag, event.step, float(tensor_util.make_ndarray(event.tensor_proto)))
";

/// TensorBoard reads back every value once, also those that were written again after the resume.
#[test]
fn tensorboard_reads_the_files() {
    let python = env::var("TRM_TENSORBOARD_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let usable = Command::new(&python).args(["-c", "import tensorboard"]).output();
    if !usable.is_ok_and(|output| output.status.success()) {
        assert!(env::var_os("TRM_TENSORBOARD_PYTHON").is_none(), "{python} cannot import tensorboard");
        trm_testing::missing("tensorboard", "set TRM_TENSORBOARD_PYTHON to a python3 that has it");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let records = write_resumed_run(folder.path());
    let output = Command::new(&python).args(["-c", READ]).arg(folder.path()).output().expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let text = String::from_utf8(output.stdout).expect("text");
    let mut read: BTreeMap<(&str, &str), Vec<(u64, f32)>> = BTreeMap::new();
    for line in text.lines() {
        let [reader, tag, step, value] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let value = value.parse::<f64>().expect("a number") as f32;
        read.entry((reader, tag)).or_default().push((step.parse().expect("a step"), value));
    }
    let of_steps = |value: fn(&trm_train::StepRecord) -> Option<f64>| -> Vec<(u64, f32)> {
        let steps = records.iter().filter_map(|record| match record {
            Record::Step(record) => value(record).map(|value| (record.step, value as f32)),
            Record::Evaluation(_) => None,
        });
        steps.collect()
    };
    for reader in ["first", "second"] {
        assert_eq!(read[&(reader, "train/loss")], of_steps(|record| Some(record.loss)));
        assert_eq!(read[&(reader, "train/accuracy")], of_steps(|record| record.accuracy));
        assert_eq!(
            read[&(reader, "speed/puzzles_per_second")],
            of_steps(|record| Some(record.puzzles_per_second))
        );
        let evaluated: Vec<u64> =
            read[&(reader, "eval/optimal_path")].iter().map(|(step, _)| *step).collect();
        assert_eq!(evaluated, [5, 10, 15, 20, 25, 30]);
    }
    assert_eq!(read.len(), 2 * (14 + 9));
}
