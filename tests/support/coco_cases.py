"""Random COCO annotations and detections with everything that makes matching hard."""

import numpy as np
from pycocotools import mask

WIDTH, HEIGHT, KEYPOINTS = 400, 300, 3
SIGMAS = (0.05, 0.08, 0.1)


class Case:
    """Annotations and detections: crowds, images without any, ties of scores, more detections than count.

    Args:
        seed: of the case.

    Attributes:
        truth: content of an annotation file.
        detections: in COCO's result format, with boxes, masks and keypoints.
    """

    def __init__(self, seed: int):
        self._random = np.random.default_rng(seed)
        images = self._random.choice(1000, self._random.integers(1, 7), replace=False).tolist()
        self._categories = (1 + self._random.choice(90, self._random.integers(1, 5), replace=False)).tolist()
        self.truth = {
            "images": [{"id": i, "width": WIDTH, "height": HEIGHT, "file_name": f"{i}.jpg"} for i in images],
            "categories": [{"id": c, "name": f"class {c}"} for c in self._categories],
            "annotations": [],
        }
        self.detections: list[dict] = []
        for image in images:
            objects = [self._object(image) for _ in range(self._random.integers(0, 6))]
            count = self._random.choice([0, 1, 5, 30, 150])
            self.detections += [self._detection(image, objects) for _ in range(count)]

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _box(self, near: list[float] | None = None) -> list[float]:
        if near is None:
            side = self._random.choice([6, 20, 60, 150])
            corner, size = self._random.integers(0, [240, 140]), self._random.integers(1, side + 1, 2)
        else:
            corner, size = np.split(np.array(near) + self._random.integers(-4, 5, 4), 2)
        corner = np.maximum(corner, 0)
        return [*map(float, corner), *map(float, np.clip(size, 1, [WIDTH, HEIGHT] - corner))]

    def _mask(self, box: list[float]) -> dict:
        x, y, width, height = map(int, box)
        pixels = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
        pixels[y : y + height, x : x + width] = 1
        pixels[y + height // 2, x] = self._chance(0.5)
        encoded = mask.encode(pixels)
        return {**encoded, "counts": encoded["counts"].decode()}

    def _object(self, image: int) -> dict:
        x, y, width, height = box = self._box()
        visible = self._random.integers(0, 3, KEYPOINTS) * (not self._chance(0.2))
        points = self._random.uniform([x, y], [x + width, y + height], (KEYPOINTS, 2)).round()
        crowd = self._chance(0.2)
        polygon = [x, y, x + width, y, x + width, y + height, x, y + height]
        annotation = {
            "id": 1 + len(self.truth["annotations"]),
            "image_id": image,
            "category_id": int(self._random.choice(self._categories)),
            "bbox": box,
            "area": width * height * self._random.uniform(0.4, 1),
            "iscrowd": int(crowd),
            "segmentation": self._mask(box) if crowd or self._chance(0.5) else [polygon],
            "num_keypoints": int((visible > 0).sum()),
            "keypoints": np.column_stack([points, visible]).ravel().tolist(),
        }
        self.truth["annotations"].append(annotation)
        return annotation

    def _detection(self, image: int, objects: list[dict]) -> dict:
        aim = self._random.choice(objects) if objects and self._chance(0.8) else None
        box = self._box(aim and aim["bbox"])
        points = (
            np.array(aim["keypoints"]).reshape(-1, 3)[:, :2] if aim else self._random.uniform(0, 300, (KEYPOINTS, 2))
        )
        moved = points + self._random.normal(0, 3, points.shape)
        known = aim and self._chance(0.8)
        return {
            "image_id": image,
            "category_id": aim["category_id"] if known else int(self._random.choice(self._categories)),
            "bbox": box,
            "segmentation": self._mask(box),
            "keypoints": np.column_stack([moved, np.ones(KEYPOINTS)]).ravel().tolist(),
            "score": float(self._random.integers(0, 8) / 8 if self._chance(0.5) else self._random.random()),
        }
