"""How large a world is, and what its pictures look like."""

from dataclasses import dataclass

from igdet.world.scene import Style


@dataclass(frozen=True)
class WorldSize:
    """Counts of pictures and their sides.

    Attributes:
        posts_train, posts_val: posts in shards.
        loose_posts: posts as loose files with a table.
        clean_train, clean_val: pictures a class for pretraining on clean labels.
        target_train, target_val: pictures a class of the classification target.
        scenes_train, scenes_val: pictures with boxes, masks and keypoints.
        post_side: of posts and classification pictures, in pixels.
        scene_side: of scenes, in pixels.
    """

    posts_train: int
    posts_val: int
    loose_posts: int
    clean_train: int
    clean_val: int
    target_train: int
    target_val: int
    scenes_train: int
    scenes_val: int
    post_side: int = 64
    scene_side: int = 128

    @property
    def post_style(self) -> Style:
        """One or two things that fill most of the picture."""
        return Style(self.post_side, sizes=(0.75, 1.0), clutter=3)

    @property
    def scene_style(self) -> Style:
        """Several things, small and large."""
        return Style(self.scene_side, sizes=(0.25, 0.7), clutter=12)


WORLD_SIZES: dict[str, WorldSize] = {
    # For tests: about two seconds on one core.
    "tiny": WorldSize(
        posts_train=160, posts_val=40, loose_posts=32,
        clean_train=4, clean_val=2, target_train=4, target_val=2, scenes_train=24, scenes_val=8,
    ),
    # For the demo. 80 target pictures a class keep top-1's standard error below sqrt(0.25 / (16 * 80)) = 1.4 points.
    "demo": WorldSize(
        posts_train=20_000, posts_val=1_000, loose_posts=500,
        clean_train=10, clean_val=20, target_train=20, target_val=80, scenes_train=1_500, scenes_val=250,
    ),
}  # fmt: skip
