"""Every configuration key that igdet adds to Detectron2's, with its meaning and unit."""

from yacs.config import CfgNode  # Detectron2's are of it, and take seconds to import

from igdet.utils.errors import USUAL_SHARE

FPN_SUFFIX = "_FPN"  # of MODEL.BACKBONE.NAME: a member of the family with a feature pyramid


def add_igdet_config(cfg: CfgNode) -> None:
    """Add igdet's keys, with their defaults, to a Detectron2 config in place.

    Args:
        cfg: what `detectron2.config.get_cfg()` returns.
    """
    _add_model(cfg)
    _add_fcos(cfg)
    _add_input(cfg)
    _add_datasets(cfg)
    _add_dataloader(cfg)
    _add_solver(cfg)
    _add_probe(cfg)
    # Where scalars go besides TensorBoard and metrics.json: "wandb", "mlflow" (pip install "igdet[wandb]").
    cfg.TRACKERS = []


def _add_model(cfg: CfgNode) -> None:
    # Which copy of the weights is taken where MODEL.WEIGHTS holds several, such as "state_dict_ema" or "teacher":
    # `python tools/weights.py inspect` lists them. "": those that were trained, not their average.
    cfg.MODEL.WEIGHTS_KEY = ""
    cfg.MODEL.CLASSIFIER = type(cfg)()
    # Number of classes or hashtags; unless written, that of the named target of DATASETS.TRAIN. Checked against the
    # training set before any work.
    cfg.MODEL.CLASSIFIER.NUM_CLASSES = 1000
    # True: training starts with a new classifier even where the weights bring one that fits; evaluation never does.
    cfg.MODEL.CLASSIFIER.RESET = True
    # True: features are standardised before the classifier, as a linear probe by SGD needs it; for frozen trunks.
    cfg.MODEL.CLASSIFIER.STANDARDIZE = False
    # "softmax" against 1/k on each of k labels, the paper's; "sigmoid" of each label by itself.
    cfg.MODEL.CLASSIFIER.LOSS = "softmax"
    # What the classifier sees of a feature map: "mean", the paper's, or "logsumexp", "attention", "max_grid", "dense"
    # of igdet/modeling/pooling.py, which care for where something is.
    cfg.MODEL.CLASSIFIER.POOLING = "mean"
    # Mixtures of experts in place of bottleneck blocks: experts each, 0 for none, and how many an image goes to.
    cfg.MODEL.MOE = type(cfg)()
    cfg.MODEL.MOE.EXPERTS = 0
    cfg.MODEL.MOE.TOP_K = 2
    # Stages that have them, and in these every how many-th block is one, counted back from the stage's last.
    cfg.MODEL.MOE.STAGES = ["res5"]
    cfg.MODEL.MOE.EVERY = 2
    # Of the classifier's loss_balance, which is LOSS_WEIGHT where all experts are used alike.
    cfg.MODEL.MOE.LOSS_WEIGHT = 0.01
    # Of MODEL.BACKBONE.NAME timm and torchvision, each also with _FPN: which network, by the library's name of its
    # weights, such as convnext_tiny.fb_in22k or regnet_y_16gf.IMAGENET1K_SWAG_E2E_V1; the largest rate at which
    # residual branches are dropped, of the last block (arXiv 1603.09382); and its batch norms: "" as they are,
    # "FrozenBN" or "SyncBN".
    for library in ("TIMM", "TORCHVISION"):
        cfg.MODEL[library] = type(cfg)({"NAME": "", "DROP_PATH": 0.0, "NORM": ""})
    # Plain vision transformers: the side in patches of the windows to which all blocks but four confine their attention
    # (ViTDet: 14); 0: all see the whole image.
    cfg.MODEL.TIMM.WINDOW = 0
    # LinearSegHead: True: channels are standardized before the 1x1 convolution, as a linear probe by SGD needs it; for
    # frozen trunks. What else Detectron2's keys of the section mean for it: igdet/modeling/linear_seg_head.py.
    cfg.MODEL.SEM_SEG_HEAD.STANDARDIZE = True
    # The trunk's channels innermost in memory: faster convolutions, the same results.
    cfg.MODEL.CHANNELS_LAST = True
    # True: the trunk goes through torch.compile: faster steps after minutes of compilation.
    cfg.MODEL.COMPILE = False
    # True: a block's activations are computed again in the backward pass instead of being kept: less memory, one more
    # forward pass.
    cfg.MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS = False
    # Most images that share the statistics of MODEL.RESNETS.NORM BN (the paper: 24); a GPU's larger (micro-)batch is
    # normalised in groups. 0: all images of a (micro-)batch share theirs.
    cfg.MODEL.RESNETS.NORM_BATCH = 0


