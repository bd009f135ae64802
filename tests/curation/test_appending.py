"""Posts that are added to an earlier curation: what stays, what follows, what is refused."""

import json
import random
import re
import shutil
import signal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from python_process import forked_python

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation import manifest, pipeline
from igdet.curation.manifest import manifest_path, read_manifest
from igdet.curation.settings import read_curation
from igdet.curation.stages import posts
from igdet.curation.stages.posts import SourceError
from igdet.formats.shards import ShardIndex, read_summary
from igdet.utils.cache import LockError, locked
from igdet.utils.yaml import ConfigError

from .raw_posts import USER, write_raw_posts
from .runs import RUN, STAGES, result, run

# Of the raw posts, 0 and 1 of a.jsonl have labels: dog; cat. b.jsonl adds 3 (brownbear, dog), 4 (cat), and 0 once more
# (owl); c.jsonl 6, 7 and 8 (dog; of 6 also owl), the first a near-duplicate, the others without an image, and 9, which
# has opted out.
OVERRIDES = ["SOURCE.MAX_BAD_SHARE", "0.5", "SHARDS.MAX_BAD_SHARE", "1"]


def paths(folder, *names):
    return ["SOURCE.PATHS", json.dumps([str(folder / "posts" / name) for name in names])]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """The config of all posts; beside it, out/ is what became of the first file's."""
    config = write_raw_posts(tmp_path_factory.mktemp("earlier"))
    assert run(config, *OVERRIDES, *paths(config.parent, "a.jsonl")) == STAGES
    return config


@pytest.fixture
def earlier(config):
    """The folder that posts are added to."""
    return config.parent / "out"


@pytest.fixture
def adding(config, tmp_path):
    """Give the command line that adds posts to a curation, in a folder of tmp_path."""

    def overrides(to=config.parent / "out", output="out", vocabulary="carried"):
        choice = json.dumps({"OUTPUT_DIR": str(to), "VOCABULARY": vocabulary})
        return [config, "OUTPUT_DIR", str(tmp_path / output), *OVERRIDES, "APPEND_TO", choice]

    return overrides


def index(output):
    return pq.read_table(output / "shards/index.parquet").to_pylist()


def test_new_posts_become_new_shards_behind_the_old_ones(earlier, adding, tmp_path):
    before = result(earlier)
    assert run(*adding()) == STAGES
    assert run(*adding()) == []
    assert result(earlier) == before
    rows = index(tmp_path / "out")
    assert rows[:2] == index(earlier)
    assert sorted(row["labels"] for row in rows[:2]) == sorted(row["labels"] for row in rows[2:]) == [[0], [1]]
    assert {row["shard"] for row in rows} == {"posts-000000.tar", "posts-000002.tar"}  # all of 1 are left out
    old, new = earlier / "shards", tmp_path / "out/shards"
    assert (new / "posts-000000.tar").samefile(old / "posts-000000.tar")
    assert (new / "vocabulary.txt").read_bytes() == (old / "vocabulary.txt").read_bytes()
    assert len(ShardIndex.open(new).keys) == 4
    assert read_summary(new).name == "train-own-4-2"


def test_all_posts_are_counted(adding, tmp_path):
    run(*adding())
    manifests = {stage: read_manifest(tmp_path / "out", stage) for stage in STAGES}
    assert {stage: (of.rows_in, of.rows_out) for stage, of in manifests.items()} == {
        "posts": (12, 12),
        "labels": (12, 12),
        "vocabulary": (12, 8),
        "duplicates": (8, 7),
        "shards": (8, 4),
    }
    counts = manifests["vocabulary"].counts
    assert counts["labels not in the vocabulary that is carried"] == 4
    assert counts["posts without a label of the vocabulary"] == 4  # #owl is not in the vocabulary
    assert manifests["duplicates"].counts["pairs"] == 1
    table = pq.read_table(tmp_path / "out/vocabulary/labels.parquet").to_pylist()
    assert [(row["label"], row["posts"], row["tags"]) for row in table] == [
        ("n2", 3, ["cat"]),  # was the first when both had one post
        ("n1", 5, ["dog", "hound"]),
    ]


def test_what_is_carried_is_not_hashed_again(earlier, adding, tmp_path, monkeypatch):
    hashed, real = [], manifest.content_hash
    monkeypatch.setattr(manifest, "content_hash", lambda path: hashed.append(path) or real(path))
    run(*adding())
    shards = tmp_path / "out/shards"
    assert [path for path in hashed if path.suffix == ".tar"] == [shards / "posts-000002.tar"]
    facts = read_manifest(tmp_path / "out", "shards").files["shards/posts-000000.tar"]
    assert facts == read_manifest(earlier, "shards").files["shards/posts-000000.tar"]
    assert facts["sha256"] == real(shards / "posts-000000.tar")


