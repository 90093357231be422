//! A run that is stopped, or that crashes, anywhere, and goes on.

use std::fs;

use nas_testing::folder;

use super::toy::{Fault, Toy};
use super::{assert_same, bytes, create, go, inputs, resume, sources, versions, whole};
use crate::record::Status;
use crate::regime::End;
use crate::store::{Inputs, Recorded, Store};

/// Stops a run after each of its events in turn; it goes on and ends the same.
pub(super) fn stop_anywhere(toy: &Toy, inputs: &Inputs<'_>) {
    let reference = folder();
    let (_, events) = go(toy, &mut Store::open(reference.path(), inputs).unwrap(), None).unwrap();
    let expected = bytes(reference.path());
    for stop_at in 1..events {
        let dir = folder();
        let stopped = go(toy, &mut Store::open(dir.path(), inputs).unwrap(), Some(stop_at));
        assert!(matches!(stopped.unwrap().0, End::Interrupted(_)), "{stop_at}");
        let (end, _) = go(toy, &mut Store::open(dir.path(), inputs).unwrap(), None).unwrap();
        assert!(matches!(end, End::Finished(_)));
        assert_same(&bytes(dir.path()), &expected, &format!("stopped after event {stop_at}"));
    }
}

/// Crashes a run at each of its writes in turn; it goes on and ends the same.
pub(super) fn crash_anywhere(toy: &Toy, inputs: &Inputs<'_>) {
    let reference = folder();
    go(toy, &mut Store::open(reference.path(), inputs).unwrap(), None).unwrap();
    let expected = bytes(reference.path());
    for writes in 0.. {
        let dir = folder();
        let mut store = Store::open(dir.path(), inputs).unwrap();
        store.fuse = Some(writes);
        let crashed = go(toy, &mut store, None).is_err();
        drop(store);
        go(toy, &mut Store::open(dir.path(), inputs).unwrap(), None).unwrap();
        assert_same(&bytes(dir.path()), &expected, &format!("crashed at write {writes}"));
        if !crashed {
            assert!(writes > 6, "{writes}");
            break;
        }
    }
}

#[test]
fn a_search_ends_the_same_wherever_it_is_stopped() {
    let toy = Toy::short();
    stop_anywhere(&toy, &inputs(&toy, &sources(), &versions()));
}

#[test]
fn a_search_ends_the_same_wherever_it_crashes() {
    let toy = Toy::short();
    crash_anywhere(&toy, &inputs(&toy, &sources(), &versions()));
}

#[test]
fn stopped_again_and_again_it_ends_the_same() {
    let toy = Toy::short();
    // A backend that hears only at the step after is stopped as well.
    toy.fault.set(Fault::Deaf);
    let (reference, dir) = (folder(), folder());
    whole(&toy, reference.path());
    drop(create(&toy, dir.path()));
    let mut stops = 0;
    while let End::Interrupted(_) = go(&toy, &mut resume(&toy, dir.path()), Some(8)).unwrap().0 {
        stops += 1;
        assert!(stops < 100, "it gets nowhere");
    }
    assert!(stops > 5, "{stops}");
    assert_same(&bytes(dir.path()), &bytes(reference.path()), "stopped every few events");
}

#[test]
fn a_stop_says_what_is_on_disk() {
    let toy = Toy::short();
    let dir = folder();
    // search began, two steps of the warm-up, its epoch, one step more
    let (outcome, _) = go(&toy, &mut create(&toy, dir.path()), Some(5)).unwrap();
    let status = Status { phase: crate::Phase::Search, done: 1, of: 4 };
    assert_eq!(outcome, End::Interrupted(status));
    let on_disk = resume(&toy, dir.path()).records().unwrap().status().unwrap();
    assert_eq!(on_disk, Some(status));
}

/// What a killed process leaves: the log of the records with a torn end, and files aside.
#[test]
fn a_torn_log_and_a_file_aside_do_not_count() {
    let toy = Toy::short();
    let (reference, at_work, dir) = (folder(), folder(), folder());
    whole(&toy, reference.path());
    let mut store = create(&toy, at_work.path());
    go(&toy, &mut store, Some(14)).unwrap();
    let mut files = std::collections::BTreeMap::new();
    super::gather(at_work.path(), at_work.path(), &mut files);
    drop(store);
    let log = files.get_mut("run.sqlite-wal").expect("records at work have a log");
    let torn = log[log.len() - 300..].to_vec();
    log.extend(torn);
    files.insert(".supernet.safetensors.nasc-aside".to_owned(), b"half".to_vec());
    files.insert(".result.json.nasc-aside".to_owned(), b"half".to_vec());
    for (name, bytes) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    go(&toy, &mut resume(&toy, dir.path()), None).unwrap();
    assert_same(&bytes(dir.path()), &bytes(reference.path()), "torn");
}

/// Others read while a run is at work, and see it as it was when they began.
#[test]
fn a_run_at_work_is_read() {
    let toy = Toy::short();
    let dir = folder();
    let mut store = create(&toy, dir.path());
    let began = Recorded::open(dir.path()).unwrap();
    assert!(began.is_at_work() && began.status().unwrap().is_none());
    go(&toy, &mut store, Some(14)).unwrap();
    let stopped = Recorded::open(dir.path()).unwrap();
    let status = stopped.status().unwrap().unwrap();
    go(&toy, &mut store, None).unwrap();
    drop(store);
    assert_eq!(stopped.status().unwrap(), Some(status), "it sees the run as it was");
    assert!(stopped.trials().unwrap().is_empty() && !stopped.epochs().unwrap().is_empty());
    let done = Recorded::open(dir.path()).unwrap();
    // A process that another test starts holds all that is open here, until it runs its program.
    let mut rests = (0..100).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        !done.is_at_work()
    });
    assert!(rests.any(|rests| rests) && done.result().is_some());
    assert_eq!(
        done.timings().unwrap().len(),
        done.trials().unwrap().len() + done.epochs().unwrap().len()
    );
    drop((began, stopped, done));
    resume(&toy, dir.path()).records().unwrap();
    assert!(!dir.path().join("run.sqlite-wal").exists(), "the last process leaves one file");
}

#[test]
fn a_finished_run_stays_finished() {
    let toy = Toy::short();
    let dir = folder();
    let result = whole(&toy, dir.path());
    let before = bytes(dir.path());
    let (again, told) = go(&toy, &mut resume(&toy, dir.path()), None).unwrap();
    assert_eq!(again, End::Finished(Box::new(result)));
    assert_eq!(told, 1, "only that it went on");
    assert_same(&bytes(dir.path()), &before, "finished twice");
}
