"""The analysis as tables."""

from igdet.evaluation.detection_errors import confusion_table, error_table
from igdet.formats.localization import ERROR_KINDS


def texts(table):
    return [[entry.text for entry in row] for row in table.rows]


def test_errors_of_boxes_and_what_they_cost():
    metrics = {f"errors-{kind}": 0 for kind in ERROR_KINDS} | {f"dAP-{kind}": 0 for kind in ERROR_KINDS}
    table = error_table({"a.json": metrics | {"errors-both": 1234, "dAP-both": 2.06}, "b.json": metrics}, "segm")
    assert table.header == ["detections", "classification", "localisation", "both", "duplicate", "background", "missed"]
    assert texts(table) == [
        ["a.json", *["0 (+0.0)"] * 2, "1,234 (+2.1)", *["0 (+0.0)"] * 3],
        ["b.json", *["0 (+0.0)"] * 6],
    ]


def test_keypoints_of_a_model_that_found_nothing_are_dashes():
    kinds = ("good", "jitter", "inversion", "swap", "miss")
    found = {f"keypoints-{kind}": share for kind, share in zip(kinds, (50, 25, 12.5, 12.5, 0), strict=True)}
    table = error_table({"a.json": found, "b.json": {}}, "keypoints")
    assert table.header == ["detections", *kinds]
    assert texts(table) == [["a.json", "50.0", "25.0", "12.5", "12.5", "0.0"], ["b.json", *"–" * 5]]


def test_the_most_frequent_confusions_are_shown():
    table = confusion_table("a.json", [("cat", "dog", 1200), ("dog", "cat", 3), ("cat", "cow", 1)], most=2)
    assert texts(table) == [["cat", "dog", "1,200"], ["dog", "cat", "3"]]
    assert table.title == "Classes taken for others: a.json"
