"""What a chapter needs around its prose: checks of exercises, numbers for the text, progress.

course.check("logistic-regression/margin", margin)    tells right from wrong, and why
course.say("wrong", wrong, "d", reads="3")            {glue:text}`wrong` shows it in the prose
course.progress("logistic-regression")                what this reader has solved so far
if course.pytorch(): ...                              the same in PyTorch, where it is installed
"""

from nnlib.course.checking import NotSolved, check
from nnlib.course.peer import pytorch
from nnlib.course.progress import progress
from nnlib.course.saying import SaidOtherwise, say
from nnlib.course.style import style

__all__ = ["NotSolved", "SaidOtherwise", "check", "progress", "pytorch", "say", "style"]
