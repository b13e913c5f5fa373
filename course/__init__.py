"""Functions for the code cells of chapters: checks of exercises, numbers for the text, progress.

course.check("logistic-regression/margin", margin)    judges an answer; explains what is wrong
course.say("wrong", wrong, "d", reads="3")            the prose shows it by {glue:text}`wrong`
course.progress("logistic-regression")                which exercises this reader has solved
course.export_progress("Ada")                         the same as a file that can be submitted
if course.pytorch(): ...                              runs a comparison if PyTorch is installed
"""

from course.kit.checking import NotSolved, check
from course.kit.progress import export_progress, progress
from course.kit.saying import NumberDiffers, say
from course.kit.style import style
from course.kit.torch_installed import pytorch

__all__ = [
    "NotSolved", "NumberDiffers", "check", "export_progress", "progress", "pytorch", "say", "style",
]  # fmt: skip
