//! Tests of the order, the repeatability and the end of an epoch.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::resample::Scratch;

/// Every random step at once.
fn training() -> Pipeline {
    Pipeline { crop: Some(size(8, 8)), flip: true, scale: Some((0.5, 2.0)), ..plain() }
}

fn stems(loader: &Loader, epoch: u64) -> Vec<String> {
    loader.epoch(epoch).flat_map(|batch| batch.unwrap().stems).collect()
}

/// Two epochs of batches, bit by bit.
fn bits(folder: &Folder, options: LoaderOptions) -> Vec<(Vec<u32>, Vec<i64>, Vec<String>)> {
    let loader = folder.loader(training(), options).unwrap();
    let batches = (0..2).flat_map(|epoch| loader.epoch(epoch).collect::<Vec<_>>());
    batches
        .map(Result::unwrap)
        .map(|batch| {
            let images = batch.inputs[0].values.iter().map(|value| value.to_bits()).collect();
            (images, class_map(&batch).to_vec(), batch.stems)
        })
        .collect()
}

#[test]
fn threads_and_cache_change_no_byte() {
    let folder = Folder::of(23);
    let options = LoaderOptions { drop_last: false, ..LoaderOptions::training(4, 7) };
    let one = bits(&folder, LoaderOptions { workers: 1, ..options });
    assert_eq!(one.len(), 12);
    for workers in [2, 5] {
        for cache_bytes in [0, 5000, 512 << 20] {
            let options = LoaderOptions { workers, cache_bytes, ..options };
            assert!(bits(&folder, options) == one, "{workers} workers, cache {cache_bytes}");
        }
    }
    assert!(bits(&folder, LoaderOptions { seed: 8, ..options }) != one);
}

#[test]
fn the_order_of_a_seed_stays_as_it_is() {
    let loader = Folder::of(8);
    let loader = loader.loader(plain(), LoaderOptions::training(8, 7)).unwrap();
    let order: String = stems(&loader, 0).iter().map(|stem| &stem[3..]).collect();
    assert_eq!(order, "13472560");
}

#[test]
fn each_epoch_has_its_own_order_and_every_sample_once() {
    let folder = Folder::of(20);
    let loader = folder.loader(plain(), LoaderOptions::training(4, 0)).unwrap();
    let (first, second) = (stems(&loader, 0), stems(&loader, 1));
    assert_ne!(first, second);
    assert_eq!(first, stems(&loader, 0));
    for order in [first, second] {
        assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), 20);
    }
}

#[test]
fn augmentation_depends_on_sample_and_epoch_but_not_on_the_batch() {
    let folder = Folder::of(6);
    let options = LoaderOptions { shuffle: false, ..LoaderOptions::training(1, 0) };
    let labels = |options, epoch| {
        let loader = folder.loader(training(), options).unwrap();
        loader
            .epoch(epoch)
            .flat_map(|batch| class_map(&batch.unwrap()).to_vec())
            .collect::<Vec<_>>()
    };
    assert_eq!(labels(options, 0), labels(LoaderOptions { batch: 3, ..options }, 0));
    assert_ne!(labels(options, 0), labels(options, 1));
    let all = labels(options, 0);
    let samples: BTreeSet<_> = all.chunks(64).collect();
    assert_eq!(samples.len(), 6, "all pictures are alike, so only the draws differ");
}

#[test]
fn evaluation_keeps_the_last_batch_and_training_drops_it() {
    let folder = Folder::of(7);
    let sizes = |options| {
        let loader = folder.loader(plain(), options).unwrap();
        let sizes: Vec<_> = loader.epoch(0).map(|batch| batch.unwrap().n).collect();
        assert_eq!(sizes.len(), loader.batches());
        sizes
    };
    assert_eq!(sizes(LoaderOptions::evaluation(3)), [3, 3, 1]);
    assert_eq!(sizes(LoaderOptions::training(3, 0)), [3, 3]);
    assert_eq!(sizes(LoaderOptions { workers: 0, ..LoaderOptions::evaluation(0) }), [1; 7]);
    let loader = folder.loader(plain(), LoaderOptions::evaluation(3)).unwrap();
    assert!(stems(&loader, 4).is_sorted());
}

#[test]
fn too_few_images_for_a_batch_are_an_error() {
    let folder = Folder::of(3);
    let found = folder.loader(plain(), LoaderOptions::training(4, 0));
    assert_told(found, "nas::data::too_few_images", &["3 images", "4"]);
    let (_, none) = folder.split().unwrap().divide(1.0, 0);
    let found = Loader::new(none, plain(), LoaderOptions::evaluation(4));
    assert_told(found, "nas::data::too_few_images", &["0 images"]);
}