def test_a_vocabulary_that_is_renewed_is_that_of_all_posts_at_once(config, earlier, adding, tmp_path):
    run(config, "OUTPUT_DIR", str(tmp_path / "at_once"), *OVERRIDES)
    run(*adding(vocabulary="renewed"))
    added, at_once = result(tmp_path / "out"), result(tmp_path / "at_once")
    of_stages = {name for name in at_once if not name.startswith(("manifests/", "report"))}
    assert {name for name in of_stages if added[name] != at_once[name]} == set()
    assert (tmp_path / "out/posts/part-00000/0/posts.parquet").samefile(earlier / "posts/part-00000/0/posts.parquet")


def test_posts_are_added_again_and_again(config, adding, tmp_path):
    run(*adding(output="second"), *paths(config.parent, "a.jsonl", "b.jsonl"))
    run(*adding(tmp_path / "second", "third"))
    run(*adding(), *OVERRIDES)
    assert [len(index(tmp_path / name)) for name in ("second", "third")] == [4, 4]
    assert index(tmp_path / "third")[:4] == index(tmp_path / "second")
    keys = [sorted(row["key"] for row in index(tmp_path / name)) for name in ("third", "out")]
    assert keys[0] == keys[1]
    increments = sorted(path.name for path in (tmp_path / "third/vocabulary/posts").iterdir())
    assert increments == ["increment-00000", "increment-00001", "increment-00002"]


def test_a_file_that_has_grown_adds_its_new_posts(config, tmp_path):
    grown, folder = [tmp_path / "grown.jsonl"], ["SOURCE.PATHS", str([str(tmp_path / "grown.jsonl")])]
    lines = [(config.parent / "posts" / name).read_text() for name in ("a.jsonl", "b.jsonl")]
    grown[0].write_text(lines[0])
    run(config, "OUTPUT_DIR", str(tmp_path / "first"), *OVERRIDES, *folder)
    grown[0].write_text("".join(lines))
    choice = f"{{OUTPUT_DIR: {tmp_path}/first}}"
    run(config, "OUTPUT_DIR", str(tmp_path / "second"), *OVERRIDES, *folder, "APPEND_TO", choice)
    assert read_manifest(tmp_path / "second", "vocabulary").counts["posts with the id of another"] == 2  # 0 and 1
    assert len({row["key"] for row in index(tmp_path / "second")}) == len(index(tmp_path / "second")) == 4


def test_posts_of_a_file_that_has_changed_are_counted_once(config, adding, tmp_path):
    shutil.copytree(config.parent / "posts", tmp_path / "posts")
    command = [config, *OVERRIDES, "OUTPUT_DIR", str(tmp_path / "first"), *paths(tmp_path, "a.jsonl", "b.jsonl")]
    run(*command)
    with (tmp_path / "posts/b.jsonl").open("a") as file:
        file.write('{"id": "new", "image": "new.jpg", "text": "#cat"}\n')
    added = [*adding(tmp_path / "first", vocabulary="renewed"), *paths(tmp_path, "a.jsonl", "b.jsonl")]
    run(*added)
    run(*command[:-4], "OUTPUT_DIR", str(tmp_path / "at_once"), *command[-2:])
    tables = [
        pq.read_table(tmp_path / folder / f"{name}.parquet")
        for folder in ("out", "at_once")
        for name in ("labels/tags", "labels/labels", "vocabulary/labels")
    ]
    assert tables[:3] == tables[3:]
    facts = read_manifest(tmp_path / "out", "posts").settings
    assert [Path(path).name for path, *_ in facts["files"]] == ["b.jsonl"]
    assert [Path(path).name for path, *_ in facts["read_before"]] == ["a.jsonl"]


def test_a_file_that_could_not_be_read_is_tried_again(config, adding, tmp_path, monkeypatch):
    source, real = paths(config.parent, "a.jsonl", "b.jsonl"), posts.open_table

    def broken(path, *args):
        if path.endswith("b.jsonl"):
            raise OSError("the disk is away")
        return real(path, *args)

    with monkeypatch.context() as patch:
        patch.setattr(posts, "open_table", broken)
        run(config, *OVERRIDES, "OUTPUT_DIR", str(tmp_path / "first"), *source)
    assert read_manifest(tmp_path / "first", "posts").counts["files that cannot be read"] == 1
    run(*adding(tmp_path / "first", "second"), *source)
    assert len(index(tmp_path / "second")) == 4
    run(*adding(tmp_path / "second"))
    manifests = [read_manifest(tmp_path / name, "posts") for name in ("second", "out")]
    assert [(of.rows_in, of.counts["files that cannot be read"]) for of in manifests] == [(8, 0), (12, 0)]


