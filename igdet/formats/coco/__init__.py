"""Files of COCO's and LVIS' structure: read strictly, and judged annotation by annotation."""
