"""
Where the stages meet; open `importing.py` first.

files.py and facts.py read, importing.py compares and writes, late.py tells a history again,
asking.py answers, people.py takes down what people say.
"""
