"""What a chapter needs around its prose: checks of exercises, numbers for the text, progress.

course.check("logistic-regression/margin", margin)    tells right from wrong, and why
course.say("wrong", wrong, "d", reads="3")            {glue:text}`wrong` shows it in the prose
course.progress("logistic-regression")                what this reader has solved so far
course.export_progress("Ada")                         the same as a file that can be handed in
if course.pytorch(): ...                              the same in PyTorch, where it is installed
"""

from course.kit.checking import NotSolved, check
from course.kit.peer import pytorch
from course.kit.progress import export_progress, progress
from course.kit.saying import SaidOtherwise, say
from course.kit.style import style

__all__ = [
    "NotSolved", "SaidOtherwise", "check", "export_progress", "progress", "pytorch", "say", "style",
]  # fmt: skip
