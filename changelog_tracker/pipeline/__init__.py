"""
Where the stages meet; open `importing.py` first.

files.py, exports.py and facts.py read, importing.py compares and writes, late.py tells a history
again; change_log.py, state.py and drift.py answer, people.py takes down what people say.
"""
