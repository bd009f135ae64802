"""What the classes of a target are called in a sentence."""

from collections.abc import Sequence

from igdet.curation.vocabularies.target_classes import TargetClass
from igdet.formats.imagenet_lists import lemmas, synsets


def words_of(classes: Sequence[TargetClass], of_imagenet: Sequence[str]) -> list[str]:
    """Return what each class is called.

    Args:
        classes: a wnid of ImageNet-1k is called as `of_imagenet` has it, another one by its first lemma, a class that
            has no wnid by its first name.
        of_imagenet: names of ImageNet-1k's classes, in their order.

    Raises:
        UserError: there are wnids, and the package with ImageNet's lists is not there.
    """
    firsts = [(wanted.names or (wanted.key,))[0] for wanted in classes]
    if not any(wanted.wnid for wanted in classes):
        return firsts
    of_wnid = {wnid: of.split(",")[0] for wnid, of in lemmas().items()}
    of_wnid |= dict(zip(synsets("imagenet-1k"), of_imagenet, strict=True))
    return [of_wnid.get(wanted.wnid, first) for wanted, first in zip(classes, firsts, strict=True)]
