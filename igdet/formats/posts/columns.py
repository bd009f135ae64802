"""Which columns of a table a post is made of, which types they may have, and how its hashtags are taken out."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from igdet.formats.posts.parsing import tags_of_captions, tags_of_lists, tags_of_strings, where
from igdet.formats.posts.values import NAME_KEYS, is_missing
from igdet.utils.messages import shown


@dataclass(frozen=True)
class PostColumns:
    """The columns of a post; a dot leads into a structure, a number into a list.

    Attributes:
        image: path or URL of the image.
        text: hashtags: a list, or one text.
        id: names the post; "" lets the image name it.
        is_caption: whether `text` is a caption that holds #tags.
        separator: between two hashtags of one text; "" for white space, commas, semicolons and vertical bars.
    """

    image: str
    text: str
    id: str = ""
    is_caption: bool = False
    separator: str = ""

    @property
    def names(self) -> list[str]:
        """All of them, each once."""
        return list(dict.fromkeys(name for name in (self.text, self.image, self.id) if name))

    def tags(self, column: pa.Array, lists: pa.Array | None = None) -> pa.ListArray:
        """Take the hashtags out of `text`.

        Args:
            column: strings, lists of strings, or lists of structures that name a hashtag each, (n,).
            lists: list<string> (n,): where `column` is null, if it holds strings.

        Returns:
            list<string> (n,): the hashtags as written, without "#".
        """
        if is_list(column.type):
            return tags_of_lists(_names(column))
        column = column.cast(pa.string())
        of_text = tags_of_captions(column) if self.is_caption else tags_of_strings(column, self.separator or None)
        return of_text if lists is None else where(pc.is_valid(column), of_text, tags_of_lists(lists))


def usable_images(images: pa.Array) -> pa.Array:
    """Tell which paths or URLs (n,) may lead to an image, as bool (n,): there is one, and no NUL in it."""
    no_text = is_missing(images)
    return pc.and_not(pc.invert(no_text), pc.fill_null(pc.match_substring(images, "\0"), False))


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of that type holds texts, or nothing at all."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(
        of(kind) for of in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    )


def is_list(kind: pa.DataType) -> bool:
    """Whether a column of that type holds lists of any kind."""
    return any(of(kind) for of in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))


def lists_tags(kind: pa.DataType) -> bool:
    """Whether a column of that type holds lists of texts, or of structures with a text of a usual name."""
    return is_list(kind) and (is_text(kind.value_type) or _name_of(kind.value_type) != "")


def types_by_path(fields: Iterable[pa.Field]) -> dict[str, pa.DataType]:
    """Return the type of each column, and of the fields of structures by their dotted path."""
    types: dict[str, pa.DataType] = {}
    for field in fields:
        types[field.name] = field.type
        if pa.types.is_struct(field.type):
            types |= {f"{field.name}.{name}": kind for name, kind in types_by_path(field.type).items()}
    return types


def described(column: str, kind: pa.DataType, expected: str) -> str:
    """Say that a column is of a type that cannot be used, and which of its fields might be meant."""
    text = f"column {shown(column)} holds {kind!s:.200}; expected {expected}"
    structure = kind.value_type if is_list(kind) else kind
    if not pa.types.is_struct(structure):
        return text
    if is_list(kind):
        return f"{text}, or a structure with a text {', '.join(NAME_KEYS[:-1])} or {NAME_KEYS[-1]}"
    return f"{text}; a dot leads into it, as in {column}.{structure.field(structure.num_fields - 1).name}"


def _name_of(kind: pa.DataType) -> str:
    if not pa.types.is_struct(kind):
        return ""
    texts = {field.name for field in kind if is_text(field.type)}
    return next((key for key in NAME_KEYS if key in texts), "")


def _names(lists: pa.Array) -> pa.ListArray:
    """Return lists of the texts that structures hold their hashtags in; of lists of texts, these."""
    values, name = lists.flatten(), _name_of(lists.type.value_type)
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, (pc.struct_field(values, name) if name else values).cast(pa.string()))