def test_files_without_posts_add_nothing(config, earlier, adding, tmp_path):
    (tmp_path / "posts").mkdir()
    (tmp_path / "posts/a0.jsonl").write_text("")
    run(*adding(), *paths(tmp_path, "a0.jsonl"))
    assert index(tmp_path / "out") == index(earlier)


def test_little_is_added_whatever_its_share_is(earlier, adding, tmp_path):
    (tmp_path / "posts").mkdir()
    lines = ['{"id": "x", "image": "x.jpg", "text": "nothing"}', '{"id": "y", "image": null, "text": "#dog"}']
    (tmp_path / "posts/a0.jsonl").write_text("\n".join(lines))
    run(*adding(), *paths(tmp_path, "a0.jsonl"), "SOURCE.MAX_BAD_SHARE", "0.05")
    assert index(tmp_path / "out") == index(earlier)


def test_a_curation_whose_stages_do_not_belong_together_is_refused(config, adding, tmp_path, monkeypatch):
    first = [config, *OVERRIDES, "OUTPUT_DIR", str(tmp_path / "first")]
    run(*first, *paths(config.parent, "a.jsonl"))
    for last, choices in {"posts": ("carried", "renewed"), "labels": ("carried",)}.items():  # stopped behind them
        stages = pipeline.STAGES[: STAGES.index(last) + 1]
        with monkeypatch.context() as patch:
            patch.setattr(pipeline, "STAGES", stages)
            pipeline.run(read_curation(config, [*first[1:], *paths(config.parent, "a.jsonl", "b.jsonl")]), print)
        for vocabulary in choices:
            with pytest.raises(ConfigError, match="is not done, or not since a stage before it was"):
                run(*adding(tmp_path / "first", vocabulary=vocabulary))


def test_hashes_of_other_posts_are_not_taken(config, adding, tmp_path):
    first = [config, *OVERRIDES, "OUTPUT_DIR", str(tmp_path / "first")]
    run(*first, *paths(config.parent, "a.jsonl"))
    without = yaml.safe_load(config.read_text())
    del without["DUPLICATES"]
    (tmp_path / "without.yaml").write_text(yaml.safe_dump(without))
    run(tmp_path / "without.yaml", *first[1:], *paths(config.parent, "a.jsonl", "c.jsonl"))
    run(*adding(tmp_path / "first"))
    assert read_manifest(tmp_path / "out", "duplicates").counts["pairs"] == 1


def test_images_may_lie_elsewhere(earlier, adding, tmp_path, config):
    (tmp_path / "others").mkdir()
    shutil.copytree(config.parent / f"images/{USER}", tmp_path / "others" / USER)
    run(*adding(), "SHARDS.IMAGES", str(tmp_path / "others"))
    [step] = json.loads((tmp_path / "out/logs/duplicates.json").read_text())["steps"]
    assert step["rows"] == 6
    assert index(tmp_path / "out")[:2] == index(earlier)


def test_of_near_duplicates_the_earlier_post_stays(config, adding, tmp_path):
    (tmp_path / "posts").mkdir()
    (tmp_path / "posts/a.jsonl").write_text(f'{{"id": "z", "image": "{USER}/0.jpg", "text": "#dog"}}\n' * 2)
    (tmp_path / "posts/b.jsonl").write_text(f'{{"id": "a", "image": "{USER}/0.jpg", "text": "#dog"}}\n' * 2)
    common = [*OVERRIDES, "DUPLICATES", "{EVALUATION: ''}"]
    run(config, *common, "OUTPUT_DIR", str(tmp_path / "first"), *paths(tmp_path, "a.jsonl"))
    run(*adding(tmp_path / "first"), *common, *paths(tmp_path, "b.jsonl"))
    assert index(tmp_path / "out") == index(tmp_path / "first") != []


def test_a_lexicon_goes_by_its_content(earlier, adding, tmp_path, config):
    shutil.copy(config.parent / "lexicon.csv", tmp_path / "words.csv")
    run(*adding(), "LEXICON.PATH", str(tmp_path / "words.csv"))
    (tmp_path / "words.csv").write_text("word,label\ndog,n1\n")
    with pytest.raises(ConfigError, match="LEXICON is not that of"):
        run(*adding(output="other"), "LEXICON.PATH", str(tmp_path / "words.csv"))


def test_who_opts_out_later_is_left_out_of_what_was_carried_too(config, earlier, adding, tmp_path):
    before = result(earlier)
    (tmp_path / "later.txt").write_text(f"{USER}/0\n")
    exclude = json.dumps({"opted out": str(config.parent / "opted_out.txt"), "later": str(tmp_path / "later.txt")})
    run(*adding(), "SHARDS.EXCLUDE", exclude)
    assert read_manifest(tmp_path / "out", "shards").counts["later"] == 1
    assert len(index(tmp_path / "out")) == 3
    assert result(earlier) == before