def _add_fcos(cfg: CfgNode) -> None:
    # MODEL.META_ARCHITECTURE FCOS: keys as RetinaNet's (MODEL.RETINANET), values as Detectron2's own FCOS has them.
    cfg.MODEL.FCOS = type(cfg)()
    # Number of classes; unless written, that of the named target of DATASETS.TRAIN.
    cfg.MODEL.FCOS.NUM_CLASSES = 80
    # Levels of the pyramid, the finest first: each finds objects of 4 to 8 times its stride, the first also smaller
    # ones, the last also larger ones.
    cfg.MODEL.FCOS.IN_FEATURES = ["p3", "p4", "p5", "p6", "p7"]
    # Convolutions before the outputs, of classes and of boxes, and the norm after each.
    cfg.MODEL.FCOS.NUM_CONVS = 4
    cfg.MODEL.FCOS.NORM = "GN"
    # Probability of each class at the start.
    cfg.MODEL.FCOS.PRIOR_PROB = 0.01
    # Places that learn an object: those within this distance of its centre, in strides of their level.
    cfg.MODEL.FCOS.CENTER_SAMPLING_RADIUS = 1.5
    # Of the focal loss (arXiv 1708.02002): the weight of objects, and the power by which easy places count less.
    cfg.MODEL.FCOS.FOCAL_LOSS_ALPHA = 0.25
    cfg.MODEL.FCOS.FOCAL_LOSS_GAMMA = 2.0
    # Of a detection: least score, the root of the class' probability times the centerness; how many a level go into
    # the suppression, and the IoU at which it drops the lower score.
    cfg.MODEL.FCOS.SCORE_THRESH_TEST = 0.2
    cfg.MODEL.FCOS.TOPK_CANDIDATES_TEST = 1000
    cfg.MODEL.FCOS.NMS_THRESH_TEST = 0.6


def _add_input(cfg: CfgNode) -> None:
    cfg.INPUT.CLASSIFICATION = type(cfg)()
    # Training crop: side in pixels, range of its share of the image's area, range of width / height.
    cfg.INPUT.CLASSIFICATION.TRAIN_CROP = 224
    # Side of the crop in the last fifth of the images seen; 0: as before.
    cfg.INPUT.CLASSIFICATION.LATE_CROP = 0
    cfg.INPUT.CLASSIFICATION.TRAIN_SCALE = (0.08, 1.0)
    cfg.INPUT.CLASSIFICATION.TRAIN_RATIO = (3 / 4, 4 / 3)
    # How training crops are resized: "antialias" averages all pixels, as Pillow does; "fast" weighs the nearest four,
    # after decoding large crops at 1/2, 1/4 or 1/8 of their size. Evaluation is always antialiased.
    cfg.INPUT.CLASSIFICATION.TRAIN_RESIZE = "antialias"
    # "bilinear" or "bicubic", antialiased; what a library's weights want is checked.
    cfg.INPUT.CLASSIFICATION.INTERPOLATION = "bilinear"
    # Evaluation, in pixels: the shorter side is resized to TEST_SHORT_SIDE, then a centre square of TEST_CROP is taken.
    cfg.INPUT.CLASSIFICATION.TEST_SHORT_SIDE = 256
    cfg.INPUT.CLASSIFICATION.TEST_CROP = 224

    # Large-scale jitter (Ghiasi et al. 2021, arXiv 2012.07177) in place of MIN_SIZE_TRAIN: the image is scaled to fit
    # a square of SIDE pixels times a random factor of SCALE, then cropped or padded to that square. SIDE 0: none.
    cfg.INPUT.LARGE_SCALE_JITTER = type(cfg)()
    cfg.INPUT.LARGE_SCALE_JITTER.SIDE = 0
    cfg.INPUT.LARGE_SCALE_JITTER.SCALE = (0.1, 2.0)


def _add_datasets(cfg: CfgNode) -> None:
    # Data sets of one's own: NAME: {KIND: ..., ROOT: ..., ANNOTATIONS: ...}; docs/DATASETS.md lists the kinds.
    cfg.DATASETS.OWN = type(cfg)(new_allowed=True)
    # Share of a data set's records, 0..1, that may be bad (logged and skipped) before the run stops.
    cfg.DATASETS.MAX_BAD_SHARE = USUAL_SHARE


def _add_dataloader(cfg: CfgNode) -> None:
    # How often a post is drawn, by its hashtags' frequencies: "natural", "square_root" or "uniform".
    cfg.DATALOADER.RESAMPLING = "natural"
    # Draws in one pass over the hashtag set, in multiples of its number of posts, >= 1: fixes the threshold t of
    # square-root and uniform resampling. Natural resampling draws every post once and ignores it.
    cfg.DATALOADER.EPOCH_FACTOR = 2.0
    # Streaming (kind hashtag_stream): shards that each loader process reads side by side, and posts that it holds in
    # memory and shuffles; 4,096 images of 50 kB are 205 MB.
    cfg.DATALOADER.STREAM_SHARDS = 16
    cfg.DATALOADER.STREAM_BUFFER = 4096
    # Passes over the shards in an epoch: a post's copies in one pass come close to each other, more passes read more.
    cfg.DATALOADER.STREAM_PASSES = 1
    # Readers that share each batch of a stream, and that take turns with batches; 0: as many as there are processes,
    # and loader processes of each. Given, a run resumes exactly with any number of processes that divides the first,
    # and any NUM_WORKERS that divides the second.
    cfg.DATALOADER.STREAM_RANKS = 0
    cfg.DATALOADER.STREAM_WORKERS = 0
    # Probability, 0..1, with which a hashtag is replaced by one drawn from the hashtags' marginal distribution.
    cfg.DATALOADER.LABEL_NOISE = 0.0
    # True: of an image's labels one is drawn at random each time that it is shown.
    cfg.DATALOADER.ONE_LABEL = False