#[test]
fn images_of_two_sizes_need_a_crop_or_a_resize() {
    let folder = Folder::of(1);
    let (image, labels) = coded(10, 14);
    folder.add("t", &image, &labels);
    let found = folder.epoch(plain(), LoaderOptions::evaluation(2));
    let words = ["t.png", "10 high and 14 wide", "12 high and 16 wide"];
    assert_told(found, "nas::data::mixed_sizes", &words);
    assert!(folder.epoch(plain().evaluation(size(8, 8)), LoaderOptions::evaluation(2)).is_ok());
    assert!(folder.epoch(training(), LoaderOptions::evaluation(2)).is_ok());
}

#[test]
fn an_error_comes_in_its_place_and_ends_the_epoch() {
    let folder = Folder::of(30);
    fs::write(folder.image("s011"), "broken").unwrap();
    let options = LoaderOptions { workers: 3, ..LoaderOptions::evaluation(2) };
    let loader = folder.loader(plain(), options).unwrap();
    let mut batches = loader.epoch(0);
    for nth in 0..5 {
        assert_eq!(batches.next().unwrap().unwrap().stems[0], format!("s{:03}", 2 * nth));
    }
    assert_told(batches.next().unwrap(), "nas::data::unreadable", &["s011"]);
    assert!(batches.next().is_none() && batches.next().is_none());
    assert_eq!(Arc::strong_count(&loader.source), 1, "a thread is left");
}

#[test]
fn dropping_an_epoch_stops_its_threads() {
    let folder = Folder::of(60);
    for taken in [0, 1, 4] {
        let options = LoaderOptions { workers: 3, ..LoaderOptions::evaluation(2) };
        let loader = folder.loader(plain(), options).unwrap();
        let mut batches = loader.epoch(0);
        assert_eq!(batches.by_ref().take(taken).filter(Result::is_ok).count(), taken);
        let stop = Arc::clone(&batches.stop);
        drop(batches);
        assert!(stop.load(Ordering::Relaxed));
        assert_eq!(Arc::strong_count(&loader.source), 1, "a thread is left");
        // Each of three threads has one batch waiting and one in hand at most.
        assert!(cached(&loader) <= 2 * (taken + 3 * 2), "{} pictures were read", cached(&loader));
    }
}

#[test]
fn a_stopped_thread_reads_no_further_picture() {
    let loader = Folder::of(4).loader(plain(), LoaderOptions::evaluation(4)).unwrap();
    let stop = AtomicBool::new(true);
    let made = loader.source.batch(&[0, 1, 2, 3], 0, &stop, &mut Scratch::new());
    assert!(matches!(made, Ok(None)));
    assert_eq!(cached(&loader), 0);
}

fn cached(loader: &Loader) -> usize {
    loader.source.cache.iter().filter(|place| place.get().is_some()).count()
}

#[test]
fn the_cache_holds_what_fits_and_spares_the_files() {
    let folder = Folder::of(6);
    let bytes = 12 * 16 * 4;
    for (cache_bytes, kept) in [(0, 0), (bytes - 1, 0), (3 * bytes + 5, 3), (1 << 20, 6)] {
        let options = LoaderOptions { cache_bytes, ..LoaderOptions::evaluation(2) };
        let loader = folder.loader(plain(), options).unwrap();
        assert!(loader.epoch(0).all(|batch| batch.is_ok()));
        assert_eq!(cached(&loader), kept, "{cache_bytes} bytes");
    }
    let loader = folder.loader(plain(), LoaderOptions::evaluation(2)).unwrap();
    let before: Vec<_> = loader.epoch(0).map(Result::unwrap).collect();
    fs::remove_dir_all(folder.root().join("train")).unwrap();
    assert_eq!(loader.epoch(0).map(Result::unwrap).collect::<Vec<_>>(), before);
}

#[test]
fn a_thread_that_died_is_no_silent_end() {
    let folder = Folder::of(4);
    let loader = folder.loader(plain(), LoaderOptions::evaluation(2)).unwrap();
    let mut batches = loader.epoch(0);
    batches.receivers = vec![crossbeam_channel::bounded(1).1];
    assert_told(batches.next().unwrap(), "nas::internal::data_worker", &["thread"]);
    assert!(batches.next().is_none());
}