def test_only_images_that_are_added_are_hashed(earlier, adding, tmp_path):
    run(*adding())
    [step] = json.loads((tmp_path / "out/logs/duplicates.json").read_text())["steps"]
    assert step["rows"] == 6  # posts that are added
    run(*adding(output="within"), "DUPLICATES", "{EVALUATION: ''}")  # needs hashes in all orientations
    [step] = json.loads((tmp_path / "within/logs/duplicates.json").read_text())["steps"]
    assert step["rows"] == 8


def test_what_adds_no_labelled_post_adds_no_shard(config, earlier, tmp_path):
    (tmp_path / "posts.jsonl").write_text('{"id": "x", "image": "x.jpg", "text": "#zzz"}\n' * 3)
    choice = f"{{OUTPUT_DIR: {earlier}}}"
    source = ["SOURCE.PATHS", f"[{tmp_path}/posts.jsonl]"]
    run(config, "OUTPUT_DIR", str(tmp_path / "out"), *OVERRIDES, *source, "APPEND_TO", choice)
    assert index(tmp_path / "out") == index(earlier)


@pytest.mark.parametrize("seed", [0, 1])
def test_runs_killed_at_random_moments_end_as_an_unbroken_one(adding, tmp_path, seed):
    generator, seconds, killed = random.Random(seed), 0.1, 0
    run(*adding(output="unbroken"))
    config, *overrides = adding()
    while (ended := forked_python("-c", RUN, config, seconds, *overrides)).returncode:
        assert ended.returncode == -signal.SIGALRM, ended.stderr
        seconds *= generator.uniform(1.1, 2.5)
        killed += 1
    assert killed
    assert result(tmp_path / "out") == result(tmp_path / "unbroken")


def test_a_run_that_is_at_work_in_the_earlier_folder_is_not_disturbed(earlier, adding):
    with locked(earlier), pytest.raises(LockError, match=r"earlier.*another run is at work there"):
        run(*adding())


def test_without_hard_links_files_are_copied(earlier, adding, tmp_path, monkeypatch):
    def no_links(self, target):
        raise OSError(18, "Invalid cross-device link")

    run(*adding(output="linked"))
    monkeypatch.setattr("pathlib.Path.hardlink_to", no_links)
    run(*adding())
    assert result(tmp_path / "out") == result(tmp_path / "linked")
    assert not (tmp_path / "out/shards/posts-000000.tar").samefile(earlier / "shards/posts-000000.tar")


@pytest.mark.parametrize(
    ("overrides", "error", "why"),
    [
        (["SOURCE.PATHS", "['{folder}/posts/a.jsonl']"], SourceError, "all 1 files.*nothing to add"),
        (["LEXICON.MORPHOLOGY", "false"], ConfigError, "LEXICON is not that of .*VOCABULARY: renewed"),
        (["VOCABULARY.MIN_POSTS", "2"], ConfigError, "VOCABULARY is not that of .*VOCABULARY: renewed"),
        (["APPEND_TO.VOCABULARY", "kept"], ConfigError, "'kept' is neither carried nor renewed"),
        (["APPEND_TO.OUTPUT_DIR", "{folder}"], ConfigError, "its stage posts is not done, or not since"),
        (["OUTPUT_DIR", "{folder}/out/vocabulary"], ConfigError, "is APPEND_TO.OUTPUT_DIR, .*, or lies in it"),
    ],
)
def test_what_cannot_be_added_is_refused_before_any_work(config, adding, tmp_path, overrides, error, why):
    filled = [text.replace("{folder}", str(config.parent)) for text in overrides]
    with pytest.raises(error, match=why):
        run(*adding(), *filled)
    assert not list(tmp_path.glob("out/*/part-*"))


def test_an_earlier_curation_must_be_whole_and_of_this_version(adding, tmp_path):
    (tmp_path / "more.jsonl").write_text('{"id": "x", "image": "x.jpg", "text": "#dog"}\n')
    command = [*adding(tmp_path / "earlier", vocabulary="renewed"), "SOURCE.PATHS", f"[{tmp_path}/more.jsonl]"]
    run(*adding(output="earlier"))
    said = manifest_path(tmp_path / "earlier", "labels")
    (tmp_path / "earlier/labels/tags.parquet").unlink()
    with pytest.raises(ConfigError, match="its stage labels has lost files"):
        run(*command)
    said.write_text(re.sub('"layout": "[0-9]+"', '"layout": "1"', said.read_text()))
    with pytest.raises(ConfigError, match="its stage labels is of another version of igdet"):
        run(*command)