def _add_solver(cfg: CfgNode) -> None:
    # Numbered checkpoints, model_<iteration>.pth, that stay in the run's folder; 0: all. With 2 or more, a run whose
    # last one is broken goes on from the one before.
    cfg.SOLVER.CHECKPOINTS_KEPT = 3
    # Length of the training in images seen. 0: MAX_ITER, STEPS and WARMUP_ITERS count, in iterations, as in Detectron2;
    # else they are computed from the three keys below, so that a change of IMS_PER_BATCH keeps the recipe.
    cfg.SOLVER.IMAGES_SEEN = 0
    # Linear warm-up, in images seen, up to the peak learning rate: from min(BASE_LR, peak) where LR_REFERENCE_BATCH is
    # set, else from WARMUP_FACTOR * BASE_LR as in Detectron2.
    cfg.SOLVER.WARMUP_IMAGES = 0
    # Number of equally spaced points at which the learning rate is multiplied by SOLVER.GAMMA.
    cfg.SOLVER.LR_DROPS = 0
    # The batch for which BASE_LR is meant: the peak learning rate is BASE_LR * IMS_PER_BATCH / LR_REFERENCE_BATCH.
    # 0: BASE_LR is the peak learning rate.
    cfg.SOLVER.LR_REFERENCE_BATCH = 0
    # "SGD" or "AdamW", which MOMENTUM and NESTEROV do not concern, with the shares of the past in its two averages.
    cfg.SOLVER.OPTIMIZER = "SGD"
    cfg.SOLVER.ADAM_BETAS = (0.9, 0.999)
    # Learning rate of each layer of the trunk in multiples of that of the layer above it; 1.0: all have the same.
    cfg.SOLVER.LAYER_DECAY = 1.0
    # Learning rate of the trunk (the backbone without its feature pyramid) in multiples of that of all other weights;
    # MODEL.BACKBONE.FREEZE_AT freezes it from below.
    cfg.SOLVER.BACKBONE_LR_FACTOR = 1.0
    # With several processes: False: each holds the whole model (DistributedDataParallel). True: each holds its part of
    # weights, gradients and momentum (PyTorch's FSDP2, from 2.9 on), for members that are too large for one GPU.
    cfg.SOLVER.FSDP = False
    # Micro-batches into which each GPU's share of IMS_PER_BATCH is split, one after the other; their gradients are
    # averaged before the step, so IMS_PER_BATCH, the schedule and the draws stay as they are. BN sees a micro-batch.
    cfg.SOLVER.ACCUMULATE = 1
    # Precision of the forward pass where Detectron2's SOLVER.AMP.ENABLED is True: "bf16", or "fp16" with loss scaling.
    cfg.SOLVER.AMP.DTYPE = "bf16"
    # Half-life, in images seen, of the moving average of the weights, which is then evaluated and saved in place of the
    # weights being trained. 0: no average.
    cfg.SOLVER.EMA_HALF_LIFE = 0


def _add_probe(cfg: CfgNode) -> None:
    # Protocols on frozen features (tools/probe.py, docs/PROTOCOLS.md). How features are kept: float32 or float16.
    cfg.PROBE = type(cfg)()
    cfg.PROBE.FEATURES = "float32"
    # Share of each training class, 0..1, by which strengths and numbers of neighbours are chosen; SEED draws it.
    cfg.PROBE.HELD_OUT = 0.2
    # L2 strengths to try: scikit-learn's C, on features whose mean squared distance from their mean is 1. Factors of 4.
    cfg.PROBE.STRENGTHS = tuple(4.0**power for power in range(-3, 7))  # 0.0156 .. 4,096
    # Images a class of the k-shot protocol, and its draws, with the seeds SEED, SEED + 1, ...
    cfg.PROBE.SHOTS = (1, 2, 5, 10)
    cfg.PROBE.DRAWS = 5
    # Numbers of neighbours to try, and the temperature of their votes (Wu et al. 2018).
    cfg.PROBE.NEIGHBORS = (1, 5, 10, 20, 50, 100, 200)
    cfg.PROBE.TEMPERATURE = 0.07
    # Probes while a classifier is trained: every so many images, 0 for none, "knn" and "linear" on the data sets TRAIN
    # and TEST. They stand in TensorBoard and metrics.json with the seconds that they took.
    cfg.PROBE.IN_TRAINING = type(cfg)({"EVERY": 0, "TRAIN": "", "TEST": "", "PROTOCOLS": ["knn", "linear"]})
