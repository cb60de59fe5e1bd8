"""The figures by their names in the design. What is not here needs what does not exist yet."""
from . import api, foreign, images, jobs, kept, many, output, pipelines, start, trees

FIGURES = {"B1": jobs.b1, "B2": jobs.b2, "B3": jobs.b3, "B4": jobs.b4, "B5": output.b5, "B6": kept.b6, "B7": pipelines.b7,
           "B8": start.b8, "B9": images.b9, "B10": trees.b10, "B11": kept.b11, "B13": many.b13, "B14": api.b14,
           "B15": foreign.b15}
