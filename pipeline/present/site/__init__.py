"""The review site: pages that open from disk, made from the results, the figures and the tables.

    pages.py       the list of pages and how one is rendered: a new page is one row and one template
    values.py      numbers of the text, by the keys of build/paper/numbers.json
    headline.py    the rows of the start page, with their places on a log axis
    brief.py       the two pictures of the brief, of such rows
    ledger.py      the claims and their verdicts
    pictures.py    every figure with caption, alt text, data and parameters
    tables.py      every table with its columns as the contracts describe them
    reading.py     the paper, the notebooks and how to cite
    build.py       all files of the site, by their place in it
    provenance.py  which stage made a file, and the assumptions behind it
    whatif/        the inside of the what-if page and its script, where they exist; its data: build/whatif
    templates/     pages; `base.html.j2` is the frame, with the blocks `title`, `main` and `scripts`
    assets/        one style sheet, one script

No page asks the network for anything. Every number of the text comes from a result; a test fails on a digit
that is typed in a template.
"""
