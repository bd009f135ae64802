"""Batches made by threads: those of loader processes, in their order, with their errors."""

import threading
from itertools import count, islice

import pytest
from detectron2.config import CfgNode

from igdet.data import (
    build_classification_test_loader,
    build_classification_train_loader,
    build_detection_train_loader,
    register_own_datasets,
)
from igdet.data.threads import ThreadedLoader
from igdet.formats.errors import DatasetError


@pytest.fixture
def folder_cfg(cfg, folder_of_images):
    cfg.DATASETS.OWN = CfgNode({"own": {"KIND": "image_folder", "ROOT": str(folder_of_images)}})
    cfg.DATASETS.TRAIN = ("own",)
    cfg.DATALOADER.LABEL_NOISE = 0.5
    register_own_datasets(cfg)
    return cfg


def content(batches):
    return [
        [(s["image_id"], s["gt_classes"].tolist(), s["image"].numpy().tobytes()) for s in batch] for batch in batches
    ]


@pytest.mark.parametrize("threads", [1, 3])
def test_batches_of_training_are_those_of_processes(folder_cfg, threads):
    expected = content(islice(build_classification_train_loader(folder_cfg, 0), 9))
    folder_cfg.DATALOADER.THREADS, folder_cfg.DATALOADER.NUM_WORKERS = True, threads
    assert content(islice(build_classification_train_loader(folder_cfg, 0), 9)) == expected
    assert content(islice(build_classification_train_loader(folder_cfg, 0, start_draw=5 * 4), 4)) == expected[5:]


def test_each_record_is_evaluated_once(folder_cfg):
    expected = content(build_classification_test_loader(folder_cfg, "own"))
    folder_cfg.DATALOADER.THREADS, folder_cfg.DATALOADER.NUM_WORKERS = True, 2
    loader = build_classification_test_loader(folder_cfg, "own")
    assert len(loader) == len(expected)
    assert content(loader) == content(loader) == expected


def test_bad_records_are_reported(folder_cfg, folder_of_images):
    next(folder_of_images.rglob("*.png")).write_bytes(b"no image")
    folder_cfg.DATALOADER.THREADS, folder_cfg.DATALOADER.NUM_WORKERS = True, 2
    loader = build_classification_test_loader(folder_cfg, "own")
    list(loader)
    assert loader.log.bad == 1


class Squares:
    """Squares of numbers; of 7 there is none. Notes the threads that asked."""

    def __init__(self):
        self.threads, self.asked = set(), []

    def __getitem__(self, number):
        self.threads.add(threading.current_thread())
        self.asked.append(number)
        if number == 7:
            raise ValueError("no square")
        return number * number


def test_an_error_comes_where_its_batch_would():
    loader = iter(ThreadedLoader(Squares(), [[0, 1], [2, 3], [6, 7], [8, 9]], list, 2))
    assert [next(loader), next(loader)] == [[0, 1], [4, 9]]
    with pytest.raises(ValueError, match="no square"):
        next(loader)


def test_an_endless_set_is_read_ahead_by_little_and_ends_when_nobody_asks():
    squares = Squares()
    loader = iter(ThreadedLoader(squares, ([10 + i] for i in count()), list, 2))
    assert [next(loader)[0] for _ in range(5)] == [100, 121, 144, 169, 196]
    loader.close()
    assert len(squares.asked) <= 5 + 2 * 2
    assert not any(thread.is_alive() for thread in squares.threads)
    assert threading.current_thread() not in squares.threads


def test_no_batches():
    assert list(ThreadedLoader(Squares(), [], list, 2)) == []


def test_other_sets_are_refused(cfg, coco_content, write_coco):
    cfg.DATASETS.OWN = CfgNode({"toys": {"KIND": "coco", **write_coco(coco_content)}})
    cfg.DATASETS.TRAIN, cfg.DATALOADER.THREADS = ("toys",), True
    register_own_datasets(cfg)
    with pytest.raises(DatasetError, match="THREADS: toys is for detection or segmentation, but threads make"):
        build_detection_train_loader(cfg, 0)
