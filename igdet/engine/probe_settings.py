"""From the keys of PROBE to the choices of the protocols on frozen features."""

from detectron2.config import CfgNode

from igdet.evaluation.probing.protocols import Settings


def settings_of(cfg: CfgNode, num_classes: int) -> Settings:
    """Return the protocols' choices.

    Args:
        cfg: the config.
        num_classes: of the data sets that are probed.
    """
    probe = cfg.PROBE
    return Settings(
        num_classes=num_classes,
        seed=max(0, cfg.SEED),  # -1 leaves trainings to chance; draws are always told
        held_out=probe.HELD_OUT,
        strengths=tuple(probe.STRENGTHS),
        shots=tuple(sorted(probe.SHOTS)),
        draws=probe.DRAWS,
        neighbours=tuple(sorted(probe.NEIGHBORS)),
        temperature=probe.TEMPERATURE,
    )
