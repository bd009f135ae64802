"""The classes of the world: 16 kinds of things under 6 wider kinds."""

from igdet.world.synsets import Synset, vocabulary_of

# wnid: words, wider kind. Ids start with "w", so that nobody takes them for WordNet's.
LEAVES: dict[str, Synset] = {
    "w0101": Synset(("goldfish", "golden carp", "carassius"), "w0100"),
    "w0102": Synset(("angelfish", "scalare", "angel fin"), "w0100"),
    "w0103": Synset(("shark", "selachian", "maneater"), "w0100"),
    "w0201": Synset(("owl", "hoot owl", "bird of night"), "w0200"),
    "w0202": Synset(("parrot", "polly", "psittacine"), "w0200"),
    "w0203": Synset(("penguin", "pingu", "spheniscid"), "w0200"),
    "w0301": Synset(("butterfly", "flutterby", "lepidopteran"), "w0300"),
    "w0302": Synset(("ladybug", "ladybird", "ladybeetle"), "w0300"),
    "w0303": Synset(("bee", "honeybee", "apis"), "w0300"),
    "w0401": Synset(("mushroom", "toadstool", "agaric"), "w0400"),
    "w0402": Synset(("cactus", "cacti", "prickly pear"), "w0400"),
    "w0403": Synset(("sunflower", "helianthus"), "w0400"),
    "w0501": Synset(("sailboat", "sailing boat", "sloop"), "w0500"),
    "w0502": Synset(("balloon", "hot air balloon", "aerostat"), "w0500"),
    "w0503": Synset(("rocket", "spaceship", "starship"), "w0500"),
    "w0601": Synset(("dancer", "ballerina", "terpsichorean"), "w0600"),
}
WIDER: dict[str, Synset] = {
    "w0100": Synset(("fish", "fishes")),
    "w0200": Synset(("bird", "birdie")),
    "w0300": Synset(("insect", "bug")),
    "w0400": Synset(("plant", "flora")),
    "w0500": Synset(("craft", "vehicle")),
    "w0600": Synset(("person", "people")),
}
SYNSETS: dict[str, Synset] = LEAVES | WIDER
VOCABULARY = vocabulary_of(SYNSETS.values())  # label ids: the 16 leaves in order, then the 6 wider kinds

WNIDS: tuple[str, ...] = tuple(LEAVES)  # class ids are positions in this
NAMES: tuple[str, ...] = tuple(synset.lemmas[0] for synset in LEAVES.values())
DANCER = NAMES.index("dancer")
